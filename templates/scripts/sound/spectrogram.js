/** Pictures along a sound: a line that runs over them, and the marks of their axes. */
const spectrogram = (() => {
  'use strict';

  const FOOT = 0.12; // share of the height in which the times are written

  /** The shares of its width between which the sound runs. @param {HTMLElement} picture @returns {number[]} */
  const plotOf = (picture) => (picture.dataset.plot || '0 1').split(' ').map(Number);

  /**
   * Draw the axes and a line where the sound plays; a press on the picture seeks. The waveform, a slider, does the same
   * for those who can not point.
   * @param {HTMLElement} picture of the macro `along`
   * @param {() => HTMLElement} keys is where keys go after a press
   * @param {(share: number) => void} seek gets the share of the sound
   * @returns {(share: number | null) => void} moves the line; null hides it
   */
  function addCursor(picture, keys, seek) {
    const [left, right] = plotOf(picture);
    const line = elements.make('span', { className: 'cursor', hidden: true });
    picture.append(line);
    drawAxes(picture);
    picture.classList.add('seeks');
    picture.addEventListener('click', (event) => {
      const box = picture.getBoundingClientRect();
      const share = ((event.clientX - box.left) / box.width - left) / (right - left);
      keys().focus({ preventScroll: true });
      seek(Math.max(0, Math.min(1, share)));
    });
    return (share) => {
      line.hidden = share === null;
      line.style.left = `${100 * (left + (right - left) * (share || 0))}%`;
    };
  }

  /**
   * Draw the marks of a picture's axes, if it has any. Those of the height leave the line of the times free.
   * @param {HTMLElement} picture
   */
  function drawAxes(picture) {
    const { up = '', across = '' } = picture.dataset;
    if (!up && !across) {
      return;
    }
    const svg = elements.draw('svg', { 'aria-hidden': 'true' });
    const write = (/** @type {string} */ text, /** @type {Record<string, string>} */ place) => {
      const label = elements.draw('text', place);
      label.textContent = text;
      svg.append(label);
    };
    for (const [share, text] of marks(up).filter(([share]) => share > FOOT)) {
      write(text, { x: '6', y: `${100 - 100 * share}%`, dy: '4' });
    }
    for (const [share, text] of marks(across)) {
      write(text, { x: `${100 * share}%`, y: '100%', dy: '-6', 'text-anchor': 'middle' });
    }
    picture.append(svg);
  }

  /** @param {string} list such as "0.25 1 kHz|0.5 2 kHz" @returns {[number, string][]} */
  function marks(list) {
    return Array.from(list.matchAll(/([\d.e-]+) ([^|]+)/g), ([, share, text]) => [Number(share), text]);
  }

  return { addCursor, drawAxes, plotOf };
})();
