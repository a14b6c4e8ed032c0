/** Starts what every page has: players, copy buttons, names of downloads, boxes that scroll, the table of contents. */
(() => {
  'use strict';

  /** @param {HTMLElement} block a <pre> */
  function addCopyButton(block) {
    const code = elements.find('code', block);
    const text = `${(code.textContent || '').trimEnd()}\n`;
    const say = (/** @type {string} */ answer) => elements.say(button, answer, 'Copy');
    const select = () => {
      window.getSelection()?.selectAllChildren(code); // the reader can still press the copy keys
      say('Selected');
    };
    const button = elements.button('copy', 'Copy', () => {
      navigator.clipboard ? navigator.clipboard.writeText(text).then(() => say('Copied'), select) : select();
    });
    const frame = elements.make('div', { className: 'copyable' });
    block.replaceWith(frame);
    frame.append(block, button);
  }

  /** Keys reach a box that scrolls, and pass by one that does not. */
  const boxes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      tables.fit(target);
      if (target.scrollWidth > target.clientWidth) {
        target.setAttribute('tabindex', '0');
      } else {
        target.removeAttribute('tabindex');
      }
    }
  });

  /**
   * Fold the contents where there is no room beside the text, and mark in them where the reader is.
   * @param {HTMLDetailsElement} fold
   */
  function addContents(fold) {
    const wide = window.matchMedia('(min-width: 75rem)');
    const adapt = () => {
      fold.open = wide.matches;
    };
    wide.addEventListener('change', adapt);
    fold.addEventListener('click', (event) => {
      if (event.target instanceof HTMLAnchorElement) {
        adapt(); // on a telephone it lies over the text
      }
    });
    adapt();

    const links = Array.from(fold.querySelectorAll('a'));
    const headings = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
    /** @type {HTMLAnchorElement | undefined} */
    let current;
    const mark = () => {
      const passed = headings.filter((heading) => heading && heading.getBoundingClientRect().top < innerHeight / 3);
      const next = links[passed.length - 1];
      if (next !== current) {
        current?.removeAttribute('aria-current');
        next?.setAttribute('aria-current', 'location');
        keepInView(next, fold);
        current = next;
      }
    };
    let frame = 0;
    const onScroll = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(mark);
    };
    window.addEventListener('scroll', onScroll, { passive: true });
    onScroll(); // not now: it would have to lay out the page
  }

  /** Long contents scroll in a box of their own. @param {Element | undefined} link @param {Element} fold */
  function keepInView(link, fold) {
    const box = fold.parentElement;
    if (link && box && box.scrollHeight > box.clientHeight) {
      const over = link.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 2;
      box.scrollTop += over;
    }
  }

  /** A button in place of a native player. @param {HTMLAudioElement} audio of a card of the index page */
  function addPlayButton(audio) {
    const card = /** @type {HTMLElement} */ (audio.closest('.card'));
    const title = audio.getAttribute('aria-label') || '';
    const button = controls.playButton(() => (audio.paused ? audio.play().catch(() => {}) : audio.pause()));
    const show = () => controls.turn(button, card, title, !audio.paused);
    for (const name of ['play', 'pause', 'ended']) {
      audio.addEventListener(name, show);
    }
    audio.addEventListener('playing', () => failure.show(card, null));
    audio.addEventListener('error', () => {
      failure.show(card, 'This sound can not be played: its file is missing or damaged.', button);
    });
    audio.before(button);
    audio.hidden = true;
    show();
  }

  /**
   * Lay out what is far from the beginning, in a task of its own after the first frame. Where a reader lands further down,
   * by a link or by coming back, the places of things count at once.
   */
  function settle() {
    const all = () => elements.all('.early').forEach((main) => main.classList.remove('early'));
    const [entry] = performance.getEntriesByType('navigation');
    const begins = !location.hash && /** @type {PerformanceNavigationTiming} */ (entry)?.type === 'navigate';
    begins ? requestAnimationFrame(() => setTimeout(all)) : all();
  }

  settle();
  document.querySelectorAll('audio').forEach((audio) => audio.closest('.card') && addPlayButton(audio));
  elements.all('.opening').forEach(opening.enhance);
  for (const figure of elements.all('.player')) {
    if (!figure.closest('.compare, .grid, .decomposition')) {
      player.enhance(figure);
    }
  }
  elements.all('pre.code, pre.bibtex').forEach(addCopyButton);
  for (const link of elements.all('.facts a[download]')) {
    const title = link.closest('.player')?.querySelector('figcaption')?.textContent;
    link.setAttribute('aria-label', `Download ${title}, ${link.textContent}`); // "WAV" is said by many links
  }
  for (const box of elements.all('pre, .scroll, .math.block')) {
    boxes.observe(box);
    box.closest('details')?.addEventListener('toggle', () => tables.fit(box));
  }
  document.addEventListener('DOMContentLoaded', () => {
    document.querySelectorAll('details').forEach((fold) => fold.closest('.contents') && addContents(fold));
    late.watch();
  });
})();
