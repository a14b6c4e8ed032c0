"""Delete what nothing names any more: media and releases where sites are published, artifacts in a store.

Neither is to run while something is published to the place, or built with the store, from what was stored long ago.
"""

import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

from report.artifacts.record import Record
from report.artifacts.store import Store
from report.errors import SiteError
from report.site.manifest import MANIFEST, MEDIA, MEDIA_FILE, Manifest, Provenance, read
from report.site.release import INDEX, RELEASES, release_name, release_shown
from report.storage.interface import Entry, Storage
from report.storage.transfer import each

DAY = 24 * 3600.0  # seconds
YOUNG = "it is new, and something may be about to name it"
KINDS = (
    "index",
    "sources",
    "objects",
)  # of what a store holds, in the order in which it is deleted
OF_RELEASE = re.compile(r"releases/([0-9a-f]{16})(\.json$|/)")


@dataclass(frozen=True)
class Sweep:
    """What a collection keeps, and why, and what it deletes, in this order, with the length of each."""

    kept: list[tuple[str, str]]
    deleted: list[tuple[str, int]]

    @property
    def bytes(self) -> int:
        """How much is deleted."""
        return sum(length for _, length in self.deleted)


def collect_releases(
    target: Storage, keep: int | None = None, grace: float = DAY, delete: bool = False
) -> Sweep:
    """Plan, and with `delete` carry out, the deletion of old releases and of media that no kept release names.

    Kept are the newest `keep` releases (None: all), the one that the entry page shows, and what was written less than
    `grace` seconds ago. Raises: SiteError, StoreError if anything that says what is in use can not be read; nothing is
    deleted then.
    """
    pages = {
        name: entry
        for name, entry in target.entries(f"{RELEASES}/").items()
        if OF_RELEASE.match(name)
    }
    media = {
        name: entry
        for name, entry in target.entries(f"{MEDIA}/").items()
        if MEDIA_FILE.fullmatch(name)
    }
    why: dict[str, str] = {}
    for release, reason in _kept_releases(target, pages, keep, grace).items():
        why |= {name: reason for name in pages if _release(name) == release}
        why |= {name: f"used by release {release}" for name in _files(target, release, pages)}
    # Without its date, which goes first, a release is one that was never finished.
    dates = {name: entry for name, entry in pages.items() if name == _date(_release(name))}
    rest = {name: entry for name, entry in pages.items() if name not in dates}
    return _collect(target, [dates, rest, media], why, grace, delete)


def collect_store(
    store: Store, manifests: Iterable[Manifest] = (), grace: float = DAY, delete: bool = False
) -> Sweep:
    """Plan, and with `delete` carry out, the deletion of records, sources and objects that are in no use.

    In use is what the last build of an article asked for, what the sites of `manifests` name, and what was written
    less than `grace` seconds ago. Raises: StoreError if a build or a record can not be read; nothing is deleted then.
    """
    stages = [store.entries(kind) for kind in KINDS]
    uses: list[tuple[str, Record | Provenance]] = []
    for article in store.builds():
        build = store.build(article)
        uses += [
            (f"used by {article}/{call}", record) for call, record in (build.calls if build else ())
        ]
    for manifest in manifests:
        uses += [(f"used by {call} of a site", made) for call, made in manifest.artifacts.items()]
    young = [
        PurePosixPath(name).stem for name, entry in stages[0].items() if _is_young(entry, grace)
    ]
    uses += [
        (YOUNG, record) for record in map(store.find, young) if record
    ]  # the object may be older than the record
    digests = {
        digest: why for why, made in reversed(uses) for digest in (made.key, made.code, made.sha256)
    }
    names = [name for stage in stages for name in stage]
    why = {
        name: digests[PurePosixPath(name).stem]
        for name in names
        if PurePosixPath(name).stem in digests
    }
    return _collect(store.storage, stages, why, grace, delete)


def _kept_releases(
    target: Storage, pages: dict[str, Entry], keep: int | None, grace: float
) -> dict[str, str]:
    """Release -> why it is kept."""
    shown = release_shown(target.get(INDEX))
    if shown is None:
        raise SiteError(
            f"the {INDEX} at {target.address} shows no release; name a place to which a site was published"
        )
    finished = {
        name: _published(target, name) for name in set(map(_release, pages)) if _date(name) in pages
    }
    newest = sorted(finished, key=lambda release: finished[release], reverse=True)[:keep]
    young = [_release(name) for name, entry in pages.items() if _is_young(entry, grace)]
    among = "all releases are kept" if keep is None else f"it is among the newest {keep}"
    return (
        dict.fromkeys(young, YOUNG)
        | dict.fromkeys(newest, among)
        | {shown: "the entry page shows it"}
    )


def _files(target: Storage, release: str, pages: dict[str, Entry]) -> Iterable[str]:
    """What a release names; nothing if it was never finished and has no manifest yet."""
    name = release_name(release, MANIFEST)
    if name not in pages and _date(release) not in pages:
        return ()
    return read(target.get(name), f"{name} at {target.address}").files


def _published(target: Storage, release: str) -> datetime:
    name = _date(release)
    try:
        return datetime.fromisoformat(json.loads(target.get(name))["published"]).astimezone(UTC)
    except (ValueError, TypeError, KeyError) as error:
        raise SiteError(
            f"{name} at {target.address} is damaged ({error}); publish that release again"
        ) from error


def _collect(
    storage: Storage,
    stages: list[dict[str, Entry]],
    why: dict[str, str],
    grace: float,
    delete: bool,
) -> Sweep:
    """Each stage is deleted before the next one is begun."""
    kept, deleted = [], []
    for stage in stages:
        kept += [
            (name, why.get(name, YOUNG))
            for name in stage
            if name in why or _is_young(stage[name], grace)
        ]
        names = list(stage.keys() - {name for name, _ in kept})
        deleted += [(name, stage[name].bytes) for name in sorted(names)]
        if delete:
            for _ in each(storage.delete, names, storage.parallel):
                pass
    return Sweep(kept, deleted)


def _is_young(entry: Entry, grace: float) -> bool:
    return time.time() - entry.modified < grace


def _release(name: str) -> str:
    return OF_RELEASE.match(name)[1]


def _date(release: str) -> str:
    return f"{RELEASES}/{release}.json"
