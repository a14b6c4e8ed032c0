"""Priors of a checkpoint: whole-number tables of how likely each number of its events is.

`.events` files are entropy-coded with them. They are fitted on training works and lie beside the
checkpoint, `music.priors.json` beside `music.safetensors`.
Shapes: N events, V vector size, F frames of a window.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from sparse_codec.checkpoint import find_checkpoint
from sparse_codec.coding.prediction import MOST_GLIDE, Prediction
from sparse_codec.coding.quantise import FINEST_STEP, ONE, SCALES, SILENT, highest_multiple
from sparse_codec.outputs import partial_file

FORMAT = "sparse-codec priors 1"
PREDICTING = "sparse-codec priors 3"  # with a prediction
CELLS = 256  # of the tables of numbers, from -1 to 1
TOTAL = 2**20  # sum of the counts of a table, about
TABLES = ("steps", "numbers", "drops", "deltas")

Step = Annotated[int, Meta(ge=FINEST_STEP, le=ONE)]
Count = Annotated[int, Meta(ge=1, lt=2 * TOTAL)]


class PriorsError(ValueError):
    """Priors that cannot be used; the message names the file and the fix."""


@dataclass(frozen=True)
class PriorsFile:
    """The JSON object in a file of priors."""

    format: str
    checkpoint: str
    steps: Annotated[list[Step], Meta(min_length=2)]
    numbers: list[Annotated[list[Count], Meta(min_length=CELLS, max_length=CELLS)]]
    drops: Annotated[list[Count], Meta(min_length=SILENT + 1, max_length=SILENT + 1)]
    deltas: Annotated[list[Count], Meta(min_length=1)]
    changes: Annotated[list[Count], Meta(min_length=2 * SILENT + 1, max_length=2 * SILENT + 1)] = (
        field(default_factory=list)
    )
    follow: list[Annotated[int, Meta(ge=0, le=256)]] = field(default_factory=list)
    spans: Annotated[list[Annotated[int, Meta(ge=0)]], Meta(max_length=2)] = field(
        default_factory=list
    )
    longest: Annotated[int, Meta(ge=2, le=2**16)] = 2
    coarseness: Annotated[int, Meta(ge=1, le=SILENT)] = 1
    slopes: Annotated[list[Annotated[int, Meta(ge=0)]], Meta(max_length=2)] = field(
        default_factory=list
    )
    glide: Annotated[int, Meta(ge=0, le=MOST_GLIDE)] = 0
    mute: list[Annotated[int, Meta(ge=0)]] = field(default_factory=list)
    muted: Annotated[int, Meta(ge=-ONE, le=ONE)] = 0
    scales: Annotated[
        list[Annotated[int, Meta(ge=SCALES[0], le=SCALES[1])]], Meta(min_length=1)
    ] = field(default_factory=lambda: [256])

    def __post_init__(self) -> None:
        expected = PREDICTING if self.follow else FORMAT
        if self.format != expected:
            raise ValueError(f"its format is {self.format!r}, not {expected!r}")
        if self.follow and (len(self.follow) != len(self.steps) or not self.changes):
            raise ValueError("its prediction does not fit its tables")
        places = (*self.spans, *self.slopes, *self.mute)
        if any(number >= len(self.steps) for number in places):
            raise ValueError(f"places {places} of {len(self.steps)} numbers")
        if len(self.numbers) != len(self.steps) * len(self.scales):
            raise ValueError(
                f"{len(self.numbers)} tables of numbers, but {len(self.steps)} steps at"
                f" {len(self.scales)} scales"
            )
        tables = (*self.numbers, self.drops, self.deltas, self.changes)
        if max(map(sum, tables)) >= 2 * TOTAL:
            raise ValueError(f"the counts of a table add up to more than {2 * TOTAL}")


@dataclass(frozen=True, eq=False)
class Priors:
    """Tables of counts; every entry is a whole number of at least 1."""

    checkpoint: str  # digest of the checkpoint that they belong to
    steps: np.ndarray  # (V + 1,) at scale 256, in units of 2^-20, of a loudest event's numbers
    numbers: np.ndarray  # (V + 1, CELLS); with a prediction, for one scale after the other
    drops: np.ndarray  # (SILENT + 1,) of levels below the loudest event of the window
    deltas: np.ndarray  # (F,) of frames from event to event
    # where events are expected from the one before, `numbers` are of what differs from that, and
    # `changes` (2 SILENT + 1,) of the levels that an event is weaker, from -SILENT on
    prediction: Prediction | None = None
    changes: np.ndarray | None = None

    @classmethod
    def load(cls, checkpoint: str | Path) -> Priors:
        """Read the priors beside a checkpoint, which is a file or a shipped name.

        Raises: PriorsError if they are missing or damaged.
        """
        file = priors_file(checkpoint)
        if not file.is_file():
            raise PriorsError(
                f"{file}: no such file; fit them with"
                f" python -m sparse_codec priors {shlex.quote(str(checkpoint))} --data FOLDER"
                " or write without loss (--lossless), which needs none"
            )
        try:
            content = msgspec.json.decode(file.read_bytes(), type=PriorsFile)
        except (msgspec.DecodeError, RecursionError) as error:
            raise PriorsError(
                f"{file}: not priors of this project ({error}); fit them again"
            ) from error
        tables = {name: np.array(getattr(content, name), dtype=np.int64) for name in TABLES}
        steps, numbers, drops, deltas = tables.values()
        priors = cls(content.checkpoint, steps, numbers, drops, deltas)
        if not content.follow:
            return priors
        prediction = Prediction(
            follow=tuple(content.follow),
            spans=tuple(content.spans),
            longest=content.longest,
            coarseness=content.coarseness,
            slopes=tuple(content.slopes),
            glide=content.glide,
            mute=tuple(content.mute),
            muted=content.muted,
            scales=tuple(content.scales),
        )
        changes = np.array(content.changes, dtype=np.int64)
        return dataclasses.replace(priors, prediction=prediction, changes=changes)

    def save(self, path: str | Path) -> None:
        """Write them whole or not at all. Raises: OutputError."""
        with partial_file(path) as partial:
            partial.write_text(self._text())

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the file that `save` writes."""
        return hashlib.sha256(self._text().encode()).hexdigest()

    def _text(self) -> str:
        values: dict[str, object] = {"format": FORMAT, "checkpoint": self.checkpoint}
        tables: tuple[str, ...] = TABLES
        if self.prediction:
            values |= {"format": PREDICTING, **dataclasses.asdict(self.prediction)}
            tables = (*TABLES, "changes")
        lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in values.items()]
        for name in tables:
            table = json.dumps(getattr(self, name).tolist(), separators=(",", ":"))
            lines.append(f'"{name}": {table}')
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def multiples(self, number: int, step: int, scale: int) -> np.ndarray:
        """Return counts, at least 1 each, of the multiples of `step` that a number can be, rounded
        at a scale.

        They go from the lowest multiple in [-1, 1] to the highest.
        """
        if self.prediction is None:
            return self._multiples(number, step)
        # Which multiples are written depends on the step, so they are as likely as those of the
        # nearest scale that there is a table for.
        place = self.prediction.fitted(scale)
        fitted = int(self.prediction.steps(self.steps, self.prediction.scales[place])[number])
        counts = self._multiples(place * len(self.steps) + number, fitted)
        more = highest_multiple(step) - highest_multiple(fitted)
        if more >= 0:
            return np.pad(counts, more, constant_values=1)
        return counts[-more:more]

    def _multiples(self, number: int, step: int) -> np.ndarray:
        highest = highest_multiple(step)
        edges = ((2 * np.arange(-highest, highest + 2) - 1) * step).clip(-2 * ONE, 2 * ONE)
        cell, within = np.divmod(edges + 2 * ONE, 4 * ONE // CELLS)
        below, inside = self._below[number], np.append(self.numbers[number], 0)
        return np.diff(below[cell] + inside[cell] * within // (4 * ONE // CELLS)) + 1

    @functools.cached_property
    def _below(self) -> np.ndarray:
        """Counts (tables, CELLS + 1) below each edge of a cell."""
        return np.pad(self.numbers.cumsum(1), ((0, 0), (1, 0)))


def priors_file(checkpoint: str | Path) -> Path:
    """Return the path of a checkpoint's priors. Raises: CheckpointError for no such checkpoint."""
    return find_checkpoint(checkpoint).with_suffix(".priors.json")
