"""However audio comes in, and however events come out, the numbers are the same."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sparse_codec import EncodeOptions
from sparse_codec.audio.blocks import resample
from sparse_codec.events import PARTS, EventSet, join

GREEDY = EncodeOptions(candidates=2, interim=0, refine=0)
BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "streaming_memory.py"

sizes = st.lists(st.integers(0, 3000) | st.integers(0, 50_000), max_size=20)


def cut(audio: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    """Blocks of these sizes, as far as the audio goes, and one of the rest."""
    return np.split(audio, np.minimum(np.cumsum(sizes, dtype=int), len(audio)))


def same(a: EventSet, b: EventSet) -> bool:
    parts = [np.array_equal(getattr(a, name), getattr(b, name)) for name in PARTS]
    return a.n_samples == b.n_samples and all(parts)


@pytest.fixture(scope="module")
def audio(music) -> np.ndarray:
    return music[:50_000]  # four windows of the small codec, the last one begun


@pytest.fixture(scope="module")
def windows(small_codec, audio) -> list[EventSet]:
    return list(small_codec.stream([audio], GREEDY))


@pytest.fixture(scope="module", params=[True, False], ids=["consistent", "plain"])
def consistent(request) -> bool:
    return request.param


@pytest.fixture(scope="module")
def sound(small_codec, windows, consistent) -> np.ndarray:
    return small_codec.decode(join(windows), consistent)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(sizes=sizes)
def test_how_audio_is_cut_into_blocks_changes_no_event(small_codec, audio, windows, sizes):
    again = list(small_codec.stream(cut(audio, sizes), GREEDY))
    assert len(again) == len(windows) == 4 and all(len(w) for w in windows)
    assert all(same(a, b) for a, b in zip(again, windows, strict=True))


def test_whole_files_are_streams_of_one_block(small_codec, audio, windows):
    assert same(small_codec.encode(audio, options=GREEDY), join(windows))


def test_played_windows_are_the_sound_of_all_events(small_codec, windows, sound, consistent):
    played = np.concatenate(list(small_codec.play(windows, consistent)))
    assert played.shape == (50_000,) and played.any()
    assert np.array_equal(played, sound)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(n_frames=st.integers(1, 150))
def test_events_may_be_played_in_windows_of_any_length(
    small_codec, windows, sound, consistent, n_frames
):
    played = np.concatenate(list(small_codec.play(join(windows).split(n_frames), consistent)))
    np.testing.assert_array_equal(played, sound)


@pytest.mark.parametrize("consistent", [True, False])
def test_the_first_window_comes_after_one_segment_and_the_first_sound_after_that(
    small_codec, audio, consistent
):
    taken = []

    def blocks():
        for block in cut(audio, [1000] * 50):
            taken.append(len(block))
            yield block

    segment, half = small_codec.config.segment_samples, small_codec.config.segment_samples // 2
    stream = small_codec.stream(blocks(), GREEDY)
    sound = next(small_codec.play(stream, consistent))
    assert segment <= sum(taken) < segment + 1000
    hop = small_codec.config.hop
    # a consistent sound comes in blocks of half a window, whose end is seen by frames yet to come
    assert len(sound) == (half // 2 - 8 * hop if consistent else half - hop)


def test_sound_of_one_window_in_the_next_is_taken_off_it(small_codec, audio, windows):
    config = small_codec.config
    half, start = config.half_frames, config.segment_samples // 2
    segment = torch.from_numpy(audio[start : start + config.segment_samples])
    original = small_codec.magnitudes(segment[None])
    plain = small_codec.decompose(original, GREEDY).events
    original[:, :, :half] -= small_codec.scene(windows[0], config.n_frames)[None, :, half:]
    events = small_codec.decompose(original, GREEDY).events
    expected = small_codec.event_set(events, windows[1].n_samples, first_frame=half)
    np.testing.assert_array_equal(windows[1].frames, expected.frames)
    np.testing.assert_allclose(windows[1].gains, expected.gains, rtol=0.01)
    assert not np.array_equal(windows[1].gains, small_codec.event_set(plain, 2 * start).gains)


def test_an_event_long_after_the_clip_is_not_heard_and_takes_no_memory(small_codec, windows):
    late = dataclasses.replace(windows[0], frames=np.full(len(windows[0]), 2**31 - 1))
    assert not small_codec.decode(late).any()


def test_every_window_stops_at_the_residual_that_is_asked_for(small_codec, audio, windows):
    full = small_codec.encode(audio, options=GREEDY)
    stopped = list(small_codec.stream([audio], dataclasses.replace(GREEDY, stop=-0.2)))
    assert 0 < sum(map(len, stopped)) < len(full)
    for some, every in zip(stopped, windows, strict=True):
        assert len(some) <= len(every)
    first = windows[0].select(slice(0, len(stopped[0])))  # events are found in the same order
    np.testing.assert_array_equal(stopped[0].frames, first.frames)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    sizes=sizes,
    samplerate=st.sampled_from([8000, 44_100, 48_000, 192_000]),
    n_channels=st.integers(1, 3),
)
def test_how_audio_is_cut_changes_no_resampled_sample(sizes, samplerate, n_channels):
    audio = np.random.default_rng(0).normal(size=(20_000, n_channels)).astype(np.float32)
    whole = np.concatenate(list(resample([audio], samplerate, 22_050)))
    cut_up = np.concatenate(list(resample(cut(audio, sizes), samplerate, 22_050)))
    assert np.array_equal(whole, cut_up)
    assert len(whole) == pytest.approx(20_000 * 22_050 / samplerate, abs=1)


def test_channels_are_mixed_down_and_any_float_is_taken(small_codec, audio):
    expected = small_codec.encode(audio, options=GREEDY)
    stereo = np.stack([1.5 * audio, 0.5 * audio], axis=1)
    assert same(small_codec.encode(audio[:, None], options=GREEDY), expected)
    assert same(small_codec.encode(audio.astype(np.float64), options=GREEDY), expected)
    mixed = small_codec.encode(stereo, options=GREEDY)
    assert np.array_equal(mixed.frames, expected.frames)
    np.testing.assert_allclose(mixed.gains, expected.gains, rtol=1e-3)


@pytest.mark.parametrize("samplerate", [8000, 11_025, 44_100, 48_000, 192_000])
def test_audio_of_another_samplerate_is_as_long_in_seconds(small_codec, samplerate):
    time = np.arange(samplerate) / samplerate
    events = small_codec.encode(0.3 * np.sin(2 * np.pi * 440 * time), samplerate, GREEDY)
    assert len(events) and events.samplerate == small_codec.samplerate
    assert events.n_samples == pytest.approx(small_codec.samplerate, abs=1)


@pytest.mark.parametrize("samplerate", [0, -1, float("nan"), float("inf")])
def test_an_impossible_samplerate_is_refused(small_codec, audio, samplerate):
    with pytest.raises(ValueError, match="samplerate = "):
        small_codec.encode(audio, samplerate, GREEDY)


def test_no_windows_have_no_sound(small_codec):
    for consistent in (True, False):
        assert len(np.concatenate(list(small_codec.play([], consistent)))) == 0


def test_a_stream_that_is_left_half_way_takes_no_more_blocks(small_codec, audio):
    taken = []
    stream = small_codec.stream(
        (taken.append(1) or block for block in cut(audio, [1000] * 50)), GREEDY
    )
    next(stream)
    n_taken = len(taken)
    stream.close()
    assert len(taken) == n_taken < 50 and next(stream, None) is None


def test_progress_counts_every_window(small_codec, audio):
    seen = []

    def progress(windows, total):
        for window in windows:
            seen.append(total)
            yield window

    small_codec.encode(audio, options=GREEDY, progress=progress)
    assert seen == [4] * 4


@pytest.mark.slow
@pytest.mark.skipif(
    sys.platform != "linux", reason="the peak of a process's memory is read from /proc"
)
@pytest.mark.parametrize("way", ["encode", "decode"])
def test_memory_does_not_grow_with_the_length_of_the_clip(checkpoint, way):
    command = [sys.executable, str(BENCHMARK), "--checkpoint", checkpoint]
    command += ["--one", way, "0.1", "2.35"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    short, long = map(float, done.stdout.split())  # peaks of one process, in MB
    assert long < short + 8  # an array of the samples, two and a quarter minutes more, has 12
