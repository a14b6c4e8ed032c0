/** What comes before the first trial: consent, the volume, and whether the listener wears headphones. */
const before = (() => {
  'use strict';

  /**
   * @typedef {Parameters<typeof trial.make>[0]} Facts
   * @typedef {{content: HTMLElement[], keys?: (event: KeyboardEvent) => void, leave?: () => void}} View
   */

  const CALM = 'You can close this window at any time; what you answered is kept until you close the page.';
  const SOFTEST = 'Three tones follow one another. Which one is the softest? Headphones are needed to tell.';

  /** @param {string} text */
  const heading = (text) => elements.make('h2', { tabIndex: -1 }, text);
  /** @param {string} text */
  const paragraph = (text) => elements.make('p', {}, text);
  /** @param {HTMLElement[]} buttons */
  const row = (...buttons) => elements.make('div', { className: 'presses' }, ...buttons);

  /** Enter goes on, but where a button has an answer of its own. @param {() => void} next */
  const onEnter = (next) => (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Enter' && /** @type {HTMLElement} */ (event.target).tagName !== 'BUTTON') {
      event.preventDefault();
      next();
    }
  };

  /** Where answers go. @param {Facts['design']} design @returns {string} */
  function privacy({ post }) {
    const what = 'which sounds you heard, how often and for how long, and what you said of them';
    return post
      ? `Nothing leaves this page before you press Send at its end. Then ${new URL(post).host} gets ${what}.`
      : `Nothing leaves this page: at its end you can download ${what}, or copy it.`;
  }

  /** @param {number} n trials @returns {string} */
  const length = (n) => (n === 1 ? 'There is one trial.' : `There are ${n} trials.`);

  /** @param {Facts} facts @param {number} n trials @param {() => void} next @returns {View} */
  function welcome({ design, title }, n, next) {
    const agreed = elements.make('input', { type: 'checkbox', autocomplete: 'off' });
    const consent = elements.make('label', { className: 'consent' }, agreed, elements.make('span', {}, design.consent));
    const status = elements.make('p', { className: 'note' });
    status.setAttribute('role', 'status');
    const go = () => {
      status.textContent = design.consent && !agreed.checked ? 'To take part, agree to the line above.' : '';
      status.textContent ? agreed.focus() : next();
    };
    agreed.addEventListener('change', () => {
      status.textContent = '';
    });
    const content = [
      heading(title),
      paragraph(`${design.question} ${length(n)}`),
      ...(design.training.length ? [paragraph('The first are training: they do not count.')] : []),
      paragraph(privacy(design)),
      paragraph(CALM),
      ...(design.consent ? [consent] : []),
      status,
      row(elements.button('button primary', 'Begin', go)),
    ];
    return { content, keys: onEnter(go) };
  }

  /**
   * A sound to set the volume by, which all others are as loud as. It has to be heard.
   * @param {Facts} facts @param {ReturnType<typeof course.plan>['trials'][number]} first
   * @param {() => void} next @returns {View}
   */
  function level(facts, first, next) {
    const key = 'reference' in facts.design.roles ? 'reference' : first.keys[0];
    const { list, gains } = clips.ofItem(facts, first.item, [key]);
    let heard = false;
    const playing = transport.make(list, (now) => {
      heard = heard || (playing.playing() && now > 0);
    });
    const status = elements.make('p', { className: 'note' });
    status.setAttribute('role', 'status');
    playing.setGains(gains);
    playing.choose(0);
    const go = () => {
      if (heard) {
        next();
      } else {
        status.textContent = 'Listen to it first.';
        playing.playing() || playing.play();
      }
    };
    const content = [
      heading('Volume'),
      paragraph('Play this sound, set the volume of your device so that it is comfortable, and leave it so.'),
      playing.element,
      status,
      row(elements.button('button primary', 'It is comfortable', go)),
    ];
    return { content, keys: onEnter(go), leave: playing.pause };
  }

  /**
   * @param {ReturnType<typeof course.plan>['rounds']} rounds
   * @param {(result: {right: number, of: number} | null) => void} next null if it was skipped @returns {View}
   */
  function headphones(rounds, next) {
    let round = 0;
    let right = 0;
    const title = heading('');
    const place = elements.make('div');
    const player = tones.make((on) => {
      play.textContent = on ? 'Tones are playing…' : 'Play the tones again';
    });
    const play = elements.button('button', 'Play the three tones', () => player.play(rounds[round]));
    let answer = ask();

    function ask() {
      title.textContent = `Headphones, ${round + 1} of ${rounds.length}`;
      const options = ['The first', 'The second', 'The third'].map((text, i) => ({ text, key: String(i + 1) }));
      const radios = choices.make('The softest is', options, () => {});
      place.replaceChildren(radios.element);
      return radios;
    }

    function go() {
      if (answer.value() < 0) {
        answer.focus();
        return;
      }
      right += Number(rounds[round][answer.value()] === 'soft');
      round++;
      if (round === rounds.length) {
        next({ right, of: rounds.length });
      } else {
        answer = ask();
        player.play(rounds[round]);
        title.focus();
      }
    }

    /** @param {KeyboardEvent} event */
    function keys(event) {
      answer.press(event.key) ? event.preventDefault() : onEnter(go)(event);
    }

    const skip = elements.button('button', 'I have no headphones', () => next(null));
    const buttons = row(elements.button('button primary', 'Next', go), skip);
    const tools = elements.make('p', {}, play);
    return { content: [title, paragraph(SOFTEST), tools, place, buttons], keys, leave: player.stop };
  }

  return { headphones, level, welcome };
})();
