"""Sound to events and back at the command line: files, folders, pipes, and edits of event sets."""

import io
import json
import subprocess
import sys
import threading

import mido
import numpy as np
import pytest
import soundfile as sf

from experiments.clips import SHIPPED
from sparse_codec import EventSet, SparseCodec, load_audio
from sparse_codec.__main__ import main
from sparse_codec.coding.formats import read_set
from sparse_codec.coding.priors import priors_file

RATE = 22_050
QUICK = ["--fast", "--lossless"]


@pytest.fixture
def place(tmp_path, monkeypatch, music):
    """A folder to work in, with three seconds of music at 44,100 Hz."""
    monkeypatch.chdir(tmp_path)
    sf.write("song.wav", np.repeat(music[: 3 * RATE], 2), 2 * RATE)
    return tmp_path


@pytest.fixture
def run(place, checkpoint, capsys):
    """Runs a command that has to succeed; returns what it printed."""

    def command(name: str, *arguments: str) -> str:
        assert main([name, *arguments, "--model", checkpoint]) == 0
        return capsys.readouterr().out

    return command


@pytest.fixture
def song(run, checkpoint) -> EventSet:
    """The events of song.wav, which are in song.events."""
    run("encode", "song.wav", "-o", "song.events", *QUICK)
    return read_set("song.events", checkpoint)[0]


def same(one: EventSet, other: EventSet) -> bool:
    return one.to_json() == other.to_json()


def folder(path) -> set[str]:
    return {str(p.relative_to(path)) for p in path.rglob("*") if p.is_file()}


# ---- encode and decode


def test_a_file_is_coded_as_the_library_does_it(song, run, place, checkpoint):
    codec = SparseCodec.load(checkpoint)
    run("decode", "song.events", "-o", "again.flac")
    sound = load_audio("again.flac", RATE)
    assert len(song) and song.n_samples == 3 * RATE
    np.testing.assert_allclose(sound, codec.decode(song).clip(-1, 1), atol=1e-4)


def test_what_was_made_is_said(run, place):
    told = run("encode", "song.wav", "-o", "song.events", *QUICK)
    assert (
        told.startswith("song.events: ")
        and "events of 3.0 s in" in told
        and "to 1 against 16-bit samples" in told
    )
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
        return json.loads(
            run("encode", "song.wav", "-o", "song.events", "--json", *QUICK, *options)
        )["events"]

    windows = codec.n_windows(3 * RATE)
    assert n_events("--events", "1") == windows < n_events()
    assert n_events("--events", "6", "--stop", "-0.1") < n_events("--events", "6")
    assert n_events("--smallest-share", "50") < n_events()


def test_a_folder_keeps_its_tree_and_a_second_run_leaves_what_is_there(run, place, capsys):
    (place / "songs" / "deep").mkdir(parents=True)
    for name in ("songs/a.wav", "songs/deep/b.wav"):
        (place / name).write_bytes((place / "song.wav").read_bytes())
    run("encode", "songs", "-o", "out", *QUICK)
    assert folder(place / "out") == {"a.events", "deep/b.events"}
    first = (place / "out/a.events").stat().st_mtime_ns
    run("encode", "songs", "-o", "out", *QUICK)
    assert (place / "out/a.events").stat().st_mtime_ns == first
    run("encode", "songs", "-o", "out", "--force", *QUICK)
    assert (place / "out/a.events").stat().st_mtime_ns > first
    run("decode", "out", "-o", "sound", "--format", "ogg")
    assert folder(place / "sound") == {"a.ogg", "deep/b.ogg"}


def test_patterns_are_files_too(run, place):
    (place / "other.wav").write_bytes((place / "song.wav").read_bytes())
    run("encode", "*.wav", "-o", "out", *QUICK)
    assert folder(place / "out") == {"other.events", "song.events"}


def test_one_file_may_go_into_a_folder(run, place):
    run("encode", "song.wav", "-o", "out/", *QUICK)
    assert folder(place / "out") == {"song.events"}


def test_a_file_that_was_named_is_made_again(run, place):
    (place / "song.events").write_text("of another day")
    run("encode", "song.wav", "-o", "song.events", *QUICK)
    assert (place / "song.events").read_bytes() != b"of another day"


def test_a_bad_file_among_good_ones_is_passed_over(place, checkpoint, capsys):
    (place / "bad.wav").write_text("no sound")
    assert main(["encode", "bad.wav", "song.wav", "-o", "out", "--model", checkpoint, *QUICK]) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("error: bad.wav") and told[1] == "1 of 2 files could not be used"
    assert folder(place / "out") == {"song.events"}


def test_two_files_that_would_become_one_are_refused(place, checkpoint, capsys):
    (place / "song.flac").write_bytes((place / "song.wav").read_bytes())
    assert main(["encode", "song.wav", "song.flac", "-o", "out", "--model", checkpoint]) == 1
    assert "song.flac and song.wav would both become out/song.events" in capsys.readouterr().err


