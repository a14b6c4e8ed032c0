"""Windows of a stream of events, mono or stereo."""

from collections.abc import Iterable, Iterator

import numpy as np

from sparse_codec.codec import SparseCodec
from sparse_codec.events import EventSet, join

Window = EventSet | tuple[EventSet, EventSet]  # of one channel, or of left and right


def channels_of(window: Window) -> tuple[EventSet, ...]:
    """The event sets of one channel, or of left and right."""
    return window if isinstance(window, tuple) else (window,)


def windows_of(events: Window, codec: SparseCodec) -> Iterator[Window]:
    """The events window by window, as `SparseCodec.stream` yields them; `join_windows` puts them together again."""
    windows = zip(
        *(channel.split(codec.config.half_frames) for channel in channels_of(events)), strict=True
    )
    return windows if isinstance(events, tuple) else (window for (window,) in windows)


def join_windows(windows: Iterable[Window]) -> Window:
    """One event set, or left and right, of windows that follow each other."""
    windows = list(windows)
    if isinstance(windows[0], tuple):
        left, right = (join(list(channel)) for channel in zip(*windows, strict=True))
        return left, right
    return join(windows)


def same_events(left: EventSet, right: EventSet) -> bool:
    """Whether left and right share their events, with gains of their own."""
    return all(
        np.array_equal(vars(left)[name], vars(right)[name])
        for name in ("vectors", "frames", "offsets")
    )


def strongest(window: Window, n_events: int) -> Window:
    """So many events of each channel, those with most energy; left and right go on sharing them if they do."""
    channels = channels_of(window)
    energy = [channel.gains**2 for channel in channels]
    if len(channels) == 2 and same_events(*channels):
        energy = [energy[0] + energy[1]] * 2
    kept = [np.sort(np.argsort(-e, kind="stable")[:n_events]) for e in energy]
    chosen = tuple(channel.select(index) for channel, index in zip(channels, kept, strict=True))
    return chosen if len(chosen) == 2 else chosen[0]
