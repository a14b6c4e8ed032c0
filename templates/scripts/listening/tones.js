/**
 * Three tones of which one is the softest, as in Woods et al. 2017: one is 6 dB below the others, and one has left and
 * right in opposite phase. By loudspeakers, these cancel each other, and that one seems the softest.
 */
const tones = (() => {
  'use strict';

  const RATE = 44100; // Hz
  const PITCH = 200; // Hz: waves so long that both loudspeakers stand close together in them
  const LEVEL = 0.1; // of full scale
  const TONE = 1; // seconds
  const RAMP = 0.1; // seconds in which a tone comes and goes
  const PAUSE = 0.5; // seconds between tones

  /** @param {('plain' | 'soft' | 'opposite')[]} order @returns {Int16Array} left and right in turn */
  function samples(order) {
    const step = Math.round((TONE + PAUSE) * RATE);
    const n = Math.round(TONE * RATE);
    const result = new Int16Array(2 * (step * order.length - Math.round(PAUSE * RATE)));
    order.forEach((kind, k) => {
      for (let i = 0; i < n; i++) {
        const edge = Math.min(1, Math.min(i, n - 1 - i) / (RAMP * RATE));
        const level = LEVEL * (kind === 'soft' ? 0.5 : 1) * (1 - Math.cos(Math.PI * edge)) * 0.5;
        const value = Math.round(32767 * level * Math.sin((2 * Math.PI * PITCH * i) / RATE));
        result[2 * (k * step + i)] = value;
        result[2 * (k * step + i) + 1] = kind === 'opposite' ? -value : value;
      }
    });
    return result;
  }

  /**
   * A player of tones.
   * @param {(playing: boolean) => void} changed
   */
  function make(changed) {
    /** @type {ReturnType<typeof sound.play> | null} */
    let voice = null;
    const owner = { stop };

    function stop() {
      voice?.stop();
      voice = null;
      sound.release(owner);
      changed(false);
    }

    /** @param {('plain' | 'soft' | 'opposite')[]} order */
    function play(order) {
      sound.claim(owner);
      voice?.stop();
      sound.wake(RATE);
      voice = sound.play(sound.toBuffer(samples(order), RATE, 2), { ended: stop });
      changed(true);
    }

    return { play, stop };
  }

  return { RATE, make, samples };
})();
