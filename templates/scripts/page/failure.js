/** Says on the page what went wrong. */
const failure = (() => {
  'use strict';

  /**
   * Say in words what went wrong in an element, or take that back.
   * @param {Element} figure @param {string | null} text @param {Element} [control] that was pressed: words stand below
   */
  function show(figure, text, control) {
    figure.querySelector('.failure')?.remove();
    if (text) {
      const words = elements.make('p', { className: 'failure', textContent: text });
      words.setAttribute('role', 'alert');
      control ? control.after(words) : figure.append(words);
    }
  }

  return { show };
})();
