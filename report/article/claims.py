"""Statements of an article that a build checks, and that say on the page what they rest on.

A claim inside of prose is text with its grounds behind it, between private characters that `prose`
makes a link of. So is the number or text of an artifact.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from report.article.fields import call, is_stand_in, kind_of
from report.article.prose import GROUNDS, OPEN
from report.artifacts.session import Artifact, active_session, artifacts_read
from report.errors import ReportError

NUMBER = re.compile(r"[-−]?\d[\d,\u202f\u00a0]*(?:\.(?P<decimals>\d+))?(?P<power>[eE][-+]?\d+)?")
GROUPING = str.maketrans({",": "", "\u202f": "", "\u00a0": "", "−": "-"})


class ClaimError(ReportError):
    """A claim does not hold."""


_failed: ContextVar[list[str] | None] = ContextVar("failed", default=None)


@contextmanager
def tolerating() -> Iterator[list[str]]:
    """Let claims in this block stand though they do not hold. Yields what would be their errors."""
    failed: list[str] = []
    token = _failed.set(failed)
    try:
        yield failed
    finally:
        _failed.reset(token)


@dataclass(frozen=True)
class Claim:
    """A statement that holds in this build, and the artifacts that it rests on."""

    text: str
    rests_on: tuple[Artifact, ...] = ()

    def __str__(self) -> str:
        """Return the text with its grounds, for prose."""
        grounds = " ".join(f"{x.sha256[:12]}{_scalar(x)}" for x in self.rests_on)
        return f"{OPEN}{self.text}{GROUNDS}{grounds}{OPEN}"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


def claim(holds: object, text: str, *rests_on: Artifact) -> Claim:
    """Return a claim that a page shows, alone or in the prose, or stop the build.

    `rests_on` are the artifacts that say so; without any, those whose values the cell has read.
    Raises: ClaimError if it does not hold; TypeError if `holds` is neither True nor False.
    """
    _check_text("claim", text)
    if not isinstance(holds, bool | np.bool_):
        raise TypeError(f"claim({holds!r}, ...): give a comparison, which is True or False")
    grounds = _grounds("claim", rests_on)
    if not holds and not any(map(is_stand_in, grounds)):  # of which `plan` knows nothing yet
        because = ", ".join(f"{_name(x)}{_scalar(x).replace('=', ' = ')}" for x in grounds)
        return _false(text, grounds, f"the claim {text!r} does not hold{because and ': '}{because}")
    return Claim(text, grounds)


def quote(text: str, value: Any, *rests_on: Artifact) -> Claim:
    """Return a text whose first number is that of a value, or stop the build.

    The number has as many decimals as it has; one with a % behind it is a share of one. The value
    is a number, or an artifact that has one.
    Raises: ClaimError if the value rounds to another number; TypeError or ValueError if there is
    none.
    """
    _check_text("quote", text)
    if isinstance(value, Artifact):
        rests_on = (value, *rests_on)
        value = value.value
    if not isinstance(value, Real | np.number) or isinstance(value, bool):
        raise TypeError(f"quote({text!r}, ...): the value is a {type(value).__name__}, no number")
    match = NUMBER.search(text)
    if match is None:
        raise ValueError(f"quote({text!r}, ...): there is no number in the text")
    decimals = len(match["decimals"] or "") - int((match["power"] or "e0")[1:])
    written = float(match[0].translate(GROUPING))
    actual = float(value) * (100 if text[match.end() :].lstrip().startswith("%") else 1)
    grounds = _grounds("quote", rests_on)
    if not abs(actual - written) <= 0.5 * 10.0**-decimals + 1e-9 * abs(written):
        now = f"{actual:.{max(decimals, 0)}f}"
        of = f" ({', '.join(map(_name, grounds))})" if grounds else ""
        problem = f"the text says {match[0]} in {text!r}, but the value is {now}{of}"
        return _false(text, grounds, problem)
    return Claim(text, grounds)


def _false(text: str, grounds: tuple[Artifact, ...], problem: str) -> Claim:
    """Return a claim that does not hold, which says so. Raises: ClaimError, but where tolerated."""
    failed = _failed.get()
    if failed is None:
        raise ClaimError(
            f"{problem}; all that was computed is kept, and `build --draft` shows the page anyway"
        )
    failed.append(problem)
    return Claim(f"{text} [does not hold]", grounds)


def in_prose(value: Any, spec: str = "") -> str:
    """Return the text of a value in prose; that of an artifact leads to how it was made.

    Raises: TypeError for an artifact that is neither number nor text.
    """
    if not isinstance(value, Artifact):
        return format(value, spec)
    if not value.is_word:
        raise TypeError(
            f"{call(value)} made {kind_of(value)} that is neither number nor text, which prose can "
            "not show; show it in a cell of its own, or give what prose is to say of it"
        )
    return str(Claim(format(value, spec), (value,)))


def _grounds(name: str, rests_on: tuple[Artifact, ...]) -> tuple[Artifact, ...]:
    for artifact in rests_on:
        if not isinstance(artifact, Artifact):
            raise TypeError(f"{name}(...) rests on a {type(artifact).__name__}; give artifacts")
    return rests_on or artifacts_read()


def _check_text(name: str, text: object) -> None:
    if not isinstance(text, str) or not text.strip():
        raise TypeError(f"{name}(...) has the text {text!r}; give what the page is to say")


def _name(artifact: Artifact) -> str:
    """Return the name of the call that made an artifact, as `ls` has it, if the session knows it.

    The key of one of several results begins as that of the call does.
    """
    start = artifact.record.key[:32]
    for key, (name, _) in active_session().calls.items():
        if key.startswith(start):
            return name
    return call(artifact)


def _scalar(artifact: Artifact) -> str:
    """Return "=0.93" for data that is one number, or else ""."""
    if artifact.media_type != "application/json" or artifact.record.bytes > 30:
        return ""
    value = artifact.value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"={value:.6g}" if is_number else ""
