"""The store: artifacts and their records in a storage.

    objects/<2 hex>/<sha256>.<extension>    the media files, each stored once
    index/<2 hex>/<key>.json                the record of each artifact: what it is, how it was made
    sources/<2 hex>/<digest>.json           the code that made an artifact, for `why`
    builds/<article>.json                   the calls of an article's last build, with the records

Everything is written whole or not at all, objects before the records that name them. A damaged file
is an error and never a miss, so that no build quietly publishes something else than was recorded:
an object has to hash to its name, and all other files are sealed with a hash. Reading runs no code,
and nothing that a record says is used before it is checked.
"""

import hashlib
import re
import warnings
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar, Unpack

from report.artifacts.media import Encoded
from report.artifacts.record import (
    ARTICLE,
    SCHEMA,
    Build,
    Making,
    Record,
    make_record,
    parse_build,
    seal,
    unseal,
)
from report.errors import Damaged, Missing, StoreError
from report.storage.folder import Folder, Memory
from report.storage.interface import Entry, Storage
from report.storage.mirror import Mirror

Parsed = TypeVar("Parsed")

STAGES = ("objects/", "sources/", "index/")  # the order of uploads: a record after what it names
BUILDS = "builds/"
DIGEST = re.compile(r"[0-9a-f]{64}")
OURS = re.compile(
    r"(objects|index|sources)/([0-9a-f]{2})/\2[0-9a-f]{62}\.[a-z]+"
    rf"|builds/{ARTICLE.pattern}\.json",
    re.ASCII,
)


