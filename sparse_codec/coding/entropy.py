"""The events of a window <-> bytes: bit for bit, or rounded and entropy-coded.

Shapes: N events, V vector size, G gains of an event: one, or two where left and right share events.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from constriction import stream

from sparse_codec.coding.priors import Priors
from sparse_codec.coding.quantise import (
    LEVELS,
    ONE,
    SCALES,
    SILENT,
    dequantise,
    event_numbers,
    gain_levels,
    highest_multiple,
    level_gains,
    step_sizes,
)
from sparse_codec.events import EventSet

MOST_EVENTS = 4095  # of a group that is rounded
UNWRITTEN = 2**40  # in the place of a multiple
BIT = 0.18  # of a number: as much error as it is worth, in squares of the step

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
        _encode_group(coder, group, n_frames, priors, scale)
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
    coder: stream.queue.RangeEncoder, group: EventGroup, n_frames: int, priors: Priors, scale: int
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
    drops = _rounded_drops((levels.max() - levels).clip(0, SILENT), priors)
    coder.encode(int(levels.max()), Uniform(LEVELS))
    for model, event, gain in _drop_models(drops, priors):
        coder.encode(int(drops[event, gain]) // _coarseness(priors), model)
    gaps = split_gaps(np.diff(group.frames, prepend=0), len(priors.deltas), n_frames)
    coder.encode(gaps.astype(np.int32), _table_model(priors, "deltas"))
    numbers = event_numbers(group.vectors, group.offsets)
    steps = _steps(priors, scale, drops)
    multiples = round_numbers(numbers, group.frames, steps, scale, priors)
    for event, number in _order(steps.shape, priors):
        multiple, step = int(multiples[event, number]), int(steps[event, number])
        if multiple != UNWRITTEN:
            model = _number_model(priors, number, step, scale)
            coder.encode(multiple + highest_multiple(step), model)


def round_numbers(
    numbers: np.ndarray, frames: np.ndarray, steps: np.ndarray, scale: int, priors: Priors
) -> np.ndarray:
    """Return the multiples (N, V + 1) of steps (N, V + 1) that are written for numbers (N, V + 1)
    of events in frames (N,); UNWRITTEN for those that are not heard.
    """
    units, multiples = np.zeros_like(steps), np.full_like(steps, UNWRITTEN)
    for event, number in _order(steps.shape, priors):
        step = int(steps[event, number])
        expected = _expected(priors, units, frames, event, number)
        units[event, number] = expected
        if _unheard(priors, units, event, number):
            continue
        highest = highest_multiple(step)
        exact = (numbers[event, number] * ONE - expected) / step
        multiple = min(max(round(exact), -highest), highest)
        if priors.prediction and number not in priors.prediction.spans:  # whole frames stay
            bits = _number_bits(priors, number, step, scale)
            multiple = _worthwhile(exact, multiple, highest, bits)
        multiples[event, number] = multiple
        units[event, number] = min(max(expected + multiple * step, -ONE), ONE)
    return multiples


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
    drops = np.zeros((n_events, n_gains), np.int64)
    for model, event, gain in _drop_models(drops, priors):
        drops[event, gain] = coder.decode(model) * _coarseness(priors)
    frames = _decode_frames(coder, n_events, n_frames, priors)
    steps = _steps(priors, scale, drops)
    units = np.zeros_like(steps)
    for event, number in _order(steps.shape, priors):
        step = int(steps[event, number])
        expected = _expected(priors, units, frames, event, number)
        if _unheard(priors, units, event, number):
            units[event, number] = expected
            continue
        multiple = coder.decode(_number_model(priors, number, step, scale))
        multiple -= highest_multiple(step)
        units[event, number] = min(max(expected + multiple * step, -ONE), ONE)
    numbers = dequantise(units, np.ones_like(units))
    gains = np.where(drops < SILENT, level_gains((loudest - drops).clip(0)), np.float32(0))
    return EventGroup(numbers[:, :-1], frames, numbers[:, -1] / 2, gains)


# A block of several windows may have gaps that are longer than the table. Its last entry then says
# that so many frames pass without an event, and the gap goes on.
def split_gaps(gaps: np.ndarray, n_entries: int, n_frames: int) -> np.ndarray:
    """Return the entries of a table of frames from event to event that say gaps (N,), in a block of
    `n_frames`.
    """
    if n_frames <= n_entries:
        return gaps
    last = n_entries - 1
    pieces = [[last] * int(gap // last) + [int(gap % last)] for gap in gaps]
    return np.array([entry for piece in pieces for entry in piece], np.int64)


def _decode_frames(
    coder: stream.queue.RangeDecoder, n_events: int, n_frames: int, priors: Priors
) -> np.ndarray:
    """Return the frames (N,) of events. The inverse of `split_gaps`. Raises: CodingError."""
    model, n_entries = _table_model(priors, "deltas"), len(priors.deltas)
    if n_frames <= n_entries:
        frames = coder.decode(model, n_events).astype(np.int64).cumsum()
    else:
        frames, frame = np.zeros(n_events, np.int64), 0
        for event in range(n_events):
            while (entry := coder.decode(model)) == n_entries - 1 and frame < n_frames:
                frame += entry
            frame += entry
            frames[event] = frame
    if frames[-1] >= n_frames:
        raise CodingError(f"an event starts in frame {frames[-1]} of {n_frames}")
    return frames


def _no_events(vector_size: int, n_gains: int) -> EventGroup:
    return EventGroup(
        vectors=np.zeros((0, vector_size), np.float32),
        frames=np.zeros(0, np.int64),
        offsets=np.zeros(0, np.float32),
        gains=np.zeros((0, n_gains), np.float32),
    )


def _coarseness(priors: Priors) -> int:
    """How many levels of gain are rounded to one."""
    return priors.prediction.coarseness if priors.prediction else 1


def _rounded_drops(drops: np.ndarray, priors: Priors) -> np.ndarray:
    """Return drops (N, G) as multiples of the coarseness; those that are heard stay so."""
    coarse = _coarseness(priors)
    most = np.where(drops < SILENT, SILENT - 1, SILENT) // coarse
    return np.minimum((drops + coarse // 2) // coarse, most) * coarse


def _drop_models(
    drops: np.ndarray, priors: Priors
) -> Iterator[tuple[stream.model.Categorical, int, int]]:
    """Yield the model of each of the drops (N, G), and its place, in the order of the file.

    Those before it are read, where a level is expected from the event before.
    """
    for event in range(drops.shape[0]):
        for gain in range(drops.shape[1]):
            if priors.prediction is None:
                yield _table_model(priors, "drops"), event, gain
            else:
                before = int(drops[event - 1, gain]) if event else 0
                yield _drop_model(priors, before), event, gain


@functools.lru_cache(maxsize=256)
def _drop_model(priors: Priors, before: int) -> stream.model.Categorical:
    """The coder's model of a drop that follows another."""
    assert priors.changes is not None
    changes = priors.changes[SILENT - before : 2 * SILENT + 1 - before]
    return _categorical(changes[:: _coarseness(priors)])


