"""Train, freeze, evaluate on real files, and errors of all commands that say what to do."""

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
            # libsndfile looks at the content, not at the suffix
            shutil.copy(file, tmp_path / "data" / folder / f"{number}.wav")
    return tmp_path / "data"


@pytest.fixture
def config(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)
    return tmp_path / "small.toml"


@pytest.mark.slow
def test_train_freeze_evaluate_info(tmp_path, data, config, capsys):
    out = tmp_path / "run"
    files = (str(out / name) for name in ("model.safetensors", "m.json", "e.json"))
    checkpoint, manifest, figures = files
    assert main(["train", "--config", str(config), "--data", str(data), "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == checkpoint
    assert main(["freeze", "--data", str(data), "--each", "1", "--out", manifest]) == 0
    assert capsys.readouterr().out.startswith("1 segments of 1 files")
    options = ["--manifest", manifest, "--candidates", "1", "--refine", "2", "--json", figures]
    assert main(["evaluate", checkpoint, "--data", str(data), *options]) == 0
    results = json.loads((out / "e.json").read_text())
    assert results["all"]["segments"] == 1 and len(results["all"]["codec"]["l2"]) == 2
    assert (results["options"]["candidates"], results["options"]["refine"]) == (1, 2)
    shares = results["all"]["matching pursuit"]["l2"]
    assert 0 < shares[0] < shares[-1] < 1
    printed = capsys.readouterr().out
    assert "matching pursuit, L2" in printed and "silence" in printed
    assert main(["info", checkpoint, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == results["checkpoint"]


def test_a_run_may_start_from_a_checkpoint(tmp_path, data, config, checkpoint, capsys):
    folders = ["--data", str(data), "--out", str(tmp_path / "run")]
    start = ["train", "--config", str(config), *folders, "--start"]
    (tmp_path / "damaged.safetensors").write_bytes(b"none")
    for file, message in (
        (checkpoint, "its decoder has other parts"),  # its room has one reverberation time
        (str(tmp_path / "damaged.safetensors"), "damaged.safetensors: not a checkpoint"),
        ("nowhere", "nowhere: no such checkpoint"),
    ):
        assert main([*start, file]) == 1
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1
    frames = "event_frames = 32"
    config.write_text(SMALL.replace(frames, f"{frames}\nreverberation = [0.3]"))
    assert main([*start, checkpoint]) == 0


def test_the_evaluation_set_is_of_held_out_works_and_of_all_foreign_ones(tmp_path, data, capsys):
    shutil.copytree(data / "train_data", tmp_path / "foreign")
    out = tmp_path / "m.json"
    folders = ["--data", str(data), "--foreign", str(tmp_path / "foreign")]
    assert main(["freeze", *folders, "--out", str(out)]) == 0
    files = json.loads(out.read_text())["files"]
    names = [(file["name"], file["foreign"]) for file in files]
    assert names == [("0.wav", False), ("0.wav", True), ("1.wav", True)]
    assert "of 3 files" in capsys.readouterr().out


GONE = {  # a file in a manifest
    "name": "gone.wav",
    "group": "a",
    "work": "a",
    "foreign": False,
    "sha256": "0",
    "starts": [0.0],
}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("evaluate nowhere.safetensors --data .", "no such checkpoint"),
        ("evaluate CHECKPOINT --data .", "small.manifest.json"),
        (
            "evaluate CHECKPOINT --data . --manifest empty.json",
            "empty.json: not an evaluation manifest",
        ),
        (
            "evaluate CHECKPOINT --data DATA --manifest other.json",
            "not in --data, or differ: gone.wav",
        ),
        ("words CHECKPOINT --data DATA", "no transcripts in --data"),
        ("freeze --data nowhere --out m.json", "no such folder"),
        ("info nowhere.safetensors", "no such checkpoint"),
        ("info empty.json", "neither .events nor JSON"),
        ("info empty.safetensors", "not a checkpoint"),
        ("evaluate CHECKPOINT --data . --json gone/e.json", "there is no folder gone"),
        (
            "evaluate CHECKPOINT --data . --rivals gone.json",
            "gone.json: no results of an evaluation",
        ),
        ("evaluate CHECKPOINT --data . --rivals empty.json", "give a file that --json wrote"),
        ("priors CHECKPOINT --data nowhere", "no such folder"),
        ("train --config nowhere.toml --data . --out x", "nowhere.toml"),
        ("train --config empty.json --data nowhere --out x", "no such folder"),
        ("train --config misspelt.toml --data . --out x", "did you mean 'steps'"),
    ],
)
def test_errors_are_one_line_and_exit_1(
    command, message, capsys, tmp_path, monkeypatch, data, checkpoint
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.json").write_text("")
    (tmp_path / "empty.safetensors").write_text("")
    (tmp_path / "misspelt.toml").write_text("[training]\nstep = 3")
    manifest = {"format": "evaluation manifest 1", "files": [GONE]}
    (tmp_path / "other.json").write_text(json.dumps(manifest))
    places = {"CHECKPOINT": checkpoint, "DATA": str(data)}
    assert main([places.get(argument, argument) for argument in command.split()]) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and error.startswith("error: ")


@pytest.mark.parametrize(
    "arguments", [["--steps", "0"], ["--minutes", "-1"], ["--steps", "2", "--minutes", "1"]]
)
def test_a_length_that_makes_no_sense_is_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["train", "--config", "a.toml", "--data", ".", "--out", "x", *arguments])
    assert stopped.value.code == 2 and "usage:" in capsys.readouterr().err


def test_data_that_is_missing_is_named(config, tmp_path, capsys):
    folders = ["--data", str(tmp_path / "none"), "--out", str(tmp_path / "run")]
    assert main(["train", "--config", str(config), *folders]) == 1
    assert "no such folder" in capsys.readouterr().err
