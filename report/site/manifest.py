"""What a site holds, and how each artifact was made: manifest.json, the same for every build of the same things."""

import dataclasses
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from report.artifacts.media import EXTENSIONS
from report.artifacts.record import Build, Record, is_digest
from report.errors import SiteError, StoreError
from report.site import selfcheck
from report.storage.interface import check_name

GENERATOR = "literate audio report"  # how a site of ours is known
MANIFEST = selfcheck.MANIFEST
MEDIA = "media"  # where a site's media are, relative to its manifest
OFFLINE = "offline"  # copies of media for pages that are opened from a disk, which may read nothing but scripts
RELEASED_MEDIA = "../../media"  # where those of a published release are, if they have no URL
MEDIA_FILE = re.compile(r"media/([0-9a-f]{64})\.[a-z0-9]+")
MEDIA_URL = re.compile(
    r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~%+-]+)*"
)  # no user, no password, no markup
MEDIA_TYPES = {extension: media_type for media_type, extension in EXTENSIONS.items()} | {
    "css": "text/css",
    "html": "text/html",
    "js": "text/javascript",
}


@dataclass(frozen=True)
class File:
    """One file: the hash and the number of its bytes, and its media type."""

    sha256: str
    bytes: int
    media_type: str


@dataclass(frozen=True)
class Made:
    """An artifact and how it was made: what of its record is the same for every build."""

    sha256: str
    bytes: int
    media_type: str
    key: str
    code: str
    function: str
    arguments: dict[str, str]
    libraries: dict[str, str]  # versions
    inputs: list[str]  # sha256 of artifacts


@dataclass(frozen=True)
class Manifest:
    """`files` are all files but the manifest; `artifacts` are those of every call, whether a page shows them or not."""

    facts: dict[str, str]
    pages: dict[str, dict[str, str]]  # address -> title, description
    files: dict[str, File]
    artifacts: dict[
        str, Made
    ]  # "music/rendered/3" -> what that call made; these names are never used as paths
    media: str = MEDIA  # where the files named media/… are, relative to the manifest or as a URL

    @property
    def sha256(self) -> str:
        """Hash over everything that the manifest says."""
        return selfcheck.digest(self._fields())

    def encode(self) -> bytes:
        """The bytes of manifest.json."""
        return selfcheck.serialise(self._fields() | {"sha256": self.sha256})

    def _fields(self) -> dict:
        return {"schema": selfcheck.SCHEMA, "generator": GENERATOR} | dataclasses.asdict(self)


def make(
    facts: dict[str, str],
    pages: dict[str, dict[str, str]],
    files: dict[str, File],
    builds: Iterable[Build],
) -> Manifest:
    """The manifest of a site with these files, whose articles made the calls of `builds`.

    Raises: SiteError for a file that can not have its name in a site.
    """
    artifacts = {
        f"{build.article}/{call}": _made(record) for build in builds for call, record in build.calls
    }
    return _checked(Manifest(facts, pages, files, artifacts))


def describe(name: str, data: bytes) -> File:
    """The entry of a file that holds `data`. Raises: SiteError for a kind of file that is in no site."""
    suffix = PurePosixPath(name).suffix[1:]
    if suffix not in MEDIA_TYPES:
        raise SiteError(
            f"{name}: no file of a site ends in {suffix!r}; known: {', '.join(sorted(MEDIA_TYPES))}"
        )
    return File(hashlib.sha256(data).hexdigest(), len(data), MEDIA_TYPES[suffix])


def read(data: bytes, where: str = MANIFEST) -> Manifest:
    """The manifest in these bytes, every field checked; `where` they were is for messages.

    Raises: SiteError if they are damaged, are of another schema, or name files that no site can have.
    """
    try:
        fields = selfcheck.parse(data)
        if fields.pop("generator") != GENERATOR:
            raise ValueError("it was not written here")
        del fields["schema"], fields["sha256"]
        files = {name: File(**file) for name, file in fields.pop("files").items()}
        artifacts = {name: Made(**made) for name, made in fields.pop("artifacts").items()}
        return _checked(Manifest(files=files, artifacts=artifacts, **fields))
    except (ValueError, TypeError, KeyError, AttributeError, SiteError) as error:
        raise SiteError(f"{where} can not be used: {error}; build the site again") from error


def _made(record: Record) -> Made:
    same = {
        f.name: getattr(record, f.name) for f in dataclasses.fields(Made) if f.name != "libraries"
    }
    return Made(libraries=record.versions, **same)


def _checked(manifest: Manifest) -> Manifest:
    checks = {
        "facts": _is_table(manifest.facts),
        "pages": all(
            x in manifest.files and _is_table(y) and "title" in y for x, y in manifest.pages.items()
        ),
        "media": manifest.media in (MEDIA, RELEASED_MEDIA)
        or MEDIA_URL.fullmatch(manifest.media) is not None,
        "artifacts": all(map(_is_made, manifest.artifacts.values())),
    }
    if wrong := [name for name, fine in checks.items() if not fine]:
        raise SiteError(f"unusable {', '.join(wrong)}")
    for name, file in manifest.files.items():
        try:
            check_name(name)
        except StoreError as error:
            raise SiteError(str(error)) from error
        if (
            not _is_stored(file)
            or name == MANIFEST
            or name.startswith(f"{MEDIA}/")
            and not _is_media(name, file)
        ):
            raise SiteError(f"unusable entry of {name}")
    return manifest


def _is_media(name: str, file: File) -> bool:
    match = MEDIA_FILE.fullmatch(name)
    return match is not None and match[1] == file.sha256


def _is_stored(file: File | Made) -> bool:
    return (
        is_digest(file.sha256)
        and type(file.bytes) is int
        and file.bytes >= 0
        and isinstance(file.media_type, str)
    )


def _is_made(made: Made) -> bool:
    return (
        _is_stored(made)
        and made.media_type in EXTENSIONS
        and all(map(is_digest, (made.key, made.code, *made.inputs)))
        and isinstance(made.function, str)
        and _is_table(made.arguments)
        and _is_table(made.libraries)
    )


def _is_table(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
