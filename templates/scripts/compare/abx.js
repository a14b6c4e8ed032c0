/**
 * The blind test: is X the sound A or the sound B? The answer is drawn anew for each trial and stands nowhere in the
 * page. Both are equally loud.
 */
const abx = (() => {
  'use strict';

  const TRIALS = [8, 12, 16, 20];
  const USUAL = 1; // index of the number that is chosen at first
  const LEVEL = 0.05; // of significance
  const SOUNDS = ['A', 'B', 'X'];
  const RULES =
    'X is A or B, drawn anew for each trial. Listen to all three as often as you like and say which it ' +
    'is. All are equally loud. How you did is told at the end.';

  /**
   * @typedef {Parameters<typeof versions.match>[0]} Versions
   * @typedef {{keys?: (event: KeyboardEvent) => void, leave?: () => void}} Manners `leave` is called when something
   *   else is shown, or nothing any more
   * @typedef {{show: (content: HTMLElement[], manners?: Manners) => void, restart: () => void,
   *   close: HTMLElement}} Stage
   */

  /** Draw X by a fair coin: 0 for A, 1 for B. @returns {number} */
  function draw() {
    return crypto.getRandomValues(new Uint8Array(1))[0] % 2;
  }

  /**
   * The probability that someone who guesses gets as many right, or more: a sum of binomials over 2^n, which doubles hold
   * exactly.
   * @param {number} correct @param {number} n trials @returns {number}
   */
  function pValue(correct, n) {
    let sum = 0;
    for (let k = n, ways = 1; k >= correct; k--) {
      sum += ways;
      ways = (ways * k) / (n - k + 1);
    }
    return sum / 2 ** n;
  }

  /** The result in words. @param {number} correct @param {number} n trials @returns {string} */
  function verdict(correct, n) {
    const p = pValue(correct, n);
    const share = p < 0.001 ? 'less than 0.1' : (100 * p).toFixed(p < 0.1 ? 1 : 0);
    const many = correct === n ? 'all' : `${correct} or more`;
    const meaning =
      p < LEVEL
        ? 'So you most likely heard a difference.'
        : 'So this is no evidence of a difference that you hear, nor does it show that there is none.';
    return `One who only guesses gets ${many} right in ${share} % of such tests. ${meaning}`;
  }

  /** @param {Versions} list */
  function open(list) {
    if (document.querySelector('dialog.abx')) {
      return; // pressed twice
    }
    const dialog = elements.make('dialog', { className: 'abx', ariaLabel: 'Blind test' });
    let leave = () => {};
    /** @type {Stage} */
    const stage = {
      close: button('Close', () => dialog.close()),
      restart: () => setUp(list, stage),
      show(content, manners = {}) {
        leave();
        leave = manners.leave || (() => {});
        dialog.onkeydown = manners.keys || null;
        dialog.replaceChildren(...content);
      },
    };
    dialog.addEventListener('close', () => {
      leave();
      dialog.remove();
    });
    const silence = { stop() {} };
    sound.claim(silence); // what plays in the page would be heard below the test
    sound.release(silence);
    document.body.append(dialog);
    dialog.showModal();
    stage.restart();
  }

  /** Ask for two versions to tell apart, and for the number of trials. @param {Versions} list @param {Stage} stage */
  function setUp(list, stage) {
    const labels = list.map(({ label }) => label);
    const pair = [choice('A', labels, 0), choice('B', labels, 1)];
    const trials = choice('Trials', TRIALS.map(String), USUAL);
    const keepApart = () =>
      pair.forEach(({ select }, i) =>
        Array.from(select.options).forEach((option, k) => {
          option.disabled = k === pair[1 - i].select.selectedIndex;
        }),
      );
    pair.forEach(({ select }) => select.addEventListener('change', keepApart));
    keepApart();
    const begin = button('Begin', () => {
      const chosen = pair.map(({ select }) => list[select.selectedIndex]);
      run(chosen, TRIALS[trials.select.selectedIndex], stage);
    });
    const heading = elements.make('h2', {}, 'Blind test');
    const rules = elements.make('p', {}, RULES);
    stage.show([heading, rules, ...[...pair, trials].map(({ label }) => label), row(begin, stage.close)]);
    begin.classList.add('primary');
    begin.focus();
  }

  /** Trial after trial. @param {Versions} pair @param {number} n trials @param {Stage} stage */
  function run(pair, n, stage) {
    let x = draw();
    let trial = 1;
    let correct = 0;
    const count = elements.make('h2', { ariaLive: 'polite' });
    const { playing, listen, buttons } = booth(pair, (i) => {
      playing.choose([0, 1, x][i], true);
      answers.forEach((button) => {
        button.disabled = button.disabled && i !== 2; // until X was heard, nobody can say what it is
      });
    });
    const answers = [0, 1].map((i) =>
      button(`X is ${SOUNDS[i]}`, () => {
        correct += Number(i === x);
        trial++;
        if (trial > n) {
          tell(correct, n, stage);
        } else {
          begin();
        }
      }),
    );

    function begin() {
      playing.pause(); // else one hears whether X has changed
      x = draw();
      answers.forEach((button) => {
        button.disabled = true;
      });
      count.textContent = `Trial ${trial} of ${n}`;
      stage.close.textContent = trial > 1 ? `Close, losing ${trial - 1} of ${n} answers` : 'Close';
      listen(0);
      buttons[2].focus();
    }

    /** @param {KeyboardEvent} event */
    function keys({ key, altKey, ctrlKey, metaKey }) {
      const i = SOUNDS.indexOf(key.toUpperCase());
      if (i >= 0 && !altKey && !ctrlKey && !metaKey) {
        buttons[i].click();
      }
    }

    const names = elements.make('p', {}, pair.map(({ label }, i) => `${SOUNDS[i]}: ${label}`).join('. '));
    const hint = elements.make('p', { className: 'note' }, 'Listen to X, then say what it is. Keys: a, b, x.');
    const content = [count, names, playing.element, row(...buttons), hint, row(...answers, stage.close)];
    answers.forEach((button) => button.classList.add('primary'));
    stage.show(content, { keys, leave: playing.pause });
    begin();
  }

  /**
   * The player of A, B and X: one for all trials, so that nothing of it depends on X.
   * @param {Versions} pair @param {(i: number) => void} chosen hears the index of A, B or X
   */
  function booth(pair, chosen) {
    const playing = transport.make(
      pair.map((version) => ({ ...version, label: 'the sound' })),
      () => {},
      true, // else one could hear which comes late
    );
    playing.setGains(versions.match(pair));
    const buttons = SOUNDS.map((name, i) =>
      button(name, () => {
        listen(i);
        if (!playing.playing()) {
          playing.play();
        }
      }),
    );

    /** @param {number} i */
    function listen(i) {
      buttons.forEach((button, k) => button.setAttribute('aria-pressed', String(k === i)));
      chosen(i);
    }

    return { playing, listen, buttons };
  }

  /** @param {number} correct @param {number} n trials @param {Stage} stage */
  function tell(correct, n, stage) {
    const p = pValue(correct, n);
    const heading = elements.make('h2', { tabIndex: -1 }, `${correct} of ${n} correct`);
    const size = p < 0.0001 ? '< 0.0001' : `= ${p.toFixed(4)}`;
    const number = `p ${size}, one-sided binomial test`;
    stage.show([
      heading,
      elements.make('p', {}, verdict(correct, n)),
      elements.make('p', { className: 'note' }, number),
      row(button('Again', stage.restart), stage.close),
    ]);
    stage.close.textContent = 'Close'; // nothing is lost any more
    heading.focus();
  }

  /** @param {string} text @param {() => void} press */
  function button(text, press) {
    return elements.button('button', text, press);
  }

  /** @param {string} name @param {string[]} options @param {number} index of the one that is chosen */
  function choice(name, options, index) {
    const select = elements.make('select', {}, ...options.map((text) => new Option(text)));
    select.selectedIndex = index;
    return { label: elements.make('label', {}, name, select), select };
  }

  /** @param {HTMLElement[]} parts @returns {HTMLElement} */
  function row(...parts) {
    return elements.make('div', { className: 'presses' }, ...parts);
  }

  return { draw, open, pValue, verdict };
})();
