"""manifest.json: the files of a site and how each artifact was made; same contents, same bytes."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import msgspec

from report.artifacts.fields import Count, Digest, parse_fields
from report.artifacts.media import EXTENSIONS, MediaType
from report.artifacts.record import Build, Record
from report.errors import ReportError, SiteError, StoreError
from report.listening.design import Design, digest, read_design
from report.site import selfcheck
from report.storage.interface import check_name

GENERATOR = "literate audio report"  # marks a site as one of ours
MANIFEST = selfcheck.MANIFEST
MEDIA = "media"  # folder of a site's media, relative to its manifest
OFFLINE = "offline"  # copies of media as scripts: pages opened from a disk can read nothing else
RELEASED_MEDIA = "../../media"  # folder of a published release's media, if they have no URL
MEDIA_FILE = re.compile(r"media/([0-9a-f]{64})\.[a-z0-9]+")
MEDIA_URL = re.compile(  # no user, no password, no markup
    r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~%+-]+)*"
)
FILE_TYPES: dict[str, str] = {
    **{extension: media_type for media_type, extension in EXTENSIONS.items()},
    "css": "text/css",
    "html": "text/html",
    "js": "text/javascript",
}


@dataclass(frozen=True)
class File:
    """One file of a site: the hash and the number of its bytes, and its media type."""

    sha256: Digest
    bytes: Count
    media_type: str


@dataclass(frozen=True)
class Provenance:
    """An artifact and how it was made: the part of its record that is the same for every build."""

    sha256: Digest
    bytes: Count
    media_type: MediaType
    key: Digest
    code: Digest
    function: str
    arguments: dict[str, str]
    libraries: dict[str, str]  # name -> version
    inputs: list[Digest]  # sha256 of artifacts


@dataclass(frozen=True)
class Asked:
    """A listening test: the SHA-256 that answers name, and what it asks, see `Design`."""

    sha256: Digest
    design: dict[str, Any]


@dataclass(frozen=True)
class About:
    """An article: what those want to know who do not read its page."""

    title: str
    description: str = ""
    authors: list[str] = field(default_factory=list)
    date: str = ""  # ISO 8601; "" if the script says none
    order: int = 0  # its place among the articles of the site
    # (page, title) of its parts; None if the site is older than this field.
    parts: list[tuple[str, str]] | None = None
    orcids: dict[str, str] = field(default_factory=dict)  # of authors
    affiliations: dict[str, str] = field(default_factory=dict)
    licence: str = ""  # see `FrontMatter` for this and the rest
    abstract: str = ""
    keywords: list[str] = field(default_factory=list)
    doi: str = ""
    tests: dict[str, Asked] = field(default_factory=dict)  # by their anchors on the page


@dataclass(frozen=True)
class Manifest:
    """The contents of manifest.json."""

    facts: dict[str, str]
    pages: dict[str, About]  # by the address of each article
    files: dict[str, File]  # all but the manifest
    # "music/rendered/3" -> the result of that call, on a page or not. Never used as a path.
    artifacts: dict[str, Provenance]
    media: str = MEDIA  # place of the files named media/..., relative to the manifest or a URL

    @property
    def articles(self) -> list[tuple[str, About]]:
        """The articles in the order of the site: (address, what it is)."""
        return sorted(self.pages.items(), key=lambda item: (item[1].order, item[0]))

    @property
    def authors(self) -> list[str]:
        """The authors of all articles, each once."""
        return list(dict.fromkeys(name for _, about in self.articles for name in about.authors))

    @property
    def orcids(self) -> dict[str, str]:
        """The ORCIDs of the authors that have one."""
        return {name: orcid for _, about in self.articles for name, orcid in about.orcids.items()}

    @property
    def affiliations(self) -> dict[str, str]:
        """The affiliations of the authors that have one, each as the last article says."""
        return {name: at for _, about in self.articles for name, at in about.affiliations.items()}

    @property
    def licence(self) -> str:
        """The licence of the site, or else of all its articles; "" if they differ or say none."""
        licences = {about.licence for about in self.pages.values()}
        return self.facts.get("license") or (licences.pop() if len(licences) == 1 else "")

    @property
    def keywords(self) -> list[str]:
        """The keywords of all articles, each once."""
        return list(dict.fromkeys(word for _, about in self.articles for word in about.keywords))

    @property
    def date(self) -> str:
        """The date of the build, or else the latest that an article says; "" if none is known."""
        dates = [about.date for about in self.pages.values()]
        return self.facts.get("date") or max(dates, default="")

    @property
    def sha256(self) -> str:
        """The hash of everything that the manifest says."""
        return selfcheck.digest(self._fields(), serialise)

    def designs(self) -> list[Design]:
        """Return what all listening tests ask.

        Raises: SiteError for a test that has another hash, or is of another version.
        """
        designs = []
        for page, about in self.articles:
            for test, asked in about.tests.items():
                try:
                    design = read_design(asked.design)
                except ReportError as error:
                    raise SiteError(f"{page}: the test {test!r}: {error}") from error
                if digest(design) != asked.sha256:
                    raise SiteError(f"{page}: the test {test!r} is not the one of its hash")
                designs.append(design)
        return designs

    def encode(self) -> bytes:
        """Return the bytes of manifest.json."""
        fields = self._fields()
        return serialise(fields | {"sha256": selfcheck.digest(fields, serialise)})

    def _fields(self) -> dict[str, Any]:
        header = {"schema": selfcheck.SCHEMA, "generator": GENERATOR}
        fields = msgspec.to_builtins(self)
        for about in fields["pages"].values():
            if not about["tests"]:  # so that sites that are older than this field stay as they are
                del about["tests"]
        return header | fields


def serialise(value: object) -> bytes:
    """Return the bytes that `selfcheck.serialise` gives, in a tenth of the time."""
    try:
        text = msgspec.json.encode(value, order="sorted")
    except (OverflowError, TypeError):  # numbers that are larger than in any site
        return selfcheck.serialise(value)
    return msgspec.json.format(text, indent=1) + b"\n"


def make(
    facts: dict[str, str],
    pages: dict[str, About],
    files: dict[str, File],
    builds: Iterable[Build],
    kept: dict[str, Provenance] | None = None,
) -> Manifest:
    """Return the manifest of a site with these files, whose articles made the calls of `builds`.

    kept: artifacts of articles that were not built now.
    Raises: SiteError for a file that can not have its name in a site.
    """
    artifacts = dict(kept or {})
    for build in builds:
        for call, record in build.calls:
            artifacts[f"{build.article}/{call}"] = _provenance(record)
    manifest = Manifest(facts, pages, files, artifacts)
    try:
        return _parse(msgspec.to_builtins(manifest))
    except ValueError as error:
        raise SiteError(f"no site can have this manifest: {error}") from error


def describe(name: str, data: bytes) -> File:
    """Return the entry of a file that holds `data`.

    Raises: SiteError if no site has files of this kind.
    """
    suffix = PurePosixPath(name).suffix[1:]
    if suffix not in FILE_TYPES:
        known = ", ".join(sorted(FILE_TYPES))
        raise SiteError(f"{name}: no file of a site ends in {suffix!r}; known: {known}")
    return File(hashlib.sha256(data).hexdigest(), len(data), FILE_TYPES[suffix])


def read(data: bytes, where: str = MANIFEST) -> Manifest:
    """Return the manifest in these bytes, every field checked. `where` they were is for messages.

    Raises: SiteError if they are damaged, have another schema, or name files that no site can have.
    """
    try:
        fields = selfcheck.parse(data, serialise)
        if fields.get("generator") != GENERATOR:
            raise ValueError("it was not written here")
        header = ("schema", "generator", "sha256")
        return _parse({name: value for name, value in fields.items() if name not in header})
    except ValueError as error:
        raise SiteError(f"{where} can not be used: {error}; build the site again") from error


def _provenance(record: Record) -> Provenance:
    return Provenance(
        sha256=record.sha256,
        bytes=record.bytes,
        media_type=record.media_type,
        key=record.key,
        code=record.code,
        function=record.function,
        arguments=record.arguments,
        libraries=record.versions,
        inputs=record.inputs,
    )


def _parse(fields: dict[str, Any]) -> Manifest:
    """Return the manifest with these fields. Raises: ValueError that names a wrong one."""
    manifest = parse_fields(fields, Manifest)
    for page in manifest.pages:
        if page not in manifest.files:
            raise ValueError(f"pages: {page!r} is not among the files")
    if manifest.media not in (MEDIA, RELEASED_MEDIA) and not MEDIA_URL.fullmatch(manifest.media):
        raise ValueError(f"unusable media: {manifest.media!r} is no address of a folder")
    for name, file in manifest.files.items():
        _check_file(name, file)
    return manifest


def _check_file(name: str, file: File) -> None:
    """Raise ValueError unless a site can have this file."""
    try:
        check_name(name)
    except StoreError as error:
        raise ValueError(str(error)) from error
    match = MEDIA_FILE.fullmatch(name)
    is_medium = match is not None and match[1] == file.sha256
    if name == MANIFEST or name.startswith(f"{MEDIA}/") and not is_medium:
        raise ValueError(f"unusable entry of {name}")
