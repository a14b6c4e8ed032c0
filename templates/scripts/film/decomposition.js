/**
 * Decompositions: a film of the residuals that can be heard. At step k one hears the events up to k, which are summed
 * here, event k alone, or what is left after the last step up to k for which that is stored.
 */
(() => {
  'use strict';

  /** @typedef {'removed' | 'event' | 'left'} Kind what can be heard at a step */
  /** @typedef {{sound: string, start: number, gain: number, muted: boolean, facts: string}} Told */

  /** @type {Record<Kind, string>} */
  const WORDS = { removed: 'What was taken off', event: 'The event of this step', left: 'What is left' };
  const RUN = 'Run through with sound';

  /** @param {HTMLElement} figure @param {HTMLElement} roll the figure of its events */
  function enhance(figure, roll) {
    const frame = /** @type {HTMLElement} */ (figure.querySelector('.frame'));
    const [rate, length] = [Number(roll.dataset.rate), Number(roll.dataset.length)];
    const events = eventsOf(roll);
    const left = leftOf(figure);
    /** @type {Kind} what is to be heard */
    let kind = 'removed';
    const viewer = film.make(frame, { unit: 'step', first: 0, describe, toggle, onframe, onrun });
    const listener = deck.make(frame, { rate, length, changed, toggle, repeats: viewer.running });
    const { choices, jumps, run, save } = build(figure, listener.row, Array.from(left.keys()));
    const mark = film.addMark(frame);

    function step() {
      return Math.min(viewer.at(), events.length); // a film may have more frames
    }

    /** After how many events there is a stored sound of what is left, up to this step; -1 if there is none. */
    function stored() {
      return Math.max(-1, ...Array.from(left.keys()).filter((n) => n <= step()));
    }

    /** @param {number} k @returns {string} */
    function describe(k) {
      const n = Math.min(k, events.length);
      return `Step ${n} of ${events.length}: ${n ? events[n - 1].facts : 'nothing is taken off yet'}`;
    }

    function show() {
      const after = stored() < step() && stored() > 0 ? ` after ${stored()}` : '';
      const title = kind === 'event' && step() ? `event ${step()}` : WORDS[kind].toLowerCase();
      listener.describe(title + (kind === 'left' ? after : ''), name());
      save.hidden = !has();
      for (const { each, input, text } of choices) {
        input.checked = each === kind;
        input.closest('span')?.classList.toggle('heard', each === kind);
        text.textContent = WORDS[each] + (each === 'left' ? after : '');
      }
      mark(step(), step() ? Math.max(0, events[step() - 1].start / length) : 0);
    }

    /** Whether what is to be heard is there at this step. */
    function has() {
      return kind === 'left' ? stored() >= 0 : step() > 0;
    }

    /** What it is called as a file. */
    function name() {
      return { removed: `events-1-to-${step()}`, event: `event-${step()}`, left: `left-after-${stored()}` }[kind];
    }

    /** Where to begin, in seconds: an event where it is, all else where the last one was left. */
    function begins() {
      return kind === 'event' ? Math.max(0, events[step() - 1].start / rate) : undefined;
    }

    /** At a step where there is nothing to hear, of the first that has something. */
    function play() {
      if (!has()) {
        viewer.go(kind === 'left' ? Math.min(...left.keys()) : 1);
      }
      listener.play(name(), render(), begins());
    }

    /** @returns {Promise<Int16Array>} */
    async function render() {
      if (kind === 'left') {
        return media.samples(left.get(stored()) || '');
      }
      if (kind === 'removed') {
        return mix.render(events.slice(0, step()), length);
      }
      const event = events[step() - 1];
      const end = event.start + (await media.samples(event.sound)).length;
      return mix.render([event], Math.min(length, end)); // nobody waits for the silence after it
    }

    function toggle() {
      listener.playing() ? listener.stop() : play();
    }

    /** @param {Kind} each */
    function choose(each) {
      kind = each;
      show();
      if (listener.playing()) {
        play();
      }
    }

    /** @param {number} _ @param {boolean} running whether the film brought this step, not the reader */
    function onframe(_, running) {
      show();
      if (step() && !running) {
        roll.dataset.selected = String(step() - 1); // should its scripts come later
        roll.dispatchEvent(new CustomEvent('select', { detail: { index: step() - 1 } }));
      }
      if (running || (listener.playing() && has() && listener.name() !== name())) {
        play();
      } else if (!has()) {
        listener.stop();
      }
    }

    /** @param {boolean} running */
    function onrun(running) {
      run.textContent = running ? 'Stop' : RUN;
    }

    function runThrough() {
      if (viewer.running()) {
        listener.stop();
      } else {
        kind = 'removed';
        viewer.run(step() === events.length ? 1 : Math.max(1, step()));
      }
    }

    /** A run is heard: it ends with its sound. */
    function changed() {
      if (!listener.playing()) {
        viewer.stop();
      }
      show();
    }

    for (const { each, input } of choices) {
      input.addEventListener('change', () => {
        viewer.stop();
        choose(each);
      });
      input.addEventListener('keydown', (event) => {
        if (event.key === ' ') {
          event.preventDefault();
          toggle();
        }
      });
    }
    for (const jump of jumps) {
      jump.addEventListener('click', () => viewer.go(Number(jump.textContent)));
    }
    run.addEventListener('click', runThrough);
    save.addEventListener('click', () => {
      const file = `${name()}.wav`;
      render().then(
        (samples) => mix.save(mix.toWav(samples, rate), 'audio/wav', file),
        () => listener.complain(true),
      );
    });
    links.add(figure, {
      state: () => ({ step: String(step()), hear: kind, ...listener.state() }),
      restore(state) {
        listener.stop();
        viewer.show(Number.parseInt(state.step, 10) || 0);
        listener.restore(state);
        choose(choices.find(({ each }) => each === state.hear)?.each || 'removed');
      },
      source: () => roll.dataset.mixSrc || '',
    });
    show();
  }

  /** The published events, in the order found. @param {HTMLElement} roll @returns {Told[]} */
  function eventsOf(roll) {
    const rate = Number(roll.dataset.rate);
    return linked.read(roll).map(({ address, start, facts: { seconds, peak } }) => ({
      sound: address,
      start,
      gain: mix.UNITY,
      muted: false,
      facts: `at ${linked.signed(start / rate)} s, ${seconds.toFixed(2)} s long, peak ${linked.level(peak)} dBFS`,
    }));
  }

  /** Addresses of what is left, by the number of events taken off. @param {HTMLElement} figure */
  function leftOf(figure) {
    const items = /** @type {NodeListOf<HTMLElement>} */ (figure.querySelectorAll('[data-events]'));
    return new Map(
      Array.from(items, ({ dataset, children }) => [Number(dataset.events), children[0].getAttribute('src') || '']),
    );
  }

  /**
   * Below the film's controls: steps to jump to, what to hear, and the deck that plays it.
   * @param {HTMLElement} figure @param {HTMLElement} row of the deck @param {number[]} stored steps after which the rest is there
   */
  function build(figure, row, stored) {
    const [jump, hear] = ['jumps', 'hear'].map((name) => make('div', name));
    const jumps = stored.map((n) => film.button(String(n), `Jump to step ${n}`));
    const run = film.button(RUN);
    run.removeAttribute('aria-label'); // its text changes
    const choices = /** @type {Kind[]} */ (stored.length ? ['removed', 'event', 'left'] : ['removed', 'event']).map(
      (each) => ({ each, ...addChoice(hear, figure.id, WORDS[each]) }),
    );
    const facts = make('p', 'facts');
    const save = make('button', 'quiet', 'Save WAV');
    save.setAttribute('type', 'button');
    jump.append(...(stored.length ? [make('span', '', 'Jump to step')] : []), ...jumps, run);
    hear.setAttribute('role', 'radiogroup');
    hear.setAttribute('aria-label', 'What to hear');
    facts.append(save);
    /** @type {HTMLElement} */ (figure.querySelector('.left')).hidden = true;
    figure.querySelector('.status')?.after(jump, hear, row, facts);
    return { choices, jumps, run, save };
  }

  /** @param {HTMLElement} hear @param {string} id @param {string} words */
  function addChoice(hear, id, words) {
    const [holder, label, text] = [make('span', ''), make('label', 'choice'), make('span', '', words)];
    const input = document.createElement('input');
    Object.assign(input, { type: 'radio', name: `${id}.hear`, autocomplete: 'off' });
    label.append(input, text);
    holder.append(label);
    hear.append(holder);
    return { input, text };
  }

  /** @param {string} tag @param {string} name of its class @param {string} text @returns {HTMLElement} */
  function make(tag, name, text = '') {
    return Object.assign(document.createElement(tag), { className: name, textContent: text });
  }

  for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.decomposition'))) {
    const roll = document.getElementById(figure.dataset.roll || '');
    if (roll?.querySelector('tr[data-start]')) {
      enhance(figure, roll);
    } else {
      film.enhance(/** @type {HTMLElement} */ (figure.querySelector('.frame')));
    }
  }
})();
