/** One answer of a few: radio buttons that digits choose too. */
const choices = (() => {
  'use strict';

  /** @typedef {{text: string, key: string}} Option a key of the keyboard chooses it */

  /** @param {string} question @param {Option[]} options @param {() => void} changed */
  function make(question, options, changed) {
    const inputs = options.map(() => elements.make('input', { type: 'radio', name: 'answer', autocomplete: 'off' }));
    const labels = options.map(({ text, key }, i) => {
      const shown = elements.make('kbd', {}, key);
      shown.ariaHidden = 'true';
      return elements.make('label', {}, inputs[i], shown, elements.make('span', {}, text));
    });
    inputs.forEach((input) => input.addEventListener('change', changed));
    const legend = elements.make('legend', {}, question);
    return {
      element: elements.make('fieldset', { className: 'choices' }, legend, ...labels),
      focus: () => inputs[0].focus(),
      /** Answer a key. @param {string} key @returns {boolean} whether it chose something */
      press(key) {
        const i = options.findIndex((option) => option.key === key);
        if (i >= 0) {
          inputs[i].checked = true;
          inputs[i].focus();
          changed();
        }
        return i >= 0;
      },
      /** @returns {number} index of the answer, −1 if there is none */
      value: () => inputs.findIndex((input) => input.checked),
    };
  }

  return { make };
})();
