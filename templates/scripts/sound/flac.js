/**
 * Reads FLAC files as reports store them: one channel or two, each by itself, of 16 bits, predicted from up to four
 * samples before (RFC 9639).
 * The page decodes by itself, in integers: what a browser's decoder returns are floats, scaled by 32768 in one version
 * and by 32767 in another, and at another rate where the browser does not know the sound's.
 */
const flac = (() => {
  'use strict';

  const SIZES = [0, 192, 576, 1152, 2304, 4608, 0, 0, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768]; // of frames
  const LONGEST = 65536; // samples of a frame

  /** @typedef {ReturnType<typeof reader>} Bits */

  /** Reads numbers of any count of bits, the highest bit first. @param {Uint8Array} file */
  function reader(file) {
    const bytes = new Uint8Array(file.length + 8); // so that no look ahead leaves it
    bytes.set(file);
    const end = 8 * file.length;
    let at = 0; // bits

    /** The next 32 bits. @returns {number} an integer, negative if the first of them is 1 */
    function ahead() {
      const i = Math.min(at >>> 3, file.length);
      const shift = at & 7;
      const word = (bytes[i] << 24) | (bytes[i + 1] << 16) | (bytes[i + 2] << 8) | bytes[i + 3];
      return shift ? (word << shift) | (bytes[i + 4] >>> (8 - shift)) : word;
    }

    /** @param {number} n bits, up to 32 @returns {number} never negative */
    function take(n) {
      const value = n && ahead() >>> (32 - n);
      at += n;
      return value;
    }

    /** @param {number} n bits, up to 32 @returns {number} its first bit is the sign */
    function signed(n) {
      const value = n && ahead() >> (32 - n);
      at += n;
      return value;
    }

    /** Count the zeros before a one, and pass it. @returns {number} */
    function zeros() {
      let n = 0;
      let more = 32;
      while (more === 32 && at < end) {
        more = Math.clz32(ahead());
        n += more;
        at += more;
      }
      at++;
      return n;
    }

    /** A number in Rice's code; its lowest bit is the sign. @param {number} k bits are written out */
    function rice(k) {
      const word = ahead();
      const high = Math.clz32(word);
      let value;
      if (high + 1 + k <= 32) {
        value = (high << k) | (k && (word << (high + 1)) >>> (32 - k));
        at += high + 1 + k;
      } else {
        value = (zeros() << k) | take(k);
      }
      return (value >>> 1) ^ -(value & 1);
    }

    return {
      take,
      signed,
      zeros,
      rice,
      /** The whole bytes that were passed. */
      place: () => Math.ceil(at / 8),
      /** @param {number} place byte */
      go(place) {
        at = 8 * place;
      },
    };
  }

  /**
   * @param {ArrayBuffer} buffer
   * @returns {Int16Array | null} left and right in turn if there are two channels; null if the file is damaged or of
   *   another kind
   */
  function decode(buffer) {
    const file = new Uint8Array(buffer);
    const bits = reader(file);
    const { length, channels } = readHeader(bits);
    if (!channels || length > LONGEST * file.length) {
      return null;
    }
    const samples = new Int16Array(length * channels);
    for (let done = 0; done < length; ) {
      const begin = bits.place();
      const size = readFrameHeader(bits, channels);
      const frame = samples.subarray(done * channels, (done + size) * channels);
      if (!frame.length || frame.length < size * channels || !readFrames(bits, frame, channels)) {
        return null;
      }
      bits.go(bits.place());
      if (checksums.crc16(file.subarray(begin, bits.place())) !== bits.take(16)) {
        return null;
      }
      done += size;
    }
    return bits.place() > file.length ? null : samples;
  }

  /** @param {Bits} bits @returns {{length: number, channels: number}} 0 channels if it is no such file of 16 bits */
  function readHeader(bits) {
    const other = { length: 0, channels: 0 };
    if (bits.take(32) !== 0x664c6143 || bits.take(8) % 128) {
      return other; // it begins with "fLaC" and this block
    }
    bits.go(18); // behind what it says of the frames
    const facts = bits.take(32); // rate in 20 bits, channels in 3, their width in 5, and 4 of the number of samples
    const length = 2 ** 32 * (facts & 15) + bits.take(32);
    bits.go(4);
    for (let last = 0; !last; ) {
      last = bits.take(1);
      bits.take(7);
      const size = bits.take(24);
      if (!size && !last) {
        return other;
      }
      bits.go(bits.place() + size);
    }
    const channels = ((facts >>> 9) & 7) + 1; // both are counted from 1 less
    return (facts & 0x1f0) === 0x0f0 && channels <= 2 ? { length, channels } : other;
  }

  /** @param {Bits} bits @param {number} channels of the file @returns {number} samples of each; 0 if there is none */
  function readFrameHeader(bits, channels) {
    const begins = bits.take(15) === 0x7ffc;
    bits.take(1); // whether all frames are of one size
    const [size, rate] = [bits.take(4), bits.take(4)];
    const apart = bits.take(4) === channels - 1; // no differences of left and right
    bits.take(4); // 16 bits, as the file's header says
    const more = Math.clz32(~(bits.take(8) << 24)); // the frame's number, as UTF-8 writes it
    bits.take(8 * Math.max(0, more - 1));
    const explicit = size === 6 || size === 7 ? bits.take(8 * (size - 5)) + 1 : SIZES[size];
    bits.take(8 * ([0, 1, 2, 2][rate - 11] || 0)); // the rate, and
    bits.take(8); // a checksum of this header: the frame's includes it
    return begins && apart ? explicit : 0;
  }

  /**
   * @param {Bits} bits @param {Int16Array} frames takes the samples, of the channels in turn @param {number} channels
   * @returns {boolean} false if they can not be read
   */
  function readFrames(bits, frames, channels) {
    if (channels === 1) {
      return readFrame(bits, frames);
    }
    const one = new Int16Array(frames.length / channels);
    for (let channel = 0; channel < channels; channel++) {
      if (!readFrame(bits, one)) {
        return false;
      }
      for (let i = 0, at = channel; i < one.length; i++, at += channels) {
        frames[at] = one[i];
      }
    }
    return true;
  }

  /** @param {Bits} bits @param {Int16Array} frame takes the samples @returns {boolean} false if they can not be read */
  function readFrame(bits, frame) {
    const kind = bits.take(7);
    const zeros = bits.take(1) && bits.zeros() + 1; // lowest bits that are 0 in all samples
    const width = 16 - zeros;
    if (kind === 0) {
      frame.fill(bits.signed(width));
    } else if (kind === 1) {
      readPlain(bits, frame, width);
    } else if (kind < 8 || kind > 12 || !readPredicted(bits, frame, width, kind - 8)) {
      return false;
    }
    if (zeros) {
      frame.forEach((value, i) => {
        frame[i] = value << zeros;
      });
    }
    return true;
  }

  /** @param {Bits} bits @param {Int16Array} samples @param {number} width of each, bits */
  function readPlain(bits, samples, width) {
    for (let i = 0; i < samples.length; i++) {
      samples[i] = bits.signed(width);
    }
  }

  /** @param {Bits} bits @param {Int16Array} frame @param {number} width of its first samples @param {number} order */
  function readPredicted(bits, frame, width, order) {
    readPlain(bits, frame.subarray(0, order), width);
    const long = bits.take(2); // 0 or 1, for numbers of 4 or 5 bits
    const parts = 2 ** bits.take(4);
    const size = frame.length / parts;
    if (long > 1 || size % 1 || size < order) {
      return false;
    }
    for (let part = 0, at = order; part < parts; part++) {
      const k = bits.take(4 + long);
      const raw = k === 15 + 16 * long ? bits.take(5) : -1; // bits of numbers that are in no code
      for (const end = (part + 1) * size; at < end; at++) {
        frame[at] = raw < 0 ? bits.rice(k) : bits.signed(raw);
      }
    }
    for (let i = order; i < frame.length; i++) {
      frame[i] += predicted(frame, i, order);
    }
    return true;
  }

  /** The polynomial through the `order` samples before, one step on. @param {Int16Array} x @param {number} i @param {number} order */
  function predicted(x, i, order) {
    switch (order) {
      case 1:
        return x[i - 1];
      case 2:
        return 2 * x[i - 1] - x[i - 2];
      case 3:
        return 3 * (x[i - 1] - x[i - 2]) + x[i - 3];
      case 4:
        return 4 * (x[i - 1] + x[i - 3]) - 6 * x[i - 2] - x[i - 4];
      default:
        return 0;
    }
  }

  return { decode };
})();
