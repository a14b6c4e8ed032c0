"""Where artifacts live. An object's name is the hash of its bytes; a small index leads from key to object.

    objects/<2 hex>/<sha256>.<extension>    the media files, each stored once
    index/<2 hex>/<key>.json                the record of each artifact: what it is, and how it was made
    sources/<2 hex>/<digest>.json           the code that an artifact was made by, for `why`
    builds/<article>.json                   what the last build of an article asked for, in order, with the records

Everything is written whole or not at all, objects before the records that name them. What is there but damaged is an
error and never a miss, so that a build can not quietly publish something other than what was recorded. Reading runs no
code, and nothing that a record says is used before it is checked.
"""

import dataclasses
import hashlib
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from report.errors import Missing, StoreError
from report.media import EXTENSIONS, Encoded
from report.storage import Folder, Memory, Storage

SCHEMA = 2
DIGEST = re.compile(r"[0-9a-f]{64}")
ARTICLE = re.compile(r"\w[\w-]{0,99}", re.ASCII)


@dataclass(frozen=True)
class Record:
    """How an artifact was made, and what it is. `seconds`, `created` and `machine` are in no page: they vary."""

    key: str
    function: str
    code: str  # digest of all code that it can use, see `report.dependencies`
    arguments: dict[str, str]  # readable, for people
    values: dict[str, str]  # digests of what the key has of arguments and globals
    versions: dict[str, str]  # of Python and of the libraries that the code can use
    inputs: list[str]  # sha256 of the artifacts among the arguments
    seconds: float
    machine: dict[str, str]
    created: str  # UTC
    sha256: str
    bytes: int
    media_type: str
    info: dict  # what a page needs to know without opening the object
    schema: int = SCHEMA

    @property
    def name(self) -> str:
        """The object's file name, in the store and in a site."""
        return f"{self.sha256}.{EXTENSIONS[self.media_type]}"

    def to_json(self) -> dict:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, fields: object) -> "Record":
        """Raises: ValueError unless every field is there and is what it has to be."""
        if not isinstance(fields, dict) or fields.get("schema") != SCHEMA:
            schema = fields.get("schema") if isinstance(fields, dict) else None
            raise ValueError(f"schema {schema}, not {SCHEMA}")
        known = {f.name: f.type for f in dataclasses.fields(cls)}
        if set(fields) != set(known):
            raise ValueError(f"fields {sorted(set(fields) ^ set(known))}")
        checks = {
            "hashes": all(_is_digest(x) for x in (fields["key"], fields["sha256"], fields["code"])),
            "inputs": isinstance(fields["inputs"], list) and all(map(_is_digest, fields["inputs"])),
            "texts": all(isinstance(fields[name], str) for name in ("function", "created")),
            "tables": all(_is_table(fields[name]) for name in ("arguments", "values", "versions", "machine")),
            "numbers": all(_is_size(fields[name]) for name in ("seconds", "bytes")),
            "media type": fields["media_type"] in tuple(EXTENSIONS),
            "info": isinstance(fields["info"], dict) and _is_info(fields["info"]),
        }
        if wrong := [name for name, fine in checks.items() if not fine]:
            raise ValueError(f"unusable {', '.join(wrong)}")
        return cls(**fields)


@dataclass(frozen=True)
class Build:
    """What a build of an article asked for: (name of the call, record) in the order of the calls."""

    article: str
    calls: list[tuple[str, Record]] = field(default_factory=list)


