"""The precision of each code of time, and the events that come back from wrong times."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from experiments.measurements.compare_time_codes import (
    Scene,
    largest_error,
    recovery,
    summary,
    wrong,
)
from experiments.measurements.time_codes import CODES, Grid
from sparse_codec.model.events import Events


@pytest.fixture(scope="module")
def scene(small_codec) -> Scene:
    """Two events in one clip."""
    vectors = torch.rand(1, 2, 32, generator=torch.Generator().manual_seed(5)) - 0.5
    frames, gains = torch.tensor([[5, 20]]), torch.ones(1, 2)
    with torch.no_grad():
        original = small_codec.decoder.scene(
            Events(vectors, frames, torch.full((1, 2), 0.2), gains), 40
        )
    return Scene(vectors, gains, frames + 0.2, original)


@pytest.fixture(scope="module")
def grid(small_codec) -> Grid:
    return Grid(
        small_codec.config.segment_samples, small_codec.config.hop, small_codec.config.samplerate
    )


@pytest.mark.parametrize(("name", "share"), [("one-hot", 1), ("bits", 0)])
def test_a_one_hot_finds_its_frame_from_afar_and_bits_do_not(small_codec, scene, grid, name, share):
    assert recovery(name, small_codec, scene, grid, error=8)["found"] == share


def test_seconds_come_back_from_near(small_codec, scene, grid):
    assert recovery("seconds", small_codec, scene, grid, error=1)["found"] == 1


def test_wrong_times_are_as_wrong_as_said_and_inside():
    positions = torch.linspace(0, 63, 30, dtype=torch.double)
    moved = wrong(positions, 20, n_frames=64)
    torch.testing.assert_close((moved - positions).abs(), torch.full_like(moved, 20))
    assert moved.min() >= 0 and moved.max() <= 63
    assert {-1, 1} == set((moved - positions).sign().tolist())


def test_a_summary_counts_the_events_that_stay():
    away = np.array([[0.1, 3.0, 9.0], [2.0, 0.4, 9.0], [0.1, 0.3, 9.0], [0.0, 0.2, 8.0]])
    assert summary(away) == {"found": 0.667, "steps": 2, "frames_left": 0.2}


def test_seconds_get_worse_with_length_and_bits_do_not(grid):
    hour = replace(grid, n_samples=3600 * grid.samplerate)
    errors = {name: [largest_error(kind, g) for g in (grid, hour)] for name, kind in CODES.items()}
    assert max(errors["one-hot"]) < 1e-3 and max(errors["bits"]) <= 0.5
    assert errors["seconds"][0] < 0.01 < 1 < errors["seconds"][1]
