"""Files of figures: a measurement writes one, and pages show it if it is of their checkpoint."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report import ReportError

if TYPE_CHECKING:
    from sparse_codec import SparseCodec
    from sparse_codec.checkpoint import Checkpoint

Figures = dict[str, Any]  # a JSON object


@dataclass(frozen=True)
class FigureFile:
    """A JSON file, and the command that measures its figures."""

    path: Path
    command: str

    @classmethod
    def beside(cls, script: str) -> FigureFile:
        """The file of a script in `measurements/`: it has the script's name."""
        path = Path(script).with_suffix(".json")
        return cls(path, f"python -m experiments.measurements.{path.stem}")

    @classmethod
    def of(cls, measurement: str) -> FigureFile:
        """The file of a measurement by its name, without importing what it needs to measure."""
        return cls.beside(str(Path(__file__).parent / "measurements" / f"{measurement}.py"))

    def read(self) -> Figures:
        """Return the figures. Raises: ReportError if there is no such file, or no JSON object."""
        try:
            figures = json.loads(self.path.read_text())
        except OSError as error:
            raise self.error(error.strerror or str(error)) from error
        except ValueError as error:
            raise self.error(f"not JSON, {error}") from error
        if not isinstance(figures, dict):
            raise self.error("holds no figures")
        return figures

    def read_of(self, codec: SparseCodec | Checkpoint) -> Figures:
        """Return figures that were measured with this checkpoint. Raises: ReportError."""
        figures = self.read()
        self.check(figures, codec)
        return figures

    def check(self, figures: Figures, codec: SparseCodec | Checkpoint) -> None:
        """Raises: ReportError if figures from the file were not measured with this checkpoint."""
        if "checkpoint" not in figures:
            raise self.error("does not say which checkpoint was measured")
        if figures["checkpoint"] != codec.digest:
            raise self.error("of another checkpoint")

    def error(self, problem: str) -> ReportError:
        """An error that says how to measure the figures again."""
        return ReportError(f"{self.path}: {problem}; run {self.command}")

    def write(self, figures: Figures) -> None:
        """Write the figures."""
        self.path.write_text(as_json(figures) + "\n")


def as_json(figures: Figures) -> str:
    """Return figures as in their file."""
    return json.dumps(figures, indent=1)
