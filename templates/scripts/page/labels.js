/**
 * Labels along a sound, such as words, notes or onsets: lines on its waveform and picture, and a text in which the one
 * that is heard is marked. A press on one, or the arrow keys in the text, go to where it begins.
 */
const labels = (() => {
  'use strict';

  /** @typedef {{start: number, end: number, text: string, element: HTMLElement}} Label in seconds */
  /** @type {Record<string, (at: number, n: number) => number>} */
  const STEPS = {
    ArrowRight: (at) => at + 1,
    ArrowLeft: (at) => at - 1,
    Home: () => 0,
    End: (_, n) => n - 1,
  };

  /**
   * @param {HTMLElement} figure a player @param {HTMLElement} host its waveform @param {HTMLElement | null} picture
   * @param {number} seconds of the sound @param {(seconds: number) => void} seek
   * @returns {(now: number) => void} marks what is heard
   */
  function add(figure, host, picture, seconds, seek) {
    const groups = elements.all('.labels', figure).map((group, i) => {
      const list = read(group, seconds);
      draw(host, list, seconds, [0, 1], false);
      picture && draw(picture, list, seconds, spectrogram.plotOf(picture), i === 0);
      return makeText(group, list, seek);
    });
    return (now) => groups.forEach((follow) => follow(now));
  }

  /** @param {HTMLElement} group @param {number} seconds @returns {Label[]} */
  function read(group, seconds) {
    const items = elements.all('li', group);
    const starts = items.map(({ dataset }) => Number(dataset.start));
    return items.map((element, i) => ({
      start: starts[i],
      end: Number(element.dataset.end || starts[i + 1] || seconds),
      text: element.textContent || '',
      element,
    }));
  }

  /**
   * A line where each begins, with its text where there is room for it.
   * @param {HTMLElement} place @param {Label[]} list @param {number} seconds @param {number[]} plot @param {boolean} named
   */
  function draw(place, list, seconds, [left, right], named) {
    const lines = list.map(({ start, text }, i) => {
      const next = list[i + 1]?.start ?? seconds;
      const line = elements.make('span', { className: 'label', textContent: named ? text : '' });
      line.style.left = `${100 * (left + ((right - left) * start) / seconds)}%`;
      line.style.width = `${(100 * (right - left) * (next - start)) / seconds}%`;
      return line;
    });
    const group = elements.make('div', { className: 'lines' }, ...lines);
    group.setAttribute('aria-hidden', 'true');
    place.append(group);
  }

  /**
   * The words of the text become buttons, of which Tab reaches one.
   * @param {HTMLElement} group @param {Label[]} list @param {(seconds: number) => void} seek
   * @returns {(now: number) => void}
   */
  function makeText(group, list, seek) {
    const buttons = list.map(({ start, text, element }, i) => {
      const button = elements.button('word', text, () => {
        reach(i);
        seek(start);
      });
      element.replaceChildren(button);
      return button;
    });

    /** @param {number} at */
    const reach = (at) => buttons.forEach((button, i) => Object.assign(button, { tabIndex: i === at ? 0 : -1 }));

    group.addEventListener('keydown', (event) => {
      const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (event.target));
      const next = STEPS[event.key]?.(at, buttons.length);
      if (next !== undefined && buttons[next] && !event.altKey && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        reach(next);
        buttons[next].focus();
        seek(list[next].start);
      }
    });
    reach(0);
    return (now) => {
      list.forEach(({ start, end }, i) => {
        const heard = now >= start && now < end;
        if (heard !== buttons[i].hasAttribute('aria-current')) {
          heard ? buttons[i].setAttribute('aria-current', 'true') : buttons[i].removeAttribute('aria-current');
        }
      });
    };
  }

  return { add };
})();
