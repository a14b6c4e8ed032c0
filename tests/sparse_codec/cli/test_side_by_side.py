"""Files are encoded side by side, in processes or on a cluster, to the same bytes as one by one."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile as sf

from sparse_codec.__main__ import main
from sparse_codec.cli import sound
from tests.clusters import running_cluster

ROOT = Path(__file__).parents[3]
RATE = 22_050
NAMES = ("a", "b", "c/d")


@pytest.fixture
def songs(tmp_path, music, monkeypatch) -> Path:
    """A folder to work in, with songs/ of three short files in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "songs" / "c").mkdir(parents=True)
    for number, name in enumerate(NAMES):
        sf.write(f"songs/{name}.wav", music[number * 3000 : number * 3000 + 4 * RATE], RATE)
    return tmp_path / "songs"


@pytest.fixture
def encode(songs, checkpoint, capsys):
    """Encode the folder with these options; returns the exit code, messages and files by name."""

    def run(out: str, *options: str) -> tuple[int, list[str], list[str], dict[str, bytes]]:
        command = ["encode", "songs", "-o", out, "--model", checkpoint, "--fast", "--lossless"]
        code = main([*command, *options])
        printed = capsys.readouterr()
        files = {
            str(file.relative_to(out)): file.read_bytes()
            for file in sorted(Path(out).rglob("*"))
            if file.is_file()
        }
        lines = [text.replace(f"{out}/", "") for text in printed.out.splitlines()]
        return code, lines, printed.err.splitlines(), files

    return run


def test_files_and_messages_are_the_same_for_any_number_of_processes(encode):
    results = [encode(f"out{jobs}", "--jobs", str(jobs)) for jobs in (1, 2, 3)]
    assert results[0] == results[1] == results[2]
    code, lines, _, files = results[0]
    assert code == 0 and [line.split(":")[0] for line in lines] == sorted(files)
    assert list(files) == ["a.events", "b.events", "c/d.events"]


def test_json_lines_come_in_the_order_of_the_files(encode):
    _, lines, _, _ = encode("out", "--jobs", "2", "--json")
    assert [json.loads(line)["file"] for line in lines] == [f"songs/{name}.wav" for name in NAMES]


def test_a_file_that_cannot_be_used_is_passed_over(encode, songs):
    (songs / "b.wav").write_bytes(b"no sound")
    results = [encode(f"out{jobs}", "--jobs", str(jobs)) for jobs in (1, 2)]
    assert results[0] == results[1]
    code, lines, errors, _ = results[0]
    assert code == 1 and len(lines) == 2
    assert errors[0].startswith("error: songs/b.wav:") and errors[-1].startswith("1 of 3 files")


def test_a_process_that_is_killed_costs_its_file_and_no_more(encode, songs, monkeypatch):
    encode_file = sound.encode_file

    def encode_or_die(job, encoding):
        with (songs.parent / "begun").open("a") as file:
            file.write(f"{job.source}\n")
        if (songs.parent / "begun").read_text().count("songs/b.wav") == 1 and "b.wav" in job.source:
            os.kill(os.getpid(), signal.SIGKILL)
        return encode_file(job, encoding)

    monkeypatch.setattr(sound, "encode_file", encode_or_die)
    code, lines, errors, files = encode("out", "--jobs", "2")
    assert code == 0 and len(lines) == len(files) == 3 and not errors
    begun = (songs.parent / "begun").read_text().splitlines()
    assert sorted(begun) == ["songs/a.wav", "songs/b.wav", "songs/b.wav", "songs/c/d.wav"]


def test_a_file_whose_process_is_killed_every_time_is_passed_over(encode, monkeypatch):
    encode_file = sound.encode_file

    def encode_or_die(job, encoding):
        if "b.wav" in job.source:
            os.kill(os.getpid(), signal.SIGKILL)
        return encode_file(job, encoding)

    monkeypatch.setattr(sound, "encode_file", encode_or_die)
    code, lines, errors, _ = encode("out", "--jobs", "2")
    assert code == 1 and len(lines) == 2
    assert "error: songs/b.wav: its process ended early: it was killed, perhaps" in errors[0]


def test_a_cluster_encodes_to_the_same_bytes_and_may_lose_a_worker(encode, tmp_path_factory):
    expected = encode("out1", "--jobs", "1")
    with running_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        assert encode("out2", "--dask", cluster.address) == expected
        cluster.workers[0].kill()
        assert encode("out3", "--dask", cluster.address) == expected


def test_an_interrupt_leaves_whole_files_and_no_process(songs, checkpoint):
    command = ["encode", "songs", "-o", "out", "--model", checkpoint, "--lossless", "--jobs", "2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "sparse_codec", *command],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not list(songs.parent.glob("out/*")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    begun = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    while workers_of(process.pid):
        assert time.monotonic() - begun < 2
        time.sleep(0.02)
    assert process.wait(60) == 130
    assert "Traceback" not in process.communicate()[1]
    assert not list(songs.parent.rglob("*.part"))


def workers_of(pid: int) -> list[str]:
    """Processes that a process has started and that still run."""
    listed = subprocess.run(
        ["ps", "-o", "stat=", "--ppid", str(pid)], capture_output=True, text=True
    )
    return [state for state in listed.stdout.split() if not state.startswith("Z")]
