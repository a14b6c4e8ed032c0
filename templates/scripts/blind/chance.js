/** Chance in blind tests: draws, the chance of a result, and the interval of a share. */
const chance = (() => {
  'use strict';

  const CONFIDENCE = 0.95; // of intervals
  const HALVINGS = 60; // of an interval that holds the limit: more change no digit of a double

  /** Toss a fair coin. @returns {number} 0 or 1 */
  function draw() {
    return crypto.getRandomValues(new Uint8Array(1))[0] % 2;
  }

  /**
   * The probability of as many hits, or more: a sum of binomials.
   * @param {number} hits @param {number} n trials @param {number} [p] probability of a hit; one half is that of a guess
   * @returns {number}
   */
  function tail(hits, n, p = 0.5) {
    let sum = 0;
    for (let k = n, ways = 1; k >= hits; k--) {
      sum += ways * p ** k * (1 - p) ** (n - k);
      ways = (ways * k) / (n - k + 1);
    }
    return sum;
  }

  /**
   * The interval of Clopper and Pearson, which holds the true share of hits with at least 95 % confidence: at its ends,
   * results as far off as this one have a probability of 2.5 %.
   * @param {number} hits @param {number} n trials @returns {[number, number]} shares
   */
  function interval(hits, n) {
    const rare = (1 - CONFIDENCE) / 2;
    const low = hits === 0 ? 0 : solve((p) => tail(hits, n, p) < rare);
    const high = hits === n ? 1 : solve((p) => tail(hits + 1, n, p) < 1 - rare);
    return [low, high];
  }

  /** The place between 0 and 1 up to which something is true. @param {(p: number) => boolean} below @returns {number} */
  function solve(below) {
    let [low, high] = [0, 1];
    for (let i = 0; i < HALVINGS; i++) {
      const middle = (low + high) / 2;
      [low, high] = below(middle) ? [middle, high] : [low, middle];
    }
    return low;
  }

  return { draw, interval, tail };
})();
