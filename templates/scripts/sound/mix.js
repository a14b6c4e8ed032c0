/**
 * The one sum that turns events into sound, as report/mix.py defines it: integers, one rounding, one clip. So a mix
 * in which nothing was moved has the bytes of the published reconstruction, and any other those of the command line.
 *
 * @typedef {{seconds: number, peak: number}} SoundFacts the peak is in dBFS
 * @typedef {{address: string, lead: number, alone: string, start: number, name: string, value: string,
 *   facts: SoundFacts}} EventRow of a roll's table: the address of what it adds to the mix, which begins `lead` samples
 *   ahead of its `start`, and that of how it sounds by itself, whose facts these are; both are the same where one sound
 *   serves, and both may name a stretch of a file. It may have a `name`, and a `value` on the roll's scale
 */
const mix = (() => {
  'use strict';

  const UNITY = 4096; // the gain that changes nothing: 12 bits after the point

  /** @typedef {{sound: string, start: number, gain: number, muted: boolean}} Placed `sound` is an address */

  /** The rows of the published events, in the order found. @param {HTMLElement} roll */
  function rows(roll) {
    return /** @type {HTMLTableRowElement[]} */ (elements.all('tr[data-start]', roll));
  }

  /** The published events, from the table. @param {HTMLElement} roll @returns {EventRow[]} */
  function read(roll) {
    return rows(roll).map((row) => {
      const [seconds, peak] = [2, 3].map((k) => numbers.parse(row.cells[k].textContent || ''));
      const link = elements.find('a', row).getAttribute('href') || '';
      const alone = link.replace(/#t=[^&]*&/, '#'); // the seconds are for native players
      const { part = '', partSrc = alone, lead: early = 0, start, name = '' } = row.dataset;
      const [file, lead = early, first, length] = part.split(',');
      const stretch = length ? `#samples=${first},${length}` : ''; // else it is the whole file
      const address = part ? roll.dataset[`file${file}Src`] + stretch : partSrc;
      const value = row.cells[5] ? row.cells[4].textContent || '' : ''; // before the link
      return { address, lead: Number(lead), alone, start: Number(start), name, value, facts: { seconds, peak } };
    });
  }

  /**
   * Sums stay below 2^53, so that doubles hold them exactly.
   * @param {Placed[]} events @param {number} length samples @param {number} [channels] of the sounds and of the sum
   * @returns {Promise<Int16Array>}
   */
  async function render(events, length, channels = 1) {
    const total = new Float64Array(length * channels);
    const audible = events.filter((event) => !event.muted);
    const sounds = await Promise.all(audible.map((event) => media.samples(event.sound)));
    audible.forEach(({ start, gain }, i) => {
      const samples = sounds[i];
      const first = start * channels; // left and right take turns
      const end = Math.min(total.length, first + samples.length);
      for (let t = Math.max(0, first); t < end; t++) {
        total[t] += samples[t - first] * gain;
      }
    });
    const mixed = new Int16Array(total.length);
    for (let t = 0; t < total.length; t++) {
      mixed[t] = Math.max(-32768, Math.min(32767, Math.floor((total[t] + UNITY / 2) / UNITY)));
    }
    return mixed;
  }

  /**
   * A WAV file, byte for byte as the report's store writes it.
   * @param {Int16Array} values @param {number} rate Hz @param {number} [channels] @returns {ArrayBuffer}
   */
  function toWav(values, rate, channels = 1) {
    const buffer = new ArrayBuffer(media.HEADER + 2 * values.length);
    const view = new DataView(buffer);
    const text = { 0: 'RIFF', 8: 'WAVEfmt ', 36: 'data' };
    for (const [at, letters] of Object.entries(text)) {
      Array.from(letters).forEach((letter, i) => view.setUint8(Number(at) + i, letter.charCodeAt(0)));
    }
    view.setUint32(4, buffer.byteLength - 8, true);
    view.setUint32(16, 16, true); // bytes of the format that follows: PCM
    view.setUint16(20, 1, true);
    view.setUint16(22, channels, true);
    view.setUint32(24, rate, true);
    view.setUint32(28, 2 * channels * rate, true);
    view.setUint16(32, 2 * channels, true);
    view.setUint16(34, 16, true);
    view.setUint32(40, 2 * values.length, true);
    new Int16Array(buffer, media.HEADER).set(values);
    return buffer;
  }

  /** @param {number} decibels @returns {number} a gain in fixed point */
  const toGain = (decibels) => Math.round(UNITY * 10 ** (decibels / 20));
  /** @param {number} gain in fixed point @returns {number} dB */
  const toDecibels = (gain) => 20 * Math.log10(gain / UNITY);

  /** Hand a file to the reader. @param {BlobPart} content @param {string} type @param {string} name */
  function save(content, type, name) {
    const href = URL.createObjectURL(new Blob([content], { type }));
    elements.make('a', { href, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
  }

  return { UNITY, read, render, rows, save, toDecibels, toGain, toWav };
})();
