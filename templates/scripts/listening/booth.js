/**
 * Plays the sounds of a trial: a button for each, one waveform and clock for all. Each switch goes through silence, so
 * that nobody hears whether it leads to another sound.
 */
const booth = (() => {
  'use strict';

  const LETTERS = 'ABCDEFGHIJKL';

  /**
   * @typedef {{name: string, key: string, id: string | null}} Stop what a button plays: the key of its sound, and the
   *   hash of that if it is judged
   */

  /**
   * The buttons of a trial, in their order.
   * @param {Parameters<typeof course.plan>[0]} design @param {ReturnType<typeof course.plan>['trials'][number]} trial
   * @returns {Stop[]}
   */
  function stops({ kind, roles }, { item, keys, x }) {
    const named = keys.map((key, i) => ({
      name: kind === 'acr' || kind === 'dcr' ? 'Sound' : LETTERS[i],
      key,
      id: item.sounds[key],
    }));
    const reference = 'reference' in roles && kind !== 'acr' ? [{ name: 'Reference', key: 'reference', id: null }] : [];
    return [...reference, ...named, ...(x === null ? [] : [{ name: 'X', key: x, id: null }])];
  }

  /**
   * @param {Stop[]} list @param {ReturnType<typeof clips.ofItem>} sounds of the stops
   * @param {() => void} changed hears when something new was heard
   */
  function make(list, sounds, changed) {
    const playing = transport.make(sounds.list, follow, true);
    const heard = list.map(() => false);
    const plays = list.map(() => 0);
    const buttons = list.map(({ name }, i) => {
      const button = elements.button('button', name, () => listen(i));
      button.setAttribute('aria-keyshortcuts', name[0]);
      return button;
    });
    let now = 0; // index of what is chosen
    let sounding = -1; // index of what was heard last; none while nothing plays

    /** @param {number} position seconds */
    function follow(position) {
      const next = playing.playing() && position > 0 ? now : -1;
      if (next !== sounding) {
        sounding = next;
        if (next >= 0) {
          plays[next]++;
          heard[next] = true;
          buttons[next].classList.add('heard');
          changed();
        }
      }
    }

    /** @param {number} i */
    function choose(i) {
      now = i;
      buttons.forEach((button, k) => button.setAttribute('aria-pressed', String(k === i)));
      playing.choose(i, true);
    }

    /** @param {number} i */
    function listen(i) {
      choose(i);
      playing.playing() || playing.play();
    }

    playing.setGains(sounds.gains);
    choose(0);
    return {
      element: playing.element,
      buttons,
      toggle: playing.toggle,
      pause: playing.pause,
      /** Answer a key. @param {string} key @returns {number} index of the sound that it plays; −1 if it plays none */
      press(key) {
        const i = list.findIndex(({ name }) => name[0] === key.toUpperCase());
        i >= 0 && listen(i);
        return i;
      },
      /** Names of what was not heard yet. */
      unheard: () => list.filter((_, i) => !heard[i]).map(({ name }) => name),
      /** Hash of each sound that is judged -> how often it was begun. @returns {Record<string, number>} */
      plays: () => Object.fromEntries(list.flatMap(({ id }, i) => (id === null ? [] : [[id, plays[i]]]))),
    };
  }

  return { make, stops };
})();
