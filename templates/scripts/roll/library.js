/**
 * The sounds of an event roll by their keys, which are hashes, perhaps with a stretch of that file: those of its table,
 * and those that its events may have instead.
 *
 * A published event has one sound as its part of the mix, and perhaps another as it sounds alone. It is its part near its
 * published place, and sounds as alone elsewhere. A part may begin ahead of its event's start.
 *
 * @typedef {{y: number, colour: string, row: string | number | null, height?: number | null, value?: string}} Look of an
 *   event: `y` is a share of the plot's height, `row` its pixels in the picture of vectors, or the number of another row
 *   there, or null for its own; on the scale, if there is one, it has this height, null in the lane, and this value
 */
const library = (() => {
  'use strict';

  /**
   * @typedef {{sets: Record<string, string[]>, steps: Record<string, (string | null)[][]>,
   *   directions?: Record<string, [string, string][]>, looks?: Record<string, Look>}}
   *   Choices as EventRoll in report/article/components.py defines them
   */

  /**
   * @param {EventRow[]} rows @param {{rate: number, channels: number}} form of all sounds, the rate in Hz
   * @param {number} slack samples by which an event may be moved and still be its part of the mix @param {string} mixSrc address of the published mix
   * @param {string} source address of the choices, or ""
   */
  function make(rows, { rate, channels }, slack, mixSrc, source) {
    const named = rows.map((row) => ({ ...row, part: media.key(row.address), alone: media.key(row.alone) }));
    const stored = new Set(named.flatMap(({ part, alone }) => [part, alone]));
    const facts = new Map(named.flatMap((row) => [row.part, row.alone].map((hash) => [hash, row.facts])));
    /** @type {Choices} */
    let choices = { sets: {}, steps: {} };
    /** @type {Promise<Choices> | null} */
    let loading = null;

    /** Media lie in one folder, wherever that is, and sounds of one rate are of one type. @param {string} key @returns {string} */
    const address = (key) => {
      const [hash, stretch] = key.split('#');
      return mixSrc.replace(/[0-9a-f]{64}(?=\.\w+$)/, hash) + (stretch ? `#${stretch}` : '');
    };

    /** The known facts of a sound: 0 seconds before `learn`. @param {string} hash @param {number} gain
     * @returns {SoundFacts} */
    function about(hash, gain = mix.UNITY) {
      const { seconds, peak } = facts.get(hash) || { seconds: 0, peak: -Infinity };
      return { seconds, peak: peak + mix.toDecibels(gain) };
    }

    /** The published event whose sound this is: event i where it has it too, -1 if none has. @param {number} i
     * @param {string} hash */
    function ownerOf(i, hash) {
      const has = (/** @type {{part: string, alone: string}} */ row) => row.part === hash || row.alone === hash;
      return named[i] && has(named[i]) ? i : named.findIndex(has);
    }

    /** Samples by which a sound begins ahead of its event. @param {number} i @param {string} hash */
    function leadOf(i, hash) {
      const owner = named[ownerOf(i, hash)];
      return owner?.part === hash ? owner.lead : 0;
    }

    /** @param {string} hash @returns {Promise<Int16Array>} */
    const samples = (hash) => media.samples(address(hash)).catch(again);

    return {
      samples,
      /** The published mix, one file: it is the sum of the published events. @returns {Promise<Int16Array>} */
      mix: () => media.samples(mixSrc).catch(again),
      /** Events with `start` as the sample at which their sounds begin. @param {PlacedEvent[]} events */
      begins: (events) => events.map((event, i) => ({ ...event, start: event.start - leadOf(i, event.sound) })),
      /** The way back. @param {PlacedEvent[]} events */
      starts: (events) => events.map((event, i) => ({ ...event, start: event.start + leadOf(i, event.sound) })),
      /** An event as it sounds by itself, from where that begins. @param {number} i @param {PlacedEvent} event */
      alone(i, event) {
        const hash = named[ownerOf(i, event.sound)]?.alone || event.sound;
        return { ...event, sound: hash, start: event.start - leadOf(i, hash), muted: false };
      },
      /** An event with a sound of its own, with the one for where it is. @param {number} i @param {PlacedEvent} event
       * @returns {PlacedEvent} */
      settle(i, event) {
        const { part, alone, start } = named[i];
        const own = event.sound === part || event.sound === alone;
        return own ? { ...event, sound: Math.abs(event.start - start) <= slack ? part : alone } : event;
      },
      /** The sound by which an event is known: of an event as it sounds alone, that of its part. @param {number} i
       * @param {string} hash */
      asPublished: (i, hash) => named[ownerOf(i, hash)]?.part || hash,
      /** The sum of events that begin at `start`. @param {PlacedEvent[]} events @param {number} length
       * @returns {Promise<Int16Array>} */
      render(events, length) {
        const placed = events.map((event) => ({ ...event, sound: address(event.sound) }));
        return mix.render(placed, length, channels).catch(again);
      },
      facts: about,
      /**
       * An event in words: as published, by its name if it has one. @param {number} i @param {PlacedEvent} event
       * @param {number | null} kin the event that is most like it @param {string} value on the scale, or ""
       * @returns {{name: string, facts: string}}
       */
      describe(i, { sound, start, gain, muted }, kin, value) {
        const { seconds, peak } = about(sound, gain);
        const likest = kin === null ? '' : `, most like event ${kin + 1}`;
        const measured =
          `${seconds.toFixed(2)} seconds long, ` +
          `peak ${numbers.fixed(peak, 1)} dBFS${likest}${muted ? ', muted' : ''}`;
        const where = `at ${numbers.fixed(start / rate, 2)} seconds`;
        const { part, alone, start: published, name } = named[i];
        const same = (sound === part || sound === alone) && start === published && gain === mix.UNITY;
        if (same && name) {
          return { name: `${name}${muted ? ', muted' : ''}`, facts: `${name}: ${measured}` };
        }
        const facts = [...(value ? [value] : []), where, measured].join(', ');
        return { name: facts, facts };
      },
      /** @param {string} hash */
      async learn(hash) {
        if (!facts.has(hash)) {
          facts.set(hash, measure(await samples(hash), rate * channels));
        }
      },
      /** The choices that were loaded. @returns {Choices} */
      choices: () => choices,
      /** @returns {Promise<Choices>} asked for again after a failure */
      async load() {
        loading = loading || (source ? media.json(source) : Promise.resolve(choices));
        try {
          choices = { ...choices, ...(await loading) }; // steps may be left out
        } catch (error) {
          loading = null;
          again(/** @type {Error} */ (error));
        }
        return choices;
      },
      /**
       * How an event looks with a sound: its published one, one of the choices, or that of another event.
       * @param {number} i @param {string} hash @param {{y: number, colour: string, height?: number | null}[]} looks of
       *   the published events @returns {Look}
       */
      lookOf(i, hash, looks) {
        const other = ownerOf(i, hash);
        const owner = other < 0 ? i : other;
        const own = { ...looks[owner], value: named[owner].value, row: owner === i ? null : owner };
        const look = other !== i && choices.looks?.[hash];
        return look ? { ...own, ...look } : own;
      },
      /** @param {string} hash */
      has: (hash) => stored.has(hash) || offered(choices).includes(hash),
    };
  }

  /** @param {Choices} choices @returns {(string | null)[]} */
  const offered = ({ sets, steps }) => [Object.values(sets), Object.values(steps)].flat(4);

  /** @param {Error} error @returns {never} */
  function again(error) {
    throw new Error(`${error.message} Press again to try again.`);
  }

  /** @param {Int16Array} values @param {number} rate of values a second @returns {SoundFacts} */
  function measure(values, rate) {
    const loudest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return { seconds: values.length / rate, peak: 20 * Math.log10(loudest / 32768) };
  }

  return { make };
})();
