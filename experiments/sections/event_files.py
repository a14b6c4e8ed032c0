"""Files of events in the evaluation: their size and quality as a text, a curve and a table."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from experiments.sections import pictures
from experiments.stored_figures import FigureFile, Figures
from report import Figure, Image, Prose, Table, conjure
from report.article.components import Component
from sparse_codec.coding.event_file import SCALE
from sparse_codec.evaluation.waveform_codecs import WAVEFORM_CODECS

if TYPE_CHECKING:
    from sparse_codec import CodecConfig, SparseCodec

FIGURES = FigureFile.of("rate_distortion")
ATOM_NUMBERS = 4  # of a partial of matching pursuit: its frequency, time, decay and gain
MARKERS = "osD^vP*X"
LINE, OTHERS = "#c8553d", "#8a6fb0"
PUBLISHED_RATIO = 2**16 / (32 * (32 + 1))  # samples of half a segment to the numbers of 32 events


def verdict(codec: SparseCodec, methods: Figures) -> list[Component]:
    """One chart of all methods that have a rate, with a sentence.

    methods: name -> means over the held-out segments.
    """
    figures = _figures_of(codec)
    files = figures["rows"] if figures else []
    points = _points(methods, figures or {}, codec.config)
    caption = (
        "How far the sound is from the original, against what a second takes. Lower left is better."
        " Files are of whole clips, atoms of matching pursuit"
        + (" of segments." if "rivals" in (figures or {}) else " and plain codecs of segments.")
    )
    words = Prose(_verdict(files, points, methods))
    return [Image(rate_curve(files, [list(point) for point in points]), caption), words]


def _points(
    methods: Figures, figures: Figures, config: CodecConfig
) -> list[tuple[str, float, float]]:
    """Return name, bits a second and log-mel distance of all but files of events.

    Plain codecs that coded the clips of the files stand in the place of those that coded segments.
    """
    from sparse_codec.evaluation.measure import BITS  # here, since it imports PyTorch

    rivals = [(row["name"], row["bits"], row["log_mel"]) for row in figures.get("rivals", [])]
    known = {name for name, _, _ in rivals}
    points = []
    for name, means in methods.items():
        short = name.partition(",")[0]
        if atoms := re.fullmatch(r"matching pursuit(?:, (\d+))?", name):
            number = int(atoms[1] or config.n_events)
            bits = BITS * ATOM_NUMBERS * number * 2 * config.samplerate / config.segment_samples
            points.append((f"pursuit, {number} atoms", bits, means["log_mel"]))
        elif name in WAVEFORM_CODECS and short not in known:
            points.append((short, means["bits_per_second"], means["log_mel"]))
    return points + rivals


def _verdict(files: list[Figures], points: list[tuple[str, float, float]], methods: Figures) -> str:
    """Return the chart in plain words, and what a model of hearing says."""
    plain = {name.partition(",")[0]: name for name in WAVEFORM_CODECS if name in methods}
    lowest = {
        name: min((bits, far) for other, bits, far in points if other == name) for name in plain
    }
    words = []
    if files:
        row = next(row for row in files if row["name"] == f"scale {SCALE}")
        nearer = [name for name, (_, far) in lowest.items() if far < row["log_mel"]]
        clauses = {"nearer than": lowest.keys() - nearer, "not as near as": nearer}
        compared = [f"{how} {_rated(lowest, names)}" for how, names in clauses.items() if names]
        words = [
            f"A second of sound takes {row['bits'] / 1000:.1f} kilobits in a file of events, and"
            f" comes back {row['log_mel']:.1f} dB away from the original by a log-mel distance."
        ]
        words += [f"That is {', and '.join(compared)}."] if compared else []
    known = {"the codec": "codec", **plain}
    opinions = [
        f"{name} {methods[method]['opinion']:.1f}"
        for name, method in known.items()
        if "opinion" in methods.get(method, {})
    ]
    words += [f"A model of hearing gives, from 1 to 5, {', '.join(opinions)}."] if opinions else []
    return " ".join(words)


def _rated(lowest: dict[str, tuple[float, float]], names: Iterable[str]) -> str:
    """Return methods with their distance and rate, in the order of `lowest`."""
    rated = [
        f"{name} ({far:.1f} dB at {bits / 1000:.1f} kilobits)"
        for name, (bits, far) in lowest.items()
        if name in names
    ]
    return " and ".join([", ".join(rated[:-1]), *rated[-1:]] if rated[1:] else rated)


def files_section(codec: SparseCodec) -> list[Component]:
    """The sizes of a codec's `.events` files, or a line that none were measured."""
    figures = _figures_of(codec)
    if figures is None:
        return [Prose(f"No files were measured for this checkpoint: run `{FIGURES.command}`.")]
    return [Prose(_summary(figures)), *_opinions(figures), _table(figures)]


def _opinions(figures: Figures) -> list[Component]:
    """The curve of opinions with a sentence on it; nothing where no opinions were measured."""
    if not all("opinion" in row for row in figures["rows"]):
        return []
    caption = (
        "The opinion that Zimtohrli predicts, against what a second takes in a file, on the same"
        " clips: events at three points of quality, each rounded ever more coarsely, and Opus and"
        " MP3 at the rates that they have."
    )
    return [Image(opinion_curve(figures), caption), Prose(opinion_sentence(figures))]


