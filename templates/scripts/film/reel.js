/**
 * A reel shows any frame of a film, where its poster stands. All frames are one picture, a sheet, which is fetched at
 * the first press.
 */
const reel = (() => {
  'use strict';

  /**
   * @typedef {{unit?: string, first?: number, describe?: (k: number) => string, toggle?: () => void,
   *   onframe?: (k: number, running: boolean) => void, onrun?: (running: boolean) => void}} Options `unit` is a word for
   *   a frame and `first` the number of the first one; `describe` tells of frame k, counted from 0; `toggle` answers Space
   *   and Enter on the slider, by default the film runs or holds; `onframe` hears of each frame that is shown, and whether
   *   the film brought it or the reader; `onrun` hears when it begins to run and when that ends
   * @typedef {{controls: HTMLElement, show: (k: number) => void, go: (k: number) => void, run: (from: number) => void,
   *   stop: () => void, toggle: () => void, running: () => boolean, at: () => number}} Reel `go` is a reader's move
   */

  /**
   * @param {HTMLElement} frame with the poster, followed by the link to the sheet
   * @param {Options} options @returns {Reel}
   */
  function make(frame, { unit = 'frame', first = 1, describe, toggle, onframe, onrun }) {
    const { frames, seconds, title = '' } = frame.dataset;
    const last = Number(frames) - 1;
    const { bar, slider, status } = build(frame, unit, last, (step) => go(at + step));
    const canvas = screen(frame, bar);
    let at = 0;
    let running = false;
    let turn = 0; // counts the runs: one that was stopped brings no more frames

    function name() {
      return `${unit[0].toUpperCase()}${unit.slice(1)} ${at + first} of ${last + first}`;
    }

    /** @param {number} k */
    function show(k) {
      at = Math.max(0, Math.min(last, k));
      tell();
      canvas.draw(at, `${title}. ${name()}`);
    }

    function tell() {
      slider.value = String(at);
      status.textContent = describe?.(at) || name();
      slider.setAttribute('aria-valuetext', status.textContent);
    }

    /** @param {number} k the frame that the reader asks for */
    function go(k) {
      stop();
      show(k);
      onframe?.(at, false);
    }

    /** @param {boolean} value */
    function setRunning(value) {
      turn++;
      running = value;
      onrun?.(value);
    }

    function stop() {
      if (running) {
        setRunning(false);
      }
    }

    function runOrHold() {
      running ? stop() : run(at === last ? 0 : at);
    }

    /** @param {number} k the frame that the film brings */
    function bring(k) {
      show(k);
      onframe?.(at, true);
    }

    /** @param {number} from the frame with which it begins */
    async function run(from) {
      setRunning(true);
      const mine = turn;
      bring(from);
      const ready = await canvas.ready();
      const began = performance.now();
      const rate = Number(frames) / Number(seconds) / 1000;
      /** @param {number} now */
      const tick = (now) => {
        const k = Math.min(last, from + Math.floor(Math.max(0, now - began) * rate));
        if (mine !== turn) {
          return;
        }
        if (k !== at) {
          bring(k);
        }
        k < last ? requestAnimationFrame(tick) : stop();
      };
      ready ? tick(began) : mine === turn && stop();
    }

    slider.addEventListener('input', () => go(Number(slider.value)));
    slider.addEventListener('keydown', (event) => {
      if (event.key === ' ' || event.key === 'Enter') {
        event.preventDefault();
        (toggle || runOrHold)();
      }
    });
    tell();
    return { controls: bar, show, go, run, stop, toggle: runOrHold, running: () => running, at: () => at };
  }

  /**
   * The canvas that takes the poster's place when its sheet is there.
   * @param {HTMLElement} frame @param {HTMLElement} bar where a failure is told
   */
  function screen(frame, bar) {
    const columns = Number(frame.dataset.columns);
    const rows = Math.ceil(Number(frame.dataset.frames) / columns);
    const canvas = elements.make('canvas');
    canvas.setAttribute('role', 'img');
    /** @type {Promise<HTMLImageElement> | null} */
    let sheet = null;
    let wanted = 0;

    async function ready() {
      try {
        sheet = sheet || load(frame.dataset.sheetSrc || '');
        const { naturalWidth, naturalHeight } = await sheet;
        if (!canvas.isConnected) {
          canvas.width = naturalWidth / columns;
          canvas.height = naturalHeight / rows;
          elements.find('img', frame).replaceWith(canvas);
        }
        failure.show(bar, null);
        return true;
      } catch {
        sheet = null; // it may be asked for again
        failure.show(bar, 'These pictures can not be loaded. Press again to try again.');
        return false;
      }
    }

    /** @param {number} k @param {string} words */
    async function draw(k, words) {
      wanted = k;
      if ((await ready()) && wanted === k && sheet) {
        const { width, height } = canvas;
        const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
        const [x, y] = [(k % columns) * width, Math.floor(k / columns) * height];
        context.drawImage(await sheet, x, y, width, height, 0, 0, width, height);
        canvas.setAttribute('aria-label', words);
      }
    }

    return { draw, ready };
  }

  /** @param {string} address @returns {Promise<HTMLImageElement>} */
  async function load(address) {
    const image = elements.make('img', { src: address });
    await image.decode();
    return image;
  }

  /**
   * The buttons and the slider, in the place of the link that stands there without scripts.
   * @param {HTMLElement} frame @param {string} unit @param {number} last @param {(by: number) => void} step
   */
  function build(frame, unit, last, step) {
    const slider = elements.make('input', { type: 'range', min: '0', max: String(last), step: '1', value: '0' });
    const status = elements.make('p', { className: 'status' });
    const previous = button('‹', () => step(-1), `Previous ${unit}`);
    const next = button('›', () => step(1), `Next ${unit}`);
    const bar = elements.make('div', { className: 'reel' }, previous, slider, next);
    slider.setAttribute('aria-label', `${unit === 'step' ? 'Step' : 'Frame'} of ${frame.dataset.title}`);
    frame.nextElementSibling?.replaceWith(bar, status);
    return { bar, slider, status };
  }

  /**
   * A line with a number, where the event of a frame begins.
   * @param {HTMLElement} frame @returns {(n: number, share: number) => void} moves it; number 0 hides it
   */
  function addMark(frame) {
    const line = elements.make('span', { className: 'onset' });
    frame.append(line);
    return (n, share) => {
      const end = share > 0.9; // its number would stick out
      line.hidden = n === 0;
      line.textContent = String(n);
      line.classList.toggle('end', end);
      line.style.left = end ? '' : `${100 * share}%`;
      line.style.right = end ? `${100 - 100 * share}%` : '';
    };
  }

  /** An outlined button. @param {string} text @param {() => void} press @param {string} [name] for those who hear it */
  function button(text, press, name) {
    const element = elements.button('step', text, press);
    name && element.setAttribute('aria-label', name);
    return element;
  }

  return { addMark, button, make };
})();
