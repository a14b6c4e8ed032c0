"""Forks of a process: each starts afresh, and one that fails says how."""

import pytest

from .forks import Forks


@pytest.fixture(scope="module")
def forks():
    forks = Forks("report.keys.source")
    yield forks
    forks.close()


def test_a_fork_runs_code_in_its_folder_and_prints(forks, tmp_path):
    (tmp_path / "here.py").write_text("WORD = 'here'\n")
    code = "import os, here; print(here.WORD, os.getcwd())"
    done = forks.run(code, tmp_path, [tmp_path])
    assert (done.returncode, done.stdout) == (0, f"here {tmp_path}\n")


def test_a_fork_sees_nothing_of_those_before_it(forks, tmp_path):
    code = "import report, sys; print(hasattr(report, 'mark'), 'wave' in sys.modules)"
    before = forks.run(f"{code}; report.mark = 1; import wave", tmp_path, [])
    assert forks.run(code, tmp_path, []).stdout == before.stdout


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("print('so far'); raise ValueError('a reason')", ["ValueError: a reason"]),
        ("import ctypes; ctypes.string_at(0)", ["Segmentation fault", "string_at"]),
        ("import os; os.abort()", ["Aborted"]),
    ],
    ids=["an exception", "a wrong address", "an abort"],
)
def test_a_fork_that_fails_says_where(forks, code, words, tmp_path):
    done = forks.run(code, tmp_path, [])
    assert done.returncode != 0
    assert all(word in done.stderr for word in words)


def test_a_fork_that_does_not_end_is_ended_and_says_where_it_was(forks, tmp_path):
    code = "import time\ndef wait():\n    time.sleep(600)\nwait()"
    done = forks.run(code, tmp_path, [], limit=2)
    assert done.returncode != 0
    assert "Timeout" in done.stderr and "in wait" in done.stderr


def test_a_process_that_can_not_start_says_why(tmp_path):
    forks = Forks("no_such_module")
    with pytest.raises(RuntimeError, match="No module named 'no_such_module'"):
        forks.run("", tmp_path, [])
    with pytest.raises(RuntimeError):  # now that it has surely ended
        forks.run("", tmp_path, [])
    forks.close()
