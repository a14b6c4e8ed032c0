/**
 * Decompositions: a film of the residuals that can be heard. At step k one hears the events up to k, which are summed
 * here, event k alone, or what is left after the last step up to k for which that is stored.
 */
const decomposition = (() => {
  'use strict';

  /** @typedef {'removed' | 'event' | 'left'} Kind of sound at a step */

  /** @type {Record<Kind, string>} */
  const WORDS = { removed: 'What was taken off', event: 'The event of this step', left: 'What is left' };
  const RUN = 'Run through with sound';

  /** @param {HTMLElement} figure @param {HTMLElement} roll the figure of its events */
  function enhance(figure, roll) {
    const frame = elements.find('.frame', figure);
    const [rate, length] = [Number(roll.dataset.rate), Number(roll.dataset.length)];
    const events = eventsOf(roll);
    const left = leftOf(figure);
    /** @type {Kind} the choice of the reader */
    let kind = 'removed';
    const viewer = reel.make(frame, { unit: 'step', first: 0, describe, toggle, onframe, onrun });
    const listener = deck.make(frame, { rate, length, changed, toggle, repeats: viewer.running });
    const { choices, run, save } = build(figure, listener.row, Array.from(left.keys()), {
      choose(each) {
        viewer.stop();
        choose(each);
      },
      toggle,
      jump: viewer.go,
      runThrough,
      download,
    });
    const mark = reel.addMark(frame);

    function step() {
      return Math.min(viewer.at(), events.length); // a film may have more frames
    }

    /** The last step up to this one for which what is left is stored; -1 if there is none. */
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
      for (const { each, input, text, holder } of choices) {
        input.checked = each === kind;
        holder.classList.toggle('heard', each === kind);
        text.textContent = WORDS[each] + (each === 'left' ? after : '');
      }
      mark(step(), step() ? Math.max(0, events[step() - 1].start / length) : 0);
    }

    /** There is a sound of the chosen kind at this step. */
    function has() {
      return kind === 'left' ? stored() >= 0 : step() > 0;
    }

    /** The name of that sound, as a file. */
    function name() {
      return { removed: `events-1-to-${step()}`, event: `event-${step()}`, left: `left-after-${stored()}` }[kind];
    }

    /** Where to begin, in seconds: an event where it is, all else (undefined) where the last sound was left. */
    function begins() {
      return kind === 'event' ? Math.max(0, events[step() - 1].start / rate) : undefined;
    }

    /** At a step without a sound, the first one that has a sound is played. */
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
      return mix.render([event], Math.min(length, end)); // without the silence after it
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

    /** @param {number} _ @param {boolean} running the film brought this step, not the reader */
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

    /** A run ends with its sound. */
    function changed() {
      if (!listener.playing()) {
        viewer.stop();
      }
      show();
    }

    function download() {
      const file = `${name()}.wav`;
      render().then(
        (samples) => mix.save(mix.toWav(samples, rate), 'audio/wav', file),
        () => listener.complain(true),
      );
    }

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

  /** The published events, in the order found. @param {HTMLElement} roll */
  function eventsOf(roll) {
    const rate = Number(roll.dataset.rate);
    return mix.read(roll).map(({ address, start, facts: { seconds, peak } }) => {
      const [time, lasts, loudest] = [numbers.fixed(start / rate, 2), seconds.toFixed(2), numbers.fixed(peak, 1)];
      const facts = `at ${time} s, ${lasts} s long, peak ${loudest} dBFS`;
      return { sound: address, start, gain: mix.UNITY, muted: false, facts };
    });
  }

  /** Addresses of what is left, by the number of events taken off. @param {HTMLElement} figure */
  function leftOf(figure) {
    const items = elements.all('[data-events]', figure);
    return new Map(items.map((item) => [Number(item.dataset.events), item.children[0].getAttribute('src') || '']));
  }

  /**
   * Below the film's controls: steps to jump to, what to hear, and the deck that plays it.
   * @param {HTMLElement} figure @param {HTMLElement} row of the deck
   * @param {number[]} stored steps for which what is left is stored
   * @param {{choose: (kind: Kind) => void, toggle: () => void, jump: (step: number) => void, runThrough: () => void,
   *   download: () => void}} reader what readers ask for
   */
  function build(figure, row, stored, reader) {
    const kinds = /** @type {Kind[]} */ (stored.length ? ['removed', 'event', 'left'] : ['removed', 'event']);
    const choices = kinds.map((each) => addChoice(figure.id, each, reader));
    const hear = elements.make('div', { className: 'hear' }, ...choices.map(({ holder }) => holder));
    hear.setAttribute('role', 'radiogroup');
    hear.setAttribute('aria-label', 'What to hear');
    const jumps = stored.map((n) => reel.button(String(n), () => reader.jump(n), `Jump to step ${n}`));
    const run = reel.button(RUN, reader.runThrough);
    const jump = elements.make('div', { className: 'jumps' }, ...jumps, run);
    if (stored.length) {
      jump.prepend(elements.make('span', {}, 'Jump to step'));
    }
    const save = elements.button('quiet', 'Save WAV', reader.download);
    elements.find('.left', figure).hidden = true;
    elements.find('.status', figure).after(jump, hear, row, elements.make('p', { className: 'facts' }, save));
    return { choices, run, save };
  }

  /** @param {string} id of the figure @param {Kind} each @param {Parameters<typeof build>[3]} reader */
  function addChoice(id, each, reader) {
    const text = elements.make('span', {}, WORDS[each]);
    const input = elements.make('input', { type: 'radio', name: `${id}.hear`, autocomplete: 'off' });
    const holder = elements.make('span', {}, elements.make('label', { className: 'choice' }, input, text));
    input.addEventListener('change', () => reader.choose(each));
    input.addEventListener('keydown', (event) => {
      if (event.key === ' ') {
        event.preventDefault();
        reader.toggle();
      }
    });
    return { each, input, text, holder };
  }

  return { enhance };
})();
