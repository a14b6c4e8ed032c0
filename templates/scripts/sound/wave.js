/**
 * The waveform of a sound. It is the slider of its position too, and there a part can be selected, to be looped: by a
 * drag, or by Shift and the keys that seek. Beside it: how times are written, and the button that plays.
 */
const wave = (() => {
  'use strict';

  const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const COLUMNS = 100; // as many as report/artifacts/media.py makes
  const HIGHEST = 63; // what the last letter stands for
  const NEAR = 5; // pixels; a press that moves less is a click
  const SHORTEST = 0.05; // seconds; what is shorter is no selection
  const HINT = 'Drag, or press Shift and an arrow key, to loop a part';
  /** @type {Record<string, number>} how far keys go, in twentieths */
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
  const ICONS =
    '<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">' +
    '<path class="when-paused" d="M8 5v14l11-7z"/><path class="when-playing" d="M6.5 5h4v14h-4zm7 0h4v14h-4z"/></svg>';

  /**
   * @typedef {[number, number]} Range seconds
   * @typedef {{seconds: number, peaks: string, label: string, seek: (seconds: number) => void, toggle: () => void,
   *   select: (range: Range | null) => void}} Options `peaks` as report/article/canvas.py writes them; the last three answer the
   *   reader, `select` when a loop is chosen or cleared
   * @typedef {{show: (now: number) => void, setPeaks: (peaks: string, seconds: number) => void,
   *   setRange: (range: Range | null) => void, range: () => Range | null}} Wave `setRange` does not call `select`
   */

  /**
   * @param {HTMLElement} host an empty element, which becomes the slider; the button for a loop comes after it
   * @param {Options} options @returns {Wave}
   */
  function make(host, { seconds, peaks, label, seek, toggle, select }) {
    const { shapes, played, part, button } = build(host, label);
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
      host.setAttribute('aria-valuetext', loop ? `${text}, looping ${spell(loop, ' to ')}` : text);
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
      button.textContent = loop ? `Loop ${spell(loop, '–')} s ✕` : 'Loop';
      button.setAttribute('aria-label', loop ? `Clear the loop ${spell(loop, '–')} s` : 'Loop a part');
      if (loop) {
        part.style.left = `${percent(loop[0])}%`;
        part.style.right = `${100 - percent(loop[1])}%`;
      }
      describe();
    }

    /** @param {Range | null} value */
    function choose(value) {
      setRange(value);
      select(range());
    }

    /** @param {string} text @param {number} length seconds */
    function setPeaks(text, length) {
      seconds = length;
      host.setAttribute('aria-valuemax', seconds.toFixed(2));
      shapes.setAttribute('viewBox', `0 0 ${text.length / 2} ${2 * HIGHEST}`);
      shapes.querySelectorAll('path').forEach((path) => path.setAttribute('d', bars(text)));
      show(now);
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
    setPeaks(peaks, seconds);
    setRange(null);
    return { show, setPeaks, setRange, range };
  }

  /** @param {HTMLElement} host @param {string} label */
  function build(host, label) {
    host.classList.add('wave');
    host.tabIndex = 0;
    host.title = HINT;
    for (const [name, value] of Object.entries({ role: 'slider', 'aria-label': label, 'aria-valuemin': '0' })) {
      host.setAttribute(name, value);
    }
    host.innerHTML =
      '<svg preserveAspectRatio="none" aria-hidden="true" focusable="false">' +
      '<path class="rest"/><path class="played"/></svg><span class="part" hidden></span>';
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'loop';
    host.after(button);
    return {
      shapes: /** @type {SVGElement} */ (host.firstChild),
      played: /** @type {SVGElement} */ (host.querySelector('.played')),
      part: /** @type {HTMLElement} */ (host.lastChild),
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

  /** @param {string} peaks @returns {string} a path of bars, so that onsets show, never thinner than a line */
  function bars(peaks) {
    const [up, down] = [0, 1].map((side) => (/** @type {string} */ pair) => Math.max(0.7, LETTERS.indexOf(pair[side])));
    const bar = (/** @type {string} */ pair, /** @type {number} */ i) =>
      `M${i} ${HIGHEST - up(pair)}h.8V${HIGHEST + down(pair)}h-.8z`;
    return (peaks.match(/../g) || []).map(bar).join('');
  }

  /** The same letters as report/article/canvas.py writes. @param {Int16Array} samples @returns {string} */
  function peaksOf(samples) {
    const n = Math.min(COLUMNS, samples.length);
    const letter = (/** @type {number} */ level) =>
      LETTERS[Math.round(HIGHEST * Math.sqrt(Math.round((Math.max(0, level) * 127) / 32768) / 127))];
    let text = '';
    for (let i = 0, at = 0; i < n; i++) {
      let low = 32767;
      let high = -32768;
      for (const end = at + Math.floor(samples.length / n) + (i < samples.length % n ? 1 : 0); at < end; at++) {
        low = Math.min(low, samples[at]);
        high = Math.max(high, samples[at]);
      }
      text += letter(high) + letter(-low);
    }
    return text;
  }

  /** @param {Range} range @param {string} dash @returns {string} */
  function spell(range, dash) {
    return range.map((time) => time.toFixed(1)).join(dash);
  }

  /** @param {number} seconds @returns {string} minutes, seconds and tenths */
  function clock(seconds) {
    const tenths = Math.round(seconds * 10);
    return `${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, '0')}`;
  }

  /** A round button; the class `playing` on the element that holds it turns its icon. @param {string} label */
  function playButton(label) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'play';
    button.innerHTML = ICONS;
    button.setAttribute('aria-label', `Play ${label}`);
    return button;
  }

  return { clock, make, peaksOf, playButton };
})();
