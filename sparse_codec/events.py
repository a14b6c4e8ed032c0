"""Event sets: the codec's result for a clip, and pure edits of them, each of which returns another
event set.

Inside the codec the same columns are tensors, for a batch of segments: `sparse_codec.model.events`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

PARTS = ("vectors", "frames", "offsets", "gains")  # arrays of an event set, a row for each event
NUMBERS = ("samplerate", "hop", "n_samples")
MOST = 2**31 - 1  # of frames, of samples a second and of samples a frame
LOUDEST = 200.0  # decibels that an edit may add or take away
PAIRING_SECONDS = 3.0  # length of the stretches in which two event sets are paired
STEP = np.uint32(0x9E3779B9)  # 2^32 divided by the golden ratio, between the draws of a generator
SECOND = 4.0  # distance of vectors that counts as much as a second, when events are paired

Index: TypeAlias = "np.ndarray | list[int] | slice"  # an index array, a mask or a slice


@dataclass(frozen=True)
class EventSet:
    """N events of a clip of any length, in the order in which they were found.

    vectors: (N, V) float32 in [-1, 1], what each event sounds like.
    frames: (N,) int64, the frame that each starts in, `hop` samples apart.
    offsets: (N,) float32, the rest of the time, in frames, within half a frame.
    gains: (N,) float32, not negative.
    n_samples: of the clip at `samplerate`, in Hz.

    Lists and arrays of other widths become these. Raises: ValueError naming the first event and
    value out of range.
    """

    vectors: np.ndarray
    frames: np.ndarray
    offsets: np.ndarray
    gains: np.ndarray
    n_samples: int
    samplerate: int
    hop: int

    def __post_init__(self) -> None:
        for name in PARTS:
            object.__setattr__(self, name, _array(getattr(self, name), name))
        shapes = {name: getattr(self, name).shape for name in PARTS}
        columns = {shapes[name] for name in PARTS[1:]}
        if self.vectors.ndim != 2 or columns != {self.vectors.shape[:1]}:
            raise ValueError(
                f"event set of shapes {shapes}; all must be equally long,"
                " and vectors (events, numbers)"
            )
        _check_whole(self.samplerate, "samplerate", MOST)
        _check_whole(self.hop, "hop", MOST)
        _check_whole(self.n_samples, "n_samples", MOST * self.hop)
        _check_range(self.vectors, "vector", -1, 1)
        _check_range(self.frames, "frame", 0, MOST)
        _check_range(self.offsets, "offset", -0.5, 0.5)
        _check_range(self.gains, "gain", 0, float(np.finfo(np.float32).max))

    def __len__(self) -> int:
        return len(self.gains)

    @property
    def onsets(self) -> np.ndarray:
        """The sample (N,) int64 that each event starts at."""
        samples = (self.frames + self.offsets.astype(np.float64)) * self.hop
        return np.maximum(0, np.rint(samples).astype(np.int64))

    @property
    def seconds(self) -> np.ndarray:
        """The time (N,) that each event starts at."""
        return self.onsets / self.samplerate

    @property
    def kind(self) -> tuple[int, int, int]:
        """Samplerate, hop and size of a vector: events of different kinds do not go together."""
        return self.samplerate, self.hop, self.vectors.shape[1]

    # ---- fewer events, or more

    def select(self, index: Index) -> EventSet:
        """Return the events that an index array, a mask or a slice picks."""
        return dataclasses.replace(
            self,
            vectors=self.vectors[index],
            frames=self.frames[index],
            offsets=self.offsets[index],
            gains=self.gains[index],
        )

    def mute(self, index: Index) -> EventSet:
        """Return all events but those that an index array, a mask or a slice picks."""
        return self.select(~self._mask(index))

    def strongest(self, n: int) -> EventSet:
        """Return the `n` events of the highest gains, so of the most energy, in their order."""
        if n < 0:
            raise ValueError(f"the strongest {n} events; give 0 or more")
        return self.select(np.sort(np.argsort(-self.gains, kind="stable")[:n]))

    def merge(self, other: EventSet) -> EventSet:
        """Return these events and the other's, in a clip as long as the longer one.

        Raises: ValueError for another samplerate, hop or size of a vector.
        """
        self._check_same_kind(other)
        n_samples = max(self.n_samples, other.n_samples)
        return dataclasses.replace(join([self, other]), n_samples=n_samples)

    # ---- the same events, louder, later or otherwise

    def gain(self, decibels: float, index: Index | None = None) -> EventSet:
        """Make all events, or those of `index`, louder, or softer where negative, by decibels."""
        _check_size(decibels, "decibels", LOUDEST)
        factors = np.where(self._mask(index), 10 ** (decibels / 20), 1.0)
        return dataclasses.replace(self, gains=self.gains * factors)

    def shift(self, seconds: float, index: Index | None = None) -> EventSet:
        """Move all events, or those of `index`, later, or earlier where negative, by
        round(seconds * samplerate) samples.

        Events that would start before the clip are left out. The clip grows by as much as its last
        onset moves back, so that the end of the last event stays in it; it never shrinks. Onsets
        fall on whole samples.
        """
        if not len(self):
            return self
        _check_size(seconds, "seconds", MOST / self.samplerate)
        samples = round(seconds * self.samplerate)
        onsets = self.onsets + samples * self._mask(index)
        longer = max(0, int(onsets.max() - self.onsets.max()))
        moved = dataclasses.replace(self, n_samples=self.n_samples + longer)
        inside = onsets >= 0
        return moved.select(inside).at(onsets[inside])

    def at(self, onsets: np.ndarray) -> EventSet:
        """Return the same sounds and gains at onsets in samples (N,), whole numbers from 0 on."""
        frames = np.rint(onsets / self.hop).astype(np.int64)
        offsets = (onsets - frames * self.hop) / self.hop
        return dataclasses.replace(self, frames=frames, offsets=offsets)

    def perturb(self, amount: float, seed: int, spare: tuple[int, ...] = ()) -> EventSet:
        """Move all vectors in the same direction: add one random vector of norm `amount` to them.

        The numbers that `spare` lists, such as a pitch (`codec.decoder.pitch_numbers`), stay.
        """
        _check_size(amount, "amount", MOST)
        direction = _generator(seed).normal(size=self.vectors.shape[1:])
        direction[list(spare)] = 0
        if not direction.any():
            raise ValueError(f"spare = {spare} leaves no number of a vector to perturb; name fewer")
        moved = self.vectors + amount * direction / np.linalg.norm(direction)
        return dataclasses.replace(self, vectors=moved.clip(-1, 1))

    def randomise_vectors(self, seed: int) -> EventSet:
        """Return other sounds at the same times and gains: vectors drawn uniformly between the
        smallest and the largest number of these.
        """
        low, high = (self.vectors.min(), self.vectors.max()) if len(self) else (0.0, 0.0)
        vectors = _generator(seed).uniform(low, high, self.vectors.shape)
        return dataclasses.replace(self, vectors=vectors)

    def randomise_times(self, seed: int, until: int | None = None) -> EventSet:
        """Return the same sounds at times drawn uniformly from the first `until` samples.

        until: by default the whole clip.
        """
        until = self.n_samples if until is None else until
        _check_whole(until, "until", MOST * self.hop)
        _check_whole(seed, "seed", MOST, least=0)
        return self.at(np.floor(_uniform(seed, len(self)) * until).astype(np.int64))

    def interpolate(self, other: EventSet, share: float) -> EventSet:
        """Go from these events, at share 0, to the other's, at share 1.

        Events that are alike in time and vector are paired, as many as there are in both: a pair
        becomes one event between the two, whose level in decibels, onset and vector move in
        proportion. An event without a partner fades out or in. Between 0 and 1 the clip is as long
        as the longer one.

        Raises: ValueError for a share outside 0 to 1, and as `merge`.
        """
        self._check_same_kind(other)
        if not 0 <= share <= 1:
            raise ValueError(f"share = {share}; give one from 0, these events, to 1, the other's")
        if share in (0, 1):
            return other if share else self
        mine, theirs = pair(self, other)
        a, b = self.select(mine), other.select(theirs)
        onsets = np.rint((1 - share) * a.onsets + share * b.onsets).astype(np.int64)
        between = dataclasses.replace(
            a.at(onsets),
            vectors=(1 - share) * a.vectors + share * b.vectors,
            gains=a.gains ** (1 - share) * b.gains**share,
        )
        fading = [(self.mute(mine), 1 - share), (other.mute(theirs), share)]
        alone = [dataclasses.replace(e, gains=e.gains * left) for e, left in fading]
        n_samples = max(self.n_samples, other.n_samples)
        return dataclasses.replace(join([between, *alone]), n_samples=n_samples)

    # ---- in order of time

    def in_time_order(self) -> EventSet:
        """Return the same events by the frames they start in; the order in a frame stays."""
        return self.select(np.argsort(self.frames, kind="stable"))

    def split(self, n_frames: int) -> Iterator[EventSet]:
        """Yield the events of every `n_frames` frames, at their places in the clip.

        `join` puts them together again.
        """
        n_samples = n_frames * self.hop
        n_windows = max(1, -(-self.n_samples // n_samples))
        # the last window has the events after the clip's end too
        window = np.minimum(self.frames // n_frames, n_windows - 1)
        order = np.argsort(window, kind="stable")
        edges = np.searchsorted(window[order], np.arange(n_windows + 1))
        for w in range(n_windows):
            inside = self.select(order[edges[w] : edges[w + 1]])
            yield dataclasses.replace(inside, n_samples=min(self.n_samples, (w + 1) * n_samples))

    # ---- for people and for other programs

    def to_json(self) -> dict[str, Any]:
        """Return plain values from which `from_json` makes the same numbers again."""
        return {
            "samplerate": self.samplerate,
            "hop": self.hop,
            "n_samples": self.n_samples,
            "vector_size": self.vectors.shape[1],
            "frames": self.frames.tolist(),
            "offsets": self.offsets.tolist(),
            "gains": self.gains.tolist(),
            "vectors": self.vectors.tolist(),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any] | str) -> EventSet:
        """Return the event set of a JSON text or of its values.

        Raises: ValueError naming the key that is missing, or the event and the value out of range.
        """
        try:
            values = json.loads(values) if isinstance(values, str) else values
        except (json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"not the JSON of an event set: {error}") from error
        keys = {*NUMBERS, *PARTS, "vector_size"}
        if not isinstance(values, dict) or (missing := keys - set(values)):
            lacking = sorted(missing) if isinstance(values, dict) else "all its keys"
            raise ValueError(f"event set lacks {lacking}; was it written by EventSet.to_json?")
        _check_whole(values["vector_size"], "vector_size", MOST)
        parts = {name: _array(values[name], name) for name in PARTS}
        if not len(parts["gains"]):  # an empty list has no size of vectors
            parts["vectors"] = parts["vectors"].reshape(-1, values["vector_size"])
        if parts["vectors"].shape[1:] != (values["vector_size"],):
            raise ValueError(
                f"vectors of shape {parts['vectors'].shape},"
                f" but vector_size = {values['vector_size']}"
            )
        numbers = {name: values[name] for name in NUMBERS}
        return cls(parts["vectors"], parts["frames"], parts["offsets"], parts["gains"], **numbers)

    def _mask(self, index: Index | None) -> np.ndarray:
        """Turn an index array, a mask or a slice into a mask (N,); None picks all."""
        mask = np.full(len(self), index is None)
        if index is not None:
            mask[index] = True
        return mask

    def check_kind(self, codecs: tuple[int, int, int]) -> None:
        """Raise ValueError if a codec of another kind made the events."""
        if self.kind != codecs:
            raise ValueError(
                f"events of {kind_in_words(self.kind)}, but this codec has {kind_in_words(codecs)}:"
                " decode them with the codec that made them"
            )

    def _check_same_kind(self, other: EventSet) -> None:
        if self.kind != other.kind:
            raise ValueError(
                f"events of {kind_in_words(self.kind)} do not go with"
                f" events of {kind_in_words(other.kind)}; encode both with one codec"
            )


def kind_in_words(kind: tuple[int, int, int]) -> str:
    """Spell out an `EventSet.kind`, for messages."""
    return "{} Hz, a hop of {} and vectors of {} numbers".format(*kind)


def join(sets: list[EventSet]) -> EventSet:
    """Return one event set of windows that follow each other, as long as the last one says."""
    return dataclasses.replace(
        sets[-1],
        vectors=np.concatenate([s.vectors for s in sets]),
        frames=np.concatenate([s.frames for s in sets]),
        offsets=np.concatenate([s.offsets for s in sets]),
        gains=np.concatenate([s.gains for s in sets]),
    )


def pair(a: EventSet, b: EventSet) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices, into both event sets, of the pairs that are nearest in sum.

    Distances are those in time and of vectors. Events are paired in stretches of time, so that the
    work grows with the length of the clip, not with its square.
    """
    from scipy.optimize import linear_sum_assignment  # here, because it takes long to import

    stretch = round(PAIRING_SECONDS * a.samplerate)
    mine_of_pairs, theirs_of_pairs = [np.zeros(0, int)], [np.zeros(0, int)]
    for s in np.intersect1d(a.onsets // stretch, b.onsets // stretch):
        mine, theirs = (np.flatnonzero(e.onsets // stretch == s) for e in (a, b))
        apart = np.linalg.norm(a.vectors[mine, None] - b.vectors[None, theirs], axis=2)
        apart += SECOND * np.abs(a.seconds[mine, None] - b.seconds[None, theirs])
        rows, columns = linear_sum_assignment(apart)
        mine_of_pairs.append(mine[rows])
        theirs_of_pairs.append(theirs[columns])
    return np.concatenate(mine_of_pairs), np.concatenate(theirs_of_pairs)


def _generator(seed: int) -> np.random.Generator:
    _check_whole(seed, "seed", MOST, least=0)
    return np.random.default_rng(seed)


def _uniform(seed: int, n: int) -> np.ndarray:
    """Return numbers (n,) in [0, 1) that any program can draw again: those of
    templates/scripts/roll/draws.js are the same.

    The generator is SplitMix with 32 bits: draw i is scramble(scramble(seed) + (i + 1) * STEP).
    """
    begin = _scramble(np.array([seed], np.uint32))
    return _scramble(begin + np.arange(1, n + 1, dtype=np.uint32) * STEP) / 2**32


def _scramble(x: np.ndarray) -> np.ndarray:
    """Return a bijection of numbers (n,) uint32 in which every bit depends on all bits: the last
    step of MurmurHash3.
    """
    x = (x ^ (x >> 16)) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> 13)) * np.uint32(0xC2B2AE35)
    return x ^ (x >> 16)


def _check_size(value: float, name: str, most: float) -> None:
    if not abs(value) <= most:  # NaN is not either
        raise ValueError(f"{name} = {value}; give a number from {-most:.7g} to {most:.7g}")


def _check_whole(value: object, name: str, most: int, least: int = 1) -> None:
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        if least <= value <= most:
            return
    raise ValueError(f"{name} = {value!r}; it must be a whole number from {least} to {most}")


def _check_range(values: np.ndarray, name: str, low: float, high: float) -> None:
    inside = (values >= low) & (values <= high)  # NaN is neither
    if not inside.all():
        event = int(np.argwhere(~inside)[0, 0])
        value = values[event][~inside[event]].flat[0]
        raise ValueError(f"event {event}: {name} = {value}; it must be from {low} to {high:.10g}")


def _array(values: object, name: str) -> np.ndarray:
    """Make a part of an event set an array.

    Raises: ValueError naming the part if it holds other things than numbers.
    """
    kinds: str = "iu" if name == "frames" else "iuf"
    dtype: type[np.number] = np.int64 if name == "frames" else np.float32
    try:
        array = np.asarray(values)
    except ValueError as error:  # lists of unequal lengths
        raise ValueError(
            f"event set with {name} of unequal lengths; all must be equally long"
        ) from error
    if array.ndim == 0 or array.size and array.dtype.kind not in kinds:
        items = "whole numbers" if name == "frames" else "numbers"
        raise ValueError(f"event set with {name} that are not a list of {items}")
    with np.errstate(over="ignore"):  # too large for float32 becomes infinite, which is refused
        return array.astype(dtype, order="C", copy=False)
