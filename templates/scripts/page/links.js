/**
 * What one listens to can be shared: #clip=<id>&t=1.20,3.40 behind the page's address brings an element of the page to
 * the state it was linked in, and its BibTeX entry names the bytes that were heard.
 */
const links = (() => {
  'use strict';

  const SHOWN = 2000; // milliseconds for which a button says that it has copied
  /**
   * @typedef {Record<string, string>} State
   * @typedef {{state: () => State, restore: (state: State) => void, place?: HTMLElement, source?: () => string}} Linked
   *   `state` is what the address is to hold besides the id, `restore` takes it back and must not play; the buttons
   *   stand in `place`, by default the line of facts; `source` is the address of the sound to cite, by default the first
   */
  /** @type {Map<string, Linked>} */
  const all = new Map();
  let restored = ''; // the id that the address names
  const said = document.createElement('span'); // what a button says, for those who hear the page

  /** @param {HTMLElement} figure that has an id @param {Linked} linked */
  function add(figure, linked) {
    const source = linked.source || (() => (figure.querySelector('audio') || figure).getAttribute('src') || '');
    const place = linked.place || /** @type {HTMLElement | null} */ (figure.querySelector('.facts')) || figure;
    const title = titleOf(figure);
    all.set(figure.id, linked);

    const group = document.createElement('span');
    group.className = 'share';
    group.append(copier('Link', `Link to ${title}`, () => address(figure.id, linked.state())));
    if (media.digest(source())) {
      group.append(copier('Cite', `Cite ${title}`, () => cite(figure.id, title, media.digest(source()))));
    }
    place.insertBefore(group, place.querySelector(':scope > a[download]'));
    if (restored === figure.id) {
      restore(); // its script came late
    }
  }

  /** @param {HTMLElement} figure @returns {string} */
  function titleOf(figure) {
    const caption = figure.querySelector(':scope > figcaption')?.cloneNode(true);
    caption?.firstChild?.nodeName === 'B' && caption.firstChild.remove(); // "Figure 3."
    return (figure.dataset.title || caption?.textContent || figure.id).replace(/\s+/g, ' ').trim();
  }

  /**
   * @param {string} word @param {string} name for those who hear the page @param {() => string | Promise<string>} text
   * @returns {HTMLButtonElement} which copies the text
   */
  function copier(word, name, text) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'quiet';
    button.textContent = word;
    button.setAttribute('aria-label', name);
    button.addEventListener('click', async () => {
      button.textContent = said.textContent = (await copy(await text())) ? 'Copied' : 'Failed';
      setTimeout(() => {
        button.textContent = word;
        said.textContent = '';
      }, SHOWN);
    });
    return button;
  }

  /** @param {string} text @returns {Promise<boolean>} whether it is in the clipboard */
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text); // only there where the page came by https, or from a disk
      return true;
    } catch {
      return copySelected(text);
    }
  }

  /** @param {string} text @returns {boolean} */
  function copySelected(text) {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    const field = document.createElement('textarea');
    field.value = text;
    document.body.append(field);
    field.select();
    const copied = document.execCommand('copy');
    field.remove();
    if (before) {
      before.focus();
    }
    return copied;
  }

  /** @param {string} id @param {string} title @param {string} hash @returns {Promise<string>} BibTeX */
  async function cite(id, title, hash) {
    await late.load(['bibtex']);
    return bibtex.entry(address(id, {}), title, hash);
  }

  /** @param {string} id @param {State} state @returns {string} */
  function address(id, state) {
    const parameters = new URLSearchParams({ clip: id, ...state });
    return `${location.href.split('#')[0]}#${String(parameters).replaceAll('%2C', ',')}`;
  }

  /** Where one listens, for an address. @param {number} now @param {[number, number] | null} range @returns {State} */
  function time(now, range) {
    const times = range || (now > 0 ? [now] : []);
    return times.length ? { t: times.map((seconds) => seconds.toFixed(2)).join(',') } : {};
  }

  /** What `time` wrote. @param {State} state @returns {{now: number, range: [number, number] | null}} */
  function readTime({ t = '' }) {
    const [from, to] = t.split(',').map(Number);
    const now = Number.isFinite(from) ? Math.max(0, from) : 0;
    return { now, range: to > now ? [now, to] : null };
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

  said.className = 'said';
  said.setAttribute('role', 'status');
  document.body.append(said);
  document.addEventListener('DOMContentLoaded', restore);
  window.addEventListener('hashchange', restore);

  return { add, readTime, time };
})();
