/** All that a listener is asked, which follows from the design of a test and a seed. */
const course = (() => {
  'use strict';

  const ROUNDS = 6; // of the headphone check
  /** @type {('plain' | 'soft' | 'opposite')[]} */
  const TONES = ['plain', 'soft', 'opposite'];

  /**
   * @typedef {{name: string, sounds: Record<string, string>, gains: Record<string, number>}} Item
   * @typedef {{id: string, kind: 'mushra' | 'preference' | 'abx' | 'acr' | 'dcr', question: string, systems: string[],
   *   items: Item[], roles: Record<string, string>, scale: {least: number, most: number, words: string[]} | null,
   *   each: number, trials: number, training: string[], checks: {headphones: boolean, repeated: number},
   *   consent: string, token: string | null, post: string | null}} Design as report/listening/design.py writes it
   * @typedef {{item: Item, part: 'training' | 'test' | 'check', keys: string[], x: string | null}} Trial
   *   keys of the item's sounds in the order in which they are presented; x is one of them, in ABX
   * @typedef {{trials: Trial[], rounds: (typeof TONES)[]}} Plan
   */

  /** @param {Design} design @returns {boolean} whether listeners choose one of two */
  const isPaired = ({ kind }) => kind === 'preference' || kind === 'abx';

  /** The keys of what is judged. @param {Design} design @returns {string[]} */
  const rated = (design) => [...design.systems, ...(isPaired(design) ? [] : Object.keys(design.roles))];

  /** @param {string[]} systems @returns {[string, string][]} each two of them */
  const pairs = (systems) =>
    systems.flatMap((a, i) => systems.slice(i + 1).map((b) => /** @type {[string, string]} */ ([a, b])));

  /**
   * The trials of an item.
   * @param {Design} design @param {Item} item @param {'training' | 'test'} part @param {ReturnType<typeof seeded.make>} draw
   * @returns {Trial[]}
   */
  function ofItem(design, item, part, draw) {
    const trial = (/** @type {string[]} */ keys, /** @type {string | null} */ x = null) => ({ item, part, keys, x });
    if (design.kind === 'mushra') {
      return [trial(draw.shuffled(rated(design)))];
    }
    if (!isPaired(design)) {
      return draw.shuffled(rated(design)).map((key) => trial([key]));
    }
    const times = part === 'test' ? design.trials : 1;
    return pairs(design.systems).flatMap((pair) => {
      const first = draw.shuffled(pair);
      return Array.from({ length: times }, (_, i) => {
        if (design.kind === 'abx') {
          return trial(first, first[draw.below(2)]);
        }
        return trial(i % 2 ? [...first].reverse() : first); // each is A as often as B
      });
    });
  }

  /** @param {Design} design @param {Trial} trial @param {ReturnType<typeof seeded.make>} draw @returns {Trial} */
  function again(design, trial, draw) {
    const keys = design.kind === 'preference' ? [...trial.keys].reverse() : draw.shuffled(trial.keys);
    return { ...trial, part: 'check', keys };
  }

  /** @param {Design} design @param {string} seed @returns {Plan} */
  function plan(design, seed) {
    const draw = seeded.make(seed);
    const isTraining = (/** @type {Item} */ { name }) => design.training.includes(name);
    const training = design.items.filter(isTraining).flatMap((item) => ofItem(design, item, 'training', draw));
    const items = draw.shuffled(design.items.filter((item) => !isTraining(item))).slice(0, design.each);
    const inOrder = items.flatMap((item) => ofItem(design, item, 'test', draw));
    const mixed = design.kind === 'mushra' || design.kind === 'abx' ? inOrder : draw.shuffled(inOrder);
    const repeated = draw.shuffled(mixed).slice(0, design.checks.repeated);
    const checks = repeated.map((trial) => again(design, trial, draw));
    const rounds = Array.from({ length: design.checks.headphones ? ROUNDS : 0 }, () => draw.shuffled(TONES));
    return { trials: [...training, ...mixed, ...checks], rounds };
  }

  return { isPaired, plan };
})();
