/**
 * Tables of sounds, items by systems: arrow keys and presses go from cell to cell. The sounds of a row run in lock, as
 * the versions of a comparison do, so that a neighbour is heard from the same place on, and as loud.
 */
(() => {
  'use strict';

  /** @type {Record<string, [number, number]>} how far keys go: rows, columns */
  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  /**
   * @typedef {ReturnType<typeof readCell>} Cell
   * @typedef {{cells: Cell[], list: Cell['version'][], playing: ReturnType<typeof transport.make>}} Line a row
   */

  /** @param {HTMLElement} figure */
  function enhance(figure) {
    const lines = elements.all('tbody tr', figure).map((row) => makeLine(row, refresh));
    const cells = lines.flatMap((line) => line.cells);
    const desk = elements.make('div', { className: 'stand' });
    const matched = elements.make('input', { type: 'checkbox', autocomplete: 'off' });
    const plain = 'plain' in figure.dataset;
    let line = lines[0];
    let cell = cells[0]; // the one that is heard

    function refresh() {
      for (const each of cells) {
        const on = each === cell && line?.playing.playing();
        controls.turn(each.button, each.part, each.version.label, Boolean(on));
      }
    }

    /** @param {Cell} to */
    function pick(to) {
      const from = line;
      const plays = from.playing.playing();
      line = /** @type {Line} */ (lines.find((each) => each.cells.includes(to)));
      cell = to;
      if (line !== from) {
        from.playing.pause();
      }
      if (!line.playing.element.isConnected) {
        desk.replaceChildren(line.playing.element);
      }
      cells.forEach((each) => {
        const here = each === cell;
        each.button.tabIndex = here ? 0 : -1;
        each.part.classList.toggle('heard', here);
        each.about.hidden = !here;
      });
      elements.all('.own', figure).forEach((own, k) => {
        own.hidden = cells[k] !== cell;
      });
      elements.find('.facts', cell.about).append(...elements.all('.menu', figure));
      const i = line.cells.indexOf(cell);
      line.playing.shape(i);
      line.playing.choose(i);
      plays && !line.playing.playing() && line.playing.play();
      refresh();
    }

    /** @param {Cell} to */
    function press(to) {
      const same = to === cell;
      pick(to);
      if (same) {
        line.playing.toggle();
      } else if (!line.playing.playing()) {
        line.playing.play();
      }
    }

    function setGains() {
      for (const { list, playing, cells } of lines) {
        const gains = matched.checked ? versions.match(list) : list.map(() => 1);
        playing.setGains(gains);
        cells.forEach(({ gain }, i) => versions.tellGain(gain, gains[i]));
      }
    }

    /** @param {KeyboardEvent} event */
    function pressKey(event) {
      const [down, right] = STEPS[event.key] || [0, 0];
      const next = (down || right) && beside(lines, cell, down, right);
      if (next && !event.altKey && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        pick(next);
        next.button.focus();
      }
    }

    matched.checked = !plain && lines.some(({ list }) => list.filter(({ loudness }) => loudness !== null).length > 1);
    matched.disabled = !matched.checked;
    matched.addEventListener('change', setGains);
    arrange(figure, cells, desk, plain ? null : matched);
    elements.find('table', figure).addEventListener('keydown', pressKey);
    cells.forEach((each) => each.button.addEventListener('click', () => press(each)));
    links.add(figure, {
      source: () => cell.version.address,
      version: () => cell.version.label,
      state: () => ({
        cell: String(cells.indexOf(cell) + 1),
        ...(matched.checked || matched.disabled ? {} : { matched: '0' }),
        ...links.time(line.playing.position(), line.playing.line.range()),
      }),
      restore(state) {
        const { now, range } = links.readTime(state);
        line.playing.pause();
        matched.checked = !matched.disabled && state.matched !== '0';
        setGains();
        pick(cells[Number(state.cell) - 1] || cells[0]);
        line.playing.line.setRange(range);
        line.playing.seek(now);
      },
    });
    setGains();
    pick(cell);
  }

  /** @param {HTMLElement} row @param {() => void} changed @returns {Line} */
  function makeLine(row, changed) {
    const cells = elements.all('td:has(.player)', row).map(readCell);
    const list = cells.map(({ version }) => version);
    return { cells, list, playing: transport.make(list, changed) };
  }

  /** @param {HTMLElement} part */
  function readCell(part) {
    const button = controls.playButton(() => {});
    const gain = elements.make('span', { className: 'gain' });
    const about = elements.find('.player', part);
    part.append(elements.make('div', { className: 'cell' }, button, gain));
    const column = /** @type {HTMLTableCellElement} */ (part).cellIndex;
    return { part, button, gain, about, column, version: versions.read(part) };
  }

  /** The next cell in a direction that has a sound. @param {Line[]} lines @param {Cell} cell @param {number} down
   * @param {number} right */
  function beside(lines, cell, down, right) {
    const at = lines.findIndex(({ cells }) => cells.includes(cell));
    if (right) {
      return lines[at].cells[lines[at].cells.indexOf(cell) + right];
    }
    const others = down > 0 ? lines.slice(at + 1) : lines.slice(0, at).reverse();
    return others.flatMap(({ cells }) => cells).find(({ column }) => column === cell.column);
  }

  /**
   * @param {HTMLElement} figure @param {Cell[]} cells @param {HTMLElement} desk
   * @param {HTMLInputElement | null} matched
   */
  function arrange(figure, cells, desk, matched) {
    const abouts = cells.map(({ about }) => about);
    for (const hidden of abouts.flatMap((about) => elements.all('audio, figcaption', about))) {
      hidden.hidden = true;
    }
    elements.find('.scroll', figure).after(desk);
    if (matched) {
      const words = matched.disabled ? 'Too short or too quiet to match loudness' : 'Match loudness in a row';
      const label = elements.make('label', {}, matched, words);
      desk.after(elements.make('div', { className: 'matching' }, label));
    }
    figure.append(...abouts);
    figure.classList.add('live');
  }

  elements.all('.grid').forEach(enhance);
})();
