/**
 * Starts event rolls: the plot, the timeline, the controls, the table and the picture of vectors, all over one edit.
 * Nothing is fetched before a press. The page computes whether the mix is the published one.
 */
(() => {
  'use strict';

  /** @param {HTMLElement} figure */
  function enhance(figure) {
    const { title = '', mixSrc = '', mixWav = '', choicesSrc = '', peaks = '', sets = '[]' } = figure.dataset;
    const [rate, length, slack] = ['rate', 'length', 'slack'].map((name) => Number(figure.dataset[name] || 0));
    const channels = Number(figure.dataset.channels || 1);
    const rows = mix.read(figure);
    const sounds = library.make(rows, { rate, channels }, slack, mixSrc, choicesSrc);
    const picture = /** @type {SVGSVGElement} */ (figure.querySelector('.plot'));
    let selected = -1;
    let offered = false; // the sounds that events may have are loaded
    let pressed = false; // before a press, a page may not sound, and this one fetches nothing
    /** @type {PlacedEvent[]} the events with solo turned into muted others */
    let heard = [];
    let mixed = /** @type {Int16Array | null} the last sum */ (null);

    const edit = edits.make(rows.map(edits.published), (i) => void changed(i), sounds.settle);
    const views = linked.make(figure, { select, go: (i) => board.focus(i), play });
    const attempt = tools.attempts(figure, /** @type {Element} */ (picture.parentElement));
    const scale = scales.make(figure, () => show());
    const pointer = pointing.make({ tell, plays: playsPointed, play: preview });
    const board = plot.make(picture, rate, length, scale.place, {
      select,
      play,
      point: pointer.point,
      move,
      drag: (i, start) => edit.drag(i, { start }),
      cancel: () => edit.cancel(),
      stop: () => line.stop(),
    });
    const measures = { title, rate, channels, length, peaks };
    const line = timeline.make(picture, sounds, measures, {
      events: () => heard,
      untouched: () => edits.isPublished(heard, edit.published),
      attempt,
      mixed: (values) => void judge(values),
      show: follow,
    });
    const deeds = actions.make(measures, edit, sounds, line, attempt);
    const bench = tools.make(figure, title, JSON.parse(sets), deeds);
    const controls = inspector.make(bench.controls, rate, length, {
      change: (to) => edit.change(selected, to),
      drag: (to) => edit.drag(selected, to),
      move: (start) => move(selected, start),
      sound: (hash) => {
        edit.change(selected, { sound: hash });
        play(selected);
      },
      play: (inContext) => play(selected, inContext),
    });

    /** Show the edit, and sum it again. @param {number} [only] the event that changed, while it is dragged */
    async function changed(only) {
      heard = edits.heard(edit.events());
      bench.showHistory(edit.canUndo(), edit.canRedo());
      show(only);
      if (pressed) {
        line.update();
      }
      const unknown = heard.filter(({ sound }) => !sounds.facts(sound).seconds);
      if (unknown.length) {
        await attempt(() => Promise.all(unknown.map(({ sound }) => sounds.learn(sound))));
        show();
      }
    }

    /** @param {number} [only] the event that changed; by default all are shown */
    function show(only) {
      const shown = only === undefined ? heard.map((_, i) => i) : [only];
      for (const i of shown) {
        const look = lookOf(i);
        board.dress(i, look); // before any is described by the one that is most like it
        views.paint(i, look.row);
      }
      for (const i of shown) {
        const { sound, start, gain, muted } = heard[i];
        const facts = sounds.facts(sound, gain);
        board.place(i, start, facts.seconds, `Event ${i + 1}, ${words(i).name}`);
        board.setState(i, 'muted', muted);
        views.show(i, start / rate, facts, lookOf(i).value || '');
      }
      showSelected();
      pointer.tell();
    }

    /** @param {number} i */
    const lookOf = (i) => sounds.lookOf(i, heard[i].sound, board.looks);

    /** @param {number} i */
    const words = (i) => sounds.describe(i, heard[i], board.nearest(i), lookOf(i).value || '');

    function showSelected() {
      if (selected < 0) {
        return;
      }
      const { sets: all, steps, directions = {} } = sounds.choices();
      const event = edit.events()[selected];
      line.showExtent(event.start / length, (sounds.facts(event.sound).seconds * rate) / length);
      controls.show({
        name: `Event ${selected + 1}`,
        details: words(selected).facts,
        event: { ...event, sound: sounds.asPublished(selected, event.sound) },
        stored: edit.published[selected].sound,
        sets: Object.fromEntries(Object.entries(all).map(([name, hashes]) => [name, hashes[selected]])),
        steps: steps[String(selected)] || [],
        directions: directions[String(selected)] || [],
      });
    }

    /** @param {number} i */
    function select(i) {
      selected = i;
      line.stopOthers(i);
      board.select(i);
      views.select(i);
      bench.showControls();
      showSelected();
      pointer.tell();
    }

    /** @param {number} i @param {boolean} [inContext] */
    function play(i, inContext = false) {
      pointer.stop();
      offer();
      if (inContext) {
        line.playInContext(i);
      } else {
        line.playEvent(i);
      }
    }

    /** Tell of the event that is pointed at, unless the controls do. @param {number | null} i */
    function tell(i) {
      bench.tell(i === null || i === selected ? '' : `Event ${i + 1}, ${words(i).name}`);
    }

    /** An event that is pointed at is heard, but not while another is typed at. @returns {boolean} */
    function playsPointed() {
      const { activeElement } = document;
      const editing = bench.controls.contains(activeElement) && activeElement?.matches('input, select');
      return pressed && !editing && bench.playsWhatIsPointedAt() && line.isFree();
    }

    /** Play what is pointed at. What is heard is what is selected, so that all views tell of one event. @param {number} i */
    function preview(i) {
      picture.contains(document.activeElement) ? board.focus(i) : select(i);
      play(i);
    }

    /** @param {number} i @param {number} start */
    function move(i, start) {
      const from = edit.events()[i].start; // an edit from elsewhere may begin outside the roll
      edit.change(i, { start: Math.max(Math.min(0, from), Math.min(Math.max(length - 1, from), start)) });
    }

    /** @param {Subject} subject @param {number} now seconds along the roll @param {boolean} loading */
    function follow(subject, now, loading) {
      bench.showTime(subject === 'mix', loading, line.position(), length / rate);
      board.show(subject === null && now === 0 ? null : now);
      heard.forEach(({ sound, start, muted }, i) => {
        const since = now - start / rate;
        const inMix = subject === 'mix' && !loading && !muted && since >= 0 && since < sounds.facts(sound).seconds;
        board.setState(i, 'sounding', inMix || (subject === i && !loading));
      });
    }

    /** @param {Int16Array} values the new mix */
    async function judge(values) {
      mixed = values;
      const edited = edits.summary(edit.events(), edit.published, deeds.seed(), sounds.asPublished);
      const { words, wrong } = await edits.judge(values, measures, mixWav, edited);
      if (mixed === values) {
        bench.judge(words, wrong);
      }
    }

    function begin() {
      if (!pressed) {
        pressed = true;
        offer();
      }
    }

    /** Load the sounds that events may have: at the first press, after a failure at the next. */
    async function offer() {
      if (!offered) {
        offered = Boolean(await attempt(sounds.load));
        showSelected();
      }
    }

    /** @param {KeyboardEvent} event */
    function travel(event) {
      const typing = event.target instanceof HTMLInputElement && event.target.type === 'number';
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z' && !typing) {
        event.preventDefault();
        event.shiftKey ? edit.redo() : edit.undo();
      }
    }

    heard = edits.heard(edit.events());
    bench.showHistory(false, false);
    show();
    follow(null, 0, false);
    if (figure.dataset.selected) {
      select(Number(figure.dataset.selected)); // a decomposition asked for it before this script came
    }
    figure.addEventListener('pointerup', begin, true); // not before: the controls that come may move the pressed button
    figure.addEventListener('keydown', begin, true);
    figure.addEventListener('keydown', travel);
    figure.addEventListener('select', (event) => {
      if (event instanceof CustomEvent && event.target === figure) {
        select(event.detail.index);
      }
    });
    const place = addressing.make({ edit, line, scale, settle: sounds.settle, select, selected: () => selected });
    links.add(figure, { ...place, source: () => mixSrc });
  }

  elements.all('.roll').forEach(enhance);
})();
