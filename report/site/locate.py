"""A site wherever it is: in a folder, an archive or a bucket, or published under an address."""

from dataclasses import dataclass, field
from functools import cached_property

from report.errors import Missing, SiteError, StoreError
from report.site.manifest import MANIFEST, MEDIA, RELEASED_MEDIA, Manifest, read
from report.site.release import INDEX, release_name, release_shown
from report.site.selfcheck import site_folder
from report.storage.addresses import open_storage
from report.storage.interface import Storage


@dataclass(frozen=True)
class Location:
    """Where a site is found at a place: `inside` a folder of it ("" or "name/"), as a release if it is published.

    `index` is the entry page, empty if that is missing.
    """

    place: Storage
    inside: str
    release: str | None
    index: bytes = field(repr=False)


@dataclass(frozen=True)
class Site:
    """A site whose files can be read by the names that its manifest gives them."""

    location: Location
    manifest: Manifest

    def where(self, name: str) -> tuple[Storage, str]:
        """The storage that a file is in, and its name there: a release's media lie elsewhere than its pages."""
        folder, _, rest = name.partition("/")
        return (
            (self._media[0], self._media[1] + rest)
            if folder == MEDIA
            else (self.location.place, self.location.inside + name)
        )

    def read(self, name: str) -> bytes:
        """Raises: StoreError if the file can not be read."""
        storage, there = self.where(name)
        return storage.get(there)

    @cached_property
    def _media(self) -> tuple[Storage, str]:
        place, inside = self.location.place, self.location.inside
        homes = {MEDIA: (place, f"{inside}{MEDIA}/"), RELEASED_MEDIA: (place, f"{MEDIA}/")}
        return homes.get(self.manifest.media) or (open_storage(self.manifest.media), "")


def find_site(place: Storage) -> Location:
    """Raises: SiteError if there is no site."""
    try:
        index = place.get(INDEX)
    except Missing as error:
        try:
            return Location(place, site_folder(place.entries()), None, b"")
        except (ValueError, StoreError) as reason:
            raise SiteError(f"{place.address}: there is no site: {error}; {reason}") from error
    release = release_shown(index)
    return Location(place, release_name(release, "") if release else "", release, index)


def open_site(place: Storage) -> Site:
    """Raises: SiteError if there is no site, or none whose manifest can be read; StoreError."""
    location = find_site(place)
    return Site(
        location,
        read(
            place.get(location.inside + MANIFEST), f"{location.inside}{MANIFEST} at {place.address}"
        ),
    )
