"""Sounds, numbers and pictures of a real clip with the small codec."""

import base64
import dataclasses
import io
import math

import numpy as np
import pytest
import torch
from PIL import Image

from experiments.clips import Clip, shipped_clips
from experiments.sections import pictures, pitches, sounds
from experiments.sections.sounds import events_of
from report import Artifact, Data, MemoryStore, conjure, use_store
from sparse_codec.evaluation.variations import VARIATIONS


@pytest.fixture(scope="module", autouse=True)
def store():
    """One store for all tests: the clip is encoded once."""
    store = MemoryStore()
    with use_store(store):
        yield store


@pytest.fixture(scope="module")
def clip(codec) -> Clip:
    seconds = 2 * codec.config.segment_samples / 22_050
    return dataclasses.replace(shipped_clips()[0][0], seconds=seconds)


@pytest.fixture(scope="module")
def half(store, clip, codec) -> Artifact:
    return sounds.half_events(clip, codec)


@pytest.fixture(scope="module")
def found(store, clip, codec) -> Artifact:
    return sounds.clip_events(clip, codec)


def test_streaming_starts_with_the_events_of_the_first_half(clip, half, codec):
    first, whole = events_of(half), events_of(sounds.clip_events(clip, codec))
    assert np.array_equal(whole.vectors[: len(first)], first.vectors)
    assert whole.onsets.max() > first.n_samples


def test_the_film_starts_with_the_original_and_ends_with_what_the_events_leave(clip, found, codec):
    left = list(sounds.residuals(clip, found, codec))
    original = sounds.original_magnitudes(clip, codec)
    assert original.shape[1] == round(clip.seconds * codec.samplerate) // codec.config.hop
    assert torch.equal(left[0], original) and len(left) == len(events_of(found)) + 1
    scene = codec.scene(events_of(found), original.shape[1])
    torch.testing.assert_close(left[-1], original - scene, rtol=1e-4, atol=1e-3)
    assert left[-1].pow(2).sum() < left[0].pow(2).sum()
    film, poster = pictures.film(clip, found, codec), pictures.film_poster(clip, found, codec)
    assert film.info["n_frames"] == len(left)
    assert all(film.info[side] == poster.info[side] for side in ("width", "height"))
    many = pictures._film_size(events_of(found).select(np.zeros(200, int)))
    assert (
        many[1] / many[0] == pytest.approx(pictures.WIDTH / pictures.MEL_BANDS, abs=0.03)
        and 200 * math.prod(many) < 6e6
    )


def test_a_column_of_a_film_is_the_mean_of_its_frames():
    spectrum = np.geomspace(1, 100, 12)[None].repeat(513, axis=0)
    narrow, wide = (pictures._frame(spectrum, 22_050, (160, width)) for width in (6, 24))
    assert narrow.shape == (160, 6, 3) and wide.shape == (160, 24, 3)
    assert np.array_equal(wide[:, ::2], wide[:, 1::2])
    between = np.sqrt(spectrum[:, ::2] * spectrum[:, 1::2])  # the mean in dB
    assert np.abs(narrow.astype(int) - pictures._frame(between, 22_050, (160, 6))).max() <= 1


def test_the_box_of_an_event_holds_where_it_takes_most_off(clip, found, codec):
    boxes = pictures.boxes(clip, found, codec).value
    left = list(sounds.residuals(clip, found, codec))
    assert len(boxes) == len(left) - 1 > 0
    for (start, end, bottom, top), before, after in zip(boxes, left, left[1:], strict=False):
        assert 0 <= start < end <= 1 and 0 <= bottom < top <= 1
        frame = int((before - after).abs().max(0).values.argmax())
        assert start <= (frame + 0.5) / before.shape[1] <= end


def test_variations_change_one_thing(found, codec):
    events = events_of(found)
    varied = {kind: events_of(sounds.variation(found, kind, codec)) for kind in VARIATIONS}
    late = varied["random times"].onsets > codec.config.segment_samples // 2
    assert late.any()  # they are anywhere in the clip
    assert np.array_equal(varied["random vectors"].onsets, events.onsets)
    assert np.array_equal(varied["random times"].vectors, events.vectors)
    moved = varied["perturbed"].vectors - events.vectors
    assert np.abs(moved).max() > 0 and np.array_equal(varied["perturbed"].gains, events.gains)


def test_a_residual_can_be_heard_after_any_number_of_events(clip, found, codec):
    residuals = [sounds.residual_sound(clip, found, n, codec) for n in (0, 1, 4)]
    sound = [residual.value.samples.astype(float) for residual in residuals]
    original = sounds.original(clip, codec).value.samples
    # Nothing is taken off the first, and it has the original's phases.
    assert np.abs(sound[0] - original).max() <= 2
    assert (sound[2] ** 2).sum() < (sound[1] ** 2).sum() < (sound[0] ** 2).sum()


