"""The tables, curves and comparisons of the article "What we tried"."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from experiments.clips import Clip
from experiments.measurements.encoding_options import FIGURES as OPTION_FIGURES
from experiments.sections import demos, pictures
from experiments.sections.examples import compare, source
from report import Artifact, Compare, Figure, ReportError, Table, conjure
from sparse_codec import SparseCodec

COLOURS = {"harmonic": "#c8553d", "recurrent": "#3d7dc8"}  # of the decoders' curves

MEASURED = [f"{kind} {order}" for kind in ("Greedy", "Refined", "Sound") for order in ("L2", "L1")]
MEASURED += [
    "Log-mel, dB",
    "Seconds",
]  # what `experiments.measurements.switches.measure` says of a model


def read_figures(path: Path) -> dict:
    """Raises: ReportError that names the command which makes the file."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ReportError(
            f"{path}: {error}; run python -m experiments.measurements.{path.stem}"
        ) from error


def figures_of(codec: SparseCodec, path: Path) -> dict:
    """Figures of a checkpoint. Raises: ReportError if they were measured with another one."""
    figures = read_figures(path)
    check_measured(figures, codec, path)
    return figures


def check_measured(figures: dict, codec: SparseCodec, path: Path) -> None:
    """Raises: ReportError if figures from a file are not of this codec."""
    if figures["checkpoint"] != codec.digest:
        raise ReportError(
            f"{path}: of another checkpoint; run python -m experiments.measurements.{path.stem}"
        )


def ablation_table(figures: dict, switches: dict, published: str) -> Table:
    """One row a switch: what was changed, how far training came, and what the model then removes."""
    rows = []
    for name in [n for n in (*switches, published) if n in figures["runs"]]:
        run = figures["runs"][name]
        changed = (
            "paper.toml: encoder, decoder, loss and loop as published"
            if name == published
            else switches[name][0]
        )
        rows.append([name, changed, str(run["steps"]), *_measured(run)])
    headers = ["Switch", "What is changed", "Steps", *MEASURED]
    return Table(headers, rows, f"Models after {figures['minutes']} minutes of training each.")


def _measured(run: dict) -> list[str]:
    shares = [f"{x:.2f}" for kind in ("greedy", "refined", "sound") for x in run[kind]]
    return [*shares, f"{run['log_mel']:.1f}", f"{run['seconds']:.1f}"]


def encoding_table() -> Table:
    """One row a set of options of the shipped model.

    Raises: ReportError if the figures are of another checkpoint.
    """
    figures = figures_of(SparseCodec.load("music"), OPTION_FIGURES)
    rows = [
        [
            name,
            f"{row['l2']:.3f}",
            f"{row['l1']:.3f}",
            f"{row['events']:.0f}",
            f"{row['seconds']:.1f}",
        ]
        for name, row in figures["rows"].items()
    ]
    caption = f"Shares removed from {figures['segments']} segments, events used, and seconds a segment on one core."
    return Table(["Options", "L2", "L1", "Events", "Seconds"], rows, caption)


# ---- the second decoder


def decoder_table(figures: dict) -> Table:
    """One column a decoder: its size, how far training came, and what the model then removes."""
    columns = {
        kind: [
            f"{run['parameters'] / 1e6:.2f}",
            f"{60 * run['hours']:.0f}",
            str(run["steps"]),
            *_measured(run),
        ]
        for kind, run in figures["decoders"].items()
    }
    names = ["Parameters, millions", "Minutes until it was best", "Steps until then", *MEASURED]
    caption = (
        f"Two decoders after the same time of training, on {figures['segments']} held-out segments."
    )
    return _columns(names, columns, caption)


def paces(runs: dict) -> dict[str, float]:
    """Steps a minute of runs side by side, over the time for which both histories are known."""
    shared = min(run["history"][-1]["seconds"] for run in runs.values())
    steps = {
        kind: np.interp(
            shared, *zip(*((v["seconds"], v["step"]) for v in run["history"]), strict=True)
        )
        for kind, run in runs.items()
    }
    return {kind: 60 * n / shared for kind, n in steps.items()}


@conjure
def learning_curves(figures: dict) -> Figure:
    """Shares of held-out energy removed against minutes of training, for each decoder."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(5.2, 2.8), layout="constrained", facecolor="none")
    for place, order in enumerate(("l2", "l1"), start=1):
        label = f"share of {order.upper()} removed"
        axes = canvas.add_subplot(
            1, 2, place, xlabel="minutes of training", ylabel=label, facecolor="none"
        )
        for kind, run in figures["decoders"].items():
            points = [(validated["seconds"] / 60, validated[order]) for validated in run["history"]]
            axes.plot(
                *zip(*points, strict=True), "o-", color=COLOURS[kind], label=kind, markersize=4
            )
        axes.set_xlim(left=0)
        axes.legend(frameon=False, labelcolor=pictures.INK, loc="lower right")
        pictures.tone_down(axes)
    return Figure(
        canvas,
        "The shares of L2 and of L1 removed from held-out music, by minutes of training, of both",
    )


def reconstructions(clip: Clip, codecs: dict[str, SparseCodec]) -> Compare:
    """The coded half of a clip, and what each codec makes of it, with their spectrograms."""
    first = next(iter(codecs.values()))
    sounds = {"Original, coded half": demos.first_half(clip, first)}
    sounds |= {
        label: demos.rendered(first_events(clip, codec), codec) for label, codec in codecs.items()
    }
    return compare(f"{clip.title}: the coded half by either decoder.", sounds, source(clip))


def first_events(clip: Clip, codec: SparseCodec) -> Artifact:
    """The events of a clip's coded half."""
    return demos.event_data(demos.encoded(clip, codec), "first half")


# ---- time codes


def precision_table(figures: dict) -> Table:
    """One column a code: how far from a time it may be, and how many bits it takes."""
    columns = {
        name: [
            *(_samples(code["samples_off"][where]) for where in ("segment", "10 h")),
            *(f"{code['bits'][how]:.0f}" for how in ("plain", "coded")),
        ]
        for name, code in figures["codes"].items()
    }
    names = ["Off by, in a segment", "Off by, in ten hours", "Bits, plain", "Bits, coded"]
    return _columns(names, columns, "Largest error in samples; bits an event.")


def recovery_table(figures: dict) -> Table:
    """One column a code: the share of events that come back, for each error at the start, and after how many steps."""
    columns = {
        name: [_recovered(r) for r in code["recovery"]] for name, code in figures["codes"].items()
    }
    caption = (
        f"Of {figures['events']} events that start so many frames off, the share within half a frame of its time after"
        f" {figures['steps']} steps; in brackets, the step from which half of these stay there."
    )
    return _columns([f"{error:g}" for error in figures["errors"]], columns, caption, "Frames off")


def _columns(
    names: list[str], columns: dict[str, list[str]], caption: str, corner: str = ""
) -> Table:
    """A table whose columns are named: short rows for narrow pages."""
    rows = [list(row) for row in zip(names, *columns.values(), strict=True)]
    return Table([corner, *columns], rows, caption)


def _samples(error: float) -> str:
    return f"{error:.2g}" if error >= 0.001 else f"{error:.6f}"


def _recovered(recovery: dict) -> str:
    share = f"{100 * recovery['found']:.0f} %"
    return f"{share} ({recovery['steps']})" if recovery["steps"] else share
