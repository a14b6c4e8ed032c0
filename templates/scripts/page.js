/** The rest of the page: copy buttons, films, and the table of contents. */
(function () {
  'use strict';

  /** @param {HTMLElement} block a <pre> */
  function addCopyButton(block) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = 'Copy';
    button.addEventListener('click', () => {
      const code = /** @type {HTMLElement} */ (block.querySelector('code'));
      navigator.clipboard.writeText((code.textContent || '').trimEnd() + '\n').then(
        () => { button.textContent = 'Copied'; },
        () => {
          const selection = window.getSelection();
          if (selection) {
            selection.selectAllChildren(code);  // the reader can still press the copy keys
          }
          button.textContent = 'Selected';
        });
      setTimeout(() => { button.textContent = 'Copy'; }, 2000);
    });
    const frame = document.createElement('div');
    frame.className = 'copyable';
    block.replaceWith(frame);
    frame.append(block, button);
  }

  /** @param {HTMLAnchorElement} link to the film; it becomes a button that plays it in the poster's place */
  function addFilm(link) {
    const poster = /** @type {HTMLImageElement} */ (
      /** @type {Element} */ (link.closest('figure')).querySelector('img'));
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'button';
    button.textContent = (link.textContent || '').trim();
    link.replaceWith(button);
    const film = new Image(poster.width, poster.height);
    film.alt = link.dataset.film || '';
    film.addEventListener('load', () => poster.replaceWith(film));
    button.addEventListener('click', () => {
      film.replaceWith(poster);
      film.removeAttribute('src');  // an animation starts over only after a moment in which nothing showed it
      requestAnimationFrame(() => requestAnimationFrame(() => { film.src = link.href; }));
    });
  }

  /** @param {HTMLDetailsElement} fold */
  function addContents(fold) {
    const wide = window.matchMedia('(min-width: 75rem)');
    const adapt = () => { fold.open = wide.matches; };
    wide.addEventListener('change', adapt);
    adapt();

    const links = Array.from(fold.querySelectorAll('a'));
    const headings = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
    const mark = () => {
      let current = -1;
      headings.forEach((heading, i) => {
        if (heading && heading.getBoundingClientRect().top < window.innerHeight / 3) {
          current = i;
        }
      });
      links.forEach((link, i) => {
        if (i === current) {
          link.setAttribute('aria-current', 'true');
        } else {
          link.removeAttribute('aria-current');
        }
      });
    };
    let waiting = false;
    window.addEventListener('scroll', () => {
      if (!waiting) {
        waiting = true;
        requestAnimationFrame(() => { waiting = false; mark(); });
      }
    }, { passive: true });
    mark();
  }

  for (const block of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('pre.code, pre.bibtex'))) {
    addCopyButton(block);
  }
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll('a[data-film]'))) {
    addFilm(link);
  }
  for (const fold of /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll('.contents details'))) {
    addContents(fold);
  }
})();
