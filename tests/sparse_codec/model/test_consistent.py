"""The sound of events together has the spectrogram that theirs add up to, and splits into parts."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sparse_codec import EventSet, SparseCodec
from sparse_codec.model.consistent import Projection, RunningSum, Transform, project
from sparse_codec.model.spectrogram import share_removed

HOP = 512


def events_at(frames, n_samples, gain=1.0, seed=0, offsets=None) -> EventSet:
    """Events of random sounds in these frames."""
    rng, n = np.random.default_rng(seed), len(frames)
    return EventSet(
        vectors=rng.uniform(-0.8, 0.8, (n, 32)),
        frames=np.array(frames, int),
        offsets=rng.uniform(-0.5, 0.5, n) if offsets is None else offsets,
        gains=np.full(n, gain),
        n_samples=n_samples,
        samplerate=22_050,
        hop=HOP,
    )


@st.composite
def event_sets(draw) -> EventSet:
    """Clips shorter than a window and longer than a block, with events at their edges, or none."""
    n_samples = draw(st.sampled_from([1, 700, 2048, 16 * HOP, 20_000, 60_000]))
    last = n_samples // HOP + 2  # also after the end
    frames = draw(st.lists(st.integers(0, last) | st.sampled_from([0, last]), max_size=8))
    gain = draw(st.sampled_from([1e-6, 1.0, 300.0]))
    return events_at(frames, n_samples, gain, draw(st.integers(0, 99)))


def mixed(parts, n_samples) -> np.ndarray:
    """The sum of parts, which must lie in the clip."""
    total = np.zeros(n_samples)
    for part in parts:
        assert 0 <= part.start <= part.start + len(part.sound) <= n_samples
        total[part.start : part.start + len(part.sound)] += part.sound
    return total


@pytest.fixture(scope="module", params=["small_codec", "published_codec"])
def codec(request) -> SparseCodec:
    return request.getfixturevalue(request.param)


def of_codec(events: EventSet, codec: SparseCodec) -> EventSet:
    """The same events for a codec of another hop."""
    return dataclasses.replace(events, hop=codec.config.hop)


# ---- the whole


@settings(max_examples=15, deadline=None, derandomize=True)
@given(events=event_sets(), n_frames=st.integers(1, 150))
def test_how_events_come_in_changes_no_bit(small_codec, events, n_frames):
    whole = small_codec.decode(events)
    played = np.concatenate(list(small_codec.play(events.split(n_frames))))
    assert whole.shape == (events.n_samples,) and whole.dtype == np.float32
    assert np.isfinite(whole).all()
    np.testing.assert_array_equal(played, whole)
    np.testing.assert_array_equal(small_codec.decode(events), whole)


def test_the_order_of_events_in_a_frame_alone_is_heard(small_codec):
    events = events_at([5, 0, 9, 3, 30, 31], 30_000)
    other = events.select(np.array([4, 3, 1, 5, 0, 2]))
    np.testing.assert_array_equal(small_codec.decode(events), small_codec.decode(other))


@pytest.mark.parametrize("frames", [[0, 0, 1], [3, 8, 9, 20], [31, 32, 33, 60], []], ids=str)
def test_the_spectrogram_is_nearer_to_the_events_own_than_that_of_their_sum(small_codec, frames):
    events = events_at(frames, 2**15, seed=2)
    meant = small_codec.scene(events, 64)
    left = []
    for consistent in (True, False):
        sound = torch.from_numpy(small_codec.decode(events, consistent))
        left.append(small_codec.magnitudes(sound[None]) - meant)
    shares = [share_removed(difference, meant[None], 2).item() for difference in left]
    if frames:
        assert shares[0] > max(0.9, shares[1] + 0.01), shares
    else:
        assert shares == [0, 0]


def test_an_event_that_began_blocks_before_is_counted(small_codec):
    """Its scene, and its sound, are in the blocks that it sounds on into."""
    events = events_at([14, 15, 16], 2**15, seed=4)
    meant = small_codec.scene(events, 64)[:, 20:40]
    sound = torch.from_numpy(small_codec.decode(events))
    shown = small_codec.magnitudes(sound[None])[:, :, 20:40]
    assert share_removed(shown - meant, meant[None], 2).item() > 0.9


def test_what_comes_after_the_clip_is_not_heard_in_it(small_codec):
    events = events_at([10, 20], 20_000)
    late = events.merge(dataclasses.replace(events_at([40, 41], 1), n_samples=1))
    np.testing.assert_array_equal(small_codec.decode(late), small_codec.decode(events))


def test_a_longer_clip_begins_as_a_shorter_one(small_codec):
    events = events_at([0, 4, 9], 12_345)
    longer = dataclasses.replace(events, n_samples=70_000)
    sound = small_codec.decode(longer)
    np.testing.assert_array_equal(sound[:12_345], small_codec.decode(events))
    assert not sound[60_000:].any()


@pytest.mark.parametrize("gain", [1e-6, 1.0, 300.0])
def test_loudness_scales_with_the_gains(small_codec, gain):
    events = events_at([0, 3, 8], 30_000)
    louder = dataclasses.replace(events, gains=events.gains * np.float32(gain))
    expected = gain * small_codec.decode(events)
    error = np.abs(small_codec.decode(louder) - expected).max()
    assert error < 1e-3 * np.abs(expected).max()


def test_one_event_alone_hardly_changes_its_level(small_codec):
    for seed in range(6):
        events = events_at([4], 30_000, seed=seed)
        levels = [np.std(small_codec.decode(events, consistent)) for consistent in (True, False)]
        assert abs(20 * np.log10(levels[0] / levels[1])) < 1.5


# ---- its parts


@settings(max_examples=15, deadline=None, derandomize=True)
@given(events=event_sets())
def test_parts_add_up_to_the_sound_of_all(codec, events):
    events = of_codec(events, codec)
    parts, sound = list(codec.parts(events)), codec.decode(events)
    assert len(parts) == len(events)
    level = max(1.0, float(np.abs(sound).max(initial=0.0)))
    np.testing.assert_allclose(mixed(parts, events.n_samples), sound, atol=1e-5 * level)


def test_parts_are_in_the_events_order(small_codec):
    events = events_at([20, 2, 11], 30_000, offsets=np.zeros(3))
    parts = list(small_codec.parts(events))
    assert [part.start for part in parts] == [HOP * frame - HOP // 2 for frame in (20, 2, 11)]
    for part, (onset, alone) in zip(
        parts, zip(events.onsets, small_codec.render(events), strict=True), strict=True
    ):
        inside = slice(onset - part.start, None)
        both = [x[: min(len(alone), len(part.sound[inside]))] for x in (alone, part.sound[inside])]
        assert np.corrcoef(*both)[0, 1] > 0.8


def test_the_part_of_a_lone_event_is_its_consistent_sound(small_codec):
    events = events_at([6], 30_000)
    (part,) = small_codec.parts(events)
    np.testing.assert_allclose(mixed([part], 30_000), small_codec.decode(events), atol=1e-6)


def test_an_event_after_the_end_has_an_empty_part(small_codec):
    events = events_at([2, 39], 10_000)
    part, late = small_codec.parts(events)
    assert part.sound.any() and not len(late.sound) and late.start == 10_000


def test_an_event_is_not_heard_long_before_its_onset(small_codec):
    events = events_at([20, 33], 40_000, offsets=[-0.3, 0.4])
    sound, onset = small_codec.decode(events), events.onsets[0]
    peak = np.abs(sound).max()
    assert np.abs(sound[: onset - HOP // 2]).max() < 1e-5 * peak
    assert np.abs(sound[onset : onset + HOP]).max() > 0.1 * peak


# ---- the pieces


def test_the_transform_of_a_sound_gives_it_back_inside():
    transform = Transform(2048, 512)
    sound = torch.randn(9 * 512 + 2048, generator=torch.Generator().manual_seed(0))
    again = transform.synthesise(transform.analyse(sound))
    inside = slice(2048 - 512, -2048 + 512)
    torch.testing.assert_close(again[inside], sound[inside], rtol=1e-5, atol=1e-5)


def test_phases_of_a_stretch_depend_on_no_frame_beyond_its_context(small_config):
    projection = Projection(small_config)
    transform, context, n_frames = projection.transform, projection.context, 50
    generator = torch.Generator().manual_seed(1)
    magnitudes = torch.rand(n_frames, 1025, generator=generator)
    sound = torch.randn((n_frames - 1) * 512 + 2048, generator=generator)
    whole = project(transform, magnitudes, sound, projection.steps)
    changed, other = magnitudes.clone(), sound.clone()
    changed[:10], other[: 10 * 512] = 5.0, 0.0
    inside = slice(10 + context, None)
    after = project(transform, changed, other, projection.steps)
    torch.testing.assert_close(after[inside], whole[inside], rtol=1e-3, atol=1e-3)
    assert not torch.allclose(after[10:12], whole[10:12], atol=1e-2)


def test_a_sum_may_begin_before_zero_and_forgets_its_front():
    total = RunningSum(-4)
    total.add(1, np.ones(3, np.float32))
    total.add(0, np.ones(2, np.float32))
    np.testing.assert_array_equal(total.between(-2, 6), [0, 0, 1, 2, 1, 1, 0, 0])
    total.forget(2)
    total.add(3, np.ones(4, np.float32))
    np.testing.assert_array_equal(total.between(2, 8), [1, 2, 1, 1, 1, 0])
    total.forget(100)
    total.add(101, np.ones(1, np.float32))
    np.testing.assert_array_equal(total.between(100, 103), [0, 1, 0])
