/** A BibTeX entry for one sound, which names its bytes. */
const bibtex = (() => {
  'use strict';

  /**
   * Letters with a meaning in TeX. Braces are written out, because BibTeX counts them even behind a backslash.
   * @type {Record<string, string>}
   */
  const ESCAPES = {
    '%': '\\%',
    '#': '\\#',
    '&': '\\&',
    _: '\\_',
    $: '\\$',
    '\\': '\\textbackslash{}',
    '{': '\\textbraceleft{}',
    '}': '\\textbraceright{}',
    '^': '\\textasciicircum{}',
    '~': '\\textasciitilde{}',
    '<': '\\textless{}',
    '>': '\\textgreater{}',
  };

  /** @param {string} link @param {string} title @param {string} hash of the sound @returns {string} */
  function entry(link, title, hash) {
    const named = (/** @type {string} */ name) =>
      Array.from(document.querySelectorAll(`meta[name="${name}"]`), (meta) => meta.getAttribute('content') || '');
    const names = named('author').map((name) => (/\sand\s/i.test(name) ? `{${escaped(name)}}` : escaped(name)));
    const url = link.replace(/[{}\\]/g, encodeURIComponent);
    const fields = Object.entries({
      author: names.join(' and '),
      title: escaped(title),
      year: (named('date')[0] || '').slice(0, 4),
      howpublished: `\\url{${url}}`,
      note: `In: ${escaped(document.title)}. SHA-256 of the sound: ${hash}`,
    });
    const lines = fields.filter(([, text]) => text).map(([field, text]) => `  ${field} = {${text}},\n`);
    return `@misc{sound-${hash.slice(0, 12)},\n${lines.join('')}}\n`;
  }

  /** @param {string} text @returns {string} */
  function escaped(text) {
    return Array.from(text, (letter) => ESCAPES[letter] || letter).join('');
  }

  return { entry };
})();
