"""The demos, on a real clip with the small codec: each artifact is what it says."""

import dataclasses

import numpy as np
import pytest
import torch

from experiments.clips import shipped_clips
from experiments.sections import demos, pictures
from report import MemoryStore, use_store
from sparse_codec import SparseCodec
from sparse_codec.evaluation.variations import VARIATIONS


@pytest.fixture(scope="module")
def codec(small_codec, tmp_path_factory) -> SparseCodec:
    path = tmp_path_factory.mktemp("checkpoint") / "small.safetensors"
    small_codec.save(path)
    return SparseCodec.load(path)


@pytest.fixture
def clip(codec):
    return dataclasses.replace(
        shipped_clips()[0][0], seconds=2 * codec.config.segment_samples / 22_050
    )


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
    first, whole = (
        demos.events_of(demos.event_data(encoding, part)) for part in ("first half", "events")
    )
    assert np.array_equal(whole.vectors[: len(first)], first.vectors)
    assert whole.onsets.max() > first.n_samples


def test_the_film_starts_with_the_original_and_ends_with_what_the_events_leave(clip, codec):
    half = demos.event_data(demos.encoded(clip, codec), "first half")
    left = demos.residuals(clip, half, codec)
    n_frames = codec.config.half_frames
    original = demos.original_magnitudes(clip, codec)
    assert (
        torch.equal(left[0], original[:, :n_frames]) and len(left) == len(demos.events_of(half)) + 1
    )
    scene = codec.scene(demos.events_of(half), codec.config.n_frames)
    torch.testing.assert_close(left[-1], (original - scene)[:, :n_frames], rtol=1e-4, atol=1e-3)
    assert left[-1].pow(2).sum() < left[0].pow(2).sum()
    assert pictures.film(clip, half, codec).info["n_frames"] == len(left)


def test_variations_change_one_thing(clip, codec):
    half = demos.event_data(demos.encoded(clip, codec), "first half")
    events = demos.events_of(half)
    varied = {kind: demos.events_of(demos.variation(half, kind, codec)) for kind in VARIATIONS}
    assert np.array_equal(varied["random vectors"].onsets, events.onsets)
    assert np.array_equal(varied["random times"].vectors, events.vectors)
    moved = varied["perturbed"].vectors - events.vectors
    assert np.abs(moved).max() > 0 and np.array_equal(varied["perturbed"].gains, events.gains)


def test_a_residual_can_be_heard_after_any_number_of_events(clip, codec):
    half = demos.event_data(demos.encoded(clip, codec), "first half")
    heard = [
        demos.residual_sound(clip, half, n, codec).value.samples.astype(float) for n in (0, 1, 4)
    ]
    original = demos.first_half(clip, codec).value.samples
    assert (
        np.abs(heard[0] - original).max() <= 2
    )  # nothing taken off, and the original's own phases
    assert (heard[2] ** 2).sum() < (heard[1] ** 2).sum() < (heard[0] ** 2).sum()


def test_an_event_is_steered_along_directions_of_its_set(clip, codec):
    half = demos.event_data(demos.encoded(clip, codec), "first half")
    as_it_is = demos.event_sound(half, 1, codec)
    assert demos.steered(half, 1, 0, 0, codec).sha256 == as_it_is.sha256
    moved = [
        demos.steered(half, 1, direction, step, codec).sha256
        for direction in (0, 1)
        for step in (-2, -1, 1, 2)
    ]
    assert len({*moved, as_it_is.sha256}) == 9
    found = demos.events_of(half)
    assert demos.strongest(found)[0] == found.gains.argmax() and len(demos.strongest(found)) == min(
        6, len(found)
    )


def test_plain_codecs_say_their_rates(clip, codec):
    original = demos.first_half(clip, codec)
    for name in ("Opus, 6 kb/s", "Vorbis, lowest", "MP3, lowest"):
        coded = demos.coded_otherwise(original, name).value
        assert len(coded.samples) == len(original.value.samples) and coded.samples.std() > 100
        assert 3000 < demos.bits_otherwise(original, name).value < 100_000


def test_a_spectrogram_has_marks_inside_its_picture(clip, codec):
    info = pictures.spectrogram(demos.original(clip, codec), "a clip").info
    assert info["height"] == 160 and info["width"] <= 640
    assert info["up"]["1 kHz"] > info["up"]["500 Hz"] > 0 and "1 s" in info["across"]
    assert all(0 < share < 1 for share in (*info["up"].values(), *info["across"].values()))


def test_the_layout_is_seeded_and_inside_the_picture(clip, codec):
    half = demos.event_data(demos.encoded(clip, codec), "first half")
    layout = pictures.layout(half, 1).value
    assert layout == pictures.layout(half, 1).value
    assert len(layout["heights"]) == len(demos.events_of(half))
    assert all(0 <= h <= 1 for h in layout["heights"]) and all(
        len(c) == 7 for c in layout["colours"]
    )


def test_the_second_time_nothing_is_computed(clip, codec, store):
    pictures.spectrogram(demos.original(clip, codec), "a clip")
    computed = store.computed
    pictures.spectrogram(demos.original(clip, codec), "a clip")
    assert store.computed == computed and store.hits == 2
