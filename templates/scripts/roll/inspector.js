/** The controls of the selected event of a roll: hear it, solo, mute, gain, time, and what it sounds like. */
const inspector = (() => {
  'use strict';

  const CONTROLS =
    '<p class="which"></p><div class="buttons"></div>' +
    '<label>Gain <input type="range" min="-24" max="12" step="0.5" aria-label="Gain"><output></output></label>' +
    '<label>Time <input type="number" step="0.01" aria-label="Time in seconds"> s</label>' +
    '<label>Sound <select aria-label="Sound"></select></label>' +
    '<fieldset hidden>' +
    '<legend>Along its principal directions, one at a time: these sounds were decoded beforehand</legend></fieldset>';

  /**
   * @typedef {{change: (to: Partial<PlacedEvent>) => void, drag: (to: Partial<PlacedEvent>) => void,
   *   move: (start: number) => void, sound: (hash: string) => void, play: (inContext: boolean) => void}} Reader what
   *   readers ask for; `drag` is a change on its way, which `change` or `sound` ends
   * @typedef {{name: string, details: string, event: PlacedEvent, stored: string,
   *   sets: Record<string, string>, steps: (string | null)[][], directions: [string, string][]}} Subject `sets` are
   *   name -> hash for this event; `directions` name the ends of the sliders through its `steps`, if they are known
   */

  /** @param {HTMLElement} host @param {number} rate Hz @param {number} length samples @param {Reader} reader */
  function make(host, rate, length, reader) {
    host.innerHTML = CONTROLS;
    host.setAttribute('role', 'group');
    const [which, buttons, gain, level, time, choice, directions] = /** @type {[HTMLElement, HTMLElement,
      HTMLInputElement, Element, HTMLInputElement, HTMLSelectElement, HTMLElement]} */ (
      ['.which', '.buttons', 'input', 'output', '[type=number]', 'select', 'fieldset'].map((x) => host.querySelector(x))
    );
    const button = (/** @type {string} */ text, /** @type {() => void} */ press) =>
      elements.button('button', text, press);
    const solo = button('Solo', () => reader.change({ solo: solo.getAttribute('aria-pressed') !== 'true' }));
    const mute = button('Mute', () => reader.change({ muted: mute.getAttribute('aria-pressed') !== 'true' }));
    const play = button('Play', () => reader.play(false));
    const playInContext = button('Play in context', () => reader.play(true));
    buttons.append(play, playInContext, solo, mute);

    gain.addEventListener('input', () => reader.drag({ gain: mix.toGain(Number(gain.value)) }));
    gain.addEventListener('change', () => reader.change({ gain: mix.toGain(Number(gain.value)) }));
    time.addEventListener('change', () => time.value && reader.move(Math.round(Number(time.value) * rate)));
    choice.addEventListener('change', () => reader.sound(choice.value));

    return {
      /** @param {Subject} subject */
      show({ name, details, event, stored, sets, steps, directions: ends }) {
        host.setAttribute('aria-label', name);
        which.replaceChildren(elements.make('b', {}, name), ` ${details}`);
        solo.setAttribute('aria-pressed', String(event.solo));
        mute.setAttribute('aria-pressed', String(event.muted));
        gain.value = String(Math.max(-24, mix.toDecibels(event.gain))); // silence is infinitely far down
        say(gain, level, numbers.decibels(mix.toDecibels(event.gain)));
        time.min = (Math.min(0, event.start) / rate).toFixed(3);
        time.max = (Math.max(length - 1, event.start) / rate).toFixed(3);
        time.value = (event.start / rate).toFixed(3);
        offer(choice, { 'as stored': stored, ...sets }, event.sound);
        showSteps(directions, steps, ends, event.sound, (sound, done) =>
          done ? reader.sound(sound || stored) : reader.drag({ sound: sound || stored }),
        );
      },
    };
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
   * @param {HTMLElement} field @param {(string | null)[][]} steps @param {[string, string][]} ends @param {string} present
   * @param {(sound: string | null, done: boolean) => void} choose
   */
  function showSteps(field, steps, ends, present, choose) {
    field.hidden = !steps.length;
    const sliders = Array.from(field.querySelectorAll('label'));
    steps.slice(sliders.length).forEach(() => {
      const slider = elements.make('input', { type: 'range', step: '1' });
      const [low, high] = [0, 1].map(() => elements.make('span'));
      field.append(elements.make('label', {}, low, slider, high, elements.make('output')));
    });
    field.querySelectorAll('label').forEach((label, i) => {
      label.hidden = i >= steps.length;
      if (i < steps.length) {
        const [low, high] = ends[i] || [`${i + 1}`, ''];
        label.querySelectorAll('span').forEach((span, k) => {
          span.textContent = [low, high][k];
        });
        showStep(label, ends[i] ? `From ${low} to ${high}` : `Direction ${i + 1}`, steps[i], present, choose);
      }
    });
  }

  /** @param {HTMLElement} label @param {string} name @param {(string | null)[]} sounds @param {string} present
   * @param {(sound: string | null, done: boolean) => void} choose */
  function showStep(label, name, sounds, present, choose) {
    const slider = /** @type {HTMLInputElement} */ (label.querySelector('input'));
    const output = elements.find('output', label);
    const middle = sounds.indexOf(null);
    slider.min = String(-middle);
    slider.max = String(sounds.length - 1 - middle);
    slider.value = String(sounds.includes(present) ? sounds.indexOf(present) - middle : 0);
    slider.setAttribute('aria-label', name);
    slider.oninput = () => choose(sounds[Number(slider.value) + middle], false);
    slider.onchange = () => choose(sounds[Number(slider.value) + middle], true);
    const step = Number(slider.value);
    say(slider, output, step ? numbers.signed(step, 0) : 'as it is');
  }

  return { make };
})();
