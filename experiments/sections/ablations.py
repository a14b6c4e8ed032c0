"""The tables, curves and comparisons of the article "What we tried", from stored figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from experiments.clips import Clip
from experiments.measurements import rows as measured
from experiments.measurements.rows import EFFORT_ROWS, PUBLISHED, SWITCHES
from experiments.sections import pictures, sounds
from experiments.sections.examples import source
from experiments.stored_figures import FigureFile, Figures
from report import Compare, Figure, Table, conjure
from sparse_codec.checkpoint import describe_checkpoint

if TYPE_CHECKING:
    from sparse_codec import SparseCodec

COLOURS = {"harmonic": "#c8553d", "recurrent": "#3d7dc8"}  # of the decoders' curves
MEASURED = (  # by `experiments.measurements.switches.measure`, of a model
    *("Greedy L2", "Greedy L1", "Refined L2", "Refined L1", "Sound L2", "Sound L1"),
    *("Log-mel, dB", "Seconds"),
)


def ablation_table(figures: Figures) -> Table:
    """One row a switch: the change, how far training came, and what the model then removes."""
    changes = {name: change for name, (change, _) in SWITCHES.items()}
    changes[PUBLISHED] = "paper.toml: encoder, decoder, loss and loop as published"
    rows = []
    for name, change in changes.items():
        if name in figures["runs"]:
            run = figures["runs"][name]
            rows.append([name, change, str(run["steps"]), *_measured(run)])
    headers = ["Switch", "What is changed", "Steps", *MEASURED]
    return Table(headers, rows, f"Models after {figures['minutes']} minutes of training each.")


def _measured(run: Figures) -> list[str]:
    shares = [f"{x:.2f}" for kind in ("greedy", "refined", "sound") for x in run[kind]]
    return [*shares, f"{run['log_mel']:.1f}", f"{run['seconds']:.1f}"]


def encoding_table() -> Table:
    """One row a set of options of the shipped model.

    Raises: ReportError if the figures are of another checkpoint.
    """
    figures = FigureFile.of("encoding_options").read_of(describe_checkpoint("music"))
    rows = []
    for name, row in figures["rows"].items():
        shares = [f"{row['l2']:.3f}", f"{row['l1']:.3f}"]
        rows.append([name, *shares, f"{row['events']:.0f}", f"{row['seconds']:.1f}"])
    caption = (
        f"Shares removed from {figures['segments']} segments, events used, and seconds a segment on"
        " one core."
    )
    return Table(["Options", "L2", "L1", "Events", "Seconds"], rows, caption)


def sound_table(figures: Figures) -> Table:
    """One row a way to make sound of the same events, means over the segments."""
    rows = [
        [way, f"{row['sound_l2']:.3f}", f"{row['sound_l1']:.3f}"]
        + [f"{row['distance']:.2f}", f"{row['log_mel']:.2f}"]
        + [f"{row['opinion']:.2f}", f"{row['level']:+.1f}"]
        for way, row in measured.means(figures).items()
    ]
    headers = ["Sound of the same events", "L2", "L1", "Distance, dB", "Log-mel, dB", "Opinion"]
    caption = f"Means over {len(figures['segments'])} segments; the level is relative to theirs."
    return Table([*headers, "Level, dB"], rows, caption)


def phase_table(figures: Figures) -> Table:
    """One row a segment: opinions of its plain sum and of its consistent sound, and the lowest and
    highest of the latter for other phases at the onsets.
    """
    consistent, rows = f"consistent, {figures['steps']} steps", []
    for name, segment in sorted(figures["segments"].items()):
        ways, draws = segment["ways"], segment["opinions of other phases"]
        opinions = [
            f"{ways[way]['opinion']:.2f}" for way in (measured.FIRST, measured.PLAIN, consistent)
        ]
        rows.append([name, *opinions, f"{min(draws):.2f} to {max(draws):.2f}"])
    headers = ["Opinion of", "First version", "Plain sum", "Consistent", "with other phases"]
    draws = measured.DRAWS
    return Table(headers, rows, f"Opinions of each segment; the other phases are {draws} draws.")


def further_table(figures: Figures) -> Table:
    """One row a way to look further, means over the segments; onsets of those with labels."""
    rows = []
    for way, row in measured.means_of(list(figures["segments"].values())).items():
        shares = (f"{row[name]:.3f}" for name in ("l2", "l1", "sound_l2", "sound_l1"))
        heard = (f"{row['log_mel']:.2f}", f"{row['opinion']:.2f}", f"{row['onset_f']:.2f}")
        rows.append([way, *shares, *heard, f"{row['seconds']:.1f}"])
    headers = ["Way", "L2", "L1", "L2, sound", "L1, sound", "Log-mel, dB", "Opinion", "Onsets"]
    caption = (
        f"Means over {len(figures['segments'])} segments, one of each group; CPU seconds of one"
        " segment, of the further steps alone where there are such."
    )
    return Table([*headers, "Seconds"], rows, caption)


def exchange_table(figures: Figures) -> Table:
    """One row a group: opinions of the ways to make the sound of the high point."""
    ways = list(next(iter(figures.values())))
    means = {way: float(np.mean([group[way] for group in figures.values()])) for way in ways}
    rows = [
        [name, *(f"{opinions[way]:.2f}" for way in ways)]
        for name, opinions in {**figures, "mean": means}.items()
    ]
    return Table(["Group", *ways], rows, "Opinions (Zimtohrli) of one segment of each group.")


def speech_table(figures: Figures) -> Table:
    """One row a number of events: the intelligibility of each group's speech."""
    estoi = figures["estoi"]
    groups = list(next(iter(estoi.values())))
    rows = [[n, *(f"{by_group[group]:.3f}" for group in groups)] for n, by_group in estoi.items()]
    caption = f"ESTOI of {figures['clips']} clips in files of {figures['rate']} bits a second."
    return Table(["Events of a window, at most", *groups], rows, caption)


