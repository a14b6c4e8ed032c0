/** Numbers as the page writes them. A minus is as wide as a plus. */
const numbers = (() => {
  'use strict';

  /** @param {number} value @param {number} digits after the point @returns {string} */
  function fixed(value, digits) {
    return value.toFixed(digits).replace('-', '−').replace('Infinity', '∞');
  }

  /** @param {number} value @param {number} digits @returns {string} with a plus if it is above 0 */
  function signed(value, digits) {
    return (value > 0 ? '+' : '') + fixed(value, digits);
  }

  /** @param {number} value dB @returns {string} */
  function decibels(value) {
    return `${signed(value, 1)} dB`;
  }

  /** The number that `fixed` wrote. @param {string} text @returns {number} */
  function parse(text) {
    return Number(text.replace('−', '-').replace('∞', 'Infinity'));
  }

  /** @param {number} seconds @returns {string} minutes, seconds and tenths */
  function clock(seconds) {
    const tenths = Math.round(seconds * 10);
    return `${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, '0')}`;
  }

  /** @param {number} bytes @returns {string} megabytes, or below one of them kilobytes; at least "1 kB" */
  function size(bytes) {
    return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.max(1, bytes / 1e3).toFixed(0)} kB`;
  }

  /** @param {[number, number]} times seconds @param {string} dash @returns {string} */
  function range(times, dash) {
    return times.map((time) => time.toFixed(1)).join(dash);
  }

  return { clock, decibels, fixed, parse, range, signed, size };
})();
