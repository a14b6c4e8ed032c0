/**
 * Players: turns <figure class="player"> with its native <audio> into a button, a waveform to seek in and a clock.
 * Nothing is fetched before the first press: the audio element keeps preload="none".
 */
(function () {
  'use strict';

  const ICON = '<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">' +
    '<path class="when-paused" d="M7 4.5v15l12.5-7.5z"/>' +
    '<path class="when-playing" d="M6 5h4.2v14H6zM13.8 5H18v14h-4.2z"/></svg>';

  /** @param {number} seconds @returns {string} minutes, seconds and tenths */
  function clock(seconds) {
    const tenths = Math.round(seconds * 10);
    const rest = (tenths % 600) / 10;
    return Math.floor(tenths / 600) + ':' + (rest < 10 ? '0' : '') + rest.toFixed(1);
  }

  /** @param {HTMLElement} figure */
  function enhance(figure) {
    const audio = /** @type {HTMLAudioElement} */ (figure.querySelector('audio'));
    const wave = /** @type {HTMLElement} */ (figure.querySelector('.wave'));
    const played = /** @type {SVGRectElement} */ (figure.querySelector('.played'));
    const title = audio.getAttribute('aria-label') || '';
    const seconds = Number(figure.dataset.seconds);
    const cursor = addCursor(figure);

    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'play';
    button.innerHTML = ICON;
    const time = document.createElement('span');
    time.className = 'time';
    wave.before(button);
    wave.after(time);
    audio.controls = false;
    audio.hidden = true;
    figure.classList.add('enhanced');

    wave.tabIndex = 0;
    wave.setAttribute('role', 'slider');
    wave.setAttribute('aria-label', 'Position in ' + title);
    wave.setAttribute('aria-valuemin', '0');
    wave.setAttribute('aria-valuemax', seconds.toFixed(2));

    function draw() {
      const now = Math.min(audio.currentTime, seconds);
      const share = seconds > 0 ? now / seconds : 0;
      played.setAttribute('width', 100 * share + '%');
      time.textContent = clock(now) + ' / ' + clock(seconds);
      wave.setAttribute('aria-valuenow', now.toFixed(2));
      wave.setAttribute('aria-valuetext', now.toFixed(1) + ' of ' + seconds.toFixed(1) + ' seconds');
      if (cursor) {
        cursor.move(share, !audio.paused || (share > 0 && share < 1));
      }
    }

    function follow() {
      draw();
      if (!audio.paused) {
        requestAnimationFrame(follow);
      }
    }

    function showState() {
      figure.classList.toggle('playing', !audio.paused);
      button.setAttribute('aria-label', (audio.paused ? 'Play ' : 'Pause ') + title);
      follow();
    }

    function toggle() {
      if (audio.paused) {
        start(audio);
      } else {
        audio.pause();
      }
    }

    /** @param {number} target seconds */
    function seek(target) {
      audio.currentTime = Math.max(0, Math.min(seconds, target));
      draw();
    }

    button.addEventListener('click', toggle);
    wave.addEventListener('click', (event) => {
      const box = wave.getBoundingClientRect();
      seek(seconds * (event.clientX - box.left) / box.width);
      start(audio);
    });
    wave.addEventListener('keydown', (event) => {
      const step = Math.max(0.1, seconds / 20);
      const now = audio.currentTime;
      /** @type {Record<string, () => void>} */
      const keys = {
        ArrowRight: () => seek(now + step), ArrowUp: () => seek(now + step), PageUp: () => seek(now + 4 * step),
        ArrowLeft: () => seek(now - step), ArrowDown: () => seek(now - step), PageDown: () => seek(now - 4 * step),
        Home: () => seek(0), End: () => seek(seconds), ' ': toggle, Enter: toggle,
      };
      if (keys[event.key] && !event.altKey && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        keys[event.key]();
      }
    });
    for (const name of ['play', 'pause', 'seeked']) {
      audio.addEventListener(name, showState);
    }
    audio.addEventListener('ended', () => seek(0));
    audio.addEventListener('error', () => complain(figure, audio));
    audio.addEventListener('playing', () => complain(figure, null));
    showState();
  }

  /** @param {HTMLAudioElement} audio */
  function start(audio) {
    if (audio.error) {
      audio.load();  // it failed before: ask again
    }
    audio.play().catch(() => {});  // the element's error event says what went wrong
  }

  /**
   * Say in words that a sound can not be played, or take that back.
   * @param {HTMLElement} figure @param {HTMLAudioElement | null} audio
   */
  function complain(figure, audio) {
    const old = figure.querySelector('.failure');
    if (old) {
      old.remove();
    }
    if (audio) {
      const words = document.createElement('p');
      words.className = 'failure';
      words.setAttribute('role', 'alert');
      words.textContent = 'This sound can not be played: ' + audio.getAttribute('src') + ' is missing or damaged.';
      figure.append(words);
    }
  }

  /**
   * The line that runs over the picture above a player, if there is one.
   * @param {HTMLElement} figure
   */
  function addCursor(figure) {
    const column = figure.closest('.column');
    const picture = /** @type {HTMLElement | null} */ (column && column.querySelector('.spectrogram'));
    if (!picture) {
      return null;
    }
    const [left, right] = (picture.dataset.plot || '').split(' ').map(Number);
    const line = document.createElement('span');
    line.className = 'cursor';
    line.hidden = true;
    picture.append(line);
    return {
      /** @param {number} share @param {boolean} visible */
      move(share, visible) {
        line.hidden = !visible;
        line.style.left = 100 * (left + (right - left) * share) + '%';
      },
    };
  }

  // One sound at a time on the page. Media events do not bubble, so listen on the way down.
  document.addEventListener('play', (event) => {
    for (const audio of document.querySelectorAll('audio')) {
      if (audio !== event.target) {
        audio.pause();
      }
    }
  }, true);

  for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.player'))) {
    enhance(figure);
  }
})();
