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
    const { title, rate, channels, length } = measures;
    const words = title.toLowerCase().match(/[a-z0-9]+/g) || ['events'];
    const name = words.join('-');

    let seed = 0; // of the random times that were drawn last

    /** Change all events, and let them be heard. @param {(event: PlacedEvent, i: number) => PlacedEvent} to */
    function changeAll(to) {
      edit.changeAll(to);
      line.hear();
    }

    function scatter() {
      const starts = draws.times(++seed, edit.events().length, length);
      changeAll((event, i) => ({ ...event, start: starts[i] }));
    }

    return {
      toggle: line.toggle,
      undo: edit.undo,
      redo: edit.redo,
      reset: () => changeAll((_, i) => edit.published[i]),
      scatter,
      /** The seed of the random times at which the events are, if they are. @returns {number | null} */
      seed: () =>
        draws.seedOf(
          edit.events().map(({ start }) => start),
          length,
          seed,
        ),
      /** @param {string} set such as "random vectors" */
      apply: (set) =>
        attempt(async () => {
          const hashes = (await sounds.load()).sets[set];
          changeAll((event, i) => ({ ...event, sound: hashes[i] }));
        }),
      exportWav: () =>
        attempt(async () => mix.save(mix.toWav(await line.refreshed(), rate, channels), 'audio/wav', `${name}.wav`)),
      exportEdit: () =>
        mix.save(edits.toJson(sounds.begins(edit.events()), measures), 'application/json', `${name}.json`),
      /** @param {string} text */
      importEdit: (text) =>
        attempt(async () => {
          await sounds.load();
          edit.set(sounds.starts(edits.fromJson(text, measures, edit.published.length, sounds.has)));
        }),
    };
  }

  return { make };
})();
