"""The evaluation section: stored figures of a checkpoint, and a part of them measured again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from experiments.clips import Clip
from experiments.sections import pictures, sounds
from experiments.sections.event_files import files_section, verdict
from experiments.stored_figures import Figures
from report import Figure, Fold, Image, Prose, ReportError, Table, conjure
from report.article.components import Component
from sparse_codec.evaluation.tables import comparison_rows, count_rows, many_atoms, word_rows
from sparse_codec.evaluation.variations import VARIATIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sparse_codec import SparseCodec

AGREEMENT = 0.02  # how far a share that is measured again may be from the stored one
EXAMPLES = "examples"  # the manifest's group of the clips that are shipped
LINES = {"codec": "#c8553d", "matching pursuit": "#3d7dc8"}
AS_SOUND = (
    *("sound_l2", "sound_l1", "gap_l2", "gap_l1", "distance", "log_mel", "opinion", "estoi"),
)
AT_WINDOWS = ("sound_l2_1024", "sound_l1_1024", "sound_l2", "sound_l1") + (
    *("sound_l2_4096", "sound_l1_4096"),
)
AS_EVENTS = ("onset_f", "redundancy", "crowd", "harmful", "bits_per_second", "seconds")
MANY_ATOMS = "matching pursuit, many"  # the one with most atoms, whose name has their number
DEFINITIONS = r"""
All figures are of recordings that were not trained on; a manifest names their files by hash, and
the places of the segments. Removed is the share that is gone from the magnitude spectrogram $X$ of
the coded half, with $R_N$ what is left after $N$ events:

$$L_p(N) = 1 - \frac{\lVert R_N \rVert_p^p}{\lVert X \rVert_p^p}, \qquad p = 1, 2 .$$

Every segment is brought to peak 1, written as events, stored, read back and decoded. Beside the
codec stand matching pursuit, in the same transform with damped partials as atoms, and plain codecs
at their lowest rates.
"""
METHODS = (  # those that are shown, in this order
    "codec",
    "codec, plain sum",
    "codec, greedy",
    "matching pursuit",
    "orthogonal matching pursuit",
    MANY_ATOMS,
    "Opus, 6 kb/s",
    "Vorbis, lowest",
    "MP3, lowest",
    "silence",
)


def evaluation_section(
    evaluation: Figures | None, clips: list[Clip], codec: SparseCodec, shipped: bool
) -> list[Component]:
    """The verdict on the held-out figures, with all of them folded below it.

    A line says so where there are none for this checkpoint.

    shipped: model and clips are the shipped ones, whose figures are measured again.
    """
    if evaluation is None or not evaluation["all"]["segments"]:
        return [
            Prose(
                "No held-out figures were measured for this checkpoint: run"
                " `python -m sparse_codec evaluate`."
            )
        ]
    everything = evaluation["all"]
    names = [many_atoms(everything) if name == MANY_ATOMS else name for name in METHODS]
    methods = {name: everything[name] for name in names if name in everything}
    again = [_measured_again(evaluation, clips, codec)] if shipped else []
    return [
        *verdict(codec, methods),
        Fold(
            "All figures: sound, events, files and kinds of sound",
            [
                Prose(DEFINITIONS),
                *again,
                *_tables(evaluation, methods),
                *files_section(codec),
                _group_shares(evaluation),
                _group_distances(evaluation),
                *_onset_table(evaluation),
                Prose(_terms(everything)),
            ],
        ),
    ]


def _tables(evaluation: Figures, methods: Figures) -> list[Component]:
    """The figures of all held-out segments by method."""
    n_segments = evaluation["all"]["segments"]
    return [
        Table(
            *count_rows(methods, evaluation["counts"]),
            f"Shares removed from {n_segments} held-out segments.",
        ),
        Image(
            share_curve(evaluation),
            "What is gone from the held-out segments, by number of events or atoms.",
        ),
        Table(
            *comparison_rows(methods, AS_SOUND),
            f"The sound of the same {n_segments} segments; terms are below.",
        ),
        Table(
            *comparison_rows(methods, AT_WINDOWS),
            "The shares as sound by transforms of three windows, in samples; 2048 has no number.",
        ),
        Table(
            *comparison_rows(methods, AS_EVENTS),
            "Their events or atoms, rates, and seconds a segment in one thread.",
        ),
    ]


@conjure
def share_curve(evaluation: Figures) -> Figure:
    """Shares of L2 and L1 against the number of events."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(5.2, 3.2), layout="constrained", facecolor="none")
    counts = evaluation["counts"]
    for place, order in enumerate(("l2", "l1"), start=1):
        axes = canvas.add_subplot(
            1, 2, place, xlabel="events or atoms", ylabel=f"share of {order.upper()} removed"
        )
        axes.set_facecolor("none")
        for name, colour in LINES.items():
            axes.plot(counts, evaluation["all"][name][order], "o-", color=colour, label=name)
        axes.set_xscale("log", base=2)
        axes.set_xticks(counts, counts)
        axes.set_ylim(0, 1)
        _legend(axes)
    return Figure(
        canvas,
        "The shares of L2 and of L1 that codec and matching pursuit remove, by number of events",
    )


def _legend(axes: Axes) -> None:
    pictures.tone_down(axes)
    axes.legend(frameon=False, labelcolor=pictures.INK, fontsize=9)


