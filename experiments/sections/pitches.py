"""The pitches of a clip's events and of its notes, as the scale of its roll."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.scores import Note
from experiments.sections.event_names import NO_KEY, note_name
from experiments.sections.sounds import (
    DIRECTIONS,
    STEPS,
    events_of,
    steered_vectors,
    strongest,
    waveform,
)
from report import Artifact, Data, Picture, Scale, conjure
from sparse_codec import EventSet

if TYPE_CHECKING:
    from sparse_codec import SparseCodec

MARGIN = 2  # semitones above the highest and below the lowest pitch
NARROWEST = 16  # semitones that a scale has at least
STEPS_OF_NAMES = ((0,), (0, 7), (0, 4, 7), (0, 2, 4, 5, 7, 9, 11))  # keys of an octave with labels
FEWEST_NAMES = 4  # on an axis
ROWS, COLUMNS = 96, 320  # of the picture, at most: it lies faintly behind marks
WINDOW, HOP = 4096, 256  # samples, at least
QUIETEST = -60.0  # dB below the loudest, from which on the picture is white


@dataclass(frozen=True)
class Span:
    """The MIDI pitches from the lower to the upper end of a scale."""

    low: int
    high: int

    def height(self, key: float) -> float:
        """Return the place of a pitch on the scale, in 0..1; pitches beyond it are at its end."""
        return min(1.0, max(0.0, (key - self.low) / (self.high - self.low)))


@conjure
def heard(events: Artifact, codec: SparseCodec) -> Data:
    """The MIDI pitch of each event, -1 without a clear one, and the seconds that it sounds."""
    return Data([list(pair) for pair in zip(*sounds_of(events_of(events), codec), strict=True)])


@conjure
def steered_keys(events: Artifact, codec: SparseCodec) -> Data:
    """The pitches of the events that can be steered: a row for each direction, one for each step.

    They are by the number of the event, from 0, see `sounds.strongest`; a set of few events has
    none, for fewer events than directions span none.
    """
    event_set = events_of(events)
    steerable = strongest(event_set)
    if not steerable:
        return Data({})

    def keys(direction: int, step: int) -> list[int]:
        vectors = steered_vectors(event_set, direction, step)
        moved = dataclasses.replace(event_set, vectors=vectors)
        return sounds_of(moved.select(steerable), codec)[0]

    by_step = [[keys(direction, step) for step in STEPS] for direction in range(DIRECTIONS)]
    return Data(
        {
            str(event): [[step[i] for step in row] for row in by_step]
            for i, event in enumerate(steerable)
        }
    )


def places(keys: Any, span: Span) -> Any:
    """Return for each pitch in nested lists the part of a look that a scale adds."""
    if isinstance(keys, list):
        return [places(key, span) for key in keys]
    return {"height": height_of(keys, span), "value": note_name(keys)}


def sounds_of(events: EventSet, codec: SparseCodec) -> tuple[list[int], list[float]]:
    """Return the pitches of events, NO_KEY where there is no clear one, and their seconds."""
    from sparse_codec.coding.midi import read_sounds

    keys, seconds = read_sounds(events, codec.decoder)
    return keys.tolist(), seconds.tolist()


def span_of(keys: list[int], notes: list[Note]) -> Span | None:
    """Return the pitches that a scale for these has to show; None if there are none."""
    pitched = [key for key in keys if key != NO_KEY] + [note.key for note in notes]
    if not pitched:
        return None
    low, high = min(pitched) - MARGIN, max(pitched) + MARGIN
    missing = max(0, NARROWEST - (high - low))
    return Span(low - missing // 2, high + (missing + 1) // 2)


def scale_of(span: Span, keys: list[int], notes: list[Note], mix: Artifact) -> Scale:
    """Return the scale of a roll by pitch, over the spectrogram of its mix."""
    return Scale(
        name="pitch",
        heights=[height_of(key, span) for key in keys],
        values=[note_name(key) for key in keys],
        labels=labels_of(span),
        lane=note_name(NO_KEY).lower(),
        picture=spectrogram(mix, [span.low, span.high]),
        outlines=[
            (note.start, note.end, span.height(note.key - 0.5), span.height(note.key + 0.5))
            for note in notes
            if note.start < note.end
        ],
    )


def height_of(key: int, span: Span) -> float | None:
    """Return the height of a mark; None without a pitch."""
    return None if key == NO_KEY else span.height(key)


def labels_of(span: Span) -> dict[str, float]:
    """Return the names along a scale, with their heights: those of C, or more if it is narrow."""
    for keys in STEPS_OF_NAMES:
        shown = [key for key in range(span.low, span.high + 1) if key % 12 in keys]
        if len(shown) >= FEWEST_NAMES:
            break
    return {note_name(key): span.height(key) for key in shown}


@conjure
def spectrogram(sound: Artifact, span: list[int]) -> Picture:
    """Magnitudes of a sound along pitch, dark where it is loud, to lie behind the marks of a roll.

    span: the MIDI pitches at the lower and the upper edge.
    """
    return Picture(along_pitch(sound, span), "Spectrogram along pitch", lossy=True)


def along_pitch(sound: Artifact, span: Sequence[int]) -> np.ndarray:
    """Return the pixels of a spectrogram along pitch (ROWS, T), uint8, white where it is silent."""
    import torch

    from sparse_codec.model.spectrogram import magnitudes

    samples, rate = waveform(sound.value), sound.value.samplerate
    samples = torch.nn.functional.pad(samples, (0, max(0, WINDOW - samples.shape[1])))
    hop = max(HOP, -(-samples.shape[1] // COLUMNS))
    spectrum = magnitudes(samples, window=WINDOW, hop=hop)[0].numpy()
    hertz = 440 * 2 ** ((np.linspace(span[1], span[0], ROWS) - 69) / 12)
    bins = np.arange(len(spectrum)) * rate / WINDOW
    rows = np.stack([np.interp(hertz, bins, frame, right=0.0) for frame in spectrum.T], axis=1)
    decibels = 20 * np.log10(np.maximum(rows, 1e-9) / max(rows.max(), 1e-9))
    return np.rint(255 * np.clip(decibels / QUIETEST, 0, 1)).astype(np.uint8)
