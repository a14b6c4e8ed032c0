/**
 * The blind test: is X the sound A or the sound B? Which it is, is drawn anew for each trial and stands nowhere in the
 * page. Both are equally loud.
 */
const abx = (() => {
  'use strict';

  const TRIALS = [8, 12, 16, 20];
  const USUAL = 1; // which of them is chosen at first
  const LEVEL = 0.05; // of significance
  const SOUNDS = ['A', 'B', 'X'];
  const RULES =
    'X is A or B, drawn anew for each trial. Listen to all three as often as you like and say which it ' +
    'is. All are equally loud. How you did is told at the end.';

  /**
   * @typedef {Parameters<typeof versions.match>[0]} Versions
   * @typedef {{keys?: (event: KeyboardEvent) => void, leave?: () => void}} Manners `leave` is called when something
   *   else is shown, or nothing any more
   * @typedef {{show: (content: HTMLElement[], manners?: Manners) => void, restart: () => void, close: HTMLElement,
   *   dialog: HTMLDialogElement}} Stage
   */

  /** What X is, by a fair coin: 0 for A, 1 for B. @returns {number} */
  function draw() {
    return crypto.getRandomValues(new Uint8Array(1))[0] % 2;
  }

  /**
   * How likely one who guesses gets so many right or more: a sum of binomials over 2^n, which doubles hold exactly.
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

  /** What that means. @param {number} correct @param {number} n trials @returns {string} */
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
    const dialog = make('dialog', { className: 'abx', ariaLabel: 'Blind test' });
    let leave = () => {};
    /** @type {Stage} */
    const stage = {
      dialog,
      close: press('Close', () => dialog.close()),
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

  /** Ask which versions are to be told apart, and how often. @param {Versions} list @param {Stage} stage */
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
    const begin = press('Begin', () => {
      const chosen = pair.map(({ select }) => list[select.selectedIndex]);
      run(chosen, TRIALS[trials.select.selectedIndex], stage);
    });
    const heading = make('h2', { textContent: 'Blind test' });
    const rules = make('p', { textContent: RULES });
    stage.show([heading, rules, ...[...pair, trials].map(({ label }) => label), row(begin, stage.close)]);
    begin.classList.add('primary');
    begin.focus();
  }

  /** Trial after trial. @param {Versions} pair @param {number} n trials @param {Stage} stage */
  function run(pair, n, stage) {
    let x = draw();
    let trial = 1;
    let correct = 0;
    const count = make('h2', { ariaLive: 'polite' });
    const { playing, listen, buttons } = booth(pair, (i) => {
      playing.choose([0, 1, x][i], true);
      answers.forEach((button) => {
        button.disabled = button.disabled && i !== 2; // whoever has not heard X can not say what it is
      });
    });
    const answers = [0, 1].map((i) =>
      press(`X is ${SOUNDS[i]}`, () => {
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
      playing.pause(); // or it would be heard whether X has changed
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

    const names = make('p', { textContent: pair.map(({ label }, i) => `${SOUNDS[i]}: ${label}`).join('. ') });
    const hint = make('p', { className: 'note', textContent: 'Listen to X, then say what it is. Keys: a, b, x.' });
    const content = [count, names, playing.element, row(...buttons), hint, row(...answers, stage.close)];
    answers.forEach((button) => button.classList.add('primary'));
    stage.show(content, { keys, leave: playing.pause });
    begin();
  }

  /**
   * What one listens with: the same for all trials, so that nothing of it depends on what X is.
   * @param {Versions} pair @param {(i: number) => void} chosen hears which of A, B and X it is
   */
  function booth(pair, chosen) {
    const playing = transport.make(
      pair.map((version) => ({ ...version, label: 'the sound' })),
      () => {},
    );
    playing.setGains(versions.match(pair));
    const buttons = SOUNDS.map((name, i) =>
      press(name, () => {
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
    const heading = make('h2', { textContent: `${correct} of ${n} correct`, tabIndex: -1 });
    const number = `p ${p < 0.0001 ? '< 0.0001' : `= ${p.toFixed(4)}`}, one-sided binomial test`;
    stage.show([
      heading,
      make('p', { textContent: verdict(correct, n) }),
      make('p', { className: 'note', textContent: number }),
      row(press('Again', stage.restart), stage.close),
    ]);
    stage.close.textContent = 'Close'; // nothing is lost any more
    heading.focus();
  }

  /**
   * @template {keyof HTMLElementTagNameMap} Tag
   * @param {Tag} tag @param {Partial<HTMLElementTagNameMap[Tag]>} properties @returns {HTMLElementTagNameMap[Tag]}
   */
  function make(tag, properties) {
    return Object.assign(document.createElement(tag), properties);
  }

  /** @param {string} text @param {() => void} answer @returns {HTMLButtonElement} */
  function press(text, answer) {
    const button = make('button', { type: 'button', className: 'button', textContent: text });
    button.addEventListener('click', answer);
    return button;
  }

  /** @param {string} name @param {string[]} options @param {number} index of the one that is chosen */
  function choice(name, options, index) {
    const select = make('select', {});
    select.append(...options.map((text) => make('option', { textContent: text })));
    select.selectedIndex = index;
    const label = make('label', { textContent: name });
    label.append(select);
    return { label, select };
  }

  /** @param {HTMLElement[]} parts @returns {HTMLElement} */
  function row(...parts) {
    const line = make('div', { className: 'presses' });
    line.append(...parts);
    return line;
  }

  return { draw, open, pValue, verdict };
})();
