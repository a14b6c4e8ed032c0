/** Actions of the buttons of an event roll: on all of its events, and on the files that it gives and takes. */
const actions = (() => {
  'use strict';

  /**
   * @typedef {ReturnType<typeof edits.make>} Edit
   * @typedef {ReturnType<typeof library.make>} Sounds
   * @typedef {ReturnType<typeof timeline.make>} Line
   */

  /**
   * @param {Measures} measures @param {Edit} edit @param {Sounds} sounds @param {Line} line
   * @param {(action: () => Promise<unknown>) => void} attempt does it, or says why not
   */
  function make(measures, edit, sounds, line, attempt) {
    const { title, rate, length } = measures;
    const words = title.toLowerCase().match(/[a-z0-9]+/g) || ['events'];
    const name = words.join('-');

    /** A start from which all of a sound is heard. @param {string} hash @returns {number} */
    function anyTime(hash) {
      return Math.floor(Math.random() * Math.max(1, length - sounds.facts(hash).seconds * rate));
    }

    return {
      toggle: line.toggle,
      undo: edit.undo,
      redo: edit.redo,
      reset: () => edit.set(edit.published),
      scatter: () => edit.set(edit.events().map((event) => ({ ...event, start: anyTime(event.sound) }))),
      /** @param {string} set such as "random vectors" */
      apply: (set) =>
        attempt(async () => {
          const hashes = (await sounds.load()).sets[set];
          edit.set(edit.events().map((event, i) => ({ ...event, sound: hashes[i] })));
        }),
      exportWav: () =>
        attempt(async () => mix.save(mix.toWav(await line.refreshed(), rate), 'audio/wav', `${name}.wav`)),
      exportEdit: () => mix.save(edits.toJson(edit.events(), measures), 'application/json', `${name}.json`),
      /** @param {string} text */
      importEdit: (text) =>
        attempt(async () => {
          await sounds.load();
          edit.set(edits.fromJson(text, measures, edit.published.length, sounds.has));
        }),
    };
  }

  return { make };
})();
