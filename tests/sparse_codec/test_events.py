import json

import numpy as np
import pytest

from sparse_codec import EventSet
from sparse_codec.events import join, perturb, randomise_times, randomise_vectors


@pytest.fixture
def events() -> EventSet:
    rng = np.random.default_rng(0)
    return EventSet(
        vectors=rng.uniform(-0.9, 0.9, (7, 32)).astype(np.float32),
        frames=rng.integers(0, 128, 7),
        offsets=rng.uniform(-0.5, 0.5, 7).astype(np.float32),
        gains=rng.uniform(0.1, 5, 7).astype(np.float32),
        n_samples=2**16,
        samplerate=22_050,
        hop=512,
    )


def same(a: EventSet, b: EventSet, *names: str) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names)


def test_json_keeps_every_bit(events):
    again = EventSet.from_json(json.dumps(events.to_json()))
    assert same(events, again, "vectors", "frames", "offsets", "gains")
    assert (again.n_samples, again.samplerate, again.hop) == (2**16, 22_050, 512)
    assert again.vectors.dtype == np.float32 and again.frames.dtype == np.int64


def test_json_with_a_missing_key_or_unequal_lengths_is_named(events):
    values = events.to_json()
    with pytest.raises(ValueError, match="gains"):
        EventSet.from_json({k: v for k, v in values.items() if k != "gains"})
    with pytest.raises(ValueError, match="equally long"):
        EventSet.from_json(values | {"frames": [1]})


def test_an_empty_set_survives_json(events):
    none = EventSet.from_json(json.dumps(events.select(slice(0, 0)).to_json()))
    assert len(none) == 0 and none.vectors.shape == (0, 32) and none.n_samples == events.n_samples


def test_onsets_are_frames_and_offsets_in_samples(events):
    assert np.abs(events.onsets - (events.frames + events.offsets) * 512).max() <= 0.5
    early = events.select([0])
    early.frames[0], early.offsets[0] = 0, -0.5
    assert early.onsets[0] == 0  # never before the clip


def test_random_vectors_stay_in_the_range_of_the_originals(events):
    varied = randomise_vectors(events, seed=1)
    assert same(events, varied, "frames", "offsets", "gains") and not same(events, varied, "vectors")
    assert events.vectors.min() <= varied.vectors.min() and varied.vectors.max() <= events.vectors.max()


def test_random_times_stay_in_the_half_and_change_nothing_else(events):
    varied = randomise_times(events, seed=1, until=2**15)
    assert same(events, varied, "vectors", "gains") and not same(events, varied, "frames")
    assert (varied.onsets >= 0).all() and (varied.onsets < 2**15).all()


def test_a_perturbation_moves_all_vectors_alike(events):
    moved = perturb(events, amount=0.05, seed=1).vectors - events.vectors
    np.testing.assert_allclose(moved, np.broadcast_to(moved[0], moved.shape), atol=1e-6)
    assert np.linalg.norm(moved[0]) == pytest.approx(0.05, rel=1e-3)


@pytest.mark.parametrize("edit", [randomise_vectors, lambda e, seed: randomise_times(e, seed, 2**15)])
def test_edits_are_seeded_and_pure(events, edit):
    before = events.to_json()
    assert edit(events, seed=4).to_json() == edit(events, seed=4).to_json() != edit(events, seed=5).to_json()
    assert events.to_json() == before


def test_join_keeps_order(events):
    both = join([events.select(slice(0, 3)), events.select(slice(3, 7))])
    assert same(events, both, "vectors", "frames", "offsets", "gains")
