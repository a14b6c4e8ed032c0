/**
 * The questions that a blind test can ask. Each is about a pair of versions, and a coin that is tossed anew for each
 * trial says how these are hidden. A hit is the answer that the coin stands for.
 */
const questions = (() => {
  'use strict';

  const LEVEL = 0.05; // of significance

  /**
   * @typedef {{
   *   title: string, rules: string, trials: number[], usual: number, sides: string[],
   *   sounds: string[], hint: string, answers: string[], needed: number[], first: number,
   *   loads: (list: Versions, pair: number[]) => Versions, hide: (coin: number) => number[],
   *   names: (pair: string[]) => string, tell: (hits: number, n: number, pair: string[]) => Told}} Question
   *   `usual` is the number of trials that is chosen at first, and `sides` name the two of the pair; `sounds` are buttons,
   *   of which those in `needed` have to be heard before an answer, and `first` has the focus; `hide` says for each which
   *   of the sounds that `loads` gives is heard
   * @typedef {{heading: string, meaning: string, number: string}} Told a result in words
   * @typedef {Parameters<typeof versions.match>[0]} Versions
   */

  /** @type {Question} */
  const nearer = {
    title: 'Nearer to the original?',
    rules:
      'A and B are two versions, hidden anew for each trial. Listen to both and to the original as often as you like, ' +
      'and say which is nearer to it. All are equally loud. How you answered is told at the end.',
    trials: [5, 10, 20],
    usual: 5,
    sides: ['One', 'Other'],
    sounds: ['Original', 'A', 'B'],
    hint: 'Listen to A and B, then say which is nearer to the original. Keys: o, a, b.',
    answers: ['A is nearer', 'B is nearer'],
    needed: [1, 2],
    first: 0,
    loads: (list, pair) => [list[0], ...pair.map((i) => list[i])],
    hide: (coin) => [0, 1 + coin, 2 - coin],
    names: (pair) => `A and B are, in either order: ${pair.join('; ')}`,
    tell(hits, n, pair) {
      const [more, name] = 2 * hits < n ? [n - hits, pair[1]] : [hits, pair[0]];
      const [low, high] = chance.interval(more, n);
      return {
        heading: `${name}: nearer in ${more} of ${n}`,
        meaning: meaningOf(low > 0.5, name, n),
        number: `${percent(more / n)} % of answers, 95 % interval ${percent(low)} to ${percent(high)} % (Clopper and Pearson)`,
      };
    },
  };

  /** @type {Question} */
  const abx = {
    title: 'A difference? (ABX)',
    rules:
      'X is A or B, drawn anew for each trial. Listen to all three as often as you like and say which it ' +
      'is. All are equally loud. How you did is told at the end.',
    trials: [8, 12, 16, 20],
    usual: 12,
    sides: ['A', 'B'],
    sounds: ['A', 'B', 'X'],
    hint: 'Listen to X, then say what it is. Keys: a, b, x.',
    answers: ['X is A', 'X is B'],
    needed: [2],
    first: 2,
    loads: (list, pair) => pair.map((i) => list[i]),
    hide: (coin) => [0, 1, coin],
    names: (pair) => pair.map((name, i) => `${'AB'[i]}: ${name}`).join('. '),
    tell(hits, n, pair) {
      const p = chance.tail(hits, n);
      const size = p < 0.0001 ? '< 0.0001' : `= ${p.toFixed(4)}`;
      const [low, high] = chance.interval(hits, n);
      const interval = `95 % interval of the share ${percent(low)} to ${percent(high)} %`;
      return {
        heading: `${hits} of ${n} correct`,
        meaning: `${pair.join(' or ')}: ${verdict(hits, n)}`,
        number: `p ${size}, one-sided binomial test; ${interval}`,
      };
    },
  };

  /** @param {boolean} settled @param {string} name of the one that won more trials @param {number} n trials */
  function meaningOf(settled, name, n) {
    if (settled) {
      return `So to this ear ${name} most likely is the nearer one.`;
    }
    const able = chance.interval(n, n)[0] > 0.5;
    const few = able ? '' : ` Even ${n} of ${n} would not: more trials, or more listeners, can.`;
    return `So this does not settle which is nearer.${few}`;
  }

  /** The result of ABX in words. @param {number} correct @param {number} n trials @returns {string} */
  function verdict(correct, n) {
    const p = chance.tail(correct, n);
    const share = p < 0.001 ? 'less than 0.1' : (100 * p).toFixed(p < 0.1 ? 1 : 0);
    const many = correct === n ? 'all' : `${correct} or more`;
    const meaning =
      p < LEVEL
        ? 'So a difference was most likely heard.'
        : 'So this is no evidence that a difference was heard, nor does it show that there is none.';
    return `one who only guesses gets ${many} right in ${share} % of such tests. ${meaning}`;
  }

  /** @param {number} share @returns {string} */
  const percent = (share) => (100 * share).toFixed(0);

  /** @type {Record<string, Question>} by their names in addresses */
  const all = { nearer, abx };

  /** The numbers of the versions that a question is about. @param {Versions} list @param {string} question */
  function askable(list, question) {
    const made = list.flatMap(({ difference }, i) => (difference ? [] : [i]));
    return question === 'nearer' ? made.filter((i) => i > 0) : made;
  }

  /** What can be asked of versions: only of two that are not the original, which is nearer. @param {Versions} list */
  const asked = (list) => Object.keys(all).filter((name) => askable(list, name).length > 1);

  return { all, askable, asked, verdict };
})();
