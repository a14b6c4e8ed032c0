/**
 * Draws by a seed, the same in every browser: SplitMix64 (Steele, Lea and Flood 2014). The seed is hexadecimal; of one
 * of more than 64 bits the halves are combined by exclusive or. A draw below n is the high half of the product of n and
 * 64 random bits, and a list is shuffled from its end (Durstenfeld).
 */
const seeded = (() => {
  'use strict';

  const MASK = (1n << 64n) - 1n;
  const SEED = /^[0-9a-f]{8,32}$/;

  /** @param {string} seed @returns {{below: (n: number) => number, shuffled: <T>(list: T[]) => T[]}} */
  function make(seed) {
    const whole = BigInt(`0x${seed}`);
    let state = (whole ^ (whole >> 64n)) & MASK;

    /** @returns {bigint} of 64 bits */
    function next() {
      state = (state + 0x9e3779b97f4a7c15n) & MASK;
      let bits = state;
      bits = ((bits ^ (bits >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
      bits = ((bits ^ (bits >> 27n)) * 0x94d049bb133111ebn) & MASK;
      return bits ^ (bits >> 31n);
    }

    /** @param {number} n @returns {number} a whole number from 0, less than n */
    const below = (n) => Number((next() * BigInt(n)) >> 64n);

    /** @template T @param {T[]} list @returns {T[]} */
    function shuffled(list) {
      const result = [...list];
      for (let i = result.length - 1; i > 0; i--) {
        const k = below(i + 1);
        [result[i], result[k]] = [result[k], result[i]];
      }
      return result;
    }

    return { below, shuffled };
  }

  /** Bytes that nobody can foretell, as hexadecimal digits. @param {number} n @returns {string} */
  function hex(n) {
    const bytes = crypto.getRandomValues(new Uint8Array(n));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /**
   * The seed in an address, as ?seed=0123abcd or #seed=0123abcd; a new one if there is none.
   * @param {{search: string, hash: string}} address @returns {string} Raises: Error if it is no seed
   */
  function seedOf({ search, hash }) {
    const given = new URLSearchParams(search).get('seed') ?? new URLSearchParams(hash.slice(1)).get('seed');
    if (given === null) {
      return hex(8);
    }
    if (!SEED.test(given.toLowerCase())) {
      throw new Error(`The seed “${given.slice(0, 40)}” in the address is no number of 8 to 32 hexadecimal digits.`);
    }
    return given.toLowerCase();
  }

  return { hex, make, seedOf };
})();
