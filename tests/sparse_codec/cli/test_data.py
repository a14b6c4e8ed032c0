"""Training audio made ready: a tree of mono FLAC files, without files that cannot be used."""

import numpy as np
import pytest
import soundfile as sf

from sparse_codec.__main__ import main
from sparse_codec.audio.files import load_audio
from sparse_codec.audio.recordings import find_recordings

RATE = 22_050


def tone(rate: int) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)


@pytest.fixture
def tree(tmp_path):
    """MusicNet's layout, with a file that is silent and one that is no audio."""
    for folder in ("train_data", "test_data", "train_labels"):
        (tmp_path / "set" / folder).mkdir(parents=True)
    sf.write(
        tmp_path / "set/train_data/1.wav",
        np.stack([tone(44_100), np.zeros(44_100)], axis=1),
        44_100,
    )
    sf.write(tmp_path / "set/train_data/2.wav", np.zeros(44_100), 44_100)
    (tmp_path / "set/train_data/3.wav").write_text("not audio")
    sf.write(tmp_path / "set/test_data/4.wav", tone(8_000), 8_000)
    (tmp_path / "set/train_labels/1.csv").write_text("start_time,end_time,note\n")
    return tmp_path


def test_a_data_set_keeps_its_tree_and_its_tables(tree, capsys):
    assert main(["prepare", str(tree / "set"), "-o", str(tree / "out")]) == 1
    files = {str(p.relative_to(tree / "out")) for p in (tree / "out").rglob("*") if p.is_file()}
    assert files == {"train_data/1.flac", "test_data/4.flac", "train_labels/1.csv"}
    train, test = sorted(find_recordings(tree / "out"), key=lambda r: r.path.stem)
    assert (train.split, test.split) == ("train", "test")
    assert train.labels == tree / "out/train_labels/1.csv"
    info = sf.info(train.path)
    assert (info.samplerate, info.channels, info.frames) == (RATE, 1, RATE)
    peak = np.abs(load_audio(train.path, RATE)).max()
    np.testing.assert_allclose(peak, 0.25, atol=0.01)  # the mean of two channels


def test_silent_and_bad_files_are_named(tree, capsys):
    main(["prepare", str(tree / "set"), "-o", str(tree / "out")])
    printed = capsys.readouterr()
    errors = printed.err.splitlines()
    assert [line for line in errors if "2.wav: is silent" in line and line.startswith("error: ")]
    assert [line for line in errors if "3.wav: cannot be read as audio" in line]
    assert errors[-1] == "2 of 4 files could not be used"
    assert f"{tree}/out/train_data/1.flac: 1.0 s" in printed.out.splitlines()  # and the good ones


def test_a_folder_is_not_made_into_itself(tree, capsys):
    sf.write(tree / "set/test_data/4.flac", tone(8_000), 8_000)
    (tree / "set/test_data/4.wav").unlink()
    assert main(["prepare", str(tree / "set"), "-o", str(tree / "set"), "--force"]) == 1
    assert "4.flac: would be overwritten by what is made of it" in capsys.readouterr().err


def test_a_second_run_makes_only_what_is_missing(tree, capsys):
    main(["prepare", str(tree / "set"), "-o", str(tree / "out")])
    kept, gone = tree / "out/train_data/1.flac", tree / "out/test_data/4.flac"
    before = kept.stat().st_mtime_ns
    gone.unlink()
    main(["prepare", str(tree / "set"), "-o", str(tree / "out")])
    assert gone.is_file() and kept.stat().st_mtime_ns == before
    assert f"{kept} is there; --force makes it again" in capsys.readouterr().err
    main(["prepare", str(tree / "set"), "-o", str(tree / "out"), "--force"])
    assert kept.stat().st_mtime_ns > before
