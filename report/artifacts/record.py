"""Records of how artifacts were made, sealed with a hash and checked when they are read."""

import dataclasses
import hashlib
import json
import re
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypedDict, Unpack

from msgspec import Meta

from report.artifacts.fields import Count, Digest, Text, parse_fields
from report.artifacts.media import EXTENSIONS, Encoded, MediaType

SCHEMA = 2
ARTICLE = re.compile(r"\w[\w-]{0,99}", re.ASCII)
CALL = re.compile(r"[\w./<>-]{1,200}")
# Characters that could garble a terminal, and bytes of names that are no UTF-8.
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

FINITE = sys.float_info.max
Table = dict[Text, Text]
Size = Count | Annotated[float, Meta(ge=0, le=FINITE)]
Number = int | Annotated[float, Meta(ge=-FINITE, le=FINITE)]
Numbers = list[Number | list[Number]]
Waveform = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]*\Z")]

if TYPE_CHECKING:  # a page knows which values the info of a media type has: see INFO
    Info = dict[str, Any]
else:
    Info = dict[str, None | str | Number | Numbers | dict[str, None | str | Number | Numbers]]


@dataclass(frozen=True)
class SoundInfo:
    """The part of a sound's info that a page needs."""

    samplerate: Size
    n_samples: Size
    seconds: Size
    clipped: Size
    peak: Number | None
    loudness: Number | None
    peaks: Waveform | list[tuple[Number, Number]]  # the latter in records of before
    wav: Digest | None = None  # which records did not always have
    channels: Size = 1  # the same


@dataclass(frozen=True)
class ImageInfo:
    """The part of a picture's or a film's info that a page needs."""

    width: Size
    height: Size
    alt: str


@dataclass(frozen=True)
class DataInfo:
    """A page needs to know nothing of data."""


@dataclass(frozen=True)
class ArrayInfo:
    """The part of an array's info that a page needs."""

    dtype: Text
    shape: list[Count]


@dataclass(frozen=True)
class WeightsInfo:
    """The part of the info of weights that a page needs."""

    tensors: Count
    numbers: Count


INFO: dict[str, type] = {
    "audio/flac": SoundInfo,
    "audio/wav": SoundInfo,
    "image/png": ImageInfo,
    "image/webp": ImageInfo,
    "application/json": DataInfo,
    "application/x-npy": ArrayInfo,
    "application/x-safetensors": WeightsInfo,
}


class Making(TypedDict):
    """How an artifact was made: the fields of a Record that do not follow from its bytes."""

    key: str
    function: str
    code: str
    arguments: dict[str, str]
    values: dict[str, str]
    versions: dict[str, str]
    inputs: list[str]
    seconds: float
    machine: dict[str, str]


@dataclass(frozen=True)
class Record:
    """How an artifact was made, and what it is.

    `seconds`, `created` and `machine` are on no page, since they vary.
    """

    key: Digest
    function: Text
    code: Digest  # of all code that the function can use, see `report.keys.dependencies`
    arguments: Table  # readable, for people
    values: Table  # digests of the arguments and globals that the key depends on
    versions: Table  # of Python and of the libraries that the code can use
    inputs: list[Digest]  # sha256 of the artifacts among the arguments
    seconds: Size
    machine: Table
    created: Text  # UTC
    sha256: Digest
    bytes: Count
    media_type: MediaType
    info: Info  # all that a page needs to know without opening the object
    schema: int = SCHEMA

    @property
    def name(self) -> str:
        """The object's file name, in the store and in a site."""
        return f"{self.sha256}.{EXTENSIONS[self.media_type]}"

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON, whose tables and lists are the record's own."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    @classmethod
    def from_json(cls, fields: object) -> "Record":
        """Return the record with these fields.

        Raises: ValueError that names a field that is missing, unknown, or not as it has to be.
        """
        schema = fields.get("schema") if isinstance(fields, dict) else None
        if schema != SCHEMA:
            raise ValueError(f"schema {schema!r}, not {SCHEMA}")
        record = parse_fields(fields, cls)
        try:
            parse_fields(record.info, INFO[record.media_type], more=True)
        except ValueError as error:
            raise ValueError(f"info.{error}") from error
        return record


@dataclass(frozen=True)
class Build:
    """The calls that a build of an article made: (name of the call, record), in order."""

    article: str
    calls: list[tuple[str, Record]] = field(default_factory=list)


def make_record(encoded: Encoded, **making: Unpack[Making]) -> Record:
    """Return the record of `encoded`, which was made just now, and in this way."""
    making["arguments"] = {
        name: UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
        for name, text in making["arguments"].items()
    }
    return Record(
        bytes=len(encoded.data),
        sha256=hashlib.sha256(encoded.data).hexdigest(),
        media_type=encoded.media_type,
        info=encoded.info,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        **making,
    )


def parse_build(stored_as: str, data: bytes) -> Build:
    """Return the build in a sealed file. Raises: ValueError if it is not one of that name."""
    fields = unseal(data)
    schema, article = fields.get("schema"), fields.get("article")
    if schema != SCHEMA:
        raise ValueError(f"schema {schema!r}, not {SCHEMA}")
    if f"builds/{article}.json" != stored_as:
        raise ValueError(f"it is of the article {article!r}")
    stored = parse_fields(fields, _StoredBuild)
    return Build(stored.article, [_parse_call(*call) for call in stored.calls])


@dataclass(frozen=True)
class _StoredBuild:
    schema: int
    article: str
    calls: list[tuple[str, dict[str, Any]]]


def _parse_call(name: str, fields: dict[str, Any]) -> tuple[str, Record]:
    if not CALL.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a call")
    try:
        return name, Record.from_json(fields)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def seal(content: dict[str, Any]) -> bytes:
    """Return JSON of `content` and its hash.

    Names keep their order: arguments are read by people, in the order of the signature.
    """
    text = _json(content)
    return b'{"sha256":"%s","content":%s}' % (hashlib.sha256(text).hexdigest().encode(), text)


def unseal(data: bytes) -> dict[str, Any]:
    """Return the content that was sealed. Raises: ValueError if any byte is another."""
    sealed = json.loads(data, parse_constant=_refuse)
    content = sealed.get("content") if isinstance(sealed, dict) else None
    if not isinstance(content, dict) or seal(content) != data:
        raise ValueError("it does not hash to what it says")
    return content


def _json(value: object) -> bytes:
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
