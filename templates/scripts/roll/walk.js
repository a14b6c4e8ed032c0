/** Walking through the marks of an event roll by keys: to the nearest in a direction, or in order of time. */
const walk = (() => {
  'use strict';

  /** @type {Record<string, [number, number]>} */
  const DIRECTIONS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

  /**
   * Where a key leads from mark i: to i itself if there is nothing further that way, to null for other keys.
   * Page Up and Page Down reach every mark, whatever lies beside what.
   * @param {[number, number][]} points the marks on the screen, in pixels
   * @param {number} i @param {string} key @returns {number | null}
   */
  function from(points, i, key) {
    /** @type {Record<string, number>} */
    const steps = { PageDown: 1, PageUp: -1, Home: -points.length, End: points.length };
    if (key in steps) {
      const inTime = points.map((_, k) => k).sort((a, b) => points[a][0] - points[b][0] || a - b);
      return inTime[Math.max(0, Math.min(points.length - 1, inTime.indexOf(i) + steps[key]))];
    }
    return key in DIRECTIONS ? nearest(points, i, DIRECTIONS[key]) : null;
  }

  /**
   * The mark nearest to mark i within 45 degrees of a direction; distance across counts double.
   * @param {[number, number][]} points @param {number} i @param {[number, number]} direction @returns {number}
   */
  function nearest(points, i, [dx, dy]) {
    let best = i;
    let least = Infinity;
    points.forEach(([x, y], k) => {
      const [right, down] = [x - points[i][0], y - points[i][1]];
      const along = right * dx + down * dy;
      const across = Math.abs(right * dy + down * dx);
      if (along > 0 && across <= along && along + 2 * across < least) {
        best = k;
        least = along + 2 * across;
      }
    });
    return best;
  }

  return { DIRECTIONS, from };
})();
