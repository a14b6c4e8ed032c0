"""Events as parts of the sound of all, and how far these are from the events as they sound alone.

In the consistent sound of several events each has its own magnitudes and the phases of all, see
`SparseCodec.parts`. So a part has holes where louder events lie over it, and is another sound than
that of the event alone, which `sounds.event_sound` has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from experiments.sections import pictures
from experiments.sections.sounds import event_parts, events_of, packed
from report import Artifact, Data, Figure, Image, Prose, Sound, conjure
from report.article.components import Component
from report.artifacts.media import to_int16

if TYPE_CHECKING:  # PyTorch takes seconds to import
    from sparse_codec import SparseCodec

DOT = "#c8553d"


@conjure
def split(events: Artifact, seconds: float, codec: SparseCodec) -> dict[str, Sound | Data]:
    """Each event's part of the sound of all, see `sounds.packed`, and a "comparison" of them.

    A part is stored without the silence at both ends. The comparison has for each event

    lead: samples by which its part begins ahead of it.
    apart: energy of the difference to the event as it sounds alone, within the clip and after the
        best gain, in dB of the part's.
    """
    event_set, sounds, rows = events_of(events), [], []
    parts = event_parts(event_set, codec)
    pairs = zip(parts, event_set.onsets.tolist(), codec.render(event_set), strict=True)
    for part, onset, alone in pairs:
        start, samples = _without_silence(*part)
        sounds.append(samples)
        first = min(start, onset)
        together, by_itself = (
            np.concatenate([np.zeros(begin - first), values])
            for begin, values in ((start, samples), (onset, to_int16(alone)[0]))
        )
        within = by_itself[: event_set.n_samples - first]
        rows.append({"lead": onset - start, "apart": difference(together, within)})
    return {**packed(sounds, codec.samplerate, seconds), "comparison": Data(rows)}


def difference(part: np.ndarray, alone: np.ndarray) -> float:
    """Return the energy of the difference of two sounds, in dB of the first one's.

    The second is scaled so that least is left. A step of 16 bits is added to both energies, so that
    silence has a level.
    """
    length = max(len(part), len(alone))
    part, alone = (np.pad(line, (0, length - len(line))) for line in (part, alone))
    gain = part @ alone / max(1.0, alone @ alone)
    left = part - gain * alone
    return float(10 * np.log10((left @ left + 1) / (part @ part + 1)))


def parts_section(comparisons: list[Artifact]) -> list[Component]:
    """How far the parts of a page's examples are from the events alone, or nothing."""
    decibels = [value for comparison in comparisons for value in decibels_apart(comparison)]
    if not decibels:
        return []
    low, middle, high = (f"{level:.0f}" for level in np.quantile(decibels, [0.1, 0.5, 0.9]))
    text = (
        "An event's part of the sound is not the event alone. What differs after the best gain has"
        f" {middle} dB of the part's energy for the middle one of {len(decibels)} events, and"
        f" between {low} and {high} dB for eight in ten."
    )
    caption = "How far each event's part of the sound is from the event as it sounds alone."
    return [Prose(text), Image(apart_figure(comparisons), caption)]


@conjure
def apart_figure(comparisons: list[Artifact]) -> Figure:
    """A row of dots for each example, a dot for each event: how far its two sounds are apart."""
    from matplotlib.figure import Figure as Canvas

    height = 1.0 + 0.36 * len(comparisons)
    canvas = Canvas(figsize=(5.2, height), layout="constrained", facecolor="none")
    axes = canvas.add_subplot(
        xlabel="difference after the best gain, dB of the part", facecolor="none"
    )
    for row, values in enumerate(map(decibels_apart, comparisons)):
        axes.plot(values, np.full(len(values), row), "o", color=DOT, alpha=0.5, markersize=5)
    numbers = range(len(comparisons))
    axes.set_yticks(numbers, [f"Example {n + 1}" for n in numbers])
    axes.set_ylim(len(comparisons) - 0.5, -0.5)
    pictures.tone_down(axes)
    return Figure(canvas, "How far the events' parts are from the events alone, for each example")


def decibels_apart(comparison: Artifact) -> list[float]:
    """Return how far the two sounds of each event are apart, in dB."""
    return [row["apart"] for row in comparison.value]


def _without_silence(start: int, samples: np.ndarray) -> tuple[int, np.ndarray]:
    """Return a sound without the zeros at both ends, at least one sample, and where it begins."""
    sounding = np.flatnonzero(samples)
    if not len(sounding):
        return start, np.zeros(1, np.int16)
    return start + int(sounding[0]), samples[sounding[0] : sounding[-1] + 1]
