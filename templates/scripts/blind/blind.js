/**
 * The blind test of a comparison. How the versions are hidden is drawn anew for each trial and stands nowhere in the page;
 * all are equally loud.
 */
const blind = (() => {
  'use strict';

  /**
   * @typedef {Parameters<typeof versions.match>[0]} Versions
   * @typedef {{question: string, pair: number[], n: number}} Plan what is asked of which versions, and how often
   * @typedef {Parameters<typeof results.write>[0]} Result
   * @typedef {{keys?: (event: KeyboardEvent) => void, leave?: () => void}} Manners `leave` is called when something
   *   else is shown, or nothing any more
   * @typedef {{show: (content: HTMLElement[], manners?: Manners) => void, restart: (plan?: Plan) => void,
   *   close: HTMLElement, list: Versions, id: string}} Stage `id` is that of the comparison
   */

  /** @param {Versions} list @param {string} id of the comparison @param {Plan} [plan] what is chosen at first */
  function open(list, id, plan) {
    if (document.querySelector('dialog.blind')) {
      return; // pressed twice
    }
    const dialog = elements.make('dialog', { className: 'blind', ariaLabel: 'Blind test' });
    let leave = () => {};
    /** @type {Stage} */
    const stage = {
      list,
      id,
      close: button('Close', () => dialog.close()),
      restart: (plan) => setUp(stage, plan),
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
    stage.restart(plan);
  }

  /**
   * Ask for the question, two versions, and the number of trials.
   * @param {Stage} stage @param {Plan} [plan] @returns {HTMLSelectElement} where the question is chosen
   */
  function setUp(stage, plan) {
    const { list, close } = stage;
    const names = questions.asked(list);
    const question = plan?.question || names[0];
    const { rules, trials, usual, sides } = questions.all[question];
    const able = questions.askable(list, question);
    const titles = names.map((name) => questions.all[name].title);
    const what = choice('Question', titles, names.indexOf(question));
    const labels = able.map((i) => list[i].label);
    const pair = sides.map((side, k) => choice(side, labels, plan?.pair.length ? able.indexOf(plan.pair[k]) : k));
    const often = choice('Trials', trials.map(String), trials.indexOf(plan?.n || usual));
    const keepApart = () =>
      pair.forEach(({ select }, k) =>
        Array.from(select.options).forEach((option, i) => {
          option.disabled = i === pair[1 - k].select.selectedIndex;
        }),
      );
    pair.forEach(({ select }) => select.addEventListener('change', keepApart));
    keepApart();
    what.select.addEventListener('change', () => {
      setUp(stage, { question: names[what.select.selectedIndex], pair: [], n: 0 }).focus();
    });
    const begin = button('Begin', () => {
      const chosen = pair.map(({ select }) => able[select.selectedIndex]);
      run({ question, pair: chosen, n: trials[often.select.selectedIndex] }, stage);
    });
    const heading = elements.make('h2', {}, 'Blind test');
    const choices = [...(names.length > 1 ? [what] : []), ...pair, often].map(({ label }) => label);
    stage.show([heading, ...choices, elements.make('p', {}, rules), row(begin, close)]);
    begin.classList.add('primary');
    begin.focus();
    return what.select;
  }

  /** Trial after trial. @param {Plan} plan @param {Stage} stage */
  function run(plan, stage) {
    const { n, pair } = plan;
    const question = questions.all[plan.question];
    let coin = chance.draw();
    let trial = 1;
    let hits = 0;
    /** @type {Set<number>} */
    let unheard = new Set();
    const count = elements.make('h2', { ariaLive: 'polite' });
    const { playing, listen, buttons } = booth(question, question.loads(stage.list, pair), (i) => {
      playing.choose(question.hide(coin)[i], true);
      unheard.delete(i);
      answers.forEach((button) => {
        button.disabled = unheard.size > 0; // until all were heard, nobody can say
      });
    });
    const answers = question.answers.map((text, i) =>
      button(text, () => {
        hits += Number(i === coin);
        trial++;
        if (trial > n) {
          tell({ ...plan, hits }, stage);
        } else {
          begin();
        }
      }),
    );

    function begin() {
      playing.pause(); // else one hears whether something has changed
      coin = chance.draw();
      unheard = new Set(question.needed);
      count.textContent = `Trial ${trial} of ${n}`;
      stage.close.textContent = trial > 1 ? `Close, losing ${trial - 1} of ${n} answers` : 'Close';
      listen(0);
      buttons[question.first].focus();
    }

    /** @param {KeyboardEvent} event */
    function keys({ key, altKey, ctrlKey, metaKey }) {
      const i = question.sounds.findIndex((name) => name[0] === key.toUpperCase());
      if (i >= 0 && !altKey && !ctrlKey && !metaKey) {
        buttons[i].click();
      }
    }

    const names = elements.make('p', {}, question.names(pair.map((i) => stage.list[i].label)));
    const hint = elements.make('p', { className: 'note' }, question.hint);
    const content = [count, names, playing.element, row(...buttons), hint, row(...answers, stage.close)];
    answers.forEach((button) => button.classList.add('primary'));
    stage.show(content, { keys, leave: playing.pause });
    begin();
  }

  /**
   * The player of all sounds of a trial: one for all trials, so that nothing of it depends on what is drawn.
   * @param {typeof questions.all.abx} question @param {Versions} list what it plays
   * @param {(i: number) => void} chosen hears the number of the button
   */
  function booth(question, list, chosen) {
    const playing = transport.make(
      list.map((version) => ({ ...version, label: 'the sound' })),
      () => {},
      true, // else one could hear which comes late
    );
    playing.setGains(versions.match(list));
    const buttons = question.sounds.map((name, i) =>
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

  /** @param {Result} result @param {Stage} stage */
  function tell(result, stage) {
    const { heading, meaning, number } = results.inWords(result, stage.list);
    const title = elements.make('h2', { tabIndex: -1 }, heading);
    const link = links.copier('Copy link', 'Copy link to this result', () =>
      links.address(stage.id, {
        blind: results.write(result),
      }),
    );
    link.className = 'button';
    link.removeAttribute('aria-label'); // its text says what came of a press, where nothing else of the page is heard
    stage.show([
      title,
      elements.make('p', {}, meaning),
      elements.make('p', { className: 'note' }, number),
      row(
        link,
        button('Again', () => stage.restart(result)),
        stage.close,
      ),
    ]);
    stage.close.textContent = 'Close'; // nothing is lost any more
    title.focus();
  }

  /**
   * Show above a comparison what the address says that somebody heard.
   * @param {HTMLElement} figure @param {Versions} list @param {string} text
   */
  function showLinked(figure, list, text) {
    figure.querySelector('.linked')?.remove();
    const result = results.read(text, list);
    const words = result && results.inWords(result, list);
    const content = words
      ? [
          elements.make('b', {}, `A blind test, by whoever shared this link. ${words.heading}.`),
          ` ${words.meaning} ${words.number}. `,
          button('Take the same test', () => open(list, figure.id, result)),
        ]
      : ['This link says the result of a blind test that this comparison can not have.'];
    figure.prepend(elements.make('div', { className: 'linked note' }, ...content));
    figure.scrollIntoView(); // it stands above what the link led to
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

  return { open, showLinked };
})();
