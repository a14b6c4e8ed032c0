"""What a checkpoint's events are like: whole-number tables from which an `.events` file is entropy-coded.

They are fitted on training works and lie beside the checkpoint, `music.priors.json` beside `music.safetensors`.
Shapes: N events, V vector size, F frames of a window.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from sparse_codec.checkpoint import find_checkpoint
from sparse_codec.codec import SparseCodec
from sparse_codec.data import Recording, random_segment
from sparse_codec.events import EventSet
from sparse_codec.outputs import partial_file
from sparse_codec.quantise import FINEST_STEP, ONE, SILENT, gain_levels, highest_multiple

FORMAT = "sparse-codec priors 1"
CELLS = 256  # of the tables of numbers, from -1 to 1
TOTAL = 2**20  # what the counts of a table add up to, about
SMOOTH = 2.5  # standard deviation, in cells, of the kernel that the counts are smoothed with
UNSEEN = 0.03  # share of a table that is spread evenly: what was never seen can come
ROUNDING = 0.005  # at scale 256, share of the loudest event's energy that rounding costs
EXAMPLES = 64  # events that sensitivities are measured on
NUDGE = 0.03  # how far each number is moved for that, times its pace


class PriorsError(ValueError):
    """Priors that cannot be used; the message names the file and the fix."""


@dataclass(frozen=True, eq=False)
class Priors:
    """Tables of counts; every entry is a whole number of at least 1."""

    checkpoint: str  # digest of the checkpoint that they belong to
    steps: np.ndarray  # (V + 1,) at scale 256, in units of 2^-20, of a loudest event's numbers
    numbers: np.ndarray  # (V + 1, CELLS)
    drops: np.ndarray  # (SILENT + 1,) of levels below the loudest event of the window
    deltas: np.ndarray  # (F,) of frames from event to event

    @classmethod
    def load(cls, checkpoint: str | Path) -> Priors:
        """The priors beside a checkpoint, a file or a shipped name. Raises: PriorsError if missing or damaged."""
        file = priors_file(checkpoint)
        if not file.is_file():
            raise PriorsError(
                f"{file}: no such file; fit them with python -m sparse_codec priors {checkpoint} --data FOLDER"
                " or write without loss, which needs none"
            )
        try:
            values = json.loads(file.read_text())
            tables = {name: np.array(values[name], dtype=np.int64) for name in TABLES}
            known, checkpoint_digest = values["format"] == FORMAT, str(values["checkpoint"])
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise PriorsError(f"{file}: not priors of this project ({error}); fit them again") from error
        if not known or not _fits(**tables):
            raise PriorsError(f"{file}: tables of other sizes or another format; fit them again")
        return cls(checkpoint_digest, **tables)

    def save(self, path: str | Path) -> None:
        """Write them whole or not at all. Raises: OutputError."""
        with partial_file(path) as partial:
            partial.write_text(self._text())

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the file that `save` writes."""
        return hashlib.sha256(self._text().encode()).hexdigest()

    def _text(self) -> str:
        values = {"format": FORMAT, "checkpoint": self.checkpoint}
        lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in values.items()]
        lines += [f'"{name}": {json.dumps(getattr(self, name).tolist(), separators=(",", ":"))}' for name in TABLES]
        return "{\n" + ",\n".join(lines) + "\n}\n"

    @functools.cached_property
    def _below(self) -> np.ndarray:
        """Counts (V + 1, CELLS + 1) below each edge of a cell."""
        return np.pad(self.numbers.cumsum(1), ((0, 0), (1, 0)))

    def multiples(self, number: int, step: int) -> np.ndarray:
        """Counts, at least 1 each, of a number's multiples of `step`, from the lowest in [-1, 1] to the highest."""
        highest = highest_multiple(step)
        edges = ((2 * np.arange(-highest, highest + 2) - 1) * step).clip(-2 * ONE, 2 * ONE)
        cell, within = np.divmod(edges + 2 * ONE, 4 * ONE // CELLS)
        below, inside = self._below[number], np.append(self.numbers[number], 0)
        return np.diff(below[cell] + inside[cell] * within // (4 * ONE // CELLS)) + 1


TABLES = ("steps", "numbers", "drops", "deltas")


def priors_file(checkpoint: str | Path) -> Path:
    """Where the priors of a checkpoint lie. Raises: CheckpointError if there is no such checkpoint."""
    return find_checkpoint(checkpoint).with_suffix(".priors.json")


def _fits(steps: np.ndarray, numbers: np.ndarray, drops: np.ndarray, deltas: np.ndarray) -> bool:
    shapes = steps.ndim == deltas.ndim == 1 and drops.shape == (SILENT + 1,) and numbers.shape == (len(steps), CELLS)
    tables = (numbers, drops, deltas)
    sizes = all(t.size and t.min() >= 1 and t.sum(axis=-1).max() < 2 * TOTAL for t in tables)
    return shapes and sizes and len(steps) > 1 and bool((steps >= FINEST_STEP).all() and (steps <= ONE).all())


# ---- fitting


def fit_priors(
    codec: SparseCodec, recordings: list[Recording], n_excerpts: int = 30, seed: int = 0, progress: Callable = iter
) -> Priors:
    """Priors of a checkpoint from the events of random excerpts of the training works among some recordings.

    `progress` wraps the excerpts, as tqdm does. Raises: PriorsError if there is no training work or no event.
    """
    training = [r for r in recordings if r.split == "train"]
    if not training:
        raise PriorsError("no training works among the recordings; give the folders that the codec was trained on")
    return tabulate(codec, training_windows(codec, progress(range(n_excerpts)), training, random.Random(seed)))


def training_windows(
    codec: SparseCodec, excerpts: Iterable, recordings: list[Recording], rng: random.Random
) -> Iterator[EventSet]:
    """The events of two windows of each excerpt: of one that starts the sound and of one that follows."""
    n_samples = codec.config.segment_samples * 3 // 2  # as far as the second window sees
    for _ in excerpts:
        excerpt = random_segment(recordings, n_samples, codec.samplerate, rng)
        yield from itertools.islice(codec.stream([excerpt]), 2)


def tabulate(codec: SparseCodec, windows: Iterable[EventSet]) -> Priors:
    """Priors from windows of events. Raises: PriorsError if there are no events."""
    windows = [window.in_time_order() for window in windows if len(window)]
    if not windows:
        raise PriorsError("no events in the recordings; give others")
    numbers = np.concatenate([event_numbers(window) for window in windows])
    n_frames = codec.config.half_frames
    levels = [gain_levels(window.gains) for window in windows]
    drops = np.concatenate([(each.max() - each).clip(0, SILENT) for each in levels])
    deltas = np.concatenate([np.diff(window.frames % n_frames, prepend=0) for window in windows])
    return Priors(
        checkpoint=codec.digest,
        steps=equal_steps(sensitivities(codec, numbers)),
        numbers=np.stack([_table(np.histogram(column, CELLS, (-1, 1))[0]) for column in numbers.T]),
        drops=_table(np.bincount(drops, minlength=SILENT + 1)),
        deltas=_table(np.bincount(deltas, minlength=n_frames), smooth=0),
    )


def event_numbers(events: EventSet) -> np.ndarray:
    """The vectors and, last, twice the fine offsets: (N, V + 1) float64 in [-1, 1]."""
    return np.concatenate([events.vectors, 2 * events.offsets[:, None]], 1).astype(np.float64)


@torch.no_grad()
def sensitivities(codec: SparseCodec, numbers: np.ndarray) -> np.ndarray:
    """(V + 1,) mean squared derivative of events' spectrograms, which have unit energy, by each of their numbers."""
    some = torch.from_numpy(numbers[:: max(1, len(numbers) // EXAMPLES)][:EXAMPLES]).float().to(codec.device)
    nudges = NUDGE * torch.cat([codec.decoder.pace, codec.decoder.pace.new_ones(1)])

    def spectrograms(at: torch.Tensor) -> torch.Tensor:
        return codec.decoder.spectrograms(at[:, :-1].contiguous(), at[:, -1] / 2)

    squares = []
    for number, nudge in enumerate(nudges):
        moved = torch.zeros_like(nudges)
        moved[number] = nudge
        change = (spectrograms(some + moved) - spectrograms(some - moved)) / (2 * nudge)
        squares.append(change.pow(2).sum((1, 2)).mean().item())
    return np.array(squares)


def equal_steps(sensitivity: np.ndarray) -> np.ndarray:
    """Steps (V + 1,) in units with which each number costs the same, and all together ROUNDING.

    A number that is rounded to a step errs by a twelfth of the step's square.
    """
    steps = np.sqrt(12 * ROUNDING / len(sensitivity) / np.maximum(sensitivity, 1e-9))
    return np.rint(steps * ONE).astype(np.int64).clip(FINEST_STEP, ONE)


def _table(counts: np.ndarray, smooth: float = SMOOTH) -> np.ndarray:
    """Counts that add up to about TOTAL, smoothed, none below 1."""
    shares = counts / counts.sum()
    if smooth:
        reach = np.arange(-int(4 * smooth), int(4 * smooth) + 1)
        kernel = np.exp(-0.5 * (reach / smooth) ** 2)
        spread = np.convolve(np.pad(shares, len(reach), mode="constant"), kernel / kernel.sum(), "same")
        shares = spread[len(reach) : -len(reach)]
        shares /= shares.sum()
    shares = (1 - UNSEEN) * shares + UNSEEN / len(shares)
    return np.maximum(1, np.rint(TOTAL * shares)).astype(np.int64)
