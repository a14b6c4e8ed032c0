"""What the article "What we tried" measures: every switch is a configuration, and the measures work on a real clip."""

import json

import pytest

from experiments.ablate import PUBLISHED, SWITCHES, measure, tables_of
from experiments.clips import SHIPPED
from experiments.encoding_options import OPTIONS
from experiments.tried import ablation_table, read_figures
from report import ReportError
from sparse_codec import EncodeOptions, SparseCodec
from sparse_codec.config import parse_config
from sparse_codec.data import find_recordings


@pytest.mark.parametrize("name", [*SWITCHES, PUBLISHED])
def test_every_switch_is_a_configuration_of_its_own_that_builds(name):
    config, training = parse_config(tables_of(name, minutes=1.0), name)
    assert training.minutes == 1.0
    assert name == "default" or (config, training) != parse_config(tables_of("default", 1.0), "default")
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
    run = {"steps": 3, "greedy": [0.1, 0.1], "refined": [0.2, 0.2], "sound": [0.1, 0.0], "log_mel": 9.0, "seconds": 1.0}
    table = ablation_table({"minutes": 2, "runs": {"default": run, PUBLISHED: run}}, SWITCHES, PUBLISHED)
    assert len(table.rows) == 2 and all(len(row) == len(table.headers) for row in table.rows)


def test_missing_figures_name_the_command(tmp_path):
    with pytest.raises(ReportError, match="python -m experiments.ablate"):
        read_figures(tmp_path / "ablate.json")
