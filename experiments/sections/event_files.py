"""What files of events cost and what they keep, as the evaluation shows it: a curve, a table and what they say."""

from __future__ import annotations

import json

from experiments.measurements.rate_distortion import FIGURES
from experiments.sections import pictures
from report import Figure, Image, Prose, Table, conjure
from sparse_codec import SparseCodec
from sparse_codec.coding.event_file import SCALE
from sparse_codec.evaluation.waveform_codecs import WAVEFORM_CODECS

LINE, OTHERS = "#c8553d", "#8a6fb0"
PUBLISHED_RATIO = 2**16 / (32 * (32 + 1))  # samples of half a segment to the numbers of 32 events


def files_section(codec: SparseCodec, evaluation: dict) -> list:
    """The rate-distortion curve of a codec's `.events` files, or a line that it was not measured."""
    measured = json.loads(FIGURES.read_text()).values() if FIGURES.exists() else ()
    figures = next((f for f in measured if f["checkpoint"] == codec.digest), None)
    if figures is None:
        return [
            Prose(
                "No files were measured for this checkpoint: run `python -m experiments.measurements.rate_distortion`."
            )
        ]
    others = {
        name: evaluation["all"][name] for name in WAVEFORM_CODECS if name in evaluation["all"]
    }
    caption = "What a second takes in a file, and how far its sound is from the original; plain codecs beside it."
    return [Prose(_summary(figures)), Image(rate_curve(figures, others), caption), _table(figures)]


@conjure
def rate_curve(figures: dict, others: dict) -> Figure:
    """Log-mel distance of the sound against bits per second of the files."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(5.2, 3.2), layout="constrained", facecolor="none")
    axes = canvas.add_subplot(
        xlabel="bits per second", ylabel="log-mel distance, dB", facecolor="none"
    )
    bits, distances = zip(*((row["bits"], row["log_mel"]) for row in figures["rows"]), strict=True)
    axes.plot(bits, distances, "o-", color=LINE)
    axes.annotate(
        ".events files",
        (bits[-1], distances[-1]),
        (4, 6),
        textcoords="offset points",
        color=pictures.INK,
    )
    for name, means in others.items():
        point = means["bits_per_second"], means["log_mel"]
        axes.plot(*point, "o", color=OTHERS)
        axes.annotate(
            name, point, (-8, -4), textcoords="offset points", ha="right", color=pictures.INK
        )
    axes.set_xscale("log")
    axes.set_xticks(
        [300, 1000, 3000, 10_000, 30_000], ["300", "1,000", "3,000", "10,000", "30,000"]
    )
    axes.minorticks_off()
    axes.set_ylim(0, 24)
    pictures.tone_down(axes)
    return Figure(
        canvas,
        "The distance of the sound against the bits per second of files of events and of plain codecs",
    )


def _summary(figures: dict) -> str:
    row = next(row for row in figures["rows"] if row["scale"] == SCALE)
    l2, l1 = (f"{100 * row[loss]:.1f} %" for loss in ("l2_loss", "l1_loss"))
    return (
        "Events are stored in `.events` files, their numbers rounded and entropy-coded."
        f" {len(figures['clips'])} held-out clips of {figures['seconds']} seconds take {row['bits']:,} bits a second as"
        f" files, header and all: {row['ratio']:.0f} to 1 against 16-bit PCM, and {row['ratio_worst']:.0f} to 1 for the"
        f" clip that compresses least. That costs {l2} of the L2 and {l1} of the L1 that the events remove. The ratio"
        f" published for this kind of codec, {PUBLISHED_RATIO:.0f} to 1, counts numbers before any coding: the samples"
        " of half a segment, and the numbers of 32 events."
    )


def _table(figures: dict) -> Table:
    rows = [
        [
            row["name"],
            f"{row['bits']:,}",
            f"{row['ratio']:.0f}",
            *(f"{row[order]:.2f}" for order in ("l2", "l1")),
            *(f"{100 * row[loss]:.1f} %" for loss in ("l2_loss", "l1_loss")),
            f"{row['log_mel']:.1f}",
        ]
        for row in figures["rows"]
    ]
    headers = ["File", "Bits/s", "PCM to 1", "L2", "L1", "L2 lost", "L1 lost", "Log-mel, dB"]
    caption = (
        f"Files of the same {len(figures['clips'])} clips by how coarsely numbers are rounded, and at given rates;"
        " what is lost is relative to the events before rounding. The plain codecs above coded the shorter segments."
    )
    return Table(headers, rows, caption)
