/** The controls of the selected event of a roll: hear it, solo, mute, gain, time, and what it sounds like. */
const inspector = (() => {
  'use strict';

  const CONTROLS =
    '<p class="which"></p><div class="buttons"></div>' +
    '<label>Gain <input type="range" min="-24" max="12" step="0.5" aria-label="Gain"><output></output></label>' +
    '<label>Time <input type="number" step="0.01" aria-label="Time in seconds"> s</label>' +
    '<label>Sound <select aria-label="Sound"></select></label>' +
    '<fieldset hidden><legend></legend></fieldset>';
  const LEGEND = 'Along its principal directions, one at a time: these sounds were decoded beforehand';

  /**
   * @typedef {{change: (to: Partial<PlacedEvent>) => void, move: (start: number) => void,
   *   sound: (hash: string) => void, play: (inContext: boolean) => void}} Reader what readers ask for
   * @typedef {{name: string, details: string, event: PlacedEvent, stored: string,
   *   sets: Record<string, string>, steps: (string | null)[][]}} Subject `sets` are name -> hash for this event
   */

  /** @param {HTMLElement} host @param {number} rate Hz @param {number} length samples @param {Reader} reader */
  function make(host, rate, length, reader) {
    host.innerHTML = CONTROLS;
    host.setAttribute('role', 'group');
    const [which, buttons, gain, time, choice, directions] = /** @type {[HTMLElement, HTMLElement, HTMLInputElement,
      HTMLInputElement, HTMLSelectElement, HTMLElement]} */ (
      ['.which', '.buttons', '[type=range]', '[type=number]', 'select', 'fieldset'].map((x) => host.querySelector(x))
    );
    const solo = tools.button('Solo', () => reader.change({ solo: solo.getAttribute('aria-pressed') !== 'true' }));
    const mute = tools.button('Mute', () => reader.change({ muted: mute.getAttribute('aria-pressed') !== 'true' }));
    const level = /** @type {HTMLElement} */ (gain.nextElementSibling);
    buttons.append(
      tools.button('Play', () => reader.play(false)),
      tools.button('Play in context', () => reader.play(true)),
      solo,
      mute,
    );

    gain.addEventListener('input', () => say(gain, level, decibels(Number(gain.value))));
    gain.addEventListener('change', () => reader.change({ gain: toGain(Number(gain.value)) }));
    time.addEventListener('change', () => time.value && reader.move(Math.round(Number(time.value) * rate)));
    choice.addEventListener('change', () => reader.sound(choice.value));

    return {
      /** @param {Subject} subject */
      show({ name, details, event, stored, sets, steps }) {
        host.setAttribute('aria-label', name);
        which.replaceChildren(strong(name), ` ${details}`);
        solo.setAttribute('aria-pressed', String(event.solo));
        mute.setAttribute('aria-pressed', String(event.muted));
        gain.value = String(Math.max(-24, toDecibels(event.gain))); // silence is infinitely far down
        say(gain, level, decibels(toDecibels(event.gain)));
        time.min = (Math.min(0, event.start) / rate).toFixed(3);
        time.max = (Math.max(length - 1, event.start) / rate).toFixed(3);
        time.value = (event.start / rate).toFixed(3);
        offer(choice, { 'as stored': stored, ...sets }, event.sound);
        showSteps(directions, steps, event.sound, (sound) => reader.sound(sound || stored));
      },
    };
  }

  /** @param {string} text */
  function strong(text) {
    const element = document.createElement('b');
    element.textContent = text;
    return element;
  }

  /** @param {HTMLInputElement} slider @param {Element} output @param {string} text */
  function say(slider, output, text) {
    slider.setAttribute('aria-valuetext', text);
    output.textContent = text;
  }

  /** @param {HTMLSelectElement} choice @param {Record<string, string>} sounds @param {string} present */
  function offer(choice, sounds, present) {
    const names = Object.keys(sounds);
    choice.replaceChildren(...names.map((name) => new Option(name, sounds[name])));
    const known = names.find((name) => sounds[name] === present);
    if (!known) {
      choice.append(new Option('another', present));
    }
    choice.value = present;
    /** @type {HTMLElement} */ (choice.parentElement).hidden = names.length < 2 && Boolean(known);
  }

  /**
   * A slider for each direction; the event as it is stands in the middle, where the list of its sounds has null.
   * @param {HTMLElement} field @param {(string | null)[][]} steps @param {string} present
   * @param {(sound: string | null) => void} choose
   */
  function showSteps(field, steps, present, choose) {
    field.hidden = !steps.length;
    const sliders = Array.from(field.querySelectorAll('label'));
    steps.slice(sliders.length).forEach((_, i) => {
      const label = document.createElement('label');
      label.innerHTML = `${sliders.length + i + 1} <input type="range" step="1"><output></output>`;
      field.append(label);
    });
    /** @type {HTMLElement} */ (field.querySelector('legend')).textContent = LEGEND;
    field.querySelectorAll('label').forEach((label, i) => {
      label.hidden = i >= steps.length;
      if (i < steps.length) {
        showStep(label, `Direction ${i + 1}`, steps[i], present, choose);
      }
    });
  }

  /** @param {HTMLElement} label @param {string} name @param {(string | null)[]} sounds @param {string} present
   * @param {(sound: string | null) => void} choose */
  function showStep(label, name, sounds, present, choose) {
    const slider = /** @type {HTMLInputElement} */ (label.querySelector('input'));
    const output = /** @type {Element} */ (label.querySelector('output'));
    const middle = sounds.indexOf(null);
    const words = () => {
      const step = Number(slider.value);
      say(slider, output, step ? signed(step, 0) : 'as it is');
    };
    slider.min = String(-middle);
    slider.max = String(sounds.length - 1 - middle);
    slider.value = String(sounds.includes(present) ? sounds.indexOf(present) - middle : 0);
    slider.setAttribute('aria-label', name);
    slider.oninput = words;
    slider.onchange = () => choose(sounds[Number(slider.value) + middle]);
    words();
  }

  /** @param {number} value @param {number} digits @returns {string} with a sign that is wide enough */
  function signed(value, digits) {
    return `${value > 0 ? '+' : ''}${value.toFixed(digits)}`.replace('-', '−');
  }

  /** @param {number} value @returns {string} */
  const decibels = (value) => `${Number.isFinite(value) ? signed(value, 1) : '−∞'} dB`;
  /** @param {number} value dB @returns {number} in fixed point */
  const toGain = (value) => Math.round(mix.UNITY * 10 ** (value / 20));
  /** @param {number} gain in fixed point @returns {number} */
  const toDecibels = (gain) => 20 * Math.log10(gain / mix.UNITY);

  return { make, toDecibels };
})();
