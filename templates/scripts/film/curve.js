/** What the picture of a decomposition says of a step: the curve of what is removed under it, and the event's outline. */
const curve = (() => {
  'use strict';

  /** The numbers in a list. @param {string} [text] @returns {number[]} */
  const read = (text = '') => text.trim().split(/[ |]+/).filter(Boolean).map(Number);

  /**
   * @param {HTMLElement} frame the curve comes below it @param {number[]} shares that are removed after each step
   * @param {(step: number) => void} go answers a press; the slider of the steps is there for keys
   * @returns {(step: number) => void} shows a step
   */
  function make(frame, shares, go) {
    if (!shares.length) {
      return () => {};
    }
    const n = shares.length;
    const all = [0, ...shares];
    const line = elements.draw('polyline', { points: all.map((share, i) => `${i / n},${1 - share}`).join(' ') });
    const svg = elements.draw('svg', { viewBox: '0 0 1 1', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
    const dot = elements.make('span', { className: 'dot' });
    const words = elements.make('span', { className: 'percent' });
    const host = elements.make('div', { className: 'removed' }, words, dot);
    svg.append(line);
    host.prepend(svg);
    host.addEventListener('click', (event) => {
      const { left, width } = host.getBoundingClientRect();
      go(Math.round(((event.clientX - left) / width) * n));
    });
    frame.after(host);
    return (step) => {
      dot.style.left = `${(100 * step) / n}%`;
      dot.style.top = `${100 * (1 - all[step])}%`;
      words.textContent = `Energy removed: ${percent(all[step])}`;
    };
  }

  /** @param {number} share */
  const percent = (share) => `${Math.round(100 * share)} %`;

  /**
   * The outline of the event of a step. @param {HTMLElement} frame @param {number[]} boxes four numbers for each event
   * @returns {(step: number) => void}
   */
  function addOutline(frame, boxes) {
    const box = elements.make('span', { className: 'outlined', hidden: true });
    frame.append(box);
    return (step) => {
      const [left, right, bottom, top] = boxes.slice(4 * step - 4, 4 * step);
      box.hidden = !step || top === undefined;
      const sides = { left, right: 1 - right, bottom, top: 1 - top };
      for (const [side, share] of Object.entries(box.hidden ? {} : sides)) {
        box.style.setProperty(side, `${100 * share}%`);
      }
    };
  }

  return { addOutline, make, percent, read };
})();
