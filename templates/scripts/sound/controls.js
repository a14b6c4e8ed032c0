/** The round button that plays something, and the clock beside it. */
const controls = (() => {
  'use strict';

  const ICONS =
    '<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">' +
    '<path class="when-paused" d="M8 5v14l11-7z"/><path class="when-playing" d="M6.5 5h4v14h-4zm7 0h4v14h-4z"/></svg>';

  /** @param {() => void} toggle answers a press */
  function playButton(toggle) {
    const button = elements.button('play', '', toggle);
    button.innerHTML = ICONS;
    return button;
  }

  /**
   * Show on a button whether something plays.
   * @param {HTMLElement} button @param {HTMLElement} frame holds the button; its class `playing` turns the icon
   * @param {string} title of what plays @param {boolean} playing
   */
  function turn(button, frame, title, playing) {
    frame.classList.toggle('playing', playing);
    button.setAttribute('aria-label', `${playing ? 'Pause' : 'Play'} ${title}`);
  }

  /** A button, an empty element that can become a waveform, and a clock. @param {() => void} toggle */
  function make(toggle) {
    const button = playButton(toggle);
    const host = elements.make('div');
    const time = elements.make('span', { className: 'time' });
    return {
      button,
      host,
      time,
      /**
       * @param {HTMLElement} frame @param {string} title as in `turn`
       * @param {{playing: boolean, loading?: boolean, now: number, seconds: number}} state `seconds` is the length
       */
      show(frame, title, { playing, loading = false, now, seconds }) {
        turn(button, frame, title, playing);
        button.setAttribute('aria-busy', String(loading));
        time.textContent = loading ? 'Loading…' : `${numbers.clock(now)} / ${numbers.clock(seconds)}`;
      },
    };
  }

  return { make, playButton, turn };
})();
