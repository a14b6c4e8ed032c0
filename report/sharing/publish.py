"""Publish a site: if anything breaks on the way, readers see the whole old one or the new one."""

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath

from report.article.page import DRAFT
from report.errors import Missing, SiteError, StoreError
from report.number_formats import megabytes
from report.sharing.browser_access import check_reading
from report.site.manifest import (
    MANIFEST,
    MEDIA,
    MEDIA_URL,
    OFFLINE,
    RELEASED_MEDIA,
    File,
    Manifest,
    describe,
    read,
)
from report.site.release import (
    INDEX,
    RELEASES,
    entry_page,
    leading_names,
    leading_page,
    make_release,
    release_id,
    release_name,
    release_shown,
)
from report.site.verify import verify
from report.storage.folder import Folder
from report.storage.interface import Entry, Remote, Storage, check_url
from report.storage.transfer import each

LISTED = 5  # addresses that are printed
DATE_FILE = re.compile(rf"{RELEASES}/([0-9a-f]{{16}})\.json")


@dataclass(frozen=True)
class Publication:
    """The result of `publish`: the release that `address` now shows."""

    address: str
    release: str
    sent: int  # media files
    bytes: int  # of these
    kept: int  # media files that were there already
    pages: list[str]  # names of the release's pages, but for the index

    def addresses(self, base: str) -> str:
        """Return the addresses to open, if the place is read at `base`."""
        shown = [f"{base}/{name}" for name in self.pages[:LISTED]]
        more = [f"{len(self.pages) - LISTED} more"] if len(self.pages) > LISTED else []
        lines = [
            f"open {base}/{INDEX}",
            f"the newest release, always: {', '.join(shown + more)}" if shown else "",
            f"this release, always: {base}/{release_name(self.release, INDEX)}",
        ]
        return "\n".join(line for line in lines if line)

    def __str__(self) -> str:
        return (
            f"{self.address}: release {self.release}, "
            f"media files sent: {self.sent} ({megabytes(self.bytes)}), there already: {self.kept}"
        )