def opinion_sentence(figures: Figures) -> str:
    """Return what the curve of opinions shows, in words."""
    points = []
    for quality in dict.fromkeys(row["quality"] for row in figures["rows"]):
        rows = [row for row in figures["rows"] if row["quality"] == quality]
        best = max(rows, key=lambda row: row["opinion"])
        points.append(f"{quality} {best['opinion']:.2f} at {best['bits']:,} bits a second")
    rivals = [f"{row['name']} {row['opinion']:.2f} at {row['bits']:,}" for row in figures["rivals"]]
    return (
        f"The best opinions of files of events are {'; '.join(points)}. Beside them:"
        f" {'; '.join(rivals)}."
    )


@conjure
def opinion_curve(figures: Figures) -> Figure:
    """Opinion against bits per second of files of events and of plain codecs."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(5.2, 3.2), layout="constrained", facecolor="none")
    axes = canvas.add_subplot(xlabel="bits per second", ylabel="opinion, 1 to 5", facecolor="none")
    curves = [(row["quality"], row, LINE) for row in figures["rows"] if row["mode"] != "lossless"]
    curves += [(row["name"], row, OTHERS) for row in figures["rivals"]]
    shapes = dict(zip(dict.fromkeys(name for name, _, _ in curves), MARKERS, strict=False))
    for name, shape in shapes.items():
        rows = sorted(((r["bits"], r["opinion"]) for n, r, _ in curves if n == name))
        colour = next(colour for n, _, colour in curves if n == name)
        axes.plot(*zip(*rows, strict=True), f"{shape}-", color=colour, label=name)
    axes.set_xscale("log")
    ticks = [300, 1000, 3000, 10_000]
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(1, 5)
    pictures.tone_down(axes)
    axes.legend(frameon=False, labelcolor=pictures.INK, fontsize=9, ncols=2)
    return Figure(canvas, "Opinion against bits per second of files of events, of Opus and of MP3")


def _figures_of(codec: SparseCodec) -> Figures | None:
    """Return the figures of a checkpoint, whatever its name was; None if it was not measured."""
    measured = FIGURES.read() if FIGURES.path.exists() else {}
    same = [figures for figures in measured.values() if figures["checkpoint"] == codec.digest]
    return same[0] if same else None


@conjure
def rate_curve(files: list[Figures], points: list[list[Any]]) -> Figure:
    """Log-mel distance against bits per second: files of events as a curve, others as points.

    points: [name, bits, distance] of each; those of one name are joined.
    """
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(5.6, 3.4), layout="constrained", facecolor="none")
    axes = canvas.add_subplot(
        xlabel="bits per second", ylabel="log-mel distance, dB", facecolor="none"
    )
    rows = [row for row in files if row.get("quality", "sparse") == "sparse"]
    curves = {"files of events": [(row["bits"], row["log_mel"]) for row in rows]} if rows else {}
    for name, *point in points:
        curves.setdefault(name, []).append(tuple(point))
    for name, places in curves.items():
        colour = LINE if rows and name == "files of events" else OTHERS
        places.sort()
        axes.plot(*zip(*places, strict=True), "o-", color=colour)
        axes.annotate(
            *(name, places[0], (7, 6)), textcoords="offset points", color=colour, fontsize=10
        )
    axes.set_xscale("log")
    ticks = [300, 1000, 3000, 10_000, 30_000]
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.set_xlim(200, 100_000)
    axes.minorticks_off()
    axes.set_ylim(0, 26)
    pictures.tone_down(axes)
    return Figure(
        canvas,
        "The distance of the sound against the bits per second, of files of events and of all other"
        " methods",
    )


def _summary(figures: Figures) -> str:
    row = next(row for row in figures["rows"] if row["name"] == f"scale {SCALE}")
    l2, l1 = (f"{100 * row[loss]:.1f} %" for loss in ("l2_loss", "l1_loss"))
    return (
        "Events are stored in `.events` files, their numbers rounded and entropy-coded."
        f" {len(figures['clips'])} held-out clips of {figures['seconds']} seconds take"
        f" {row['bits']:,} bits a second as files, header and all: {row['ratio']:.0f} to 1 against"
        f" 16-bit PCM, and {row['ratio_worst']:.0f} to 1 for the clip that compresses least. That"
        f" costs {l2} of the L2 and {l1} of the L1 that the events remove. The ratio published for"
        f" this kind of codec, {PUBLISHED_RATIO:.0f} to 1, counts numbers before any coding: the"
        " samples of half a segment, and the numbers of 32 events."
    )


def _table(figures: Figures) -> Table:
    rows = []
    for row in figures["rows"]:
        shares = [f"{row[order]:.2f}" for order in ("l2", "l1")]
        losses = [f"{100 * row[loss]:.1f} %" for loss in ("l2_loss", "l1_loss")]
        sizes = [f"{row['bits']:,}", f"{row['ratio']:.0f}"]
        rows.append([row["name"], *sizes, *shares, *losses, f"{row['log_mel']:.1f}"])
    headers = ["File", "Bits/s", "PCM to 1", "L2", "L1", "L2 lost", "L1 lost", "Log-mel, dB"]
    caption = (
        f"Files of the same {len(figures['clips'])} clips by how coarsely numbers are rounded, and"
        " at given rates; what is lost is relative to the events before rounding."
    )
    return Table(headers, rows, caption)
