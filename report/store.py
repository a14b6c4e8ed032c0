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

import dataclasses
import hashlib
import json
import math
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TypeVar

from report.errors import Damaged, Missing, StoreError
from report.media import EXTENSIONS, Encoded
from report.storage import Entry, Folder, Memory, Storage

Loaded = TypeVar("Loaded")

SCHEMA = 2
DIGEST = re.compile(r"[0-9a-f]{64}")
ARTICLE = re.compile(r"\w[\w-]{0,99}", re.ASCII)
CALL = re.compile(r"[\w./<>-]{1,200}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # what could garble a terminal
OURS = re.compile(
    rf"(objects|index|sources)/([0-9a-f]{{2}})/\2[0-9a-f]{{62}}\.[a-z]+|builds/{ARTICLE.pattern}\.json", re.ASCII
)


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
            raise ValueError(f"schema {schema!r}, not {SCHEMA}")
        known = {f.name: f.type for f in dataclasses.fields(cls)}
        if set(fields) != set(known):
            raise ValueError(f"fields {sorted(set(fields) ^ set(known))}")
        checks = {
            "hashes": all(is_digest(x) for x in (fields["key"], fields["sha256"], fields["code"])),
            "inputs": isinstance(fields["inputs"], list) and all(map(is_digest, fields["inputs"])),
            "texts": all(_is_text(fields[name]) for name in ("function", "created")),
            "tables": all(_is_table(fields[name]) for name in ("arguments", "values", "versions", "machine")),
            "numbers": all(_is_size(fields[name]) for name in ("seconds", "bytes")),
            "media type": fields["media_type"] in tuple(EXTENSIONS),
            "info": isinstance(fields["info"], dict) and _is_info(fields["info"]),
        }
        wrong = [name for name, fine in checks.items() if not fine]
        if wrong := wrong or _wrong_info(fields["media_type"], fields["info"]):
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
        self.storage.put(_index(record.key), seal(record.to_json()), "application/json", immutable=kept)
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
        self.storage.put(_source(digest), seal(source), "application/json", immutable=not self._forgotten)

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
            build = self._load(name, lambda data: _parse_build(name, data), "build the article again")
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
        return [name.removeprefix("builds/").removesuffix(".json") for name in self.entries("builds")]

    def entries(self, kind: str) -> dict[str, Entry]:
        """What is stored of a kind, "objects", "index", "sources" or "builds"; files of others are left out."""
        return {name: entry for name, entry in self.storage.entries(f"{kind}/").items() if OURS.fullmatch(name)}

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


def make_record(encoded: Encoded, **made) -> Record:
    """The record of `encoded`; `made` are the fields that say how."""
    made["arguments"] = {
        name: CONTROL.sub("\N{REPLACEMENT CHARACTER}", text) for name, text in made["arguments"].items()
    }
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
    if not is_digest(text):
        raise StoreError(f"{text!r} is no SHA-256")
    return text


def _parse_build(stored_as: str, data: bytes) -> Build:
    fields = unseal(data)
    if fields["schema"] != SCHEMA:
        raise ValueError(f"schema {fields['schema']!r}, not {SCHEMA}")
    if f"builds/{fields['article']}.json" != stored_as:
        raise ValueError(f"it is of the article {fields['article']!r}")
    return Build(fields["article"], [_parse_call(*call) for call in fields["calls"]])


def _parse_call(name: str, record: object) -> tuple[str, Record]:
    if not CALL.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a call")
    try:
        return name, Record.from_json(record)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def seal(content: dict) -> bytes:
    """JSON with a hash of its own. The order of names stays: that of arguments is the one in which people read them."""
    text = _json(content)
    return _json({"sha256": hashlib.sha256(text).hexdigest(), "content": content})


def unseal(data: bytes) -> dict:
    """What was sealed. Raises: ValueError if it is not as it was."""
    sealed = json.loads(data, parse_constant=_refuse)
    if not isinstance(sealed, dict) or not isinstance(sealed.get("content"), dict) or seal(sealed["content"]) != data:
        raise ValueError("it does not hash to what it says")
    return sealed["content"]


def _json(value: object) -> bytes:
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def is_digest(value: object) -> bool:
    """Whether a value is a SHA-256 as names and records have it."""
    return isinstance(value, str) and DIGEST.fullmatch(value) is not None


def _is_table(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_text, (*value, *value.values())))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not CONTROL.search(value)


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


def _is_level(value: object) -> bool:
    return value is None or _is_number(value)


def _is_waveform(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in value)


def _wrong_info(media_type: str, info: dict) -> list[str]:
    """What a page needs to know of a file and `info` does not say."""
    return [f"info {name}" for name, fine in INFO[media_type].items() if name not in info or not fine(info[name])]


SOUND = dict.fromkeys(("samplerate", "n_samples", "seconds", "clipped"), _is_size)
IMAGE = {"width": _is_size, "height": _is_size, "alt": lambda value: isinstance(value, str)}
INFO = {
    "audio/wav": SOUND | {"peak": _is_level, "loudness": _is_level, "peaks": _is_waveform},
    "image/png": IMAGE,
    "image/webp": IMAGE,
    "application/json": {},
}
