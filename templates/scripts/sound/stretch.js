/**
 * Sounds that last longer or shorter at the same pitch: overlapping frames are laid out anew, each taken from where it
 * best goes on from the one before (waveform similarity overlap-add, Verhelst and Roelands 1993).
 */
const stretch = (() => {
  'use strict';

  const HOP = 0.02; // seconds between frames, which are twice as long
  const REACH = 0.012; // seconds by which a frame may be taken from elsewhere: a period of 83 Hz
  const COARSE = 5500; // Hz; similarity is looked for at this rate first

  /** @type {WeakMap<AudioBuffer[], {speed: number, result: AudioBuffer[]}>} */
  const made = new WeakMap();

  /**
   * Buffers of one length and rate at another speed. All are cut at the same places, so that they stay in lock.
   * @param {AudioBuffer[]} buffers @param {number} speed of which 2 is twice as fast @returns {AudioBuffer[]}
   */
  function apply(buffers, speed) {
    if (speed === 1) {
      return buffers;
    }
    const known = made.get(buffers);
    if (known?.speed === speed) {
      return known.result;
    }
    const { sampleRate, length } = buffers[0];
    const channels = buffers.map((buffer) =>
      Array.from({ length: buffer.numberOfChannels }, (_, c) => buffer.getChannelData(c)),
    );
    const all = channels.flat();
    const guide = Float32Array.from({ length }, (_, t) => all.reduce((sum, channel) => sum + channel[t], 0));
    const hop = Math.round(HOP * sampleRate);
    const places = findPlaces(guide, hop, speed, Math.round(REACH * sampleRate), Math.ceil(sampleRate / COARSE));
    const result = channels.map((ones) => {
      const numberOfChannels = ones.length;
      const buffer = new AudioBuffer({ length: Math.ceil(length / speed), sampleRate, numberOfChannels });
      for (const [c, channel] of ones.entries()) {
        layOut(channel, places, hop, buffer.getChannelData(c));
      }
      return buffer;
    });
    made.set(buffers, { speed, result });
    return result;
  }

  /**
   * Where in x each frame is taken from. The first begins a hop before the beginning.
   * @param {Float32Array} x @param {number} hop @param {number} speed @param {number} reach @param {number} coarse
   *   samples that are passed over @returns {Int32Array}
   */
  function findPlaces(x, hop, speed, reach, coarse) {
    const places = new Int32Array(Math.ceil(x.length / speed / hop) + 1);
    places[0] = -hop;
    for (let k = 1; k < places.length; k++) {
      const next = places[k - 1] + hop; // where the frame before goes on
      const due = Math.round((k - 1) * hop * speed);
      const near = k === 1 ? due : best(x, next, due - reach, due + reach, coarse, hop);
      places[k] = coarse > 1 && k > 1 ? best(x, next, near - coarse, near + coarse, 1, hop) : near;
    }
    return places;
  }

  /**
   * The place between `first` and `last` from which x is most like x from `next` on.
   * @param {Float32Array} x @param {number} next @param {number} first @param {number} last @param {number} step
   * @param {number} hop
   */
  function best(x, next, first, last, step, hop) {
    let place = Math.max(0, Math.min(next, last));
    let most = -Infinity;
    for (let from = Math.max(0, first); from <= last; from += step) {
      let [product, energy] = [0, 1e-9];
      for (let t = 0; t < 2 * hop; t += step) {
        const value = x[from + t] || 0;
        product += value * (x[next + t] || 0);
        energy += value * value;
      }
      const likeness = product / Math.sqrt(energy);
      if (likeness > most) {
        most = likeness;
        place = from;
      }
    }
    return place;
  }

  /** @param {Float32Array} x @param {Int32Array} places @param {number} hop @param {Float32Array} out */
  function layOut(x, places, hop, out) {
    const rise = Float32Array.from({ length: 2 * hop }, (_, t) => (1 - Math.cos((Math.PI * (t + 0.5)) / hop)) / 2);
    places.forEach((place, k) => {
      for (let t = 0, at = (k - 1) * hop; t < 2 * hop; t++, at++) {
        if (at >= 0 && at < out.length) {
          out[at] += rise[t] * (x[place + t] || 0);
        }
      }
    });
  }

  return { apply };
})();