class Store:
    """Artifacts in a storage: a folder, a bucket, or memory."""

    def __init__(self, storage: Storage):
        self.storage = storage
        self._known: dict[str, Record] = {}  # by key, from builds: records never change
        self._forgotten: set[str] = set()  # keys

    def find(self, key: str) -> Record | None:
        """Return the record stored under `key`, or None. Raises: StoreError if it is damaged."""
        if key in self._forgotten:
            return None
        if key in self._known:
            return self._known[key]

        def parse(data: bytes) -> Record:
            record = Record.from_json(unseal(data))
            if record.key != key:
                raise ValueError(f"it is the record of {record.key}")
            return record

        try:
            return self._load(_index(key), parse, _remedy(key))
        except Missing:
            return None

    def put(self, encoded: Encoded, **making: Unpack[Making]) -> Record:
        """Store the object, then its record.

        Where two processes make the same artifact, one whole record and its object stay.
        Raises: StoreError if they can not be written.
        """
        record = make_record(encoded, **making)
        immutable = record.key not in self._forgotten
        self.storage.put(_object(record), encoded.data, record.media_type, immutable)
        sealed = seal(record.to_json())
        self.storage.put(_index(record.key), sealed, "application/json", immutable)
        self._forgotten.discard(record.key)
        return record

    def take(self, record: Record, data: bytes) -> None:
        """Store an object that another store has, without its record."""
        self.storage.put(_object(record), data, record.media_type, immutable=True)

    def forget(self, key: str) -> None:
        """Find this record no more, so that its artifact is made again.

        Until then the files stay as they are.
        """
        self._known.pop(key, None)
        self._forgotten.add(key)

    def read(self, record: Record) -> bytes:
        """Return the object's bytes. Raises: StoreError if they are missing or damaged."""

        def check(data: bytes) -> bytes:
            if hashlib.sha256(data).hexdigest() != record.sha256:
                raise ValueError("its bytes do not hash to its name")
            return data

        try:
            return self._load(_object(record), check, _remedy(record.key))
        except Missing as error:
            raise StoreError(f"{error}; {_remedy(record.key)}") from error

    def export(self, record: Record, target: Path) -> bytes:
        """Check the object and write it to the file `target`. Returns: its bytes."""
        data = self.read(record)
        self.storage.export(_object(record), target)
        return data

    # ---- code and builds

    def put_source(self, digest: str, source: dict[str, Any]) -> None:
        """Store the code with this digest; `source` is JSON.

        After `forget` it is written again even if it is there, since it may be damaged too.
        """
        sealed = seal(source)
        immutable = not self._forgotten
        self.storage.put(_source(digest), sealed, "application/json", immutable)

    def source(self, digest: str) -> dict[str, Any] | None:
        """The code with this digest, or None."""
        try:
            return self._load(_source(digest), unseal, "build with --force what it has made")
        except Missing:
            return None

    def put_build(self, build: Build) -> None:
        """Store a build in place of the article's last one."""
        calls = [[name, record.to_json()] for name, record in build.calls]
        sealed = seal({"schema": SCHEMA, "article": build.article, "calls": calls})
        self.storage.put(_build(build.article), sealed, "application/json", immutable=False)

    def build(self, article: str) -> Build | None:
        """The last build of an article, or None. From then on `find` knows its records."""
        name = _build(article)
        try:
            build = self._load(
                name, lambda data: parse_build(name, data), "build the article again"
            )
        except Missing:
            return None
        self._known |= {record.key: record for _, record in build.calls}
        return build

    def recall(self, article: str) -> dict[str, Record]:
        """Load the last build, so that `find` knows its records. Returns: them, by key.

        If it is damaged this only warns, since the next build replaces it.
        """
        try:
            build = self.build(article)
        except Damaged as error:
            warnings.warn(str(error), stacklevel=2)
            return {}
        keys = (record.key for _, record in build.calls) if build else ()
        return {key: record for key in keys if (record := self.find(key)) is not None}

    def builds(self) -> list[str]:
        """The articles that have been built."""
        return [PurePosixPath(name).stem for name in self.entries("builds")]

    def entries(self, kind: str) -> dict[str, Entry]:
        """List a kind: "objects", "index", "sources" or "builds". Foreign files are left out."""
        return {
            name: entry
            for name, entry in self.storage.entries(f"{kind}/").items()
            if OURS.fullmatch(name)
        }

    def flush(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Upload files that the storage behind a mirror never got, or has lost.

        `progress` is called as by `Mirror.flush`. Nothing is listed if no build changed.
        Raises: StoreError.
        """
        if not isinstance(self.storage, Mirror):
            return
        needed: dict[str, str] = {}
        for name in self.storage.changes():
            needed |= self._files_of(PurePosixPath(name).stem)
        for name in self.storage.restore(needed):
            if name.startswith("objects/"):  # a build holds its records, and can do without code
                raise StoreError(
                    f"{name} is no longer in {self.storage.address}, nor here; "
                    "build with --force to make it"
                )
        self.storage.flush(progress)

    def _files_of(self, article: str) -> dict[str, str]:
        """Name -> media type of all files that an article's last build refers to."""
        build = self.build(article)
        files: dict[str, str] = {}
        for _, record in build.calls if build else ():
            files[_index(record.key)] = files[_source(record.code)] = "application/json"
            files[_object(record)] = record.media_type
        return files

    def _load(self, name: str, parse: Callable[[bytes], Parsed], remedy: str) -> Parsed:
        """Parse the bytes under a name, or in place of a mirror's damaged copy fresh ones.

        Raises: Missing; Damaged if `parse` raises ValueError or RecursionError.
        """
        readers = [self.storage.get]
        if isinstance(self.storage, Mirror):
            readers.append(self.storage.refresh)
        for read in readers:
            data = read(name)
            try:
                return parse(data)
            except (ValueError, RecursionError) as error:
                damage = error
        raise Damaged(
            f"{name} in {self.storage.address} is damaged ({damage}); {remedy}"
        ) from damage


def FolderStore(path: Path) -> Store:
    """A store in a folder, made by the first `put`."""
    return Store(Folder(path))


def MemoryStore() -> Store:
    """A store in this process only, for trying things out."""
    return Store(Memory())


def mirrored_store(remote: Storage, folder: Path) -> Store:
    """A store in a storage behind a network, with a folder in front of it."""
    return Store(Mirror(remote, folder, STAGES, BUILDS))


def _remedy(key: str) -> str:
    return f"build with --force {key[:12]} to compute it anew"


def _object(record: Record) -> str:
    return f"objects/{record.sha256[:2]}/{record.name}"


def _index(key: str) -> str:
    return f"index/{_digest(key)[:2]}/{key}.json"


def _source(digest: str) -> str:
    return f"sources/{_digest(digest)[:2]}/{digest}.json"


def _build(article: str) -> str:
    if not ARTICLE.fullmatch(article):
        raise StoreError(f"{article!r} is no name for an article; use letters, digits, _ and -")
    return f"builds/{article}.json"


def _digest(text: str) -> str:
    if not DIGEST.fullmatch(text):
        raise StoreError(f"{text!r} is no SHA-256")
    return text
