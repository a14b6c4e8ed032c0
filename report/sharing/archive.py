"""Write a site to one zip file that opens by double click and checks itself, to be deposited."""

import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any
from uuid import uuid4

from report.errors import SiteError
from report.site import selfcheck
from report.site.manifest import MANIFEST, Manifest, read
from report.site.release import release_id
from report.site.verify import verify
from report.storage.folder import UNFINISHED, Folder
from report.storage.interface import check_name

EARLIEST = (1980, 1, 1, 0, 0, 0)  # date that a zip file can have


def export_zip(site: Path, file: Path, sources: dict[str, bytes]) -> None:
    """Write the site in the folder `site`, and `sources` (name -> bytes), to a zip archive.

    `python FILE.zip` checks it. The same site and sources give the same bytes. `file` is written
    whole or not at all.
    Raises: SiteError if the site is not what was built, or the archive can not be written;
    StoreError.
    """
    site, file = Path(site).resolve(), Path(file)
    folder = Folder(site)
    if findings := verify(folder).findings:
        raise SiteError(f"{site} is not what was built: {findings[0]}; build it again")
    manifest = read(folder.get(MANIFEST))
    extras = _extras(manifest, sources)
    pages = {f"{check_name(site.name)}/{name}": name for name in (*manifest.files, MANIFEST)}
    unfinished = file.with_name(f"{uuid4().hex}{UNFINISHED}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(unfinished, "w") as archive:
            for name in sorted(pages.keys() | extras.keys()):
                data = extras[name] if name in extras else folder.get(pages[name])
                archive.writestr(_member(name), data)
        os.replace(unfinished, file)
    except OSError as error:
        raise SiteError(f"cannot write the archive {file}: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _extras(manifest: Manifest, sources: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files beside the site: sources, self-check, citation, and checksums of these."""
    extras = {f"source/{check_name(name)}": data for name, data in sources.items()}
    extras["__main__.py"] = Path(selfcheck.__file__).read_bytes()
    extras["CITATION.cff"] = _citation(manifest)
    sums = [
        f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(extras.items())
    ]
    return extras | {selfcheck.SUMS: "".join(sums).encode()}


def _member(name: str) -> zipfile.ZipInfo:
    """Describe a member that everyone can read.

    It is not compressed, since compressors differ from one machine to the next.
    """
    member = zipfile.ZipInfo(name, EARLIEST)
    member.create_system, member.external_attr = 3, 0o100644 << 16
    return member


def _citation(manifest: Manifest) -> bytes:
    """Return how to cite the site, in the Citation File Format.

    Any text is safe there, since JSON strings are YAML strings.
    """
    titles = "; ".join(about.title for _, about in manifest.articles)
    fields: dict[str, Any]
    # The format asks for authors, and for a text like this one where their names are not known.
    authors = manifest.authors or [f"The authors of {titles}"]
    fields = {
        "cff-version": "1.2.0",
        "message": "If you use these sounds or figures, please cite them as below.",
        "type": "dataset",
        "title": titles,
        "authors": [_author(name, manifest) for name in authors],
        "version": release_id(manifest),
        "identifiers": [
            {"type": "other", "value": f"sha256:{manifest.sha256}", "description": "manifest.json"}
        ],
    }
    if manifest.date:
        fields["date-released"] = manifest.date[:10]
    if manifest.licence:
        is_address = manifest.licence.startswith("http")
        fields["license-url" if is_address else "license"] = manifest.licence
    if manifest.keywords:
        fields["keywords"] = manifest.keywords
    if len(manifest.pages) == 1:
        about = next(iter(manifest.pages.values()))
        fields |= {"abstract": about.abstract} if about.abstract else {}
        fields |= {"doi": about.doi} if about.doi else {}
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in fields.items()).encode()


def _author(name: str, manifest: Manifest) -> dict[str, str]:
    """Return an author; one with an ORCID or an affiliation as the format has persons."""
    orcid, place = manifest.orcids.get(name), manifest.affiliations.get(name)
    if not orcid and not place:
        return {"name": name}
    *given, family = name.split()
    person = {"family-names": family, "given-names": " ".join(given), "affiliation": place}
    person |= {"orcid": f"https://orcid.org/{orcid}"} if orcid else {}
    return {field: text for field, text in person.items() if text}
