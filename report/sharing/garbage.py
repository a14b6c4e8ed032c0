"""Delete what nothing uses any more: media and old releases of published sites, stored artifacts.

Do not run it while a site is published to the place, or is built with the store: that may use
things that were stored long ago.
"""

import json
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

from report.artifacts.record import Record
from report.artifacts.store import Store
from report.errors import Missing, SiteError
from report.site.manifest import MANIFEST, MEDIA, MEDIA_FILE, Manifest, Provenance, read
from report.site.release import INDEX, RELEASES, release_name, release_shown
from report.storage.interface import Entry, Storage
from report.storage.transfer import each

DAY = 24 * 3600.0  # seconds
YOUNG = "it is new, and something may be about to name it"
KINDS = ("index", "sources", "objects")  # the folders of a store, in the order of deletion
RELEASE_FILE = re.compile(r"releases/([0-9a-f]{16})(\.json$|/)")

Listing = dict[str, Entry]


@dataclass(frozen=True)
class Sweep:
    """The result of a collection."""

    kept: list[tuple[str, str]]  # name, reason
    deleted: list[tuple[str, int]]  # name, length in bytes; in the order of deletion

    @property
    def bytes(self) -> int:
        """The length of all that is deleted."""
        return sum(length for _, length in self.deleted)


def collect_releases(
    target: Storage, keep: int | None = None, grace: float = DAY, delete: bool = False
) -> Sweep:
    """Find old releases, and media that no kept release names; delete them if `delete` is set.

    Kept are the newest `keep` releases (None: all), the one that the entry page shows, and files
    that were written less than `grace` seconds ago.
    Raises: SiteError, StoreError if anything that says what is in use can not be read; then nothing
    is deleted.
    """
    pages: dict[str, Listing] = {}  # of each release
    for name, entry in target.entries(f"{RELEASES}/").items():
        if match := RELEASE_FILE.match(name):
            pages.setdefault(match[1], {})[name] = entry
    media = {
        name: entry
        for name, entry in target.entries(f"{MEDIA}/").items()
        if MEDIA_FILE.fullmatch(name)
    }
    reasons: dict[str, str] = {}
    kept = _kept_releases(target, pages, keep, grace)
    leading = _leading_nowhere(target, {r: pages[r] for r in pages if r not in kept})
    for release, reason in kept.items():
        listing = pages.get(release, {})
        reasons |= dict.fromkeys(listing, reason)
        reasons |= dict.fromkeys(_files(target, release, listing), f"used by release {release}")
    # Dates go first: a release without its date is one that was never finished.
    dates, others = _split_dates(pages)
    return _sweep(target, [leading, dates, others, media], reasons, grace, delete)


def collect_store(
    store: Store, manifests: Iterable[Manifest] = (), grace: float = DAY, delete: bool = False
) -> Sweep:
    """Find records, sources and objects that are not in use; delete them if `delete` is set.

    In use are the calls of each article's last build, the artifacts in `manifests`, and all that
    was written less than `grace` seconds ago.
    Raises: StoreError if a build or a record can not be read; then nothing is deleted.
    """
    stages = [store.entries(kind) for kind in KINDS]
    uses: list[tuple[str, Record | Provenance]] = [
        *_uses_by_builds(store),
        *_uses_by_sites(manifests),
    ]
    for name, entry in stages[0].items():
        if _is_young(entry, grace) and (record := store.find(_digest(name))):
            uses.append((YOUNG, record))  # its object may be older than the record
    digests: dict[str, str] = {}  # digest -> the first reason to keep it
    for reason, artifact in uses:
        for digest in (artifact.key, artifact.code, artifact.sha256):
            digests.setdefault(digest, reason)
    reasons = {}
    for stage in stages:
        for name in stage:
            if _digest(name) in digests:
                reasons[name] = digests[_digest(name)]
    return _sweep(store.storage, stages, reasons, grace, delete)


# Uses


