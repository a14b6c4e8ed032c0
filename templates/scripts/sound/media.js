/**
 * The bytes of media files. A page that was served fetches them. A page that was opened from a disk may not read its own
 * folder, so there a script of the same name holds them: offline/<sha256>.js calls `media.take`.
 */
const media = (() => {
  'use strict';

  const KEPT_SAMPLES = 24e6; // samples kept decoded for the whole page, 48 MB: the longest unused go first
  const STRETCH = /#.*\b(samples=(\d+),(\d+))$/; // the part of an address that says which samples of a file are meant
  const HEADER = 44; // bytes before the samples of a WAV file as reports store them
  /** @type {Map<string, Promise<Int16Array>>} address -> samples, the last used at the end */
  const decoded = new Map();
  /** @type {Map<string, Promise<string>>} hash -> content of a script in offline/ that is being loaded */
  const pending = new Map();
  /** @type {Map<string, string>} hash -> content that such a script handed over */
  const contents = new Map();

  /** @param {string} address such as media/<sha256>.wav @returns {string} the hash in its name */
  function digest(address) {
    return (/([0-9a-f]{64})\.\w+(?:#.*)?$/.exec(address) || ['', ''])[1];
  }

  /**
   * The name by which edits know a sound: its hash, and the stretch of it that is meant, as in `<sha256>#samples=90,20`.
   * @param {string} address perhaps with a stretch of 20 samples from 90 on, as in `media/<sha256>.flac#samples=90,20`
   */
  function key(address) {
    const [, stretch = ''] = STRETCH.exec(address) || [];
    return stretch ? `${digest(address)}#${stretch}` : digest(address);
  }

  /**
   * @param {string} address @param {RequestCache} [cache] 'reload' for bytes that were not fetched before
   * @returns {Promise<ArrayBuffer>} rejects with an Error that says in words what is wrong
   */
  async function bytes(address, cache = 'default') {
    if (location.protocol === 'file:') {
      return fromBase64(await fromScript(address), address);
    }
    const offline = () => Promise.reject(wrong(address, 'is the network there?'));
    const response = await fetch(address, { cache }).catch(offline);
    if (!response.ok) {
      throw response.status === 404 ? missing(address) : wrong(address, `the server answered ${response.status}.`);
    }
    return response.arrayBuffer().catch(offline);
  }

  /** @param {string} address @param {string} why @returns {Error} in words for those who listen */
  function wrong(address, why) {
    return new Error(`This ${/\.(flac|wav)$/.test(address) ? 'sound' : 'file'} can not be loaded: ${why}`);
  }

  /** @param {string} address @returns {Error} */
  function missing(address) {
    return wrong(address, `the file ${digest(address).slice(0, 8)}… is missing.`);
  }

  /** @param {string} address @returns {Error} */
  function damaged(address) {
    return wrong(address, `the file ${digest(address).slice(0, 8)}… is damaged.`);
  }

  /** @param {string} address @returns {Promise<string>} */
  function fromScript(address) {
    const name = digest(address);
    const promise = pending.get(name) || runScript(address, name).finally(() => pending.delete(name));
    pending.set(name, promise);
    return promise;
  }

  /** @param {string} address @param {string} name @returns {Promise<string>} */
  function runScript(address, name) {
    return new Promise((resolve, reject) => {
      const script = elements.make('script', { src: `offline/${name}.js` });
      script.addEventListener('error', () => reject(missing(address)));
      script.addEventListener('load', () => {
        const text = contents.get(name);
        contents.delete(name);
        script.remove();
        text === undefined ? reject(damaged(address)) : resolve(text);
      });
      document.head.append(script);
    });
  }

  /** Scripts in offline/ call this. @param {string} name the file's hash @param {string} text its bytes in base64 */
  function take(name, text) {
    contents.set(name, text);
  }

  /** @param {string} text @param {string} address @returns {ArrayBuffer} */
  function fromBase64(text, address) {
    if (text.length % 4 || /[^A-Za-z0-9+/=]/.test(text)) {
      throw damaged(address);
    }
    const binary = atob(text);
    const array = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) {
      array[i] = binary.charCodeAt(i);
    }
    return array.buffer;
  }

  /**
   * The samples of a stored sound, or of a stretch of it: 16 bits, left and right in turn if it has two channels. They
   * are kept, so that asking again costs nothing.
   * @param {string} address @returns {Promise<Int16Array>}
   */
  async function samples(address) {
    const [file] = address.split('#');
    const [, , first, length] = STRETCH.exec(address) || [];
    const values = await samplesOf(file);
    if (length === undefined) {
      return values;
    }
    const stretch = values.subarray(Number(first), Number(first) + Number(length));
    if (stretch.length < Number(length)) {
      throw damaged(file);
    }
    return stretch;
  }

  /** @param {string} address of a file @returns {Promise<Int16Array>} */
  function samplesOf(address) {
    const known = decoded.get(address);
    const promise = known || bytes(address).then((buffer) => read(buffer, address));
    decoded.delete(address); // so that it becomes the last one
    decoded.set(address, promise);
    if (!known) {
      promise.then(forgetSome, () => decoded.delete(address)); // a failure may be asked for again
    }
    return promise;
  }

  async function forgetSome() {
    let total = 0;
    for (const [address, promise] of Array.from(decoded).reverse()) {
      total += (await promise.catch(() => new Int16Array())).length;
      if (total > KEPT_SAMPLES) {
        decoded.delete(address);
      }
    }
  }

  /** @param {string} address of JSON @returns {Promise<any>} */
  async function json(address) {
    return JSON.parse(new TextDecoder().decode(await bytes(address)));
  }

  /** @param {ArrayBuffer} buffer @returns {Promise<string>} hexadecimal */
  async function sha256(buffer) {
    if (!window.crypto || !crypto.subtle) {
      throw new Error('This browser computes hashes only for pages served by https, or opened from a disk.');
    }
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', buffer));
    return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /** @param {ArrayBuffer} buffer @param {string} address @returns {Int16Array} */
  function read(buffer, address) {
    if (!address.endsWith('.flac')) {
      return fromWav(buffer, address);
    }
    const values = flac.decode(buffer);
    if (!values) {
      throw damaged(address);
    }
    return values;
  }

  /** @param {ArrayBuffer} buffer @param {string} address @returns {Int16Array} */
  function fromWav(buffer, address) {
    const view = new DataView(buffer);
    const fits = buffer.byteLength >= HEADER && view.getUint32(36) === 0x64617461;
    if (!fits || view.getUint16(34, true) !== 16 || ![1, 2].includes(view.getUint16(22, true))) {
      throw wrong(address, 'it is no WAV file of 16 bits with one channel or two.');
    }
    if (view.getUint32(40, true) !== buffer.byteLength - HEADER) {
      throw damaged(address); // cut short
    }
    return new Int16Array(buffer, HEADER);
  }

  return { HEADER, bytes, digest, json, key, samples, sha256, take };
})();
