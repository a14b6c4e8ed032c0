"""The demos, on a real clip with the small codec: each artifact is what it says."""

import dataclasses

import numpy as np
import pytest
import torch

from experiments import demos
from experiments.clips import shipped_clips
from report import MemoryStore, use_store
from sparse_codec import SparseCodec
from sparse_codec.variations import VARIATIONS


@pytest.fixture(scope="module")
def codec(small_codec, tmp_path_factory) -> SparseCodec:
    path = tmp_path_factory.mktemp("checkpoint") / "small.safetensors"
    small_codec.save(path)
    return SparseCodec.load(path)


@pytest.fixture
def clip(codec):
    return dataclasses.replace(shipped_clips()[0][0], seconds=2 * codec.config.segment_samples / 22_050)


@pytest.fixture(autouse=True)
def store():
    with use_store(MemoryStore()) as session:
        yield session


def test_a_reconstruction_is_the_integer_sum_of_its_stored_events(clip, codec):
    half = demos.event_data(demos.encoded(clip, codec), "first half")
    events = demos.events_of(half)
    total = np.zeros(events.n_samples, np.int64)
    for i, onset in enumerate(events.onsets):
        sound = demos.event_sound(half, i, codec).value.samples[: events.n_samples - onset]
        total[onset : onset + len(sound)] += sound
    assert np.array_equal(demos.rendered(half, codec).value.samples, np.clip(total, -32768, 32767))


def test_streaming_starts_with_the_events_of_the_first_half(clip, codec):
    encoding = demos.encoded(clip, codec)
    first, whole = (demos.events_of(demos.event_data(encoding, part)) for part in ("first half", "events"))
    assert np.array_equal(whole.vectors[: len(first)], first.vectors)
    assert whole.onsets.max() > first.n_samples


def test_the_film_starts_with_the_original_and_ends_with_what_the_events_leave(clip, codec):
    half = demos.event_data(demos.encoded(clip, codec), "first half")
    left = demos._residuals(clip, half, codec)
    n_frames = codec.config.half_frames
    original = demos._original(clip, codec)
    assert torch.equal(left[0], original[:, :n_frames]) and len(left) == len(demos.events_of(half)) + 1
    scene = codec.scene(demos.events_of(half), codec.config.n_frames)
    torch.testing.assert_close(left[-1], (original - scene)[:, :n_frames], rtol=1e-4, atol=1e-3)
    assert left[-1].pow(2).sum() < left[0].pow(2).sum()
    assert demos.film(clip, half, codec).info["n_frames"] == len(left)


def test_variations_change_one_thing(clip, codec):
    half = demos.event_data(demos.encoded(clip, codec), "first half")
    events = demos.events_of(half)
    varied = {kind: demos.events_of(demos.variation(half, kind, codec)) for kind in VARIATIONS}
    assert np.array_equal(varied["random vectors"].onsets, events.onsets)
    assert np.array_equal(varied["random times"].vectors, events.vectors)
    moved = varied["perturbed"].vectors - events.vectors
    assert np.abs(moved).max() > 0 and np.array_equal(varied["perturbed"].gains, events.gains)


def test_the_layout_is_seeded_and_inside_the_picture(clip, codec):
    half = demos.event_data(demos.encoded(clip, codec), "first half")
    layout = demos.layout(half, 1).value
    assert layout == demos.layout(half, 1).value
    assert len(layout["heights"]) == len(demos.events_of(half))
    assert all(0 <= h <= 1 for h in layout["heights"]) and all(len(c) == 7 for c in layout["colours"])


def test_the_second_time_nothing_is_computed(clip, codec, store):
    demos.spectrogram(demos.original(clip, codec), "a clip")
    computed = store.computed
    demos.spectrogram(demos.original(clip, codec), "a clip")
    assert store.computed == computed and store.hits == 2
