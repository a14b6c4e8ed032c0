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
    const title = figure.querySelector('figcaption')?.textContent || '';
    const seconds = Number(figure.dataset.seconds);
    const button = wave.playButton(title);
    const host = document.createElement('div');
    const time = document.createElement('span');
    time.className = 'time';
    audio.before(button, host, time);
    audio.hidden = true;
    figure.classList.add('enhanced');
    const picture = /** @type {HTMLElement | null} */ (figure.querySelector('.spectrogram'));
    const cursor = picture && addCursor(picture, (share) => seek(share * seconds));
    const shape = wave.make(host, { seconds, peaks, label: `Position in ${title}`, seek, toggle, select });

    let wanted = 0; // seconds; where the reader went last

    function draw() {
      const now = Math.min(audio.currentTime, seconds);
      shape.show(now);
      time.textContent = `${wave.clock(now)} / ${wave.clock(seconds)}`;
      if (cursor) {
        cursor(audio.paused && now === 0 ? null : now / seconds);
      }
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

    /** @param {[number, number] | null} range */
    function select(range) {
      if (range && (audio.currentTime < range[0] || audio.currentTime >= range[1])) {
        seek(range[0]);
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

    function showState() {
      figure.classList.toggle('playing', !audio.paused);
      button.setAttribute('aria-label', `${audio.paused ? 'Play' : 'Pause'} ${title}`);
      draw();
    }

    function comeToTheEnd() {
      const range = shape.range();
      seek(range ? range[0] : 0);
      if (range) {
        start(audio); // the loop lasts to the very end
      }
    }

    button.addEventListener('click', toggle);
    for (const name of ['play', 'pause', 'seeked']) {
      audio.addEventListener(name, showState);
    }
    audio.addEventListener('play', followEachFrame);
    audio.addEventListener('timeupdate', follow); // in a hidden tab there are no frames, and loops go on
    audio.addEventListener('ended', comeToTheEnd);
    audio.addEventListener('playing', () => complain(figure, null));
    audio.addEventListener('loadedmetadata', () => makeSeekable(audio, address, wanted));
    audio.addEventListener('error', () => {
      const file = media.digest(address).slice(0, 8);
      complain(figure, `This sound can not be played: the file ${file}… is missing or damaged. Press again.`, time);
    });
    showState();

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
   * Some servers, such as Python's, can not send a part of a file. Browsers then seek to nowhere but the beginning, so
   * have all of it here.
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
      audio.src = URL.createObjectURL(new Blob([content], { type: 'audio/wav' }));
      audio.currentTime = now;
      if (plays) {
        start(audio);
      }
    }
  }

  /**
   * Say in words what went wrong in an element, or take that back.
   * @param {Element} figure @param {string | null} text @param {Element} [control] what was pressed: words stand below
   */
  function complain(figure, text, control) {
    figure.querySelector('.failure')?.remove();
    if (text) {
      const words = document.createElement('p');
      words.className = 'failure';
      words.setAttribute('role', 'alert');
      words.textContent = text;
      control ? control.after(words) : figure.append(words);
    }
  }

  /**
   * A line that runs over a picture; a press there seeks. Those who can not point have the slider.
   * @param {HTMLElement} picture of the macro `along`
   * @param {(share: number) => void} seek gets how far through the sound
   * @returns {(share: number | null) => void} moves the line; null hides it
   */
  function addCursor(picture, seek) {
    const [left, right] = (picture.dataset.plot || '0 1').split(' ').map(Number);
    const line = document.createElement('span');
    line.className = 'cursor';
    line.hidden = true;
    picture.append(line);
    drawAxes(picture);
    picture.classList.add('seeks');
    picture.addEventListener('click', (event) => {
      const box = picture.getBoundingClientRect();
      const share = ((event.clientX - box.left) / box.width - left) / (right - left);
      seek(Math.max(0, Math.min(1, share)));
    });
    return (share) => {
      line.hidden = share === null;
      line.style.left = `${100 * (left + (right - left) * (share || 0))}%`;
    };
  }

  /**
   * The marks of a picture's axes, if it has any, inside it: "share text|share text". Those of the height leave the
   * line of the times at its foot alone.
   * @param {HTMLElement} picture
   */
  function drawAxes(picture) {
    const { up = '', across = '' } = picture.dataset;
    if (!up && !across) {
      return;
    }
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    const marks = (/** @type {string} */ list) => Array.from(list.matchAll(/([\d.e-]+) ([^|]+)/g));
    const write = (/** @type {string} */ text, /** @type {Record<string, string>} */ place) => {
      const label = document.createElementNS(svg.namespaceURI, 'text');
      label.textContent = text;
      Object.entries(place).forEach(([name, value]) => label.setAttribute(name, value));
      svg.append(label);
    };
    svg.setAttribute('aria-hidden', 'true');
    for (const [, share, text] of marks(up).filter(([, share]) => Number(share) > 0.12)) {
      write(text, { x: '6', y: `${100 - 100 * Number(share)}%`, dy: '4' });
    }
    for (const [, share, text] of marks(across)) {
      write(text, { x: `${100 * Number(share)}%`, y: '100%', dy: '-6', 'text-anchor': 'middle' });
    }
    picture.append(svg);
  }

  for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.player'))) {
    if (!figure.closest('.compare, .decomposition')) {
      enhance(figure);
    }
  }

  return { addCursor, complain, drawAxes };
})();
