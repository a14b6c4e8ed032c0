"""What keys cost: python benchmarks/key_time.py

Builds the music article (from a store that an earlier build filled, or else first into a new one), then again in a
fresh process, and there measures the time spent on keys, on look-ups, and on one small artifact that is found. Prints
a table and writes the figures to a JSON file.
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

ROOT = Path(__file__).parent.parent


def measure(store: str, out: str) -> dict:
    """Seconds for keys and for look-ups in a warm build of the music article; run this in a fresh process."""
    from experiments.build import main
    from report.artifacts import session

    spent = {"keys": 0.0, "lookups": 0.0}
    calls = []
    request, resolve = session._request, session.Session.resolve

    def timed_request(*args):
        start = time.perf_counter()
        made = request(*args)
        _ = made.key
        spent["keys"] += time.perf_counter() - start
        calls.append(time.perf_counter() - start)
        return made

    def timed_resolve(*args):
        start = time.perf_counter()
        record = resolve(*args)
        spent["lookups"] += time.perf_counter() - start
        return record

    session._request, session.Session.resolve = timed_request, timed_resolve
    assert main(["build", "--article", "music", "--store", store, "--out", out]) == 0
    return {"calls": len(calls), "median_call_ms": 1e3 * sorted(calls)[len(calls) // 2], **spent}


def hit_milliseconds(n: int = 500) -> float:
    """Milliseconds for one call that finds a small result, in a folder."""
    from report import FolderStore, use_store
    from report.artifacts.session import Session, use_session

    sys.path.insert(0, str(ROOT / "benchmarks"))
    import small_result

    with tempfile.TemporaryDirectory() as folder:
        with use_store(FolderStore(Path(folder))):
            for i in range(n):
                small_result.small(i)
        with use_session(Session(FolderStore(Path(folder)))) as session:
            small_result.small(0)
            start = time.perf_counter()
            for i in range(1, n):
                _ = small_result.small(i).value
            seconds = time.perf_counter() - start
        assert session.computed == 0
    return 1e3 * seconds / (n - 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--store", help="folder that a build of the music article filled (default: build it first)"
    )
    parser.add_argument("--json", type=Path, default=Path("key_time.json"))
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)  # this is the fresh process
    args = parser.parse_args()
    if args.measure:
        figures = measure(*args.measure)
        print(json.dumps(figures | {"hit_ms": hit_milliseconds()}))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        store, out = args.store or f"{folder}/store", f"{folder}/site"
        build = [
            sys.executable,
            "build_site.py",
            "--article",
            "music",
            "--store",
            store,
            "--out",
            out,
        ]
        subprocess.run(
            build, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        command = [sys.executable, __file__, "--measure", store, out]
        told = subprocess.run(
            command,
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    figures = json.loads(told.stdout.splitlines()[-1]) | {"python": platform.python_version()}
    print(f"calls of conjured functions in the music article: {figures['calls']}")
    print(
        f"keys of all of them:     {figures['keys']:.3f} s (one: {figures['median_call_ms']:.2f} ms in the median)"
    )
    print(f"look-ups of all of them: {figures['lookups']:.3f} s")
    print(f"a small result found and read: {figures['hit_ms']:.2f} ms")
    args.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
