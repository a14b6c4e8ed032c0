/**
 * A deck plays samples that were computed in the page: a button, a waveform, which is the slider of its position, a clock,
 * and a line that runs over a picture.
 */
const deck = (() => {
  'use strict';

  const FLAT = 'AA'.repeat(100); // the waveform of nothing

  /**
   * @typedef {{rate: number, length: number, changed: () => void, toggle: () => void, repeats: () => boolean}} Options
   *   `rate` in Hz, `length` in samples of the time axis; `changed` hears when a sound begins, ends or can not be loaded;
   *   `toggle` answers the button, and Space and Enter at the waveform; `repeats` says whether what came to its end
   *   begins again
   */

  /** @param {HTMLElement} picture along the sounds @param {Options} options */
  function make(picture, { rate, length, changed, toggle, repeats }) {
    const { row, button, host, clock } = build();
    const seconds = length / rate;
    const owner = { stop };
    /** @type {Int16Array} */
    let samples = new Int16Array(); // what is heard, or was last
    let name = ''; // of what was asked for last
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
      toggle,
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
      if (repeats()) {
        start(0);
      } else {
        stop();
        seek(0);
      }
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
     * @param {string} called @param {Promise<Int16Array>} rendering
     * @param {number} [from] seconds; without, it goes on where it stands
     */
    async function play(called, rendering, from) {
      name = called;
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
          complain(false);
          start(from ?? position());
          changed();
        }
      } catch {
        if (mine === turn) {
          name = '';
          complain(true);
          stop();
        }
      }
    }

    /** @param {boolean} failed */
    function complain(failed) {
      player.complain(row, failed ? 'This sound can not be loaded. Press again to try again.' : null);
    }

    button.addEventListener('click', toggle);
    show();
    return {
      row,
      complain,
      /** Say what the button plays; a waveform that is not of that is hidden. @param {string} title @param {string} called */
      describe(title, called) {
        button.setAttribute('aria-label', `${on ? 'Pause' : 'Play'} ${title}`);
        row.classList.toggle('playing', on);
        host.hidden = name !== called;
      },
      play,
      stop,
      playing: () => on,
      name: () => name,
      state: () => links.time(position(), line.range()),
      /** @param {Record<string, string>} state of an address */
      restore(state) {
        const time = links.readTime(state);
        line.setRange(time.range);
        seek(Math.min(time.now, seconds));
      },
    };
  }

  function build() {
    const [row, host] = [document.createElement('div'), document.createElement('div')];
    const clock = document.createElement('span');
    const button = wave.playButton('');
    row.className = 'reel';
    clock.className = 'time';
    row.append(button, host, clock);
    return { row, button, host, clock };
  }

  return { make };
})();