def _group_shares(evaluation: Figures) -> Table:
    rows = []
    for name, group in evaluation["groups"].items():
        codec, pursuit = group["codec"], group[many_atoms(group)]
        shares = [
            _all_removed(means, order) for means in (codec, pursuit) for order in ("l2", "l1")
        ]
        shares += [codec["sound_l2"], codec["sound_l1"]]
        cells = [f"{share:.2f}" for share in shares]
        rows.append([_label(name, evaluation), str(group["segments"]), *cells])
    headers = [
        *("Group", "Segments", "L2", "L1"),
        *("Pursuit, L2", "Pursuit, L1", "Sound, L2", "Sound, L1"),
    ]
    caption = (
        "Each group alone: shares removed by all events, and by matching pursuit with four times as"
        " many atoms."
        " Groups in brackets are not part of the means above: other kinds of sound, and this page's"
        " examples."
    )
    return Table(headers, rows, caption)


def _all_removed(means: Figures, order: str) -> float:
    """Return the share that all events of a method remove."""
    return means[order][-1] if order in means else means[f"{order}_all"]


def _group_distances(evaluation: Figures) -> Table:
    pursuit = many_atoms(evaluation["all"])
    methods = {"codec": "codec", pursuit: "pursuit", "Opus, 6 kb/s": "Opus"}
    distances = {"distance": "Distance", "log_mel": "Log-mel"}
    rows = []
    for name, group in evaluation["groups"].items():
        cells = [f"{group[method][key]:.1f}" for key in distances for method in methods]
        rows.append([_label(name, evaluation), *cells])
    names = [f"{distance}, {who}" for distance in distances.values() for who in methods.values()]
    caption = (
        "Each group alone: distances of the sound in dB; pursuit has four times as many atoms."
    )
    return Table(["Group", *names], rows, caption)


def _label(group: str, evaluation: Figures) -> str:
    return f"({group})" if group in evaluation["foreign"] else group


def _onset_table(evaluation: Figures) -> list[Table]:
    """One table, or none where no group has labels."""
    methods = ("codec", "matching pursuit", "random times, 16")
    rows = []
    for name, group in evaluation["groups"].items():
        if "onset_f" in group["codec"]:
            agree = [f"{group[m]['onset_f']:.2f}" if "onset_f" in group[m] else "" for m in methods]
            crowd = [f"{group['codec']['redundancy']:.2f}", f"{group['codec']['crowd']:.1f}"]
            rows.append([name, *agree, *crowd])
    headers = [
        *("Group", "Codec", "Matching pursuit", "Random times"),
        *("Shared onsets", "In one frame"),
    ]
    caption = (
        "Onsets: F-measure at 50 ms of the 16 strongest events' unique onsets against the labels';"
        " the share of events whose onset another one has; and the most events in one frame."
    )
    return [Table(headers, rows, caption)] if rows else []


def _terms(everything: Figures) -> str:
    """The terms of the tables, and how far each of VARIATIONS takes the sound."""
    distances = {name: everything[name]["distance_to_reconstruction"] for name in VARIATIONS}
    variations = ", ".join(f"{name} {distance:.1f} dB" for name, distance in distances.items())
    return (
        "*L2* and *L1 removed* are shares of the magnitude spectrogram; *as sound* they are"
        " measured on the rendered sound, whose phases are not the original's. *Distance* is the"
        " log-spectral distance (windows of 512 to 4,096 samples, floor 80 dB below the peak)."
        " The *gap* is what lies between shares removed by the events' spectrograms and by their"
        " sound, in the codec's own transform; the *plain sum* adds the events' sounds up, each"
        " with phases of its own. *Opinion* is the score from 1 to 5 that Zimtohrli predicts."
        " *Harmful* is the mean number of events that add energy, to the frames that they are"
        " fitted on, when taken off in order. Bits of events are 32 for each number, before any"
        " coding; what files of them take"
        " stands above. The rates of the other codecs are those of their files. *Greedy* is the"
        " codec without refinement.\n\n"
        "How far a change of the events takes the sound, as a distance to the reconstruction:"
        f" {variations}."
    )


def _measured_again(evaluation: Figures, clips: list[Clip], codec: SparseCodec) -> Prose:
    """The shares of the shipped clips, by this build and by the stored evaluation.

    Raises: ReportError if they differ: the stored figures are then not of this code and checkpoint.
    """
    again = [sounds.evaluated_shares(clip, codec) for clip in clips]
    stored = evaluation["groups"].get(EXAMPLES)
    if stored is None:
        return Prose("")
    now = np.mean([shares.value for shares in again], axis=0)
    then = [stored["codec"][order][-1] for order in ("l2", "l1")]
    if np.abs(now - then).max() > AGREEMENT:
        raise ReportError(
            f"the examples' shares are {now.round(3)} now and {then} in the stored evaluation:"
            " measure it again with python -m sparse_codec evaluate"
        )
    return Prose(
        "These figures were stored with the checkpoint. This build measured the"
        f" {len(clips)} examples below again: {now[0]:.3f} of L2 and {now[1]:.3f} of L1 are gone,"
        f" where {then[0]:.3f} and {then[1]:.3f} are stored."
    )


def word_tables(words: Figures | None) -> list[Component]:
    """Word errors of a recogniser, as `sparse_codec words` stored them with the checkpoint."""
    if words is None:
        missing = "No word errors were measured for this checkpoint: run"
        return [Prose(f"{missing} `python -m sparse_codec words`.")]
    tables = []
    for name, group in words["groups"].items():
        caption = (
            f"{name}, {group['clips']} clips with {group['words']} words: word errors of"
            " PocketSphinx with the model it carries, with the interval that holds 95 % of"
            f" {words['draws']:,} drawings of clips; the same when all have the original above"
            f" {words['crossover'] / 1000:g} kHz, because the recogniser's model is of 16 kHz; and"
            " ESTOI, the extended short-time objective intelligibility."
        )
        tables.append(Table(*word_rows(group), caption))
    return [
        *tables,
        *(Prose(f"{name} was left out: {why}.") for name, why in words["skipped"].items()),
    ]
