/**
 * Scripts that come when what they are for comes near, as pictures do: a page that nobody has scrolled stays light.
 */
const late = (() => {
  'use strict';

  /** @type {Record<string, string[]>} what they are for, and their names in the order in which they need each other */
  const GROUPS = {
    '.film': ['mix', 'linked', 'film', 'deck', 'decomposition'],
    '.roll': [
      ...['mix', 'edits', 'library', 'linked', 'walk', 'roll'],
      ...['timeline', 'inspector', 'actions', 'tools', 'editor'],
    ],
    '.made dl, .colophon': ['verify'],
  };
  const PRESSED = ['abx', 'bibtex']; // those that only a press asks for
  /** @type {Map<string, Promise<void>>} */
  const asked = new Map();

  /** @param {string[]} names @returns {Promise<void[]>} once they have run, in this order; again at no cost */
  function load(names) {
    return Promise.all(names.map((name) => asked.get(name) || fetchScript(name)));
  }

  /** @param {string} name @returns {Promise<void>} */
  function fetchScript(name) {
    const script = document.createElement('script');
    const promise = /** @type {Promise<void>} */ (
      new Promise((resolve, reject) => {
        script.addEventListener('load', () => resolve());
        script.addEventListener('error', () => reject(new Error(`assets/${name}.js can not be loaded.`)));
      })
    );
    script.addEventListener('error', () => asked.delete(name)); // so that it can be asked for again
    asked.set(name, promise);
    script.async = false; // they run in the order in which they were asked for
    script.src = `assets/${name}.js`;
    document.head.append(script);
    return promise;
  }

  /** Everything now, as if the reader had been everywhere. @returns {Promise<void[]>} */
  function all() {
    const groups = Object.entries(GROUPS).filter(([selector]) => document.querySelector(selector));
    return load([...groups.flatMap(([, names]) => names), ...PRESSED]);
  }

  /** @param {string} selector */
  function complain(selector) {
    for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(`figure${selector}`))) {
      player.complain(figure, 'What this figure can do could not be loaded. Come back to it to try again.');
    }
  }

  for (const [selector, names] of Object.entries(GROUPS)) {
    const near = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) {
          load(names).then(
            () => near.disconnect(),
            () => complain(selector), // what works without scripts goes on working
          );
        }
      },
      { rootMargin: '100%' }, // a screen ahead
    );
    document.querySelectorAll(selector).forEach((element) => near.observe(element));
  }

  return { all, load };
})();
