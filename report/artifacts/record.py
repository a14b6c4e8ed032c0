"""Records of how artifacts were made, sealed with a hash and checked when read."""

import dataclasses
import hashlib
import json
import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from report.artifacts.media import EXTENSIONS, Encoded

SCHEMA = 2
DIGEST = re.compile(r"[0-9a-f]{64}")
ARTICLE = re.compile(r"\w[\w-]{0,99}", re.ASCII)
CALL = re.compile(r"[\w./<>-]{1,200}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # what could garble a terminal


@dataclass(frozen=True)
class Record:
    """How an artifact was made, and what it is. `seconds`, `created` and `machine` are in no page: they vary."""

    key: str
    function: str
    code: str  # digest of all code that it can use, see `report.keys.dependencies`
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
            "tables": all(
                _is_table(fields[name]) for name in ("arguments", "values", "versions", "machine")
            ),
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


def make_record(encoded: Encoded, **made) -> Record:
    """The record of `encoded`; `made` are the fields that say how."""
    made["arguments"] = {
        name: CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
        for name, text in made["arguments"].items()
    }
    return Record(
        bytes=len(encoded.data),
        sha256=hashlib.sha256(encoded.data).hexdigest(),
        media_type=encoded.media_type,
        info=encoded.info,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        **made,
    )


def parse_build(stored_as: str, data: bytes) -> Build:
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
    if (
        not isinstance(sealed, dict)
        or not isinstance(sealed.get("content"), dict)
        or seal(sealed["content"]) != data
    ):
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
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and value >= 0
    )


def _is_info(value: object) -> bool:
    """Numbers, texts and lists of them: nothing that a page could take for something else."""
    if isinstance(value, dict):
        return all(_is_info(item) for item in value.values())
    if isinstance(value, list):
        return all(
            _is_number(item) or isinstance(item, list) and all(map(_is_number, item))
            for item in value
        )
    return value is None or isinstance(value, str) or _is_number(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_level(value: object) -> bool:
    return value is None or _is_number(value)


def _is_waveform(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 for pair in value
    )


def _wrong_info(media_type: str, info: dict) -> list[str]:
    """What a page needs to know of a file and `info` does not say."""
    return [
        f"info {name}"
        for name, fine in INFO[media_type].items()
        if name not in info or not fine(info[name])
    ]


SOUND = dict.fromkeys(("samplerate", "n_samples", "seconds", "clipped"), _is_size)
IMAGE = {"width": _is_size, "height": _is_size, "alt": lambda value: isinstance(value, str)}
INFO = {
    "audio/wav": SOUND | {"peak": _is_level, "loudness": _is_level, "peaks": _is_waveform},
    "image/png": IMAGE,
    "image/webp": IMAGE,
    "application/json": {},
}
