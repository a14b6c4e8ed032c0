"""Anchors: what of a reference is left, where, and when."""

import numpy as np
import pytest

from report import MemoryStore, Sound, conjure, use_store
from report.listening.anchors import low_passed, lowest_rate

RATE = 44_100


@pytest.fixture(autouse=True)
def store():
    with use_store(MemoryStore()):
        yield


@conjure
def given(samples: np.ndarray, samplerate: int) -> Sound:
    return Sound(samples, samplerate)


def filtered(samples, cutoff, rate=RATE):
    return low_passed(given(samples, rate), cutoff).value.samples / 32768


@pytest.mark.parametrize(
    ("cutoff", "rate"), [(3500, RATE), (7000, RATE), (3500, 8000), (7000, 16000)]
)
def test_it_has_the_response_that_bs1534_asks_for(cutoff, rate):
    """Up to 0.1 dB of ripple below the cutoff; 25 dB down 500 Hz above, 50 dB 1 kHz above."""
    click = np.zeros(2 * rate)
    click[rate] = 0.9
    response = np.abs(np.fft.rfft(filtered(click, cutoff, rate))) / 0.9
    decibels = 20 * np.log10(np.maximum(response, 1e-9))
    hertz = np.fft.rfftfreq(2 * rate, 1 / rate)
    assert np.abs(decibels[hertz <= cutoff]).max() < 0.1
    assert decibels[hertz >= cutoff + 500].max() < -25
    if rate > 2 * (cutoff + 1000):
        assert decibels[hertz >= cutoff + 1000].max() < -50


def test_it_is_not_delayed_and_both_channels_stay():
    time = np.arange(RATE) / RATE
    low, high = 0.3 * np.sin(2 * np.pi * 440 * time), 0.3 * np.sin(2 * np.pi * 9000 * time)
    left, right = filtered(np.stack([low + high, -low], 1), 3500).T
    middle = slice(2000, -2000)
    assert np.abs(left - low)[middle].max() < 0.001
    assert np.abs(right + low)[middle].max() < 0.001


@pytest.mark.parametrize("n", [1, 50])
def test_a_sound_shorter_than_the_filter_keeps_its_length(n):
    assert filtered(np.full(n, 0.5), 3500).shape == (n,)


def test_what_would_pass_full_scale_is_softer_as_a_whole_and_not_clipped():
    square = np.sign(np.sin(2 * np.pi * 1100 * np.arange(RATE) / RATE)) * 0.99
    anchor = low_passed(given(square, RATE), 3500)
    assert anchor.info["clipped"] == 0
    assert 0.99 < np.abs(anchor.value.samples).max() / 32768 <= 1


def test_a_rate_has_to_leave_something_to_take_away():
    assert lowest_rate(3500) == 8000
