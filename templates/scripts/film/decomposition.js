/**
 * Decompositions: a film of the residuals that can be heard. At step k one hears the events up to k, which are summed
 * here, event k alone, or what is left of the sound.
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
    const [rate, channels, length] = [roll.dataset.rate, roll.dataset.channels || 1, roll.dataset.length].map(Number);
    const events = eventsOf(roll);
    const removed = curve.read(figure.dataset.removed);
    const original = elements.find('.left audio', figure).getAttribute('src') || '';
    /** @type {Kind} the choice of the reader */
    let kind = 'removed';
    let plays = 0; // counts what was asked for: a sound that was not the last is not computed to its end
    const viewer = reel.make(frame, { unit: 'step', first: 0, describe, toggle, onframe, onrun });
    const listener = deck.make(frame, { rate, channels, length, changed, toggle, repeats: viewer.running });
    const { choices, run, save } = build(figure, listener.row, events.length, {
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
    const outline = curve.addOutline(frame, curve.read(figure.dataset.boxes));
    const point = curve.make(frame, removed, viewer.go);

    function step() {
      return Math.min(viewer.at(), events.length); // a film may have more frames
    }

    /** @param {number} k @returns {string} */
    function describe(k) {
      const n = Math.min(k, events.length);
      const gone = n && removed.length ? `; ${curve.percent(removed[n - 1])} of the energy is removed` : '';
      return `Step ${n} of ${events.length}: ${n ? events[n - 1].facts : 'nothing is taken off yet'}${gone}`;
    }

    function show() {
      listener.describe(kind === 'event' && step() ? `event ${step()}` : WORDS[kind].toLowerCase(), name());
      save.hidden = !has();
      for (const { each, input, holder } of choices) {
        input.checked = each === kind;
        holder.classList.toggle('heard', each === kind);
      }
      outline(step());
      point(step());
      mark(step(), step() ? Math.max(0, events[step() - 1].alone.start / length) : 0);
    }

    /** There is a sound of the chosen kind at this step. */
    const has = () => kind === 'left' || step() > 0;

    /** The name of that sound, as a file. */
    function name() {
      return { removed: `events-1-to-${step()}`, event: `event-${step()}`, left: `left-after-${step()}` }[kind];
    }

    /** Where to begin, in seconds: an event where it is, all else (undefined) where the last sound was left. */
    function begins() {
      return kind === 'event' ? Math.max(0, events[step() - 1].alone.start / rate) : undefined;
    }

    /** At a step without a sound, the first one that has a sound is played. */
    function play() {
      if (!has()) {
        viewer.go(1);
      }
      const mine = ++plays;
      const rendering = render(() => mine !== plays);
      listener.play(name(), rendering, begins());
    }

    /** @param {() => boolean} [isOld] whether another sound was asked for @returns {Promise<Int16Array>} */
    async function render(isOld) {
      if (kind === 'left') {
        return remainder(step(), isOld);
      }
      if (kind === 'removed') {
        return mix.render(events.slice(0, step()), length, channels);
      }
      const event = events[step() - 1].alone;
      const end = event.start + (await media.samples(event.sound)).length / channels;
      return mix.render([event], Math.min(length, end), channels); // without the silence after it
    }

    /** What is left after n events. @param {number} n @param {() => boolean} [isOld] @returns {Promise<Int16Array>} */
    async function remainder(n, isOld) {
      const layers = events
        .slice(0, n)
        .map(async ({ sound, start }) => ({ samples: await media.samples(sound), start }));
      return subtraction.subtract(await media.samples(original), await Promise.all(layers), isOld, channels);
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
        (samples) => mix.save(mix.toWav(samples, rate, channels), 'audio/wav', file),
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

  /** The published events, in the order found: in the mix and `alone`. @param {HTMLElement} roll */
  function eventsOf(roll) {
    const rate = Number(roll.dataset.rate);
    return mix.read(roll).map(({ address, lead, alone, start, name, facts: { seconds, peak } }) => {
      const [time, lasts, loudest] = [numbers.fixed(start / rate, 2), seconds.toFixed(2), numbers.fixed(peak, 1)];
      const facts = name || `at ${time} s, ${lasts} s long, peak ${loudest} dBFS`;
      const inMix = { sound: address, start: start - lead, gain: mix.UNITY, muted: false };
      return { ...inMix, alone: alone === address ? inMix : { ...inMix, sound: alone, start }, facts };
    });
  }

  /**
   * Below the film's controls: steps to jump to, what to hear, and the deck that plays it.
   * @param {HTMLElement} figure @param {HTMLElement} row of the deck
   * @param {number} count of events
   * @param {{choose: (kind: Kind) => void, toggle: () => void, jump: (step: number) => void, runThrough: () => void,
   *   download: () => void}} reader what readers ask for
   */
  function build(figure, row, count, reader) {
    const kinds = /** @type {Kind[]} */ (Object.keys(WORDS));
    const choices = kinds.map((each) => addChoice(figure.id, each, reader));
    const hear = elements.make('div', { className: 'hear' }, ...choices.map(({ holder }) => holder));
    hear.setAttribute('role', 'radiogroup');
    hear.setAttribute('aria-label', 'What to hear');
    const doubled = Array.from({ length: 32 }, (_, i) => 2 ** i).filter((n) => n < count);
    const jumps = [...doubled, count].map((n) => reel.button(String(n), () => reader.jump(n), `Jump to step ${n}`));
    const run = reel.button(RUN, reader.runThrough);
    const jump = elements.make('div', { className: 'jumps' }, elements.make('span', {}, 'Jump to step'), ...jumps, run);
    const save = elements.button('quiet', 'Save WAV', reader.download);
    elements.find('.left', figure).hidden = true;
    elements.find('.status', figure).after(jump, hear, row, elements.make('p', { className: 'facts' }, save));
    return { choices, run, save };
  }

  /** @param {string} id of the figure @param {Kind} each @param {Parameters<typeof build>[3]} reader */
  function addChoice(id, each, reader) {
    const input = elements.make('input', { type: 'radio', name: `${id}.hear`, autocomplete: 'off' });
    const holder = elements.make(
      'span',
      {},
      elements.make('label', { className: 'choice' }, input, elements.make('span', {}, WORDS[each])),
    );
    input.addEventListener('change', () => reader.choose(each));
    input.addEventListener('keydown', (event) => {
      if (event.key === ' ') {
        event.preventDefault();
        reader.toggle();
      }
    });
    return { each, input, holder };
  }

  return { enhance };
})();
