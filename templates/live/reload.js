/**
 * Takes what is new into a page that `python -m report serve` shows. No page that is built or published has it.
 *
 * Paragraphs are replaced in place, so that sounds play on. Where a figure, a heading or code is another, the page is
 * loaded again, and its position and those of its sounds are kept.
 */
(() => {
  'use strict';

  /** @typedef {{state: string, text: string, built: string}} News */
  /** @typedef {{html: string, node: Element, alive: boolean}} Block what it was before scripts changed it */
  // Scripts have made something of these, so they can not be put in their place.
  const ALIVE = 'figure, audio, button, canvas, details, input, script, pre, .scroll, .math.block, [data-page]';
  const KEPT = 'report: kept over a reload';
  const me = /** @type {HTMLScriptElement} */ (document.currentScript);
  const main = document.querySelector('main');
  // This script runs before those of the page, which wait until all is there.
  let blocks = main ? read(main) : [];
  const frame = around(document);
  let built = me.dataset.built || '0';

  /** @param {Element} parent @returns {Block[]} */
  function read(parent) {
    return Array.from(parent.children, (node) => {
      const alive = node.matches(ALIVE) || node.querySelector(ALIVE) !== null;
      return { html: node.outerHTML, node, alive };
    });
  }

  /** All of a page but its text and this script. @param {Document} page @returns {string} */
  function around(page) {
    const copy = /** @type {Document} */ (page.cloneNode(true));
    copy.querySelector('main')?.replaceChildren();
    copy.querySelector('script[data-built]')?.remove();
    return copy.documentElement.outerHTML.replace(/\s+/g, ' '); // the last line break is not there yet
  }

  /** Blocks without life, between those that have some. @param {Block[]} list @returns {Block[][]} */
  function runs(list) {
    /** @type {Block[][]} */
    const result = [[]];
    for (const block of list) {
      block.alive ? result.push([]) : result[result.length - 1].push(block);
    }
    return result;
  }

  async function update() {
    const response = await fetch(location.pathname, { cache: 'no-store' });
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    const place = page.querySelector('main');
    const next = place ? read(place) : [];
    const living = (/** @type {Block[]} */ list) => list.flatMap(({ alive, html }) => (alive ? [html] : [])).join('\n');
    if (!main || !place || !response.ok || around(page) !== frame || living(next) !== living(blocks)) {
      reload();
      return;
    }
    put(next);
    built = /** @type {HTMLElement} */ (page.querySelector('script[data-built]')).dataset.built || built;
  }

  /** @param {Block[]} next */
  function put(next) {
    const living = blocks.filter(({ alive }) => alive);
    const anchors = living.map(({ node }) => top(node));
    const before = runs(blocks);
    /** @type {Block[]} */
    const now = [];
    runs(next).forEach((run, i) => {
      const old = before[i];
      let first = 0;
      while (first < Math.min(run.length, old.length) && run[first].html === old[first].html) {
        first += 1;
      }
      let last = 0;
      const most = Math.min(run.length, old.length) - first;
      while (last < most && run[run.length - 1 - last].html === old[old.length - 1 - last].html) {
        last += 1;
      }
      const end = old[old.length - last]?.node ?? anchors[i] ?? null;
      const fresh = run.slice(first, run.length - last);
      old.slice(first, old.length - last).forEach(({ node }) => node.remove());
      for (const block of fresh) {
        main?.insertBefore(document.adoptNode(block.node), end);
      }
      now.push(...old.slice(0, first), ...fresh, ...old.slice(old.length - last), ...living.slice(i, i + 1));
    });
    blocks = now;
  }

  /** What stands in the text for a block that a script may have put into something. @param {Element} node */
  function top(node) {
    let at = node;
    while (at.parentElement && at.parentElement !== main) {
      at = at.parentElement;
    }
    return at;
  }

  // Over a reload

  function reload() {
    const sounds = Array.from(document.querySelectorAll('audio'), ({ src, currentTime, paused }) => ({
      src,
      currentTime,
      paused,
    }));
    const states = typeof links === 'undefined' ? [] : Array.from(links.all, ([id, { state }]) => [id, state()]);
    const kept = { page: location.pathname, y: scrollY, sounds, states };
    sessionStorage.setItem(KEPT, JSON.stringify(kept));
    location.reload();
  }

  function takeBack() {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) || 'null');
    sessionStorage.removeItem(KEPT);
    if (!kept || kept.page !== location.pathname) {
      return;
    }
    for (const [id, state] of kept.states) {
      typeof links === 'undefined' || links.all.get(id)?.restore(state);
    }
    for (const audio of document.querySelectorAll('audio')) {
      const before = kept.sounds.find((/** @type {HTMLAudioElement} */ sound) => sound.src === audio.src);
      if (before?.currentTime > 0) {
        audio.currentTime = before.currentTime;
        before.paused || audio.play().catch(() => {}); // a browser may want a press first
      }
    }
    scrollTo({ top: kept.y, behavior: 'instant' });
  }

  // News

  /** @param {string} text of the error, or "" */
  function say(text) {
    document.getElementById('_live')?.remove();
    if (text) {
      const box = document.createElement('pre');
      box.id = '_live';
      box.textContent = text;
      box.setAttribute('role', 'alert');
      Object.assign(box.style, {
        background: '#fff0f0',
        borderTop: '3px solid #b00020',
        bottom: '0',
        boxSizing: 'border-box',
        color: '#5a0010',
        left: '0',
        margin: '0',
        maxHeight: '40vh',
        overflow: 'auto',
        padding: '0.8rem 1rem',
        position: 'fixed',
        right: '0',
        whiteSpace: 'pre-wrap',
        zIndex: '1000',
      });
      document.body.append(box);
    }
  }

  /** @type {Promise<void>} */
  let turn = Promise.resolve();
  new EventSource('/_live/events').addEventListener('message', (event) => {
    /** @type {News} */
    const news = JSON.parse(event.data);
    document.documentElement.dataset.live = news.state;
    if (news.state !== 'building') {
      say(news.state === 'failed' ? news.text : '');
    }
    if (news.built !== '0') {
      turn = turn.then(() => (news.built === built ? undefined : update())).catch(() => {});
    }
  });
  window.addEventListener('load', takeBack);
})();