def test_a_file_given_twice_is_made_once(run, place, capsys):
    told = run("encode", "song.wav", "*.wav", "-o", "out", *QUICK)
    assert told.count("out/song.events: ") == 1 and folder(place / "out") == {"song.events"}


def test_several_files_do_not_go_into_one(place, checkpoint, capsys):
    (place / "other.wav").write_bytes((place / "song.wav").read_bytes())
    assert main(["encode", "song.wav", "other.wav", "-o", "all.events", "--model", checkpoint]) == 1
    assert (
        "all.events: is a file's name, but what comes of 2 files goes into a folder"
        in capsys.readouterr().err
    )
    assert folder(place) == {"other.wav", "song.wav"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--rate", "0"],
        ["--quality", "100"],
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


def test_every_command_has_help_with_an_example(capsys):
    commands = "encode decode info render perturb randomise morph data prepare train freeze evaluate words priors"
    for command in commands.split():
        with pytest.raises(SystemExit) as stopped:
            main([command, "--help"])
        assert (
            stopped.value.code == 0
            and f"example: sparse-codec {command} " in capsys.readouterr().out
        )


# ---- rounded, and as many bits as asked for; left and right


@pytest.fixture
def fitted(checkpoint, run, capsys):
    """Priors beside the checkpoint."""
    assert main(["priors", checkpoint, "--data", str(SHIPPED / "music"), "--excerpts", "2"]) == 0
    assert capsys.readouterr().out == f"{priors_file(checkpoint)}\n"
    yield
    priors_file(checkpoint).unlink()


def test_a_checkpoint_without_priors_is_told_the_command_that_fits_them(place, checkpoint, capsys):
    assert main(["encode", "song.wav", "-o", "song.events", "--model", checkpoint]) == 1
    assert f"python -m sparse_codec priors {checkpoint} --data" in capsys.readouterr().err
    assert not (place / "song.events").exists()


@pytest.fixture
def encoded(fitted, run):
    """Facts about song.events, encoded with some options."""

    def facts(*options: str) -> dict:
        return json.loads(
            run("encode", "song.wav", "-o", "song.events", "--fast", "--json", *options)
        )

    return facts


def test_finer_numbers_take_more_bytes(encoded):
    options = (["--quality", "0.25"], [], ["--quality", "4"], ["--lossless"])
    sizes = [encoded(*option)["bytes"] for option in options]
    assert sizes == sorted(set(sizes))


def test_a_rate_decides_how_many_bits_there_are(encoded, run):
    low, high = encoded("--rate", "900"), encoded("--rate", "1800")
    overhead = 8 * 110 / 3  # header and end, of a clip of three seconds
    assert 500 < low["bits_per_second"] < 900 + overhead < high["bits_per_second"] < 1800 + overhead
    told = json.loads(run("info", "song.events", "--json"))
    assert told["events"] == high["events"] and told["mode"] == "quantised"


def test_a_rate_that_the_events_do_not_need_is_told(fitted, run, place):
    told = run("encode", "song.wav", "-o", "song.events", "--fast", "--rate", "90000")
    assert "there was nothing to spend 90000 on" in told


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
    assert (
        main(
            ["encode", "sides.wav", "-o", "sides.mid", "--fast", "--stereo", "--model", checkpoint]
        )
        == 1
    )
    assert "sides.mid: MIDI has no left and right" in capsys.readouterr().err


# ---- pipes


@pytest.fixture
def start(place, checkpoint):
    """Starts a command in a process of its own, with pipes."""
    started = []

    def command(*arguments: str) -> subprocess.Popen:
        call = [sys.executable, "-m", "sparse_codec", *arguments, "--model", checkpoint]
        started.append(
            subprocess.Popen(
                call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        )
        return started[-1]

    yield command
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_events_and_sound_come_out_of_pipes_that_stay_open(start, run, place, song):
    sound = io.BytesIO()
    sf.write(sound, load_audio("song.wav", RATE), RATE, format="WAV", subtype="PCM_16")
    encode, decode = start("encode", "-", "-o", "-", *QUICK), start("decode", "-", "-o", "-")

    def pass_on() -> None:
        while data := encode.stdout.read1():
            decode.stdin.write(data)
            decode.stdin.flush()
        decode.stdin.close()

    threading.Thread(target=pass_on, daemon=True).start()
    encode.stdin.write(sound.getvalue())
    encode.stdin.flush()  # and is not closed: more may come
    heard = decode.stdout.read(44 + 2000)
    assert heard[:4] == b"RIFF" and any(heard[44:])
    assert encode.poll() is None and decode.poll() is None
    encode.stdin.close()
    heard += decode.stdout.read()
    assert encode.wait() == decode.wait() == 0
    run("decode", "song.events", "-o", "whole.wav")
    whole = sf.read("whole.wav", dtype="int16")[0]
    assert np.abs(np.frombuffer(heard[44:], "<i2") - whole).max() <= 2


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_error(start, song):
    decode = start("decode", "song.events", "-o", "-")
    decode.stdout.read(10)
    decode.stdout.close()
    assert b"Traceback" not in decode.stderr.read()


# ---- event sets


def test_json_keeps_every_number_and_may_be_edited(song, run, place, checkpoint):
    run("render", "song.events", "-o", "song.json")
    lines = (place / "song.json").read_text().splitlines()
    assert len([line for line in lines if line.startswith("[") and len(line) > 1]) == len(
        song
    )  # a vector a line
    assert same(read_set("song.json", checkpoint)[0], song)
    values = json.loads((place / "song.json").read_text())
    values["gains"] = [2 * gain for gain in values["gains"]]
    (place / "louder.json").write_text(json.dumps(values))
    run("render", "louder.json", "-o", "louder.wav")
    run("render", "song.json", "-o", "song-again.wav")
    louder, plain = load_audio("louder.wav", RATE), load_audio("song-again.wav", RATE)
    np.testing.assert_allclose(louder, (2 * plain).clip(-1, 1), atol=1e-3)


def test_encoding_to_json_and_midi_needs_no_other_command(song, run, place, checkpoint):
    run("encode", "song.wav", "-o", "direct.json", "--fast")
    assert same(read_set("direct.json", checkpoint)[0], song)
    run("encode", "song.wav", "-o", "song.mid", "--fast")
    assert sum(message.type == "note_on" for message in mido.MidiFile("song.mid")) == len(song)


def test_perturb_is_the_library_s(song, run, small_codec, checkpoint):
    run("perturb", "song.events", "-o", "other.events", "--amount", "0.6", "--seed", "3")
    assert same(
        read_set("other.events", checkpoint)[0],
        song.perturb(0.6, 3, small_codec.decoder.pitch_numbers),
    )


def test_randomise_is_the_library_s(song, run, checkpoint):
    run("randomise", "song.events", "-o", "other.json", "--times", "--vectors", "--seed", "3")
    assert same(read_set("other.json", checkpoint)[0], song.randomise_vectors(3).randomise_times(3))


def test_randomise_nothing_is_wrong_usage(place, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["randomise", "song.events", "-o", "other.wav"])
    assert stopped.value.code == 2 and "--times, --vectors or both" in capsys.readouterr().err


def test_morph_is_the_library_s(song, run, checkpoint):
    run("perturb", "song.events", "-o", "other.events", "--amount", "0.6")
    run("morph", "song.events", "other.events", "-o", "between.events", "--share", "0.3")
    other = read_set("other.events", checkpoint)[0]
    assert same(read_set("between.events", checkpoint)[0], song.interpolate(other, 0.3))


def test_samples_over_full_scale_are_said(song, run, place):
    run("render", "song.events", "-o", "song.json")
    values = json.loads((place / "song.json").read_text())
    values["gains"] = [1000 * gain for gain in values["gains"]]
    (place / "loud.json").write_text(json.dumps(values))
    assert "samples were over full scale and are clipped" in run(
        "render", "loud.json", "-o", "loud.wav"
    )


def test_info_is_for_people_and_for_programs(song, run, place, checkpoint, small_codec):
    told = run("info", "song.events")
    assert (
        f"events: {len(song)}\n" in told and "seconds: 3\n" in told and "mode: lossless\n" in told
    )
    run("render", "song.events", "-o", "song.json")
    facts = json.loads(run("info", "song.json", "--json"))
    assert (facts["events"], facts["seconds"], facts["channels"]) == (len(song), 3.0, 1)
    about = json.loads(run("info", checkpoint, "--json"))
    assert (
        about["digest"] == facts["checkpoint"]
        and about["config"]["vector_size"] == small_codec.config.vector_size
    )


def test_info_on_a_sound_file_says_what_it_takes(place, capsys):
    assert main(["info", "song.wav"]) == 1
    assert (
        "error: song.wav: no file of events and no checkpoint; give .events, .json"
        in capsys.readouterr().err
    )


def test_the_shipped_model_that_made_a_file_is_found(place, music, capsys):
    codec = SparseCodec.load("speech")
    events = codec.encode(music[:1000])
    (place / "said.json").write_text(json.dumps({"checkpoint": codec.digest, **events.to_json()}))
    assert main(["info", "said.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["checkpoint"] == codec.digest


def test_a_checkpoint_that_is_not_shipped_has_to_be_given(song, place, capsys):
    assert main(["decode", "song.events", "-o", "song.flac"]) == 1
    assert "is not a shipped one; give it with --model" in capsys.readouterr().err
