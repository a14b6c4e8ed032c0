"""The command line on real files: train, evaluate, info, and errors that say what to do."""

import json
import shutil

import pytest

from experiments.clips import SHIPPED
from sparse_codec.__main__ import main

SMALL = """
[codec]
segment_samples = 32768
n_events = 3
horizon_frames = 40
[encode]
candidates = 2
refine = 1
[encoder]
mel_bands = 32
channels = 8
dilations = [1, 2]
pitches = 48
hidden = 16
[decoder]
harmonics = 8
noise_bands = 8
knots = [0, 2, 8, 32]
event_frames = 32
hidden = 16
[training]
steps = 3
batch = 2
pool = 4
"""


@pytest.fixture
def data(tmp_path):
    """Real clips in MusicNet's layout."""
    files = sorted((SHIPPED / "music").glob("bach*.flac"))
    for folder, chosen in (("train_data", files[:2]), ("test_data", files[2:3])):
        (tmp_path / "data" / folder).mkdir(parents=True)
        for number, file in enumerate(chosen):
            shutil.copy(file, tmp_path / "data" / folder / f"{number}.wav")  # libsndfile looks at the content
    return tmp_path / "data"


@pytest.fixture
def config(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)
    return tmp_path / "small.toml"


def test_train_evaluate_info(tmp_path, data, config, capsys):
    out = tmp_path / "run"
    assert main(["train", "--config", str(config), "--data", str(data), "--out", str(out)]) == 0
    checkpoint = str(out / "model.safetensors")
    assert main(["evaluate", checkpoint, "--data", str(data), "--each", "1", "--json", str(tmp_path / "e.json")]) == 0
    figures = json.loads((tmp_path / "e.json").read_text())
    assert figures["all"]["segments"] == 1 and len(figures["all"]["codec"]["l2"]) == 5
    assert 0 < figures["all"]["matching pursuit"]["l2"][0] < figures["all"]["matching pursuit"]["l2"][-1] < 1
    printed = capsys.readouterr().out
    assert "matching pursuit, L2" in printed and "silence" in printed
    assert main(["info", checkpoint]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == figures["checkpoint"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["evaluate", "nowhere.safetensors", "--data", "."], "no such checkpoint"),
        (["info", "nowhere.safetensors"], "no such checkpoint"),
        (["train", "--config", "nowhere.toml", "--data", ".", "--out", "x"], "nowhere.toml"),
    ],
)
def test_errors_are_one_line_and_exit_1(arguments, told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1 and error.startswith("error: ")


def test_data_that_is_missing_is_named(config, tmp_path, capsys):
    arguments = ["train", "--config", str(config), "--data", str(tmp_path / "none"), "--out", str(tmp_path / "run")]
    assert main(arguments) == 1
    assert "no such folder" in capsys.readouterr().err
