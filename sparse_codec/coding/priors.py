"""What a checkpoint's events are like: whole-number tables from which an `.events` file is entropy-coded.

They are fitted on training works and lie beside the checkpoint, `music.priors.json` beside `music.safetensors`.
Shapes: N events, V vector size, F frames of a window.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sparse_codec.checkpoint import find_checkpoint
from sparse_codec.coding.quantise import FINEST_STEP, ONE, SILENT, highest_multiple
from sparse_codec.outputs import partial_file

FORMAT = "sparse-codec priors 1"
CELLS = 256  # of the tables of numbers, from -1 to 1
TOTAL = 2**20  # what the counts of a table add up to, about


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
            raise PriorsError(
                f"{file}: not priors of this project ({error}); fit them again"
            ) from error
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
        lines += [
            f'"{name}": {json.dumps(getattr(self, name).tolist(), separators=(",", ":"))}'
            for name in TABLES
        ]
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
    shapes = (
        steps.ndim == deltas.ndim == 1
        and drops.shape == (SILENT + 1,)
        and numbers.shape == (len(steps), CELLS)
    )
    tables = (numbers, drops, deltas)
    sizes = all(t.size and t.min() >= 1 and t.sum(axis=-1).max() < 2 * TOTAL for t in tables)
    return (
        shapes
        and sizes
        and len(steps) > 1
        and bool((steps >= FINEST_STEP).all() and (steps <= ONE).all())
    )


# ---- fitting
