"""Measure how long an edit takes to show: python benchmarks/serve_time.py [--article FILE]

Serves an article, by default the one that `python -m report new` writes, and edits its first line
of prose, again and again: seconds from the edit to the page that has it, and the CPU seconds of all
processes meanwhile. The machine should be quiet.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROSE = re.compile(r"(?m)(^# %% \[markdown\]\n(?:#\n|# #.*\n)*# )")  # up to the first words
PATIENCE = 60  # seconds for one edit


def main() -> int:
    """Serve, edit and print the table. Returns: the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--article", type=Path, help="another one, which is copied")
    parser.add_argument("--edits", type=int, default=10, help="how many (%(default)s)")
    args = parser.parse_args()
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "article.py")
        if args.article:
            script.write_bytes(args.article.read_bytes())
        else:
            subprocess.run([sys.executable, "-m", "report", "new", script], check=True)
        command = [sys.executable, "-m", "report", "serve", script.name, "--port", "0"]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            page = re.search(r"http://\S+", process.stdout.readline())[0]  # type: ignore[index]
            process.stdout.readline()  # it is built
            report(page, script, process.pid, args.edits)
            process.terminate()
    return 0


def report(page: str, script: Path, pid: int, edits: int) -> None:
    text = script.read_text()
    seconds, cpu = [], []
    for number in range(edits):
        time.sleep(1)
        word = f"edited{number}"
        before, started = cpu_seconds(pid), time.perf_counter()
        script.write_text(PROSE.sub(rf"\g<1>{word} ", text, count=1))
        while word not in urllib.request.urlopen(page).read().decode():
            if time.perf_counter() > started + PATIENCE:
                sys.exit("the edit does not show")
            time.sleep(0.005)
        seconds.append(time.perf_counter() - started)
        time.sleep(0.5)  # until its processes have ended, and count
        cpu.append(cpu_seconds(pid) - before)
    print(f"{'':<10}{'median':>8}{'longest':>9}")
    for name, values in (("seconds", seconds), ("CPU", cpu)):
        print(f"{name:<10}{statistics.median(values):>8.2f}{max(values):>9.2f}")


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process and of its children that have ended (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
