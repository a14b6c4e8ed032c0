"""Named bytes in a folder, or in memory."""

import os
import shutil
import threading
import time
from pathlib import Path
from uuid import uuid4

from report.errors import Missing, StoreError
from report.storage.interface import Entry, check_name

UNFINISHED = ".unfinished"  # at the end of files that are being written; listings leave them out


class Folder:
    """A folder, made when first written to."""

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
        found = {}
        start = self.path / prefix.rpartition("/")[0]
        for folder, _, files in os.walk(start):
            for file in files:
                path = Path(folder, file)
                name = path.relative_to(self.path).as_posix()
                if name.startswith(prefix) and not name.endswith(UNFINISHED):
                    try:
                        status = path.stat()
                    except FileNotFoundError:  # deleted since it was listed
                        continue
                    found[name] = Entry(status.st_size, status.st_mtime)
        return dict(sorted(found.items()))

    def delete(self, name: str) -> None:
        try:
            self.path_of(name).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"cannot delete {name} in {self.path}: {error.strerror}") from error

    def export(self, name: str, target: Path) -> None:
        """A hard link where the disk allows one, or else a copy."""
        try:
            os.link(self.path_of(name), target)
        except FileNotFoundError as error:
            raise Missing(f"cannot read {self.path_of(name)}: {error.strerror}") from error
        except OSError:
            shutil.copyfile(self.path_of(name), target)


class Memory:
    """In this process only, for trying things out and for tests."""

    parallel = 1
    address = "memory"

    def __init__(self):
        self._held: dict[str, tuple[bytes, float]] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes:
        try:
            return self._held[check_name(name)][0]
        except KeyError as error:
            raise Missing(f"{name} is not in memory") from error

    def put(self, name: str, data: bytes, media_type: str, immutable: bool) -> None:
        with self._lock:
            if not (immutable and name in self._held):
                self._held[check_name(name)] = data, time.time()

    def entries(self, prefix: str = "") -> dict[str, Entry]:
        with self._lock:
            held = sorted(self._held.items())
        return {
            name: Entry(len(data), written)
            for name, (data, written) in held
            if name.startswith(prefix)
        }

    def delete(self, name: str) -> None:
        self._held.pop(name, None)

    def export(self, name: str, target: Path) -> None:
        target.write_bytes(self.get(name))


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: readers see the old one, or none, until the new one is complete.

    Raises: OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{uuid4().hex}{UNFINISHED}")
    try:
        unfinished.write_bytes(data)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
