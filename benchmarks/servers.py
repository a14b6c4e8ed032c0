"""Real S3 servers on this machine, for tests and measurements: SeaweedFS and rclone."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

KEY, SECRET = "AKIATESTONLY", "a-secret-for-tests-only"
STARTS_WITHIN = 20  # seconds


def find_program(name: str) -> str | None:
    """Return the program beside this Python, where pip puts it, or on the PATH."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)


def free_port() -> int:
    """Return a free loopback port under 50,000: SeaweedFS also listens on each port + 10,000."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1] % 20_000 + 20_000
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 10_000))
                return port
            except OSError:
                continue


class Server:
    """A program that serves S3 at `url`; it can be killed and started again on its files."""

    def __init__(self, command: list[str], port: int, log: Path, file_limit: int | None = None):
        """file_limit: bytes beyond which no file can grow: writes then fail as on a full disk."""
        self.url = f"http://127.0.0.1:{port}"
        self._command, self._log, self._file_limit = command, log, file_limit

    def start(self) -> "Server":
        environment = os.environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=environment, stdout=log, stderr=log)
        if self._file_limit:
            resource.prlimit(
                self._process.pid, resource.RLIMIT_FSIZE, (self._file_limit, self._file_limit)
            )
        wait_until(self._answers, f"{self._command[0]} at {self.url}, see {self._log}")
        return self

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        self._process.send_signal(signal_number)
        try:
            self._process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=1):
                return True
        except urllib.error.HTTPError as error:
            return error.code < 500
        except OSError:
            return False


def seaweedfs(folder: Path, *options: str) -> Server:
    """Return a SeaweedFS server on loopback, with `options` added; `folder` has to be fresh."""
    ports = {name: free_port() for name in ("s3", "master", "filer", "volume", "admin")}
    command = [_program("weed"), "-logtostderr=true", "mini", f"-dir={folder}", "-ip=127.0.0.1"]
    command += ["-ip.bind=127.0.0.1", *(f"-{name}.port={port}" for name, port in ports.items())]
    # By default it also calls home, speaks other protocols, creates buckets by itself and allows
    # every origin.
    command += ["-master.telemetry=false", "-admin.ui=false", "-webdav=false"]
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false"]
    command += ["-s3.allowDeleteBucketNotEmpty=false", "-s3.allowedOrigins="]
    command += ["-master.volumeSizeLimitMB=64", "-volume.max=500", *options]
    folder.mkdir(parents=True, exist_ok=True)
    return Server(command, ports["s3"], folder.with_suffix(".log"))


def rclone(folder: Path, file_limit: int | None = None) -> Server:
    """Return `rclone serve s3` on loopback; each folder in `folder` is a bucket."""
    port = free_port()
    command = [_program("rclone"), "serve", "s3", "--config", os.devnull]
    command += ["--addr", f"127.0.0.1:{port}", "--auth-key", f"{KEY},{SECRET}", str(folder)]
    folder.mkdir(parents=True, exist_ok=True)
    return Server(command, port, folder.with_suffix(".log"), file_limit)


def _program(name: str) -> str:
    """Return a program that is there. Raises: FileNotFoundError."""
    if (path := find_program(name)) is None:
        raise FileNotFoundError(f"{name}: no such program; install the project's [test] extra")
    return path


def wait_until(condition: Callable[[], bool], what: str, seconds: float = STARTS_WITHIN) -> None:
    """Wait for a condition. Raises: TimeoutError naming `what`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not ready after {seconds} s")
        time.sleep(0.05)
