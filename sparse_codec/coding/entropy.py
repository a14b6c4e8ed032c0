"""The events of a window <-> bytes: bit for bit, or rounded and entropy-coded.

Shapes: N events, V vector size, G gains of an event: one, or two where left and right share events.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from constriction import stream

from sparse_codec.coding.priors import Priors
from sparse_codec.coding.quantise import (
    LEVELS,
    SCALES,
    SILENT,
    dequantise,
    event_numbers,
    gain_levels,
    highest_multiple,
    level_gains,
    quantise,
    step_sizes,
)
from sparse_codec.events import EventSet

MOST_EVENTS = 4095  # of a group that is rounded

Encoder, Decoder = stream.queue.RangeEncoder, stream.queue.RangeDecoder
Categorical, Uniform = stream.model.Categorical, stream.model.Uniform


class CodingError(ValueError):
    """Bytes that hold no events, or more events than can be held; the message says why."""


@dataclass(frozen=True)
class EventGroup:
    """Events of a window that are coded together: a channel's, or those that both share."""

    vectors: np.ndarray  # (N, V) float32
    frames: np.ndarray  # (N,) int64, since the window's first
    offsets: np.ndarray  # (N,) float32
    gains: np.ndarray  # (N, G) float32

    def __len__(self) -> int:
        return len(self.gains)


def group_of(first_frame: int, *channels: EventSet) -> EventGroup:
    """Return the group of a channel, or of two that share events, in a window from a frame on."""
    events = channels[0]
    gains = np.stack([channel.gains for channel in channels], 1)
    return EventGroup(events.vectors, events.frames - first_frame, events.offsets, gains)


# ---- bit for bit


def encode_exact(groups: list[EventGroup]) -> bytes:
    """Return a number of events and that many records for each group, in the order found."""
    data = b""
    for group in groups:
        records = np.zeros(len(group), _record_type(group.vectors.shape[1], group.gains.shape[1]))
        records["vector"] = group.vectors
        records["frame"] = group.frames
        records["offset"] = group.offsets
        records["gain"] = group.gains
        data += len(records).to_bytes(4, "little") + records.tobytes()
    return data


def decode_exact(data: bytes, n_groups: int, n_gains: int, vector_size: int) -> list[EventGroup]:
    """Return the groups that `encode_exact` wrote. Raises: CodingError."""
    groups, record_type = [], _record_type(vector_size, n_gains)
    for _ in range(n_groups):
        n_events = int.from_bytes(data[:4], "little")
        end = 4 + n_events * record_type.itemsize
        if len(data) < max(4, end):
            raise CodingError(f"{n_events} events are said to be in {len(data)} bytes")
        records = np.frombuffer(data[4:end], record_type)
        frames = records["frame"].astype(np.int64)
        groups.append(EventGroup(records["vector"], frames, records["offset"], records["gain"]))
        data = data[end:]
    if data:
        raise CodingError(f"{len(data)} bytes are left over")
    return groups


def _record_type(vector_size: int, n_gains: int) -> np.dtype:
    """The layout of an event in a lossless file."""
    return np.dtype(
        [
            ("vector", "<f4", vector_size),
            ("frame", "<u4"),
            ("offset", "<f4"),
            ("gain", "<f4", (n_gains,)),
        ]
    )


# ---- rounded


