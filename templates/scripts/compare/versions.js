/**
 * Versions of one sound that run in lock: all start at the same instant, each behind a gain of its own, of which one is
 * open. So a switch keeps the position, to the sample. Those of a lower rate are brought to the highest one, at which all
 * play.
 */
const versions = (() => {
  'use strict';

  const FADE = 0.01; // seconds in which one version gives way to another
  const GAP = 0.001; // seconds between fades, which must not touch
  const AHEAD = 0.04; // seconds: the audio thread has computed less than that in advance
  const HALF_STEP = 0.005; // dB; peaks are rounded to twice that
  /** From 0 to 1 without a corner, which would be heard as a click. Two of them, up and down, add up to 1. */
  const CURVE = Float32Array.from({ length: 129 }, (_, i) => (1 - Math.cos((Math.PI * i) / 128)) / 2);

  /**
   * @typedef {[number, number]} Range seconds
   * @typedef {{label: string, address: string, rate: number, channels: number, seconds: number, peaks: string,
   *   loudness: number | null, peak: number | null, difference?: boolean}} Version the rate in Hz, loudness in LUFS, peak in
   *   dBFS; null is none. A difference is what another version leaves of the first
   * @typedef {{position: (time?: number) => number, setLevels: (levels: number[]) => void, stop: () => void}} Voices
   */

  /** The facts of a version. @param {HTMLElement} part holds its player @returns {Version} */
  function read(part) {
    const { dataset } = elements.find('.player', part);
    const number = (/** @type {string | undefined} */ text) => (text ? Number(text) : null);
    return {
      label: part.querySelector('figcaption')?.textContent || '',
      address: part.querySelector('audio')?.getAttribute('src') || '',
      rate: Number(dataset.rate),
      channels: Number(dataset.channels || 1),
      seconds: Number(dataset.seconds),
      peaks: dataset.peaks || '',
      loudness: number(dataset.loudness),
      peak: number(part.dataset.peak),
      difference: 'difference' in part.dataset,
    };
  }

  /**
   * The gains that make all versions as loud as the first that has a loudness. A difference stays as loud as it is beside
   * the first. Where one would then pass full scale, all are lowered by the same amount.
   * @param {Version[]} list @returns {number[]} factors
   */
  function match(list) {
    const target = list.find(({ loudness, difference }) => loudness !== null && !difference)?.loudness ?? 0;
    const gains = list.map(({ loudness, difference }) => (loudness === null || difference ? 0 : target - loudness));
    const over = Math.max(0, ...list.map(({ peak }, i) => (gains[i] > 0 ? gains[i] + (peak ?? 0) + HALF_STEP : 0)));
    return gains.map((gain) => 10 ** ((gain - over) / 20));
  }

  /**
   * Say in an element by how much matching changes a version; nothing where it changes nothing.
   * @param {HTMLElement} host @param {number} gain a factor @returns {string} such as "+1.5 dB", or ""
   */
  function tellGain(host, gain) {
    const decibels = Math.round(200 * Math.log10(gain)) / 10;
    const text = decibels ? numbers.decibels(decibels) : '';
    host.innerHTML = text && `<span class="said">played </span>${text}`;
    return text;
  }

  /** The rate at which versions play: nothing of any of them is lost. @param {{rate: number}[]} list @returns {number} */
  const rateOf = (list) => Math.max(...list.map(({ rate }) => rate));

  /**
   * @param {Version[]} list @param {number | null} [only] the one that is loaded; the others are silent
   * @returns {Promise<AudioBuffer[]>} as long as the longest: silence follows the others
   */
  async function load(list, only = null) {
    const seconds = Math.max(...list.map((version) => version.seconds));
    const wanted = list.map(({ address }, i) =>
      only === null || i === only ? media.samples(address) : new Int16Array(),
    );
    const samples = await Promise.all(wanted);
    const buffers = samples.map((values, i) => {
      const { rate, channels } = list[i];
      const whole = new Int16Array(Math.max(values.length, Math.round(seconds * rate) * channels));
      whole.set(values);
      return atRate(whole, rate, rateOf(list), channels);
    });
    return Promise.all(buffers);
  }

  /**
   * Sounds of another rate go through the browser's decoder, which changes rates well.
   * @param {Int16Array} values @param {number} rate theirs, Hz @param {number} wanted Hz @param {number} channels
   * @returns {Promise<AudioBuffer>}
   */
  async function atRate(values, rate, wanted, channels) {
    if (rate === wanted) {
      return sound.toBuffer(values, rate, channels);
    }
    const decoder = new OfflineAudioContext({ length: 1, sampleRate: wanted });
    return decoder.decodeAudioData(mix.toWav(values, rate, channels));
  }

  /**
   * Let buffers run in lock. From their beginning they start at once; from anywhere else they come in by a fade.
   * @param {BaseAudioContext} context @param {AudioBuffer[]} buffers
   * @param {{at: number, from: number, loop: Range | null, levels: number[]}} options
   *   `at` is the context's time, `from` the buffers'; `levels` are factors, all but one of them 0
   */
  function schedule(context, buffers, { at, from, loop, levels }) {
    let open = levels.map((level) => (from === 0 ? level : 0));
    let free = at; // when the last fade is over
    const end = sound.outlet(context);
    const voices = buffers.map((buffer, i) => {
      const gain = new GainNode(context, { gain: open[i] });
      const source = new AudioBufferSourceNode(context, { buffer });
      if (loop) {
        Object.assign(source, { loop: true, loopStart: loop[0], loopEnd: loop[1] });
      }
      source.connect(gain).connect(end.node);
      source.start(at, from);
      return { source, gain: gain.gain };
    });

    /** @param {number[]} wanted @param {number} soonest the context's time @returns {number} when it is done */
    function setLevels(wanted, soonest) {
      const begin = Math.max(soonest, free);
      voices.forEach(({ gain }, i) => {
        if (wanted[i] !== open[i]) {
          gain.setValueCurveAtTime(
            CURVE.map((share) => open[i] + share * (wanted[i] - open[i])),
            begin,
            FADE,
          );
        }
      });
      open = wanted;
      free = begin + FADE + GAP;
      return free;
    }

    /** @param {number} soonest the context's time */
    function stop(soonest) {
      const end = setLevels(
        levels.map(() => 0),
        soonest,
      );
      voices.forEach(({ source }) => source.stop(end));
    }

    voices[0].source.addEventListener('ended', end.close);
    setLevels(levels, at);
    return { setLevels, stop, source: voices[0].source };
  }

  /**
   * Play now. Call `sound.wake` in answer to the press, and `sound.claim` first.
   * @param {AudioBuffer[]} buffers
   * @param {{from: number, at: number, loop: Range | null, levels: number[], ended: () => void}} options
   *   `at` is when `from` is to be heard, by the context's clock
   * @returns {Voices}
   */
  function play(buffers, { from, at, loop, levels, ended }) {
    const context = sound.wake(buffers[0].sampleRate);
    const speed = settings.speed();
    const running = schedule(context, stretch.apply(buffers, speed), {
      at,
      from: from / speed,
      loop: loop && [loop[0] / speed, loop[1] / speed],
      levels,
    });
    let stopped = false;
    running.source.addEventListener('ended', () => stopped || ended());
    return {
      position(time = context.currentTime) {
        const now = from + Math.max(0, time - at) * speed;
        return loop && now >= loop[1] ? loop[0] + ((now - loop[0]) % (loop[1] - loop[0])) : now;
      },
      setLevels: (wanted) => running.setLevels(wanted, soon(context)),
      stop() {
        stopped = true;
        running.stop(soon(context));
      },
    };
  }

  /** The soonest time, by its clock, for which a change can be scheduled. @param {BaseAudioContext} context */
  const soon = (context) => context.currentTime + AHEAD;

  return { load, match, play, rateOf, read, schedule, soon, tellGain };
})();
