/**
 * The mix of an event roll along time: summed from the events when asked for, drawn as a waveform under the plot, heard
 * from any point. Single events play through it too, so that only one thing sounds.
 *
 * @typedef {number | 'mix' | null} Subject what plays: an event, the mix, or nothing
 */
const timeline = (() => {
  'use strict';

  const BEFORE = 0.3; // seconds that are heard before an event in its context

  /**
   * @typedef {{events: () => PlacedEvent[], untouched: () => boolean, mixed: (values: Int16Array) => void,
   *   attempt: (action: () => Promise<Int16Array>) => Promise<Int16Array | null>,
   *   show: (subject: Subject, now: number, loading: boolean) => void}} Editor `mixed` hears of every new mix; `attempt`
   *   does an action, or says why not
   */

  /**
   * @param {Element} picture @param {ReturnType<typeof library.make>} sounds
   * @param {Measures & {peaks: string}} measures `peaks` of the published mix as report/artifacts/media.py writes them
   * @param {Editor} editor
   */
  function make(picture, sounds, { title, rate, channels, length, peaks }, editor) {
    const seconds = length / rate;
    const { host, extent } = build(picture);
    const whole = playhead.make(seconds, { rate, start: startMix, show });
    const alone = playhead.make(Infinity, { rate, start: startEvent, show });
    const shape = wave.make(host, {
      seconds,
      peaks,
      label: `Position in the mix of ${title}`,
      seek: whole.seek,
      toggle,
      select: () => whole.seek(shape.into(whole.position())),
    });
    /** @type {Promise<Int16Array> | null} */
    let current = null; // the mix as it is; null when an edit has made it old
    let updating = false;
    let event = 0; // the one that plays alone
    let offset = 0; // seconds, where it begins

    /** @param {Int16Array} values @param {number} from seconds @returns {Voice} */
    function startMix(values, from) {
      const options = { from: shape.into(from), loop: shape.range(), ended: whole.rewind };
      return sound.play(sound.toBuffer(values, rate, channels), options);
    }

    /** @param {Int16Array} values @returns {Voice} */
    function startEvent(values) {
      return sound.play(sound.toBuffer(values, rate, channels), { ended: alone.stop });
    }

    /** @returns {Subject} */
    function subject() {
      if (whole.playing()) {
        return 'mix';
      }
      return alone.playing() ? event : null;
    }

    function show() {
      const now = alone.voice() ? offset + alone.position() : whole.position();
      shape.show(whole.position());
      editor.show(subject(), now, whole.loading() || alone.loading());
    }

    function playMix() {
      whole.play(() => editor.attempt(refreshed));
    }

    function toggle() {
      if (whole.playing()) {
        whole.stop();
      } else {
        whole.seek(whole.position() >= seconds ? 0 : shape.into(whole.position()));
        playMix();
      }
    }

    function mixed() {
      const promise =
        current || (editor.untouched() ? sounds.mix() : sounds.render(sounds.begins(editor.events()), length));
      current = promise;
      promise.catch(() => {
        current = current === promise ? null : current; // may be asked for again
      });
      return promise;
    }

    /** The mix, after the page has shown what it is. */
    async function refreshed() {
      const known = current;
      const promise = mixed();
      const values = await promise;
      if (!known && promise === current) {
        shape.setPeaks(wave.peaksOf(values, channels));
        editor.mixed(values);
      }
      return values;
    }

    return {
      position: whole.position,
      range: shape.range,
      setRange: shape.setRange,
      refreshed,
      seek: whole.seek,
      stop() {
        whole.stop();
        alone.stop();
      },
      toggle,
      /** Let the mix be heard, if it is not yet. */
      hear: () => whole.playing() || toggle(),
      /** Nothing but an event of this roll makes sound. */
      isFree: alone.isFree,
      /** Show where an event is heard. @param {number} from @param {number} share of the width, as `from` is */
      showExtent(from, share) {
        extent.hidden = false;
        const [left, right] = [from, from + share].map((x) => Math.max(0, Math.min(1, x)));
        extent.style.left = `${100 * left}%`;
        extent.style.width = `${100 * (right - left)}%`;
      },
      /** Play an event at its gain, alone. @param {number} i */
      playEvent(i) {
        const placed = sounds.alone(i, editor.events()[i]);
        const render = async () =>
          sounds.render([{ ...placed, start: 0 }], (await sounds.samples(placed.sound)).length / channels);
        alone.stop();
        event = i;
        offset = placed.start / rate;
        alone.play(() => editor.attempt(render), 0);
      },
      /** Play the mix from a little before an event. @param {number} i */
      playInContext(i) {
        const start = Math.max(0, Math.min(length, editor.events()[i].start)) / rate;
        whole.seek(shape.into(Math.max(0, start - BEFORE)));
        whole.playing() || playMix();
      },
      /** Stop an event that plays alone, unless it is this one. @param {number} i */
      stopOthers: (i) => alone.playing() && event !== i && alone.stop(),
      /** After an edit, sum again, one sum after the other; a mix that plays goes on at the same point. */
      async update() {
        current = null;
        if (updating) {
          return;
        }
        updating = true;
        while (current === null) {
          if (!(await editor.attempt(refreshed))) {
            break;
          }
          whole.playing() && playMix();
        }
        updating = false;
      },
    };
  }

  /** @param {Element} picture */
  function build(picture) {
    const extent = elements.make('span', { className: 'extent', hidden: true });
    const host = elements.make('div');
    picture.parentElement?.after(elements.make('div', { className: 'timeline' }, extent, host));
    return { host, extent };
  }

  return { make };
})();
