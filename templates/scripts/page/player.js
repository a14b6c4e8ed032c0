/**
 * Players: turns <figure class="player"> with its native <audio>, which goes on to do the playing, into a button, a
 * waveform and a clock. Nothing is fetched before the first press: the audio element keeps preload="none".
 */
const player = (() => {
  'use strict';

  /** @param {HTMLElement} figure */
  function enhance(figure) {
    const audio = /** @type {HTMLAudioElement} */ (figure.querySelector('audio'));
    const address = audio.getAttribute('src') || '';
    const { peaks = '' } = figure.dataset;
    const title = elements.find('figcaption', figure).textContent || '';
    const seconds = Number(figure.dataset.seconds);
    const { button, host, time, show } = controls.make(toggle);
    audio.before(button, host, time);
    audio.hidden = true;
    figure.classList.add('enhanced');
    const picture = /** @type {HTMLElement | null} */ (figure.querySelector('.spectrogram'));
    const cursor =
      picture &&
      spectrogram.addCursor(
        picture,
        () => host,
        (share) => seek(share * seconds),
      );
    const shape = wave.make(host, { seconds, peaks, label: `Position in ${title}`, seek, toggle, select });
    const labelled = figure.querySelector('.labels'); // only then their script is there
    const follows = labelled ? labels.add(figure, host, picture, seconds, seek) : () => {};
    let wanted = 0; // seconds; where the reader went last

    function draw() {
      const now = Math.min(audio.currentTime, seconds);
      shape.show(now);
      show(figure, title, { playing: !audio.paused, now, seconds });
      follows(audio.paused && now === 0 ? -1 : now);
      cursor?.(audio.paused && now === 0 ? null : now / seconds);
    }

    /** @param {number} target seconds */
    function seek(target) {
      wanted = target;
      audio.currentTime = target;
      draw();
    }

    function toggle() {
      if (audio.paused) {
        start(audio);
      } else {
        audio.pause();
      }
    }

    function select() {
      const now = audio.currentTime;
      if (shape.into(now) !== now) {
        seek(shape.into(now));
      }
    }

    function follow() {
      const range = shape.range();
      if (range && !audio.paused && audio.currentTime >= range[1]) {
        audio.currentTime = range[0];
      }
      draw();
    }

    function followEachFrame() {
      if (!audio.paused) {
        follow();
        requestAnimationFrame(followEachFrame);
      }
    }

    function comeToTheEnd() {
      const range = shape.range();
      seek(range ? range[0] : 0);
      if (range) {
        start(audio); // the loop lasts to the very end
      }
    }

    for (const name of ['play', 'pause', 'seeked']) {
      audio.addEventListener(name, draw);
    }
    audio.addEventListener('play', followEachFrame);
    audio.addEventListener('timeupdate', follow); // in a hidden tab there are no frames, and loops go on
    audio.addEventListener('ended', comeToTheEnd);
    audio.addEventListener('playing', () => failure.show(figure, null));
    audio.addEventListener('loadedmetadata', () => makeSeekable(audio, address, wanted));
    audio.addEventListener('error', () => {
      const file = media.digest(address).slice(0, 8);
      failure.show(figure, `This sound can not be played: the file ${file}… is missing or damaged. Press again.`, time);
    });
    draw();

    links.add(figure, {
      source: () => address,
      state: () => links.time(audio.currentTime, shape.range()),
      restore(state) {
        const { now, range } = links.readTime(state);
        shape.setRange(range);
        seek(Math.min(now, seconds));
      },
    });
  }

  /** @param {HTMLAudioElement} audio */
  function start(audio) {
    if (audio.error) {
      const now = audio.currentTime;
      audio.load(); // it failed before: ask again
      audio.currentTime = now;
    }
    audio.play().catch(() => {}); // the element's error event says what went wrong
  }

  /**
   * Some servers, such as Python's, can not send a part of a file. Browsers then seek to nowhere but the beginning,
   * unless all of the file is here.
   * @param {HTMLAudioElement} audio @param {string} address @param {number} wanted seconds, where the reader went
   */
  async function makeSeekable(audio, address, wanted) {
    const { seekable } = audio;
    if (seekable.length && seekable.end(0) > 0) {
      return;
    }
    const content = await media.bytes(address).catch(() => null); // without it, it goes on playing
    if (content) {
      const plays = !audio.paused;
      const now = Math.max(wanted, audio.currentTime);
      audio.src = URL.createObjectURL(new Blob([content], { type: `audio/${address.split('.').pop()}` }));
      audio.currentTime = now;
      if (plays) {
        start(audio);
      }
    }
  }

  return { enhance };
})();
