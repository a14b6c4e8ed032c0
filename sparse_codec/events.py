"""Event sets: what the codec makes of a clip, and pure edits of them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

PARTS = ("vectors", "frames", "offsets", "gains")  # the arrays of an event set, a row each for every event


@dataclass(frozen=True)
class EventSet:
    """N events of a clip of any length, in the order in which they were found.

    vectors: (N, V) float32 in [-1, 1], what each event sounds like.
    frames: (N,) int64, the frame that each starts in, `hop` samples apart.
    offsets: (N,) float32, the rest of the time, in frames, within half a frame.
    gains: (N,) float32, not negative.
    """

    vectors: np.ndarray
    frames: np.ndarray
    offsets: np.ndarray
    gains: np.ndarray
    n_samples: int
    samplerate: int
    hop: int

    def __len__(self) -> int:
        return len(self.gains)

    @property
    def onsets(self) -> np.ndarray:
        """The sample (N,) int64 that each event starts at."""
        return np.maximum(0, np.rint((self.frames + self.offsets.astype(np.float64)) * self.hop).astype(np.int64))

    @property
    def seconds(self) -> np.ndarray:
        return self.onsets / self.samplerate

    def select(self, index) -> EventSet:
        """The events that an index array, a mask or a slice picks."""
        return dataclasses.replace(self, **{name: getattr(self, name)[index] for name in PARTS})

    def in_time_order(self) -> EventSet:
        """The same events by the frames they start in; those of one frame stay in the order they were found in."""
        return self.select(np.argsort(self.frames, kind="stable"))

    def split(self, n_frames: int) -> Iterator[EventSet]:
        """The events of every `n_frames` frames alone, at their places in the clip; `join` puts them together again."""
        n_samples = n_frames * self.hop
        n_windows = max(1, -(-self.n_samples // n_samples))
        window = np.minimum(self.frames // n_frames, n_windows - 1)  # the last has those after the clip's end
        for w in range(n_windows):
            yield dataclasses.replace(self.select(window == w), n_samples=min(self.n_samples, (w + 1) * n_samples))

    def to_json(self) -> dict:
        """Plain values from which `from_json` makes the same numbers again."""
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
    def from_json(cls, values: dict | str) -> EventSet:
        """Raises: ValueError naming the key that is missing or the lengths that differ."""
        values = json.loads(values) if isinstance(values, str) else values
        keys = {"samplerate", "hop", "n_samples", "vector_size", "frames", "offsets", "gains", "vectors"}
        missing = keys - set(values)
        if missing:
            raise ValueError(f"event set lacks {sorted(missing)}; was it written by EventSet.to_json?")
        n_events = len(values["gains"])
        lengths = {name: len(values[name]) for name in ("vectors", "frames", "offsets")}
        if any(length != n_events for length in lengths.values()):
            raise ValueError(f"event set has {n_events} gains but {lengths}; all must be equally long")
        return cls(
            vectors=np.asarray(values["vectors"], np.float32).reshape(n_events, values["vector_size"]),
            frames=np.asarray(values["frames"], np.int64),
            offsets=np.asarray(values["offsets"], np.float32),
            gains=np.asarray(values["gains"], np.float32),
            n_samples=int(values["n_samples"]),
            samplerate=int(values["samplerate"]),
            hop=int(values["hop"]),
        )


def join(sets: list[EventSet]) -> EventSet:
    """One event set of windows that follow each other, as long as the last one says."""
    parts = {name: np.concatenate([vars(s)[name] for s in sets]) for name in PARTS}
    return dataclasses.replace(sets[-1], **parts)


def randomise_vectors(events: EventSet, seed: int) -> EventSet:
    """Other sounds at the same times and gains: uniform between the smallest and largest value of the vectors."""
    low, high = (events.vectors.min(), events.vectors.max()) if len(events) else (0.0, 0.0)
    vectors = np.random.default_rng(seed).uniform(low, high, events.vectors.shape)
    return dataclasses.replace(events, vectors=vectors.astype(np.float32))


def randomise_times(events: EventSet, seed: int, until: int) -> EventSet:
    """The same sounds at times drawn uniformly from the first `until` samples."""
    onsets = np.random.default_rng(seed).uniform(0, until, len(events)) / events.hop
    frames = np.minimum(np.rint(onsets), until // events.hop - 1).astype(np.int64)
    offsets = np.clip(onsets - frames, -0.5, 0.5).astype(np.float32)
    return dataclasses.replace(events, frames=frames, offsets=offsets)


def perturb(events: EventSet, amount: float, seed: int, spare: tuple[int, ...] = ()) -> EventSet:
    """Every vector moved in the same direction: one random vector of norm `amount` is added to all.

    The numbers named in `spare`, such as a pitch, stay as they are.
    """
    direction = np.random.default_rng(seed).normal(size=events.vectors.shape[1])
    direction[list(spare)] = 0
    moved = events.vectors + amount * direction / np.linalg.norm(direction)
    return dataclasses.replace(events, vectors=moved.clip(-1, 1).astype(np.float32))
