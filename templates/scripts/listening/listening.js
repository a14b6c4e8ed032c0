/** Starts listening tests: a button that leads through consent, volume, headphones, training and trials to the answers. */
(() => {
  'use strict';

  /**
   * @typedef {ReturnType<typeof clips.read>} Facts
   * @typedef {{seed: string, begun: number, plan: ReturnType<typeof course.plan>, step: number, saved: boolean,
   *   seconds: number, trials: Parameters<Parameters<typeof trial.make>[3]>[0][],
   *   checks: {headphones: {right: number, of: number} | null, level: boolean}}} Run one listener's
   * @typedef {Parameters<ReturnType<typeof stage.open>['show']>[0]} View
   */

  const listener = seeded.hex(16); // of this visit alone; nothing of it is kept

  /** @param {Facts} facts @returns {Run} Raises: Error if the address has a wrong seed */
  function begin({ design }) {
    const seed = seeded.seedOf(location);
    const plan = course.plan(design, seed);
    const checks = { headphones: null, level: false };
    return { seed, begun: performance.now(), plan, step: 0, saved: false, seconds: 0, trials: [], checks };
  }

  /** @param {Facts} facts @param {Run} run */
  function answersOf({ design, digest, page }, { seed, seconds, trials, checks }) {
    return {
      format: 'listening-test-answers',
      version: 1,
      test: design.id,
      page,
      design: digest,
      seed,
      listener,
      token: design.token,
      trials,
      checks,
      seconds,
    };
  }

  /** @param {Run} run @param {number} i index of a trial @returns {string} */
  function titleOf({ plan }, i) {
    const isTraining = (/** @type {{part: string}} */ { part }) => part === 'training';
    const same = plan.trials.filter((each) => isTraining(each) === isTraining(plan.trials[i]));
    const name = isTraining(plan.trials[i]) ? 'Training' : 'Trial';
    return `${name} ${same.indexOf(plan.trials[i]) + 1} of ${same.length}`;
  }

  /**
   * What comes one after the other. Each leads on by `next`.
   * @param {Facts} facts @param {Run} run @param {() => void} next @returns {(() => View)[]}
   */
  function steps(facts, run, next) {
    const { trials, rounds } = run.plan;
    const counted = trials.filter(({ part }) => part !== 'training');
    return [
      () => before.welcome(facts, trials.length, next),
      () =>
        before.level(facts, counted[0], () => {
          run.checks.level = true;
          next();
        }),
      ...(rounds.length
        ? [
            () =>
              before.headphones(rounds, (result) => {
                run.checks.headphones = result;
                next();
              }),
          ]
        : []),
      ...trials.map(
        (each, i) => () =>
          trial.make(facts, each, titleOf(run, i), (answer) => {
            run.trials.push(answer);
            run.seconds = Math.round((performance.now() - run.begun) / 1000);
            next();
          }),
      ),
      () =>
        after.farewell(facts, answersOf(facts, run), () => {
          run.saved = true;
        }),
    ];
  }

  /** @param {HTMLElement} figure */
  function enhance(figure) {
    const facts = clips.read(figure);
    /** @type {Run | null} */
    let run = null; // goes on where it was left

    function open() {
      if (document.querySelector('dialog.asking')) {
        return; // pressed twice
      }
      try {
        run = run || begin(facts);
        failure.show(figure, null);
      } catch (error) {
        failure.show(figure, /** @type {Error} */ (error).message, button);
        return;
      }
      hold(run);
    }

    /** @param {Run} mine */
    function hold(mine) {
      const shown = stage.open(facts.title);
      const all = steps(facts, mine, () => {
        mine.step++;
        show();
      });
      const show = () => {
        shown.show(all[mine.step](), mine.step / (all.length - 1));
        button.textContent = mine.step === all.length - 1 ? 'See your answers' : 'Go on with the test';
      };
      show();
    }

    const button = elements.button('button primary', 'Take part', open);
    button.ariaHasPopup = 'dialog';
    elements.find('.needs', figure).replaceWith(elements.make('div', { className: 'presses' }, button));
    window.addEventListener('beforeunload', (event) => {
      if (run?.trials.length && !run.saved) {
        event.preventDefault(); // the browser asks whether answers may be lost
      }
    });
  }

  elements.all('.listening').forEach(enhance);
})();
