/**
 * Links to what one hears: #clip=<id>&t=1.20,3.40 behind the page's address brings an element of the page to the state
 * that was linked. A BibTeX entry names the bytes of its sound.
 */
const links = (() => {
  'use strict';

  /**
   * @typedef {Record<string, string>} State
   * @typedef {{state: () => State, restore: (state: State) => void, source: () => string, version?: () => string}} Shared
   *   `state` is what the address holds besides the id, `restore` takes it back and must not play; `source` is the address
   *   of the sound to cite, and `version` which one of several that is
   */
  const SHORT = 48; // letters of a name
  /** @type {Map<string, Shared>} */
  const all = new Map();
  let restored = ''; // the id in the address
  const said = elements.make('span', { className: 'said' }); // what a button says, for those who hear the page

  /**
   * Add the menu of an element to its line of facts. What was made, and its file, go there too; where there are several
   * sounds, as in a comparison, each has an `own` place in the menu.
   * @param {HTMLElement} figure @param {Shared} shared
   */
  function add(figure, shared) {
    const facts = elements.find('.facts', figure);
    const title = titleOf(figure);
    all.set(figure.id, shared);

    const link = copier('Link', `Link to ${title}`, () => address(figure.id, shared.state()));
    const buttons = [link];
    if (media.digest(shared.source())) {
      const named = () => [title, ...(shared.version ? [shared.version()] : [])].join(', ');
      buttons.push(copier('Cite', `Cite ${title}`, () => cite(figure.id, named(), media.digest(shared.source()))));
    }
    const more = menu.make(title, buttons);
    for (const each of figure.matches('.player') ? [figure] : elements.all(':scope > .player', figure)) {
      const what = elements.all(':scope > .facts > a[download], :scope > .made', each);
      more.lastElementChild?.append(elements.make('div', { className: 'own' }, ...what));
    }
    facts.append(more);
    if (restored === figure.id) {
      restore(); // its script came late
    }
  }

  /**
   * A short name: the title or caption, or where a caption is long, the figure's number and the first clauses.
   * @param {HTMLElement} figure @returns {string}
   */
  function titleOf(figure) {
    const caption = figure.querySelector(':scope > figcaption')?.cloneNode(true);
    const number = caption?.firstChild?.nodeName === 'B' ? caption.firstChild : null; // "Figure 3."
    number && caption?.removeChild(number);
    const text = (figure.dataset.title || caption?.textContent || figure.id).replace(/\s+/g, ' ').trim();
    if (!number || text.length <= SHORT) {
      return text.replace(/\.$/, '');
    }
    const clauses = text.match(`^.{1,${SHORT}}(?=[,:;.]( |$))`)?.[0];
    const whole = text.match(`^.{1,${SHORT}}(?= )`)?.[0]; // words
    const words = clauses || `${whole || text.slice(0, SHORT)}…`;
    return `${number.textContent?.replace('.', ':')} ${words}`;
  }

  /**
   * A button that copies a text.
   * @param {string} word @param {string} name for those who hear the page @param {() => string | Promise<string>} text
   */
  function copier(word, name, text) {
    const button = elements.button('quiet', word, async () => {
      const copied = await copy(text).catch(() => false); // the script that writes it can not be loaded
      const answer = copied ? 'Copied' : 'Failed';
      elements.say(button, answer, word);
      elements.say(said, answer, '');
    });
    button.setAttribute('aria-label', name);
    return button;
  }

  /** @param {() => string | Promise<string>} text @returns {Promise<boolean>} whether it is in the clipboard */
  async function copy(text) {
    const content = await text();
    try {
      await navigator.clipboard.writeText(content); // only there where the page came by https, or from a disk
      return true;
    } catch {
      return copySelected(content);
    }
  }

  /** @param {string} text @returns {boolean} */
  function copySelected(text) {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    const field = elements.make('textarea', { value: text });
    (before?.closest('dialog') || document.body).append(field); // below a dialog nothing can be selected
    field.select();
    const copied = document.execCommand('copy');
    field.remove();
    before?.focus();
    return copied;
  }

  /** @param {string} id @param {string} title @param {string} hash @returns {Promise<string>} BibTeX */
  async function cite(id, title, hash) {
    await late.load('bibtex');
    return bibtex.entry(address(id, {}), title, hash);
  }

  /** @param {string} id @param {State} state @returns {string} */
  function address(id, state) {
    const parameters = new URLSearchParams({ clip: id, ...state });
    return `${location.href.split('#')[0]}#${String(parameters).replaceAll('%2C', ',').replaceAll('%3A', ':')}`;
  }

  /** A position or a loop, for an address. @param {number} now @param {[number, number] | null} range @returns {State} */
  function time(now, range) {
    const times = range || (now > 0 ? [now] : []);
    return times.length ? { t: times.map((seconds) => seconds.toFixed(2)).join(',') } : {};
  }

  /** The position and the loop in an address. @param {State} state */
  function readTime({ t = '' }) {
    const [from, to] = t.split(',').map(Number);
    const now = Number.isFinite(from) ? Math.max(0, from) : 0;
    const range = /** @type {[number, number] | null} */ (to > now ? [now, to] : null);
    return { now, range };
  }

  function restore() {
    const { clip = '', ...state } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    const figure = document.getElementById(clip);
    restored = clip;
    if (figure) {
      all.get(clip)?.restore(state);
      figure.tabIndex = -1;
      figure.focus({ preventScroll: true }); // so that Tab goes on from here
      figure.scrollIntoView();
    }
  }

  said.setAttribute('role', 'status');
  document.body.append(said);
  document.addEventListener('DOMContentLoaded', restore);
  window.addEventListener('hashchange', restore);

  return { add, address, all, copier, readTime, time };
})();
