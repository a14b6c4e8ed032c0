/** One sound at a time on the whole page, and an AudioContext for each of its rates, which waits for a press. */
const sound = (() => {
  'use strict';

  const FADE = 0.005; // seconds in which a sound comes and goes: too short to be heard, long enough not to click
  const IDLE = 2000; // milliseconds of silence after which a context sleeps: awake it costs battery

  /** @typedef {{stop: () => void}} Owner makes sound; `stop` is called when another one begins */
  /** @type {Map<number, AudioContext>} rate in Hz -> the context of sounds at that rate */
  const contexts = new Map();
  /** @type {AudioContext | null} */
  let awake = null; // the one that was woken last
  /** @type {Set<GainNode>} the ends of all that is heard */
  const outlets = new Set();
  /** @type {Owner | null} */
  let current = null;

  /**
   * Make or wake the context of a rate; browsers allow it only in answer to a press. Each sound plays in a context of its
   * own rate: inside a context browsers change rates crudely, with images 17 dB below a tone of 6 kHz, and nothing above
   * half its rate is left; behind it they change rates well.
   * @param {number} rate Hz @returns {AudioContext}
   */
  function wake(rate) {
    awake = contexts.get(rate) || open(rate);
    contexts.set(rate, awake);
    if (awake.state !== 'running') {
      awake.resume();
    }
    return awake;
  }

  /** @param {number} rate Hz @returns {AudioContext} at the rate of the device if the browser does not know that one */
  function open(rate) {
    try {
      return new AudioContext({ sampleRate: rate });
    } catch {
      return new AudioContext();
    }
  }

  /**
   * Where a sound leaves the page, at the page's volume.
   * @param {BaseAudioContext} context @returns {{node: GainNode, close: () => void}}
   */
  function outlet(context) {
    const node = context.createGain();
    node.gain.value = settings.volume();
    node.connect(context.destination);
    outlets.add(node);
    return {
      node,
      close() {
        node.disconnect();
        outlets.delete(node);
      },
    };
  }

  /** Stop all other sounds on the page: this owner begins. @param {Owner} owner */
  function claim(owner) {
    if (current && current !== owner) {
      current.stop();
    }
    current = owner;
    pauseOthers(null);
  }

  /** @param {EventTarget | null} audio the element that may go on */
  function pauseOthers(audio) {
    for (const other of document.querySelectorAll('audio')) {
      other === audio || other.pause();
    }
  }

  /** @param {Owner} owner that has come to its end */
  function release(owner) {
    current = current === owner ? null : current;
    setTimeout(() => contexts.forEach((context) => (current && context === awake) || context.suspend()), IDLE);
  }

  /** @param {Owner} owner @returns {boolean} whether nobody else makes sound */
  function isFree(owner) {
    const silent = Array.from(document.querySelectorAll('audio')).every((audio) => audio.paused);
    return silent && (!current || current === owner);
  }

  /** @param {Int16Array} values @param {number} rate Hz @param {number} [channels] @returns {AudioBuffer} */
  function toBuffer(values, rate, channels = 1) {
    const length = Math.max(1, values.length / channels);
    const buffer = new AudioBuffer({ length, sampleRate: rate, numberOfChannels: channels });
    for (let channel = 0; channel < channels; channel++) {
      const data = buffer.getChannelData(channel);
      for (let i = 0, at = channel; at < values.length; i++, at += channels) {
        data[i] = values[at] / 32768;
      }
    }
    return buffer;
  }

  /**
   * Play samples at their own rate, from `from` seconds on, and round and round in `loop` if that is given.
   * Call `claim` and `wake` first, in answer to the press.
   * @param {AudioBuffer} buffer
   * @param {{from?: number, loop?: [number, number] | null, ended?: () => void}} options
   * @returns {Voice}
   */
  function play(buffer, { from = 0, loop = null, ended = () => {} }) {
    const output = wake(buffer.sampleRate);
    const speed = settings.speed();
    const level = new GainNode(output, { gain: 0 });
    const end = outlet(output);
    const source = new AudioBufferSourceNode(output, { buffer: stretch.apply([buffer], speed)[0] });
    if (loop) {
      Object.assign(source, { loop: true, loopStart: loop[0] / speed, loopEnd: loop[1] / speed });
    }
    source.connect(level).connect(end.node);
    const began = output.currentTime;
    level.gain.setValueAtTime(0, began);
    level.gain.linearRampToValueAtTime(1, began + FADE);
    source.addEventListener('ended', () => {
      source.disconnect();
      end.close();
      if (!stopped) {
        ended();
      }
    });
    source.start(began, from / speed);
    let stopped = false;
    return {
      position() {
        const at = from + (output.currentTime - began) * speed;
        const length = loop ? loop[1] - loop[0] : 0;
        return loop && at >= loop[1] ? loop[0] + ((at - loop[0]) % length) : Math.min(at, buffer.duration);
      },
      stop() {
        if (!stopped) {
          const now = output.currentTime;
          stopped = true;
          level.gain.cancelScheduledValues(now);
          level.gain.setValueAtTime(level.gain.value, now);
          level.gain.linearRampToValueAtTime(0, now + FADE);
          source.stop(now + FADE);
        }
      },
    };
  }

  settings.follow('volume', () => {
    for (const { gain, context } of outlets) {
      gain.setTargetAtTime(settings.volume(), context.currentTime, FADE);
    }
  });

  // The page's <audio> elements take part. Media events do not bubble, so listen on the way down.
  document.addEventListener(
    'play',
    (event) => {
      pauseOthers(event.target);
      current?.stop();
      current = null;
    },
    true,
  );

  return { claim, isFree, outlet, play, release, toBuffer, wake };
})();
