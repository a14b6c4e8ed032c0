"""Write the tables of measured figures into the documents that show them.

    python -m experiments.measurements.write_tables [--check]

A document has a line `<!-- table: NAME -->` before each table, and `<!-- end -->` after it; `table`
knows the names. `--check` writes nothing: it names the documents whose tables differ from the
figures that are stored, and then the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

from experiments.measurements import rate_distortion, scale
from experiments.stored_figures import Figures
from sparse_codec.checkpoint import CHECKPOINTS
from sparse_codec.coding.event_file import SCALE
from sparse_codec.evaluation.tables import (
    FOUND,
    HEARD,
    Table,
    comparison_rows,
    count_rows,
    group_rows,
    markdown_table,
    word_rows,
)

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*sorted((ROOT / "docs").glob("*.md")), *sorted(CHECKPOINTS.glob("*.md"))]
MODELS = ("music", "speech")
BLOCK = re.compile(r"(<!-- table: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def stored(model: str, suffix: str = ".json") -> Figures:
    """Return the figures beside a shipped checkpoint."""
    figures: Figures = json.loads((CHECKPOINTS / f"{model}{suffix}").read_text())
    return figures


def evaluation_table(model: str, rows: Callable[[Figures], Table]) -> str:
    """Return a table of a model's evaluation as Markdown."""
    return markdown_table(*rows(stored(model)))


def word_tables(model: str) -> str:
    """Return a model's word errors as Markdown, a table for each group."""
    words = stored(model, ".words.json")
    parts = []
    for name, group in words["groups"].items():
        parts += [
            f"{name}, {group['clips']} clips, {group['words']} words:",
            "",
            markdown_table(*word_rows(group)),
            "",
        ]
    return "\n".join(parts[:-1])


def file_rows() -> str:
    """Return what files of each model take and lose, as Markdown."""
    rows = []
    for model, figures in rate_distortion.FIGURES.read().items():
        row = next(row for row in figures["rows"] if row["name"] == f"scale {SCALE}")
        losses = (f"{100 * row[loss]:.1f} %" for loss in ("l2_loss", "l1_loss", "l1_loss_worst"))
        sizes = (str(row["bits"]), f"{row['ratio']:.0f}", f"{row['ratio_worst']:.0f}")
        rows.append([model, *sizes, *losses])
    head = ["Model", "Bits/s", "Ratio", "Ratio, worst clip", "L2 lost", "L1 lost"]
    return markdown_table([*head, "L1 lost, worst clip"], rows)


def opinion_rows() -> str:
    """Return bits and opinions of files of each model and of their rivals, as Markdown."""
    rows = []
    for model, figures in rate_distortion.FIGURES.read().items():
        for row in [*figures["rows"], *figures.get("rivals", ())]:
            if "opinion" not in row or row.get("mode") == "lossless":
                continue
            name = row["name"] if "quality" not in row else f"events, {_way(row)}"
            shares = (f"{row[share]:.2f}" for share in ("sound_l2", "sound_l1"))
            heard = (*shares, f"{row['log_mel']:.1f}", f"{row['opinion']:.2f}")
            seconds = f"{row['seconds']:.2f}" if "seconds" in row else ""
            rows.append([f"{model}: {name}", str(row["bits"]), *heard, seconds])
    head = ["Files", "Bits/s", "L2, as sound", "L1, as sound", "Log-mel, dB", "Opinion"]
    return markdown_table([*head, "CPU s to encode a second"], rows)


def _way(row: Figures) -> str:
    """Return the quality of a row, and how it was rounded."""
    return row["name"] if row["name"].startswith(row["quality"]) else f"sparse, {row['name']}"


OF_A_MODEL: dict[str, Callable[[Figures], Table]] = {
    "counts": lambda figures: count_rows(figures["all"], figures["counts"]),
    "sounds": lambda figures: comparison_rows(figures["all"], HEARD),
    "events": lambda figures: comparison_rows(figures["all"], FOUND),
    "groups": group_rows,
}


def table(name: str) -> str:
    """Return a table by its name, such as "music counts", "speech words", "scale costs" or "files".

    Raises: ValueError for a name that is unknown.
    """
    model, _, kind = name.partition(" ")
    if name == "files":
        return file_rows()
    if name == "opinions":
        return opinion_rows()
    if model == "scale" and kind in (of_scale := scale.tables(scale.FIGURES.read())):
        return of_scale[kind]
    if model in MODELS and kind == "words":
        return word_tables(model)
    if model in MODELS and kind in OF_A_MODEL:
        return evaluation_table(model, OF_A_MODEL[kind])
    kinds = ", ".join([*OF_A_MODEL, "words"])
    raise ValueError(
        f'no table is called {name!r}: give "files", "opinions", or {MODELS} with one of {kinds}'
    )


def with_tables(text: str) -> str:
    """Return a document with its tables in the place of those that it has.

    Raises: ValueError as `table`.
    """
    return BLOCK.sub(lambda match: f"{match[1]}{table(match[2])}\n{match[3]}", text)


def main(argv: list[str] | None = None) -> int:
    """Write the tables, or check them. Returns: the exit code."""
    parser = argparse.ArgumentParser(prog="experiments.measurements.write_tables")
    parser.add_argument("--check", action="store_true", help="name documents that differ")
    args = parser.parse_args(argv)
    differ = 0
    for document in DOCUMENTS:
        text = document.read_text()
        new = with_tables(text)
        if new != text:
            differ += 1
            print(document.relative_to(ROOT))
            if not args.check:
                document.write_text(new)
    return 1 if args.check and differ else 0


if __name__ == "__main__":
    sys.exit(main())
