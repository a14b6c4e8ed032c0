"""Parts of a mix and events alone, with the small codec."""

import dataclasses

import numpy as np
import pytest

from experiments.clips import shipped_clips
from experiments.sections import parts, sounds
from experiments.sections.sounds import events_of
from report import MemoryStore, mix, use_store
from report.mix import UNITY


@pytest.fixture(scope="module", autouse=True)
def store():
    with use_store(MemoryStore()):
        yield


@pytest.fixture(scope="module")
def half(store, codec):
    seconds = 2 * codec.config.segment_samples / 22_050
    clip = dataclasses.replace(shipped_clips()[0][0], seconds=seconds)
    return sounds.half_events(clip, codec)


@pytest.fixture(scope="module")
def split(half, codec):
    return parts.split(half, 2.0, codec)


def test_a_reconstruction_is_the_integer_sum_of_stored_parts(half, split, codec):
    events = events_of(half)
    compared = split["comparison"].value
    stored = [sound.samples for sound in sounds.samples_of(split)]
    begins = [
        onset - row["lead"] for onset, row in zip(events.onsets.tolist(), compared, strict=True)
    ]
    summed = mix(stored, begins, [UNITY] * len(stored), events.n_samples)
    assert np.array_equal(summed, sounds.rendered(half, codec).value.samples)
    assert all(sound[0] and sound[-1] for sound in stored if len(sound) > 1)


def test_that_sum_is_the_consistent_sound_but_for_rounding(half, codec):
    rendered = sounds.rendered(half, codec).value.samples / 32768
    # the events of an untrained codec may add up to more than 16 bits can say
    decoded = (codec.decode(events_of(half), consistent=each) for each in (True, False))
    exact, plain = (sound.clip(-1, 1) for sound in decoded)
    assert np.abs(rendered - exact).max() <= (len(events_of(half)) + 1) / 65536
    assert np.abs(rendered - plain).max() > 0.01 * np.abs(plain).max()
    stored = sounds.plain_sum(half, codec).value.samples
    assert np.abs(stored - 32768 * plain).max() <= (len(events_of(half)) + 1) / 2


def test_parts_differ_from_events_alone_where_these_overlap(split):
    compared = split["comparison"]
    assert all(-60 < decibels < 0.5 for decibels in parts.decibels_apart(compared))
    assert parts.apart_figure([compared, compared]).info["height"] > 100


def test_a_difference_is_in_decibels_of_the_part():
    noise = np.random.default_rng(1).normal(0, 1000, 5000)
    other = np.random.default_rng(2).normal(0, 1000, 5000)
    assert parts.difference(noise, noise) < -90
    assert parts.difference(noise, noise + 0.01 * other) == pytest.approx(-40, abs=0.3)
    assert parts.difference(noise, 0.5 * noise) < -90
    assert parts.difference(noise[:4000], noise) > -8  # the rest counts
    silence = np.zeros(10)
    assert parts.difference(silence, silence) == 0.0 == parts.difference(silence, noise)
