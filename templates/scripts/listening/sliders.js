/** Ratings on a scale of many numbers, a slider for each sound, below the words of the scale. */
const sliders = (() => {
  'use strict';

  const MOVES = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End', 'PageUp', 'PageDown'];

  /** @typedef {{least: number, most: number, words: string[]}} Scale */

  /** @param {Scale} scale @param {number} value @returns {string} the word for a number */
  function word({ least, most, words }, value) {
    const up = Math.floor(((value - least) / (most - least)) * words.length);
    return words[words.length - 1 - Math.min(up, words.length - 1)];
  }

  /**
   * @param {Scale} scale @param {HTMLElement[]} buttons that play the sounds @param {() => void} changed
   */
  function make(scale, buttons, changed) {
    const rows = buttons.map((button) => row(scale, button, changed));
    const words = [...scale.words].reverse().map((text) => elements.make('span', {}, text));
    const head = elements.make('div', { className: 'words' }, ...words);
    head.ariaHidden = 'true'; // each slider says its word
    const element = elements.make('div', { className: 'sliders' }, head, ...rows.map(({ element }) => element));
    return {
      element,
      /** @param {number} i */
      focus: (i) => rows[i].input.focus(),
      /** @returns {(number | null)[]} null where nothing was given */
      values: () => rows.map(({ given, input }) => (given() ? input.valueAsNumber : null)),
    };
  }

  /** @param {Scale} scale @param {HTMLElement} button @param {() => void} changed */
  function row(scale, button, changed) {
    const name = button.textContent || '';
    const { least, most } = scale;
    const input = elements.make('input', {
      type: 'range',
      min: String(least),
      max: String(most),
      value: String((least + most) / 2),
      ariaLabel: `Rating of ${name}`,
      ariaValueText: 'not rated yet',
      className: 'unset',
      autocomplete: 'off',
    });
    const output = elements.make('output', {}, '–');
    output.ariaHidden = 'true';
    let given = false;

    function give() {
      given = true;
      input.classList.remove('unset');
      input.ariaValueText = `${input.value}, ${word(scale, input.valueAsNumber)}`;
      output.textContent = input.value;
      changed();
    }

    input.addEventListener('input', give);
    input.addEventListener('pointerup', give); // where it stands
    input.addEventListener('keyup', ({ key }) => MOVES.includes(key) && give()); // at an end nothing moves
    const element = elements.make('div', { className: 'slider' }, button, input, output);
    return { element, input, given: () => given };
  }

  return { make, word };
})();
