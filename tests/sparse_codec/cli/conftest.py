"""Fixtures of commands: a folder with a song, a command that has to succeed, the song's events."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from sparse_codec import EventSet
from sparse_codec.__main__ import main
from sparse_codec.coding.formats import read_set

RATE = 22_050
QUICK = ["--fast", "--lossless"]


@pytest.fixture(scope="module")
def song_file(music, tmp_path_factory) -> Path:
    """Three seconds of music at 44,100 Hz."""
    path = tmp_path_factory.mktemp("song") / "song.wav"
    sf.write(path, np.repeat(music[: 3 * RATE], 2), 2 * RATE)
    return path


@pytest.fixture(scope="module")
def song_events(song_file, checkpoint) -> Path:
    """The events of the song, as the command line encodes them."""
    path = song_file.with_suffix(".events")
    assert main(["encode", str(song_file), "-o", str(path), "--model", checkpoint, *QUICK]) == 0
    return path


@pytest.fixture
def place(tmp_path, monkeypatch, song_file) -> Path:
    """A folder to work in, with song.wav."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(song_file, "song.wav")
    return tmp_path


@pytest.fixture
def run(place, checkpoint, capsys):
    """A command that has to succeed; it returns the printed text."""

    def command(name: str, *arguments: str) -> str:
        assert main([name, *arguments, "--model", checkpoint]) == 0
        return capsys.readouterr().out

    return command


@pytest.fixture
def song(place, song_events, checkpoint) -> EventSet:
    """The events of song.wav, which are in song.events."""
    shutil.copy(song_events, "song.events")
    return read_set("song.events", checkpoint)[0]
