"""The events of a window <-> bytes: bit for bit, or rounded and entropy-coded.

Shapes: N events, V vector size, G gains of an event: one, or two where left and right share their events.
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

Categorical, Uniform = stream.model.Categorical, stream.model.Uniform
RangeEncoder, RangeDecoder = stream.queue.RangeEncoder, stream.queue.RangeDecoder

MOST_EVENTS = 4095  # of a part that is rounded


class CodingError(ValueError):
    """Bytes that hold no events, or more events than can be held; the message says why."""


@dataclass(frozen=True)
class Part:
    """Events of a window that are coded together: those of a channel, or those that both channels share."""

    vectors: np.ndarray  # (N, V) float32
    frames: np.ndarray  # (N,) int64, since the window's first
    offsets: np.ndarray  # (N,) float32
    gains: np.ndarray  # (N, G) float32


def part_of(events: EventSet, first_frame: int, *others: EventSet) -> Part:
    """A channel's events, or what two channels share, of a window that starts with a frame."""
    gains = np.stack([channel.gains for channel in (events, *others)], 1)
    return Part(events.vectors, events.frames - first_frame, events.offsets, gains)


# ---- bit for bit


def _records(vector_size: int, n_gains: int) -> np.dtype:
    return np.dtype(
        [
            ("vector", "<f4", vector_size),
            ("frame", "<u4"),
            ("offset", "<f4"),
            ("gain", "<f4", (n_gains,)),
        ]
    )


def encode_exact(parts: list[Part]) -> bytes:
    """A number of events and that many records for each part, in the order found."""
    data = b""
    for part in parts:
        records = np.zeros(len(part.gains), _records(part.vectors.shape[1], part.gains.shape[1]))
        columns = (part.vectors, part.frames, part.offsets, part.gains)
        for name, values in zip(records.dtype.names, columns, strict=True):
            records[name] = values
        data += len(records).to_bytes(4, "little") + records.tobytes()
    return data


def decode_exact(data: bytes, n_parts: int, n_gains: int, vector_size: int) -> list[Part]:
    """The inverse of `encode_exact`. Raises: CodingError."""
    parts, dtype = [], _records(vector_size, n_gains)
    for _ in range(n_parts):
        n_events = int.from_bytes(data[:4], "little")
        end = 4 + n_events * dtype.itemsize
        if len(data) < max(4, end):
            raise CodingError(f"{n_events} events are said to be in {len(data)} bytes")
        records = np.frombuffer(data[4:end], dtype)
        parts.append(
            Part(
                records["vector"],
                records["frame"].astype(np.int64),
                records["offset"],
                records["gain"],
            )
        )
        data = data[end:]
    if data:
        raise CodingError(f"{len(data)} bytes are left over")
    return parts


# ---- rounded


