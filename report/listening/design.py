"""A listening test: the sounds by their hashes, the question and the scale.

The page has a design as JSON, and so has the manifest of its site. Answers name the SHA-256 of
these bytes, so that everybody can tell what was asked.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import msgspec

from report.errors import ReportError

VERSION = 1
Kind = Literal["mushra", "preference", "abx", "acr", "dcr"]
REFERENCE = "reference"  # the role of the sound that the others are made from
ANCHOR = "anchor"  # the role of a low-passed reference begins with it: "anchor3500"
# They are in JSON only inside texts. Without them, a page can hold the bytes as they are.
UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


@dataclass(frozen=True)
class Scale:
    """Numbers that a listener gives, and the words beside them from the most to the least."""

    least: int
    most: int
    words: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """One piece of music or speech by all systems.

    `sounds` is the name of a system, or a role -> SHA-256 of the stored file. `gains` has the same
    keys -> dB by which the page changes the level, so that all are equally loud.
    """

    name: str
    sounds: Mapping[str, str]
    gains: Mapping[str, float]


@dataclass(frozen=True)
class Checks:
    """How a test finds out how a listener listens, apart from the hidden reference."""

    headphones: bool  # whether the page asks which of three tones is the softest
    repeated: int  # trials that are asked again at the end


@dataclass(frozen=True)
class Design:
    """What a test asks. Everything that a listener is asked follows from this and a seed."""

    id: str  # the anchor of the test on its page
    kind: Kind
    question: str
    systems: tuple[str, ...]  # in the order of the author
    items: tuple[Item, ...]
    roles: Mapping[str, str]  # keys of Item.sounds that are no systems -> their names
    scale: Scale | None  # None where listeners choose a sound
    each: int  # items that a listener gets
    trials: int  # how often a pair of an item is asked, in preference tests and ABX
    training: tuple[str, ...]  # names of items that are for training alone
    level: float | None  # LUFS of all sounds; None if their levels stay
    checks: Checks
    consent: str  # the line that a listener agrees to
    token: str | None  # shared by all listeners, for the receiver of answers
    post: str | None  # the address that answers are sent to
    version: int = VERSION

    @property
    def rated(self) -> tuple[str, ...]:
        """The keys of Item.sounds of which listeners judge each one: systems and hidden roles."""
        hidden = () if self.kind in ("preference", "abx") else tuple(self.roles)
        return (*self.systems, *hidden)

    @property
    def tested(self) -> tuple[Item, ...]:
        """The items that are no training."""
        return tuple(item for item in self.items if item.name not in self.training)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Each two systems, in the order of the author: what preference tests and ABX ask."""
        return list(combinations(self.systems, 2))


def design_json(design: Design) -> bytes:
    """Return a design as JSON, always the same bytes: sorted keys, no spaces, UTF-8.

    HTML can hold them as they are.
    """
    text = msgspec.json.encode(design, order="sorted").decode()
    for character, escape in UNSAFE.items():
        text = text.replace(character, escape)
    return text.encode()


def digest(design: Design) -> str:
    """Return the SHA-256 of a design's JSON, by which answers name it."""
    return hashlib.sha256(design_json(design)).hexdigest()


def read_design(data: bytes | Mapping[str, Any]) -> Design:
    """Return the design in JSON, or in what JSON was decoded to.

    Raises: ReportError if it is no design, or of another version.
    """
    try:
        if isinstance(data, bytes):
            data = msgspec.json.decode(data, type=dict[str, Any])
        version = data.get("version")
        if version != VERSION:
            raise ReportError(
                f"the design of a listening test has version {version!r}, but this program reads "
                f"version {VERSION}; use the program that built its page"
            )
        return msgspec.convert(data, Design)
    except msgspec.MsgspecError as error:
        raise ReportError(f"this is no design of a listening test: {error}") from error
