/** Plays versions of one sound, of which one is heard: a button, a waveform to seek in, and a clock. */
const transport = (() => {
  'use strict';

  /** @typedef {ReturnType<typeof versions.play>} Voices */

  /**
   * @param {Parameters<typeof versions.load>[0]} list
   * @param {(now: number) => void} draw hears the position, whenever that changes
   */
  function make(list, draw) {
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

    const levels = () => gains.map((gain, i) => (i === heard ? gain : 0));

    /** The peaks of a version with the silence behind it. @param {number} i @returns {string} */
    function padded(i) {
      const { peaks, seconds: own } = list[i];
      return peaks.padEnd(Math.round((peaks.length * seconds) / own), 'A');
    }

    function show() {
      const now = head.position();
      const state = { playing: head.playing(), loading: head.loading(), now, seconds };
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
      head.play(async () => head.loaded() || versions.load(list));
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
