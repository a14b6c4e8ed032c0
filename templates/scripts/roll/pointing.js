/** The event that is pointed at, with a mouse or by walking: it is told of, and played after a moment. */
const pointing = (() => {
  'use strict';

  const PAUSE = 150; // milliseconds for which a mark is pointed at before it plays

  /**
   * @param {{tell: (i: number | null) => void, plays: () => boolean, play: (i: number) => void}} reader `tell` says which
   *   event is pointed at, `plays` whether it is to be heard
   */
  function make({ tell, plays, play }) {
    /** @type {number | null} */
    let pointed = null;
    let pause = 0; // the timer of the mark that is pointed at

    return {
      /** @param {number | null} i the event under the mouse, or the one that the keys have come to */
      point(i) {
        if (i !== pointed) {
          pointed = i;
          clearTimeout(pause);
          tell(i);
          if (i !== null && plays()) {
            pause = setTimeout(() => play(i), PAUSE);
          }
        }
      },
      tell: () => tell(pointed),
      /** Something else plays. */
      stop: () => clearTimeout(pause),
    };
  }

  return { make };
})();
