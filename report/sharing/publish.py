"""Put a site where others can see it, so that whatever breaks on the way, they see the old one or the new one whole."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from report.errors import Missing, SiteError, StoreError
from report.formats import megabytes
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
    make_release,
    release_id,
    release_name,
    release_shown,
)
from report.site.verify import verify
from report.storage.folder import Folder
from report.storage.interface import Entry, Remote, Storage, check_url
from report.storage.transfer import each


@dataclass(frozen=True)
class Published:
    """A release that is now shown at `address`. `sent` media files of `bytes` were sent, `kept` were there already."""

    address: str
    release: str
    sent: int
    bytes: int
    kept: int

    def __str__(self) -> str:
        return (
            f"{self.address}: release {self.release}, media files sent: {self.sent} ({megabytes(self.bytes)}), "
            f"there already: {self.kept}"
        )


def publish(
    site: Path,
    target: Storage,
    *,
    media_url: str | None = None,
    origin: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Published:
    """Publish the site in the folder `site`: media, then pages, each checked, then the entry page in one step.

    What is at the target and whole is not sent again. `media_url` is where readers find the target's folder media/, if
    that is not beside the pages; it is checked that everyone can read them there, and with `origin`, such as
    "https://example.org", that pages there can. `progress` hears how many of how many media files were sent. Do not
    collect what is unused at the target meanwhile.
    Raises: SiteError, StoreError; the entry page then still shows the old release.
    """
    if origin and not media_url:
        raise SiteError(
            f"pages at {origin} have their media beside them; give the URL of media that are elsewhere"
        )
    source = Folder(site)
    _check_site(source)
    _check_target(target)
    manifest = _served(read(source.get(MANIFEST)))
    media = {name: file for name, file in manifest.files.items() if name.startswith(f"{MEDIA}/")}
    pages = {name: source.get(name) for name in manifest.files if name not in media}
    released, pages = make_release(manifest, pages, _base(media_url))
    release = release_id(released)
    sent = _send_media(media, source, target, progress)
    if media_url:
        _check_reading(media, released.media, origin)
    _send_pages({release_name(release, name): data for name, data in pages.items()}, target)
    now = {"published": datetime.now(UTC).isoformat()}
    target.put(
        f"{RELEASES}/{release}.json", json.dumps(now).encode(), "application/json", immutable=False
    )
    target.put(
        INDEX, entry_page(pages[INDEX].decode(), release).encode(), "text/html", immutable=False
    )
    length = sum(media[name].bytes for name in sent)
    return Published(target.address, release, len(sent), length, len(media) - len(sent))


def _served(manifest: Manifest) -> Manifest:
    """Without the copies for pages on a disk: a page that is served never asks for them."""
    files = {
        name: file for name, file in manifest.files.items() if not name.startswith(f"{OFFLINE}/")
    }
    return dataclasses.replace(manifest, files=files)


def _check_site(site: Folder) -> None:
    if findings := verify(site).findings:
        raise SiteError(f"{site.address} is not what was built: {findings[0]}; build it again")


def _check_target(target: Storage) -> None:
    """Refuse to replace an index page that was not published here."""
    try:
        index = target.get(INDEX)
    except Missing:
        return
    if release_shown(index) is None:
        raise SiteError(
            f"{target.address} has an {INDEX} that was not published here; choose another place"
        )


def _base(media_url: str | None) -> str:
    if media_url is None:
        return RELEASED_MEDIA
    if not MEDIA_URL.fullmatch(url := check_url(media_url)):
        raise SiteError(
            f"{url!r} can not be where readers find media; give an address such as https://host/media"
        )
    return url


def _send_media(
    media: dict[str, File],
    source: Storage,
    target: Storage,
    progress: Callable[[int, int], None] | None,
) -> list[str]:
    """Send what is not at the target as it has to be, and look whether it arrived. Returns: the names sent."""
    held = target.entries(f"{MEDIA}/")
    missing = _missing(media, held)
    there = [name for name in media if name not in missing]
    digests = dict(each(lambda name: _digest(target, name), there, target.parallel))
    missing += [name for name in there if digests[name] != media[name].sha256]

    def send(name: str) -> None:
        if name in held:  # damaged; what is there under an immutable name would stay
            target.delete(name)
        target.put(name, source.get(name), media[name].media_type, immutable=True)

    for done, _ in enumerate(each(send, missing, target.parallel), start=1):
        if progress:
            progress(done, len(missing))
    if missing and (lost := _missing(media, target.entries(f"{MEDIA}/"))):
        raise StoreError(f"{target.address}: {lost[0]} was sent and is not there; publish again")
    return missing


def _digest(target: Storage, name: str) -> str:
    """SHA-256 of what is at the target, as the server tells it, or else by reading it."""
    stated = target.head(name).sha256 if isinstance(target, Remote) else None
    return stated or hashlib.sha256(target.get(name)).hexdigest()


def _check_reading(media: dict[str, File], base: str, origin: str | None) -> None:
    """Read one media file of each type as a page at `origin` would, or as anyone does who follows a link."""
    from report.sharing.browser_access import (
        check_reading,
    )  # here, so that publishing to a folder does not wait for urllib3

    for name, file in {file.media_type: (name, file) for name, file in media.items()}.values():
        check_reading(f"{base}/{PurePosixPath(name).name}", origin, file.bytes, file.media_type)


def _missing(media: dict[str, File], held: dict[str, Entry]) -> list[str]:
    return [
        name for name, file in media.items() if name not in held or held[name].bytes != file.bytes
    ]


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
