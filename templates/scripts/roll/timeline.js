/**
 * The mix of an event roll along time: summed from the events when asked for, drawn as a waveform under the plot, heard
 * from any point. It plays single events too, so that only one thing sounds.
 *
 * @typedef {number | 'mix' | null} Subject what plays: an event, the mix, or nothing
 */
const timeline = (() => {
  'use strict';

  const BEFORE = 0.3; // seconds that are heard before an event in its context

  /**
   * @typedef {{title: string, rate: number, length: number, peaks: string}} Measures `rate` in Hz, `length` in
   *   samples; `peaks` of the published mix as report/article/canvas.py writes them
   * @typedef {{events: () => PlacedEvent[], mixed: (values: Int16Array) => void,
   *   attempt: (action: () => Promise<Int16Array>) => Promise<Int16Array | null>,
   *   show: (subject: Subject, now: number, loading: boolean) => void}} Editor `mixed` hears of every new mix; `attempt`
   *   does it, or says why not
   */

  /**
   * @param {Element} plot @param {ReturnType<typeof library.make>} sounds
   * @param {Measures} measures @param {Editor} editor
   */
  function make(plot, sounds, { title, rate, length, peaks }, editor) {
    const seconds = length / rate;
    /** @type {Promise<Int16Array> | null} */
    let current = null; // the mix as it is; null when an edit has made it old
    /** @type {Subject} */
    let subject = null;
    /** @type {ReturnType<typeof sound.play> | null} */
    let voice = null;
    let offset = 0; // where along the roll the playing sound begins, seconds
    let at = 0; // where the mix goes on, seconds
    let frame = 0; // the next in which the playhead moves
    let turn = 0; // counts what was asked for, so that what loads too late stays silent

    const { host, extent } = build(plot);
    const shape = wave.make(host, {
      seconds,
      peaks,
      label: `Position in the mix of ${title}`,
      seek,
      toggle,
      select: (range) => seek(range && (at < range[0] || at >= range[1]) ? range[0] : position()),
    });
    const owner = { stop };

    function position() {
      return voice && subject === 'mix' ? voice.position() : at;
    }

    function show() {
      shape.show(position());
      editor.show(subject, voice ? offset + voice.position() : position(), subject !== null && !voice);
    }

    function follow() {
      if (voice) {
        show();
        frame = requestAnimationFrame(follow);
      }
    }

    function halt() {
      turn += 1;
      cancelAnimationFrame(frame);
      at = position();
      voice?.stop();
      voice = null;
    }

    function stop() {
      halt();
      subject = null;
      show();
      sound.release(owner);
    }

    function ended() {
      voice = null;
      at = subject === 'mix' ? 0 : at;
      stop();
    }

    /** @param {number | 'mix'} what @param {number} start seconds @param {() => Promise<Int16Array>} load
     * @param {{from?: number, loop?: [number, number] | null}} options */
    async function begin(what, start, load, options) {
      halt();
      sound.claim(owner);
      sound.wake();
      subject = what;
      const mine = turn;
      show(); // that it loads
      const values = await editor.attempt(load);
      if (mine === turn && values) {
        offset = start;
        voice = sound.play(sound.toBuffer(values, rate), { ...options, ended });
        frame = requestAnimationFrame(follow);
      } else if (mine === turn) {
        stop();
      }
    }

    function mixed() {
      const promise = current || sounds.render(editor.events(), length);
      current = promise;
      promise.catch(() => {
        current = current === promise ? null : current; // may be asked for again
      });
      return promise;
    }

    /** @param {number} from seconds */
    function playMix(from) {
      const loop = shape.range();
      halt(); // before the point is set: what plays has one of its own
      at = loop && (from < loop[0] || from >= loop[1]) ? loop[0] : from;
      begin('mix', 0, refreshed, { from: at, loop });
    }

    /** @param {number} target seconds */
    function seek(target) {
      const inside = Math.max(0, Math.min(seconds, target));
      if (subject === 'mix') {
        playMix(inside);
      } else {
        at = inside;
        show();
      }
    }

    function toggle() {
      if (subject === 'mix') {
        stop();
      } else {
        playMix(at >= seconds ? 0 : at);
      }
    }

    /** The mix, after the page has shown what it is. */
    async function refreshed() {
      const known = current;
      const promise = mixed();
      const values = await promise;
      if (!known && promise === current) {
        shape.setPeaks(wave.peaksOf(values), seconds);
        editor.mixed(values);
      }
      return values;
    }

    return {
      position,
      range: shape.range,
      setRange: shape.setRange,
      refreshed,
      seek,
      stop,
      toggle,
      /** Whether nothing else on the page makes sound. */
      isFree: () => sound.isFree(owner),
      /** Show where an event is heard. @param {number} from @param {number} share of the width, as `from` is */
      showExtent(from, share) {
        extent.hidden = false;
        const [left, right] = [from, from + share].map((x) => Math.max(0, Math.min(1, x)));
        extent.style.left = `${100 * left}%`;
        extent.style.width = `${100 * (right - left)}%`;
      },
      /** An event at its gain, alone. @param {number} i */
      playEvent(i) {
        const event = { ...editor.events()[i], muted: false };
        const alone = async () => sounds.render([{ ...event, start: 0 }], (await sounds.samples(event.sound)).length);
        begin(i, event.start / rate, alone, {});
      },
      /** The mix from a little before an event. @param {number} i */
      playInContext: (i) => playMix(Math.max(0, Math.min(length, editor.events()[i].start) / rate - BEFORE)),
      /** After an edit: sum again; what plays goes on at the same point. */
      async update() {
        current = null;
        const values = await editor.attempt(refreshed);
        if (values && subject === 'mix') {
          playMix(position());
        }
      },
    };
  }

  /** @param {Element} plot */
  function build(plot) {
    const [frame, extent, host] = ['div', 'span', 'div'].map((name) => document.createElement(name));
    frame.className = 'timeline';
    extent.className = 'extent';
    extent.hidden = true;
    frame.append(extent, host);
    plot.after(frame);
    return { host, extent };
  }

  return { make };
})();