@conjure
def effort_curve(figures: Figures) -> Figure:
    """The three efforts as points of one curve: shares removed against seconds a segment."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(5.2, 2.6), layout="constrained", facecolor="none")
    rows = {name: figures["rows"][row] for name, row in EFFORT_ROWS.items()}
    for place, order in enumerate(("l2", "l1"), start=1):
        label = f"share of {order.upper()} removed"
        axes = canvas.add_subplot(
            1, 2, place, xlabel="seconds a segment", ylabel=label, facecolor="none"
        )
        seconds = [row["seconds"] for row in rows.values()]
        shares = [row[order] for row in rows.values()]
        axes.plot(seconds, shares, "o-", color=COLOURS["harmonic"], markersize=5)
        for name, x, y in zip(rows, seconds, shares, strict=True):
            axes.annotate(name, (x, y), (5, -11), textcoords="offset points", color=pictures.INK)
        axes.set_xlim(0, 1.35 * max(seconds))
        axes.margins(y=0.2)
        pictures.tone_down(axes)
    points = ", ".join(f"{name} {row['seconds']:.1f} s" for name, row in rows.items())
    return Figure(canvas, f"The shares of L2 and of L1 removed, by seconds a segment: {points}")


# ---- the second decoder


def decoder_table(figures: Figures) -> Table:
    """One column a decoder: its size, how far training came, and what the model then removes."""
    columns = {}
    for kind, run in figures["decoders"].items():
        parameters, minutes = f"{run['parameters'] / 1e6:.2f}", f"{60 * run['hours']:.0f}"
        columns[kind] = [parameters, minutes, str(run["steps"]), *_measured(run)]
    names = ["Parameters, millions", "Minutes until it was best", "Steps until then", *MEASURED]
    caption = (
        f"Two decoders after the same time of training, on {figures['segments']} held-out segments."
    )
    return _table_of_columns("Of a decoder", names, columns, caption)


def paces(runs: Figures) -> dict[str, float]:
    """Return the steps a minute of runs side by side, while the histories of both go on."""
    shared = min(run["history"][-1]["seconds"] for run in runs.values())
    steps = {}
    for kind, run in runs.items():
        times = [validation["seconds"] for validation in run["history"]]
        counts = [validation["step"] for validation in run["history"]]
        steps[kind] = np.interp(shared, times, counts)
    return {kind: 60 * n / shared for kind, n in steps.items()}


@conjure
def learning_curves(figures: Figures) -> Figure:
    """Shares of held-out energy removed against minutes of training, for each decoder."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(5.2, 2.8), layout="constrained", facecolor="none")
    for place, order in enumerate(("l2", "l1"), start=1):
        label = f"share of {order.upper()} removed"
        axes = canvas.add_subplot(
            1, 2, place, xlabel="minutes of training", ylabel=label, facecolor="none"
        )
        for kind, run in figures["decoders"].items():
            minutes = [validation["seconds"] / 60 for validation in run["history"]]
            shares = [validation[order] for validation in run["history"]]
            axes.plot(minutes, shares, "o-", color=COLOURS[kind], label=kind, markersize=4)
        axes.set_xlim(left=0)
        axes.legend(frameon=False, labelcolor=pictures.INK, loc="lower right")
        pictures.tone_down(axes)
    return Figure(
        canvas,
        "The shares of L2 and of L1 removed from held-out music, by minutes of training, of both",
    )


