"""The tables of the article "What we tried"."""

from __future__ import annotations

import json
from pathlib import Path

from experiments.encoding_options import FIGURES as OPTION_FIGURES
from report import ReportError, Table
from sparse_codec import SparseCodec


def read_figures(path: Path) -> dict:
    """Raises: ReportError that names the command which makes the file."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ReportError(f"{path}: {error}; run python -m experiments.{path.stem}") from error


def ablation_table(figures: dict, switches: dict, published: str) -> Table:
    """One row a switch: what was changed, how far training came, and what the model then removes."""
    rows = []
    for name in [n for n in (*switches, published) if n in figures["runs"]]:
        run = figures["runs"][name]
        changed = "paper.toml: encoder, decoder, loss and loop as published" if name == published else switches[name][0]
        shares = [f"{x:.2f}" for kind in ("greedy", "refined", "sound") for x in run[kind]]
        rows.append([name, changed, str(run["steps"]), *shares, f"{run['log_mel']:.1f}", f"{run['seconds']:.1f}"])
    heads = [f"{kind} {order}" for kind in ("Greedy", "Refined", "Sound") for order in ("L2", "L1")]
    headers = ["Switch", "What is changed", "Steps", *heads, "Log-mel, dB", "Seconds"]
    return Table(headers, rows, f"Models after {figures['minutes']} minutes of training each.")


def encoding_table() -> Table:
    """One row a set of options of the shipped model.

    Raises: ReportError if the figures are of another checkpoint.
    """
    figures = read_figures(OPTION_FIGURES)
    if figures["checkpoint"] != SparseCodec.load("music").digest:
        raise ReportError(f"{OPTION_FIGURES}: of another checkpoint; run python -m experiments.encoding_options")
    rows = [
        [name, f"{row['l2']:.3f}", f"{row['l1']:.3f}", f"{row['events']:.0f}", f"{row['seconds']:.1f}"]
        for name, row in figures["rows"].items()
    ]
    caption = f"Shares removed from {figures['segments']} segments, events used, and seconds a segment on one core."
    return Table(["Options", "L2", "L1", "Events", "Seconds"], rows, caption)
