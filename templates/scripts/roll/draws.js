/**
 * Random times of events, the same for a seed as those of `EventSet.randomise_times` and of `sparse-codec randomise`.
 *
 * The generator is SplitMix with 32 bits: draw i of a seed is scramble(scramble(seed) + (i + 1) * STEP), of which the
 * share of 2^32 is uniform in [0, 1).
 */
const draws = (() => {
  'use strict';

  const STEP = 0x9e3779b9; // 2^32 divided by the golden ratio

  /** A bijection of 32 bits whose every bit depends on all bits: the last step of MurmurHash3. @param {number} x */
  function scramble(x) {
    const once = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
    return (twice ^ (twice >>> 16)) >>> 0;
  }

  /** @param {number} seed @param {number} n @param {number} until samples @returns {number[]} n starts before `until` */
  function times(seed, n, until) {
    const begin = scramble(seed);
    const share = (/** @type {number} */ i) => scramble(begin + Math.imul(i + 1, STEP)) / 2 ** 32;
    return Array.from({ length: n }, (_, i) => Math.floor(share(i) * until));
  }

  /**
   * The seed of starts that were drawn. @param {number[]} starts @param {number} until samples
   * @param {number} last seed that was used; the first is 1 @returns {number | null}
   */
  function seedOf(starts, until, last) {
    for (let seed = last; seed > 0; seed--) {
      if (starts.length && String(times(seed, starts.length, until)) === String(starts)) {
        return seed;
      }
    }
    return null;
  }

  return { seedOf, times };
})();
