"""Files meet a target rate, window by window."""

import dataclasses
import io

import numpy as np
import pytest

from sparse_codec.coding.channels import strongest
from sparse_codec.coding.event_file import EventWriter, header_for, read_header, read_windows
from sparse_codec.coding.rate import COARSEST, RateError, limit_rate


def file_of(windows, rate, codec, priors, channels=1) -> bytes:
    header, file = header_for(codec, channels, priors), io.BytesIO()
    writer = EventWriter(file, header, priors)
    for window, scale in limit_rate(windows, rate, header, priors):
        writer.write(window, scale)
    writer.close()
    return file.getvalue()


def seconds(windows) -> float:
    return windows[-1].n_samples / windows[-1].samplerate


@pytest.fixture(scope="module")
def clip(draw_windows):
    """31 s of 42 windows, as full as the shipped codecs' are for their length."""
    return draw_windows(n_windows=42, n_events=8)


@pytest.mark.parametrize("rate", [300, 700, 1500])
def test_the_rate_is_met_within_two_percent(saved_codec, small_priors, clip, rate):
    file = file_of(clip, rate, saved_codec, small_priors)
    assert 8 * len(file) / seconds(clip) == pytest.approx(rate, rel=0.02)


def test_loud_and_quiet_windows_average_out(saved_codec, small_priors, clip):
    uneven = [window.select(slice(0, 8 if w % 3 else 1)) for w, window in enumerate(clip)]
    file = file_of(uneven, 900, saved_codec, small_priors)
    assert 8 * len(file) / seconds(clip) == pytest.approx(900, rel=0.02)


def test_left_and_right_together_meet_the_rate(saved_codec, small_priors, clip, draw_windows):
    other = draw_windows(n_windows=42, n_events=8, seed=3)
    pairs = [
        (left, left) if w % 2 else (left, right)
        for w, (left, right) in enumerate(zip(clip, other, strict=True))
    ]
    file = io.BytesIO(file_of(pairs, 1500, saved_codec, small_priors, channels=2))
    assert 8 * len(file.getvalue()) / seconds(clip) == pytest.approx(1500, rel=0.02)
    back = list(read_windows(file, read_header(file), small_priors))
    left, right = back[1]
    np.testing.assert_array_equal(left.vectors, right.vectors)  # they still share their events


def test_where_there_is_little_sound_the_file_is_smaller(saved_codec, small_priors, draw_windows):
    silent = [window.select([]) for window in draw_windows(n_windows=42)]
    assert 8 * len(file_of(silent, 1500, saved_codec, small_priors)) / seconds(silent) < 300


def test_first_the_rounding_is_coarser_then_the_weakest_events_go(saved_codec, small_priors, clip):
    header = header_for(saved_codec, priors=small_priors)
    enough, short = (list(limit_rate(clip, rate, header, small_priors)) for rate in (1500, 500))
    *enough, _ = enough  # the last window is short
    assert all(len(window) == 8 and scale < COARSEST for window, scale in enough)
    for window, (strong, scale) in zip(clip, short, strict=True):
        assert len(strong) < 8 and scale <= COARSEST
        np.testing.assert_array_equal(strong.gains, window.strongest(len(strong)).gains)


def test_windows_come_one_by_one(saved_codec, small_priors, clip):
    drawn = []
    windows = (drawn.append(w) or window for w, window in enumerate(clip))
    limited = limit_rate(windows, 900, header_for(saved_codec, priors=small_priors), small_priors)
    next(limited)
    assert drawn == [0]


def test_a_rate_below_that_of_silence_is_refused(saved_codec, small_priors, clip):
    with pytest.raises(RateError, match="20 bits a second.* or more"):
        file_of(clip, 20, saved_codec, small_priors)


def test_shared_events_are_chosen_by_the_energy_of_both(draw_windows):
    (left,) = draw_windows(n_windows=1, n_events=3)
    left = dataclasses.replace(left, gains=np.array([3, 1, 2], np.float32))
    right = dataclasses.replace(left, gains=np.array([0, 4, 0], np.float32))
    strong = strongest((left, right), 2)
    assert strong[0].gains.tolist() == [3, 1] and strong[1].gains.tolist() == [0, 4]


def test_events_that_are_not_shared_are_chosen_channel_by_channel(draw_windows):
    left, right = (draw_windows(n_windows=1, n_events=3, seed=seed)[0] for seed in (0, 1))
    left = dataclasses.replace(left, gains=np.array([3, 1, 2], np.float32))
    right = dataclasses.replace(right, gains=np.array([0, 4, 5], np.float32))
    strong = strongest((left, right), 1)
    assert strong[0].gains.tolist() == [3] and strong[1].gains.tolist() == [5]
