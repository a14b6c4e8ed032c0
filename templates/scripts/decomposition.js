/**
 * Decompositions: a film of the residuals that can be heard. At step k it plays the events up to k, which are summed
 * here, event k alone, or what is left after the last step up to k for which that is stored.
 */
(() => {
  'use strict';

  /** @typedef {'removed' | 'event' | 'left'} Kind what can be heard at a step */

  /** @param {HTMLElement} figure @param {HTMLElement} roll the figure of its events */
  function enhance(figure, roll) {
    const frame = /** @type {HTMLElement} */ (figure.querySelector('.frame'));
    const [rate, length] = [Number(roll.dataset.rate), Number(roll.dataset.length)];
    const events = eventsOf(roll);
    const left = leftOf(figure);
    /** @type {Kind} what is heard, or was last */
    let kind = 'removed';
    let heard = ''; // which sound of that kind
    const viewer = film.make(frame, { unit: 'step', first: 0, describe, onframe });
    const { sounds, jumps, save, ...parts } = build(figure, frame, Array.from(left.keys()));
    const listener = deck.make(parts, {
      rate,
      length,
      changed: describeSounds,
      again: () => play(),
      complain: (words) => player.complain(figure, words),
    });

    function step() {
      return Math.min(viewer.at(), events.length);
    }

    /** After how many events there is a stored sound of what is left, up to this step; -1 if there is none. */
    function stored() {
      return Math.max(-1, ...Array.from(left.keys()).filter((n) => n <= step()));
    }

    /** @param {number} k @returns {string} */
    function describe(k) {
      const n = Math.min(k, events.length); // a film may have more frames
      const event = events[n - 1];
      const told = event ? `event at ${(event.start / rate).toFixed(2)} s` : 'nothing is taken off yet';
      return `Step ${n} of ${events.length}: ${told}`;
    }

    function describeSounds() {
      save.disabled = !has(kind);
      const rest = stored() < 0 ? 'Left' : `Left after ${stored()}`;
      const texts = { removed: 'Taken off', event: step() ? `Event ${step()}` : 'Event', left: rest };
      for (const { each, button } of sounds) {
        const plays = each === kind && listener.playing();
        button.disabled = !has(each);
        button.classList.toggle('playing', plays);
        button.setAttribute('aria-label', `${plays ? 'Stop' : 'Play'}: ${texts[each]}`);
        /** @type {Element} */ (button.lastElementChild).textContent = texts[each];
      }
    }

    /** @param {Kind} each whether it can be heard at this step */
    function has(each) {
      return each === 'left' ? stored() >= 0 : step() > 0;
    }

    /** @param {number} k @param {boolean} moving whether the film brought this step, not the reader */
    function onframe(k, moving) {
      describeSounds();
      if (k > 0 && !moving) {
        roll.dispatchEvent(new CustomEvent('select', { detail: { index: step() - 1 } }));
      }
      if (listener.playing() && !has(kind)) {
        listener.stop();
      } else if (listener.playing() && heard !== name()) {
        play(begins());
      }
    }

    /** What the sound that can be heard now is called as a file. */
    function name() {
      return { removed: `events-1-to-${step()}`, event: `event-${step()}`, left: `left-after-${stored()}` }[kind];
    }

    /** Where to begin, in seconds: an event where it is, all else where the last one was left. */
    function begins() {
      return kind === 'event' ? Math.max(0, events[step() - 1].start / rate) : undefined;
    }

    /** @param {number} [from] seconds */
    function play(from) {
      if (has(kind)) {
        heard = name();
        listener.play(render(), from);
      }
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

    for (const { each, button } of sounds) {
      button.addEventListener('click', () => {
        const stops = each === kind && listener.playing();
        kind = each;
        if (stops) {
          listener.stop();
        } else {
          play(begins());
        }
      });
    }
    for (const button of jumps) {
      button.addEventListener('click', () => viewer.go(Number(button.textContent)));
    }
    save.addEventListener('click', () => {
      const file = `${name()}.wav`;
      render().then(
        (samples) => mix.save(mix.toWav(samples, rate), 'audio/wav', file),
        (error) => player.complain(figure, error.message),
      );
    });
    links.add(figure, {
      state: () => ({ step: String(step()), ...listener.state() }),
      restore(state) {
        listener.stop();
        viewer.show(Number.parseInt(state.step, 10) || 0);
        listener.restore(state);
        describeSounds();
      },
      source: () => roll.dataset.mixSrc || '',
    });
    describeSounds();
  }

  /** The published events, in the order found. @param {HTMLElement} roll */
  function eventsOf(roll) {
    const rows = /** @type {NodeListOf<HTMLElement>} */ (roll.querySelectorAll('tr[data-start]'));
    return Array.from(rows, (row) => ({
      sound: row.querySelector('a')?.getAttribute('href') || '',
      start: Number(row.dataset.start),
      gain: mix.UNITY,
      muted: false,
    }));
  }

  /** Addresses of what is left, by the number of events taken off. @param {HTMLElement} figure */
  function leftOf(figure) {
    const items = /** @type {NodeListOf<HTMLElement>} */ (figure.querySelectorAll('[data-events]'));
    return new Map(
      Array.from(items, (item) => [
        Number(item.dataset.events),
        item.querySelector('audio')?.getAttribute('src') || '',
      ]),
    );
  }

  /**
   * The waveform between the picture and the film's controls; below them what can be heard.
   * @param {HTMLElement} figure @param {HTMLElement} frame @param {number[]} stored steps after which the rest is there
   */
  function build(figure, frame, stored) {
    const [host, hear, jump, label, facts] = ['div', 'div', 'div', 'span', 'p'].map((tag) =>
      document.createElement(tag),
    );
    const clock = document.createElement('span');
    const sounds = /** @type {Kind[]} */ (['removed', 'event', 'left']).map((each) => {
      const button = wave.playButton('');
      button.append(document.createElement('span'));
      return { each, button };
    });
    const jumps = stored.map((n) => addButton(String(n), `Step ${n}`));
    const save = addButton('Save WAV', '');
    save.className = 'quiet';
    clock.className = 'time';
    hear.className = 'hear';
    jump.className = 'jumps';
    facts.className = 'facts';
    hear.append(...sounds.map(({ button }) => button));
    label.textContent = 'What is left is stored after step';
    jump.append(label, ...jumps);
    hear.setAttribute('role', 'group');
    hear.setAttribute('aria-label', 'Hear at this step');
    facts.append(clock, save);
    /** @type {HTMLElement} */ (figure.querySelector('.left')).hidden = true;
    figure.querySelector('.status')?.after(hear, jump, facts);
    frame.after(host);
    return { picture: frame, host, clock, sounds, jumps, save };
  }

  /** @param {string} text @param {string} label @returns {HTMLButtonElement} */
  function addButton(text, label) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = text;
    if (label) {
      button.setAttribute('aria-label', label);
    }
    return button;
  }

  for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.decomposition'))) {
    const roll = document.getElementById(figure.dataset.roll || '');
    if (roll) {
      enhance(figure, roll);
    } else {
      film.make(/** @type {HTMLElement} */ (figure.querySelector('.frame')), {});
    }
  }
})();
