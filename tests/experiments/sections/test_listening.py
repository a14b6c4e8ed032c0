"""Clips side by side, with the small codec."""

import dataclasses

import numpy as np
import pytest

from experiments.clips import shipped_clips
from experiments.sections import listening, sounds
from experiments.sections.sounds import events_of, waveform
from report import Data, MemoryStore, conjure, use_store
from sparse_codec.model.spectrogram import magnitudes, shares_removed


@pytest.fixture(scope="module", autouse=True)
def store():
    with use_store(MemoryStore()):
        yield


@pytest.fixture(scope="module")
def clip(codec):
    seconds = 2.2 * codec.config.segment_samples / 22_050
    return dataclasses.replace(shipped_clips()[0][0], seconds=seconds)


@conjure
def without_events(events: dict) -> Data:
    return Data(events | {"events": []})


def test_a_clip_stands_beside_the_same_by_every_method(clip, codec):
    other = dataclasses.replace(clip, start=1.0, title="Another")
    grid, shown, _ = listening.side_by_side("Both.", [clip, other], codec)
    assert grid.columns[:4] == ["Original", "Codec", "Codec, plain sum", "Matching pursuit"]
    assert [label.split(" at ")[0] for label in grid.columns[4:]] == ["Opus", "MP3"]
    assert all(label.endswith(" kb/s") for label in grid.columns[4:])
    assert [label for label, _ in grid.rows] == [clip.title, "Another"]
    first = grid.rows[0][1]
    assert {sound.info["n_samples"] for sound in first} == {round(clip.seconds * codec.samplerate)}
    assert len({sound.sha256 for sound in first}) == 6
    assert [label for label, _, _ in shown.items] == grid.columns[:3]
    assert [sound.sha256 for _, sound, _ in shown.items] == [x.sha256 for x in first[:3]]
    assert all(picture for _, _, picture in shown.items)


def test_matching_pursuit_removes_energy_from_every_window(clip, codec):
    events = sounds.clip_events(clip, codec)
    found = waveform(listening.pursued(clip, events, codec).value)
    original = waveform(sounds.original(clip, codec).value)
    half = codec.config.segment_samples // 2
    for start in range(0, original.shape[1] - half, half):
        before, after = (
            magnitudes(sound[:, start : start + half], 2048, 512) for sound in (original, found)
        )
        l2, _ = shares_removed(before - after, before, before.shape[2])
        assert l2 > 0.1
    numbers = (codec.config.vector_size + 2) * len(events_of(events))
    assert listening.numbers_a_second(clip, codec) == pytest.approx(numbers / clip.seconds)


def test_without_events_there_are_no_atoms(clip, codec):
    none = events_of(sounds.clip_events(clip, codec)).select(slice(0))
    silent = without_events(none.to_json())
    assert len(events_of(silent)) == 0
    assert not np.any(listening.pursued(clip, silent, codec).value.samples)


def test_the_test_has_the_codec_at_three_rates_and_its_rivals(clip, codec):
    other = dataclasses.replace(clip, start=1.0, title="Another")
    test = listening.mushra("Judge.", [other, clip], codec)
    assert test.systems == [
        *("Codec, sparse", "Codec, medium", "Codec, high", "Matching pursuit"),
        *("Opus, 6 kb/s", "MP3, lowest"),
    ]
    assert list(test.roles) == ["reference", "anchor3500", "anchor7000"]
    assert test.training == ["Another"] and test.each == 1 and test.post is None
    assert not listening.mushra("Judge.", [clip], codec).training
    made = test.items[clip.title]
    assert made["reference"].sha256 == sounds.original(clip, codec).sha256
    assert (
        made["Codec, sparse"].sha256
        == sounds.rendered(sounds.clip_events(clip, codec), codec).sha256
    )
    n = [len(events_of(listening.encoded_at(clip, name, codec))) for name in ("medium", "high")]
    assert len(events_of(sounds.clip_events(clip, codec))) < n[0] < n[1]
