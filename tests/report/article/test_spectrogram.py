"""A spectrogram shows each tone at its height and its time, of left and right."""

import io

import numpy as np
import pytest
from PIL import Image

from report import MemoryStore, Player, Sound, spectrogram, use_store
from report.article.spectrogram import HEIGHT, LOWEST, WIDTH

RATE = 16_000
TIME = np.arange(2 * RATE) / RATE


@pytest.fixture(autouse=True)
def store():
    with use_store(MemoryStore()):
        yield


def brightness(artifact):
    """(HEIGHT, columns), the lowest frequency first."""
    image = Image.open(io.BytesIO(artifact.store.read(artifact.record)))
    return np.asarray(image.convert("L"), float)[::-1]


def row_of(hertz):
    return HEIGHT * np.log(hertz / LOWEST) / np.log(RATE / 2 / LOWEST)


def tone(hertz):
    return 0.3 * np.sin(2 * np.pi * hertz * TIME)


@pytest.mark.parametrize("hertz", [100, 440, 1000, 6000])
def test_a_tone_is_the_brightest_at_its_height(hertz):
    picture = brightness(spectrogram(tone(hertz), RATE))
    loudest = picture.mean(axis=1).argmax()
    assert abs(loudest - row_of(hertz)) < 4


def test_both_channels_are_seen_where_they_sound():
    both = np.stack([tone(500) * (TIME < 1), tone(3000) * (TIME >= 1)], axis=1)
    picture = brightness(spectrogram(Sound(both, RATE)))
    half = picture.shape[1] // 2
    first, second = picture[:, : half - 5].mean(axis=1), picture[:, half + 5 :].mean(axis=1)
    assert abs(first.argmax() - row_of(500)) < 4 and abs(second.argmax() - row_of(3000)) < 4
    assert first[round(row_of(3000))] < first.max() / 3


@pytest.mark.parametrize("n_samples", [1, 100, 5000, 3 * 10**6])
def test_sounds_of_any_length_have_a_picture_along_them(n_samples):
    sound = Sound(np.sin(np.arange(n_samples) / 9 + 1) / 2, RATE)
    picture = Player(sound, "x", picture=spectrogram(sound)).picture
    assert (picture.info["width"], picture.info["height"]) == (WIDTH, HEIGHT)
    assert all(0 < share < 1 for share in picture.info["across"].values())
    assert "kHz" in picture.info["alt"]


def test_silence_is_dark():
    assert brightness(spectrogram(np.zeros(9000), RATE)).max() < 40
