/**
 * The figure that opens an article: one large button, original and reconstruction, which switch while they play, and a
 * run that takes the sound apart and puts it together, where the page has the roll, whose table has the events' sounds.
 * Marks light up as their events are heard.
 */
const opening = (() => {
  'use strict';

  const RUN = 'Run through with sound';
  const STEP = 0.3; // seconds from event to event, while the sound is taken apart, at most
  const APART = 12; // seconds that this takes, at most
  const HEARD = 0.5; // seconds of each event that are heard then
  const FADE = 0.1; // seconds, at its end
  const PAUSE = 0.5; // seconds before all of it is put together
  const LIT = 0.5; // seconds for which a mark shows that its event begins

  /** @typedef {{circle: SVGCircleElement, start: number}} Event `start` in seconds */
  /** @typedef {'original' | 'reconstruction' | 'run'} Kind */
  /** @typedef {{kind: Kind, samples: Int16Array}} Loaded */

  /** @param {HTMLElement} figure */
  function enhance(figure) {
    const rate = Number(figure.dataset.rate);
    const channels = Number(figure.dataset.channels || 1);
    const seconds = Number(figure.dataset.length) / rate;
    const svg = /** @type {SVGSVGElement} */ (figure.querySelector('.plot'));
    const events = Array.from(svg.querySelectorAll('circle'), (circle) => read(circle, seconds));
    const title = elements.find('figcaption', figure).textContent || '';
    const addresses = elements.all('audio', figure).map((audio) => audio.getAttribute('src') || '');
    const line = elements.draw('line', { class: 'now', y2: '100%', visibility: 'hidden' });
    const roll = /** @type {HTMLElement | null} */ (document.querySelector(`.roll[data-mix-src="${addresses[1]}"]`));
    const every = stepOf(events.length);
    const apart = events.length * every + PAUSE; // seconds before a run puts all of it together
    /** @type {Kind} */
    let kind = 'reconstruction';
    /** @type {Kind} */
    let heard = kind; // the one that plays, while that one is loaded
    let told = '';
    /** The samples of the run, once they were made. @type {Promise<Int16Array> | null} */
    let running = null;
    /** @type {EventRow[]} */
    let rows = []; // of the roll, which are read when a run begins

    const head = playhead.make(apart + seconds, {
      rate,
      start,
      show,
      complain: (error) => failure.show(figure, error?.message || null, bar),
    });
    const play = controls.playButton(() => toggle(kind === 'run' ? 'reconstruction' : kind));
    const versions = /** @type {const} */ (['original', 'reconstruction']).map((each) =>
      addChoice(figure.id, each, choose),
    );
    const choices = elements.make('div', { className: 'choices' }, ...versions.map(({ label }) => label));
    const run = elements.button('button', RUN, () => toggle('run'));
    run.hidden = !roll;
    const said = elements.make('p', { className: 'status' });
    const bar = elements.make('div', { className: 'transport' }, play, choices, run);

    /** @param {Loaded} loaded @param {number} from seconds @returns {Voice} */
    function start(loaded, from) {
      heard = loaded.kind;
      return sound.play(sound.toBuffer(loaded.samples, rate, channels), { from, ended: head.rewind });
    }

    /** @param {Kind} wanted @returns {Promise<Loaded>} */
    async function load(wanted) {
      if (wanted === 'run') {
        running = running || takeApart();
        running.catch(() => {
          running = null; // it may be asked for again
        });
        return { kind: wanted, samples: await running };
      }
      return { kind: wanted, samples: await media.samples(addresses[wanted === 'original' ? 0 : 1]) };
    }

    /** Each event by itself, in the order found, and then the sum of all. @returns {Promise<Int16Array>} */
    async function takeApart() {
      rows = mix.read(/** @type {HTMLElement} */ (roll));
      let loaded = 0;
      const tell = () => {
        told = `Loading event ${++loaded} of ${events.length}`;
        show();
      };
      const sounds = rows.map(async ({ alone }) => {
        const samples = await media.samples(alone);
        tell();
        return samples;
      });
      return inARow(await Promise.all(sounds), await media.samples(addresses[1]), rate, channels);
    }

    /** @param {Kind} wanted */
    function toggle(wanted) {
      if (head.playing() && wanted === kind) {
        head.stop();
        head.seek(0);
      } else {
        begin(wanted, 0);
      }
    }

    /** @param {Kind} wanted @param {number} [from] seconds; by default it goes on where it stands */
    function begin(wanted, from) {
      kind = wanted;
      head
        .play(() => load(wanted), from)
        .then(() => addresses.forEach((address) => media.samples(address).catch(() => {})));
    }

    /** @param {'original' | 'reconstruction'} wanted */
    function choose(wanted) {
      const whole = heard !== 'run';
      kind = wanted;
      if (head.playing()) {
        begin(wanted, whole ? undefined : 0);
      } else {
        show();
      }
    }

    function show() {
      const now = head.position();
      const voiced = head.voice() !== null;
      controls.turn(play, bar, title, head.playing() && kind !== 'run');
      play.setAttribute('aria-busy', String(head.loading()));
      run.textContent = head.playing() && kind === 'run' ? 'Stop' : RUN;
      for (const { each, input, label } of versions) {
        input.checked = each === kind || (kind === 'run' && each === 'reconstruction');
        label.classList.toggle('on', input.checked);
      }
      const step = heard === 'run' && voiced && now < apart ? Math.floor(now / every) : null; // null: the sound as a whole
      const at = heard === 'run' ? now - apart : now;
      events.forEach((event, i) => light(event.circle, voiced, at, event, step === null ? null : step - i));
      line.setAttribute('visibility', voiced && at >= 0 ? 'visible' : 'hidden');
      for (const end of ['x1', 'x2']) {
        line.setAttribute(end, `${(100 * Math.max(0, at)) / seconds}%`);
      }
      said.textContent = words(step, voiced, at);
    }

    /** @param {number | null} step @param {boolean} voiced @param {number} at */
    function words(step, voiced, at) {
      if (head.loading()) {
        return kind === 'run' ? told : 'Loading…';
      }
      if (step !== null) {
        return step < events.length ? `Event ${step + 1} of ${events.length}: ${rows[step].name}` : 'And together';
      }
      if (voiced && heard !== 'original') {
        const sounding = events.filter(({ start }) => start <= at).length;
        return `${sounding} of ${events.length} events have begun`;
      }
      return '';
    }

    svg.append(line);
    elements.all('.native', figure).forEach((each) => {
      each.hidden = true;
    });
    elements.find('.field', figure).after(bar, said);
    figure.addEventListener('keydown', (event) => event.key === 'Escape' && head.stop());
    show();
  }

  /** @param {SVGCircleElement} circle @param {number} seconds in all @returns {Event} */
  function read(circle, seconds) {
    return { circle, start: (Number.parseFloat(circle.getAttribute('cx') || '') / 100) * seconds };
  }

  /** Seconds from event to event in a run. @param {number} count of events */
  const stepOf = (count) => Math.min(STEP, APART / count);

  /**
   * @param {Element} circle @param {boolean} voiced @param {number} at seconds along the whole sound @param {Event} event
   * @param {number | null} since steps since it was heard by itself, in a run; null where the sound is whole
   */
  function light(circle, voiced, at, { start }, since) {
    const whole = since === null;
    circle.classList.toggle('sounding', voiced && (whole ? at >= start && at < start + LIT : since === 0));
    circle.classList.toggle('out', voiced && (whole ? at < start : since > 0));
  }

  /** @param {string} id @param {'original' | 'reconstruction'} each @param {(each: 'original' | 'reconstruction') => void} choose */
  function addChoice(id, each, choose) {
    const input = elements.make('input', { type: 'radio', name: `${id}.version`, autocomplete: 'off' });
    const word = each === 'original' ? 'Original' : 'Reconstruction';
    const label = elements.make('label', { className: 'choice' }, input, elements.make('span', {}, word));
    input.addEventListener('change', () => choose(each));
    return { each, input, label };
  }

  /**
   * @param {Int16Array[]} sounds one after the other, `stepOf` apart, of each the beginning @param {Int16Array} whole at the end
   * @param {number} rate Hz @param {number} [channels] of all of them @returns {Int16Array}
   */
  function inARow(sounds, whole, rate, channels = 1) {
    const [step, heard, fade, pause] = [stepOf(sounds.length), HEARD, FADE, PAUSE].map((value) =>
      Math.round(value * rate),
    );
    const begin = (sounds.length * step + pause) * channels;
    const total = new Float64Array(begin + whole.length);
    sounds.forEach((samples, i) => {
      const length = Math.min(samples.length / channels, heard);
      const first = i * step * channels;
      for (let at = 0; at < length * channels; at++) {
        total[first + at] += samples[at] * Math.min(1, (length - Math.floor(at / channels)) / fade);
      }
    });
    whole.forEach((value, at) => {
      total[begin + at] += value;
    });
    return Int16Array.from(total, (value) => Math.max(-32768, Math.min(32767, Math.round(value))));
  }

  return { enhance, inARow };
})();
