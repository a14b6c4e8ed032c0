"""Meet a target rate: choose how finely to round each window, and how many events to keep of it.

Memory holds one window at a time; bits that one window spares the next may spend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from sparse_codec.coding.channels import Window, channels_of, strongest, window_of
from sparse_codec.coding.event_file import Header, count_windows, end_block, window_block
from sparse_codec.coding.priors import Priors
from sparse_codec.coding.quantise import SCALES
from sparse_codec.events import EventSet

COARSEST = 640  # scale; rather than round further, the weakest events are left out
LONGEST = 2**32  # samples of a clip, for the size of the end block
REPAID = 10  # windows that share the cost of header and end; a block of several repays it at once


class RateError(ValueError):
    """A rate that no file can have; the message names it and the fix."""


def scaled(
    windows: Iterable[Window], header: Header, priors: Priors | None, scale: int, rate: float | None
) -> Iterator[tuple[Window, int]]:
    """Return windows and the scale at which to write each: always `scale`, or, if a rate is given
    and there are priors, the one that `limit_rate` chooses instead.
    """
    if rate is not None and priors is not None:
        return limit_rate(windows, rate, header, priors)
    return ((window, scale) for window in windows)


def limit_rate(
    windows: Iterable[Window], rate: float, header: Header, priors: Priors
) -> Iterator[tuple[Window, int]]:
    """Yield windows and the scale at which to write each, for `rate` bits a second of the clip.

    The file has fewer where there is too little sound to spend them on.
    Raises: RateError for a rate below that of silence, or for a lossless file.
    """
    overhead = 8 * (
        len(header.to_bytes()) + len(end_block(LONGEST, LONGEST // header.window_samples))
    )
    silence = 8 * len(_silence(header, priors)) + overhead / REPAID
    least = silence * header.samplerate / header.window_samples
    if header.mode != "quantised" or rate < least:
        raise RateError(
            f"{rate:g} bits a second; a quantised file of this checkpoint has {least:.0f} or more"
        )
    budget, before, index, debt = 0.0, 0, 0, float(overhead)
    for window in windows:
        n_samples, n_windows = (
            channels_of(window)[0].n_samples,
            count_windows(window, index, header),
        )
        repayment = debt if n_windows > 1 else min(debt, overhead / REPAID)
        debt -= repayment
        budget += rate * (n_samples - before) / header.samplerate - repayment
        before = n_samples
        strong, scale, bits = _fit(window, index, budget, header, priors)
        budget -= bits
        index += n_windows
        yield strong, scale


def _fit(
    window: Window, index: int, budget: float, header: Header, priors: Priors
) -> tuple[Window, int, int]:
    """Return the window with as many events as there are bits for, the finest scale, the bits."""

    def bits(n_events: int, scale: int) -> int:
        return 8 * len(window_block(strongest(window, n_events), index, header, priors, scale))

    most = max(len(channel) for channel in channels_of(window))
    n_events = _last(range(most + 1), lambda n: bits(n, COARSEST) <= budget)
    scale = _last(range(COARSEST, SCALES[0] - 1, -1), lambda s: bits(n_events, s) <= budget)
    return strongest(window, n_events), scale, bits(n_events, scale)


def _last(choices: range, fits: Callable[[int], bool]) -> int:
    """Return the last choice that fits, where all before it do; the first if none does."""
    low, high = 0, len(choices) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(choices[middle]) else (low, middle - 1)
    return choices[low]


def _silence(header: Header, priors: Priors) -> bytes:
    """Return the block of a window without events."""
    channel = EventSet(
        vectors=np.zeros((0, header.vector_size), np.float32),
        frames=np.zeros(0, np.int64),
        offsets=np.zeros(0, np.float32),
        gains=np.zeros(0, np.float32),
        n_samples=header.window_samples,
        samplerate=header.samplerate,
        hop=header.hop,
    )
    return window_block(window_of([channel] * header.channels), 0, header, priors)
