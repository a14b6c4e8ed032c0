/**
 * What is left of a sound when events are taken off: its spectrogram less theirs, with its own phases. The codec matches
 * spectrograms and not waveforms, so that a difference of samples would hold its events twice instead of not at all.
 *
 * In frames of WINDOW samples, HOP apart, a bin of magnitude A in the sound, and of E in all events together, each of
 * which has the magnitude that it has alone, is scaled by max(0, 1 - E / A).
 */
const subtraction = (() => {
  'use strict';

  const WINDOW = 2048; // samples; a power of two
  const HOP = 512;
  const SLICE = 30; // milliseconds of work after which the page gets its turn
  const OVERLAP = 1.5; // sum of the squared windows over each sample
  /** Hann, for the way into a spectrum and back. */
  const SHAPE = Float64Array.from({ length: WINDOW }, (_, i) => (1 - Math.cos((2 * Math.PI * i) / WINDOW)) / 2);
  const COS = Float64Array.from({ length: WINDOW / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / WINDOW));
  const SIN = Float64Array.from({ length: WINDOW / 2 }, (_, i) => Math.sin((2 * Math.PI * i) / WINDOW));

  /** @typedef {{samples: Int16Array, start: number}} Layer a sound that begins at a sample of another */

  /**
   * @param {Int16Array} original @param {Layer[]} events
   * @param {() => boolean} isOld whether nobody waits for the result any more: then it is left as far as it is
   * @param {number} [channels] of all of them, each of which is taken by itself
   * @returns {Promise<Int16Array>} as long as `original`
   */
  async function subtract(original, events, isOld = () => false, channels = 1) {
    const left = new Int16Array(original.length);
    for (let channel = 0; channel < channels; channel++) {
      const taken = events.map(({ samples, start }) => ({ samples: side(samples, channel, channels), start }));
      const rest = await subtractOne(side(original, channel, channels), taken, isOld);
      rest.forEach((value, t) => {
        left[t * channels + channel] = value;
      });
    }
    return left;
  }

  /** One of the channels, which take turns. @param {Int16Array} samples @param {number} channel @param {number} channels */
  function side(samples, channel, channels) {
    return channels === 1 ? samples : samples.filter((_, at) => at % channels === channel);
  }

  /** @param {Int16Array} original @param {Layer[]} events @param {() => boolean} isOld @returns {Promise<Int16Array>} */
  async function subtractOne(original, events, isOld) {
    const left = new Float64Array(original.length);
    let until = performance.now() + SLICE;
    for (let at = HOP - WINDOW; at < original.length; at += HOP) {
      if (performance.now() > until) {
        await new Promise((resolve) => setTimeout(resolve));
        if (isOld()) {
          break;
        }
        until = performance.now() + SLICE;
      }
      const [re, im] = spectrum({ samples: original, start: 0 }, null, at);
      const gains = gainsOf(re, im, magnitudes(events, at));
      for (let k = 0; k < WINDOW; k++) {
        const gain = gains[Math.min(k, WINDOW - k)];
        re[k] *= gain;
        im[k] *= -gain; // turned round, so that the transform leads back
      }
      transform(re, im);
      for (let i = Math.max(0, -at); i < Math.min(WINDOW, original.length - at); i++) {
        left[at + i] += (re[i] * SHAPE[i]) / WINDOW / OVERLAP;
      }
    }
    return Int16Array.from(left, (value) => Math.max(-32768, Math.min(32767, Math.floor(value + 0.5))));
  }

  /** @param {Float64Array} re @param {Float64Array} im @param {Float64Array} taken magnitudes @returns {Float64Array} */
  function gainsOf(re, im, taken) {
    return taken.map((level, k) => (level ? Math.max(0, 1 - level / Math.max(1e-9, Math.hypot(re[k], im[k]))) : 1));
  }

  /**
   * The sum of the magnitudes that events have each alone. Two go through one transform, as real and imaginary part.
   * @param {Layer[]} events @param {number} at sample of the frame @returns {Float64Array} up to half the rate
   */
  function magnitudes(events, at) {
    const sum = new Float64Array(WINDOW / 2 + 1);
    const here = events.filter(({ samples, start }) => start < at + WINDOW && start + samples.length > at);
    for (let i = 0; i < here.length; i += 2) {
      const [re, im] = spectrum(here[i], here[i + 1] || null, at);
      for (let k = 0; k < sum.length; k++) {
        const m = (WINDOW - k) % WINDOW;
        sum[k] += Math.hypot(re[k] + re[m], im[k] - im[m]) / 2 + Math.hypot(im[k] + im[m], re[m] - re[k]) / 2;
      }
    }
    return sum;
  }

  /** The spectrum of a frame of two sounds. @param {Layer} real @param {Layer | null} imaginary @param {number} at */
  function spectrum(real, imaginary, at) {
    const parts = [real, imaginary].map((layer) => {
      const { samples, start } = layer || { samples: new Int16Array(), start: 0 };
      return SHAPE.map((weight, i) => weight * (samples[at + i - start] || 0));
    });
    transform(parts[0], parts[1]);
    return parts;
  }

  /** The discrete Fourier transform, in place, by halves. @param {Float64Array} re @param {Float64Array} im */
  function transform(re, im) {
    for (let i = 1, j = 0; i < WINDOW; i++) {
      let bit = WINDOW >> 1;
      for (; j & bit; bit >>= 1) {
        j ^= bit;
      }
      j ^= bit; // i with its bits in reverse
      if (i < j) {
        [re[i], re[j]] = [re[j], re[i]];
        [im[i], im[j]] = [im[j], im[i]];
      }
    }
    for (let half = 1; half < WINDOW; half *= 2) {
      for (let k = 0; k < half; k++) {
        const [c, s] = [COS[(k * WINDOW) / 2 / half], -SIN[(k * WINDOW) / 2 / half]];
        for (let a = k, b = k + half; a < WINDOW; a += 2 * half, b += 2 * half) {
          const x = re[b] * c - im[b] * s;
          const y = re[b] * s + im[b] * c;
          re[b] = re[a] - x;
          im[b] = im[a] - y;
          re[a] += x;
          im[a] += y;
        }
      }
    }
  }

  return { subtract };
})();
