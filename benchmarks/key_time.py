"""Measure the time for keys: python benchmarks/key_time.py [--store FOLDER] [--json FILE]

Builds the music article (from a store that an earlier build filled, or else first into a new one),
then runs it again in a fresh process, and there measures the time for keys, for look-ups, and for
one small artifact that is found.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

from experiments.build import SCRIPTS
from experiments.inputs import inputs_of
from report import Data, FolderStore, conjure, use_store
from report.article.script import parse_script, run_cells
from report.artifacts import session

ROOT = Path(__file__).parent.parent


@conjure
def small(n: int) -> Data:
    """A small result."""
    return Data({"n": n})


def print_figures(store: str) -> None:
    """Print a line of JSON with the figures of a warm build; for a fresh process."""
    print(json.dumps(warm_article(store) | {"hit_ms": hit_milliseconds()}))


class TimedSession(session.Session):
    """A session that measures its look-ups."""

    lookups = 0.0  # seconds

    def resolve(self, name: str, request: session.Request) -> session.Record:
        start = time.perf_counter()
        record = super().resolve(name, request)
        self.lookups += time.perf_counter() - start
        return record


def warm_article(store: str) -> dict[str, float]:
    """Run the music article. Returns: the number of calls, and seconds for keys and look-ups."""
    calls = []
    make_request = session.request_of

    def timed_request(*args: Any) -> session.Request:
        start = time.perf_counter()
        request = make_request(*args)
        _ = request.key
        calls.append(time.perf_counter() - start)
        return request

    script = SCRIPTS / "music.py"
    inputs = {"BUILD": {"music": inputs_of("music", ["music"])}}
    timed = TimedSession(FolderStore(Path(store)))
    with session.use_session(timed), patch.object(session, "request_of", timed_request):
        run_cells(parse_script(script), script, inputs)
    assert timed.computed == 0, "the store lacks artifacts"
    return {
        "calls": len(calls),
        "median_call_ms": 1e3 * sorted(calls)[len(calls) // 2],
        "keys": sum(calls),
        "lookups": timed.lookups,
    }


def hit_milliseconds(n: int = 500) -> float:
    """Return the milliseconds for one call that finds a small result, in a folder."""
    with tempfile.TemporaryDirectory() as folder:
        with use_store(FolderStore(Path(folder))):
            for i in range(n):
                small(i)
        with use_store(FolderStore(Path(folder))) as warm:
            small(0)
            start = time.perf_counter()
            for i in range(1, n):
                _ = small(i).value
            seconds = time.perf_counter() - start
        assert warm.computed == 0
    return 1e3 * seconds / (n - 1)


def measure(store: str | None) -> dict[str, float]:
    """Fill the store, by default a new one, and return the figures of a fresh process."""
    quiet = subprocess.DEVNULL
    with tempfile.TemporaryDirectory() as folder:
        store = store or f"{folder}/store"
        build = [sys.executable, "build_site.py", "--article", "music"]
        build += ["--store", store, "--out", f"{folder}/site"]
        subprocess.run(build, cwd=ROOT, check=True, stdout=quiet, stderr=quiet)
        # By its name, and not as __main__: keys follow the code of modules that have one.
        code = f"from benchmarks import key_time; key_time.print_figures({store!r})"
        process = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
            stderr=quiet,
            text=True,
        )
    return json.loads(process.stdout.splitlines()[-1])


def main() -> int:
    """Measure and print. Returns: the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--store", help="folder that a build of the music article filled (default: build it first)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    args = parser.parse_args()
    figures = measure(args.store)
    median = f"{figures['median_call_ms']:.2f}"
    print(f"calls of conjured functions in the music article: {figures['calls']}")
    print(f"keys of all of them:     {figures['keys']:.3f} s (one: {median} ms in the median)")
    print(f"look-ups of all of them: {figures['lookups']:.3f} s")
    print(f"a small result found and read: {figures['hit_ms']:.2f} ms")
    if args.json:
        facts = {"python": platform.python_version()}
        args.json.write_text(json.dumps(figures | facts, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
