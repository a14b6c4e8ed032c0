/** The window in which a test is held: it covers the page, whose other sounds and texts could tell something. */
const stage = (() => {
  'use strict';

  /** @typedef {{content: HTMLElement[], keys?: (event: KeyboardEvent) => void, leave?: () => void}} View */

  /** @param {string} title @returns {{show: (view: View, share: number) => void}} a share is how much is done */
  function open(title) {
    const dialog = elements.make('dialog', { className: 'asking', ariaLabel: `Listening test: ${title}` });
    const done = elements.make('progress', { max: 1, ariaLabel: 'Progress' });
    const close = elements.button('button', 'Close', () => dialog.close());
    const main = elements.make('div', { className: 'view' });
    const usual = { volume: settings.volume(), speed: settings.speed() };
    let leave = () => {};

    const silence = { stop() {} };
    sound.claim(silence); // what plays in the page would be heard below the test
    sound.release(silence);
    settings.set('volume', 1); // all listeners hear the same
    settings.set('speed', 1);
    dialog.append(elements.make('div', { className: 'top' }, done, close), main);
    dialog.addEventListener('close', () => {
      leave();
      settings.set('volume', usual.volume);
      settings.set('speed', usual.speed);
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
    return {
      show(view, share) {
        leave();
        leave = view.leave || (() => {});
        done.value = share;
        dialog.onkeydown = (event) => {
          const taken = event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey;
          const held = event.repeat && event.key === 'Enter'; // it would skip what comes next
          taken || held || view.keys?.(event);
        };
        main.replaceChildren(...view.content);
        dialog.scrollTop = 0;
        elements.find('h2', main).focus();
      },
    };
  }

  return { open };
})();
