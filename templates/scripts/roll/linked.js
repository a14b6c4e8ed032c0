/** The table and the picture of vectors of an event roll: pressing a row there selects the event in all of them. */
const linked = (() => {
  'use strict';

  const ROW = 12; // pixels, at most, that an event has in the picture of vectors

  /**
   * @param {HTMLElement} figure
   * @param {{select: (i: number) => void, go: (i: number) => void, play: (i: number) => void}} reader `go` selects and
   *   takes the keys to the plot
   */
  function make(figure, { select, go, play }) {
    const rows = mix.rows(figure);
    const picture = /** @type {HTMLElement | null} */ (figure.querySelector('.vectors div'));
    const highlight = picture ? addHighlight(picture, rows.length, go) : () => {};
    const paint = picture ? addRows(picture, rows.length) : () => {};
    rows.forEach((row, i) => {
      const link = elements.find('a', row);
      row.addEventListener('click', (event) => {
        select(i);
        link.focus({ preventScroll: true }); // keys go on from here
        const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey; // a new tab, or a file
        if (/** @type {Element} */ (event.target).closest('a') && !elsewhere) {
          event.preventDefault();
          play(i);
        }
      });
    });
    return {
      /** Show the vector of another sound. @param {number} i @param {string | number | null} row as in a `Look` */
      paint,
      /** @param {number} i */
      select(i) {
        highlight(i);
        rows.forEach((row, k) => {
          row.classList.toggle('selected', k === i);
          row.ariaCurrent = k === i ? 'true' : null;
        });
      },
      /** @param {number} i @param {number} start seconds @param {SoundFacts} facts @param {string} value on the scale */
      show(i, start, { seconds, peak }, value) {
        const facts = [numbers.fixed(start, 2), numbers.fixed(seconds, 2), numbers.fixed(peak, 1)];
        const texts = value ? [...facts, value] : facts;
        texts.forEach((text, k) => {
          rows[i].cells[k + 1].textContent = text;
        });
      },
    };
  }

  /**
   * @param {HTMLElement} picture @param {number} count of events @param {(i: number) => void} select
   * @returns {(i: number) => void} highlights the row of an event
   */
  function addHighlight(picture, count, select) {
    const image = elements.find('img', picture);
    const band = elements.make('span', { hidden: true });
    picture.append(band);
    image.style.maxHeight = `${ROW * count}px`;
    picture.addEventListener('click', (event) => {
      const { top, height } = image.getBoundingClientRect();
      const row = Math.floor(((event.clientY - top) / height) * count);
      select(Math.max(0, Math.min(count - 1, row)));
    });
    return (i) => {
      band.hidden = false;
      band.style.top = `${(100 * i) / count}%`;
      band.style.height = `${100 / count}%`;
    };
  }

  /**
   * Over the picture of vectors lies another, which is clear where events have their published sounds.
   * @param {HTMLElement} picture @param {number} count of events
   * @returns {(i: number, row: string | number | null) => void}
   */
  function addRows(picture, count) {
    const image = /** @type {HTMLImageElement} */ (picture.querySelector('img'));
    const [width, height] = ['width', 'height'].map((name) => Number(image.getAttribute(name)));
    const canvas = elements.make('canvas', { width, height: count, ariaHidden: 'true' });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    image.after(canvas);
    return (i, row) => {
      context.clearRect(0, i, width, 1);
      if (typeof row === 'number') {
        context.drawImage(image, 0, (row * height) / count, width, height / count, 0, i, width, 1);
      } else if (row) {
        atob(row)
          .match(/[\s\S]{3}/g)
          ?.forEach((pixel, x) => {
            context.fillStyle = `rgb(${Array.from(pixel, (byte) => byte.charCodeAt(0))})`;
            context.fillRect(x, i, 1, 1);
          });
      }
    };
  }

  return { make };
})();
