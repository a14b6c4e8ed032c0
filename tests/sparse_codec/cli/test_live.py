"""The shipped model keeps up with a microphone: sound that comes through a pipe."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from experiments.clips import shipped_clips

ROOT = Path(__file__).parents[3]
RATE = 22_050
SECONDS = 24


@pytest.mark.slow
def test_encoding_a_pipe_keeps_up_with_it():
    """CPU seconds are counted, since a busy machine takes longer without any fault of the program.

    The first window is encoded while more is still to come.
    """
    music = shipped_clips()[1].audio(RATE)
    sound = (32_767 * np.resize(music, SECONDS * RATE)).astype("<i2").tobytes()
    command = [sys.executable, "-m", "sparse_codec", "encode", "-", "-o", "-", "--raw"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [*command, f"{RATE},1,s16le"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )
    process.stdin.write(sound[: len(sound) // 2])
    process.stdin.flush()
    first = process.stdout.read(
        1000
    )  # more than a header: without events, this would wait for ever
    rest: list[bytes] = []
    reader = threading.Thread(target=lambda: rest.append(process.stdout.read()))
    reader.start()
    process.stdin.write(sound[len(sound) // 2 :])
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    reader.join()
    assert status == 0 and len(first) == 1000 and rest[0]
    assert usage.ru_utime + usage.ru_stime < SECONDS
