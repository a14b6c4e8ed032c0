/** What plays versions of one sound, of which one is heard: a button, a waveform to seek in, and a clock. */
const transport = (() => {
  'use strict';

  /**
   * @param {Parameters<typeof versions.load>[0]} list
   * @param {(now: number) => void} draw hears where it is, whenever that changes
   */
  function make(list, draw) {
    const seconds = Math.max(...list.map((version) => version.seconds));
    const names = [...new Set(list.map(({ label }) => label))].join(', ');
    const { element, button, host, time } = build();
    /** @type {AudioBuffer[] | null} kept until something else is played */
    let buffers = null;
    /** @type {ReturnType<typeof versions.play> | null} */
    let voice = null;
    let now = 0; // seconds, while nothing plays
    let turn = 0; // counts presses: what is loaded too late is not played
    let waiting = false;
    let heard = 0;
    let gains = list.map(() => 1);
    const owner = {
      stop() {
        pause();
        buffers = null;
      },
    };
    const line = wave.make(host, {
      seconds,
      peaks: padded(0),
      label: `Position in ${names}`,
      seek,
      toggle,
      select: restart,
    });

    const complain = (/** @type {string | null} */ words) =>
      player.complain(/** @type {Element} */ (element.parentElement), words, element);
    const position = () => (voice ? Math.min(voice.position(), seconds) : now);
    const levels = () => gains.map((gain, i) => (i === heard ? gain : 0));

    /** The peaks of a version with the silence behind it. @param {number} i @returns {string} */
    function padded(i) {
      const { peaks, seconds: own } = list[i];
      return peaks.padEnd(2 * Math.round((peaks.length * seconds) / own / 2), 'A');
    }

    function show() {
      const going = Boolean(voice) || waiting;
      element.classList.toggle('playing', going);
      element.setAttribute('aria-busy', String(waiting));
      button.setAttribute('aria-label', `${going ? 'Pause' : 'Play'} ${list[heard].label}`);
      time.textContent = waiting ? 'Loading…' : `${wave.clock(position())} / ${wave.clock(seconds)}`;
      line.show(position());
      draw(position());
    }

    function follow() {
      show();
      if (voice) {
        requestAnimationFrame(follow);
      }
    }

    /** @param {number} from seconds @param {number} [at] when, by the context's clock */
    function start(from, at) {
      const loop = line.range();
      const within = loop ? from >= loop[0] && from < loop[1] : from < seconds;
      voice = versions.play(/** @type {AudioBuffer[]} */ (buffers), {
        from: within ? from : loop?.[0] || 0,
        at,
        loop,
        levels: levels(),
        ended: rewind,
      });
    }

    /** Go on in the loop that is selected now. */
    function restart() {
      if (voice) {
        const at = versions.soon();
        const from = voice.position(at);
        voice.stop();
        start(from, at);
      }
      show();
    }

    async function play() {
      const mine = ++turn;
      sound.wake();
      sound.claim(owner);
      waiting = !buffers;
      show();
      try {
        const loaded = buffers || (await versions.load(list));
        if (mine === turn) {
          buffers = loaded;
          waiting = false;
          complain(null);
          start(now);
          follow();
        }
      } catch (error) {
        if (mine === turn) {
          pause();
          complain(/** @type {Error} */ (error).message);
        }
      }
    }

    function pause() {
      turn++;
      now = position();
      voice?.stop();
      voice = null;
      waiting = false;
      sound.release(owner);
      show();
    }

    function rewind() {
      pause();
      seek(0);
    }

    function toggle() {
      if (voice || waiting) {
        pause();
      } else {
        play();
      }
    }

    /** @param {number} target seconds */
    function seek(target) {
      now = Math.max(0, Math.min(seconds, target));
      if (voice) {
        voice.stop();
        start(now);
      }
      show();
    }

    button.addEventListener('click', toggle);
    return {
      element,
      line,
      pause,
      play,
      position,
      seek,
      toggle,
      /**
       * Which one is heard from now on.
       * @param {number} i @param {boolean} [hidden] through silence, which tells nobody whether it is another one
       */
      choose(i, hidden = false) {
        heard = i;
        hidden && voice?.setLevels(gains.map(() => 0));
        voice?.setLevels(levels());
        show();
      },
      /** @param {number[]} factors for all versions */
      setGains(factors) {
        gains = factors;
        voice?.setLevels(levels());
      },
      /** Show the waveform of another one. @param {number} i */
      shape: (i) => line.setPeaks(padded(i), seconds),
      /** @returns {boolean} also while it is loaded */
      playing: () => Boolean(voice) || waiting,
    };
  }

  function build() {
    const element = document.createElement('div');
    element.className = 'console';
    const button = wave.playButton('');
    const host = document.createElement('div');
    const time = document.createElement('span');
    time.className = 'time';
    element.append(button, host, time);
    return { element, button, host, time };
  }

  return { make };
})();
