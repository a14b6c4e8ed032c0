/**
 * Comparisons: versions of one sound, to switch between while they play, matched in loudness unless that is switched
 * off. Wide pages show their pictures side by side, narrow ones that of the version that is heard.
 */
(() => {
  'use strict';

  /** @param {HTMLElement} figure */
  function enhance(figure) {
    const parts = /** @type {HTMLElement[]} */ (Array.from(figure.querySelectorAll('.version')));
    const list = parts.map(read);
    const playing = transport.make(list, {
      draw: (now) => cursors.forEach((move, i) => move(now > 0 ? now / list[i].seconds : null)),
      complain: (words) => player.complain(figure, words),
    });
    const cursors = parts.map((part, i) =>
      addCursor(part, (share) => {
        pick(i);
        playing.seek(share * list[i].seconds);
      }),
    );
    const choices = parts.map((part, i) => addChoice(part, figure.id, list[i].label, i));
    const abouts = parts.map((part) => /** @type {HTMLElement} */ (part.querySelector('.player')));
    const { tools, matched } = buildTools(list);
    let heard = 0;

    /** @param {number} i */
    function pick(i) {
      heard = i;
      choices[i].input.checked = true;
      parts.forEach((part, k) => part.classList.toggle('heard', k === i));
      abouts.forEach((about, k) => {
        about.hidden = k !== i;
      });
      playing.shape(i);
      playing.choose(i);
    }

    function setGains() {
      const gains = matched.checked ? versions.match(list) : list.map(() => 1);
      choices.forEach(({ gain }, i) => {
        gain.textContent = decibels(gains[i]);
      });
      playing.setGains(gains);
    }

    choices.forEach(({ input }, i) => input.addEventListener('change', () => pick(i)));
    matched.addEventListener('change', setGains);
    figure.addEventListener('keydown', (event) => {
      const i = /^[1-9]$/.test(event.key) ? Number(event.key) - 1 : -1;
      const on = /** @type {HTMLInputElement} */ (event.target).type === 'radio';
      if (event.altKey || event.ctrlKey || event.metaKey) {
        return;
      } else if (i in list) {
        pick(i);
        if (on) {
          choices[i].input.focus(); // the arrow keys go on from here
        }
      } else if (on && event.key === ' ') {
        playing.toggle();
        event.preventDefault();
      }
    });
    arrange(figure, parts, abouts, playing.element, tools);
    pick(0);
    setGains();
    links.add(figure, {
      place: tools,
      source: () => list[heard].address,
      state: () => ({
        version: String(heard + 1),
        ...(matched.checked ? {} : { matched: '0' }),
        ...links.time(playing.position(), playing.line.range()),
      }),
      restore(state) {
        const { now, range } = links.readTime(state);
        playing.pause();
        matched.checked = !matched.disabled && state.matched !== '0';
        setGains();
        pick(
          Math.max(
            0,
            choices.findIndex((_, i) => String(i + 1) === state.version),
          ),
        );
        playing.line.setRange(range);
        playing.seek(now);
      },
    });
  }

  /** What the page says of a version. @param {HTMLElement} part */
  function read(part) {
    const { dataset } = /** @type {HTMLElement} */ (part.querySelector('.player'));
    const number = (/** @type {string | undefined} */ text) => (text ? Number(text) : null);
    return {
      label: part.querySelector('figcaption')?.textContent || '',
      address: part.querySelector('audio')?.getAttribute('src') || '',
      rate: Number(dataset.rate),
      seconds: Number(dataset.seconds),
      peaks: dataset.peaks || '',
      loudness: number(dataset.loudness),
      peak: number(part.dataset.peak),
    };
  }

  /** @typedef {ReturnType<typeof read>} Version */

  /** @param {number} gain a factor @returns {string} */
  function decibels(gain) {
    const level = Math.round(200 * Math.log10(gain)) / 10;
    return `${level > 0 ? '+' : level < 0 ? '−' : ''}${Math.abs(level).toFixed(1)} dB`;
  }

  /** @param {HTMLElement} part @param {(share: number) => void} seek @returns {(share: number | null) => void} */
  function addCursor(part, seek) {
    const picture = /** @type {HTMLElement | null} */ (part.querySelector('.spectrogram'));
    const move = picture ? player.addCursor(picture, seek) : () => {};
    return (share) => move(share !== null && share <= 1 ? share : null);
  }

  /** @param {HTMLElement} part @param {string} id of the comparison @param {string} text @param {number} i */
  function addChoice(part, id, text, i) {
    const label = document.createElement('label');
    label.className = 'choice';
    const input = document.createElement('input');
    Object.assign(input, { type: 'radio', name: `${id}.version`, autocomplete: 'off' });
    const key = document.createElement('kbd');
    key.textContent = i < 9 ? String(i + 1) : '';
    key.setAttribute('aria-hidden', 'true');
    const name = document.createElement('span');
    name.textContent = text;
    const gain = document.createElement('span');
    gain.className = 'gain';
    label.append(input, key, name, ' ', gain);
    part.prepend(label);
    return { input, gain };
  }

  /** The line below: what is done to the level, and the blind test. @param {Version[]} list */
  function buildTools(list) {
    const tools = document.createElement('div');
    tools.className = 'matching';
    const label = document.createElement('label');
    const matched = document.createElement('input');
    const few = list.filter(({ loudness }) => loudness !== null).length < 2;
    Object.assign(matched, { type: 'checkbox', checked: !few, disabled: few, autocomplete: 'off' });
    label.append(matched, few ? 'Too short or too quiet to match loudness' : 'Match loudness');
    tools.append(label);
    if (list.length > 1) {
      const test = document.createElement('button');
      Object.assign(test, { type: 'button', className: 'button', textContent: 'Blind test', ariaHasPopup: 'dialog' });
      test.addEventListener('click', () => late.load(['abx']).then(() => abx.open(list)));
      tools.append(test);
    }
    return { tools, matched };
  }

  /**
   * Versions without a picture stand in a row below the others; the facts of all of them in one place.
   * @param {HTMLElement} figure @param {HTMLElement[]} parts @param {HTMLElement[]} abouts
   * @param {HTMLElement} playing @param {HTMLElement} tools
   */
  function arrange(figure, parts, abouts, playing, tools) {
    const group = /** @type {HTMLElement} */ (figure.querySelector('.versions'));
    const plain = parts.filter((part) => !part.querySelector('.spectrogram'));
    const row = document.createElement('div');
    row.className = 'plain';
    row.append(...plain);
    group.append(row);
    group.style.setProperty('--columns', String(Math.max(1, parts.length - plain.length)));
    group.setAttribute('role', 'radiogroup');
    group.setAttribute('aria-label', 'Version');
    for (const about of abouts) {
      /** @type {HTMLElement} */ (about.querySelector('audio')).hidden = true;
      about.querySelector('figcaption')?.remove();
    }
    group.before(playing);
    group.after(tools, ...abouts);
    figure.classList.add('live');
  }

  for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.compare'))) {
    enhance(figure);
  }
})();
