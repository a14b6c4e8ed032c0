"""Measure cold and warm builds of the site: python benchmarks/build_time.py [--json FILE]

Prints seconds, CPU seconds and memory. Each build is a fresh process. The cold ones start with an
empty store, with one job and with as many as there are cores; the warm one finds everything.
Other options are those of build_site.py, such as --article ablations.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent


def measure(command: list[str]) -> dict[str, float]:
    """Return seconds, CPU seconds and the largest resident size of a command that succeeds."""
    started, before = time.perf_counter(), os.times()
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    peak = [0.0]
    watcher = threading.Thread(target=watch_memory, args=(process, peak))
    watcher.start()
    output, _ = process.communicate()
    watcher.join()
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{output}")
    after = os.times()
    user = after.children_user - before.children_user
    system = after.children_system - before.children_system
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": user + system,
        "peak_gigabytes": peak[0] / 1e9,
    }


def watch_memory(process: subprocess.Popen[str], peak: list[float]) -> None:
    """Keep the largest resident size that the kernel reports for a process, in bytes (Linux)."""
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        try:
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
            peak[0] = max(peak[0], 1024 * int(lines["VmHWM"].split()[0]))
        except (OSError, KeyError):
            pass  # between its end and poll() the process has no memory
        time.sleep(0.1)


def main() -> int:
    """Build and print the table. Returns: the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    args, options = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        build = [sys.executable, "build_site.py", *options, "--out", f"{folder}/site"]
        alone = [*build, "--store", f"{folder}/alone", "--jobs", "1"]
        all_cores = [*build, "--store", f"{folder}/store"]
        builds = {"1 job": measure(alone), "cold": measure(all_cores), "warm": measure(all_cores)}
        size = sum(f.stat().st_size for f in Path(folder, "site").rglob("*") if f.is_file())
    print(f"{'build':<8}{'seconds':>10}{'CPU seconds':>14}{'peak GB':>10}")
    for name, row in builds.items():
        seconds, cpu, peak = row.values()
        print(f"{name:<8}{seconds:>10.1f}{cpu:>14.1f}{peak:>10.2f}")
    ratio = builds["cold"]["seconds"] / builds["warm"]["seconds"]
    gain = builds["1 job"]["seconds"] / builds["cold"]["seconds"]
    print(
        f"all cores are {gain:.1f} times as fast as one job, warm is {ratio:.0f} times as fast; "
        f"the site is {size / 1e6:.1f} MB; {os.cpu_count()} cores, {platform.machine()}"
    )
    if args.json:
        facts = {
            "site_megabytes": size / 1e6,
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        }
        args.json.write_text(json.dumps(builds | facts, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
