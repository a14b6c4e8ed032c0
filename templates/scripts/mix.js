/**
 * The one sum that turns events into sound, as report/mix.py defines it: integers, one rounding, one clip. So a mix
 * in which nothing was moved has the bytes of the published reconstruction, and any other those of the command line.
 */
const mix = (() => {
  'use strict';

  const UNITY = 4096; // the gain that changes nothing: 12 bits after the point

  /** @typedef {{sound: string, start: number, gain: number, muted: boolean}} Placed `sound` is an address */

  /**
   * Sums stay below 2^53, so that doubles hold them exactly.
   * @param {Placed[]} events @param {number} length samples @returns {Promise<Int16Array>}
   */
  async function render(events, length) {
    const total = new Float64Array(length);
    const heard = events.filter((event) => !event.muted);
    const sounds = await Promise.all(heard.map((event) => media.samples(event.sound)));
    heard.forEach(({ start, gain }, i) => {
      const samples = sounds[i];
      const end = Math.min(length, start + samples.length);
      for (let t = Math.max(0, start); t < end; t++) {
        total[t] += samples[t - start] * gain;
      }
    });
    const mixed = new Int16Array(length);
    for (let t = 0; t < length; t++) {
      mixed[t] = Math.max(-32768, Math.min(32767, Math.floor((total[t] + UNITY / 2) / UNITY)));
    }
    return mixed;
  }

  return { UNITY, render };
})();
