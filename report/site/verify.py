"""Check that a built or published site is what its manifest says, byte for byte, at any place."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from report.errors import Damaged, Missing, SiteError, StoreError
from report.site.locate import Site, find_site
from report.site.manifest import MANIFEST, File, read
from report.site.release import (
    INDEX,
    entry_page,
    leading_names,
    leading_page,
    release_id,
    release_name,
    release_shown,
)
from report.site.selfcheck import check_bytes
from report.storage.interface import Remote, Storage
from report.storage.transfer import each

SAME_TYPE = {  # other servers' names of media types -> ours
    "application/javascript": "text/javascript",
    "audio/x-flac": "audio/flac",
    "audio/vnd.wave": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
}


@dataclass(frozen=True)
class Finding:
    """A file that is not as the manifest says."""

    name: str
    wrong: str

    def __str__(self) -> str:
        return f"{self.name}: {self.wrong}"


@dataclass(frozen=True)
class Verification:
    """The result of `verify`, which checked so many `files`."""

    files: int
    findings: list[Finding] = field(default_factory=list)
    unlisted: str = ""  # why the place was not searched for files that do not belong there


def verify(place: Storage, progress: Callable[[int, int], None] | None = None) -> Verification:
    """Check the site at `place`, or the release that its entry page shows, and the site's media.

    `progress` is called with the number of files that were checked, and of all files.
    Raises: SiteError if there is no site; StoreError for any failure but a missing file.
    """
    location = find_site(place)
    try:
        site = Site(location, read(place.get(location.manifest)))
    except Missing:
        return Verification(
            1, [Finding(INDEX, f"it belongs to {location.manifest}, which is missing")]
        )
    except (SiteError, Damaged) as error:
        return Verification(1, [Finding(location.manifest, str(error))])
    findings = [
        *_check_entry_page(site),
        *_check_leading_pages(site),
        *_check_files(site, progress or (lambda done, total: None)),
    ]
    strangers, unlisted = _find_strangers(site)
    findings += [Finding(name, f"not named by {MANIFEST}") for name in strangers]
    findings.sort(key=lambda finding: finding.name)
    return Verification(len(site.manifest.files) + 1, findings, unlisted)


def _check_entry_page(site: Site) -> list[Finding]:
    """Check the entry page of a published site, and the name of its release."""
    release = site.location.release
    if not release:
        return []
    findings = []
    if release_id(site.manifest) != release:
        wrong = f"damaged: it is of release {release_id(site.manifest)}"
        findings.append(Finding(release_name(release, MANIFEST), wrong))
    try:
        page = site.read(INDEX).decode(errors="replace")
    except Missing:  # as a check of all files also says
        return findings
    if site.location.index != entry_page(page, release).encode():
        wrong = f"damaged: it is not the index page of release {release}"
        findings.append(Finding(INDEX, wrong))
    return findings


def _check_leading_pages(site: Site) -> list[Finding]:
    """Check the pages beside the entry page that lead to those of this release, or of another.

    A place that was published before there were any, has none.
    """
    place = site.location.place
    names = leading_names(site.manifest) if site.location.release else []
    checks = each(partial(_leads_on, place), names, place.parallel)
    wrong = "damaged: it does not lead to this page of a release"
    return [Finding(name, wrong) for name, leads in checks if not leads]


def _leads_on(place: Storage, name: str) -> bool:
    """Tell whether the page `name`, if there is one, leads to that of the release it names."""
    try:
        data = place.get(name)
    except Missing:
        return True
    release = release_shown(data)
    if release is None:
        return False
    try:
        page = place.get(release_name(release, name)).decode(errors="replace")
    except Missing:
        return False
    return data == leading_page(page, name, release)


def _check_files(site: Site, progress: Callable[[int, int], None]) -> list[Finding]:
    """Check all files that the manifest names."""
    files = [(*site.where(name), file) for name, file in site.manifest.files.items()]
    findings = []
    for done, (_, finding) in enumerate(each(_check_file, files, site.location.place.parallel), 1):
        if finding:
            findings.append(finding)
        progress(done, len(files))
    return findings


def _check_file(stored: tuple[Storage, str, File]) -> Finding | None:
    storage, name, file = stored
    try:
        wrong = check_bytes(storage.get(name), (file.sha256, file.bytes, file.media_type))
        wrong = wrong or _check_served_type(storage, name, file)
    except Missing:
        wrong = "missing"
    except Damaged as error:
        wrong = f"damaged: {error}"
    return Finding(name, wrong) if wrong else None


def _check_served_type(storage: Storage, name: str, file: File) -> str:
    """Return the problem with the media type that a server gives the file, or ""."""
    if not isinstance(storage, Remote):
        return ""
    served = storage.head(name).media_type.partition(";")[0]
    if SAME_TYPE.get(served, served) == file.media_type:
        return ""
    return f"served as {served}, not {file.media_type}"


def _find_strangers(site: Site) -> tuple[list[str], str]:
    """Return the files at the site's place that its manifest does not name.

    A place that has no listing, as most web servers, gives none, and the reason why.
    """
    inside = site.location.inside
    try:
        listing = site.location.place.entries(inside)
    except StoreError as error:
        return [], str(error)
    expected = {inside + name for name in (*site.manifest.files, MANIFEST)}
    return sorted(listing.keys() - expected), ""
