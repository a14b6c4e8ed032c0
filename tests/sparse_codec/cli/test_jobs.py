"""Files, folders and patterns at the command line: which file becomes which."""

import json
import os
import subprocess
import sys

from sparse_codec.__main__ import main

QUICK = ["--fast", "--lossless"]


def folder(path) -> set[str]:
    """The files below a folder."""
    return {str(p.relative_to(path)) for p in path.rglob("*") if p.is_file()}


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
    errors = capsys.readouterr().err.splitlines()
    assert errors[0].startswith("error: bad.wav")
    assert errors[1] == "1 of 2 files could not be used"
    assert folder(place / "out") == {"song.events"}


def test_two_files_that_would_become_one_are_refused(place, checkpoint, capsys):
    (place / "song.flac").write_bytes((place / "song.wav").read_bytes())
    assert main(["encode", "song.wav", "song.flac", "-o", "out", "--model", checkpoint]) == 1
    assert "song.flac and song.wav would both become out/song.events" in capsys.readouterr().err


def test_a_file_given_twice_is_made_once(run, place, capsys):
    messages = run("encode", "song.wav", "*.wav", "-o", "out", *QUICK)
    assert messages.count("out/song.events: ") == 1 and folder(place / "out") == {"song.events"}


def test_several_files_do_not_go_into_one(place, checkpoint, capsys):
    (place / "other.wav").write_bytes((place / "song.wav").read_bytes())
    assert main(["encode", "song.wav", "other.wav", "-o", "all.events", "--model", checkpoint]) == 1
    error = capsys.readouterr().err
    assert "all.events: is a file's name, but what comes of 2 files goes into a folder" in error
    assert folder(place) == {"other.wav", "song.wav"}


def test_only_an_end_that_names_a_format_is_replaced(run, place):
    for name in ("take.1", "take.2", "a.b.wav"):
        (place / name).write_bytes((place / "song.wav").read_bytes())
    run("encode", "take.1", "take.2", "a.b.wav", "-o", "out", *QUICK)
    assert folder(place / "out") == {"take.1.events", "take.2.events", "a.b.events"}


def test_links_and_hidden_files_are_as_for_training(run, place):
    (place / "songs").mkdir()
    (place / "songs" / "._a.wav").write_text("a resource fork")
    (place / "songs" / "linked").symlink_to(place, target_is_directory=True)
    run("encode", "songs", "-o", "out", *QUICK)
    assert folder(place / "out") == {"linked/song.events"}


def test_a_name_that_is_no_utf_8(place, checkpoint, capsys):
    names = [os.fsdecode(b"caf\xe9" + end) for end in (b".wav", b".events", b".flac")]
    (place / "song.wav").rename(place / names[0])
    model = ["--model", checkpoint]
    assert main(["encode", names[0], "-o", names[1], "--json", *model, *QUICK]) == 0
    assert json.loads(capsys.readouterr().out)["file"] == names[0]
    assert main(["decode", names[1], "-o", names[2], *model]) == 0
    assert main(["encode", names[2][:-1], "-o", "x.events", *model]) == 1
    assert set(os.listdir(place)) == set(names)


def test_a_name_that_is_no_utf_8_is_printed(place, checkpoint):
    """To a file or a terminal of a strict encoding, which pytest's capture is not."""
    name = os.fsdecode(b"caf\xe9.flac")
    command = [sys.executable, "-m", "sparse_codec", "prepare", "song.wav", "-o", name[:-5]]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(r"caf\udce9/song.flac: ")
