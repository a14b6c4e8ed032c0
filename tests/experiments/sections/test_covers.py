"""Covers are as large as sites that show links want them, and show what they are said to show."""

import io

import numpy as np
import pytest
from PIL import Image

from experiments.sections import covers
from report import Compare, MemoryStore, Picture, Sound, conjure, use_store

LABELS = ("Original", "A label that is much too long for the place that it has", "C")
RATE = 22_050


@pytest.fixture
def store():
    kept = MemoryStore()
    with use_store(kept):
        yield kept


@conjure
def tone(hertz: float) -> Sound:
    return Sound(0.5 * np.sin(2 * np.pi * hertz * np.arange(2 * RATE) / RATE), RATE)


@conjure
def grey() -> Picture:
    return Picture(np.full((40, 80), 128, np.uint8), "grey")


def pixels_of(store, made) -> np.ndarray:
    with Image.open(io.BytesIO(store.read(made.record))) as image:
        return np.asarray(image.convert("RGB"), int)


def test_a_cover_shows_the_marks_of_a_roll_over_what_is_loud(store):
    marks = [[0.0, 0.0, 0.0, "#00ff00"], [0.5, 0.5, 1.0, "#0000ff"]]
    made = covers.roll(tone(440.0), [57, 81], 0.2, marks, "Two events")
    pixels = pixels_of(store, made)
    assert pixels.shape == (630, 1200, 3) and made.info["alt"].startswith("Two events")
    green, blue = pixels[615, 14], pixels[315, 600]
    assert green[1] > 200 > green[0] + green[2] and blue[2] > 200 > blue[0] + blue[1]
    assert (np.abs(pixels - blue).sum(2) < 90).sum() > 3000  # a disc of radius 38
    light = pixels[:, 300].sum(1)
    assert light.argmax() == pytest.approx(0.5 * 0.8 * 630, abs=12)  # A4 is in the middle
    assert light[-100:].max() < 30  # of the lane


def test_a_cover_of_versions_has_their_spectrograms_each_below_its_label(store):
    sounds = [tone(300.0), tone(1500.0), tone(6000.0)]
    versions = [(label, sound, grey()) for label, sound in zip(LABELS, sounds, strict=True)]
    compare = Compare("Three.", [*versions, ("Plain", tone(99.0), None)])
    cover = covers.of_versions(["no comparison", compare])
    assert cover.sound.sha256 == sounds[1].sha256
    pixels = pixels_of(store, cover.picture)
    assert pixels.shape == (630, 1200, 3)
    loudest = []
    for i in range(3):
        left, right = 404 * i, 404 * i + 392
        loudest.append(pixels[covers.LABEL :, left + 200].sum(1).argmax())
        label = pixels[: covers.LABEL - 6, left:right].sum(2) > 400
        assert label.any() and not label[:, :10].any() and not label[:, -10:].any()
    assert loudest == sorted(loudest, reverse=True) and loudest[0] - loudest[2] > 200
    assert all(label in cover.picture.info["alt"] for label in LABELS)
