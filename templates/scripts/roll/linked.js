/** The table and the picture of vectors of an event roll: pressing a row there selects the event in all of them. */
const linked = (() => {
  'use strict';

  const ROW = 12; // pixels, at most, that an event has in the picture of vectors

  /**
   * @param {HTMLElement} figure
   * @param {{select: (i: number) => void, play: (i: number) => void}} reader
   */
  function make(figure, { select, play }) {
    const rows = tableRows(figure);
    const highlight = addHighlight(figure, rows.length, select);
    rows.forEach((row, i) => {
      row.addEventListener('click', (event) => {
        select(i);
        const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey; // a new tab, or a file
        if (/** @type {Element} */ (event.target).closest('a') && !elsewhere) {
          event.preventDefault();
          play(i);
        }
      });
    });
    return {
      /** @param {number} i */
      select(i) {
        highlight(i);
        rows.forEach((row, k) => {
          row.classList.toggle('selected', k === i);
          row.ariaCurrent = k === i ? 'true' : null;
        });
      },
      /** @param {number} i @param {number} start seconds @param {SoundFacts} facts */
      show(i, start, { seconds, peak }) {
        [signed(start), seconds.toFixed(2), level(peak)].forEach((text, k) => {
          rows[i].cells[k + 1].textContent = text;
        });
      },
    };
  }

  /** The rows of the events, in the order found. @param {HTMLElement} figure */
  function tableRows(figure) {
    return /** @type {HTMLTableRowElement[]} */ (Array.from(figure.querySelectorAll('tr[data-start]')));
  }

  /**
   * What the table says of the published events. @param {HTMLElement} figure @returns {EventRow[]}
   */
  function read(figure) {
    return tableRows(figure).map((row) => {
      const [seconds, peak] = [2, 3].map((k) => Number((row.cells[k].textContent || '').replace('−', '-')));
      return {
        address: row.querySelector('a')?.getAttribute('href') || '',
        start: Number(row.dataset.start),
        facts: { seconds, peak: Number.isNaN(peak) ? -Infinity : peak },
      };
    });
  }

  /**
   * @param {HTMLElement} figure @param {number} count of events @param {(i: number) => void} select
   * @returns {(i: number) => void} what highlights the row of an event
   */
  function addHighlight(figure, count, select) {
    const picture = figure.querySelector('.vectors div');
    if (!(picture instanceof HTMLElement)) {
      return () => {};
    }
    const band = document.createElement('span');
    band.hidden = true;
    picture.append(band);
    /** @type {HTMLElement} */ (picture.firstElementChild).style.maxHeight = `${ROW * count}px`;
    picture.addEventListener('click', (event) => {
      const { top, height } = /** @type {Element} */ (picture.firstElementChild).getBoundingClientRect();
      select(Math.max(0, Math.min(count - 1, Math.floor(((event.clientY - top) / height) * count))));
    });
    return (i) => {
      band.hidden = false;
      band.style.top = `${(100 * i) / count}%`;
      band.style.height = `${100 / count}%`;
    };
  }

  /** @param {number} peak dBFS @returns {string} */
  const level = (peak) => (Number.isFinite(peak) ? peak.toFixed(1).replace('-', '−') : '−∞');
  /** @param {number} seconds before or after the roll's beginning @returns {string} */
  const signed = (seconds) => seconds.toFixed(2).replace('-', '−');

  return { level, make, read, signed };
})();
