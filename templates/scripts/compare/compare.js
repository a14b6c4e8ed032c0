/**
 * Starts comparisons: versions of one sound, to switch between while they play, matched in loudness unless that is
 * switched off. Wide pages show their pictures side by side, narrow ones that of the version that is heard.
 */
(() => {
  'use strict';

  const COLUMNS = 4; // of pictures, at most: in more, labels do not fit

  /** @param {HTMLElement} figure */
  function enhance(figure) {
    const parts = elements.all('.version', figure);
    const list = parts.map(versions.read);
    const playing = transport.make(list, (now) =>
      cursors.forEach((move, i) => move(now > 0 ? now / list[i].seconds : null)),
    );
    const cursors = parts.map((part, i) =>
      addCursor(part, playing.slider, (share) => {
        pick(i);
        playing.seek(share * list[i].seconds);
      }),
    );
    const choices = parts.map((part, i) => addChoice(part, figure.id, list[i].label, i));
    const abouts = parts.map((part) => elements.find('.player', part));
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
      elements.all('.own', figure).forEach((own, k) => {
        own.hidden = k !== i;
      });
      elements.find('.facts', abouts[i]).append(...elements.all('.menu', figure));
      figure.contains(focused) && focused.focus({ preventScroll: true }); // an element that moves loses it
      playing.shape(i);
      playing.choose(i);
    }

    function setGains() {
      const gains = matched.checked ? versions.match(list) : list.map(() => 1);
      choices.forEach(({ tell }, i) => tell(gains[i]));
      playing.setGains(gains);
    }

    /** @param {KeyboardEvent} event */
    function pressKey(event) {
      const i = /^[1-9]$/.test(event.key) ? Number(event.key) - 1 : -1;
      const target = /** @type {HTMLInputElement} */ (event.target);
      const on = target.type === 'radio';
      if (event.altKey || event.ctrlKey || event.metaKey || target.closest('.menu :is(select, input)')) {
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
    }

    choices.forEach(({ input }, i) => input.addEventListener('change', () => pick(i)));
    matched.addEventListener('change', setGains);
    figure.addEventListener('keydown', pressKey);
    arrange(figure, parts, abouts, playing.element);
    setGains();
    links.add(figure, {
      source: () => list[heard].address,
      version: () => list[heard].label,
      state: () => ({
        version: String(heard + 1),
        ...(matched.checked ? {} : { matched: '0' }),
        ...links.time(playing.position(), playing.line.range()),
      }),
      restore(state) {
        const { now, range } = links.readTime(state);
        const i = list.findIndex((_, k) => String(k + 1) === state.version);
        playing.pause();
        matched.checked = !matched.disabled && state.matched !== '0';
        setGains();
        pick(Math.max(0, i));
        playing.line.setRange(range);
        playing.seek(now);
        state.blind && late.load('blind').then(() => blind.showLinked(figure, list, state.blind));
      },
    });
    pick(heard);
  }

  /** @param {HTMLElement} part @param {HTMLElement} slider @param {(share: number) => void} seek
   * @returns {(share: number | null) => void} */
  function addCursor(part, slider, seek) {
    const picture = /** @type {HTMLElement | null} */ (part.querySelector('.spectrogram'));
    const move = picture ? spectrogram.addCursor(picture, () => slider, seek) : () => {};
    return (share) => move(share !== null && share <= 1 ? share : null);
  }

  /** @param {HTMLElement} part @param {string} id of the comparison @param {string} name @param {number} i */
  function addChoice(part, id, name, i) {
    const input = elements.make('input', { type: 'radio', name: `${id}.version`, autocomplete: 'off' });
    const key = elements.make('kbd', {}, i < 9 ? String(i + 1) : '');
    key.setAttribute('aria-hidden', 'true');
    const level = elements.make('span', { className: 'gain' });
    const label = elements.make('label', { className: 'choice' }, input, key);
    label.append(elements.make('span', {}, name), ' ', level);
    part.prepend(label);
    return {
      input,
      /** @param {number} gain a factor */
      tell(gain) {
        const text = versions.tellGain(level, gain);
        label.title = text && `Played ${text}, so that all are equally loud`;
      },
    };
  }

  /**
   * Beside the clock: loudness matching, and the blind test.
   * @param {HTMLElement} figure @param {ReturnType<typeof transport.make>} playing @param {ReturnType<typeof versions.read>[]} list
   * @returns {HTMLInputElement} whether loudness is matched
   */
  function addTools(figure, playing, list) {
    const few = list.filter(({ loudness }) => loudness !== null).length < 2;
    const plain = 'plain' in figure.dataset;
    const off = few || plain;
    const matched = elements.make('input', { type: 'checkbox', checked: !off, disabled: off, autocomplete: 'off' });
    if (plain) {
      return matched;
    }
    const words = few ? 'Too short or too quiet to match loudness' : 'Match loudness';
    const tools = elements.make('div', { className: 'matching' }, elements.make('label', {}, matched, words));
    if (list.filter(({ difference }) => !difference).length > 1) {
      const test = elements.button('button', 'Blind test', () => {
        playing.pause();
        late.load('blind').then(
          () => blind.open(list, figure.id),
          (error) => failure.show(figure, error.message, playing.element),
        );
      });
      test.ariaHasPopup = 'dialog';
      tools.append(test);
    }
    playing.element.append(tools);
    return matched;
  }

  /**
   * Put versions without a picture in a row below the others, and under all of them the caption and the facts of the one
   * that is heard.
   * @param {HTMLElement} figure @param {HTMLElement[]} parts @param {HTMLElement[]} abouts @param {HTMLElement} playing
   */
  function arrange(figure, parts, abouts, playing) {
    const group = elements.find('.versions', figure);
    const plain = parts.filter((part) => !part.querySelector('.spectrogram'));
    group.append(elements.make('div', { className: 'plain' }, ...plain));
    const pictured = Math.max(1, parts.length - plain.length);
    const rows = Math.ceil(pictured / COLUMNS); // all as long, but for the last
    group.style.setProperty('--columns', String(Math.ceil(pictured / rows)));
    group.setAttribute('role', 'radiogroup');
    group.setAttribute('aria-label', 'Version');
    for (const hidden of abouts.flatMap((about) => elements.all('audio, figcaption', about))) {
      hidden.hidden = true;
    }
    group.before(playing);
    figure.append(...abouts);
    figure.classList.add('live');
  }

  elements.all('.compare').forEach(enhance);
})();
