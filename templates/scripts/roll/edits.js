/**
 * Edits of an event roll: the placed events, undo and redo, and an edit as JSON, which `python -m report mix` reads too.
 *
 * @typedef {{sound: string, start: number, gain: number, muted: boolean, solo: boolean}} PlacedEvent `sound` is a
 *   SHA-256, perhaps with a stretch of that file, as `media.key` has it; `start` a sample, `gain` in steps of 1/4096
 * @typedef {{title: string, rate: number, channels: number, length: number}} Measures of a roll: `rate` in Hz, `length`
 *   in samples
 */
const edits = (() => {
  'use strict';

  const SCHEMA = 1;
  const LARGEST_GAIN = 65536; // 24 dB
  const FARTHEST = 2 ** 28; // samples before or after the roll's beginning
  const UNCHECKED = 'Whether the mix is the published one can not be checked: this page did not come by https.';

  /**
   * @param {PlacedEvent[]} published
   * @param {(only?: number) => void} changed is called after every change; `only` is the event that is being dragged
   * @param {(i: number, event: PlacedEvent) => PlacedEvent} settle gives an event the sound for where it is
   */
  function make(published, changed, settle) {
    /** @type {PlacedEvent[][]} */
    const past = [];
    /** @type {PlacedEvent[][]} */
    let future = [];
    let present = published;
    /** @type {PlacedEvent[] | null} */
    let before = null; // what was present before the drag that goes on

    /** @param {PlacedEvent[][]} from @param {PlacedEvent[][]} to */
    function travel(from, to) {
      cancel();
      const events = from.pop();
      if (events) {
        to.push(present);
        present = events;
        changed();
      }
    }

    /** @param {PlacedEvent[]} events in the order found @param {boolean} [undoable] */
    function set(events, undoable = true) {
      const from = before || present;
      if (JSON.stringify(events) === JSON.stringify(from)) {
        cancel();
        return;
      }
      if (undoable) {
        past.push(from);
        future = [];
      }
      before = null;
      present = events;
      changed();
    }

    /** Take back a drag that goes on. */
    function cancel() {
      if (before) {
        present = before;
        before = null;
        changed();
      }
    }

    /** @param {number} i @param {Partial<PlacedEvent>} to @returns {PlacedEvent[]} */
    function changedTo(i, to) {
      const placed = { ...present[i], ...to };
      const event = 'start' in to || 'sound' in to ? settle(i, placed) : placed;
      return present.map((other, k) => (k === i ? event : other));
    }

    return {
      published,
      set,
      cancel,
      /** @param {(event: PlacedEvent, i: number) => PlacedEvent} to */
      changeAll: (to) => set(present.map((event, i) => settle(i, to(event, i)))),
      /** @param {number} i @param {Partial<PlacedEvent>} to */
      change: (i, to) => set(changedTo(i, to)),
      /** Change an event on the way, until `change` or `set` says where to: one step for undo. @param {number} i
       * @param {Partial<PlacedEvent>} to */
      drag(i, to) {
        before = before || present;
        present = changedTo(i, to);
        changed(i);
      },
      events: () => present,
      canUndo: () => past.length > 0,
      canRedo: () => future.length > 0,
      undo: () => travel(past, future),
      redo: () => travel(future, past),
    };
  }

  /** An event as published. @param {EventRow} row @returns {PlacedEvent} */
  function published({ address, start }) {
    return { sound: media.key(address), start, gain: mix.UNITY, muted: false, solo: false };
  }

  /** The events with solo turned into muted others. @param {PlacedEvent[]} events @returns {PlacedEvent[]} */
  function heard(events) {
    const alone = events.some((event) => event.solo);
    return events.map((event) => ({ ...event, muted: event.muted || (alone && !event.solo), solo: false }));
  }

  /** @param {PlacedEvent[]} events @param {PlacedEvent[]} published @returns {boolean} whether nothing was changed */
  const isPublished = (events, published) => JSON.stringify(events) === JSON.stringify(published);

  /** The starts of moved events, for an address. @param {PlacedEvent[]} events @param {PlacedEvent[]} published */
  function moves(events, published) {
    const moved = events.flatMap(({ start }, i) => (start === published[i].start ? [] : [`${i + 1}:${start}`]));
    return moved.join(',');
  }

  /** Events at the starts in an address. @param {PlacedEvent[]} events @param {string} moved as `moves` writes it
   * @param {(i: number, event: PlacedEvent) => PlacedEvent} settle @returns {PlacedEvent[]} */
  function moveTo(events, moved, settle) {
    const pairs = Array.from(moved.matchAll(/(\d+):(-?\d{1,9})\b/g), ([, number, start]) =>
      [number, start].map(Number),
    );
    const starts = new Map(pairs.map(([number, start]) => [number - 1, start]));
    return events.map((event, i) => {
      const start = starts.get(i);
      return start === undefined ? event : settle(i, { ...event, start });
    });
  }

  /**
   * @param {PlacedEvent[]} events @param {PlacedEvent[]} published @param {number | null} seed of their times, if drawn
   * @param {(i: number, sound: string) => string} known the published sound of the event that sounds so alone
   * @returns {string} such as "3 events moved, 1 muted"
   */
  function summary(events, published, seed, known) {
    /** @type {[string, (now: PlacedEvent, then: PlacedEvent, i: number) => boolean][]} */
    const kinds = [
      [seed ? `moved to the random times of seed ${seed}` : 'moved', (now, then) => now.start !== then.start],
      ['with another gain', (now, then) => now.gain !== then.gain],
      ['heard as alone', (now, then, i) => now.sound !== then.sound && known(i, now.sound) === then.sound],
      ['with another sound', (now, then, i) => known(i, now.sound) !== then.sound],
      ['muted', (now) => now.muted],
      ['solo', (now) => now.solo],
    ];
    const counts = kinds.map(
      ([words, differs]) =>
        /** @type {const} */ ([events.filter((event, i) => differs(event, published[i], i)).length, words]),
    );
    return counts
      .filter(([n]) => n)
      .map(([n, words], i) => (i ? `${n} ${words}` : `${n} ${n === 1 ? 'event' : 'events'} ${words}`))
      .join(', ');
  }

  /**
   * Say in words whether a mix is the published one. @param {Int16Array} values
   * @param {Measures} measures @param {string} published its SHA-256 as a WAV file
   * @param {string} edited what `summary` says @returns {Promise<{words: string, wrong: boolean}>}
   */
  async function judge(values, { rate, channels }, published, edited) {
    const hash = await media.sha256(mix.toWav(values, rate, channels)).catch(() => null);
    const named = hash ? ` (SHA-256 ${hash.slice(0, 12)}…)` : '';
    if (hash === published) {
      return { words: `The mix is the published reconstruction, bit for bit${named}.`, wrong: false };
    }
    const words = edited ? `Edited: ${edited}${named}.` : `The mix is not the published reconstruction${named}.`;
    return hash || edited ? { words, wrong: !edited } : { words: UNCHECKED, wrong: false };
  }

  /** @param {PlacedEvent[]} events @param {Measures} measures @returns {string} */
  function toJson(events, { title, rate, channels, length }) {
    const placed = heard(events).map(({ sound, start, gain, muted }) => ({ ...split(sound), start, gain, muted }));
    const more = channels > 1 ? { channels } : {};
    const edit = { schema: SCHEMA, title, samplerate: rate, n_samples: length, ...more, events: placed };
    return `${JSON.stringify(edit, null, 2)}\n`;
  }

  /** The fields that say in a file which sound is meant. @param {string} key */
  function split(key) {
    const [, sound, first, length] = /^([^#]*)(?:#samples=(\d+),(\d+))?$/.exec(key) || [];
    return length === undefined ? { sound } : { sound, first: Number(first), length: Number(length) };
  }

  /** The way back. @param {{sound: string, first?: unknown, length?: unknown}} event @returns {string} */
  function join({ sound, first = 0, length }) {
    return length === undefined ? sound : `${sound}#samples=${first},${length}`;
  }

  /**
   * @param {string} text @param {Measures} measures @param {number} count of the roll's events
   * @param {(sound: string) => boolean} known @returns {PlacedEvent[]}
   */
  function fromJson(text, { rate, channels, length }, count, known) {
    const edit = parse(text);
    demand(edit.schema === SCHEMA, `"schema" is ${show(edit.schema)}; this page reads ${SCHEMA}`);
    demand(typeof edit.title === 'string', `"title" is ${show(edit.title)}; it has to be text`);
    demand(edit.samplerate === rate, `"samplerate" is ${show(edit.samplerate)}; this roll has ${rate}`);
    demand((edit.channels ?? 1) === channels, `"channels" is ${show(edit.channels)}; this roll has ${channels}`);
    demand(edit.n_samples === length, `"n_samples" is ${show(edit.n_samples)}; this roll has ${length}`);
    demand(
      Array.isArray(edit.events) && edit.events.length === count,
      `"events" has to be a list of ${count} events, as in this roll`,
    );
    return edit.events.map((/** @type {any} */ event, /** @type {number} */ i) => {
      const wrong = (/** @type {string} */ name, /** @type {string} */ words) =>
        `event ${i + 1}: "${name}" is ${show(event[name])}; ${words}`;
      demand(typeof event === 'object' && event !== null, `event ${i + 1} is ${show(event)}; it has to be an object`);
      demand(typeof event.sound === 'string' && known(join(event)), wrong('sound', 'this roll has no such sound'));
      demand(
        isWhole(event.start, -FARTHEST, FARTHEST),
        wrong('start', `it has to be a whole number from ${-FARTHEST} to ${FARTHEST}`),
      );
      demand(
        isWhole(event.gain, 0, LARGEST_GAIN),
        wrong('gain', `it has to be a whole number from 0 to ${LARGEST_GAIN}`),
      );
      demand(typeof event.muted === 'boolean', wrong('muted', 'it has to be true or false'));
      return { sound: join(event), start: event.start, gain: event.gain, muted: event.muted, solo: false };
    });
  }

  /** @param {string} text @returns {any} */
  function parse(text) {
    try {
      return Object(JSON.parse(text));
    } catch {
      throw new Error('This file is no edit: it is not JSON.');
    }
  }

  /** @param {boolean} right @param {string} words */
  function demand(right, words) {
    if (!right) {
      throw new Error(`This edit can not be used: ${words}.`);
    }
  }

  /** @param {unknown} value */
  const show = (value) => (value === undefined ? 'missing' : JSON.stringify(value));
  /** @param {unknown} value @param {number} least @param {number} most */
  const isWhole = (value, least, most) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most;

  return { fromJson, heard, isPublished, judge, make, moveTo, moves, published, summary, toJson };
})();