def encode_rounded(parts: list[Part], n_frames: int, priors: Priors, scale: int) -> bytes:
    """The scale and the words of one range coder for all parts. Events are put in the order of time.

    Left out are events SILENT levels below the loudest of their part, and those that start after the window.
    """
    coder = RangeEncoder()
    kept = [audible(part, n_frames) for part in parts]
    for part in kept:
        _encode_part(coder, part, priors, scale)
    words = coder.get_compressed()
    # a reader trusts no number of events that is larger than the number of bytes
    words = np.pad(words, (0, max(0, -(-sum(len(part.gains) for part in kept) // 4) - len(words))))
    return scale.to_bytes(2, "little") + words.astype("<u4").tobytes()


def decode_rounded(
    data: bytes, n_parts: int, n_gains: int, n_frames: int, priors: Priors
) -> list[Part]:
    """The inverse of `encode_rounded`. Raises: CodingError."""
    scale = int.from_bytes(data[:2], "little")
    if not SCALES[0] <= scale <= SCALES[1] or len(data) % 4 != 2:
        raise CodingError(f"its scale is {scale}, in {len(data)} bytes")
    coder = RangeDecoder(np.frombuffer(data[2:], "<u4").astype(np.uint32))
    try:
        return [
            _decode_part(coder, len(data), n_gains, n_frames, priors, scale) for _ in range(n_parts)
        ]
    except AssertionError as error:  # constriction's word for data that no encoder wrote
        raise CodingError("no range coder wrote these words") from error


def audible(part: Part, n_frames: int) -> Part:
    """What rounding keeps of a part of a window of so many frames, in the order of time."""
    levels = gain_levels(part.gains)
    loud = (levels >= 0) & (levels.max(initial=0) - levels < SILENT)
    kept = loud.any(1) & (part.frames < n_frames)
    order = np.flatnonzero(kept)[np.argsort(part.frames[kept], kind="stable")]
    return Part(part.vectors[order], part.frames[order], part.offsets[order], part.gains[order])


def _encode_part(coder: RangeEncoder, part: Part, priors: Priors, scale: int) -> None:
    n_events = len(part.gains)
    if n_events > MOST_EVENTS:
        raise CodingError(
            f"{n_events} events in a window; keep at most {MOST_EVENTS}, such as with strongest()"
        )
    coder.encode(n_events, Uniform(MOST_EVENTS + 1))
    if not n_events:
        return
    levels = gain_levels(part.gains)
    drops = (levels.max() - levels).clip(0, SILENT)
    coder.encode(int(levels.max()), Uniform(LEVELS))
    coder.encode(drops.flatten().astype(np.int32), _table(priors, "drops"))
    coder.encode(np.diff(part.frames, prepend=0).astype(np.int32), _table(priors, "deltas"))
    steps = step_sizes(priors.steps, scale, drops.min(1))
    multiples = quantise(event_numbers(part), steps)
    for event in range(n_events):
        for number, step in enumerate(steps[event].tolist()):
            coder.encode(
                int(multiples[event, number]) + highest_multiple(step),
                _multiples(priors, number, step),
            )


def _decode_part(
    coder: RangeDecoder, n_bytes: int, n_gains: int, n_frames: int, priors: Priors, scale: int
) -> Part:
    n_events = coder.decode(Uniform(MOST_EVENTS + 1))
    if n_events > n_bytes:
        raise CodingError(f"{n_events} events are said to be in {n_bytes} bytes")
    if not n_events:
        size = len(priors.steps) - 1
        return Part(
            *(
                np.zeros(s, t)
                for s, t in (((0, size), "f4"), (0, "i8"), (0, "f4"), ((0, n_gains), "f4"))
            )
        )
    loudest = coder.decode(Uniform(LEVELS))
    drops = (
        coder.decode(_table(priors, "drops"), n_events * n_gains)
        .astype(np.int64)
        .reshape(n_events, n_gains)
    )
    frames = coder.decode(_table(priors, "deltas"), n_events).astype(np.int64).cumsum()
    if frames[-1] >= n_frames:
        raise CodingError(f"an event starts in frame {frames[-1]} of {n_frames}")
    steps = step_sizes(priors.steps, scale, drops.min(1))
    multiples = np.zeros_like(steps)
    for event in range(n_events):
        for number, step in enumerate(steps[event].tolist()):
            multiples[event, number] = coder.decode(
                _multiples(priors, number, step)
            ) - highest_multiple(step)
    numbers = dequantise(multiples, steps)
    gains = np.where(drops < SILENT, level_gains((loudest - drops).clip(0)), np.float32(0))
    return Part(numbers[:, :-1], frames, numbers[:, -1] / 2, gains)


@functools.lru_cache(maxsize=16)
def _table(priors: Priors, name: str) -> Categorical:
    return _categorical(getattr(priors, name))


@functools.lru_cache(maxsize=4096)
def _multiples(priors: Priors, number: int, step: int) -> Categorical:
    return _categorical(priors.multiples(number, step))


def _categorical(counts: np.ndarray) -> Categorical:
    """Whole numbers that add up to less than 2^24: float32 holds them and their sums exactly, in any order."""
    return Categorical(counts.astype(np.float32), perfect=False)
