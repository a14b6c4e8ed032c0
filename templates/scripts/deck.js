/**
 * A deck plays samples that were computed in the page, with a waveform, which is the slider of its position, a line that
 * runs over a picture, and a clock.
 */
const deck = (() => {
  'use strict';

  const FLAT = 'AA'.repeat(100); // the waveform of nothing

  /**
   * @typedef {{picture: HTMLElement, host: HTMLElement, clock: HTMLElement}} Parts `host` becomes the waveform
   * @typedef {{rate: number, length: number, changed: () => void, again: () => void, complain: (words: string | null) => void}} Options
   *   `rate` in Hz, `length` in samples of the time axis; `changed` hears when a sound begins or ends, `again` is asked
   *   for the sound when the reader starts it at the waveform
   */

  /** @param {Parts} parts @param {Options} options */
  function make({ picture, host, clock }, { rate, length, changed, again, complain }) {
    const seconds = length / rate;
    const owner = { stop };
    /** @type {Int16Array} */
    let samples = new Int16Array(); // what is heard, or was last
    let now = 0; // seconds, where nothing plays
    let turn = 0; // counts what was asked for: what comes too late is not played
    let on = false; // also while it is loaded
    /** @type {ReturnType<typeof sound.play> | null} */
    let voice = null;
    const cursor = player.addCursor(picture, (share) => seek(share * seconds));
    const line = wave.make(host, {
      seconds,
      peaks: FLAT,
      label: 'Position in what is heard',
      seek,
      toggle: () => (on ? stop() : again()),
      select: () => voice && start(position()),
    });

    function position() {
      return voice ? voice.position() : now;
    }

    function show() {
      line.show(position());
      cursor(voice || now > 0 ? position() / seconds : null);
      clock.textContent = `${wave.clock(position())} / ${wave.clock(seconds)}`;
    }

    function follow() {
      show();
      if (voice) {
        requestAnimationFrame(follow);
      }
    }

    /** The sound on the whole axis, with the silence behind it. */
    function padded() {
      const whole = new Int16Array(length);
      whole.set(samples.subarray(0, length));
      return whole;
    }

    /** @param {number} from seconds */
    function start(from) {
      const loop = line.range();
      const first = loop && (from < loop[0] || from >= loop[1]) ? loop[0] : from;
      const heard = loop || first >= samples.length / rate ? padded() : samples;
      const follows = voice !== null;
      voice?.stop();
      voice = sound.play(sound.toBuffer(heard, rate), { from: first, loop, ended });
      if (!follows) {
        follow();
      }
    }

    function ended() {
      stop();
      seek(0);
    }

    function stop() {
      turn++;
      now = position();
      voice?.stop();
      voice = null;
      on = false;
      sound.release(owner);
      changed();
    }

    /** @param {number} target seconds */
    function seek(target) {
      now = target;
      if (voice) {
        start(target);
      }
      show();
    }

    /**
     * Play what comes, in answer to a press or in place of what plays.
     * @param {Promise<Int16Array>} rendering @param {number} [from] seconds; without, it goes on where it stands
     */
    async function play(rendering, from) {
      const mine = ++turn;
      on = true;
      sound.wake();
      sound.claim(owner);
      changed();
      try {
        const rendered = await rendering;
        if (mine === turn) {
          samples = rendered;
          line.setPeaks(wave.peaksOf(padded()), seconds);
          complain(null);
          start(from ?? position());
        }
      } catch (error) {
        if (mine === turn) {
          stop();
          complain(/** @type {Error} */ (error).message);
        }
      }
    }

    show();
    return {
      play,
      stop,
      playing: () => on,
      state: () => links.time(position(), line.range()),
      /** @param {Record<string, string>} state of an address */
      restore(state) {
        const time = links.readTime(state);
        line.setRange(time.range);
        seek(Math.min(time.now, seconds));
      },
    };
  }

  return { make };
})();
