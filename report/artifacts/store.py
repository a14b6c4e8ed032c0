"""Where artifacts live. An object's name is the hash of its bytes; a small index leads from key to object.

    objects/<2 hex>/<sha256>.<extension>    the media files, each stored once
    index/<2 hex>/<key>.json                the record of each artifact: what it is, and how it was made
    sources/<2 hex>/<digest>.json           the code that an artifact was made by, for `why`
    builds/<article>.json                   what the last build of an article asked for, in order, with the records

Everything is written whole or not at all, objects before the records that name them. What is there but damaged is an
error and never a miss, so that a build can not quietly publish something other than what was recorded: an object has to
hash to its name, and all else is sealed with a hash of its own. Reading runs no code, and nothing that a record says is
used before it is checked.
"""

import hashlib
import re
import warnings
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TypeVar

from report.artifacts.media import Encoded
from report.artifacts.record import (
    ARTICLE,
    SCHEMA,
    Build,
    Record,
    is_digest,
    make_record,
    parse_build,
    seal,
    unseal,
)
from report.errors import Damaged, Missing, StoreError
from report.storage.folder import Folder, Memory
from report.storage.interface import Entry, Storage

Loaded = TypeVar("Loaded")

OURS = re.compile(
    rf"(objects|index|sources)/([0-9a-f]{{2}})/\2[0-9a-f]{{62}}\.[a-z]+|builds/{ARTICLE.pattern}\.json",
    re.ASCII,
)


class Store:
    """Artifacts in a storage: a folder, a bucket, or memory."""

    def __init__(self, storage: Storage):
        self.storage = storage
        self._known: dict[str, Record] = {}  # by key, from builds: records never change
        self._forgotten: set[str] = set()  # keys

    def find(self, key: str) -> Record | None:
        """The record stored under `key`, or None. Raises: StoreError if there is one that can not be read."""
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
            return self._load(_index(key), parse, self._remedy(key))
        except Missing:
            return None

    def put(self, encoded: Encoded, **made) -> Record:
        """Store the object, then its record, made of `encoded` and of the Record's other fields.

        Where two processes make the same artifact, both keep one whole record and its object.
        Raises: StoreError if it can not be written.
        """
        record = make_record(encoded, **made)
        kept = record.key not in self._forgotten
        self.storage.put(_object(record), encoded.data, record.media_type, immutable=kept)
        self.storage.put(
            _index(record.key), seal(record.to_json()), "application/json", immutable=kept
        )
        self._forgotten.discard(record.key)
        return record

    def forget(self, key: str) -> None:
        """Find this record no more, so that the artifact is made again; until it is, what is stored stays."""
        self._known.pop(key, None)
        self._forgotten.add(key)

    def read(self, record: Record) -> bytes:
        """The object's bytes, checked. Raises: StoreError if it is missing or not what was stored."""

        def check(data: bytes) -> bytes:
            if hashlib.sha256(data).hexdigest() != record.sha256:
                raise ValueError("its bytes do not hash to its name")
            return data

        try:
            return self._load(_object(record), check, self._remedy(record.key))
        except Missing as error:
            raise StoreError(f"{error}; {self._remedy(record.key)}") from error

    def export(self, record: Record, target: Path) -> None:
        """Check the object and write it to the file `target`."""
        self.read(record)
        self.storage.export(_object(record), target)

    # ---- code and builds

    def put_source(self, digest: str, source: dict) -> None:
        """Keep what the code with this digest consists of; `source` is JSON. What is computed again is kept anew."""
        self.storage.put(
            _source(digest), seal(source), "application/json", immutable=not self._forgotten
        )

    def source(self, digest: str) -> dict | None:
        """What was kept under a code digest, or None."""
        try:
            return self._load(_source(digest), unseal, "build with --force what it has made")
        except Missing:
            return None

    def put_build(self, build: Build) -> None:
        """Remember a build, in the place of the one before."""
        calls = [[name, record.to_json()] for name, record in build.calls]
        text = seal({"schema": SCHEMA, "article": build.article, "calls": calls})
        self.storage.put(_build(build.article), text, "application/json", immutable=False)

    def build(self, article: str) -> Build | None:
        """The last build of an article, or None. From then on its records are found without another look."""
        name = _build(article)
        try:
            build = self._load(
                name, lambda data: parse_build(name, data), "build the article again"
            )
        except Missing:
            return None
        self._known |= {record.key: record for _, record in build.calls}
        return build

    def recall(self, article: str) -> None:
        """Find the records of the last build without another look. A damaged one is only warned of: it is replaced."""
        try:
            self.build(article)
        except Damaged as error:
            warnings.warn(str(error), stacklevel=2)

    def builds(self) -> list[str]:
        """The articles that have been built."""
        return [
            name.removeprefix("builds/").removesuffix(".json") for name in self.entries("builds")
        ]

    def entries(self, kind: str) -> dict[str, Entry]:
        """What is stored of a kind, "objects", "index", "sources" or "builds"; files of others are left out."""
        return {
            name: entry
            for name, entry in self.storage.entries(f"{kind}/").items()
            if OURS.fullmatch(name)
        }

    def flush(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Send what a storage behind a network has not got yet, or not any more."""
        if flush := getattr(self.storage, "flush", None):
            flush(progress, self._needs)

    def _needs(self, build_name: str) -> dict[str, str]:
        """What has to be stored for a build to be of use, with the media types."""
        names: dict[str, str] = {}
        for _, record in self.build(PurePosixPath(build_name).stem).calls:
            names |= dict.fromkeys((_index(record.key), _source(record.code)), "application/json")
            names[_object(record)] = record.media_type
        return names

    def _load(self, name: str, parse: Callable[[bytes], Loaded], remedy: str) -> Loaded:
        """What `parse` makes of the bytes under a name, where a copy of them is damaged of fresh ones.

        Raises: Missing; Damaged if `parse` raises ValueError, TypeError, KeyError or RecursionError.
        """
        for get in filter(None, (self.storage.get, getattr(self.storage, "refresh", None))):
            data = get(name)
            try:
                return parse(data)
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                wrong = error
        raise Damaged(f"{name} in {self.storage.address} is damaged ({wrong}); {remedy}") from wrong

    def _remedy(self, key: str) -> str:
        return f"build with --force {key[:12]} to compute it anew"


def FolderStore(path: Path) -> Store:  # noqa: N802, reads like the class that it was
    """A store in a folder, made when first written to."""
    return Store(Folder(path))


def MemoryStore() -> Store:  # noqa: N802
    """A store in this process only, for trying things out."""
    return Store(Memory())


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
    if not is_digest(text):
        raise StoreError(f"{text!r} is no SHA-256")
    return text
