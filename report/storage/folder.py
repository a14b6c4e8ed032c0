"""Named bytes in a folder, or in memory."""

import os
import shutil
import threading
import time
from pathlib import Path
from uuid import uuid4

from report.errors import Missing, StoreError
from report.storage.interface import Entry, check_name

UNFINISHED = ".unfinished"  # ends the names of files that are being written; not listed


class Folder:
    """A folder, made by the first `put`."""

    parallel = 1

    def __init__(self, path: Path):
        self.path = Path(path)
        self.address = str(path)

    def path_of(self, name: str) -> Path:
        return self.path / check_name(name)

    def get(self, name: str) -> bytes:
        path = self.path_of(name)
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Missing(f"cannot read {path}: {error.strerror}") from error
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error.strerror}") from error

    def put(self, name: str, data: bytes, media_type: str, immutable: bool) -> None:
        path = self.path_of(name)
        try:
            if not (immutable and path.exists() and path.read_bytes() == data):
                write_whole(path, data)
        except OSError as error:
            raise StoreError(f"cannot write to {self.path}: {error.strerror}") from error

    def entries(self, prefix: str = "") -> dict[str, Entry]:
        listing = {}
        start = self.path / prefix.rpartition("/")[0]
        for folder, _, files in os.walk(start):
            for file in files:
                path = Path(folder, file)
                name = path.relative_to(self.path).as_posix()
                if not name.startswith(prefix) or name.endswith(UNFINISHED):
                    continue
                try:
                    status = path.stat()
                except FileNotFoundError:  # deleted since it was listed
                    continue
                listing[name] = Entry(status.st_size, status.st_mtime)
        return dict(sorted(listing.items()))

    def delete(self, name: str) -> None:
        try:
            self.path_of(name).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"cannot delete {name} in {self.path}: {error.strerror}") from error

    def export(self, name: str, target: Path) -> None:
        """Make a hard link, or a copy where the disk has no links."""
        try:
            os.link(self.path_of(name), target)
        except FileNotFoundError as error:
            raise Missing(f"cannot read {self.path_of(name)}: {error.strerror}") from error
        except OSError:
            shutil.copyfile(self.path_of(name), target)


class Memory:
    """Bytes in this process only, for trying things out and for tests."""

    parallel = 1
    address = "memory"

    def __init__(self) -> None:
        self._files: dict[str, tuple[bytes, float]] = {}  # name -> bytes, and when written
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes:
        try:
            return self._files[check_name(name)][0]
        except KeyError as error:
            raise Missing(f"{name} is not in memory") from error

    def put(self, name: str, data: bytes, media_type: str, immutable: bool) -> None:
        with self._lock:
            if not (immutable and name in self._files):
                self._files[check_name(name)] = data, time.time()

    def entries(self, prefix: str = "") -> dict[str, Entry]:
        with self._lock:
            files = sorted(self._files.items())
        return {
            name: Entry(len(data), written)
            for name, (data, written) in files
            if name.startswith(prefix)
        }

    def delete(self, name: str) -> None:
        self._files.pop(name, None)

    def export(self, name: str, target: Path) -> None:
        target.write_bytes(self.get(name))


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: until it is complete, readers see the old one or none.

    Raises: OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{uuid4().hex}{UNFINISHED}")
    try:
        unfinished.write_bytes(data)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