def publish(
    site: Path,
    target: Storage,
    *,
    media_url: str | None = None,
    origin: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Publication:
    """Publish the site in the folder `site`.

    Media are sent first, then pages, each checked, then the entry page in one step, and those that
    lead to the release's pages: each of these leads to a whole release, old or new. Media that are
    whole at the target are not sent again. Do not run `gc` on the target meanwhile.

    media_url: the address at which readers find the target's folder media/, if that is not beside
        the pages. It is checked that everyone can read them there.
    origin: of the pages, such as "https://example.org". It is checked that pages there can read
        the media at `media_url`.
    progress: is called with the number of media files that were sent, and of all that have to be.
    Raises: SiteError, as for a draft; StoreError. The entry page then still shows the old release.
    """
    if origin and not media_url:
        raise SiteError(
            f"pages at {origin} have their media beside them; "
            "give the URL of media that are elsewhere"
        )
    source = Folder(site)
    _check_site(source)
    manifest = _without_copies(read(source.get(MANIFEST)))
    media = {name: file for name, file in manifest.files.items() if name.startswith(f"{MEDIA}/")}
    pages = {name: source.get(name) for name in manifest.files if name not in media}
    _check_no_draft(pages)
    _check_target(target, [INDEX, *leading_names(manifest)])
    released, pages = make_release(manifest, pages, _media_base(media_url))
    release = release_id(released)
    sent = _send_media(media, source, target, progress or (lambda done, total: None))
    if media_url:
        _check_reading(media, released.media, origin)
    _send_pages({release_name(release, name): data for name, data in pages.items()}, target)
    _show_release(released, target, pages)
    return Publication(
        address=target.address,
        release=release,
        sent=len(sent),
        bytes=sum(media[name].bytes for name in sent),
        kept=len(media) - len(sent),
        pages=leading_names(manifest),
    )


def show_again(
    target: Storage, release: str, progress: Callable[[int, int], None] | None = None
) -> str:
    """Make the entry page show an earlier release again, after a check that all of it is there.

    release: its ID, or what that begins with, at least four digits.
    progress: is called with the number of files that were checked, and of all.
    Returns: the ID.
    Raises: SiteError if there is no such release, or not all of it; StoreError. The entry page then
    shows what it did.
    """
    release = _find_release(target, release)
    data = target.get(release_name(release, MANIFEST))
    manifest = read(data, release_name(release, MANIFEST))
    if release_id(manifest) != release:
        raise SiteError(f"{target.address}: the manifest of release {release} is of another")
    names = {
        name if name.startswith(f"{MEDIA}/") else release_name(release, name): file
        for name, file in manifest.files.items()
    }
    checked = each(lambda name: _stored_digest(target, name), names, target.parallel)
    for done, (name, digest) in enumerate(checked, start=1):
        if digest != names[name].sha256:
            problem = "is gone" if digest is None else "is not what was published"
            raise SiteError(f"{target.address}: {name} of release {release} {problem}")
        if progress:
            progress(done, len(names))
    pages = [INDEX, *leading_names(manifest)]
    _check_target(target, pages)
    _show_release(
        manifest, target, {name: target.get(release_name(release, name)) for name in pages}
    )
    return release


def _find_release(target: Storage, start: str) -> str:
    """Return the release whose ID begins so. Raises: SiteError that names those there are."""
    dates = {}
    for name in target.entries(f"{RELEASES}/"):
        if match := DATE_FILE.fullmatch(name):
            dates[match[1]] = json.loads(target.get(name)).get("published", "")[:16]
    found = [release for release in dates if len(start) >= 4 and release.startswith(start)]
    if len(found) == 1:
        return found[0]
    newest = sorted(dates, key=lambda release: dates[release], reverse=True)[:10]
    listed = ", ".join(f"{release} of {dates[release]}" for release in newest) or "none"
    raise SiteError(f"{target.address} has no one release {start!r}; there are {listed}")


def _stored_digest(target: Storage, name: str) -> str | None:
    try:
        return _digest(target, name)
    except Missing:
        return None


def _check_site(site: Folder) -> None:
    if findings := verify(site).findings:
        raise SiteError(f"{site.address} is not what was built: {findings[0]}; build it again")


def _check_no_draft(pages: dict[str, bytes]) -> None:
    for name, data in pages.items():
        if name.endswith(".html") and DRAFT.encode() in data:
            raise SiteError(f"{name} is a draft; build it without --draft, and then publish")


def _check_target(target: Storage, names: list[str]) -> None:
    """Raise SiteError if the target has a page of one of these names that is not from here."""
    for name, page in each(partial(_page_there, target), names, target.parallel):
        if page is not None and release_shown(page) is None:
            raise SiteError(
                f"{target.address} has a page {name} that was not published here; "
                "choose another place"
            )


def _page_there(target: Storage, name: str) -> bytes | None:
    try:
        return target.get(name)
    except Missing:
        return None


def _without_copies(manifest: Manifest) -> Manifest:
    """Leave out the copies of media for pages on a disk, which a page on a server never needs."""
    files = {
        name: file for name, file in manifest.files.items() if not name.startswith(f"{OFFLINE}/")
    }
    return dataclasses.replace(manifest, files=files)


def _media_base(media_url: str | None) -> str:
    """Return the place of the media for links of a release. Raises: SiteError, StoreError."""
    if media_url is None:
        return RELEASED_MEDIA
    url = check_url(media_url)
    if not MEDIA_URL.fullmatch(url):
        raise SiteError(
            f"{url!r} can not be where readers find media; "
            "give an address such as https://host/media"
        )
    return url


# Media


def _send_media(
    media: dict[str, File],
    source: Storage,
    target: Storage,
    progress: Callable[[int, int], None],
) -> list[str]:
    """Send the media that the target lacks, and check that they arrived. Returns: their names."""
    listing = target.entries(f"{MEDIA}/")
    incomplete = _incomplete(media, listing)
    present = [name for name in media if name not in incomplete]
    names = incomplete + _damaged(media, present, target)

    def send(name: str) -> None:
        if name in listing:  # damaged: a storage may leave what an immutable name stands for
            target.delete(name)
        target.put(name, source.get(name), media[name].media_type, immutable=True)

    for done, _ in enumerate(each(send, names, target.parallel), start=1):
        progress(done, len(names))
    if names and (lost := _incomplete(media, target.entries(f"{MEDIA}/"))):
        raise StoreError(f"{target.address}: {lost[0]} was sent and is not there; publish again")
    return names


def _incomplete(media: dict[str, File], listing: dict[str, Entry]) -> list[str]:
    """Return the media that are not listed, or not with their length."""
    return [
        name
        for name, file in media.items()
        if name not in listing or listing[name].bytes != file.bytes
    ]


def _damaged(media: dict[str, File], names: list[str], target: Storage) -> list[str]:
    """Return those of the media under `names` whose bytes at the target have another hash."""
    digests = dict(each(lambda name: _digest(target, name), names, target.parallel))
    return [name for name in names if digests[name] != media[name].sha256]


def _digest(target: Storage, name: str) -> str:
    """Return the SHA-256 of a file, as the server states it, or else by reading the file."""
    stated = target.head(name).sha256 if isinstance(target, Remote) else None
    return stated or hashlib.sha256(target.get(name)).hexdigest()


def _check_reading(media: dict[str, File], base: str, origin: str | None) -> None:
    """Read one media file of each type as a page at `origin` would, or as a link's reader does."""
    examples = {file.media_type: name for name, file in media.items()}
    for media_type, name in examples.items():
        url = f"{base}/{PurePosixPath(name).name}"
        check_reading(url, origin, media[name].bytes, media_type)


# Pages


def _send_pages(pages: dict[str, bytes], target: Storage) -> None:
    def send(name: str) -> None:
        data = pages[name]
        target.put(name, data, describe(name, data).media_type, immutable=False)
        if target.get(name) != data:
            raise StoreError(
                f"{target.address}: {name} does not read back as it was sent; publish again"
            )

    for _ in each(send, pages, target.parallel):
        pass


def _show_release(manifest: Manifest, target: Storage, pages: dict[str, bytes]) -> None:
    """Note the date of a release, make the entry page show it, and then the pages beside it."""
    release = release_id(manifest)
    date = json.dumps({"published": datetime.now(UTC).isoformat()}).encode()
    target.put(f"{RELEASES}/{release}.json", date, "application/json", immutable=False)
    page = entry_page(pages[INDEX].decode(), release).encode()
    target.put(INDEX, page, "text/html", immutable=False)
    for name in leading_names(manifest):
        page = leading_page(pages[name].decode(), name, release)
        target.put(name, page, "text/html", immutable=False)
