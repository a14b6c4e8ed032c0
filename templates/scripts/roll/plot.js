/**
 * The plot of an event roll: the circles of the static picture become marks that are walked to by keys, played, and
 * dragged along time. One mark at a time is the plot's tab stop.
 */
const plot = (() => {
  'use strict';

  const REACH = 22; // pixels around a press in which the nearest mark is meant: a 44 px target
  const STILL = 4; // pixels that a press may move without being a drag
  const NUDGE = 0.01; // seconds of Alt and an arrow key; with Shift ten times that

  /**
   * @typedef {{start: number, lasts: number, y: number, look: Shown, radius: number, group: SVGElement,
   *   line: SVGElement}} Mark `start` is a sample, also one outside the plot; it `lasts` samples; `y` is a share of the
   *   height, from the top, `radius` in pixels
   * @typedef {{y: number, colour: string, height?: number | null}} Shown of a `Look`
   * @typedef {{svg: SVGSVGElement, marks: Mark[], rate: number, length: number}} Board `rate` in Hz, `length` in samples
   * @typedef {{select: (i: number) => void, play: (i: number, inContext: boolean) => void, stop: () => void,
   *   point: (i: number | null) => void, move: (i: number, start: number) => void,
   *   drag: (i: number, start: number) => void, cancel: () => void}} Reader what readers do; `point` hears of hovering and
   *   of walking by keys, `drag` of a move on its way, which `move` ends or `cancel` takes back
   */

  /**
   * @param {SVGSVGElement} svg @param {number} rate @param {number} length
   * @param {(look: Shown) => number} place where a look is, as a share of the height @param {Reader} reader
   */
  function make(svg, rate, length, place, reader) {
    const board = { svg, marks: Array.from(svg.querySelectorAll('circle')).map(enhance), rate, length };
    const looks = board.marks.map(({ look }) => look);
    const now = elements.draw('line', { class: 'now', y2: '100%', visibility: 'hidden' });
    const largestFirst = board.marks.slice().sort((a, b) => b.radius - a.radius); // so that small ones are on top
    svg.append(...largestFirst.map(({ group }) => group), now);
    svg.setAttribute('role', 'listbox');
    svg.querySelectorAll('.tick').forEach((tick) => tick.setAttribute('aria-hidden', 'true'));
    board.marks[0]?.group.setAttribute('tabindex', '0');
    listenToPointer(board, reader);
    listenToKeys(board, reader);
    return {
      /** How the published marks look. */
      looks,
      /** Give a mark the look of a sound. @param {number} i @param {Shown} look */
      dress(i, look) {
        const { group, line } = board.marks[i];
        const y = 1 - place(look);
        Object.assign(board.marks[i], { y, look });
        group.setAttribute('y', `${(100 * y).toFixed(1)}%`);
        line.setAttribute('stroke', look.colour);
        group.lastElementChild?.setAttribute('fill', look.colour);
      },
      /** @param {number} i @returns {number | null} the event whose look has the nearest y */
      nearest(i) {
        const { y: own } = board.marks[i].look;
        const away = board.marks.map(({ look }, k) => (k === i ? Infinity : Math.abs(look.y - own)));
        return away.length > 1 ? away.indexOf(Math.min(...away)) : null;
      },
      /** @param {number} i @param {number} start @param {number} seconds how long it sounds @param {string} name */
      place(i, start, seconds, name) {
        board.marks[i].lasts = seconds * rate;
        move(board, i, start);
        board.marks[i].group.setAttribute('aria-label', name);
      },
      /** @param {number} i */
      select(i) {
        board.marks.forEach(({ group }, k) => {
          group.setAttribute('tabindex', k === i ? '0' : '-1');
          group.setAttribute('aria-selected', String(k === i));
        });
      },
      /** Select a mark, and let keys go on from it. @param {number} i */
      focus: (i) => board.marks[i].group.focus({ preventScroll: true }),
      /** @param {number} i @param {string} state such as "muted" @param {boolean} on */
      setState: (i, state, on) => board.marks[i].group.classList.toggle(state, on),
      /** @param {number | null} seconds where the playhead stands; null where nothing plays */
      show(seconds) {
        now.setAttribute('visibility', seconds === null ? 'hidden' : 'visible');
        const x = `${100 * inside(board, (seconds || 0) * rate)}%`; // stays right when the window changes
        now.setAttribute('x1', x);
        now.setAttribute('x2', x);
      },
    };
  }

  /**
   * A circle, the line that shows how long it sounds, and the room around it that fingers reach, in a box of their own:
   * to move them is to change one attribute.
   * @param {SVGCircleElement} circle @param {number} i @param {SVGCircleElement[]} all @returns {Mark}
   */
  function enhance(circle, i, all) {
    const [x, y, fill] = ['cx', 'cy', 'fill'].map((name) => circle.getAttribute(name) || '');
    const group = elements.draw('svg', { class: 'mark', role: 'option', tabindex: '-1', x, y });
    const line = elements.draw('line', { stroke: fill });
    group.setAttribute('aria-posinset', String(i + 1)); // the order found, whatever is drawn first
    group.setAttribute('aria-setsize', String(all.length));
    circle.replaceWith(group);
    circle.removeAttribute('cx');
    circle.removeAttribute('cy');
    group.append(elements.draw('circle', { class: 'reach', r: String(REACH) }), line, circle);
    const share = Number.parseFloat(y) / 100;
    const [alike, height] = circle.dataset.y?.split(' ') || [];
    const heights = alike === undefined ? {} : { height: height === undefined ? null : Number(height) };
    const look = { y: alike === undefined ? 1 - share : Number(alike), colour: fill, ...heights };
    return { start: 0, lasts: 0, y: share, look, radius: circle.r.baseVal.value, group, line };
  }

  /** Where a sample is shown, as a share of the width. @param {Board} board @param {number} t @returns {number} */
  const inside = ({ length }, t) => Math.max(0, Math.min(1, t / length));

  /** Its line ends where the plot does. @param {Board} board @param {number} i @param {number} start */
  function move(board, i, start) {
    const { lasts, group, line } = board.marks[i];
    const x = inside(board, start);
    board.marks[i].start = start;
    group.setAttribute('x', `${100 * x}%`);
    line.setAttribute('x2', `${100 * (inside(board, start + lasts) - x)}%`);
  }

  /** Where the marks are inside the plot. @param {Board} board @returns {[number, number][]} */
  function points(board) {
    const { clientWidth, clientHeight } = board.svg;
    return board.marks.map(({ start, y }) => [inside(board, start) * clientWidth, y * clientHeight]);
  }

  /** The mark that is meant by a point on the screen. @param {Board} board @param {PointerEvent} event */
  function under(board, event) {
    const { left, top } = board.svg.getBoundingClientRect();
    /** @type {number | null} */
    let best = null;
    let least = Infinity;
    points(board).forEach(([x, y], i) => {
      const distance = Math.hypot(event.clientX - left - x, event.clientY - top - y);
      if (distance < Math.max(REACH, board.marks[i].radius) && distance < least) {
        best = i;
        least = distance;
      }
    });
    return best;
  }

  /** A press plays, a drag moves. @param {Board} board @param {Reader} reader */
  function listenToPointer(board, reader) {
    const { svg, marks, length } = board;
    /** @type {{pointer: number, i: number, x: number, start: number, scale: number, moved: boolean} | null} */
    let drag = null;

    /** @param {boolean} kept */
    function end(kept) {
      const { i, moved } = drag || { i: 0, moved: false };
      drag = null;
      svg.classList.remove('dragging');
      if (moved && kept) {
        reader.move(i, marks[i].start);
      } else if (moved) {
        reader.cancel();
      }
    }

    svg.addEventListener('pointerdown', (event) => {
      const i = under(board, event);
      if (i !== null && event.button === 0 && !drag) {
        const { pointerId: pointer, clientX: x } = event;
        drag = { pointer, i, x, start: marks[i].start, scale: length / svg.clientWidth, moved: false };
        svg.setPointerCapture(pointer);
        marks[i].group.focus({ preventScroll: true });
      }
    });
    svg.addEventListener('mousedown', (event) => event.preventDefault()); // the focus stays where pointerdown put it
    svg.addEventListener('pointermove', (event) => {
      if (!drag) {
        reader.point(event.pointerType === 'mouse' ? under(board, event) : null);
        return;
      }
      const dx = event.clientX - drag.x;
      if (drag.pointer === event.pointerId && (drag.moved || Math.abs(dx) > STILL)) {
        drag.moved = true;
        svg.classList.add('dragging');
        reader.drag(drag.i, Math.max(0, Math.min(length - 1, drag.start + Math.round(dx * drag.scale))));
      }
    });
    svg.addEventListener('pointerup', (event) => {
      if (drag?.pointer === event.pointerId) {
        drag.moved || reader.play(drag.i, false);
        end(true);
      }
    });
    svg.addEventListener('pointercancel', (event) => drag?.pointer === event.pointerId && end(false));
    svg.addEventListener('pointerleave', () => reader.point(null));
    svg.addEventListener('keydown', (event) => event.key === 'Escape' && end(false));
    svg.addEventListener('click', (event) => {
      const i = marks.findIndex(({ group }) => group.contains(/** @type {Node} */ (event.target)));
      if (event.detail === 0 && i >= 0) {
        reader.play(i, false); // pressed by a screen reader
      }
    });
  }

  /** @param {Board} board @param {Reader} reader */
  function listenToKeys(board, reader) {
    const { svg, marks, rate } = board;
    marks.forEach(({ group }, i) => group.addEventListener('focus', () => reader.select(i)));
    svg.addEventListener('keydown', (event) => {
      const i = marks.findIndex(({ group }) => group === document.activeElement);
      const sideways = walk.DIRECTIONS[event.key]?.[0];
      const next = event.altKey ? null : walk.from(points(board), i, event.key);
      if (i < 0 || event.ctrlKey || event.metaKey) {
        return;
      }
      if (event.altKey && sideways) {
        reader.move(i, marks[i].start + Math.round(sideways * NUDGE * (event.shiftKey ? 10 : 1) * rate));
      } else if (event.key === 'Enter' || event.key === ' ') {
        reader.play(i, event.shiftKey);
      } else if (event.key === 'Escape') {
        reader.stop();
      } else if (next !== null) {
        marks[next].group.focus();
        reader.point(next);
      } else {
        return;
      }
      event.preventDefault();
    });
  }

  return { make };
})();
