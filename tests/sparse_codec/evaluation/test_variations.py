"""Variations change one thing of events, in the same way each time."""

import dataclasses

import numpy as np
import pytest

from sparse_codec import EncodeOptions
from sparse_codec.evaluation.variations import PERTURBATION, VARIATIONS, vary

COLUMNS = ("vectors", "onsets", "gains")


@pytest.fixture(scope="module")
def events(small_codec, music):
    options = EncodeOptions(candidates=2, interim=0, refine=0)
    events = small_codec.encode_segment(music[: 2**15], options)
    # away from the edge, where moves would be clipped
    return dataclasses.replace(events, vectors=0.5 * events.vectors)


def changed(events, varied) -> set[str]:
    pairs = {name: (getattr(events, name), getattr(varied, name)) for name in COLUMNS}
    return {name for name, pair in pairs.items() if not np.array_equal(*pair)}


@pytest.mark.parametrize(
    ("kind", "column"),
    [("random vectors", "vectors"), ("random times", "onsets"), ("perturbed", "vectors")],
)
def test_a_variation_changes_one_thing_and_is_always_the_same(small_codec, events, kind, column):
    varied = vary(small_codec, events, kind)
    assert len(events) and changed(events, varied) == {column}
    assert vary(small_codec, events, kind).to_json() == varied.to_json()
    assert np.isfinite(small_codec.decode(varied)).all()


def test_a_perturbation_leaves_the_pitch_alone(small_codec, events):
    moved = vary(small_codec, events, "perturbed").vectors - events.vectors
    assert not moved[:, 0].any() and (moved[:, 1:] != 0).all()
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), PERTURBATION, rtol=1e-4)


def test_random_times_are_in_the_first_half(small_codec, events):
    varied = vary(small_codec, events, "random times")
    assert (varied.onsets < small_codec.config.segment_samples // 2).all()


@pytest.mark.parametrize("kind", VARIATIONS)
def test_no_events_vary_to_no_events(small_codec, events, kind):
    assert len(vary(small_codec, events.select(slice(0, 0)), kind)) == 0
