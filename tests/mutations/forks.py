"""Fresh processes that start at once: forked from one that has imported what they need.

    python forks.py MODULE...

imports modules and forks for each request on its standard input. The tests start it through
`Forks`. It is a process that does nothing else, since pytest's own may have threads. A test that
compares two runs takes them from two of these: forks of one process share its addresses and its
hash seed, which no key may depend on.
"""

import faulthandler
import gc
import importlib
import json
import os
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import NoReturn

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
LIMIT = 120  # seconds for one fork; on a busy machine one that needs one second may take many


class Forks:
    """A process that has imported `modules`, and forks of it."""

    def __init__(self, *modules: str):
        environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "PYTHONHASHSEED": "random",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._errors = TemporaryFile("w+")
        self._process = subprocess.Popen(
            [sys.executable, __file__, *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            text=True,
        )

    def run(
        self, code: str, folder: Path, path: list[Path], limit: float = LIMIT
    ) -> subprocess.CompletedProcess:
        """Run `python -c code` in a folder, with more folders to import from.

        After `limit` seconds the fork ends, and says on its standard error where it was.
        """
        with TemporaryDirectory() as outputs:
            files = [Path(outputs, name) for name in ("stdout", "stderr")]
            request = {"code": code, "folder": folder, "path": path, "limit": limit, "files": files}
            with suppress(BrokenPipeError):  # if it has ended, so has its output
                print(json.dumps(request, default=str), file=self._process.stdin, flush=True)
            reply = self._process.stdout.readline()
            if not reply:
                self._errors.seek(0)
                raise RuntimeError(f"the process that forks has ended:\n{self._errors.read()}")
            texts = [file.read_text() for file in files]
        return subprocess.CompletedProcess(code, int(reply), *texts)

    def output(self, code: str, folder: Path, path: list[Path]) -> str:
        """Return what `run` prints; fails with its errors unless it succeeds."""
        done = self.run(code, folder, path)
        assert done.returncode == 0, f"it ended with status {done.returncode}:\n{done.stderr}"
        return done.stdout

    def close(self) -> None:
        with suppress(BrokenPipeError), self._errors, self._process:
            self._process.kill()


def serve() -> None:
    """Fork for each line of standard input, one at a time, and print its exit status."""
    gc.freeze()  # garbage collection in a fork would else copy the pages of all that is imported
    for line in sys.stdin:
        if (child := os.fork()) == 0:
            _run(**json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run(code: str, folder: str, path: list[str], limit: float, files: list[str]) -> NoReturn:
    for descriptor, file in enumerate([os.devnull, *files]):
        os.dup2(os.open(file, os.O_RDWR | os.O_CREAT), descriptor)
    faulthandler.enable()
    faulthandler.dump_traceback_later(limit, exit=True)
    status = 1
    try:
        os.chdir(folder)
        sys.path[:0] = path
        sys.modules["report.keys.source"].STARTED = time.time()
        exec(code, {"__name__": "__main__"})
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    for module in sys.argv[1:]:
        importlib.import_module(module)
    serve()
