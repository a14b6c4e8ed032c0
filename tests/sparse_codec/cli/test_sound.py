"""Sound to events and back at the command line, through files and pipes."""

import io
import json
import shutil
import subprocess
import sys
import threading
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from experiments.clips import SHIPPED
from sparse_codec import SparseCodec, load_audio
from sparse_codec.__main__ import main
from sparse_codec.coding.priors import priors_file

RATE = 22_050
QUICK = ["--fast", "--lossless"]


# ---- encode and decode


def test_a_file_is_coded_as_the_library_does_it(song, run, place, checkpoint):
    codec = SparseCodec.load(checkpoint)
    run("decode", "song.events", "-o", "again.flac")
    sound = load_audio("again.flac", RATE)
    assert len(song) and song.n_samples == 3 * RATE
    np.testing.assert_allclose(sound, codec.decode(song).clip(-1, 1), atol=1e-4)
    plain = codec.decode(song, consistent=False).clip(-1, 1)
    assert np.abs(sound - plain).max() > 0.01
    Path("song.json").write_text(json.dumps(song.to_json() | {"checkpoint": codec.digest}))
    for source, command in (("song.events", "decode"), ("song.json", "render")):
        run(command, source, "-o", "plain.flac", "--plain")
        np.testing.assert_allclose(load_audio("plain.flac", RATE), plain, atol=1e-4)
        run(command, source, "-o", "again.flac")
        np.testing.assert_array_equal(load_audio("again.flac", RATE), sound)


def test_a_line_says_how_large_a_file_became(run, place):
    message = run("encode", "song.wav", "-o", "song.events", *QUICK)
    assert message.startswith("song.events: ")
    assert "events of 3.0 s in" in message and "to 1 against 16-bit samples" in message
    assert run("decode", "song.events", "-o", "again.wav") == "again.wav: 3.0 s\n"


def test_json_lines_tell_the_sizes(run, place):
    facts = json.loads(run("encode", "song.wav", "-o", "song.events", "--json", *QUICK))
    n_bytes = (place / "song.events").stat().st_size
    assert facts["file"] == "song.wav" and facts["seconds"] == 3 and facts["bytes"] == n_bytes
    assert facts["bits_per_second"] == 8 * n_bytes / 3 and facts["ratio"] == 2 * 3 * RATE / n_bytes
    assert facts["events"] == json.loads(run("info", "song.events", "--json"))["events"] > 0


def test_options_reach_the_encoder(run, checkpoint):
    codec = SparseCodec.load(checkpoint)

    def n_events(*options: str) -> int:
        facts = run("encode", "song.wav", "-o", "song.events", "--json", *QUICK, *options)
        return json.loads(facts)["events"]

    windows = codec.n_windows(3 * RATE)
    assert n_events("--events", "1") == windows < n_events()
    assert n_events("--events", "6", "--stop", "-0.1") < n_events("--events", "6")
    assert n_events("--smallest-share", "50") < n_events()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--rate", "0"],
        ["--precision", "100"],
        ["--quality", "2"],
        ["--events", "-1"],
        ["--raw", "44100"],
        ["--smallest-share", "100"],
        ["--lossless", "--rate", "900"],
    ],
    ids=" ".join,
)
def test_options_that_make_no_sense_are_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["encode", "song.wav", "-o", "song.events", *arguments])
    assert stopped.value.code == 2 and "usage:" in capsys.readouterr().err


# ---- rounded, and as many bits as asked for; left and right


@pytest.fixture(scope="module")
def priors(checkpoint, tmp_path_factory) -> Path:
    """Priors of the checkpoint as the command fits them, in another folder."""
    command = ["priors", checkpoint, "--data", str(SHIPPED / "music"), "--excerpts", "2"]
    with redirect_stdout(io.StringIO()) as printed:
        assert main(command) == 0
    assert printed.getvalue() == f"{priors_file(checkpoint)}\n"
    return Path(shutil.move(priors_file(checkpoint), tmp_path_factory.mktemp("priors")))


@pytest.fixture
def fitted(priors, checkpoint):
    """Priors beside the checkpoint."""
    shutil.copy(priors, priors_file(checkpoint))
    yield
    priors_file(checkpoint).unlink()


def test_a_checkpoint_without_priors_is_told_the_command_that_fits_them(place, checkpoint, capsys):
    assert main(["encode", "song.wav", "-o", "song.events", "--model", checkpoint]) == 1
    assert f"python -m sparse_codec priors {checkpoint} --data" in capsys.readouterr().err
    assert not (place / "song.events").exists()


@pytest.fixture
def encoded(fitted, run):
    """Facts about song.events, encoded with some options."""

    def encode(*options: str) -> dict:
        facts = run("encode", "song.wav", "-o", "song.events", "--fast", "--json", *options)
        return json.loads(facts)

    return encode


