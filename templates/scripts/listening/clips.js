/** The sounds of a listening test, so that nothing of how they play or look tells which is which. */
const clips = (() => {
  'use strict';

  /**
   * @typedef {Parameters<typeof transport.make>[0][number]} Version
   * @typedef {{design: Parameters<typeof course.plan>[0], digest: string, page: string, title: string,
   *   fields: Record<string, string>, sounds: Map<string, Version>, peaks: string[]}} Facts sounds by their hashes, and
   *   waveforms of items
   */

  /** @param {HTMLElement} figure @returns {Facts} */
  function read(figure) {
    const json = (/** @type {string} */ name) => {
      const text = figure.querySelector(`script.${name}`)?.textContent;
      return text ? JSON.parse(text) : {};
    };
    const { digest = '', page = '' } = figure.dataset;
    const sounds = elements.all('.sound', figure).map(({ dataset }) => {
      const address = dataset.src || '';
      const [rate, channels, seconds] = [dataset.rate, dataset.channels, dataset.seconds].map(Number);
      const same = { label: 'the sound', peaks: '', loudness: null, peak: null };
      return /** @type {const} */ ([media.digest(address), { ...same, address, rate, channels, seconds }]);
    });
    const caption = figure.querySelector('figcaption')?.cloneNode(true);
    caption?.firstChild && caption.removeChild(caption.firstChild); // "Figure 3."
    const title = caption?.textContent?.trim() || '';
    const peaks = elements.all('.item', figure).map(({ dataset }) => dataset.peaks || '');
    return { peaks, design: json('design'), digest, page, title, fields: json('fields'), sounds: new Map(sounds) };
  }

  /**
   * Sounds of an item, with one waveform for all: the loudest of each moment, whichever is heard.
   * @param {Facts} facts @param {Facts['design']['items'][number]} item @param {string[]} keys
   * @returns {{list: Version[], gains: number[]}} gains are factors
   */
  function ofItem({ design, sounds, peaks }, item, keys) {
    const find = (/** @type {string} */ key) => /** @type {Version} */ (sounds.get(item.sounds[key]));
    const shown = peaks[design.items.indexOf(item)];
    return {
      list: keys.map((key) => ({ ...find(key), peaks: shown })),
      gains: keys.map((key) => 10 ** (item.gains[key] / 20)),
    };
  }

  return { ofItem, read };
})();
