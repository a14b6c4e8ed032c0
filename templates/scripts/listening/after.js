/** What comes after the last trial: the answers as a file, to copy, or sent to the address that the author gave. */
const after = (() => {
  'use strict';

  /** @typedef {Parameters<typeof trial.make>[0]} Facts */

  /**
   * Send answers, as JSON, or as a form with the fields of a presigned POST. Rejects with an Error in words.
   * @param {Facts} facts @param {string} text @param {string} name of the file
   */
  async function send({ design, fields }, text, name) {
    const type = 'application/json';
    const form = new FormData();
    Object.entries(fields).forEach(([field, value]) => form.append(field, value));
    form.append('file', new Blob([text], { type }), name);
    const presigned = Object.keys(fields).length > 0;
    /** @type {RequestInit} */
    const request = {
      method: 'POST',
      body: presigned ? form : text,
      headers: presigned ? {} : { 'Content-Type': type },
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      redirect: 'error',
      cache: 'no-store',
    };
    const response = await fetch(/** @type {string} */ (design.post), request).catch(() => {
      throw new Error('The answers could not be sent: is the network there?');
    });
    if (!response.ok) {
      const { error } = await response.json().catch(() => ({}));
      throw new Error(`The answers were not taken: ${error || response.status}.`);
    }
  }

  /** @param {string} text @param {string} name */
  function download(text, name) {
    const link = elements.make('a', {
      href: URL.createObjectURL(new Blob([text], { type: 'application/json' })),
      download: name,
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  /**
   * @param {Facts} facts @param {{test: string, listener: string, seed: string}} answers
   * @param {() => void} saved hears when they are in safety
   */
  function farewell(facts, answers, saved) {
    const text = `${JSON.stringify(answers)}\n`;
    const name = `${answers.test}-${answers.listener.slice(0, 8)}.json`;
    const status = elements.make('p', { className: 'note' });
    status.setAttribute('role', 'status');
    const field = elements.make('textarea', { readOnly: true, value: text, rows: 8, ariaLabel: 'Answers' });
    const fold = elements.make('details', {}, elements.make('summary', {}, 'What you answered'), field);

    /** @param {string} words */
    function safe(words) {
      status.textContent = words;
      saved();
    }

    const sending = elements.button('button primary', 'Send', async () => {
      sending.disabled = true;
      status.textContent = 'Sending…';
      try {
        await send(facts, text, name);
        sending.textContent = 'Sent';
        safe('Your answers have arrived. Thank you.');
      } catch (error) {
        sending.disabled = false;
        status.textContent = `${/** @type {Error} */ (error).message} Try again, or download them.`;
      }
    });
    const loading = elements.button('button', 'Download', () => {
      download(text, name);
      safe(`They are in the file ${name}.`);
    });
    const copying = elements.button('button', 'Copy', async () => {
      try {
        await navigator.clipboard.writeText(text); // only there where the page came by https, or from a disk
        safe('They are copied.');
      } catch {
        fold.open = true;
        field.focus();
        field.select();
        status.textContent = 'They are selected: press the keys that copy.';
      }
    });
    const ways = facts.design.post ? [sending, loading, copying] : [loading, copying];
    const words = facts.design.post
      ? 'That was all. Your answers are still in this page alone.'
      : 'That was all. Your answers are in this page alone: download or copy them, and give them to its author.';
    const content = [
      elements.make('h2', { tabIndex: -1 }, 'Thank you'),
      elements.make('p', {}, words),
      elements.make('div', { className: 'presses' }, ...ways),
      status,
      fold,
      elements.make('p', { className: 'note' }, `The order was drawn by the seed ${answers.seed}.`),
    ];
    return { content };
  }

  return { farewell };
})();
