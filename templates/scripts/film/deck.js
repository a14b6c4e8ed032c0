/**
 * A deck plays samples that were computed in the page: a button, a waveform, which is the slider of its position, a
 * clock, and a line that runs over a picture.
 */
const deck = (() => {
  'use strict';

  const FLAT = 'A'.repeat(400); // the waveform of nothing

  /**
   * @typedef {{rate: number, channels: number, length: number, changed: () => void, toggle: () => void,
   *   repeats: () => boolean}} Options `rate` in Hz, `length` in samples of the time axis; `changed` hears when a sound begins, ends or can not be loaded;
   *   `toggle` answers the button, and Space and Enter at the waveform; `repeats` says whether a sound that came to its
   *   end begins again
   */

  /** @param {HTMLElement} picture along the sounds @param {Options} options */
  function make(picture, { rate, channels, length, changed, toggle, repeats }) {
    const seconds = length / rate;
    const { button, host, time, show: showControls } = controls.make(toggle);
    const row = elements.make('div', { className: 'reel' }, button, host, time);
    const keys = () => (host.hidden ? button : host);
    const cursor = spectrogram.addCursor(picture, keys, (share) => head.seek(share * seconds));
    const head = playhead.make(seconds, { rate, start, show, changed, complain: (error) => forget(error !== null) });
    const line = wave.make(host, {
      seconds,
      peaks: FLAT,
      label: 'Position in what is heard',
      seek: head.seek,
      toggle,
      select: head.restart,
    });
    let title = ''; // of the sound that the button plays
    let offered = ''; // its name
    let name = ''; // of the sound whose waveform is shown: the one that was asked for last

    function show() {
      const now = head.position();
      showControls(row, title, { playing: head.playing(), now, seconds });
      line.show(now);
      cursor(head.voice() || now > 0 ? now / seconds : null);
      host.hidden = name !== offered;
    }

    /** A sound on the whole axis, with the silence behind it. @param {Int16Array} samples */
    function padded(samples) {
      const whole = new Int16Array(length * channels);
      whole.set(samples.subarray(0, whole.length));
      return whole;
    }

    /** @param {Int16Array} samples @param {number} from seconds */
    function start(samples, from) {
      const whole = padded(samples);
      const loop = line.range();
      const first = line.into(from);
      const heard = loop || first >= samples.length / channels / rate ? whole : samples;
      line.setPeaks(wave.peaksOf(whole, channels));
      return sound.play(sound.toBuffer(heard, rate, channels), { from: first, loop, ended });
    }

    function ended() {
      if (repeats()) {
        head.seek(0);
      } else {
        head.rewind();
      }
    }

    /** @param {boolean} failed */
    function forget(failed) {
      name = failed ? '' : name;
      complain(failed);
    }

    /** @param {boolean} failed */
    function complain(failed) {
      failure.show(row, failed ? 'This sound can not be loaded. Press again to try again.' : null);
    }

    show();
    return {
      row,
      complain,
      /**
       * Say what the button plays. The waveform of another sound is hidden.
       * @param {string} words @param {string} called
       */
      describe(words, called) {
        title = words;
        offered = called;
        show();
      },
      /**
       * Play a sound, in answer to a press or in place of the one that plays.
       * @param {string} called @param {Promise<Int16Array>} rendering
       * @param {number} [from] seconds; by default it goes on where it stands
       */
      play(called, rendering, from) {
        name = called;
        head.play(() => rendering, from);
      },
      stop: head.stop,
      playing: head.playing,
      name: () => name,
      state: () => links.time(head.position(), line.range()),
      /** @param {Record<string, string>} state of an address */
      restore(state) {
        const { now, range } = links.readTime(state);
        line.setRange(range);
        head.seek(now);
      },
    };
  }

  return { make };
})();
