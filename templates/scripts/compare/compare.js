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
    const playing = transport.make(list, (now) =>
      cursors.forEach((move, i) => move(now > 0 ? now / list[i].seconds : null)),
    );
    const cursors = parts.map((part, i) =>
      addCursor(part, (share) => {
        pick(i);
        playing.seek(share * list[i].seconds);
      }),
    );
    const choices = parts.map((part, i) => addChoice(part, figure.id, list[i].label, i));
    const abouts = parts.map((part) => /** @type {HTMLElement} */ (part.querySelector('.player')));
    const matched = addTools(figure, playing, list);
    let heard = 0;

    /** @param {number} i */
    function pick(i) {
      heard = i;
      choices[i].input.checked = true;
      parts.forEach((part, k) => part.classList.toggle('heard', k === i));
      abouts.forEach((about, k) => {
        about.hidden = k !== i;
      });
      const focused = /** @type {HTMLElement} */ (document.activeElement);
      abouts[i].querySelector('a[download]')?.before(...figure.querySelectorAll('.share'));
      focused.focus({ preventScroll: true }); // what is moved loses it
      playing.shape(i);
      playing.choose(i);
    }

    function setGains() {
      const gains = matched.checked ? versions.match(list) : list.map(() => 1);
      choices.forEach(({ tell }, i) => tell(decibels(gains[i])));
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
    arrange(figure, parts, abouts, playing.element);
    pick(0);
    setGains();
    links.add(figure, {
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

  /** @param {number} gain a factor @returns {string} nothing where it changes nothing */
  function decibels(gain) {
    const level = Math.round(200 * Math.log10(gain)) / 10;
    return level ? `${level > 0 ? '+' : '−'}${Math.abs(level).toFixed(1)} dB` : '';
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
    const tell = (/** @type {string} */ level) => {
      label.title = level && `Played ${level}, so that all are equally loud`;
      gain.innerHTML = level && `<span class="said">played </span>${level}`;
    };
    return { input, tell };
  }

  /**
   * Beside the clock: what is done to the level, and the blind test.
   * @param {HTMLElement} figure @param {ReturnType<typeof transport.make>} playing @param {Version[]} list
   * @returns {HTMLInputElement} whether loudness is matched
   */
  function addTools(figure, playing, list) {
    const few = list.filter(({ loudness }) => loudness !== null).length < 2;
    const off = few || 'plain' in figure.dataset;
    const matched = document.createElement('input');
    Object.assign(matched, { type: 'checkbox', checked: !off, disabled: off, autocomplete: 'off' });
    if ('plain' in figure.dataset) {
      return matched;
    }
    const tools = document.createElement('div');
    tools.className = 'matching';
    const label = document.createElement('label');
    label.append(matched, few ? 'Too short or too quiet to match loudness' : 'Match loudness');
    tools.append(label);
    if (list.length > 1) {
      const test = document.createElement('button');
      Object.assign(test, { type: 'button', className: 'button', textContent: 'Blind test', ariaHasPopup: 'dialog' });
      test.addEventListener('click', () => {
        playing.pause();
        late.load(['abx']).then(
          () => abx.open(list),
          (error) => player.complain(figure, error.message, playing.element),
        );
      });
      tools.append(test);
    }
    playing.element.append(tools);
    return matched;
  }

  /**
   * Versions without a picture stand in a row below the others, under all of them the caption, and the facts of the one
   * that is heard.
   * @param {HTMLElement} figure @param {HTMLElement[]} parts @param {HTMLElement[]} abouts @param {HTMLElement} playing
   */
  function arrange(figure, parts, abouts, playing) {
    const group = /** @type {HTMLElement} */ (figure.querySelector('.versions'));
    const plain = parts.filter((part) => !part.querySelector('.spectrogram'));
    const row = document.createElement('div');
    row.className = 'plain';
    row.append(...plain);
    group.append(row);
    group.style.setProperty('--columns', String(Math.max(1, parts.length - plain.length)));
    group.setAttribute('role', 'radiogroup');
    group.setAttribute('aria-label', 'Version');
    for (const hidden of abouts.flatMap((about) => Array.from(about.querySelectorAll('audio, figcaption')))) {
      /** @type {HTMLElement} */ (hidden).hidden = true;
    }
    group.before(playing);
    figure.append(...abouts);
    figure.classList.add('live');
  }

  for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.compare'))) {
    enhance(figure);
  }
})();