def test_sounds_are_packed_one_after_another_into_files_of_some_seconds():
    tones = [np.full(length, 100 * length, np.int16) for length in (30, 20, 60, 10, 5)]
    tones[3][:] = 0
    pack = sounds.packed(tones, 10, 6.0)
    assert set(pack) == {"1", "2", "3", "places"}
    places = pack["places"].value
    assert [(place["file"], place["first"]) for place in places] == [
        ("1", 0), ("1", 30), ("2", 0), ("3", 0), ("3", 10)
    ]  # fmt: skip
    for place, tone in zip(places, tones, strict=True):
        samples = pack[place["file"]].samples[place["first"] :][: place["length"]]
        assert np.array_equal(samples, tone)
    assert places[3]["peak"] is None and places[0]["peak"] == pytest.approx(-20.77)
    assert set(sounds.packed([], 10, 6.0)) == {"places"}


def test_events_alone_are_stretches_of_files(found, codec):
    events, pack = events_of(found), sounds.event_sounds(found, 4.0, codec)
    alone = list(codec.render(events))
    stored = sounds.samples_of(pack)
    assert len(sounds.files(pack)) < len(events) == len(stored) == len(sounds.stretches(pack))
    for sound, exact, stretch in zip(stored, alone, sounds.stretches(pack), strict=True):
        rounded = np.rint(32768 * exact[: len(sound.samples)])
        assert np.abs(sound.samples - rounded).max() <= 1 and sound.samples[-1] != 0
        assert stretch.length == len(sound.samples)


def test_an_event_is_steered_along_directions_of_its_set(half, codec):
    moves = sounds.moves(events_of(half))
    made = dict(zip(moves, sounds.samples_of(sounds.steered(half, 1.0, codec)), strict=True))
    strongest = sounds.strongest(events_of(half))
    assert strongest[0] == events_of(half).gains.argmax() and len(strongest) == min(
        6, len(events_of(half))
    )
    assert {event for event, _, _ in moves} == set(strongest) and len(moves) == 8 * len(strongest)
    as_it_is = sounds.samples_of(sounds.event_sounds(half, 1.0, codec))[strongest[0]]
    first = [made[strongest[0], direction, step] for direction in (0, 1) for step in (-2, -1, 1, 2)]
    assert len({sound.samples.tobytes() for sound in [*first, as_it_is]}) == 9


@conjure
def first_events(events: Artifact, n: int) -> Data:
    return Data(events_of(events).select(slice(n)).to_json())


def test_fewer_events_than_directions_span_are_not_steered(half, codec):
    for n in (1, 2):
        assert pitches.steered_keys(first_events(half, n), codec).value == {}
    assert len(pitches.steered_keys(half, codec).value) > 2


def test_plain_codecs_say_their_rates(clip, codec):
    original = sounds.first_half(clip, codec)
    for name in ("Opus, 6 kb/s", "Vorbis, lowest", "MP3, lowest"):
        coded = sounds.coded_otherwise(original, name).value
        assert len(coded.samples) == len(original.value.samples) and coded.samples.std() > 100
        assert 3000 < sounds.bits_otherwise(original, name).value < 100_000


def test_a_spectrogram_has_marks_inside_its_picture(clip, codec):
    info = pictures.spectrogram(sounds.original(clip, codec), "a clip").info
    assert info["height"] == 160 and info["width"] <= 640
    assert info["up"]["1 kHz"] > info["up"]["500 Hz"] > 0 and "1 s" in info["across"]
    assert all(0 < share < 1 for share in (*info["up"].values(), *info["across"].values()))


def test_the_layout_is_seeded_and_inside_the_picture(half):
    layout = pictures.layout(half, 1).value
    with use_store(MemoryStore()):
        assert layout == pictures.layout(half, 1).value
    assert len(layout["heights"]) == len(events_of(half))
    assert all(0 <= height <= 1 for height in layout["heights"])
    assert all(len(colour) == 7 for colour in layout["colours"])


def test_the_second_time_nothing_is_computed(clip, codec):
    with use_store(MemoryStore()) as session:
        pictures.spectrogram(sounds.original(clip, codec), "a clip")
        computed = session.computed
        pictures.spectrogram(sounds.original(clip, codec), "a clip")
        assert session.computed == computed and session.hits == 0


def test_looks_follow_the_vectors(store, half, codec):
    drawn = sounds.variation(half, "random vectors", codec)
    looks = pictures.looks(half, {"random vectors": drawn}, 7).value
    layout = pictures.layout(half, 7).value
    own = pictures.looks(half, {"itself": half}, 7).value["sets"]["itself"]
    assert [look["colour"] for look in own] == layout["colours"]
    assert [look["y"] for look in own] == layout["heights"]
    rows = [base64.b64decode(look["row"]) for look in own]
    picture = Image.open(io.BytesIO(store.read(pictures.vectors_picture(half).record)))
    assert b"".join(rows) == picture.convert("RGB").tobytes()
    other = looks["sets"]["random vectors"]
    assert all(one["row"] != two["row"] for one, two in zip(own, other, strict=True))
    assert len({look["y"] for look in other}) > 1
    for directions in looks["steps"].values():
        for direction in directions:
            assert direction[2] is None  # as it is
            rows = {look["row"] for look in direction if look}
            assert len(rows) == 4 and all(0 <= look["y"] <= 1 for look in direction if look)
