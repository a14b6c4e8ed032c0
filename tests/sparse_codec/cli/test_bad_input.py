"""Odd and broken files at the command line: results, errors, and the files that are left after."""

import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from sparse_codec import SparseCodec
from sparse_codec.__main__ import main

RATE = 22_050
FAST = ["--lossless", "--fast", "--events", "2"]


@pytest.fixture
def run(tmp_path, monkeypatch, checkpoint, capsys):
    """A command on files in an empty folder; it returns the exit code, the output, the errors."""
    monkeypatch.chdir(tmp_path)

    def command(name: str, *arguments: str) -> tuple[int, str, str]:
        more = ["--model", checkpoint] if name != "data" else []
        code = main([name, *arguments, *more, *(FAST if name == "encode" else [])])
        return code, *capsys.readouterr()

    return command


def noise(n_samples: int, channels: int = 1) -> np.ndarray:
    return 0.1 * np.random.default_rng(0).normal(size=(n_samples, channels))


def square(n_samples: int) -> np.ndarray:
    return np.where(np.arange(n_samples) % 100 < 50, 1.0, -1.0)


ACCEPTED = {  # name: samples, samplerate, libsndfile's name of the format
    "one sample": (np.array([0.5]), RATE, "PCM_16"),
    "silence": (np.zeros(RATE), RATE, "PCM_16"),
    "a constant": (np.full(RATE, 0.7), RATE, "PCM_16"),
    "a square wave at full scale": (square(RATE), RATE, "PCM_16"),
    "over full scale": (3 * square(RATE), RATE, "FLOAT"),
    "denormal numbers": (np.full(RATE, 1e-40), RATE, "FLOAT"),
    "8 kHz": (noise(8_000), 8_000, "PCM_16"),
    "192 kHz": (noise(192_000), 192_000, "PCM_16"),
    "8 bits": (noise(RATE), RATE, "PCM_U8"),
    "24 bits": (noise(RATE), RATE, "PCM_24"),
    "float": (noise(RATE), RATE, "FLOAT"),
    "double": (noise(RATE), RATE, "DOUBLE"),
    **{f"{n} channels": (noise(RATE, n), RATE, "PCM_16") for n in range(1, 9)},
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_odd_sound_is_coded_and_comes_back_finite_and_as_long(run, tmp_path, name):
    samples, rate, subtype = ACCEPTED[name]
    sf.write(tmp_path / "in.wav", samples, rate, subtype=subtype)
    assert run("encode", "in.wav", "-o", "in.events")[0] == 0
    code, _, _ = run("decode", "in.events", "-o", "out.wav")
    sound, out_rate = sf.read(tmp_path / "out.wav")
    assert code == 0 and out_rate == RATE and sound.ndim == 1
    assert len(sound) == round(len(samples) * RATE / rate) and np.isfinite(sound).all()
    if name in ("silence", "denormal numbers"):
        assert not sound.any()


def wav(samples, subtype: str = "PCM_16") -> bytes:
    sf.write("whole.wav", samples, RATE, subtype=subtype)
    data = Path("whole.wav").read_bytes()
    os.remove("whole.wav")
    return data


def flac_with_flipped_bytes() -> bytes:
    sf.write("whole.flac", noise(5 * RATE), RATE)
    data = bytearray(Path("whole.flac").read_bytes())
    os.remove("whole.flac")
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(255 - byte for byte in data[middle : middle + 3000])
    return bytes(data)


def text() -> bytes:
    return b"these are words\n" * 100


def not_finite(value: float):
    return "in.wav", lambda: wav(np.array([0, 0, value]), "FLOAT"), "in.wav: holds NaN or infinity"


UNREADABLE = "cannot be read as audio"
REFUSED = {  # name: file's name, its bytes (None: there is no such file), the error
    "a missing file": ("gone.wav", None, "gone.wav: no such file; check the name"),
    "an empty file": ("in.wav", lambda: b"", "in.wav: is an empty file"),
    "a file without samples": ("in.wav", lambda: wav(np.zeros(0)), "in.wav: holds no samples"),
    "a header that is cut": ("in.wav", lambda: wav(noise(RATE))[:20], f"in.wav: {UNREADABLE}"),
    "text": ("in.wav", text, f"in.wav: {UNREADABLE}"),
    "text with no suffix": ("notes", text, f"notes: {UNREADABLE}"),
    "flipped bytes": ("in.flac", flac_with_flipped_bytes, "in.flac: is damaged"),
    "raw samples": ("in.raw", lambda: bytes(1000), f"in.raw: {UNREADABLE}"),
    **{str(value): not_finite(value) for value in (np.nan, np.inf, -np.inf)},
}


@pytest.mark.parametrize("name", REFUSED)
def test_files_that_are_no_sound_are_refused_in_one_line_with_the_fix(run, tmp_path, name):
    file, content, message = REFUSED[name]
    if content:
        (tmp_path / file).write_bytes(content())
    before = {p.name for p in tmp_path.iterdir()}
    code, _, error = run("encode", file, "-o", "out.events")
    assert code == 1 and error.startswith(f"error: {message}")
    assert error.count("\n") == 1 and ";" in error
    assert {p.name for p in tmp_path.iterdir()} == before


PLACES = {  # name: output, the error
    "a folder that is not there": (
        "none/out.events",
        "none/out.events: there is no folder none; make it first",
    ),
    "a file in the place of a folder": (
        "file/out.events",
        "file/out.events: there is no folder file",
    ),
    "a suffix that nobody knows": (
        "out.xyz",
        "out.xyz: tells no format that can be written here; end it with .events",
    ),
    "no suffix": ("out", "out: tells no format"),
    "no name": ("", "an input or the output is empty text; name a file or a folder"),
}


@pytest.mark.parametrize("name", PLACES)
def test_an_output_that_can_not_be_is_refused_before_the_work(run, tmp_path, name, monkeypatch):
    sf.write(tmp_path / "in.wav", noise(RATE), RATE)
    (tmp_path / "file").touch()
    monkeypatch.setattr(SparseCodec, "stream", lambda *_: pytest.fail("work was begun"))
    code, _, error = run("encode", "in.wav", "-o", PLACES[name][0])
    assert code == 1 and error.startswith(f"error: {PLACES[name][1]}") and error.count("\n") == 1


@pytest.mark.parametrize("out", ["out/", "out.events"])
def test_a_folder_without_audio_is_refused(run, tmp_path, out):
    (tmp_path / "songs").mkdir()
    (tmp_path / "songs" / "notes.txt").touch()
    code, _, error = run("encode", "songs", "-o", out)
    assert code == 1 and error.count("\n") == 1
    assert error.startswith("error: songs: holds no file to work on (.aif")


def test_a_file_in_the_place_of_the_output_folder_is_refused(run, tmp_path):
    (tmp_path / "songs").mkdir()
    sf.write(tmp_path / "songs" / "in.wav", noise(RATE), RATE)
    (tmp_path / "out").touch()
    code, _, error = run("encode", "songs", "-o", "out")
    assert code == 1 and "error: out: no folder can be made there" in error


@pytest.mark.parametrize("suffix", ["events", "json", "mid"])
def test_a_full_disk_is_said_and_nothing_half_written_stays(run, tmp_path, suffix):
    sf.write(tmp_path / "in.wav", noise(RATE), RATE)
    (tmp_path / f"out.{suffix}.part").symlink_to("/dev/full")
    code, _, error = run("encode", "in.wav", "-o", f"out.{suffix}")
    reason = "cannot be written (No space left on device); make room"
    assert code == 1 and error.startswith(f"error: out.{suffix}: {reason}")
    assert [p.name for p in tmp_path.iterdir()] == ["in.wav"]


def test_a_device_is_written_to_and_stays_a_device(run, tmp_path):
    sf.write(tmp_path / "in.wav", noise(RATE), RATE)
    (tmp_path / "full.events").symlink_to("/dev/full")
    code, _, error = run("encode", "in.wav", "-o", "full.events")
    assert code == 1 and "full.events: cannot be written (No space left on device)" in error
    assert (tmp_path / "full.events").is_char_device()


# ---- runs that are interrupted


@pytest.fixture
def songs(tmp_path):
    (tmp_path / "songs").mkdir()
    for name in ("a", "b", "c"):
        sf.write(tmp_path / "songs" / f"{name}.wav", noise(3 * RATE), RATE)
    return tmp_path / "songs"


def test_an_interrupted_run_leaves_whole_files_and_the_next_goes_on(
    run, songs, tmp_path, monkeypatch
):
    stream, n_begun = SparseCodec.stream, 0

    def interrupted(codec, blocks, options):
        nonlocal n_begun
        n_begun += 1
        windows = stream(codec, blocks, options)
        yield next(windows)
        if n_begun == 2:
            raise KeyboardInterrupt
        yield from windows

    monkeypatch.setattr(SparseCodec, "stream", interrupted)
    code, _, error = run("encode", "songs", "-o", "out", "--jobs", "1")
    assert code == 130 and error.startswith("interrupted; ") and error.count("\n") == 1
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["a.events"]
    whole = (tmp_path / "out" / "a.events").stat().st_mtime_ns

    code, _, error = run("encode", "songs", "-o", "out")
    assert code == 0 and error == "out/a.events is there; --force makes it again\n"
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"a.events", "b.events", "c.events"}
    assert (tmp_path / "out" / "a.events").stat().st_mtime_ns == whole


