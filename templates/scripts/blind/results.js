/**
 * Results of blind tests, in words and in addresses: blind=QUESTION,ONE,OTHER,HITS,TRIALS, with the numbers of the
 * versions.
 */
const results = (() => {
  'use strict';

  /**
   * @typedef {Parameters<typeof versions.match>[0]} Versions
   * @typedef {{question: string, pair: number[], n: number, hits: number}} Result
   */

  /** What an address has. @param {Result} result @returns {string} */
  const write = ({ question, pair, hits, n }) => [question, ...pair.map((i) => i + 1), hits, n].join();

  /** @param {Result} result @param {Versions} list */
  function inWords({ question, pair, hits, n }, list) {
    return questions.all[question].tell(
      hits,
      n,
      pair.map((i) => list[i].label),
    );
  }

  /**
   * A result that was linked, or null where the comparison can have no such one.
   * @param {string} text @param {Versions} list @returns {Result | null}
   */
  function read(text, list) {
    const [question, ...rest] = text.split(',');
    const [one, other, hits, n] = rest.map((digits) => (/^\d{1,3}$/.test(digits) ? Number(digits) : Number.NaN));
    const pair = [one - 1, other - 1];
    const known = Object.hasOwn(questions.all, question) && questions.all[question].trials.includes(n);
    const able = known && one !== other && pair.every((i) => questions.askable(list, question).includes(i));
    return able && rest.length === 4 && hits <= n ? { question, pair, hits, n } : null;
  }

  return { inWords, read, write };
})();
