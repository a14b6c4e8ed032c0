/**
 * What stands under the plot of an event roll: its buttons, a place for the controls of the selected event, and a line
 * that says what the mix is.
 */
const tools = (() => {
  'use strict';

  const HINT = 'Press a circle to hear it; drag it sideways to move it.';
  const LEGEND = 'size: loudness, line: length, similar colours: similar sounds';
  const CONTROLS = '.plot, .timeline, .transport, .buttons, .inspector label, .tools, td a'; // messages stand under them
  const KEYS =
    'Arrow keys walk from event to event, Page Up and Page Down in order of time. ' +
    'Enter plays, with Shift in context; Alt and an arrow key move.';

  /**
   * @typedef {{toggle: () => void, undo: () => void, redo: () => void, scatter: () => void,
   *   apply: (set: string) => void, reset: () => void, exportWav: () => void, exportEdit: () => void,
   *   importEdit: (text: string) => void}} Reader what readers ask for
   */

  /**
   * Does what can fail, or says in words why not, under the control that was pressed.
   * @param {HTMLElement} figure @param {Element} plot
   */
  function attempts(figure, plot) {
    let control = plot;
    let begun = 0; // how many
    let failed = 0; // how many had begun then: only what came later takes the words back
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
        turn > failed && player.complain(figure, null);
        return result;
      } catch (error) {
        failed = begun;
        player.complain(figure, /** @type {Error} */ (error).message, place);
        return null;
      }
    };
  }

  /** @param {HTMLElement} figure @param {string} title @param {string[]} sets @param {Reader} reader */
  function make(figure, title, sets, reader) {
    const play = wave.playButton(`the mix of ${title}`);
    const time = element('span', 'time');
    const undo = button('Undo', reader.undo);
    const redo = button('Redo', reader.redo);
    const { label: hover, box } = checkbox('Play what is pointed at', matchMedia('(hover: hover)').matches);
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
    const bar = element('div', 'tools');
    bar.append(group('', undo, redo), group('', ...whole), group('', ...files));
    const controls = element('div', 'inspector');
    controls.hidden = true;
    const hint = element('p', 'hint', HINT);
    const keys = element('p', 'hint', KEYS);
    hint.id = `${figure.id}.hint`;
    keys.id = `${figure.id}.keys`;
    const told = element('span', 'told', LEGEND);
    figure.querySelector('.axis')?.append(told);
    figure.querySelector('.plot')?.setAttribute('aria-describedby', `${hint.id} ${keys.id}`);
    figure.querySelector('.events')?.before(folded('Keys', keys));
    const facts = element('p', 'facts');
    const verdict = element('span', 'verdict');
    verdict.setAttribute('role', 'status');
    facts.append(verdict);
    const place = element('div', 'desk');
    place.append(group('transport', play, time, hover), hint, controls, bar, facts);
    figure.querySelector('.board')?.after(place);
    play.addEventListener('click', reader.toggle);
    return {
      place,
      controls,
      playsWhatIsPointedAt: () => box.checked,
      showControls() {
        hint.hidden = true;
        controls.hidden = false;
      },
      /** @param {string} words about the event that is pointed at; without, what the picture's signs mean */
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
        place.classList.toggle('playing', playing);
        play.setAttribute('aria-label', `${playing ? 'Pause' : 'Play'} the mix of ${title}`);
        play.ariaBusy = String(loading);
        time.textContent = loading ? 'Loading…' : `${wave.clock(now)} / ${wave.clock(seconds)}`;
      },
      /** @param {string} words @param {boolean} wrong */
      judge(words, wrong) {
        verdict.textContent = words;
        verdict.classList.toggle('warning', wrong);
      },
    };
  }

  /** @param {string} name @param {string} kind @param {string} [text] */
  function element(name, kind, text = '') {
    const made = document.createElement(name);
    made.className = kind;
    made.textContent = text;
    return made;
  }

  /** @param {string} summary @param {Element} content */
  function folded(summary, content) {
    const made = element('details', 'keys');
    made.append(element('summary', '', summary), content);
    return made;
  }

  /** @param {string} kind @param {Element[]} members */
  function group(kind, ...members) {
    const made = element('div', kind);
    made.append(...members);
    return made;
  }

  /** @param {string} label @param {() => void} press */
  function button(label, press) {
    const made = document.createElement('button');
    made.type = 'button';
    made.className = 'button';
    made.textContent = label;
    made.addEventListener('click', press);
    return made;
  }

  /** @param {string} text @param {boolean} checked */
  function checkbox(text, checked) {
    const label = element('label', 'hover');
    const box = document.createElement('input');
    box.type = 'checkbox';
    box.checked = checked;
    label.append(box, text);
    return { label, box };
  }

  /** A button and the field for files that it opens. @param {(text: string) => void} take @returns {HTMLElement[]} */
  function importer(take) {
    const field = document.createElement('input');
    field.type = 'file';
    field.accept = '.json';
    field.hidden = true;
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

  return { attempts, button, make };
})();
