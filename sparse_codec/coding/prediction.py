"""Numbers of an event that are expected from other events, by whole-number arithmetic.

Only what differs is written. Events of a voice follow each other closely: their pitch, envelope and
level change little, each rises until the next one begins, and its pitch glides to that one's.

Shapes: N events, V vector size. Numbers are counted in units of 2^-20, as in `quantise`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparse_codec.coding.quantise import FINEST_STEP, ONE

MOST_GLIDE = 2**20  # of `Prediction.glide`
JOINED = 6.0  # seconds of windows that share a block
MOST_WINDOWS = 255  # of a block


def windows_of_block(seconds: float) -> int:
    """Return how many windows of a length share a block where events are expected from others."""
    return min(max(round(JOINED / seconds), 1), MOST_WINDOWS)


@dataclass(frozen=True)
class Prediction:
    """How the numbers of events depend on each other.

    follow: (V + 1,) the share of a number that the next event is expected to have, in 256ths.
    spans: places of numbers that count frames, from 1 at -1 to `longest` at 1: from the onset of an
    event to that of the next, and from there to that of the next but one. Their steps are a frame.
    slopes: two places, of a number and of another that says how fast the first changes: it is
    expected to reach that of the next event when that one peaks. glide: the second number for a
    change of the first by 1 in a frame, in 256ths.
    mute: places of a number, and of others that are not heard, and not written, where it is below
    `muted`; then they are as expected. scales: at which the tables of numbers were fitted; the
    nearest tells how likely each multiple of a step is.
    """

    follow: tuple[int, ...]
    spans: tuple[int, ...] = ()
    longest: int = 2
    coarseness: int = 1  # levels of gain that are rounded to one
    slopes: tuple[int, ...] = ()
    glide: int = 0
    mute: tuple[int, ...] = ()
    muted: int = 0
    scales: tuple[int, ...] = (256,)

    def order(self, n_numbers: int) -> list[int]:
        """Return the numbers in the order of the file: first the one that may mute others."""
        return sorted(range(n_numbers), key=lambda number: (number not in self.mute[:1], number))

    def fitted(self, scale: int) -> int:
        """Return the place among the scales of the one that is nearest by its ratio."""
        # a / s and s / b are equal at the border between a and b: s^2 = a b
        borders = zip(self.scales, self.scales[1:], strict=False)
        return sum(scale * scale > low * high for low, high in borders)

    def unheard(self, units: np.ndarray, event: int, number: int) -> bool:
        """Return whether a number is not written, as it is not heard."""
        return number in self.mute[1:] and bool(units[event, self.mute[0]] < self.muted)

    def expected(self, units: np.ndarray, frames: np.ndarray, event: int, number: int) -> int:
        """Return what number `number` of event `event` is expected to be.

        units: (N, V + 1) int64; the columns before that number are known, and the rows before that
        event. frames: (N,) of all events.
        """
        if number in self.spans:
            return self._span(units, frames, event, self.spans.index(number))
        if number in self.slopes[1:]:
            return self._slope(units[:, self.slopes[0]], frames, event)
        before = int(units[event - 1, number]) if event else 0
        return self.follow[number] * before >> 8

    def _span(self, units: np.ndarray, frames: np.ndarray, event: int, place: int) -> int:
        at = event + place
        n_frames = int(frames[at + 1] - frames[at]) if at + 1 < len(frames) else self.longest + 1
        # after a longer gap, what follows is no neighbour
        return self._count(n_frames if n_frames <= self.longest else self.longest // 2)

    def _count(self, n_frames: int) -> int:
        """Return the number that says so many frames."""
        inside = min(max(n_frames, 1), self.longest)
        return (2 * (inside - 1) * ONE) // (self.longest - 1) - ONE

    def _slope(self, values: np.ndarray, frames: np.ndarray, event: int) -> int:
        if event + 2 >= len(frames):
            return 0
        n_frames = max(1, int(frames[event + 2] - frames[event + 1]))
        change = int(values[event + 1] - values[event])
        return min(max((change * self.glide >> 8) // n_frames, -ONE), ONE)

    def steps(self, base: np.ndarray, scale: int) -> np.ndarray:
        """Return steps (V + 1,) in units at a scale, the same for all events. A frame stays one."""
        steps = (base * scale >> 8).clip(FINEST_STEP, ONE)
        steps[list(self.spans)] = base[list(self.spans)]
        return steps
