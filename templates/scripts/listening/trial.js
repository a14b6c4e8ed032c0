/** One trial: sounds to hear, and what listeners answer. */
const trial = (() => {
  'use strict';

  /**
   * @typedef {ReturnType<typeof clips.read>} Facts
   * @typedef {ReturnType<typeof course.plan>['trials'][number]} Trial
   * @typedef {{scores: Record<string, number>} | {choice: string | null, x?: string}} Given
   * @typedef {{item: string, part: string, order: string[], seconds: number, plays: Record<string, number>} & Given}
   *   Answer
   * @typedef {{element: HTMLElement, press: (key: string, played: number) => boolean, missing: () => string,
   *   focus: () => void, given: () => Given}} Asked `press` hears which sound the key plays; `missing` are words
   */

  const GUIDES = {
    mushra: 'One of the sounds is the reference itself: it should get the highest number.',
    preference: '',
    abx: 'A and B stay the same for all trials of an item.',
    acr: '',
    dcr: 'The sound may be the reference itself.',
  };
  const HINTS = {
    mushra: 'a letter plays a sound and leads to its slider, arrows move it',
    preference: 'a and b play the sounds, digits choose',
    abx: 'a, b and x play the sounds, digits choose',
    acr: 's plays the sound, digits choose',
    dcr: 'r plays the reference and s the sound, digits choose',
  };

  /**
   * @param {Facts} facts @param {Trial} asked @param {string} title such as "Trial 1 of 4"
   * @param {(answer: Answer) => void} done
   */
  function make(facts, asked, title, done) {
    const { design } = facts;
    const list = booth.stops(design, asked);
    const sounds = clips.ofItem(facts, asked.item, list.map(({ key }) => key)); // biome-ignore format: one thought
    const playing = booth.make(list, sounds, tell);
    const order = asked.keys.map((key) => asked.item.sounds[key]);
    const first = list.findIndex(({ id }) => id !== null);
    const answer = ask(design, asked, order, playing.buttons.slice(first, first + order.length), tell);
    const status = elements.make('p', { className: 'note' });
    status.setAttribute('role', 'status');
    const begun = performance.now();

    function missing() {
      const unheard = playing.unheard();
      return unheard.length ? `Listen to ${unheard.join(', ')} first.` : answer.missing();
    }

    /** Take back what is not true any more. */
    function tell() {
      if (status.textContent && status.textContent !== missing()) {
        status.textContent = '';
      }
    }

    function next() {
      status.textContent = missing();
      if (status.textContent) {
        playing.unheard().length || answer.focus();
        return;
      }
      const seconds = Math.round((performance.now() - begun) / 100) / 10;
      const { item, part } = asked;
      const presented = design.kind === 'dcr' ? [item.sounds.reference, ...order] : order;
      done({ item: item.name, part, order: presented, seconds, plays: playing.plays(), ...answer.given() });
    }

    /** @param {KeyboardEvent} event */
    function keys(event) {
      const on = /** @type {HTMLElement} */ (event.target);
      if (event.key === 'Enter' && on.tagName !== 'BUTTON') {
        next();
      } else if (event.key === ' ' && on.tagName !== 'BUTTON') {
        playing.toggle();
      } else if (!answer.press(event.key, playing.press(event.key))) {
        return;
      }
      event.preventDefault();
    }

    const others = playing.buttons.filter((button) => !answer.element.contains(button));
    const hint = elements.make('p', { className: 'note keys' }, `Keys: ${HINTS[design.kind]}, Enter goes on.`);
    const go = elements.button('button primary', 'Next', next);
    const content = [
      elements.make('h2', { tabIndex: -1 }, title),
      ...(design.kind === 'mushra' ? [elements.make('p', { className: 'question' }, design.question)] : []),
      ...(GUIDES[design.kind] ? [elements.make('p', {}, GUIDES[design.kind])] : []),
      playing.element,
      elements.make('div', { className: 'presses booth' }, ...others),
      answer.element,
      hint,
      status,
      elements.make('div', { className: 'presses' }, go),
    ];
    return { content, keys, leave: playing.pause };
  }

  /**
   * What is to be answered.
   * @param {Facts['design']} design @param {Trial} asked @param {string[]} order hashes of what is judged
   * @param {HTMLElement[]} buttons that play these @param {() => void} changed @returns {Asked}
   */
  function ask(design, asked, order, buttons, changed) {
    const { scale } = design;
    if (design.kind === 'mushra' && scale) {
      return rate(scale, order, buttons, changed);
    }
    const options = scale
      ? scale.words.map((text, i) => ({ text, key: String(scale.most - i) }))
      : pairOptions(design.kind).map((text, i) => ({ text, key: String(i + 1) }));
    const radios = choices.make(design.question, options, changed);

    /** @returns {Given} */
    function given() {
      const i = radios.value();
      if (scale) {
        return { scores: { [order[0]]: scale.most - i } };
      }
      if (asked.x !== null) {
        return { choice: order[i], x: asked.item.sounds[asked.x] };
      }
      return { choice: [order[0], null, order[1]][i] };
    }

    return {
      ...radios,
      press: (key, played) => radios.press(key) || played >= 0,
      missing: () => (radios.value() < 0 ? 'Choose an answer.' : ''),
      given,
    };
  }

  /** @param {string} kind @returns {string[]} */
  const pairOptions = (kind) =>
    kind === 'abx' ? ['X is A', 'X is B'] : ['A is better', 'No preference', 'B is better'];

  /** @param {NonNullable<Facts['design']['scale']>} scale @param {string[]} order @param {HTMLElement[]} buttons
   * @param {() => void} changed @returns {Asked} */
  function rate(scale, order, buttons, changed) {
    const rows = sliders.make(scale, buttons, changed);
    const unrated = () => buttons.filter((_, i) => rows.values()[i] === null);
    return {
      element: rows.element,
      focus: () => rows.focus(buttons.indexOf(unrated()[0])),
      press(_key, played) {
        played > 0 && rows.focus(played - 1); // the reference is the first
        return played >= 0;
      },
      missing() {
        const names = unrated().map((button) => button.textContent);
        return names.length ? `Rate ${names.join(', ')}.` : '';
      },
      given: () => ({ scores: Object.fromEntries(order.map((id, i) => [id, rows.values()[i] ?? 0])) }),
    };
  }

  return { make };
})();
