"""Measure how long commands take to start: python benchmarks/start_time.py

Prints the least seconds and CPU seconds of five runs each, and those of `import torch`, which every
command took before.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
RUNS = 5
COMMANDS = (
    ["-m", "sparse_codec", "--help"],
    ["-m", "sparse_codec", "encode", "--lossless"],
    ["-m", "sparse_codec", "info", "music"],
    ["-m", "report"],
    ["-m", "report", "--help"],
    ["build_site.py", "--help"],
    ["-c", "import torch"],
)


def measure(command: list[str]) -> tuple[float, float]:
    """Return the least seconds and CPU seconds of a command, whatever its exit code."""
    times = []
    for _ in range(RUNS):
        started, before = time.perf_counter(), os.times()
        subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True)
        after = os.times()
        times.append((time.perf_counter() - started, sum(after[2:4]) - sum(before[2:4])))
    seconds, cpu_seconds = zip(*times, strict=True)
    return min(seconds), min(cpu_seconds)


def main() -> int:
    """Print the table. Returns: the exit code."""
    print(f"{'python ...':<40}{'seconds':>10}{'CPU seconds':>14}")
    for command in COMMANDS:
        seconds, cpu_seconds = measure(command)
        print(f"{' '.join(command):<40}{seconds:>10.2f}{cpu_seconds:>14.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
