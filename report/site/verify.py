"""Whether what is built or published is what its manifest says, byte for byte, wherever it is."""

from collections.abc import Callable
from dataclasses import dataclass, field

from report.errors import Damaged, Missing, SiteError, StoreError
from report.site.locate import Site, find_site
from report.site.manifest import MANIFEST, File, Manifest, read
from report.site.release import INDEX, entry_page, release_id, release_name
from report.site.selfcheck import wrong_with
from report.storage.interface import Storage
from report.storage.transfer import each

SAME_TYPE = {  # as other servers call them
    "application/javascript": "text/javascript",
    "audio/vnd.wave": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
}


@dataclass(frozen=True)
class Finding:
    """Something that is not as the manifest says."""

    name: str
    wrong: str

    def __str__(self) -> str:
        return f"{self.name}: {self.wrong}"


@dataclass(frozen=True)
class Verified:
    """What `verify` found in so many `files`; `unlisted` says why files that do not belong were not looked for."""

    files: int
    findings: list[Finding] = field(default_factory=list)
    unlisted: str = ""


def verify(place: Storage, progress: Callable[[int, int], None] | None = None) -> Verified:
    """Check the site at `place`, or the release that its entry page shows, and the media that it names.

    `progress` hears how many of how many files were checked. Raises: SiteError if there is no site; StoreError if
    something else than a missing file keeps from reading.
    """
    location = find_site(place)
    name = location.inside + MANIFEST
    try:
        site = Site(location, read(place.get(name)))
    except Missing:
        return Verified(1, [Finding(INDEX, f"it belongs to {name}, which is missing")])
    except (SiteError, Damaged) as error:
        return Verified(1, [Finding(name, str(error))])
    findings = _check_entry(site) if location.release else []
    files = [(*site.where(name), file) for name, file in site.manifest.files.items()]
    for done, (_, found) in enumerate(each(_check, files, place.parallel), start=1):
        findings += [found] if found else []
        if progress:
            progress(done, len(files))
    strangers, unlisted = _strangers(place, location.inside, site.manifest)
    findings += [Finding(name, f"not named by {MANIFEST}") for name in strangers]
    return Verified(len(files) + 1, sorted(findings, key=lambda finding: finding.name), unlisted)


def _check_entry(site: Site) -> list[Finding]:
    """What is wrong with the entry page of a published site, and with its release's name."""
    findings, location = [], site.location
    if release_id(site.manifest) != location.release:
        wrong = f"damaged: it is of release {release_id(site.manifest)}"
        findings.append(Finding(release_name(location.release, MANIFEST), wrong))
    try:
        page = site.read(INDEX).decode(errors="replace")
    except Missing:  # found again among the files
        return findings
    if location.index != entry_page(page, location.release).encode():
        findings.append(
            Finding(INDEX, f"damaged: it is not the index page of release {location.release}")
        )
    return findings


def _check(what: tuple[Storage, str, File]) -> Finding | None:
    place, name, file = what
    try:
        wrong = wrong_with(place.get(name), file.sha256, file.bytes, file.media_type) or _served(
            place, name, file
        )
    except Missing:
        wrong = "missing"
    except Damaged as error:
        wrong = f"damaged: {error}"
    return Finding(name, wrong) if wrong else None


def _served(place: Storage, name: str, file: File) -> str:
    """What is wrong with how a server presents the file, where there is a server."""
    if not hasattr(place, "head"):
        return ""
    served = place.head(name).media_type.partition(";")[0]
    return (
        ""
        if SAME_TYPE.get(served, served) == file.media_type
        else f"served as {served}, not {file.media_type}"
    )


def _strangers(place: Storage, inside: str, manifest: Manifest) -> tuple[list[str], str]:
    """Files that the manifest does not name; or why they could not be looked for, as on most web servers."""
    try:
        listed = place.entries(inside)
    except StoreError as error:
        return [], str(error)
    return sorted(listed.keys() - {inside + name for name in (*manifest.files, MANIFEST)}), ""
