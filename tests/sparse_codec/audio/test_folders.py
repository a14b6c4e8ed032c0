"""One rule for the files below a folder."""

import os

import numpy as np
import pytest
import soundfile as sf

from sparse_codec import AudioError
from sparse_codec.__main__ import main
from sparse_codec.audio.folders import find_files
from sparse_codec.audio.recordings import find_recordings

RATE = 22_050


def tone(path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, 0.5 * np.sin(np.arange(RATE // 10)), RATE, format="WAV")


def names(folder, suffixes=(".wav",)) -> list[str]:
    return [str(path.relative_to(folder)) for path in find_files(folder, suffixes)]


@pytest.fixture
def tree(tmp_path):
    """A folder with two recordings, and much that is none."""
    folder = tmp_path / "data"
    for name in ("real/a.wav", "B.WAV", "._B.WAV", ".hidden/c.wav", "real/.d.wav", "notes.txt"):
        tone(folder / name)
    (folder / "take.wav").mkdir()
    return folder


def test_hidden_files_and_folders_are_no_recordings(tree):
    assert names(tree) == ["B.WAV", "real/a.wav"]
    assert [r.path.name for r in find_recordings(tree)] == ["B.WAV", "a.wav"]


def test_a_hidden_folder_can_be_named(tree):
    assert names(tree / ".hidden") == ["c.wav"]


def test_a_folder_named_like_a_file_is_a_folder(tree):
    tone(tree / "take.wav" / "one.wav")
    assert "take.wav/one.wav" in names(tree)


def test_links_are_followed(tree, tmp_path):
    tone(tmp_path / "elsewhere" / "b.wav")
    (tree / "linked").symlink_to(tmp_path / "elsewhere")
    (tree / "file.wav").symlink_to(tmp_path / "elsewhere" / "b.wav")
    assert names(tree) == ["B.WAV", "file.wav", "linked/b.wav", "real/a.wav"]


def test_a_link_back_to_a_folder_above_is_not_followed(tree):
    (tree / "real" / "again").symlink_to(tree)
    (tree / "self").symlink_to(tree / "self")
    assert names(tree) == ["B.WAV", "real/a.wav"]


def test_links_that_lead_nowhere_are_named(tree, caplog):
    (tree / "gone.wav").symlink_to(tree / "nothing.wav")
    (tree / "lost").symlink_to(tree / "nowhere")
    assert [r.path.name for r in find_recordings(tree)] == ["B.WAV", "a.wav"]
    for name in ("gone.wav", "lost"):
        assert f"{tree / name}: is a link that leads nowhere" in caplog.text


@pytest.mark.parametrize(("call", "at"), [("listdir", "real"), ("stat", "a.wav")])
def test_a_folder_that_may_not_be_read_is_named(tree, monkeypatch, call, at):
    """Its names, or what they are the names of."""
    real = getattr(os, call)

    def refused(path, **options):
        if str(path).endswith(at):
            raise PermissionError(13, "Permission denied")
        return real(path, **options)

    monkeypatch.setattr(os, call, refused)
    with pytest.raises(AudioError, match=r"real: cannot be read \(Permission denied\)"):
        names(tree)


def test_data_sets_follow_the_same_rule(tree, tmp_path):
    for place in ("train_data/1.wav", "train_data/._1.wav", "elsewhere/2.wav"):
        tone(tmp_path / "set" / place)
    (tmp_path / "set" / "test_data").symlink_to(tmp_path / "set" / "elsewhere")
    assert [(r.path.name, r.split) for r in find_recordings(tmp_path / "set")] == [
        ("1.wav", "train"),
        ("2.wav", "test"),
    ]


def test_prepare_follows_the_same_rule_and_fails_for_a_link_that_leads_nowhere(tree, capsys):
    (tree / "labels").mkdir()
    for name in ("x.csv", "._x.csv"):
        (tree / "labels" / name).write_text("a table")
    (tree / "loop").symlink_to(tree)
    (tree / "gone.wav").symlink_to(tree / "nothing.wav")
    out = tree.parent / "out"
    assert main(["prepare", str(tree), "-o", str(out)]) == 1
    made = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()}
    assert made == {"B.flac", "real/a.flac", "labels/x.csv"}
    error = capsys.readouterr().err
    assert f"error: {tree / 'gone.wav'}: is a link that leads nowhere" in error
    assert "1 of 3 files could not be used" in error
