/**
 * The waveform of a sound. It is also the slider of the position in it, and a part of it can be selected, to be looped:
 * by a drag, or by Shift and the keys that seek.
 */
const wave = (() => {
  'use strict';

  const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const COLUMNS = 400; // as many as report/artifacts/media.py makes
  const HIGHEST = 63; // the level of the last letter
  const NEAR = 5; // pixels; a press that moves less is a click
  const SHORTEST = 0.05; // seconds of a selection
  const HINT = 'Drag, or press Shift and an arrow key, to loop a part';
  /** @type {Record<string, number>} steps of the keys, in twentieths of the sound */
  const STEPS = {
    ArrowRight: 1,
    ArrowUp: 1,
    ArrowLeft: -1,
    ArrowDown: -1,
    PageUp: 4,
    PageDown: -4,
    Home: -1e9,
    End: 1e9,
  };

  /**
   * @typedef {[number, number]} Range seconds
   * @typedef {{seconds: number, peaks: string, label: string, seek: (seconds: number) => void, toggle: () => void,
   *   select: () => void}} Options `peaks` as report/artifacts/media.py writes them; the last three answer the
   *   reader, `select` when a loop was chosen or cleared
   * @typedef {{show: (now: number) => void, setPeaks: (peaks: string) => void,
   *   setRange: (range: Range | null) => void, range: () => Range | null, into: (time: number) => number}} Wave
   *   `setRange` does not call `select`; `into` is where to play from `time` on: inside the loop
   */

  /**
   * @param {HTMLElement} host an empty element, which becomes the slider; the button for a loop comes after it
   * @param {Options} options @returns {Wave}
   */
  function make(host, { seconds, peaks, label, seek, toggle, select }) {
    const { shapes, played, part, button } = build(host, label, seconds);
    let now = 0;
    /** @type {Range | null} where the selection began, and its other end, which keys move */
    let ends = null;
    /** @type {Range | null} the ends before a drag */
    let before = null;

    const within = (/** @type {number} */ time) => Math.max(0, Math.min(seconds, time));
    const percent = (/** @type {number} */ time) => (seconds > 0 ? (100 * time) / seconds : 0);
    const range = () => ends && /** @type {Range} */ ([Math.min(...ends), Math.max(...ends)]);

    function describe() {
      const loop = range();
      const text = `${now.toFixed(1)} of ${seconds.toFixed(1)} seconds`;
      host.setAttribute('aria-valuenow', now.toFixed(2));
      host.setAttribute('aria-valuetext', loop ? `${text}, looping ${numbers.range(loop, ' to ')}` : text);
    }

    /** @param {number} time */
    function show(time) {
      now = within(time);
      played.style.clipPath = `inset(0 ${100 - percent(now)}% 0 0)`;
      describe();
    }

    /** @param {Range | null} value */
    function setRange(value) {
      ends = value && [within(value[0]), within(value[1])];
      ends = ends && Math.abs(ends[1] - ends[0]) >= SHORTEST ? ends : null;
      const loop = range();
      part.hidden = !loop;
      button.classList.toggle('on', Boolean(loop));
      button.textContent = loop ? `Loop ${numbers.range(loop, '–')} s ✕` : 'Loop';
      button.setAttribute('aria-label', loop ? `Clear the loop ${numbers.range(loop, '–')} s` : 'Loop a part');
      if (loop) {
        part.style.left = `${percent(loop[0])}%`;
        part.style.right = `${100 - percent(loop[1])}%`;
      }
      describe();
    }

    /** @param {number} time @returns {number} */
    function into(time) {
      const loop = range();
      return loop && (time < loop[0] || time >= loop[1]) ? loop[0] : time;
    }

    /** @param {Range | null} value */
    function choose(value) {
      setRange(value);
      select();
    }

    /** @param {string} text */
    function setPeaks(text) {
      shapes.setAttribute('viewBox', `0 0 ${text.length} ${2 * HIGHEST}`);
      shapes.querySelectorAll('path').forEach((path) => path.setAttribute('d', outline(text)));
    }

    listenToPointer(host, (from, to, done) => {
      if (from !== to) {
        (done ? choose : setRange)([from * seconds, to * seconds]);
      } else if (done) {
        if (ends) {
          choose(null);
        }
        seek(within(to * seconds));
      }
    });
    host.addEventListener('pointerdown', () => {
      before = ends;
    });
    host.addEventListener('pointercancel', () => setRange(before)); // it was the page that a finger moved
    host.addEventListener('keydown', (event) => {
      const shift = event.shiftKey;
      const from = shift && ends ? ends[1] : now;
      const target = within(from + STEPS[event.key] * Math.max(0.1, seconds / 20));
      if (event.altKey || event.ctrlKey || event.metaKey) {
        return;
      } else if (event.key in STEPS) {
        shift ? choose([ends ? ends[0] : now, target]) : seek(target);
      } else if (event.key === ' ' || event.key === 'Enter') {
        toggle();
      } else if (event.key === 'Escape' && ends) {
        choose(null);
      } else {
        return;
      }
      event.preventDefault();
    });
    button.addEventListener('click', () => {
      const middle = now || seconds / 2;
      const reach = Math.max(SHORTEST, seconds / 6);
      host.focus(); // where keys change it
      choose(ends ? null : [middle - reach, middle + reach]);
    });
    setPeaks(peaks);
    setRange(null);
    show(0);
    return { show, setPeaks, setRange, range, into };
  }

  /** @param {HTMLElement} host @param {string} label @param {number} seconds */
  function build(host, label, seconds) {
    host.classList.add('wave');
    host.tabIndex = 0;
    host.title = HINT;
    host.setAttribute('role', 'slider');
    host.setAttribute('aria-label', label);
    host.setAttribute('aria-valuemin', '0');
    host.setAttribute('aria-valuemax', seconds.toFixed(2));
    host.innerHTML =
      '<svg preserveAspectRatio="none" aria-hidden="true" focusable="false">' +
      '<path class="rest"/><path class="played"/></svg><span class="part" hidden></span>';
    const button = elements.make('button', { type: 'button', className: 'loop' });
    host.after(button);
    return {
      shapes: elements.find('svg', host),
      played: elements.find('.played', host),
      part: elements.find('.part', host),
      button,
    };
  }

  /**
   * @param {HTMLElement} host
   * @param {(from: number, to: number, done: boolean) => void} answer as shares of the width; equal for a click
   */
  function listenToPointer(host, answer) {
    /** @type {number | null} clientX, while pressed */
    let began = null;
    let drags = false;

    /** @param {PointerEvent} event */
    function tell(event) {
      if (began !== null) {
        const { left, width } = host.getBoundingClientRect();
        const share = (/** @type {number} */ x) => Math.max(0, Math.min(1, (x - left) / width));
        drags = drags || Math.abs(event.clientX - began) >= NEAR;
        answer(share(drags ? began : event.clientX), share(event.clientX), event.type === 'pointerup');
      }
    }

    host.addEventListener('pointerdown', (event) => {
      if (event.isPrimary && event.button === 0) {
        host.setPointerCapture(event.pointerId);
        began = event.clientX;
        drags = false;
      }
    });
    for (const name of /** @type {const} */ (['pointermove', 'pointerup'])) {
      host.addEventListener(name, tell);
    }
    for (const name of ['pointerup', 'pointercancel']) {
      host.addEventListener(name, () => {
        began = null;
      });
    }
  }

  /** @param {string} peaks @returns {string} a path around the levels, as high above as below, never thinner than a line */
  function outline(peaks) {
    const levels = Array.from(peaks, (letter) => Math.max(0.7, LETTERS.indexOf(letter)));
    const above = levels.map((level, i) => `L${i} ${HIGHEST - level}h1`);
    const below = levels.map((level, i) => `L${i + 1} ${HIGHEST + level}h-1`).reverse();
    return `M0 ${HIGHEST}${above.join('')}${below.join('')}z`;
  }

  /**
   * The same letters as report/artifacts/media.py writes.
   * @param {Int16Array} samples @param {number} [channels] @returns {string}
   */
  function peaksOf(samples, channels = 1) {
    const length = samples.length / channels;
    const n = Math.min(COLUMNS, length);
    let text = '';
    for (let i = 0, at = 0; i < n; i++) {
      let most = 0;
      const size = Math.floor(length / n) + (i < length % n ? 1 : 0);
      for (const end = at + size * channels; at < end; at++) {
        most = Math.max(most, Math.abs(samples[at]));
      }
      text += LETTERS[Math.floor((HIGHEST * most + 16384) / 32768)];
    }
    return text;
  }

  return { make, peaksOf };
})();