def _kept_releases(
    target: Storage, pages: dict[str, Listing], keep: int | None, grace: float
) -> dict[str, str]:
    """Return release -> reason for those to keep, given the files of each release."""
    current = release_shown(target.get(INDEX))
    if current is None:
        raise SiteError(
            f"the {INDEX} at {target.address} shows no release; "
            "name a place to which a site was published"
        )
    dates = {
        release: _publication_date(target, release)
        for release, listing in pages.items()
        if _date(release) in listing
    }
    newest = sorted(dates, key=lambda release: dates[release], reverse=True)[:keep]
    young = [
        release
        for release, listing in pages.items()
        if any(_is_young(entry, grace) for entry in listing.values())
    ]
    among_newest = "all releases are kept" if keep is None else f"it is among the newest {keep}"
    return {
        **dict.fromkeys(young, YOUNG),
        **dict.fromkeys(newest, among_newest),
        current: "the entry page shows it",
    }


def _leading_nowhere(target: Storage, lost: dict[str, Listing]) -> Listing:
    """Return the pages beside the entry page that lead to releases which are lost."""
    leading: Listing = {}
    names = {PurePosixPath(name).name for listing in lost.values() for name in listing}
    for name in sorted(name for name in names - {INDEX} if name.endswith(".html")):
        try:
            release = release_shown(target.get(name))
        except Missing:
            continue
        if release in lost:
            leading[name] = lost[release][release_name(release, name)]
    return leading


def _files(target: Storage, release: str, listing: Listing) -> Iterable[str]:
    """Return the media in a release's manifest; none if the release was never finished."""
    name = release_name(release, MANIFEST)
    if name not in listing and _date(release) not in listing:
        return ()
    files = read(target.get(name), f"{name} at {target.address}").files
    return [name for name in files if MEDIA_FILE.fullmatch(name)]


def _split_dates(pages: dict[str, Listing]) -> tuple[Listing, Listing]:
    """Return the files with the dates of releases, and all other files of releases."""
    dates: Listing = {}
    others: Listing = {}
    for release, listing in pages.items():
        others |= listing
        if _date(release) in listing:
            dates[_date(release)] = others.pop(_date(release))
    return dates, others


def _publication_date(target: Storage, release: str) -> datetime:
    name = _date(release)
    try:
        return datetime.fromisoformat(json.loads(target.get(name))["published"]).astimezone(UTC)
    except (ValueError, TypeError, KeyError) as error:
        raise SiteError(
            f"{name} at {target.address} is damaged ({error}); publish that release again"
        ) from error


def _uses_by_builds(store: Store) -> Iterator[tuple[str, Record]]:
    """Yield (reason, record) for the calls of each article's last build."""
    for article in store.builds():
        build = store.build(article)
        for call, record in build.calls if build else ():
            yield f"used by {article}/{call}", record


def _uses_by_sites(manifests: Iterable[Manifest]) -> Iterator[tuple[str, Provenance]]:
    """Yield (reason, artifact) for all artifacts of sites."""
    for manifest in manifests:
        for call, artifact in manifest.artifacts.items():
            yield f"used by {call} of a site", artifact


# Deletion


def _sweep(
    storage: Storage, stages: list[Listing], reasons: dict[str, str], grace: float, delete: bool
) -> Sweep:
    """Keep files that are young or have a reason; delete the rest, one stage after the other."""
    kept: list[tuple[str, str]] = []
    deleted: list[tuple[str, int]] = []
    for stage in stages:
        names = []
        for name, entry in sorted(stage.items()):
            if name in reasons or _is_young(entry, grace):
                kept.append((name, reasons.get(name, YOUNG)))
            else:
                names.append(name)
                deleted.append((name, entry.bytes))
        if delete:
            for _ in each(storage.delete, names, storage.parallel):
                pass
    return Sweep(kept, deleted)


def _is_young(entry: Entry, grace: float) -> bool:
    return time.time() - entry.modified < grace


def _digest(name: str) -> str:
    """The digest in the name of a file of a store, such as "objects/ab/abcd.wav"."""
    return PurePosixPath(name).stem


def _date(release: str) -> str:
    """The name of the file with the date on which a release was published."""
    return f"{RELEASES}/{release}.json"
