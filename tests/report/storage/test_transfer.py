"""Many transfers at a time, of which one may fail."""

import signal
import subprocess
import sys
import threading
import time

import pytest

from report.storage.transfer import each


@pytest.mark.parametrize("parallel", [1, 4, 50])
def test_everything_is_done_once(parallel):
    assert sorted(each(lambda n: n * n, range(20), parallel)) == [(n, n * n) for n in range(20)]
    assert list(each(lambda n: n, [], parallel)) == []


def test_as_many_are_under_way_at_a_time_as_was_asked():
    meeting = threading.Barrier(4, timeout=10)
    assert len(list(each(lambda n: meeting.wait(), range(8), 4))) == 8


def test_after_the_first_failure_nothing_is_begun_and_what_is_under_way_ends():
    begun, ended, failed = [], [], threading.Event()

    def work(n: int) -> None:
        begun.append(n)
        if n == 3:
            failed.set()
            raise ValueError("the third")
        failed.wait(10)
        time.sleep(0.1)  # longer than it takes for the others to hear of it
        ended.append(n)

    with pytest.raises(ValueError, match="the third"):
        list(each(work, range(100), 4))
    assert sorted(begun) == [0, 1, 2, 3] and sorted(ended) == [0, 1, 2]


INTERRUPTED = """
import os, time
from report.storage.transfer import each

def work(n):
    os.write(1, b"begun\\n")
    time.sleep(30)  # a server that does not answer

list(each(work, range(10), 2))
"""


def heed_interrupts():
    """Shells start jobs in the background, and CI may be one, so that they ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupt_waits_for_nothing():
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heed_interrupts,
    )
    assert process.stdout.readline() == b"begun\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=5)
    assert b"KeyboardInterrupt" in err and out.count(b"begun") <= 1
