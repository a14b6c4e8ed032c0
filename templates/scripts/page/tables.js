/**
 * Tables as wide as there is room: where a table is too wide it is set smaller, and where that is not enough each row
 * becomes a list of its cells, each with its header.
 */
const tables = (() => {
  'use strict';

  const STAGES = ['compact', 'stacked'];
  const ROLES = {
    'thead, tbody': 'rowgroup',
    tr: 'row',
    'thead th': 'columnheader',
    'tbody th': 'rowheader',
    td: 'cell',
  };
  /** @type {WeakMap<Element, number>} box -> the width, in pixels, that its table was fitted to */
  const widths = new WeakMap();

  /** Fit the table in a box that has another width than before. @param {Element} box */
  function fit(box) {
    const table = box.querySelector(':scope > table');
    if (table && box.checkVisibility() && widths.get(box) !== box.clientWidth) {
      widths.set(box, box.clientWidth);
      box.classList.remove(...STAGES);
      for (const stage of STAGES) {
        if (box.scrollWidth > box.clientWidth) {
          box.classList.remove(...STAGES);
          box.classList.add(stage);
        }
      }
      if (box.classList.contains('stacked')) {
        label(table);
      }
    }
  }

  /** Give cells their headers, and the roles that they lose where they are no table on the screen. @param {Element} table */
  function label(table) {
    const headers = Array.from(table.querySelectorAll('thead :is(th, td)'), ({ textContent }) => textContent || '');
    for (const [selector, role] of Object.entries(ROLES)) {
      table.querySelectorAll(selector).forEach((element) => element.setAttribute('role', role));
    }
    table.setAttribute('role', 'table');
    for (const row of elements.all('tbody tr', table)) {
      Array.from(row.children).forEach((cell, i) => {
        cell.setAttribute('data-label', headers[i] || '');
        cell.classList.toggle('blank', !cell.children.length && !cell.textContent?.trim());
      });
    }
  }

  return { fit };
})();
