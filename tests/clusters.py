"""A Dask cluster on this machine, of processes as its users start them."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


class Cluster:
    """A scheduler and its workers, each with one thread and no nanny that would start it again."""

    def __init__(self, folder: Path):
        self._file = folder / "scheduler.json"
        self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        self.workers: list[subprocess.Popen] = []

    def _start(self, kind: str, *options: str) -> subprocess.Popen:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}"]
        process = subprocess.Popen(
            [*command, "--scheduler-file", str(self._file), *options],
            cwd=self._file.parent,
            env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes = [*getattr(self, "processes", []), process]
        return process

    def start_worker(self) -> None:
        name = f"worker{len(self.workers)}"
        self.workers.append(
            self._start("worker", "--no-nanny", "--nthreads", "1", "--no-dashboard", "--name", name)
        )

    @property
    def address(self) -> str:
        from distributed import Client

        with Client(scheduler_file=str(self._file), timeout=30, set_as_default=False) as client:
            client.wait_for_workers(len(self.workers), 30)
            return client.scheduler.address


@contextmanager
def running_cluster(folder: Path, n_workers: int = 2) -> Iterator[Cluster]:
    """Yield a cluster, or skip the test where Dask is not installed."""
    pytest.importorskip("distributed", reason="needs distributed (the extra dask)")
    cluster = Cluster(folder)
    try:
        for _ in range(n_workers):
            cluster.start_worker()
        yield cluster
    finally:
        for process in reversed(cluster.processes):
            process.terminate()
        deadline = time.monotonic() + 5
        for process in cluster.processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
