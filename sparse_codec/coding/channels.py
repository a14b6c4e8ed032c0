"""Windows of events, of one channel or of left and right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import tee
from typing import TYPE_CHECKING

import numpy as np

from sparse_codec.events import EventSet, join

if TYPE_CHECKING:
    from sparse_codec.codec import SparseCodec

Window = EventSet | tuple[EventSet, EventSet]  # of one channel, or of left and right


def channels_of(window: Window) -> tuple[EventSet, ...]:
    """Return the event sets of a window: one, or those of left and right."""
    return window if isinstance(window, tuple) else (window,)


def window_of(channels: Sequence[EventSet]) -> Window:
    """Return the window of one channel, or of left and right. The inverse of `channels_of`."""
    if len(channels) == 1:
        return channels[0]
    left, right = channels
    return left, right


def windows_of(events: Window, codec: SparseCodec) -> Iterator[Window]:
    """Yield events window by window, as `SparseCodec.stream` does; `join_windows` joins them."""
    n_frames = codec.config.half_frames
    splits = [channel.split(n_frames) for channel in channels_of(events)]
    return (window_of(channels) for channels in zip(*splits, strict=True))


def join_windows(windows: Iterable[Window]) -> Window:
    """Return one event set, or left and right, of windows that follow each other."""
    channels = zip(*map(channels_of, windows), strict=True)
    return window_of([join(list(channel)) for channel in channels])


def play_windows(
    codec: SparseCodec, windows: Iterable[Window], n_channels: int, consistent: bool | None = None
) -> Iterator[np.ndarray]:
    """Yield the sound of windows that follow each other: blocks (T,), or (T, 2) in stereo.

    consistent: as in `SparseCodec.decode`.
    """
    copies = tee(windows, n_channels)
    sounds = [codec.play(_channel(copy, i), consistent) for i, copy in enumerate(copies)]
    if n_channels == 1:
        return sounds[0]
    return (np.stack(blocks, axis=1) for blocks in zip(*sounds, strict=True))


def _channel(windows: Iterable[Window], index: int) -> Iterator[EventSet]:
    return (channels_of(window)[index] for window in windows)


def same_events(left: EventSet, right: EventSet) -> bool:
    """Return whether left and right share their events; their gains may differ."""
    return all(
        np.array_equal(getattr(left, name), getattr(right, name))
        for name in ("vectors", "frames", "offsets")
    )


def strongest(window: Window, n_events: int) -> Window:
    """Return the `n_events` of each channel that have most energy.

    If left and right share their events, they share those that are returned.
    """
    channels = channels_of(window)
    energies = [channel.gains**2 for channel in channels]
    if len(channels) == 2 and same_events(*channels):
        energies = [energies[0] + energies[1]] * 2
    strong = [np.sort(np.argsort(-energy, kind="stable")[:n_events]) for energy in energies]
    return window_of(
        [channel.select(index) for channel, index in zip(channels, strong, strict=True)]
    )
