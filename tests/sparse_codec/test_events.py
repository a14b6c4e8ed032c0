"""Event sets: the values that they accept, and the changes that each edit makes."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparse_codec import EventSet
from sparse_codec.events import PARTS, join


def event_set(seed: int, n_events: int, hop: int = 512) -> EventSet:
    rng = np.random.default_rng(seed)
    return EventSet(
        vectors=rng.uniform(-0.9, 0.9, (n_events, 32)).astype(np.float32),
        frames=rng.integers(0, 128, n_events),
        offsets=rng.uniform(-0.5, 0.5, n_events).astype(np.float32),
        gains=rng.uniform(0.1, 5, n_events).astype(np.float32),
        n_samples=2**16,
        samplerate=22_050,
        hop=hop,
    )


@pytest.fixture
def events() -> EventSet:
    return event_set(seed=0, n_events=7)


@pytest.fixture
def others() -> EventSet:
    return event_set(seed=1, n_events=5)


def same(a: EventSet, b: EventSet, *names: str) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names or PARTS)


# ---- as JSON


def test_json_keeps_every_bit(events):
    again = EventSet.from_json(json.dumps(events.to_json()))
    assert same(events, again)
    assert (again.n_samples, again.samplerate, again.hop) == (2**16, 22_050, 512)
    assert again.vectors.dtype == np.float32 and again.frames.dtype == np.int64


def test_an_empty_set_survives_json(events):
    none = EventSet.from_json(json.dumps(events.select(slice(0, 0)).to_json()))
    assert len(none) == 0 and none.vectors.shape == (0, 32) and none.n_samples == events.n_samples


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not the JSON"),
        ("[" * 100_000, "not the JSON"),
        ("[]", "lacks all its keys"),
        ("{}", "lacks .*gains"),
    ],
)
def test_text_that_is_no_event_set_is_refused_in_words(text, message):
    with pytest.raises(ValueError, match=message):
        EventSet.from_json(text)


VECTOR = [0.0] * 32


@pytest.mark.parametrize(
    ("edited", "message"),
    [
        ({"frames": [1]}, "equally long"),
        ({"gains": 3.0}, "gains that are not a list"),
        ({"gains": [[1.0]] * 7}, "equally long"),
        ({"vectors": [0.0] * 7}, "vector_size = 32"),
        ({"gains": ["loud"] * 7}, "gains that are not a list of numbers"),
        ({"gains": [None] * 7}, "gains that are not a list of numbers"),
        ({"gains": [1, 1, 1, -0.5, 1, 1, 1]}, "event 3: gain = -0.5"),
        ({"gains": [1, 1, 1, 1, 1, 1, float("nan")]}, "event 6: gain = nan"),
        ({"gains": [1e300] * 7}, "event 0: gain = inf"),
        ({"frames": [0.5] * 7}, "frames that are not a list of whole numbers"),
        ({"frames": [0, -1, 0, 0, 0, 0, 0]}, "event 1: frame = -1"),
        ({"frames": [2**31] * 7}, "event 0: frame = 2147483648"),
        ({"frames": [2**70] * 7}, "frames that are not a list of whole numbers"),
        ({"offsets": [0.6] * 7}, "event 0: offset = 0.6"),
        ({"vectors": [VECTOR] * 6 + [[2.0] * 32]}, "event 6: vector = 2"),
        ({"vectors": [VECTOR] * 6 + [[0.0]]}, "vectors of unequal lengths"),
        ({"vectors": [[0.0] * 31] * 7}, "vector_size = 32"),
        ({"vector_size": "32"}, "vector_size = '32'"),
        ({"samplerate": 0}, "samplerate = 0; it must be a whole number from 1"),
        ({"hop": 1.5}, "hop = 1.5; it must be a whole number"),
        ({"n_samples": True}, "n_samples = True"),
        ({"n_samples": 10**30}, "n_samples = 1000"),
    ],
    ids=str,
)
def test_an_impossible_value_is_named(events, edited, message):
    with pytest.raises(ValueError, match=message):
        EventSet.from_json(events.to_json() | edited)


def test_a_missing_key_is_named(events):
    with pytest.raises(ValueError, match="gains"):
        EventSet.from_json({k: v for k, v in events.to_json().items() if k != "gains"})


# ---- as arrays


def test_lists_and_arrays_of_other_kinds_become_those_of_an_event_set(events):
    parts = {name: getattr(events, name) for name in PARTS}
    floats = {name: parts[name].astype(np.float64) for name in ("vectors", "offsets", "gains")}
    lists = {name: value.tolist() for name, value in parts.items()}
    for given_parts in (parts | floats, lists):
        again = EventSet(**given_parts, n_samples=2**16, samplerate=22_050, hop=512)
        assert same(again, events)
        assert again.vectors.dtype == np.float32 and again.frames.dtype == np.int64


def test_a_frame_between_two_is_refused(events):
    with pytest.raises(ValueError, match="frames that are not a list of whole numbers"):
        EventSet(
            events.vectors, events.frames + 0.5, events.offsets, events.gains, 2**16, 22_050, 512
        )


# ---- times


def test_onsets_are_frames_and_offsets_in_samples(events):
    assert np.abs(events.onsets - (events.frames + events.offsets) * 512).max() <= 0.5
    early = events.select([0])
    early.frames[0], early.offsets[0] = 0, -0.5
    assert early.onsets[0] == 0  # never before the clip


@settings(derandomize=True, deadline=None)
@given(hop=st.integers(1, 2000), onsets=st.lists(st.integers(0, 2**40), min_size=7, max_size=7))
def test_events_start_at_the_very_sample_they_are_put_at(hop, onsets):
    onsets = [min(onset, hop * (2**31 - 2)) for onset in onsets]
    assert event_set(0, 7, hop).at(np.array(onsets)).onsets.tolist() == onsets


@settings(derandomize=True, deadline=None)
@given(samples=st.integers(0, 10**7))
def test_a_shift_is_exact_to_the_sample_and_the_clip_grows_with_it(samples):
    events = event_set(0, 7)
    moved = events.shift(samples / 22_050)
    assert (moved.onsets - events.onsets).tolist() == [samples] * 7
    assert moved.n_samples == events.n_samples + samples and same(events, moved, "vectors", "gains")


def test_events_that_would_start_before_the_clip_are_left_out(events):
    first = np.sort(events.onsets)[1] + 1  # two events start before it
    moved = events.shift(-first / 22_050)
    assert (moved.onsets == events.onsets[events.onsets >= first] - first).all() and len(moved) == 5
    assert moved.n_samples == events.n_samples


def test_a_shift_of_some_leaves_the_others_where_they_are(events):
    moved = events.shift(0.1, index=events.gains > 2)
    assert (moved.onsets - events.onsets).tolist() == np.where(events.gains > 2, 2205, 0).tolist()
    last = events.onsets.argmax()
    assert events.shift(1.0, index=[last]).n_samples == events.n_samples + 22_050
    earliest = events.onsets.argmin()
    assert events.shift(0.01, index=[earliest]).n_samples == events.n_samples  # nothing ends later


def test_random_times_stay_in_the_given_samples_and_change_nothing_else(events):
    varied = events.randomise_times(seed=1, until=2**15)
    assert same(events, varied, "vectors", "gains") and not same(events, varied, "frames")
    assert (varied.onsets >= 0).all() and (varied.onsets < 2**15).all()


def test_random_times_are_spread_over_the_whole_clip_by_default():
    onsets = event_set(seed=0, n_events=1000).randomise_times(seed=1).onsets
    assert 0 <= onsets.min() < 1000 and 2**16 - 1000 < onsets.max() < 2**16


def test_random_times_are_even_and_those_of_another_seed_have_nothing_in_common_with_them():
    many = event_set(seed=0, n_events=4000)
    times = [many.randomise_times(seed=seed).onsets / many.n_samples for seed in range(4)]
    shares = [np.histogram(each, bins=10, range=(0, 1))[0] / 4000 for each in times]
    np.testing.assert_allclose(shares, 0.1, atol=0.02)
    assert np.abs(np.corrcoef(times) - np.eye(4)).max() < 0.06
    assert np.abs(np.corrcoef(times[0][:-1], times[0][1:])[0, 1]) < 0.06


# ---- which events


def test_muting_is_the_opposite_of_selecting(events):
    for index in ([1, 3], events.gains > 2, slice(2, 4)):
        kept, muted = events.select(index), events.mute(index)
        assert len(kept) and len(muted) and len(kept) + len(muted) == 7
        assert set(kept.gains) | set(muted.gains) == set(events.gains)


def test_the_strongest_stay_in_the_order_they_were_in(events):
    kept = events.strongest(3)
    least = np.sort(events.gains)[-3]
    assert same(kept, events.select(events.gains >= least))
    assert len(events.strongest(0)) == 0 and same(events.strongest(100), events)
    with pytest.raises(ValueError, match="-1"):
        events.strongest(-1)


def test_a_merge_has_the_events_of_both_and_the_longer_clip(events, others):
    later = others.shift(1.0)
    both = events.merge(later)
    assert same(both.select(slice(0, 7)), events) and same(both.select(slice(7, None)), later)
    assert both.n_samples == others.n_samples + 22_050


@pytest.mark.parametrize("edit", [EventSet.merge, lambda a, b: a.interpolate(b, 0.5)])
def test_events_of_different_codecs_are_not_mixed(events, edit):
    with pytest.raises(ValueError, match="hop of 512 .*hop of 256 .*one codec"):
        edit(events, event_set(seed=1, n_events=5, hop=256))


def test_split_windows_join_to_the_same_events_and_keep_their_order(events):
    windows = list(events.split(n_frames=50))
    assert [w.n_samples for w in windows] == [25_600, 51_200, 65_536]
    assert same(join(windows), events.select(np.argsort(events.frames // 50, kind="stable")))


def test_events_after_the_clip_are_in_the_last_window(events):
    events = dataclasses.replace(events, n_samples=30_000)
    windows = list(events.split(n_frames=50))
    assert len(windows) == 2 and sum(map(len, windows)) == 7 and (events.frames >= 100).any()


# ---- sound and level


def test_gain_is_in_decibels(events):
    np.testing.assert_allclose(events.gain(20).gains, 10 * events.gains, rtol=1e-6)
    softer = events.gain(-6.0206, index=[2]).gains / events.gains
    np.testing.assert_allclose(softer, [1, 1, 0.5, 1, 1, 1, 1], rtol=1e-5)


def test_random_vectors_stay_in_the_range_of_the_originals(events):
    varied = events.randomise_vectors(seed=1)
    assert same(events, varied, "frames", "offsets", "gains")
    assert not same(events, varied, "vectors")
    assert events.vectors.min() <= varied.vectors.min()
    assert varied.vectors.max() <= events.vectors.max()


def test_a_perturbation_moves_all_vectors_alike_and_spares_the_numbers_given(events):
    moved = events.perturb(amount=0.05, seed=1, spare=(0,)).vectors - events.vectors
    np.testing.assert_allclose(moved, np.broadcast_to(moved[0], moved.shape), atol=1e-6)
    assert np.linalg.norm(moved[0]) == pytest.approx(0.05, rel=1e-3) and not moved[:, 0].any()
    with pytest.raises(ValueError, match="leaves no number"):
        events.perturb(0.1, seed=1, spare=tuple(range(32)))


# ---- between two


def test_at_the_ends_of_an_interpolation_are_the_two_sets(events, others):
    assert same(events.interpolate(others, 0), events)
    assert same(events.interpolate(others, 1), others)


def test_half_way_a_pair_is_half_way_in_onset_vector_and_decibels(events):
    order = [3, 1, 0, 2, 6, 5, 4]  # pairs are found whatever the order
    target = events.shift(440 / 22_050).gain(12).perturb(0.1, seed=0).select(order)
    between = events.interpolate(target, 0.5)
    assert (between.onsets == events.onsets + 220).all()
    np.testing.assert_allclose(between.gains, events.gain(6).gains, rtol=1e-5)
    np.testing.assert_allclose(between.vectors, events.perturb(0.05, seed=0).vectors, atol=1e-6)


def test_events_without_a_partner_fade(events, others):
    between = events.interpolate(others, 0.25)
    assert len(between) == 7 and between.n_samples == events.n_samples  # five pairs, two alone
    assert np.isin(between.gains[5:], (0.75 * events.gains).astype(np.float32)).all()
    late = others.shift(100.0)  # nothing is near
    fading = events.interpolate(late, 0.25)
    gains = np.concatenate([0.75 * events.gains, 0.25 * others.gains])
    np.testing.assert_allclose(fading.gains, gains, rtol=1e-6)
    assert fading.n_samples == late.n_samples


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_an_impossible_share_is_refused(events, others, share):
    with pytest.raises(ValueError, match="share"):
        events.interpolate(others, share)


# ---- all edits


@pytest.mark.parametrize(
    "edit",
    [EventSet.randomise_vectors, EventSet.randomise_times, lambda e, seed: e.perturb(1, seed)],
)
def test_random_edits_are_seeded(events, edit):
    one, again, other = (edit(events, seed=seed).to_json() for seed in (4, 4, 5))
    assert one == again != other


EDITS = {
    "select": lambda e: e.select([0, 2]),
    "mute": lambda e: e.mute([0]),
    "strongest": lambda e: e.strongest(2),
    "gain": lambda e: e.gain(3),
    "shift": lambda e: e.shift(0.3),
    "merge": lambda e: e.merge(e),
    "perturb": lambda e: e.perturb(0.3, seed=1),
    "randomise_vectors": lambda e: e.randomise_vectors(seed=1),
    "randomise_times": lambda e: e.randomise_times(seed=1),
    "interpolate": lambda e: e.interpolate(e.shift(1), 0.3),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_edits_change_something_but_not_the_events_they_are_made_of(events, edit):
    before = events.to_json()
    assert edit(events).to_json() != before == events.to_json()


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_no_events_can_be_edited(events, edit):
    none = events.mute(slice(None))
    by_index = edit in (EDITS["select"], EDITS["mute"])
    assert len(none if by_index else edit(none)) == 0


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e30])
@pytest.mark.parametrize(
    "edit", [EventSet.gain, EventSet.shift, lambda e, amount: e.perturb(amount, seed=0)]
)
def test_an_edit_by_an_impossible_number_is_refused(events, edit, bad):
    with pytest.raises(ValueError, match="give a number from"):
        edit(events, bad)


@pytest.mark.parametrize("edit", ["randomise_vectors", "randomise_times"])
def test_an_impossible_seed_is_named(events, edit):
    with pytest.raises(ValueError, match="seed = -1; it must be a whole number from 0"):
        getattr(events, edit)(seed=-1)
