/** Starts films: those that stand by themselves, with a button that lets them run, and decompositions. */
(() => {
  'use strict';

  /** @param {HTMLElement} frame */
  function enhance(frame) {
    const play = controls.playButton(() => toggle());
    const { controls: bar, toggle } = reel.make(frame, {
      onrun: (running) => controls.turn(play, bar, 'the film', running),
    });
    controls.turn(play, bar, 'the film', false);
    spectrogram.drawAxes(frame);
    bar.prepend(play);
  }

  for (const figure of elements.all('.film')) {
    const roll = document.getElementById(figure.dataset.roll || '');
    if (roll && mix.rows(roll).length) {
      decomposition.enhance(figure, roll);
    } else {
      enhance(elements.find('.frame', figure));
    }
  }
})();
