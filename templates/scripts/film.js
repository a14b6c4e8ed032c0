/**
 * Films: a poster becomes a viewer in which any frame can be shown. All frames are one picture, a sheet, which is
 * fetched at the first press.
 */
const film = (() => {
  'use strict';

  /**
   * @typedef {{unit?: string, first?: number, describe?: (k: number) => string,
   *   onframe?: (k: number, playing: boolean) => void}} Options `unit` is what a frame is called and `first` the number
   *   of the first one; `describe` tells of frame k, counted from 0; `onframe` hears of each that comes to be shown,
   *   and whether the film brought it or the reader
   * @typedef {{show: (k: number) => void, go: (k: number) => void, at: () => number}} Film `go` is a reader's move
   */

  /** @param {HTMLElement} frame with the poster, followed by the link to the sheet @param {Options} options @returns {Film} */
  function make(frame, { unit = 'frame', first = 1, describe = () => '', onframe = () => {} }) {
    const { frames, seconds, title = '' } = frame.dataset;
    const last = Number(frames) - 1;
    const { controls, play, slider, status, previous, next } = build(frame, unit, last);
    const canvas = screen(frame);
    let at = 0;
    let playing = false;

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
      status.textContent = describe(at) || name();
      slider.setAttribute('aria-valuetext', status.textContent);
    }

    /** @param {number} k where the reader wants to be */
    function go(k) {
      setPlaying(false);
      show(k);
      onframe(at, false);
    }

    /** @param {boolean} value */
    function setPlaying(value) {
      playing = value;
      controls.classList.toggle('playing', value);
      play.setAttribute('aria-label', value ? 'Pause the film' : 'Play the film');
    }

    async function toggle() {
      setPlaying(!playing);
      const start = at === last ? 0 : at;
      if (playing && (await canvas.ready())) {
        run(start);
      } else {
        setPlaying(false);
      }
    }

    /** @param {number} start */
    function run(start) {
      const began = performance.now();
      const rate = Number(frames) / Number(seconds) / 1000;
      /** @param {number} now */
      const tick = (now) => {
        const k = Math.min(last, start + Math.floor(Math.max(0, now - began) * rate));
        if (playing && k !== at) {
          show(k);
          onframe(at, true);
        }
        if (playing && k < last) {
          requestAnimationFrame(tick);
        } else {
          setPlaying(false);
        }
      };
      requestAnimationFrame(tick);
    }

    play.addEventListener('click', toggle);
    previous.addEventListener('click', () => go(at - 1));
    next.addEventListener('click', () => go(at + 1));
    slider.addEventListener('input', () => go(Number(slider.value)));
    slider.addEventListener('keydown', (event) => {
      if (event.key === ' ' || event.key === 'Enter') {
        event.preventDefault();
        toggle();
      }
    });
    setPlaying(false);
    tell();
    return { show, go, at: () => at };
  }

  /**
   * The canvas that takes the poster's place when its sheet is there.
   * @param {HTMLElement} frame
   */
  function screen(frame) {
    const columns = Number(frame.dataset.columns);
    const rows = Math.ceil(Number(frame.dataset.frames) / columns);
    const canvas = document.createElement('canvas');
    canvas.setAttribute('role', 'img');
    /** @type {Promise<HTMLImageElement> | null} */
    let sheet = null;
    let wanted = 0;

    async function ready() {
      const figure = /** @type {HTMLElement} */ (frame.closest('figure'));
      try {
        sheet = sheet || load(frame.dataset.sheetSrc || '');
        const { naturalWidth, naturalHeight } = await sheet;
        if (!canvas.isConnected) {
          canvas.width = naturalWidth / columns;
          canvas.height = naturalHeight / rows;
          /** @type {HTMLElement} */ (frame.querySelector('img')).replaceWith(canvas);
        }
        player.complain(figure, null);
        return true;
      } catch (error) {
        sheet = null; // it may be asked for again
        player.complain(figure, /** @type {Error} */ (error).message);
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
  function load(address) {
    const image = new Image();
    image.src = address;
    return image.decode().then(
      () => image,
      () => {
        throw new Error(`The film can not be shown: ${address} is missing or damaged.`);
      },
    );
  }

  /**
   * The buttons and the slider, in the place of the link that stands there without scripts.
   * @param {HTMLElement} frame @param {string} unit @param {number} last
   */
  function build(frame, unit, last) {
    const controls = document.createElement('div');
    const play = wave.playButton('the film');
    const slider = document.createElement('input');
    const status = document.createElement('p');
    const [previous, next] = [button('‹', `Previous ${unit}`), button('›', `Next ${unit}`)];
    controls.className = 'reel';
    Object.assign(slider, { type: 'range', min: '0', max: String(last), step: '1', value: '0' });
    slider.setAttribute('aria-label', `${unit === 'step' ? 'Step' : 'Frame'} of ${frame.dataset.title}`);
    status.className = 'status';
    controls.append(play, previous, slider, next);
    frame.nextElementSibling?.replaceWith(controls, status);
    return { controls, play, slider, status, previous, next };
  }

  /** @param {string} text @param {string} label */
  function button(text, label) {
    const element = document.createElement('button');
    element.type = 'button';
    element.className = 'step';
    element.textContent = text;
    element.setAttribute('aria-label', label);
    return element;
  }

  for (const frame of /** @type {NodeListOf<HTMLElement>} */ (
    document.querySelectorAll('.film:not(.decomposition) .frame')
  )) {
    make(frame, {});
  }

  return { make };
})();
