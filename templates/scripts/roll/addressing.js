/** What an address says of an event roll: the selected event, those with solo, moved ones, the scale and the time. */
const addressing = (() => {
  'use strict';

  /**
   * @param {{edit: ReturnType<typeof edits.make>, line: ReturnType<typeof timeline.make>,
   *   scale: ReturnType<typeof scales.make>, settle: (i: number, event: PlacedEvent) => PlacedEvent,
   *   select: (i: number) => void, selected: () => number}} roll `selected` is -1 where no event is
   */
  function make({ edit, line, scale, settle, select, selected }) {
    /** @param {Record<string, string>} state */
    function restore(state) {
      const { now, range } = links.readTime(state);
      const [event, ...solo] = [state.event, ...(state.solo || '').split(',')].map((text) => Number(text) - 1);
      line.stop();
      scale.choose(state.axis !== '2');
      edit.set(
        edits
          .moveTo(edit.events(), state.moved || '', settle)
          .map((placed, i) => ({ ...placed, solo: solo.includes(i) })),
        false,
      );
      line.setRange(range);
      line.seek(now);
      if (edit.events()[event]) {
        select(event);
      }
    }

    /** The state for an address. @returns {Record<string, string>} */
    function state() {
      const solo = edit.events().flatMap((event, i) => (event.solo ? [i + 1] : []));
      const moved = edits.moves(edit.events(), edit.published);
      return {
        ...(selected() < 0 ? {} : { event: String(selected() + 1) }),
        ...(solo.length ? { solo: solo.join(',') } : {}),
        ...(moved ? { moved } : {}),
        ...(scale.chosen() ? {} : { axis: '2' }),
        ...links.time(line.position(), line.range()),
      };
    }

    return { state, restore };
  }

  return { make };
})();
