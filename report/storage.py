"""Named bytes in a folder, in memory or elsewhere: what artifacts and published sites are kept in.

Names are paths such as "objects/ab/abcd.wav". They come from records and listings that anyone may have written, so
each is checked before it becomes a path or a key.
"""

import os
import re
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit
from uuid import uuid4

from report.errors import Missing, StoreError

SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+ -]{0,254}")  # of a name, between its slashes
UNFINISHED = ".unfinished"  # at the end of files that are being written; listings leave them out


@dataclass(frozen=True)
class Entry:
    """What a listing tells of a name: its length, and when it was written (seconds since 1970, UTC)."""

    bytes: int
    modified: float


class Storage(Protocol):
    """Where bytes live under names. Every method raises StoreError, naming name and place, when the place fails."""

    address: str  # for messages and for people; holds no credentials
    parallel: int  # how many transfers at a time are worth while

    def get(self, name: str) -> bytes:
        """The bytes under `name`. Raises: Missing if there are none."""

    def put(self, name: str, data: bytes, media_type: str, immutable: bool) -> None:
        """Write whole or not at all.

        immutable: the name never stands for other bytes, so readers may keep them for ever, and what is already there
        need not be sent again. Otherwise what is there is replaced in one step.
        """

    def entries(self, prefix: str = "") -> dict[str, Entry]:
        """Everything whose name starts with `prefix`, sorted by name."""

    def delete(self, name: str) -> None:
        """Remove `name`; fine if it is not there."""

    def export(self, name: str, target: Path) -> None:
        """Write the bytes to the file `target`, cheaply where that is possible. Raises: Missing."""


def check_name(name: str) -> str:
    """`name`, if it can lead nowhere but into the storage. Raises: StoreError."""
    if not all(SEGMENT.fullmatch(part) and not part.endswith((".", " ")) for part in name.split("/")):
        raise StoreError(f"{name!r} is no name for something stored: letters, digits and ._+- between single slashes")
    return name


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
        return {name: Entry(len(data), written) for name, (data, written) in held if name.startswith(prefix)}

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


def check_url(url: str) -> str:
    """`url` without credentials and the slash at its end. Raises: StoreError unless it leads to a web server."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        known = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        known = False
    if not known:
        raise StoreError(f"{for_messages(url)!r} is no address of a server; write http://host:port or https://host")
    return parts._replace(netloc=host).geturl().rstrip("/")


def for_messages(address: str) -> str:
    """Without what may be credentials."""
    return re.sub(r"//.*@", "//", address)


@dataclass(frozen=True)
class Head:
    """What a server tells of an object without sending it; None is what it does not tell."""

    bytes: int | None
    media_type: str
    sha256: str | None
    cache_control: str
