"""Find and open a site wherever it is: in a folder, an archive, a bucket, or under an address."""

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
    """The part of a place that is a site."""

    place: Storage
    inside: str  # the site's folder in the place: "" or "name/"
    release: str  # its name if the site is published, else ""
    index: bytes = field(repr=False)  # the entry page; empty if that is missing

    @property
    def manifest(self) -> str:
        """The name of the site's manifest at the place."""
        return self.inside + MANIFEST


@dataclass(frozen=True)
class Site:
    """A site whose files can be read by the names that its manifest gives them."""

    location: Location
    manifest: Manifest

    def where(self, name: str) -> tuple[Storage, str]:
        """Return the storage that a file is in, and its name there.

        A release's media are in another folder than its pages, or in another storage.
        """
        folder, _, rest = name.partition("/")
        if folder == MEDIA:
            storage, prefix = self._media
            return storage, prefix + rest
        return self.location.place, self.location.inside + name

    def read(self, name: str) -> bytes:
        """Return the bytes of a file. Raises: StoreError if it can not be read."""
        storage, stored_name = self.where(name)
        return storage.get(stored_name)

    @cached_property
    def _media(self) -> tuple[Storage, str]:
        """The storage of the media, and the start of their names there."""
        if self.manifest.media == MEDIA:
            return self.location.place, f"{self.location.inside}{MEDIA}/"
        if self.manifest.media == RELEASED_MEDIA:
            return self.location.place, f"{MEDIA}/"
        return open_storage(self.manifest.media), ""


def find_site(place: Storage) -> Location:
    """Return where the site is at a place. Raises: SiteError if there is no site."""
    try:
        index = place.get(INDEX)
    except Missing as error:
        try:
            return Location(place, site_folder(place.entries()), "", b"")
        except (ValueError, StoreError) as reason:
            raise SiteError(
                f"{place.address}: there is no site, build one first: {error}; {reason}"
            ) from error
    release = release_shown(index)
    if release is None:
        return Location(place, "", "", index)
    return Location(place, release_name(release, ""), release, index)


def open_site(place: Storage) -> Site:
    """Open the site at a place.

    Raises: SiteError if there is no site, or its manifest can not be used; StoreError.
    """
    location = find_site(place)
    data = place.get(location.manifest)
    return Site(location, read(data, f"{location.manifest} at {place.address}"))