def _steps(priors: Priors, scale: int, drops: np.ndarray) -> np.ndarray:
    """Return steps (N, V + 1) in units for events with drops (N, G)."""
    if priors.prediction is None:
        return step_sizes(priors.steps, scale, drops.min(1))
    return np.tile(priors.prediction.steps(priors.steps, scale), (len(drops), 1))


def _order(shape: tuple[int, ...], priors: Priors) -> Iterator[tuple[int, int]]:
    """Yield events and numbers in the order of the file: event by event, or, where numbers are
    expected from those of other events, number by number.
    """
    n_events, n_numbers = shape
    if priors.prediction is None:
        return itertools.product(range(n_events), range(n_numbers))
    columns = itertools.product(priors.prediction.order(n_numbers), range(n_events))
    return ((event, number) for number, event in columns)


def _expected(
    priors: Priors, units: np.ndarray, frames: np.ndarray, event: int, number: int
) -> int:
    """Return what a number is expected to be, in units: without a prediction 0."""
    if priors.prediction is None:
        return 0
    return priors.prediction.expected(units, frames, event, number)


def _unheard(priors: Priors, units: np.ndarray, event: int, number: int) -> bool:
    return priors.prediction is not None and priors.prediction.unheard(units, event, number)


# Rounding to a step costs a twelfth of its square, at a slope of 2 ln 2 / 12 = 0.115 a bit, and
# more where most multiples are 0. BIT is the best of 0.1 to 0.35 on speech.
def _worthwhile(exact: float, nearest: int, highest: int, bits: np.ndarray) -> int:
    """Return the multiple of least cost of the two around a number, the nearest or the one that is
    nearer to what is expected. So what was rounded once is not rounded again.

    exact: in steps. bits: of each multiple from -highest on.
    """
    smaller = nearest - (nearest > 0) + (nearest < 0)
    if abs(exact - smaller) >= 1:
        return nearest
    extra = (exact - smaller) ** 2 - (exact - nearest) ** 2
    saved = bits[nearest + highest] - bits[smaller + highest]
    return smaller if extra < BIT * saved else nearest


@functools.lru_cache(maxsize=4096)
def _number_bits(priors: Priors, number: int, step: int, scale: int) -> np.ndarray:
    """The bits of each multiple of `step` that a number can be."""
    counts = priors.multiples(number, step, scale)
    return np.log2(counts.sum() / counts)


@functools.lru_cache(maxsize=16)
def _table_model(priors: Priors, name: str) -> stream.model.Categorical:
    """The coder's model of a table of priors."""
    return _categorical(getattr(priors, name))


@functools.lru_cache(maxsize=4096)
def _number_model(priors: Priors, number: int, step: int, scale: int) -> stream.model.Categorical:
    """The coder's model of the multiples of `step` that a number can be."""
    return _categorical(priors.multiples(number, step, scale))


def _categorical(counts: np.ndarray) -> stream.model.Categorical:
    """Return a model of counts that add up to less than 2^24.

    A float32 holds such counts and their sums exactly, in whichever order they are added.
    """
    return Categorical(counts.astype(np.float32), perfect=False)
