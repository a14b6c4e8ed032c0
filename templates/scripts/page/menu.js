/**
 * The menu of a sound: how loud and how fast the page plays, and what can be done with this one. It opens over what is
 * below, and closes on Escape, on a press elsewhere, and when Tab leaves it.
 */
const menu = (() => {
  'use strict';

  /** @param {string} title of the sound @param {HTMLElement[]} buttons @returns {HTMLDetailsElement} */
  function make(title, buttons) {
    const summary = elements.make('summary', {}, 'More');
    summary.setAttribute('aria-label', `More for ${title}`);
    const presses = elements.make('div', { className: 'presses' }, ...buttons);
    const sheet = elements.make('div', { className: 'sheet' }, presses);
    const details = elements.make('details', { className: 'menu' }, summary, sheet);
    // Not before: browsers look at every field of a page when it is loaded, also at those that are not shown.
    details.addEventListener('toggle', () => sheet.prepend(volume(), speed()), { once: true });
    details.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && details.open) {
        event.stopPropagation();
        details.open = false;
        summary.focus();
      }
    });
    details.addEventListener('focusout', () =>
      setTimeout(() => {
        const now = document.activeElement; // a button that copies takes the focus away, and back
        details.open = details.open && (now === document.body || details.contains(now));
      }),
    );
    return details;
  }

  /** @returns {HTMLElement} */
  function volume() {
    const input = elements.make('input', { type: 'range', min: '0', max: '100', step: '5', autocomplete: 'off' });
    const value = elements.make('output');
    input.addEventListener('input', () => settings.set('volume', (Number(input.value) / 100) ** 2)); // as ears have it
    settings.follow('volume', () => {
      input.value = String(Math.round(100 * Math.sqrt(settings.volume())));
      value.textContent = `${input.value} %`;
      input.setAttribute('aria-valuetext', value.textContent);
    });
    return elements.make('label', {}, 'Volume', input, value);
  }

  /** @returns {HTMLElement} */
  function speed() {
    const options = settings.SPEEDS.map((value) => new Option(`${value} ×`, String(value)));
    const select = elements.make('select', { autocomplete: 'off' }, ...options);
    select.addEventListener('change', () => settings.set('speed', Number(select.value)));
    settings.follow('speed', () => {
      select.value = String(settings.speed());
    });
    return elements.make('label', {}, 'Speed', select, elements.make('span', {}, 'at the same pitch'));
  }

  document.addEventListener('pointerdown', (event) => {
    for (const open of document.querySelectorAll('.menu[open]')) {
      open.contains(/** @type {Node} */ (event.target)) || open.removeAttribute('open');
    }
  });

  return { make };
})();
