"""Front matter: the globals of a script that say who wrote the article, when, and how to cite it.

AUTHORS, DATE, LANG, LICENSE, ABSTRACT, KEYWORDS, DOI and BIBLIOGRAPHY. A page shows them, and a
site's manifest, its RO-Crate and the citation files have them.
"""

import datetime
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from report.errors import ReportError

LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
ORCID = re.compile(r"(?:https://orcid\.org/)?((?:\d{4}-){3}\d{3}[\dX])")
DOI = re.compile(r"(?:https://doi\.org/|doi:)?(10\.\d{4,9}/[^\s\"<>]+)")
LICENCE = re.compile(r"[A-Za-z0-9.+-]+|https?://[^\s\"<>]+")


@dataclass(frozen=True)
class Author:
    """A person who wrote an article. `orcid` is their identifier at orcid.org."""

    name: str
    orcid: str = ""
    affiliation: str = ""

    def __post_init__(self) -> None:
        for name in ("name", "orcid", "affiliation"):
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"Author.{name} is {getattr(self, name)!r}; give a str")
        if not self.name.strip():
            raise ValueError("Author.name is empty; give a name")
        if self.orcid:
            object.__setattr__(self, "orcid", _orcid(self.orcid))


@dataclass(frozen=True)
class FrontMatter:
    """All that a script says about its article. Texts are "" where it says nothing."""

    authors: list[Author] = field(default_factory=list)
    date: str = ""  # ISO 8601
    language: str = "en"
    licence: str = ""  # an identifier of SPDX, or an address
    abstract: str = ""
    keywords: list[str] = field(default_factory=list)
    doi: str = ""  # as in "10.5281/zenodo.1234"

    @property
    def names(self) -> list[str]:
        return [author.name for author in self.authors]


def read_front_matter(namespace: Mapping[str, Any], path: Path) -> FrontMatter:
    """Return the front matter in the globals of a script. Raises: ReportError for a wrong one."""
    return FrontMatter(
        authors=_authors(namespace, path),
        date=_date(namespace, path),
        language=_matching(namespace, path, "LANG", LANGUAGE_TAG, '"en"') or "en",
        licence=_matching(namespace, path, "LICENSE", LICENCE, '"CC-BY-4.0"'),
        abstract=" ".join(_text(namespace, path, "ABSTRACT").split()),
        keywords=_keywords(namespace, path),
        doi=_matching(namespace, path, "DOI", DOI, '"10.5281/zenodo.1234"'),
    )


def citation(front: FrontMatter, title: str, name: str) -> str:
    """Return the BibTeX entry of an article, or "" if it has no author."""
    if not front.authors:
        return ""
    year = front.date[:4]
    family = front.names[0].split()[-1]
    letters = unicodedata.normalize("NFKD", family).encode("ascii", "ignore").decode().lower()
    key = re.sub(r"[^a-z0-9]", "", letters + year) + re.sub(r"[^A-Za-z0-9]", "", name)
    fields = {
        "author": " and ".join(map(_braced, front.names)),
        "title": _braced(title),
        "year": year,
        "keywords": _escaped(", ".join(front.keywords)),
        "doi": front.doi,
        "url": f"https://doi.org/{front.doi}" if front.doi else "",
    }
    lines = [f"  {field} = {{{value}}}" for field, value in fields.items() if value]
    return "@misc{" + ",\n".join([key, *lines]) + "\n}"


def _braced(text: str) -> str:
    """Return a text that BibTeX takes as it is: a name of one piece, a title in its own case."""
    return f"{{{_escaped(text)}}}"


def _escaped(text: str) -> str:
    """Return a text without the characters that TeX reads otherwise."""
    text = text.replace("\\", "/").translate(str.maketrans("{}", "()"))
    return re.sub(r"([&%$#_])", r"\\\1", text).replace("~", " ").replace("^", " ")


def _authors(namespace: Mapping[str, Any], path: Path) -> list[Author]:
    authors = namespace.get("AUTHORS", [])
    listed = authors if isinstance(authors, list | tuple) else [authors]
    result = []
    for author in listed:
        if isinstance(author, Author):
            result.append(author)
        elif isinstance(author, str) and author.strip():
            result.append(Author(author))
        else:
            raise ReportError(
                f"{path}: AUTHORS is {authors!r}; give a name, or a list of names, or of "
                "Author(name, orcid, affiliation)"
            )
    return result


def _date(namespace: Mapping[str, Any], path: Path) -> str:
    value = namespace.get("DATE", "")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if value == "":
        return ""
    try:
        return _parse_date(value).isoformat()
    except (TypeError, ValueError) as error:
        raise ReportError(f'{path}: DATE is {value!r}; write it as in "2026-05-01"') from error


def _parse_date(text: str) -> datetime.date:
    """Return the date in any of the forms of ISO 8601, such as 20260501, perhaps with a time."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return datetime.datetime.fromisoformat(text)


def _text(namespace: Mapping[str, Any], path: Path, name: str) -> str:
    value = namespace.get(name, "")
    if not isinstance(value, str):
        raise ReportError(f"{path}: {name} is {value!r}; give a text")
    return value


def _matching(
    namespace: Mapping[str, Any], path: Path, name: str, pattern: re.Pattern[str], example: str
) -> str:
    """Return a global that is "" or has a form: its last group, or else all of it."""
    value = namespace.get(name, "")
    match = pattern.fullmatch(value) if isinstance(value, str) else None
    if value != "" and match is None:
        raise ReportError(f"{path}: {name} is {value!r}; write it as in {example}")
    return "" if match is None else match[1 if name == "DOI" else 0]


def _keywords(namespace: Mapping[str, Any], path: Path) -> list[str]:
    keywords = namespace.get("KEYWORDS", [])
    if not isinstance(keywords, list | tuple) or not all(
        isinstance(word, str) and word.strip() for word in keywords
    ):
        raise ReportError(f"{path}: KEYWORDS is {keywords!r}; give a list of words")
    return [" ".join(word.split()) for word in keywords]


def _orcid(text: str) -> str:
    """Return the digits of an ORCID. Raises: ValueError if it is none, as the last one says."""
    match = ORCID.fullmatch(text)
    digits = match[1].replace("-", "") if match else ""
    total = 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    check = (12 - total % 11) % 11
    if match is None or digits[-1] != ("X" if check == 10 else str(check)):
        raise ValueError(f"Author.orcid is {text!r}; write it as in '0000-0002-1825-0097'")
    return match[1]
