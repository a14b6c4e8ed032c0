"""Knots: the polyline of dynamic programming is the best there is."""

import itertools

import numpy as np
import pytest

from sparse_codec.model.knots import Polylines, heights


def error(curve, knots):
    line = np.stack([np.interp(np.arange(len(curve)), knots, y[list(knots)]) for y in curve.T], 1)
    return ((curve - line) ** 2).sum()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("longest", [3, 9])
def test_polylines_are_the_best_of_all(seed, longest):
    curve = np.random.default_rng(seed).normal(size=(9, 2))
    lines = Polylines(curve, longest)
    for n_segments in range(lines.fewest, 9):
        choices = [(0, *inner, 8) for inner in itertools.combinations(range(1, 8), n_segments - 1)]
        best = min(error(curve, k) for k in choices if max(np.diff(k)) <= longest)
        knots = lines.knots(n_segments)
        assert knots[0] == 0 and knots[-1] == 8 and max(np.diff(knots)) <= longest
        assert error(curve, knots) == pytest.approx(best)


def test_a_polyline_is_found_again_for_any_small_price():
    knots = [0, 4, 5, 11, 19]
    curve = np.interp(np.arange(20), knots, [0.0, 3.0, -1.0, 2.0, 2.5])[:, None]
    lines = Polylines(curve, 10)
    assert lines.knots(lines.cheapest(0.01)).tolist() == knots
    assert lines.fewest == 2
    assert heights(curve, np.array(knots))[:, 0] == pytest.approx([0.0, 3.0, -1.0, 2.0, 2.5])
