/**
 * Event rolls: every mark can be reached by keyboard and heard. Arrow keys walk to the nearest mark in that
 * direction; Enter, Space or a press plays it. Without this script the roll is a picture with a table below.
 */
(function () {
  'use strict';

  const REACH = 22;  // pixels around a press in which the nearest mark is meant: a 44 px target
  const DIRECTIONS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

  /** @param {Element} mark @returns {[number, number]} its centre on the screen */
  function centre(mark) {
    const box = /** @type {Element} */ (mark.firstElementChild).getBoundingClientRect();
    return [box.left + box.width / 2, box.top + box.height / 2];
  }

  /**
   * The mark nearest to `from` that lies within 45 degrees of a direction; distance across counts double.
   * @template {Element} T
   * @param {T[]} marks @param {T} from @param {number[]} direction @returns {T | null}
   */
  function neighbour(marks, from, [dx, dy]) {
    const [x0, y0] = centre(from);
    let best = null;
    let least = Infinity;
    for (const mark of marks) {
      const [x, y] = centre(mark);
      const along = (x - x0) * dx + (y - y0) * dy;
      const across = Math.abs((x - x0) * dy + (y - y0) * dx);
      if (mark !== from && along > 0 && across <= along && along + 2 * across < least) {
        best = mark;
        least = along + 2 * across;
      }
    }
    return best;
  }

  /** @param {HTMLElement} figure */
  function enhance(figure) {
    const plot = /** @type {SVGSVGElement} */ (figure.querySelector('svg'));
    const audio = /** @type {HTMLAudioElement} */ (figure.querySelector('audio'));
    const marks = /** @type {SVGGElement[]} */ (Array.from(figure.querySelectorAll('.mark')));
    const hint = 'Press an event to hear it. Arrow keys walk from event to event, ' +
      'Page Up and Page Down in order of time; Enter plays.';
    const status = document.createElement('p');
    status.className = 'status';
    status.textContent = hint;
    plot.after(status);
    plot.setAttribute('role', 'group');
    if (!marks.length) {
      return;
    }

    /** @param {SVGGElement} mark */
    function describe(mark) {
      status.textContent = mark.dataset.label || '';
    }

    /** Make one mark the roll's single tab stop. @param {SVGGElement} mark */
    function choose(mark) {
      for (const other of marks) {
        other.setAttribute('tabindex', other === mark ? '0' : '-1');
      }
      describe(mark);
    }

    /** @param {string} address @param {SVGGElement | undefined} mark */
    function play(address, mark) {
      if (audio.getAttribute('src') !== address) {
        audio.src = address;
      }
      audio.currentTime = 0;
      audio.play().catch(() => {});
      show(mark);
    }

    /** @param {SVGGElement | undefined} playing */
    function show(playing) {
      for (const mark of marks) {
        mark.classList.toggle('playing', mark === playing);
      }
    }

    /** @param {MouseEvent} event @returns {SVGGElement | undefined} the mark that is meant */
    function under(event) {
      let best;
      let least = Infinity;
      for (const mark of marks) {
        const [x, y] = centre(mark);
        const radius = /** @type {Element} */ (mark.firstElementChild).getBoundingClientRect().width / 2;
        const distance = Math.hypot(event.clientX - x, event.clientY - y);
        if (distance < Math.max(REACH, radius) && distance < least) {
          best = mark;
          least = distance;
        }
      }
      return best;
    }

    /**
     * Where a key leads from a mark: the mark itself if there is nothing further that way, null for other keys.
     * Page Up and Page Down reach every mark, whatever lies beside what.
     * @param {SVGGElement} mark @param {string} key @returns {SVGGElement | null}
     */
    function target(mark, key) {
      const steps = { PageDown: 1, PageUp: -1, Home: -marks.length, End: marks.length };
      if (key in steps) {
        const i = marks.indexOf(mark) + steps[/** @type {keyof typeof steps} */ (key)];
        return marks[Math.max(0, Math.min(marks.length - 1, i))];
      }
      if (key in DIRECTIONS) {
        return neighbour(marks, mark, DIRECTIONS[/** @type {keyof typeof DIRECTIONS} */ (key)]) || mark;
      }
      return null;
    }

    for (const mark of marks) {
      mark.setAttribute('role', 'button');
      mark.setAttribute('aria-label', 'Play ' + mark.dataset.label);
      mark.addEventListener('focus', () => choose(mark));
      mark.addEventListener('click', (event) => {
        if (event.detail === 0) {  // from a screen reader; presses come through the plot
          play(mark.dataset.src || '', mark);
        }
      });
      mark.addEventListener('keydown', (event) => {
        const next = target(mark, event.key);
        if (next) {
          event.preventDefault();
          next.focus();
        } else if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          play(mark.dataset.src || '', mark);
        }
      });
    }
    marks.forEach((mark, i) => mark.setAttribute('tabindex', i === 0 ? '0' : '-1'));

    plot.addEventListener('click', (event) => {
      const mark = event.detail > 0 ? under(event) : undefined;
      if (mark) {
        mark.focus({ preventScroll: true });
        play(mark.dataset.src || '', mark);
      }
    });
    plot.addEventListener('pointermove', (event) => {
      const mark = under(event);
      plot.classList.toggle('over', Boolean(mark));
      if (mark) {
        describe(mark);
      }
    });
    figure.addEventListener('click', (event) => {
      const link = /** @type {Element} */ (event.target).closest('td a');
      if (link) {
        event.preventDefault();
        const address = link.getAttribute('href') || '';
        play(address, marks.find((mark) => mark.dataset.src === address));
      }
    });
    audio.addEventListener('pause', () => show(undefined));
    audio.addEventListener('error', () => {
      show(undefined);
      status.textContent = 'This sound can not be played: ' + audio.getAttribute('src') + ' is missing or damaged.';
    });
  }

  for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.roll'))) {
    enhance(figure);
  }
})();
