/**
 * Scripts that come when the reader comes near what they are for, as pictures do, or presses a button: a page that
 * nobody has scrolled stays light.
 */
const late = (() => {
  'use strict';

  /** @type {Record<string, string>} selector of elements -> name of their script */
  const NEAR = {
    '.film': 'film',
    '.roll': 'roll',
    '.listening': 'listening',
    '.made dl, .colophon[data-page]': 'verify',
  };
  // Not relative to the page: the entry page of what was published lies elsewhere.
  const FOLDER = /** @type {HTMLScriptElement} */ (document.currentScript).src.replace(/[^/]*$/, '');
  /** @type {Map<string, Promise<void>>} name -> its loading */
  const requests = new Map();

  /** @param {string} name @returns {Promise<void>} once the script has run; again at no cost */
  function load(name) {
    const request = requests.get(name) || fetchScript(name);
    requests.set(name, request);
    return request;
  }

  /** @param {string} name @returns {Promise<void>} */
  function fetchScript(name) {
    return new Promise((resolve, reject) => {
      const script = elements.make('script', { src: `${FOLDER}${name}.js` });
      script.addEventListener('load', () => resolve());
      script.addEventListener('error', () => {
        requests.delete(name); // so that it can be asked for again
        reject(new Error(`assets/${name}.js can not be loaded.`));
      });
      document.head.append(script);
    });
  }

  /** Load a script when one of its elements comes near. */
  function watch() {
    for (const [selector, name] of Object.entries(NEAR)) {
      const near = new IntersectionObserver(
        (entries) => {
          if (entries.some((entry) => entry.isIntersecting)) {
            load(name).then(
              () => near.disconnect(),
              () => complain(selector), // what works without scripts goes on working
            );
          }
        },
        { rootMargin: '200%' }, // two screens ahead
      );
      elements.all(selector).forEach((element) => near.observe(element));
    }
  }

  /** @param {string} selector */
  function complain(selector) {
    for (const figure of elements.all(`figure${selector}`)) {
      failure.show(figure, 'What this figure can do could not be loaded. Come back to it to try again.');
    }
  }

  return { load, watch };
})();