def test_points_of_quality_have_more_events_and_bytes(encoded):
    sparse, medium, high = (encoded("--quality", name) for name in ("sparse", "medium", "high"))
    assert sparse == encoded()
    assert sparse["events"] < medium["events"] < high["events"]
    assert sparse["bytes"] < medium["bytes"] < high["bytes"]


def test_finer_numbers_take_more_bytes(encoded):
    options = (["--precision", "0.25"], [], ["--precision", "4"], ["--lossless"])
    sizes = [encoded(*option)["bytes"] for option in options]
    assert sizes == sorted(set(sizes))


def test_a_rate_decides_how_many_bits_there_are(encoded, run):
    low, high = encoded("--rate", "900"), encoded("--rate", "1800")
    overhead = 8 * 110 / 3  # header and end, of a clip of three seconds
    assert 500 < low["bits_per_second"] < 900 + overhead < high["bits_per_second"] < 1800 + overhead
    facts = json.loads(run("info", "song.events", "--json"))
    assert facts["events"] == high["events"] and facts["mode"] == "quantised"


def test_a_rate_that_the_events_do_not_need_is_told(fitted, run, place):
    message = run("encode", "song.wav", "-o", "song.events", "--fast", "--rate", "90000")
    assert "there was nothing to spend 90000 on" in message


def test_left_and_right_come_back_where_they_were(fitted, run, place, music):
    sides = np.stack([music[: 3 * RATE], np.zeros(3 * RATE)], axis=1)
    sf.write("sides.wav", sides, RATE)
    run("encode", "sides.wav", "-o", "sides.events", "--fast", "--stereo")
    assert json.loads(run("info", "sides.events", "--json"))["channels"] == 2
    run("decode", "sides.events", "-o", "again.wav")
    again, _ = sf.read("again.wav")
    left, right = (again**2).mean(axis=0)
    assert again.shape == sides.shape and left > 100 * right
    run("render", "sides.events", "-o", "sides.json")
    run("randomise", "sides.json", "-o", "other.flac", "--times")
    assert sf.info("other.flac").channels == 2


def test_midi_of_left_and_right_is_refused(place, checkpoint, music, capsys):
    sf.write("sides.wav", np.stack([music[:RATE]] * 2, axis=1), RATE)
    command = ["encode", "sides.wav", "-o", "sides.mid", "--fast", "--stereo"]
    assert main([*command, "--model", checkpoint]) == 1
    assert "sides.mid: MIDI has no left and right" in capsys.readouterr().err


# ---- pipes


@pytest.fixture
def start(place, checkpoint):
    """A function that starts a command in another process, with pipes."""
    processes = []

    def command(*arguments: str) -> subprocess.Popen:
        call = [sys.executable, "-m", "sparse_codec", *arguments, "--model", checkpoint]
        pipe = subprocess.PIPE
        processes.append(subprocess.Popen(call, stdin=pipe, stdout=pipe, stderr=pipe))
        return processes[-1]

    yield command
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_events_and_sound_come_out_of_pipes_that_stay_open(start, run, place):
    sound = io.BytesIO()
    sf.write(sound, load_audio("song.wav", RATE), RATE, format="WAV", subtype="PCM_16")
    header = bytearray(sound.getvalue())
    header[4:8] = header[40:44] = b"\xff" * 4  # as programs write them that do not know the end
    encode, decode = start("encode", "-", "-o", "-", *QUICK), start("decode", "-", "-o", "-")

    def pass_on() -> None:
        while data := encode.stdout.read1():
            decode.stdin.write(data)
            decode.stdin.flush()
        decode.stdin.close()

    threading.Thread(target=pass_on, daemon=True).start()
    encode.stdin.write(header)
    encode.stdin.flush()  # and is not closed: more may come
    wave = decode.stdout.read(44 + 2000)
    assert wave[:4] == b"RIFF" and any(wave[44:])
    assert encode.poll() is None and decode.poll() is None
    encode.stdin.close()
    wave += decode.stdout.read()
    assert encode.wait() == decode.wait() == 0
    Path("same.wav").write_bytes(sound.getvalue())  # song.wav is not of these samples
    run("encode", "same.wav", "-o", "same.events", *QUICK)
    run("decode", "same.events", "-o", "whole.wav")
    whole = sf.read("whole.wav", dtype="int16")[0]
    assert np.abs(np.frombuffer(wave[44:], "<i2") - whole).max() <= 2


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_error(start, song):
    decode = start("decode", "song.events", "-o", "-")
    decode.stdout.read(10)
    decode.stdout.close()
    assert b"Traceback" not in decode.stderr.read()
