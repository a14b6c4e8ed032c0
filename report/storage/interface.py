"""Named bytes in a folder, in memory or elsewhere: what artifacts and published sites are kept in.

Names are paths such as "objects/ab/abcd.wav". They come from records and listings that anyone may have written, so
each is checked before it becomes a path or a key.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from report.errors import StoreError

SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+ -]{0,254}")  # of a name, between its slashes


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
    if not all(
        SEGMENT.fullmatch(part) and not part.endswith((".", " ")) for part in name.split("/")
    ):
        raise StoreError(
            f"{name!r} is no name for something stored: letters, digits and ._+- between single slashes"
        )
    return name


def check_url(url: str) -> str:
    """`url` without credentials and the slash at its end. Raises: StoreError unless it leads to a web server."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        known = (
            parts.scheme in ("http", "https")
            and parts.hostname
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        known = False
    if not known:
        raise StoreError(
            f"{for_messages(url)!r} is no address of a server; write http://host:port or https://host"
        )
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
