"""Every switch and every set of options is a configuration; the measure works on a real clip."""

import json

import pytest

from experiments.clips import SHIPPED
from experiments.measurements.encoding_options import OPTIONS
from experiments.measurements.switches import PUBLISHED, SWITCHES, measure, tables_of
from sparse_codec import EncodeOptions, SparseCodec
from sparse_codec.audio.recordings import find_recordings
from sparse_codec.config import parse_config


@pytest.mark.parametrize("name", [*SWITCHES, PUBLISHED])
def test_every_switch_is_a_configuration_of_its_own_that_builds(name):
    config, training = parse_config(tables_of(name, minutes=1.0), name)
    assert training.minutes == 1.0
    default = parse_config(tables_of("default", 1.0), "default")
    assert name == "default" or (config, training) != default
    if name != PUBLISHED:
        SparseCodec(config)


def test_every_set_of_options_is_one():
    assert all(EncodeOptions(**changes) for changes in OPTIONS.values())


def test_a_model_is_measured_with_and_without_refinement(small_codec):
    figures = measure(small_codec, find_recordings(SHIPPED / "music")[:2])
    assert {"greedy", "refined", "sound", "log_mel", "seconds"} == set(figures)
    assert figures["refined"][0] >= figures["greedy"][0] - 0.02
    json.dumps(figures)
