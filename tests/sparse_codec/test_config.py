"""Configurations: read from TOML, and refused with the key, its value and the fix."""

import json
from pathlib import Path

import numpy as np
import pytest

import experiments
from sparse_codec import ConfigError, EncodeOptions, read_config
from sparse_codec.checkpoint import config_of
from sparse_codec.config import (
    FrameEncoderConfig,
    at_effort,
    at_quality,
    config_tables,
    parse_config,
)

CONFIGS = Path(experiments.__file__).parent / "configs"


@pytest.mark.parametrize("name", ["default", "paper"])
def test_a_configuration_survives_the_way_through_plain_values(name):
    config, training = read_config(CONFIGS / f"{name}.toml")
    assert parse_config(config_tables(config, training), name) == (config, training)


def test_paper_has_the_published_sizes():
    config, training = read_config(CONFIGS / "paper.toml")
    assert (config.window, config.hop, config.n_frames, config.n_bins) == (2048, 256, 512, 1025)
    assert isinstance(config.encoder, FrameEncoderConfig)
    assert (config.encoder.channels, config.encoder.dilations) == (512, (1, 2, 4, 8, 16, 32, 64, 1))
    assert (config.decoder.resonances, config.decoder.selected) == (4096, 4)
    assert (config.n_events, config.vector_size, config.gain) == (32, 32, "switch")
    assert (training.batch, training.learning_rate) == (2, 1e-4)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[codec]\nn_evnts = 3", "did you mean 'n_events'"),
        (
            "[codec]\nn_events = 'many'",
            "n_events = 'many': Expected `int`, got `str`; give a value such as 32",
        ),
        ("[codce]\n", "did you mean 'codec'"),
        ("[encoder]\nkind = 'magic'", "choose one of"),
        ("[codec]\ngain = 'loud'", "choose one of"),
        ("[encoder]\nkind = 'frame'", "go together"),
        ("[codec]\nsegment_samples = 1000", "multiple of twice the hop"),
        ("[codec", "not TOML"),
        ("[codec]\nhop = 0", r"\[codec\] hop = 0: Expected `int` >= 1; give a value such as 512"),
        ("[codec]\nhop = 64\nhorizon_frames = 1500", "hop = 64 must be a multiple of 128 for this"),
        ("[codec]\nwindow = 2000", "window = 2000 must be a multiple of twice the hop, 512"),
        ("[codec]\nhorizon_frames = 3", "horizon_frames = 3 must be from 128 to 256"),
        ("[encode]\ncandidates = 0", r"\[encode\] candidates = 0: Expected `int` >= 1"),
        ("[encode]\nstop = 3.0", "such as -10.0"),
        (
            "[encode]\nsmallest_share = 5.0",
            r"\[encode\] smallest_share = 5.0: Expected `float` < 1.0",
        ),
        ("[encode]\nsmallest_share = -0.1", "such as 0.001"),
        ("[encode]\nsmallest_share = nan", "such as 0.001"),
        ("[decoder]\nknots = [0, 5, 3, 128]", "must rise"),
        ("[codec]\nvector_size = 3\n[decoder]\nvibrato = 0.5\nscoop = 1.0", "at least 4"),
        ("[decoder]\nscoop = -1.0", "scoop"),
        ("encoder = 'harmonic'", "expected a table"),
        ("[encoder]\nchanels = 3", "did you mean 'channels'"),
        ("[encoder]\nknd = 'frame'", "did you mean 'kind'"),
        ("[encoder]\ndilations = [1, 2.5]", r"dilations = \[1, 2.5\]: Expected `int`, got `float`"),
        ("[training]\nbatch = 0", "batch = 0: Expected `int` >= 1"),
        ("[training]\npool = 13", "pool = 13 must be a multiple of batch = 12"),
    ],
)
def test_a_bad_configuration_is_named_with_its_fix(tmp_path, text, told):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=told) as error:
        read_config(path)
    assert "bad.toml" in str(error.value)


def test_options_are_checked_where_they_are_made():
    with pytest.raises(ConfigError, match="smallest_share = 1.5: Expected `float` < 1.0"):
        EncodeOptions(smallest_share=1.5)
    assert EncodeOptions(smallest_share=np.float64(0.5), candidates=np.int64(3)).candidates == 3


def test_a_missing_file_is_named():
    with pytest.raises(ConfigError, match="nowhere.toml"):
        read_config("nowhere.toml")


def test_efforts_change_refinement_and_how_often_the_encoder_looks():
    usual = EncodeOptions(candidates=3)
    assert at_effort(usual, "default") == usual
    fast, best = at_effort(usual, "fast"), at_effort(usual, "best")
    assert (fast.interim, fast.refine, fast.candidates) == (0, 0, 3)
    assert (fast.events_per_pass, best.events_per_pass) == (usual.events_per_pass, 1)
    assert best.refine > usual.refine and best.interim_every < usual.interim_every
    with pytest.raises(ConfigError, match="'better'; choose one of"):
        at_effort(usual, "better")


def test_points_of_quality_are_multiples_of_the_configurations_events():
    usual = EncodeOptions(interim_every=8)
    assert at_quality(usual, "sparse", 32) == usual
    medium, high = (at_quality(usual, name, 32) for name in ("medium", "high"))
    assert (medium.n_events, high.n_events) == (64, 128)
    assert high.n_events // high.interim_every == 32 // usual.interim_every  # refined as often
    fast = at_quality(at_effort(usual, "fast"), "high", 24)
    assert (fast.n_events, fast.refine) == (96, 0)
    with pytest.raises(ConfigError, match="'higher'; choose one of"):
        at_quality(usual, "higher", 32)


def test_the_fast_effort_refines_nothing_whatever_is_refined_otherwise():
    for options in (EncodeOptions(interim=15, refine=0), EncodeOptions(interim=0, refine=30)):
        fast = at_effort(options, "fast")
        assert fast.interim == fast.refine == 0


def test_a_system_that_refines_nothing_does_so_at_every_effort():
    published = read_config(CONFIGS / "paper.toml")[0].encode
    assert at_effort(published, "best") == published


def test_checkpoints_of_before_have_the_steps_of_today():
    """Their numbers of steps belong to an optimiser with smaller steps."""
    old = {"candidates": 5, "joint_gains": True, "interim": 20, "refine": 60}
    facts = {"config": json.dumps({"codec": {}, "encode": old})}
    assert config_of(facts, Path("old")).encode == EncodeOptions(candidates=5)
    for kept in (old | {"interim_every": 4}, old | {"interim": 0, "refine": 0}):
        facts = {"config": json.dumps({"codec": {}, "encode": kept})}
        assert config_of(facts, Path("new")).encode == EncodeOptions(**kept)


@pytest.mark.parametrize("text", ["[]", "3", '{"encode": 3}', '{"encode": []}'])
def test_facts_of_a_checkpoint_that_are_no_tables_are_refused_in_words(text):
    with pytest.raises(ConfigError, match="file.*expected a table"):
        config_of({"config": text}, Path("file"))
