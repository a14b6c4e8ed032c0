/**
 * The tools under the plot of an event roll: its buttons, a place for the controls of the selected event, and a line
 * that says what the mix is.
 */
const tools = (() => {
  'use strict';

  const HINT = 'Press a circle to hear it; drag it sideways to move it.';
  const LEGEND = 'size: loudness, line: length, similar colours: similar sounds';
  const CONTROLS = '.field, .timeline, .transport, .buttons, .inspector label, .tools, td a'; // messages stand under them
  const KEYS =
    'Arrow keys walk from event to event, Page Up and Page Down in order of time. ' +
    'Enter plays, with Shift in context; Alt and an arrow key move.';

  /**
   * Make a function that does an action, or says in words why not, under the control that was pressed.
   * @param {HTMLElement} figure @param {Element} plot
   */
  function attempts(figure, plot) {
    let control = plot;
    let begun = 0; // counts actions
    let failed = 0; // `begun` at the last failure: only an action after it takes the words back
    const remember = (/** @type {Event} */ { target }) => {
      control = /** @type {Element} */ (target).closest(CONTROLS) || plot;
    };
    figure.addEventListener('pointerdown', remember, true);
    figure.addEventListener('keydown', remember, true);

    /** @template T @param {() => Promise<T>} action @returns {Promise<T | null>} */
    return async (action) => {
      const [turn, place] = [++begun, control];
      try {
        const result = await action();
        turn > failed && failure.show(figure, null);
        return result;
      } catch (error) {
        failed = begun;
        failure.show(figure, /** @type {Error} */ (error).message, place);
        return null;
      }
    };
  }

  /**
   * @param {HTMLElement} figure @param {string} title @param {string[]} sets
   * @param {ReturnType<typeof actions.make>} reader what the buttons do
   */
  function make(figure, title, sets, reader) {
    const { button: play, time, show: showControls } = controls.make(reader.toggle);
    const undo = button('Undo', reader.undo);
    const redo = button('Redo', reader.redo);
    const whole = [
      button('Random times', reader.scatter),
      ...sets.map((set) => button(capitalised(set), () => reader.apply(set))),
      button('As published', reader.reset),
    ];
    const files = [
      button('Export WAV', reader.exportWav),
      button('Export edit', reader.exportEdit),
      ...importer(reader.importEdit),
    ];
    const box = elements.make('input', { type: 'checkbox', checked: matchMedia('(hover: hover)').matches });
    const hover = elements.make('label', { className: 'hover' }, box, 'Play what is pointed at');
    const hint = elements.make('p', { className: 'hint', id: `${figure.id}.hint` }, HINT);
    const keys = elements.make('p', { className: 'hint', id: `${figure.id}.keys` }, KEYS);
    const folded = elements.make('details', { className: 'keys' }, elements.make('summary', {}, 'Keys'), keys);
    const told = elements.make('span', { className: 'told' }, LEGEND);
    const verdict = elements.make('span', { className: 'verdict' });
    const inspected = elements.make('div', { className: 'inspector', hidden: true });
    const bar = group('tools', group('', undo, redo), group('', ...whole), group('', ...files));
    const facts = elements.make('p', { className: 'facts' }, verdict);
    const desk = group('desk', group('transport', play, time, hover), hint, inspected, bar, facts);
    verdict.setAttribute('role', 'status');
    elements.find('.axis', figure).append(told);
    elements.find('.plot', figure).setAttribute('aria-describedby', `${hint.id} ${keys.id}`);
    elements.find('.events', figure).before(folded);
    elements.find('.board', figure).after(desk);
    return {
      /** The place for the controls of the selected event. */
      controls: inspected,
      playsWhatIsPointedAt: () => box.checked,
      showControls() {
        hint.hidden = true;
        inspected.hidden = false;
      },
      /** @param {string} words about the event that is pointed at; if there are none, the picture's signs are explained */
      tell(words) {
        told.textContent = words || LEGEND;
      },
      /** @param {boolean} canUndo @param {boolean} canRedo */
      showHistory(canUndo, canRedo) {
        undo.setAttribute('aria-disabled', String(!canUndo)); // disabled, it would lose the focus
        redo.setAttribute('aria-disabled', String(!canRedo));
      },
      /** @param {boolean} playing @param {boolean} loading @param {number} now @param {number} seconds in all */
      showTime(playing, loading, now, seconds) {
        showControls(desk, `the mix of ${title}`, { playing, loading, now, seconds });
      },
      /** @param {string} words @param {boolean} wrong */
      judge(words, wrong) {
        verdict.textContent = words;
        verdict.classList.toggle('warning', wrong);
      },
    };
  }

  /** @param {string} className @param {Element[]} members */
  const group = (className, ...members) => elements.make('div', { className }, ...members);

  /** @param {string} text @param {() => void} press */
  const button = (text, press) => elements.button('button', text, press);

  /** A button and the field for files that it opens. @param {(text: string) => void} take @returns {HTMLElement[]} */
  function importer(take) {
    const field = elements.make('input', { type: 'file', accept: '.json', hidden: true });
    field.addEventListener('change', async () => {
      const [file] = field.files || [];
      const text = file && (await file.text());
      field.value = ''; // so that the same file can be chosen again
      if (file) {
        take(text);
      }
    });
    return [button('Import edit', () => field.click()), field];
  }

  /** @param {string} text */
  const capitalised = (text) => text.charAt(0).toUpperCase() + text.slice(1);

  return { attempts, make };
})();
