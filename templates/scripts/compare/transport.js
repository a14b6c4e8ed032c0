/** Plays versions of one sound, of which one is heard: a button, a waveform to seek in, and a clock. */
const transport = (() => {
  'use strict';

  const GRACE = 250; // milliseconds in which the other versions may come before the first one plays alone

  /** @typedef {ReturnType<typeof versions.play>} Voices */

  /**
   * @param {Parameters<typeof versions.load>[0]} list
   * @param {(now: number) => void} draw hears the position, whenever that changes
   * @param {boolean} [together] nothing plays before all are loaded; else the others follow the one that is heard
   */
  function make(list, draw, together = false) {
    const seconds = Math.max(...list.map((version) => version.seconds));
    const rate = versions.rateOf(list);
    const names = [...new Set(list.map(({ label }) => label))].join(', ');
    const { button, host, time, show: showControls } = controls.make(toggle);
    const element = elements.make('div', { className: 'console' }, button, host, time);
    const head = playhead.make(seconds, { rate, start, show, complain });
    const line = wave.make(host, {
      seconds,
      peaks: padded(0),
      label: `Position in ${names}`,
      seek: head.seek,
      toggle,
      select: head.restart,
    });
    let heard = 0;
    let gains = list.map(() => 1);
    /** What is loaded while the others follow, and which one that is. @type {{buffers: AudioBuffer[], i: number} | null} */
    let early = null;

    const levels = () => gains.map((gain, i) => (i === heard ? gain : 0));

    /** The peaks of a version with the silence behind it. @param {number} i @returns {string} */
    function padded(i) {
      const { peaks, seconds: own } = list[i];
      return peaks.padEnd(Math.round((peaks.length * seconds) / own), 'A');
    }

    function show() {
      const now = head.position();
      const awaited = head.voice() !== null && early !== null && early.i !== heard;
      const state = { playing: head.playing(), loading: head.loading() || awaited, now, seconds };
      showControls(element, list[heard].label, state);
      line.show(now);
      draw(now);
    }

    /** @param {Error | null} error */
    function complain(error) {
      failure.show(/** @type {Element} */ (element.parentElement), error?.message || null, element);
    }

    /**
     * @param {AudioBuffer[]} buffers @param {number} from seconds @param {Voices | null} before
     * @returns {Voices}
     */
    function start(buffers, from, before) {
      const at = versions.soon(sound.wake(rate));
      const loop = line.range();
      const now = before ? before.position(at) : from;
      return versions.play(buffers, {
        from: loop || now < seconds ? line.into(now) : 0,
        at,
        loop,
        levels: levels(),
        ended: head.rewind,
      });
    }

    function play() {
      head.play(load).then(loadOthers);
    }

    /** @returns {Promise<AudioBuffer[]>} of which all but the one that is heard may be silent yet */
    async function load() {
      const known = head.loaded();
      if (known && known !== early?.buffers) {
        return known;
      }
      const i = heard;
      early = null;
      if (together) {
        return versions.load(list);
      }
      const buffers = await versions.load(list, i); // first, so that the others take nothing of the line
      const wait = new Promise((resolve) => setTimeout(resolve, GRACE, buffers));
      const first = await Promise.race([versions.load(list).catch(() => buffers), wait]);
      early = first === buffers ? { buffers, i } : null;
      return first;
    }

    async function loadOthers() {
      const before = early;
      if (before && head.loaded() === before.buffers) {
        try {
          const all = await versions.load(list);
          if (early === before) {
            early = null;
            head.exchange(before.buffers, all);
          }
        } catch (error) {
          complain(/** @type {Error} */ (error));
        }
      }
    }

    function toggle() {
      if (head.playing()) {
        head.stop();
      } else {
        play();
      }
    }

    return {
      element,
      line,
      slider: host,
      pause: head.stop,
      play,
      playing: head.playing,
      position: head.position,
      seek: head.seek,
      toggle,
      /**
       * Let another version be heard from now on.
       * @param {number} i @param {boolean} [hidden] through silence, which tells nobody whether it is another one
       */
      choose(i, hidden = false) {
        heard = i;
        hidden && head.voice()?.setLevels(gains.map(() => 0));
        head.voice()?.setLevels(levels());
        show();
      },
      /** @param {number[]} factors for all versions */
      setGains(factors) {
        gains = factors;
        head.voice()?.setLevels(levels());
      },
      /** Show the waveform of another version. @param {number} i */
      shape: (i) => line.setPeaks(padded(i)),
    };
  }

  return { make };
})();
