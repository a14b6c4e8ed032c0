/**
 * The waveform of a sound. It is the slider of its position too, and there a part can be selected, to be looped: by a
 * drag, or by Shift and the keys that seek. Beside it: how times are written, and the button that plays.
 */
const wave = (() => {
  'use strict';

  const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const COLUMNS = 300; // as many as report/media.py makes
  const HIGHEST = 63; // the last letter
  const NEAR = 5; // pixels; a press that moves less is a click
  const SHORTEST = 0.05; // seconds; what is shorter is no selection
  const HINT = 'Drag, or press Shift and an arrow key, to loop a part';
  const PLAY = '<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">' +
    '<path class="when-paused" d="M8 5v14l11-7z"/><path class="when-playing" d="M6.5 5h4v14h-4zm7 0h4v14h-4z"/></svg>';

  /**
   * @typedef {[number, number]} Range seconds
   * @typedef {{seconds: number, peaks: string, label: string, seek: (seconds: number) => void, toggle: () => void,
   *   select: (range: Range | null) => void}} Options `peaks` as report/page.py writes them; the last three answer the
   *   reader: `select` hears of a loop once it is chosen, `seek` and `toggle` must do what they say
   * @typedef {{show: (now: number) => void, setPeaks: (peaks: string, seconds: number) => void,
   *   setRange: (range: Range | null) => void, range: () => Range | null}} Wave setRange does not call `select`
   */

  /**
   * @param {HTMLElement} host an empty element, which becomes the slider; the button that clears a loop comes after it
   * @param {Options} options @returns {Wave}
   */
  function make(host, { seconds, peaks, label, seek, toggle, select }) {
    const { shapes, played, part, clear } = build(host, label);
    let now = 0;
    /** @type {Range | null} where the selection began, and its other end, which keys move */
    let ends = null;

    const within = (/** @type {number} */ time) => Math.max(0, Math.min(seconds, time));
    const share = (/** @type {number} */ time) => (seconds > 0 ? (100 * within(time)) / seconds : 0);
    const range = () => ends && /** @type {Range} */ ([Math.min(...ends), Math.max(...ends)]);

    function describe() {
      const loop = range();
      const text = `${now.toFixed(1)} of ${seconds.toFixed(1)} seconds`;
      host.setAttribute('aria-valuenow', now.toFixed(2));
      host.setAttribute('aria-valuetext', loop ? `${text}, looping ${loop.map(tenths).join(' to ')}` : text);
    }

    /** @param {number} time */
    function show(time) {
      now = within(time);
      played.style.clipPath = `inset(0 ${100 - share(now)}% 0 0)`;
      describe();
    }

    /** @param {Range | null} value */
    function setRange(value) {
      ends = value && Math.abs(within(value[1]) - within(value[0])) >= SHORTEST
        ? [within(value[0]), within(value[1])] : null;
      const loop = range();
      part.hidden = clear.hidden = !loop;
      if (loop) {
        part.style.left = `${share(loop[0])}%`;
        part.style.right = `${100 - share(loop[1])}%`;
        clear.firstChild && (clear.firstChild.textContent = `Loop ${loop.map(tenths).join('–')} s, `);
      }
      describe();
    }

    /** @param {Range | null} value */
    function choose(value) {
      setRange(value);
      select(range());
    }

    /** @param {string} newPeaks @param {number} newSeconds */
    function setPeaks(newPeaks, newSeconds) {
      seconds = newSeconds;
      host.setAttribute('aria-valuemax', seconds.toFixed(2));
      shapes.setAttribute('viewBox', `0 0 ${newPeaks.length / 2} ${2 * HIGHEST}`);
      shapes.querySelectorAll('path').forEach((path) => path.setAttribute('d', outline(newPeaks)));
      show(now);
    }

    listenToPointer(host, {
      click: (at) => {
        if (ends) {
          choose(null);
        }
        seek(within(at * seconds));
      },
      drag: (from, to, done) => (done ? choose : setRange)([from * seconds, to * seconds]),
    });
    listenToKeys(host, {
      /** With Shift, keys move the end of the selection instead of the position. */
      move: (shift, by, to) => {
        const target = within(to ? to(seconds) : (shift && ends ? ends[1] : now) + by * Math.max(0.1, seconds / 20));
        return shift ? choose([ends ? ends[0] : now, target]) : seek(target);
      },
      toggle,
      clear: () => choose(null),
    });
    clear.addEventListener('click', () => {
      choose(null);
      host.focus(); // the button is gone
    });
    setPeaks(peaks, seconds);
    return { show, setPeaks, setRange, range };
  }
