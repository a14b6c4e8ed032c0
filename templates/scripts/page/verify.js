/**
 * Whether bytes are as published: those of one file, from its card, or those of the page and all that it names, by the
 * manifest. A page that was opened from a disk may not read files by itself, so there the reader chooses its folder.
 */
(() => {
  'use strict';

  const ADDRESS = /(?:src|href)="(assets\/[^"\s]+|[^"\s]*[0-9a-f]{64}\.\w+)"/g;
  const OWN_HASH = /,\n "sha256": "[0-9a-f]{64}"\n\}\n$/; // how a manifest ends
  /** @type {Map<string, File> | null} */
  let folder = null; // the files of the folder that the reader chose

  /** @param {string} address as the page has it @returns {string} what the manifest calls it */
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

  /** @param {string} address @param {string} published its hash @returns {Promise<string>} what is wrong, in words */
  async function wrongWith(address, published) {
    try {
      const found = await media.sha256(await read(address));
      return found === published ? '' : `The bytes are not as published: their SHA-256 is ${found}.`;
    } catch (error) {
      return /** @type {Error} */ (error).message;
    }
  }

  /** @returns {Promise<{sha256: string, files: Record<string, {sha256: string}>}>} */
  async function readManifest() {
    const text = new TextDecoder().decode(await read('manifest.json'));
    const rest = new TextEncoder().encode(text.replace(OWN_HASH, '\n}\n'));
    if (!text.endsWith(`"${await media.sha256(rest.buffer)}"\n}\n`)) {
      throw new Error('manifest.json is damaged: it does not hash to what it says.');
    }
    return JSON.parse(text);
  }

  /** Files that a page uses and does not name: late scripts, and copies of media where it is on a disk.
   * @param {string} name @param {string[]} named addresses */
  function isUsed(name, named) {
    const copied = folder !== null && name.startsWith('offline/');
    return name.startsWith('assets/') || (copied && named.some((address) => address.includes(media.digest(name))));
  }

  /** @typedef {(text: string, list?: string[]) => void} Tell */

  /** @param {string} page its name @param {Tell} tell */
  async function verifyPage(page, tell) {
    const manifest = await readManifest();
    const html = new TextDecoder().decode(await read(page));
    const named = Array.from(html.matchAll(ADDRESS), (match) => match[1]);
    const more = Object.keys(manifest.files).filter((name) => isUsed(name, named));
    const addresses = [...new Set([page, ...named, ...more])];
    const wrong = [];
    for (const [i, address] of addresses.entries()) {
      tell(`${i} of ${addresses.length} files …`);
      const file = manifest.files[nameOf(address)];
      const found = file ? await wrongWith(address, file.sha256) : 'The manifest does not name it.';
      if (found) {
        wrong.push(`${nameOf(address)}: ${found}`);
      }
    }
    const all = `${addresses.length} files: the page, its scripts and styles, and the media that it names`;
    tell(wrong.length ? `${wrong.length} of ${all} are not as published.` : `As published are all ${all}.`, wrong);
  }

  /** @param {Element} digest in a card @returns {string} the address that the figure of the card has for that file */
  function addressOf(digest) {
    const figure = /** @type {Element} */ (digest.closest('figure'));
    const hash = /** @type {string} */ (digest.textContent).slice(0, 16); // the card tells no more of it
    return (figure.outerHTML.match(new RegExp(`"([^"\\s]*${hash}[0-9a-f]{48}\\.\\w+)"`)) || ['', ''])[1];
  }

  /** @param {string} address @param {Tell} tell */
  async function verifyFile(address, tell) {
    tell('Reading …');
    tell((await wrongWith(address, media.digest(address))) || 'The bytes are as published.');
  }

  /**
   * @template {keyof HTMLElementTagNameMap} T @param {T} tag @param {string} name of its class @param {string} text
   * @returns {HTMLElementTagNameMap[T]}
   */
  function make(tag, name, text) {
    return Object.assign(document.createElement(tag), { className: name, textContent: text });
  }

  /** Ask for the page's folder. @param {Element} result where to ask @param {() => void} then */
  function askForFolder(result, then) {
    const why = 'A page that was opened from a disk may not read files by itself. Choose the folder it lies in: ';
    const label = make('label', '', why);
    const input = Object.assign(document.createElement('input'), { type: 'file', webkitdirectory: true });
    input.addEventListener('change', () => {
      const files = Array.from(input.files || []);
      folder = new Map(files.map((file) => [file.webkitRelativePath.replace(/^[^/]*\//, ''), file]));
      then();
      folder = folder.has('manifest.json') ? folder : null; // else it was another one: ask again
    });
    label.append(input);
    result.replaceChildren(label);
    input.focus();
  }

  /** @param {Element} host @param {string} label @param {(tell: Tell) => Promise<void>} verify */
  function addButton(host, label, verify) {
    const button = make('button', 'button', label);
    const result = make('div', 'verified', '');
    button.type = 'button';
    result.setAttribute('role', 'status');
    /** @type {Tell} */
    const tell = (text, list = []) => {
      result.replaceChildren(make('p', '', text));
      if (list.length) {
        const items = make('ul', '', '');
        items.append(...list.map((item) => make('li', '', item)));
        result.append(items);
      }
    };
    const run = () => {
      button.focus(); // where a folder was chosen, the focus was there
      verify(tell).catch((error) => tell(error.message));
    };
    button.addEventListener('click', () => {
      if (location.protocol === 'file:' && !folder) {
        askForFolder(result, run);
      } else {
        run();
      }
    });
    host.append(button, result);
  }

  for (const digest of document.querySelectorAll('.made .digest')) {
    const card = /** @type {Element} */ (digest.closest('.made'));
    addButton(card, 'Verify', (tell) => verifyFile(addressOf(digest), tell));
  }
  const colophon = /** @type {HTMLElement | null} */ (document.querySelector('.colophon[data-page]'));
  if (colophon) {
    addButton(colophon, 'Verify this page', (tell) => verifyPage(colophon.dataset.page || '', tell));
  }
})();
