"""The scale of a roll by pitch."""

import io

import numpy as np
import pytest
from PIL import Image

from experiments.scores import Note
from experiments.sections.pitches import (
    ROWS,
    Span,
    labels_of,
    places,
    scale_of,
    span_of,
    spectrogram,
)
from report import MemoryStore, Sound, conjure, use_store

RATE = 22_050


@conjure
def tone(hertz: float) -> Sound:
    return Sound(0.5 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE), RATE)


def test_a_scale_shows_all_pitches_of_events_and_notes():
    assert span_of([60, -1, 75], [Note(0, 1, 50)]) == Span(48, 77)
    assert span_of([60], []) == Span(52, 68)  # at least so wide
    assert span_of([-1], []) is None


@pytest.mark.parametrize(
    ("span", "names"),
    [
        (Span(36, 84), ["C2", "C3", "C4", "C5", "C6"]),
        (Span(48, 72), ["C3", "G3", "C4", "G4", "C5"]),
        (Span(62, 78), ["E4", "G4", "C5", "E5"]),
    ],
)
def test_an_axis_has_names_of_notes_enough_to_read_it(span, names):
    labels = labels_of(span)
    assert list(labels) == names
    assert list(labels.values()) == sorted(labels.values())


def test_an_event_stands_where_its_note_and_its_partial_are():
    with use_store(MemoryStore()) as store:
        scale = scale_of(Span(60, 76), [69, -1], [Note(0.2, 0.8, 69)], tone(440.0))
        with Image.open(io.BytesIO(store.store.read(scale.picture.record))) as image:
            rows = np.asarray(image.convert("L"), float).mean(1)
    [(start, end, low, high)] = scale.outlines
    assert (start, end) == (0.2, 0.8) and low < scale.heights[0] < high
    assert (scale.heights[1], scale.values) == (None, ["A4", "No pitch"])
    darkest = 1 - rows.argmin() / (rows.size - 1)
    assert darkest == pytest.approx(scale.heights[0], abs=0.02)


def test_places_of_other_sounds_have_the_shape_of_their_pitches():
    assert places([[60, -1], [90, 50]], Span(60, 80)) == [
        [{"height": 0.0, "value": "C4"}, {"height": None, "value": "No pitch"}],
        [{"height": 1.0, "value": "F♯6"}, {"height": 0.0, "value": "D3"}],
    ]


def test_a_sound_shorter_than_a_window_has_a_picture():
    with use_store(MemoryStore()):
        assert spectrogram(tone(440.0), [60, 70]).info["height"] == ROWS
