"""Programs in fresh processes that start at once.

`python -m MODULE` imports NumPy, boto3 and the project, which takes longer than most tests. Here a
process is forked for it from one that has imported them, and nothing else.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent
IMPORTED = ["pyloudnorm", "report.cli.main", "report.storage.s3", "report.storage.web"]

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(IMPORTED)


class Running:
    """`python -m module *arguments` in `folder`, started now. Its output is kept in files."""

    def __init__(self, module: str, arguments: Sequence[str], folder: Path, setup: str = ""):
        """`setup` is code to execute before the module, in the same process."""
        self._output = TemporaryDirectory()
        files = [Path(self._output.name, name) for name in ("stdout", "stderr")]
        target = [module, [str(argument) for argument in arguments], str(folder), files, setup]
        self._process = processes.Process(target=_run, args=(*target, dict(os.environ)))
        self._process.start()
        self._files, self._arguments = files, [module, *arguments]

    def wait(self) -> subprocess.CompletedProcess:
        """Return its exit code and output when it has ended."""
        self._process.join()
        stdout, stderr = (file.read_text() for file in self._files)
        self._output.cleanup()
        return subprocess.CompletedProcess(self._arguments, self._process.exitcode, stdout, stderr)


def _run(module, arguments, folder, files, setup, environment):
    for descriptor, file in enumerate(files, start=1):
        with file.open("w") as output:
            os.dup2(output.fileno(), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[:0] = [folder, str(ROOT)]
    sys.argv[1:] = arguments
    exec(setup, {})
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def wait_for(condition: Callable[[], object], seconds: float) -> None:
    """Wait until a condition holds; it is a failure if it does not within some seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Tell whether there is a process of this number that has not ended. Linux only."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
