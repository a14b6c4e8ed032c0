"""Where artifacts live. An object's name is the hash of its bytes; a small index leads from key to object.

    objects/<2 hex>/<sha256>.<extension>     index/<2 hex>/<key>.json

Both are written whole or not at all. What is there but damaged is an error and never a miss, so that a build can not
quietly publish something other than what was recorded.
"""

import dataclasses
import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from report.errors import StoreError
from report.media import Encoded

SCHEMA = 1


@dataclass(frozen=True)
class Record:
    """How an artifact was made, and what it is. `seconds` is computing time, `created` UTC; pages show neither."""

    key: str
    function: str
    code: str  # digest of the code that the function could have used
    arguments: dict[str, str]  # readable, for people; the key has their values
    versions: dict[str, str]
    seconds: float
    bytes: int
    sha256: str
    media_type: str
    extension: str
    info: dict
    created: str
    schema: int = SCHEMA

    @property
    def name(self) -> str:
        """The object's file name, in the store and in a site."""
        return f"{self.sha256}.{self.extension}"


class Store(Protocol):
    """What the rest of the package asks of a store."""

    def find(self, key: str) -> Record | None: ...

    def put(self, key: str, encoded: Encoded, **made) -> Record: ...

    def read(self, record: Record) -> bytes: ...

    def export(self, record: Record, target: Path) -> None: ...


def make_record(key: str, encoded: Encoded, **made) -> Record:
    """The record of `encoded`; `made` is function, code, arguments, versions and seconds."""
    return Record(
        key=key,
        bytes=len(encoded.data),
        sha256=hashlib.sha256(encoded.data).hexdigest(),
        media_type=encoded.media_type,
        extension=encoded.extension,
        info=encoded.info,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        **made,
    )


class MemoryStore:
    """A store for tests and for scripts that run outside a build; it is gone when the process ends."""

    def __init__(self):
        self._records: dict[str, Record] = {}
        self._objects: dict[str, bytes] = {}

    def find(self, key: str) -> Record | None:
        return self._records.get(key)

    def put(self, key: str, encoded: Encoded, **made) -> Record:
        record = make_record(key, encoded, **made)
        self._records[key], self._objects[record.name] = record, encoded.data
        return record

    def read(self, record: Record) -> bytes:
        return self._objects[record.name]

    def export(self, record: Record, target: Path) -> None:
        target.write_bytes(self.read(record))


class FolderStore:
    """A store in a folder, made when first written to."""

    def __init__(self, path: Path):
        self.path = Path(path)

    def path_of(self, record: Record) -> Path:
        """The object's file."""
        return self.path / "objects" / record.sha256[:2] / record.name

    def find(self, key: str) -> Record | None:
        """The record stored under `key`, or None. Raises: StoreError if there is one that can not be read."""
        path = self._index(key)
        try:
            fields = json.loads(path.read_bytes())
            record = Record(**fields)
            if (record.schema, record.key) != (SCHEMA, key):
                raise ValueError(f"schema {record.schema}, key {record.key}")
            return record
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error.strerror}") from error
        except (ValueError, TypeError) as error:
            raise StoreError(f"the record {path} is damaged ({error}); delete it and build again") from error

    def put(self, key: str, encoded: Encoded, **made) -> Record:
        """Store the object, then its record. Raises: StoreError if the folder can not be written."""
        record = make_record(key, encoded, **made)
        text = json.dumps(dataclasses.asdict(record), sort_keys=True, allow_nan=False)
        try:
            _write(self.path_of(record), encoded.data)
            _write(self._index(key), text.encode())
        except OSError as error:
            raise StoreError(f"cannot write to the store {self.path}: {error.strerror}") from error
        return record

    def read(self, record: Record) -> bytes:
        """The object's bytes, checked. Raises: StoreError if it is missing or not what was stored."""
        path = self.path_of(record)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error.strerror}; {self._remedy(record)}") from error
        if hashlib.sha256(data).hexdigest() != record.sha256:
            raise StoreError(f"{path} is damaged: its bytes do not hash to its name; {self._remedy(record)}")
        return data

    def export(self, record: Record, target: Path) -> None:
        """Check the object and place it at `target`: a hard link where the disk allows one, or else a copy."""
        self.read(record)
        try:
            os.link(self.path_of(record), target)
        except OSError:
            shutil.copyfile(self.path_of(record), target)

    def _index(self, key: str) -> Path:
        return self.path / "index" / key[:2] / f"{key}.json"

    def _remedy(self, record: Record) -> str:
        return f"delete {self._index(record.key)} and build again to compute it anew"


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: readers see the old one, or none, until the new one is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{uuid4().hex}.unfinished")
    try:
        unfinished.write_bytes(data)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