class Store:
    """Artifacts in a storage: a folder, a bucket, or memory."""

    def __init__(self, storage: Storage):
        self.storage = storage
        self._known: dict[str, Record] = {}  # by key, from builds: records never change

    def find(self, key: str) -> Record | None:
        """The record stored under `key`, or None. Raises: StoreError if there is one that can not be read."""
        if key in self._known:
            return self._known[key]
        name = _index(key)
        try:
            record = self._parse(name, Record.from_json, self._remedy(key))
        except Missing:
            return None
        if record.key != key:
            raise StoreError(f"{self._damaged(name)}: it is the record of {record.key}; {self._remedy(key)}")
        return record

    def put(self, encoded: Encoded, **made) -> Record:
        """Store the object, then its record, made of `encoded` and of the Record's other fields.

        Where two processes make the same artifact, both keep one whole record and its object.
        Raises: StoreError if it can not be written.
        """
        record = make_record(encoded, **made)
        self.storage.put(_object(record), encoded.data, record.media_type, immutable=True)
        self.storage.put(_index(record.key), _json(record.to_json()), "application/json", immutable=True)
        return record

    def forget(self, key: str) -> None:
        """Take a record out of the index, and its object too if that is damaged, so that the artifact is made again."""
        self._known.pop(key, None)
        try:
            record = self.find(key)
        except StoreError:
            record = None  # a damaged record does not say which object it is about
        self.storage.delete(_index(key))
        if record is not None:
            try:
                self.read(record)
            except StoreError:
                self.storage.delete(_object(record))

    def read(self, record: Record) -> bytes:
        """The object's bytes, checked. Raises: StoreError if it is missing or not what was stored."""
        name = _object(record)
        try:
            data = self.storage.get(name)
        except Missing as error:
            raise StoreError(f"{error}; {self._remedy(record.key)}") from error
        if hashlib.sha256(data).hexdigest() != record.sha256:
            raise StoreError(f"{self._damaged(name)}: its bytes do not hash to its name; {self._remedy(record.key)}")
        return data

    def export(self, record: Record, target: Path) -> None:
        """Check the object and write it to the file `target`."""
        self.read(record)
        self.storage.export(_object(record), target)

    # ---- code and builds

    def put_source(self, digest: str, source: dict) -> None:
        """Keep what the code with this digest consists of; `source` is JSON."""
        self.storage.put(_source(digest), _json(source), "application/json", immutable=True)

    def source(self, digest: str) -> dict | None:
        """What was kept under a code digest, or None."""
        try:
            return self._parse(_source(digest), dict, "delete it")
        except Missing:
            return None

    def put_build(self, build: Build) -> None:
        """Remember a build, in the place of the one before."""
        calls = [[name, record.to_json()] for name, record in build.calls]
        text = _json({"schema": SCHEMA, "article": build.article, "calls": calls})
        self.storage.put(_build(build.article), text, "application/json", immutable=False)

    def build(self, article: str) -> Build | None:
        """The last build of an article, or None. From then on its records are found without another look."""
        try:
            build = self._parse(_build(article), _parse_build, "delete it and build again")
        except Missing:
            return None
        self._known |= {record.key: record for _, record in build.calls}
        return build

    def builds(self) -> list[str]:
        """The articles that have been built."""
        names = self.storage.entries("builds/")
        return [name.removeprefix("builds/").removesuffix(".json") for name in names]

    def flush(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Send what a storage behind a network has not got yet."""
        if flush := getattr(self.storage, "flush", None):
            flush(progress)

    def _parse(self, name: str, parse: Callable, remedy: str):
        data = self.storage.get(name)
        try:
            return parse(json.loads(data, parse_constant=_refuse))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise StoreError(f"{self._damaged(name)} ({error}); {remedy}") from error

    def _damaged(self, name: str) -> str:
        return f"{name} in {self.storage.address} is damaged"

    def _remedy(self, key: str) -> str:
        return f"build with --force {key[:12]} to compute it anew"


def FolderStore(path: Path) -> Store:  # noqa: N802, reads like the class that it was
    """A store in a folder, made when first written to."""
    return Store(Folder(path))


def MemoryStore() -> Store:  # noqa: N802
    """A store in this process only, for trying things out."""
    return Store(Memory())


def make_record(encoded: Encoded, **made) -> Record:
    """The record of `encoded`; `made` are the fields that say how."""
    return Record(
        bytes=len(encoded.data),
        sha256=hashlib.sha256(encoded.data).hexdigest(),
        media_type=encoded.media_type,
        info=encoded.info,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        **made,
    )


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
    if not _is_digest(text):
        raise StoreError(f"{text!r} is no SHA-256")
    return text


def _parse_build(fields: dict) -> Build:
    if fields["schema"] != SCHEMA:
        raise ValueError(f"schema {fields['schema']}, not {SCHEMA}")
    return Build(fields["article"], [(str(name), Record.from_json(record)) for name, record in fields["calls"]])


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":")).encode()


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and DIGEST.fullmatch(value) is not None


def _is_table(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _is_size(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _is_info(value: object) -> bool:
    """Numbers, texts and lists of them: nothing that a page could take for something else."""
    if isinstance(value, dict):
        return all(_is_info(item) for item in value.values())
    if isinstance(value, list):
        return all(_is_number(item) or isinstance(item, list) and all(map(_is_number, item)) for item in value)
    return value is None or isinstance(value, str) or _is_number(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
