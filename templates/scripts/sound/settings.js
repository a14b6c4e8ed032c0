/** How loud and how fast the page plays: one volume and one speed for all of its sounds. Pitch stays as it is. */
const settings = (() => {
  'use strict';

  const SPEEDS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2];
  /** @typedef {'volume' | 'speed'} Name */
  const values = { volume: 1, speed: 1 };
  /** @type {[Name, () => void][]} */
  const listeners = [];

  /** @param {Name} name @param {number} value */
  function set(name, value) {
    values[name] = value;
    listeners.forEach(([of, answer]) => of === name && answer());
  }

  /** Call `answer` now and whenever a value changes. @param {Name} name @param {() => void} answer */
  function follow(name, answer) {
    listeners.push([name, answer]);
    answer();
  }

  // Players of the browser; its own controls may change them by themselves.
  const all = () => document.querySelectorAll('audio');
  follow('volume', () => all().forEach((audio) => Object.assign(audio, { volume: values.volume })));
  follow('speed', () =>
    all().forEach((audio) =>
      Object.assign(audio, { preservesPitch: true, defaultPlaybackRate: values.speed, playbackRate: values.speed }),
    ),
  );

  return { SPEEDS, follow, set, speed: () => values.speed, volume: () => values.volume };
})();
