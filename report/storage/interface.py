"""The protocols of storages, which keep bytes under names, and the check that every name passes.

Artifacts and published sites are kept in storages. Names are paths such as "objects/ab/abcd.wav".
They come from records and listings that anyone may have written, so each is checked before it
becomes a path or a key.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable
from urllib.parse import quote, urlsplit

from report.errors import StoreError

SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+ -]{0,254}")  # of a name, between its slashes

URL_PATH = (
    "/%!$&'()*+,;=:@~"  # besides letters, digits and _.-; with a %, as some is quoted already
)


@dataclass(frozen=True)
class Entry:
    """One name of a listing: its length, and when it was written (seconds since 1970, UTC)."""

    bytes: int
    modified: float


@dataclass(frozen=True)
class Head:
    """A server's description of an object. None where the server does not say."""

    bytes: int | None
    media_type: str
    sha256: str | None
    cache_control: str


class Storage(Protocol):
    """Bytes under names. If the place fails, every method raises StoreError with name and place."""

    address: str  # for messages; holds no credentials
    parallel: int  # how many transfers at a time are worth while

    def get(self, name: str) -> bytes:
        """Return the bytes under `name`. Raises: Missing if there are none."""

    def put(self, name: str, data: bytes, media_type: str, immutable: bool) -> None:
        """Write whole or not at all.

        An immutable name never stands for other bytes: readers may keep them for ever, and bytes
        that are there need not be sent again. Other names are replaced in one step.
        """

    def entries(self, prefix: str = "") -> dict[str, Entry]:
        """Return everything whose name starts with `prefix`, sorted by name."""

    def delete(self, name: str) -> None:
        """Remove `name`. No error if it is not there."""

    def export(self, name: str, target: Path) -> None:
        """Write the bytes to the file `target`, without a copy if possible. Raises: Missing."""


@runtime_checkable
class Remote(Storage, Protocol):
    """A storage on a server that describes an object without sending it."""

    def head(self, name: str) -> Head:
        """Return the server's description of `name`. Raises: Missing."""


@runtime_checkable
class Bucket(Remote, Protocol):
    """A remote storage with rules about who may read it."""

    url: str  # where everyone can read it, once that is allowed

    def allow_reading(self) -> None:
        """Let everyone read. Raises: StoreError if the server does not allow it."""

    def allow_origins(self, origins: list[str]) -> None:
        """Let scripts of pages at `origins`, such as "https://example.org", read.

        Raises: StoreError if the server does not allow it.
        """


def check_name(name: str) -> str:
    """Return `name` if it leads nowhere but into the storage. Raises: StoreError."""
    for part in name.split("/"):
        if not SEGMENT.fullmatch(part) or part.endswith((".", " ")):
            raise StoreError(
                f"{name!r} is no name for something stored: "
                "letters, digits and ._+- between single slashes"
            )
    return name


def check_url(url: str) -> str:
    """Return `url` quoted, without credentials and without a slash at its end.

    Raises: StoreError if it is not the address of a web server.
    """
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and port_is_valid
    except ValueError:  # brackets that do not match, or a port that is no number
        valid = False
    if not valid:
        raise StoreError(
            f"{for_messages(url)!r} is no address of a server; "
            "write http://host:port or https://host"
        )
    host = parts.netloc.rpartition("@")[2]
    path = quote(parts.path, safe=URL_PATH)
    return parts._replace(netloc=host, path=path).geturl().rstrip("/")


def for_messages(address: str) -> str:
    """Return `address` without parts that may be credentials."""
    return re.sub(r"//.*@", "//", address)