@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_killed_process_leaves_nothing_under_the_final_name(tmp_path, checkpoint, run, kind):
    sf.write(tmp_path / "long.wav", noise(120 * RATE), RATE)
    command = ["encode", "long.wav", "-o", "long.events", "--lossless", "--model", checkpoint]
    # A process in the background ignores SIGINT, unless it is told not to.
    heeded = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(
        [sys.executable, "-m", "sparse_codec", *command],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heeded,
    )
    part = tmp_path / "long.events.part"
    while not (part.exists() and part.stat().st_size > 1000):  # a window has been written
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(kind)
    error = process.communicate()[1]
    assert not (tmp_path / "long.events").exists()
    if kind != signal.SIGKILL:
        assert process.returncode == 128 + kind
        assert error.startswith("interrupted; ") and "Traceback" not in error
        assert not part.exists()
    sf.write(tmp_path / "long.wav", noise(RATE), RATE)
    assert run("encode", "long.wav", "-o", "long.events")[0] == 0
    assert {p.name for p in tmp_path.iterdir()} == {"long.wav", "long.events"}


# ---- files that are no event sets


BROKEN = {  # name: file's name, its text, the error
    "a missing file": ("gone.json", None, "gone.json: cannot be read (No such file or directory)"),
    "no JSON": ("in.json", "{", "in.json: neither .events nor JSON"),
    "a list": ("in.json", "[1, 2]", "in.json: JSON, but no event set"),
    "another object": ("in.json", "{}", "in.json: event set lacks"),
    "an edit of a page": (
        "in.json",
        '{"schema": 1, "events": []}',
        "in.json: an edit that a page exported",
    ),
    "no events": ("in.events", "words", "in.events: not an .events file"),
    "another checkpoint": (
        "in.json",
        '{"checkpoint": "abc"}',
        "in.json: made with the checkpoint abc",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_no_event_set_is_refused(run, tmp_path, name):
    file, text, message = BROKEN[name]
    if text is not None:
        (tmp_path / file).write_text(text)
    code, _, error = run("render", file, "-o", "out.wav")
    assert code == 1 and error.startswith(f"error: {message}") and error.count("\n") == 1
    assert not (tmp_path / "out.wav").exists()


def test_json_is_not_decoded_but_rendered(run, tmp_path):
    (tmp_path / "set.json").write_text("{}")
    code, _, error = run("decode", "set.json", "-o", "out.wav")
    message = "error: set.json: not an .events file; give one, or JSON to `render`\n"
    assert (code, error) == (1, message)


def test_an_edit_of_a_page_is_told_its_command(run, tmp_path):
    (tmp_path / "my edit.json").write_text('{"schema": 1, "events": []}')
    assert (
        "python -m report mix 'my edit.json'" in run("render", "my edit.json", "-o", "out.wav")[2]
    )
