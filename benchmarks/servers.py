"""Real S3 servers on this machine, for tests and measurements: SeaweedFS, and rclone for the little that it can do."""

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
    """The program beside this Python, where pip puts it, or on the PATH."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)


def free_port() -> int:
    """A free loopback port under 50,000: SeaweedFS also listens on each port + 10,000."""
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
    """A program that serves S3 at `url`; it can be killed and started again on what it had."""

    def __init__(self, command: list[str], port: int, log: Path, file_limit: int | None = None):
        """`file_limit`: no file may grow beyond so many bytes, so that writing fails as on a full disk."""
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
    """SeaweedFS on loopback, with `options` added; `folder` has to be fresh."""
    ports = {name: free_port() for name in ("s3", "master", "filer", "volume", "admin")}
    command = [find_program("weed"), "-logtostderr=true", "mini", f"-dir={folder}", "-ip=127.0.0.1"]
    command += ["-ip.bind=127.0.0.1", *(f"-{name}.port={port}" for name, port in ports.items())]
    # Its defaults also speak other protocols, call home, create buckets by themselves and allow every origin.
    command += [
        "-master.telemetry=false",
        "-admin.ui=false",
        "-webdav=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
    ]
    command += [
        "-s3.autoCreateBucket=false",
        "-s3.allowDeleteBucketNotEmpty=false",
        "-s3.allowedOrigins=",
    ]
    command += ["-master.volumeSizeLimitMB=64", "-volume.max=500", *options]
    folder.mkdir(parents=True, exist_ok=True)
    return Server(command, ports["s3"], folder.with_suffix(".log"))


def rclone(folder: Path, file_limit: int | None = None) -> Server:
    """`rclone serve s3` on loopback; each folder in `folder` is a bucket."""
    port = free_port()
    command = [
        find_program("rclone"),
        "serve",
        "s3",
        "--config",
        os.devnull,
        "--addr",
        f"127.0.0.1:{port}",
    ]
    command += ["--auth-key", f"{KEY},{SECRET}", str(folder)]
    folder.mkdir(parents=True, exist_ok=True)
    return Server(command, port, folder.with_suffix(".log"), file_limit)


def wait_until(condition: Callable[[], bool], what: str, seconds: float = STARTS_WITHIN) -> None:
    """Raises: TimeoutError naming `what`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not ready after {seconds} s")
        time.sleep(0.05)
