/**
 * Checks that bytes are as published: those of one file, from its card, or those of the page and all that it names, by
 * the manifest. A page that was opened from a disk may not read files by itself, so there the reader chooses its folder.
 */
(() => {
  'use strict';

  const ADDRESS = /(?:src|href)="(assets\/[^"\s]+|[^"#\s]*[0-9a-f]{64}\.\w+)["#]/g;
  const OWN_HASH = /,\n "sha256": "[0-9a-f]{64}"\n\}\n$/; // how a manifest ends
  /** @type {Map<string, File> | null} */
  let folder = null; // the files of the folder that the reader chose

  /** @param {string} address as the page has it @returns {string} its name in the manifest */
  function nameOf(address) {
    return media.digest(address) && !address.startsWith('offline/') ? `media/${address.split('/').pop()}` : address;
  }

  /** @param {string} address @returns {Promise<ArrayBuffer>} */
  async function read(address) {
    if (!folder) {
      return media.bytes(address, 'reload');
    }
    const file = folder.get(nameOf(address));
    if (!file) {
      throw new Error(`${nameOf(address)} is not in the folder that was chosen.`);
    }
    return file.arrayBuffer();
  }

  /** @param {string} address @param {string} published its hash @returns {Promise<string>} in words, or '' */
  async function wrongWith(address, published) {
    try {
      const hash = await media.sha256(await read(address));
      return hash === published ? '' : `The bytes are not as published: their SHA-256 is ${hash}.`;
    } catch (error) {
      return /** @type {Error} */ (error).message;
    }
  }

  /** @returns {Promise<{sha256: string, files: Record<string, {sha256: string, bytes: number}>}>} */
  async function readManifest() {
    const text = new TextDecoder().decode(await read('manifest.json'));
    const rest = new TextEncoder().encode(text.replace(OWN_HASH, '\n}\n'));
    if (!text.endsWith(`"${await media.sha256(rest.buffer)}"\n}\n`)) {
      throw new Error('manifest.json is damaged: it does not hash to what it says.');
    }
    return JSON.parse(text);
  }

  /**
   * Tell whether a page uses a file that it need not name: a late script, or a copy of a medium where it is on a disk.
   * @param {string} name @param {string[]} named addresses
   */
  function isUsed(name, named) {
    const copied = folder !== null && name.startsWith('offline/');
    return name.startsWith('assets/') || (copied && named.some((address) => address.includes(media.digest(name))));
  }

  /**
   * @typedef {(text: string, list?: string[]) => void} Tell
   * @typedef {(text: string) => Promise<boolean>} Ask whether to go on
   */

  /**
   * Nothing but the manifest and the page is fetched before the reader knows how much the rest is.
   * @param {string} page its name @param {Tell} tell @param {Ask} ask
   */
  async function verifyPage(page, tell, ask) {
    tell('Reading the manifest …');
    const { files } = await readManifest();
    const html = new TextDecoder().decode(await read(page));
    const named = Array.from(html.matchAll(ADDRESS), (match) => match[1]);
    const more = Object.keys(files).filter((name) => isUsed(name, named));
    const addresses = [...new Set([page, ...named, ...more])];
    const size = (/** @type {string[]} */ some) =>
      some.reduce((sum, address) => sum + (files[nameOf(address)]?.bytes || 0), 0);
    const total = numbers.size(size(addresses));
    const n = addresses.length;
    if (!folder && !(await ask(`${n} files, ${total} in all, have to be fetched for this. `))) {
      return;
    }
    const differences = [];
    for (const [i, address] of addresses.entries()) {
      tell(`${i} of ${n} files, ${numbers.size(size(addresses.slice(0, i)))} of ${total} …`);
      const file = files[nameOf(address)];
      const wrong = file ? await wrongWith(address, file.sha256) : 'The manifest does not name it.';
      if (wrong) {
        differences.push(`${nameOf(address)}: ${wrong}`);
      }
    }
    const all = `${n} files: the page, its scripts and styles, and the media that it names`;
    const wrong = differences.length;
    tell(wrong ? `${wrong} of ${all} are not as published.` : `As published are all ${all}.`, differences);
  }

  /** @param {Element} digest in a card @returns {string} the address that the figure of the card has for that file */
  function addressOf(digest) {
    const figure = /** @type {Element} */ (digest.closest('figure'));
    const hash = /** @type {string} */ (digest.textContent).slice(0, 16); // the card shows no more of it
    return (figure.outerHTML.match(new RegExp(`"([^"\\s]*${hash}[0-9a-f]{48}\\.\\w+)"`)) || ['', ''])[1];
  }

  /** @param {string} address @param {Tell} tell */
  async function verifyFile(address, tell) {
    tell('Reading …');
    tell((await wrongWith(address, media.digest(address))) || 'The bytes are as published.');
  }

  /** Ask for the page's folder. @param {Element} result where to ask @param {() => void} then */
  function askForFolder(result, then) {
    const why = 'A page that was opened from a disk may not read files by itself. Choose the folder it lies in: ';
    const input = elements.make('input', { type: 'file', webkitdirectory: true });
    input.addEventListener('change', () => {
      const files = Array.from(input.files || []);
      folder = new Map(files.map((file) => [file.webkitRelativePath.replace(/^[^/]*\//, ''), file]));
      then();
      folder = folder.has('manifest.json') ? folder : null; // else it was another one: ask again
    });
    result.replaceChildren(elements.make('label', {}, why, input));
    input.focus();
  }

  /** @param {Element} host @param {string} label @param {(tell: Tell, ask: Ask) => Promise<void>} verify */
  function addButton(host, label, verify) {
    const button = elements.button('button', label, () => {
      if (location.protocol === 'file:' && !folder) {
        askForFolder(result, run);
      } else {
        run();
      }
    });
    const result = elements.make('div', { className: 'verified' });
    result.setAttribute('role', 'status');
    /** @type {Tell} */
    const tell = (text, list = []) => {
      result.replaceChildren(elements.make('p', {}, text));
      if (list.length) {
        result.append(elements.make('ul', {}, ...list.map((item) => elements.make('li', {}, item))));
      }
    };
    /** @type {Ask} */
    const ask = (text) =>
      new Promise((resolve) => {
        const answer = (/** @type {boolean} */ value) => () => {
          result.replaceChildren();
          button.focus(); // where the answers stood, which are gone
          resolve(value);
        };
        const fetches = elements.button('button', 'Fetch and compare', answer(true));
        const answers = [fetches, elements.button('button', 'Cancel', answer(false))];
        result.replaceChildren(
          elements.make('p', {}, text),
          elements.make('div', { className: 'answers' }, ...answers),
        );
        fetches.focus();
      });
    const run = () => {
      button.focus(); // where a folder was chosen, the focus was there
      verify(tell, ask).catch((error) => tell(error.message));
    };
    host.append(button, result);
  }

  for (const digest of elements.all('.made .digest')) {
    const card = /** @type {Element} */ (digest.closest('.made'));
    addButton(card, 'Verify', (tell) => verifyFile(addressOf(digest), tell));
  }
  for (const colophon of elements.all('.colophon[data-page]')) {
    addButton(colophon, 'Verify this page', (tell, ask) => verifyPage(colophon.dataset.page || '', tell, ask));
  }
})();