def encode_rounded(groups: list[EventGroup], n_frames: int, priors: Priors, scale: int) -> bytes:
    """Return the scale, and the words of one range coder for all groups, in the order of time.

    Events SILENT levels below the loudest of their group are left out, and those that start after
    the window of `n_frames`.
    """
    coder = Encoder()
    groups = [audible(group, n_frames) for group in groups]
    for group in groups:
        _encode_group(coder, group, priors, scale)
    words = coder.get_compressed()
    # A reader refuses a number of events that is larger than the number of bytes.
    n_words = -(-sum(map(len, groups)) // 4)
    words = np.pad(words, (0, max(0, n_words - len(words))))
    return scale.to_bytes(2, "little") + words.astype("<u4").tobytes()


def decode_rounded(
    data: bytes, n_groups: int, n_gains: int, n_frames: int, priors: Priors
) -> list[EventGroup]:
    """Return the groups that `encode_rounded` wrote. Raises: CodingError."""
    scale = int.from_bytes(data[:2], "little")
    if not SCALES[0] <= scale <= SCALES[1] or len(data) % 4 != 2:
        raise CodingError(f"its scale is {scale}, in {len(data)} bytes")
    coder = Decoder(np.frombuffer(data[2:], "<u4").astype(np.uint32))
    try:
        return [
            _decode_group(coder, len(data), n_gains, n_frames, priors, scale)
            for _ in range(n_groups)
        ]
    except AssertionError as error:  # constriction's error for data that no encoder wrote
        raise CodingError("no range coder wrote these words") from error


def audible(group: EventGroup, n_frames: int) -> EventGroup:
    """Return the events that survive rounding in a window of `n_frames`, in the order of time."""
    levels = gain_levels(group.gains)
    loud = (levels >= 0) & (levels.max(initial=0) - levels < SILENT)
    surviving = np.flatnonzero(loud.any(1) & (group.frames < n_frames))
    order = surviving[np.argsort(group.frames[surviving], kind="stable")]
    return EventGroup(
        group.vectors[order], group.frames[order], group.offsets[order], group.gains[order]
    )


def _encode_group(
    coder: stream.queue.RangeEncoder, group: EventGroup, priors: Priors, scale: int
) -> None:
    n_events = len(group)
    if n_events > MOST_EVENTS:
        raise CodingError(
            f"{n_events} events in a window; keep at most {MOST_EVENTS}, such as with strongest()"
        )
    coder.encode(n_events, Uniform(MOST_EVENTS + 1))
    if not n_events:
        return
    levels = gain_levels(group.gains)
    drops = (levels.max() - levels).clip(0, SILENT)
    coder.encode(int(levels.max()), Uniform(LEVELS))
    coder.encode(drops.flatten().astype(np.int32), _table_model(priors, "drops"))
    coder.encode(np.diff(group.frames, prepend=0).astype(np.int32), _table_model(priors, "deltas"))
    steps = step_sizes(priors.steps, scale, drops.min(1))
    multiples = quantise(event_numbers(group.vectors, group.offsets), steps)
    for event in range(n_events):
        for number, step in enumerate(steps[event].tolist()):
            symbol = int(multiples[event, number]) + highest_multiple(step)
            coder.encode(symbol, _number_model(priors, number, step))


def _decode_group(
    coder: stream.queue.RangeDecoder,
    n_bytes: int,
    n_gains: int,
    n_frames: int,
    priors: Priors,
    scale: int,
) -> EventGroup:
    n_events = coder.decode(Uniform(MOST_EVENTS + 1))
    if n_events > n_bytes:
        raise CodingError(f"{n_events} events are said to be in {n_bytes} bytes")
    if not n_events:
        return _no_events(len(priors.steps) - 1, n_gains)
    loudest = coder.decode(Uniform(LEVELS))
    drops = coder.decode(_table_model(priors, "drops"), n_events * n_gains)
    drops = drops.astype(np.int64).reshape(n_events, n_gains)
    deltas = coder.decode(_table_model(priors, "deltas"), n_events)
    frames = deltas.astype(np.int64).cumsum()
    if frames[-1] >= n_frames:
        raise CodingError(f"an event starts in frame {frames[-1]} of {n_frames}")
    steps = step_sizes(priors.steps, scale, drops.min(1))
    multiples = np.zeros_like(steps)
    for event in range(n_events):
        for number, step in enumerate(steps[event].tolist()):
            symbol = coder.decode(_number_model(priors, number, step))
            multiples[event, number] = symbol - highest_multiple(step)
    numbers = dequantise(multiples, steps)
    gains = np.where(drops < SILENT, level_gains((loudest - drops).clip(0)), np.float32(0))
    return EventGroup(numbers[:, :-1], frames, numbers[:, -1] / 2, gains)


def _no_events(vector_size: int, n_gains: int) -> EventGroup:
    return EventGroup(
        vectors=np.zeros((0, vector_size), np.float32),
        frames=np.zeros(0, np.int64),
        offsets=np.zeros(0, np.float32),
        gains=np.zeros((0, n_gains), np.float32),
    )


@functools.lru_cache(maxsize=16)
def _table_model(priors: Priors, name: str) -> stream.model.Categorical:
    """The coder's model of a table of priors."""
    return _categorical(getattr(priors, name))


@functools.lru_cache(maxsize=4096)
def _number_model(priors: Priors, number: int, step: int) -> stream.model.Categorical:
    """The coder's model of the multiples of `step` that a number can be."""
    return _categorical(priors.multiples(number, step))


def _categorical(counts: np.ndarray) -> stream.model.Categorical:
    """Return a model of counts that add up to less than 2^24.

    A float32 holds such counts and their sums exactly, in whichever order they are added.
    """
    return Categorical(counts.astype(np.float32), perfect=False)
