/**
 * The position of a sound that is loaded and then plays through an AudioContext. The latest press counts: what
 * is loaded only after the next press stays silent.
 *
 * @typedef {{position: (time?: number) => number, stop: () => void}} Voice a sound that plays; position in seconds
 */
const playhead = (() => {
  'use strict';

  /**
   * @template Sound @template {Voice} V
   * @typedef {object} Options
   * @property {number} rate of the sound, Hz
   * @property {(loaded: Sound, from: number, before: V | null) => V} start plays from `from` (seconds) on; `before` is
   *   the voice that goes on in the new one, if there is one
   * @property {() => void} show draws the position, in each frame while something plays
   * @property {() => void} [changed] hears when a sound is asked for, begins or ends
   * @property {(error: Error | null) => void} [complain] hears why nothing plays; null takes the complaint back
   */

  /**
   * @template Sound @template {Voice} V
   * @param {number} seconds in all @param {Options<Sound, V>} options
   */
  function make(seconds, { rate, start, show, changed = () => {}, complain = () => {} }) {
    /** @type {V | null} */
    let voice = null;
    /** @type {Sound | null} */
    let loaded = null; // kept until something else on the page plays
    let rest = 0; // seconds, the position while nothing plays
    let turn = 0; // counts presses
    let loading = false;
    let frame = 0; // the next in which the position is drawn
    const owner = {
      stop() {
        stop();
        loaded = null;
      },
    };

    const position = () => (voice ? Math.min(voice.position(), seconds) : rest);

    function follow() {
      cancelAnimationFrame(frame);
      show();
      if (voice) {
        frame = requestAnimationFrame(follow);
      }
    }

    /** @param {number} from seconds @param {V | null} [before] */
    function put(from, before = null) {
      const next = start(/** @type {Sound} */ (loaded), from, before);
      voice?.stop();
      voice = next;
      follow();
    }

    /**
     * Answer a press. A voice that plays goes on until the new sound is loaded.
     * @param {() => Promise<Sound | null>} load brings null after a failure that it told
     * @param {number} [from] seconds; by default it begins where it stands
     */
    async function play(load, from) {
      const mine = ++turn;
      loading = true;
      sound.claim(owner);
      sound.wake(rate);
      changed();
      show();
      try {
        const result = await load();
        if (mine === turn) {
          begin(result, from ?? position());
        }
      } catch (error) {
        if (mine === turn) {
          complain(/** @type {Error} */ (error));
          stop();
        }
      }
    }

    /** @param {Sound | null} result @param {number} from */
    function begin(result, from) {
      if (result === null) {
        stop();
        return;
      }
      loaded = result;
      loading = false;
      complain(null);
      put(from);
      changed();
    }

    function stop() {
      turn++;
      rest = position();
      voice?.stop();
      voice = null;
      loading = false;
      sound.release(owner);
      changed();
      show();
    }

    /** @param {number} target seconds */
    function seek(target) {
      rest = Math.max(0, Math.min(seconds, target));
      if (voice) {
        put(rest);
      } else {
        show();
      }
    }

    settings.follow('speed', () => voice && put(position(), voice)); // at the same place
    return {
      play,
      position,
      seek,
      stop,
      /** Begin anew at the same place, such as in another loop. */
      restart: () => voice && put(position(), voice),
      /** At the end of a sound. What is being loaded begins all the same. */
      rewind() {
        if (loading) {
          voice = null;
        } else {
          stop();
        }
        seek(0);
      },
      loaded: () => loaded,
      /** Put what was loaded in the place of what plays, at the same place. @param {Sound} from @param {Sound} to */
      exchange(from, to) {
        if (loaded === from) {
          loaded = to;
          voice && put(position(), voice);
        }
      },
      voice: () => voice,
      /** @returns {boolean} also while it is loaded */
      playing: () => voice !== null || loading,
      /** @returns {boolean} not while something else plays on */
      loading: () => loading && voice === null,
      /** @returns {boolean} whether nothing else on the page makes sound */
      isFree: () => sound.isFree(owner),
    };
  }

  return { make };
})();
