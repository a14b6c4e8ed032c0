"""The articles of the site that is there, which a build of others keeps as they are."""

import json
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from report.article.page import with_others
from report.errors import SiteError
from report.site.manifest import (
    MANIFEST,
    MEDIA,
    OFFLINE,
    About,
    File,
    Manifest,
    Provenance,
    describe,
    read,
)

REMEDY = "build it too, or leave out with --only what is there"


@dataclass(frozen=True)
class Kept:
    """Articles that are not built now, by the addresses of their pages."""

    site: Path
    built: list[str]  # the pages of the other articles
    manifest: Manifest = field(default_factory=lambda: Manifest({}, {}, {}, {}))  # of the old site
    data: bytes | None = None  # of the old manifest; None if there is none
    pages: dict[str, About] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The names of the articles."""
        return [page.removesuffix(".html") for page in self.pages]

    @property
    def artifacts(self) -> dict[str, Provenance]:
        """The artifacts that the articles computed."""
        artifacts = self.manifest.artifacts.items()
        return {call: made for call, made in artifacts if call.partition("/")[0] in self.names}

    @property
    def html(self) -> list[str]:
        """The pages of the articles, and of their parts."""
        parts = [part for about in self.pages.values() for part, _ in about.parts or ()]
        return [*self.pages, *parts]

    def in_order(self, built: list[str]) -> list[str]:
        """Return the pages of a site that has those `built` too: the old places, then new pages."""
        if not self.pages:
            return built
        old = [page for page, _ in self.manifest.articles if page in {*self.pages, *built}]
        return old + [page for page in built if page not in old]

    def copy(self, folder: Path, titles: dict[str, str]) -> dict[str, File]:
        """Copy the files to a new site, unless they are there. Returns: name -> entry.

        titles: article -> title of the whole site; pages link to all of them.
        Raises: SiteError for a file that is not what was built.
        """
        files = {}
        for name in self._files():
            data = self.read(name)
            if name in self.pages:
                data = with_others(data.decode(), name.removesuffix(".html"), titles).encode()
            if not (folder / name).exists():
                (folder / name).write_bytes(data)
            files[name] = describe(name, data)
        return files

    def check(self) -> None:
        """Raise SiteError if another build has changed these articles, or brought some."""
        if _manifest_data(self.site) == self.data:
            return
        if self.pages or kept_articles(self.site, self.built).pages:
            raise SiteError(
                f"{self.site} was replaced by another build meanwhile; build again: "
                "what was computed is in the store"
            )

    def is_outdated(self, files: dict[str, File]) -> bool:
        """Tell whether a new site has other scripts or styles than these pages were built with."""
        return any(
            name.startswith("assets/") and self.manifest.files.get(name) != file
            for name, file in files.items()
        )

    def _files(self) -> list[str]:
        digests = {made.sha256 for made in self.artifacts.values()}
        media = []
        for name in self.manifest.files:
            folder, _, file = name.partition("/")
            if folder in (MEDIA, OFFLINE) and file.partition(".")[0] in digests:
                media.append(name)
        return [*self.html, *media]

    def read(self, name: str) -> bytes:
        """Return the bytes of a file. Raises: SiteError if it is not what was built."""
        file = self.manifest.files.get(name)
        try:
            data = (self.site / name).read_bytes()
        except FileNotFoundError:
            data = b""
        if file is None or sha256(data).hexdigest() != file.sha256:
            self.check()
            raise SiteError(f"{self.site / name} is not what was built; {REMEDY}")
        return data


def kept_articles(site: Path, built: list[str]) -> Kept:
    """Return the articles of the site in a folder, if there is one, without those `built` now.

    Raises: SiteError if it has some that can not be kept.
    """
    data = _manifest_data(site)
    if data is None:
        return Kept(site, built)
    try:
        manifest = read(data, str(site / MANIFEST))
    except SiteError as error:
        if set(_pages_of(data)) <= set(built):
            return Kept(site, built, data=data)
        raise SiteError(f"{error}, all of it, or leave out with --only what is there") from error
    pages = {page: about for page, about in manifest.articles if page not in built}
    for page, about in pages.items():
        if about.parts is None:
            raise SiteError(f"{site / page} was built by an older version; {REMEDY}")
    return Kept(site, built, manifest, data, pages)


def _manifest_data(site: Path) -> bytes | None:
    try:
        return (site / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _pages_of(data: bytes) -> list[str]:
    """Return the pages that a manifest names which can not be read: it may be of another schema."""
    try:
        return list(json.loads(data)["pages"])
    except (ValueError, KeyError, TypeError):
        return []


def numbered(pages: dict[str, About], order: list[str]) -> dict[str, About]:
    """Return pages with their places in the order of the site."""
    return {page: replace(pages[page], order=number) for number, page in enumerate(order)}
