"""Whether what is built or published is what its manifest says, byte for byte, wherever it is."""

from collections.abc import Callable
from dataclasses import dataclass, field

from report.addresses import open_storage
from report.errors import Missing, SiteError, StoreError
from report.manifest import MANIFEST, MEDIA, RELEASED_MEDIA, File, Manifest, read
from report.release import INDEX, entry_page, release_id, release_name, release_shown
from report.selfcheck import site_folder, wrong_with
from report.storage import Storage
from report.transfer import each

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
    folder, index = _find(place)
    release = release_shown(index)
    inside = release_name(release, "") if release else folder
    try:
        manifest = read(place.get(inside + MANIFEST))
    except Missing:
        return Verified(1, [Finding(folder + INDEX, f"it belongs to {inside}{MANIFEST}, which is missing")])
    except SiteError as error:
        return Verified(1, [Finding(inside + MANIFEST, str(error))])
    findings = _check_entry(place, index, release, manifest) if release else []
    files = _files(place, inside, manifest)
    for done, (_, found) in enumerate(each(_check, files, place.parallel), start=1):
        findings += [found] if found else []
        if progress:
            progress(done, len(files))
    strangers, unlisted = _strangers(place, inside, manifest)
    findings += [Finding(name, f"not named by {MANIFEST}") for name in strangers]
    return Verified(len(files) + 1, sorted(findings, key=lambda finding: finding.name), unlisted)


def _find(place: Storage) -> tuple[str, bytes]:
    """The folder of a place that the site is in ("" or "name/"), and its entry page, empty if that is missing."""
    try:
        return "", place.get(INDEX)
    except Missing as error:
        try:
            return site_folder(place.entries()), b""
        except (ValueError, StoreError) as reason:
            raise SiteError(f"{place.address}: there is no site: {error}; {reason}") from error


def _check_entry(place: Storage, index: bytes, release: str, manifest: Manifest) -> list[Finding]:
    findings = []
    if release_id(manifest) != release:
        findings.append(Finding(release_name(release, MANIFEST), f"damaged: it is of release {release_id(manifest)}"))
    try:
        page = place.get(release_name(release, INDEX)).decode(errors="replace")
    except Missing:  # found again among the files
        return findings
    if index != entry_page(page, release).encode():
        findings.append(Finding(INDEX, f"damaged: it is not the index page of release {release}"))
    return findings


def _files(place: Storage, inside: str, manifest: Manifest) -> list[tuple[Storage, str, File]]:
    """Where each file is, and what it has to be."""
    homes = {MEDIA: (place, f"{inside}{MEDIA}/"), RELEASED_MEDIA: (place, f"{MEDIA}/")}
    media, prefix = homes.get(manifest.media) or (open_storage(manifest.media), "")

    def at(name: str, file: File) -> tuple[Storage, str, File]:
        folder, _, rest = name.partition("/")
        return (media, prefix + rest, file) if folder == MEDIA else (place, inside + name, file)

    return [at(name, file) for name, file in manifest.files.items()]


def _check(what: tuple[Storage, str, File]) -> Finding | None:
    place, name, file = what
    try:
        wrong = wrong_with(place.get(name), file.sha256, file.bytes, file.media_type) or _served(place, name, file)
    except Missing:
        wrong = "missing"
    return Finding(name, wrong) if wrong else None


def _served(place: Storage, name: str, file: File) -> str:
    """What is wrong with how a server presents the file, where there is a server."""
    if not hasattr(place, "head"):
        return ""
    served = place.head(name).media_type.partition(";")[0]
    return "" if SAME_TYPE.get(served, served) == file.media_type else f"served as {served}, not {file.media_type}"


def _strangers(place: Storage, inside: str, manifest: Manifest) -> tuple[list[str], str]:
    """Files that the manifest does not name; or why they could not be looked for, as on most web servers."""
    try:
        listed = place.entries(inside)
    except StoreError as error:
        return [], str(error)
    return sorted(listed.keys() - {inside + name for name in (*manifest.files, MANIFEST)}), ""