def reconstructions(clip: Clip, codecs: dict[str, SparseCodec]) -> Compare:
    """The coded half of a clip, and each codec's reconstruction of it, with their spectrograms."""
    first = next(iter(codecs.values()))
    sounds.begin_encoding([clip], *codecs.values())
    versions = {"Original, coded half": sounds.first_half(clip, first)}
    for label, codec in codecs.items():
        versions[label] = sounds.rendered(sounds.half_events(clip, codec), codec)
    title = f"{clip.title}: the coded half by either decoder."
    return Compare(title, pictures.versions(versions), source(clip))


# ---- time codes


def precision_table(figures: Figures) -> Table:
    """One column a code: how far from a time it may be, and how many bits it takes."""
    columns = {}
    for name, code in figures["codes"].items():
        errors = [_samples(code["samples_off"][length]) for length in ("segment", "10 h")]
        columns[name] = [*errors, *(f"{code['bits'][kind]:.0f}" for kind in ("plain", "coded"))]
    names = ["Off by, in a segment", "Off by, in ten hours", "Bits, plain", "Bits, coded"]
    caption = "Largest error in samples; bits an event."
    return _table_of_columns("Of a code", names, columns, caption)


def recovery_table(figures: Figures) -> Table:
    """One column a code: the share of events that come back, and after how many steps.

    There is a row for each error at the start.
    """
    columns = {}
    for name, code in figures["codes"].items():
        columns[name] = [_recovered(recovery) for recovery in code["recovery"]]
    caption = (
        f"Of {figures['events']} events that start so many frames off, the share within half a"
        f" frame of its time after {figures['steps']} steps; in brackets, the step from which half"
        " of these stay there."
    )
    errors = [f"{error:g}" for error in figures["errors"]]
    return _table_of_columns("Frames off", errors, columns, caption)


def _table_of_columns(
    corner: str, names: list[str], columns: dict[str, list[str]], caption: str
) -> Table:
    """A table from its columns and the names of its rows: short rows, for narrow pages."""
    rows = [list(row) for row in zip(names, *columns.values(), strict=True)]
    return Table([corner, *columns], rows, caption)


def _samples(error: float) -> str:
    return f"{error:.2g}" if error >= 0.001 else f"{error:.6f}"


def _recovered(recovery: Figures) -> str:
    share = f"{100 * recovery['found']:.0f} %"
    return f"{share} ({recovery['steps']})" if recovery["steps"] else share
