/**
 * The height of a roll's marks: on a scale that readers know, such as pitch, or by likeness. A roll without a scale has
 * only the latter, and nothing to choose.
 */
const scales = (() => {
  'use strict';

  /**
   * @param {HTMLElement} figure @param {() => void} changed
   */
  function make(figure, changed) {
    const { scale = '', axis = '', lane = '0' } = figure.dataset;
    const base = Number(lane); // share of the plot's height below the scale
    const field = elements.find('.field', figure);
    const select = elements.make('select', { ariaLabel: 'Height', autocomplete: 'off' });
    let chosen = Boolean(scale);

    /** @param {boolean} value whether the scale is shown */
    function choose(value) {
      if (scale && value !== chosen) {
        chosen = value;
        select.selectedIndex = value ? 0 : 1;
        field.classList.toggle('scaled', value);
        changed();
      }
    }

    if (scale) {
      select.append(new Option(scale), new Option(axis));
      select.addEventListener('change', () => choose(select.selectedIndex === 0));
      elements.find('.axis span', figure).replaceChildren(elements.make('label', {}, '↑ ', select));
    }
    return {
      choose,
      /** @returns {boolean} whether the scale is shown, or there is none */
      chosen: () => chosen || !scale,
      /** @param {{y: number, height?: number | null}} look @returns {number} its place, as a share of the plot's height */
      place({ y, height }) {
        if (!chosen || height === undefined) {
          return y;
        }
        return height === null ? base / 2 : base + (1 - base) * height;
      },
    };
  }

  return { make };
})();
