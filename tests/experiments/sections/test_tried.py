"""What the article "What we tried" measures: every switch is a configuration, and the measures work on a real clip."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from experiments.clips import SHIPPED
from experiments.measurements import compare_time_codes, second_decoder
from experiments.measurements.encoding_options import OPTIONS
from experiments.measurements.switches import PUBLISHED, SWITCHES, measure, tables_of
from experiments.measurements.time_codes import CODES, Grid
from experiments.sections.tried import (
    ablation_table,
    decoder_table,
    figures_of,
    precision_table,
    read_figures,
    recovery_table,
)
from report import ReportError
from sparse_codec import EncodeOptions, SparseCodec
from sparse_codec.audio.recordings import find_recordings
from sparse_codec.config import parse_config


@pytest.mark.parametrize("name", [*SWITCHES, PUBLISHED])
def test_every_switch_is_a_configuration_of_its_own_that_builds(name):
    config, training = parse_config(tables_of(name, minutes=1.0), name)
    assert training.minutes == 1.0
    assert name == "default" or (config, training) != parse_config(
        tables_of("default", 1.0), "default"
    )
    if name != PUBLISHED:
        SparseCodec(config)


def test_every_set_of_options_is_one():
    assert all(EncodeOptions(**changes) for changes in OPTIONS.values())


def test_a_model_is_measured_with_and_without_refinement(small_codec):
    figures = measure(small_codec, find_recordings(SHIPPED / "music")[:2])
    assert {"greedy", "refined", "sound", "log_mel", "seconds"} == set(figures)
    assert figures["refined"][0] >= figures["greedy"][0] - 0.02
    json.dumps(figures)


def test_a_table_has_a_row_for_each_run():
    run = {
        "steps": 3,
        "greedy": [0.1, 0.1],
        "refined": [0.2, 0.2],
        "sound": [0.1, 0.0],
        "log_mel": 9.0,
        "seconds": 1.0,
    }
    table = ablation_table(
        {"minutes": 2, "runs": {"default": run, PUBLISHED: run}}, SWITCHES, PUBLISHED
    )
    assert len(table.rows) == 2 and all(len(row) == len(table.headers) for row in table.rows)


def test_missing_figures_name_the_command(tmp_path):
    with pytest.raises(ReportError, match="python -m experiments.measurements.switches"):
        read_figures(tmp_path / "switches.json")


def test_figures_of_another_checkpoint_are_refused(small_codec, tmp_path):
    path, figures = tmp_path / "compare_time_codes.json", tmp_path / "small.safetensors"
    small_codec.save(figures)
    path.write_text(json.dumps({"checkpoint": "0" * 64}))
    advice = "of another checkpoint; run python -m experiments.measurements.compare_time_codes"
    with pytest.raises(ReportError, match=advice):
        figures_of(SparseCodec.load(figures), path)


# ---- the second decoder


def test_a_decoder_has_a_column_with_its_size_and_its_training(small_codec, tmp_path):
    path, history = (
        tmp_path / "small.safetensors",
        [{"step": 2, "seconds": 60, "l2": 0.1, "l1": 0.0}],
    )
    card = {
        "steps": 2,
        "hours": 0.05,
        "train_recordings": 5,
        "history": history,
        "training": {"minutes": 4.0},
    }
    small_codec.save(path, card)
    codec = SparseCodec.load(path)
    run = second_decoder.facts(codec) | measure(codec, find_recordings(SHIPPED / "music")[:1])
    assert run["parameters"] > run["decoder_parameters"] > 0 and run["history"] == history
    assert run["minutes"] == 4
    table = decoder_table({"segments": 1, "decoders": {second_decoder.kind_of(codec): run}})
    assert table.headers == ["", "harmonic"]
    assert ["Minutes until it was best", "3"] in table.rows and [
        "Steps until then",
        "2",
    ] in table.rows


# ---- time codes


@pytest.fixture(scope="module")
def scene(small_codec) -> compare_time_codes.Scene:
    """Two events in one clip."""
    vectors = torch.rand(1, 2, 32, generator=torch.Generator().manual_seed(5)) - 0.5
    frames, gains = torch.tensor([[5, 20]]), torch.ones(1, 2)
    with torch.no_grad():
        original = small_codec.decoder.scene(vectors, torch.full((1, 2), 0.2), frames, gains, 40)
    return compare_time_codes.Scene(vectors, gains, frames + 0.2, original)


@pytest.fixture(scope="module")
def grid(small_codec) -> Grid:
    return Grid(
        small_codec.config.segment_samples, small_codec.config.hop, small_codec.config.samplerate
    )


@pytest.mark.parametrize(("name", "found"), [("one-hot", 1), ("bits", 0)])
def test_a_one_hot_finds_its_frame_from_afar_and_bits_do_not(small_codec, scene, grid, name, found):
    assert compare_time_codes.recovery(name, small_codec, scene, grid, error=8)["found"] == found


def test_seconds_come_back_from_near(small_codec, scene, grid):
    assert compare_time_codes.recovery("seconds", small_codec, scene, grid, error=1)["found"] == 1


def test_wrong_times_are_as_wrong_as_said_and_inside():
    positions = torch.linspace(0, 63, 30, dtype=torch.double)
    moved = compare_time_codes.wrong(positions, 20, n_frames=64)
    torch.testing.assert_close((moved - positions).abs(), torch.full_like(moved, 20))
    assert moved.min() >= 0 and moved.max() <= 63
    assert {-1, 1} == set((moved - positions).sign().tolist())


def test_a_summary_counts_the_events_that_stay():
    away = np.array([[0.1, 3.0, 9.0], [2.0, 0.4, 9.0], [0.1, 0.3, 9.0], [0.0, 0.2, 8.0]])
    assert compare_time_codes.summary(away) == {"found": 0.667, "steps": 2, "frames_left": 0.2}


def test_seconds_get_worse_with_length_and_bits_do_not(grid):
    hour = replace(grid, n_samples=3600 * grid.samplerate)
    errors = {
        name: [compare_time_codes.largest_error(kind, g) for g in (grid, hour)]
        for name, kind in CODES.items()
    }
    assert max(errors["one-hot"]) < 1e-3 and max(errors["bits"]) <= 0.5
    assert errors["seconds"][0] < 0.01 < 1 < errors["seconds"][1]


def test_every_code_has_a_column_in_each_table():
    recovery = [
        {"found": 0.5, "steps": 3, "frames_left": 0.1},
        {"found": 0.0, "steps": None, "frames_left": 9.0},
    ]
    off, bits = {"segment": 0.25, "10 h": 7.4e-6}, {"plain": 17, "coded": 17.0}
    figures = {"errors": [1, 4], "events": 20, "steps": 60}
    figures["codes"] = {
        name: {"samples_off": off, "bits": bits, "recovery": recovery} for name in CODES
    }
    precision, recovered = precision_table(figures), recovery_table(figures)
    assert precision.headers == ["", *CODES] and recovered.headers == ["Frames off", *CODES]
    assert [row[1] for row in precision.rows] == ["0.25", "0.000007", "17", "17"]
    assert [row[:2] for row in recovered.rows] == [["1", "50 % (3)"], ["4", "0 %"]]
