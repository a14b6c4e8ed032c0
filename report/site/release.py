"""What a site becomes when it is published: the same pages, whose media have another address.

index.html            the entry page, which shows one release
releases/<id>/        the pages of a release, its assets and its manifest; <id> is the start of the manifest's hash
releases/<id>.json    when it was published
media/                the media of all releases
"""

import dataclasses
import re
from urllib.parse import urlsplit

from report.site.crate import CRATE
from report.site.manifest import MANIFEST, Manifest, describe

INDEX = "index.html"
RELEASES = "releases"
RELEASE = re.compile(rb'<meta name="release" content="([0-9a-f]{16})">')
CHARSET = '<meta charset="utf-8">'  # what the entry page's mark stands behind
# In the text of a page, and in that of JSON, quotes are escaped: nothing there can look like an address.
MEDIA_ADDRESS = re.compile(
    r'(\b(?:src|href)=|"og:image" content=|"@id": )"media/([0-9a-f]{64}\.[a-z0-9]+)"'
)
RELATIVE_ADDRESS = re.compile(r'\b(src|href)="(?![a-z]+:|[#/])')
POLICY = re.compile(r'(http-equiv="Content-Security-Policy"\s+content=")([^"]*)')


def release_id(manifest: Manifest) -> str:
    """The name of a release: 16 hexadecimal digits."""
    return manifest.sha256[:16]


def release_name(release: str, name: str) -> str:
    """What the file `name` of a release is called where it is published."""
    return f"{RELEASES}/{release}/{name}"


def release_shown(index: bytes) -> str | None:
    """The release that an entry page shows; None if it is no entry page of ours."""
    match = RELEASE.search(index)
    return match[1].decode() if match else None


def rebase(text: str, base: str) -> str:
    """A page, or the RO-Crate, with its media at `base`/<name>; where that is a URL, the page's policy allows it."""
    text = MEDIA_ADDRESS.sub(rf'\1"{base}/\2"', text)
    url = urlsplit(base)
    return (
        POLICY.sub(lambda m: m[1] + _allow(m[2], f"{url.scheme}://{url.netloc}"), text)
        if url.netloc
        else text
    )


def entry_page(index: str, release: str) -> str:
    """The entry page: the index page of a release, with links that lead into it, and its mark."""
    page = RELATIVE_ADDRESS.sub(rf'\1="{release_name(release, "")}', index)
    return page.replace(CHARSET, f'{CHARSET}\n  <meta name="release" content="{release}">', 1)


def make_release(
    manifest: Manifest, files: dict[str, bytes], base: str
) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest and the files, without the media, of a site whose media are at `base`."""
    moved = {name: _rebased(name, data, base) for name, data in files.items()}
    stated = {name: describe(name, data) for name, data in moved.items()}
    release = dataclasses.replace(manifest, files=manifest.files | stated, media=base)
    return release, moved | {MANIFEST: release.encode()}


def _rebased(name: str, data: bytes, base: str) -> bytes:
    return rebase(data.decode(), base).encode() if name.endswith(".html") or name == CRATE else data


def _allow(policy: str, origin: str) -> str:
    directives = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    for kind in ("connect-src", "img-src", "media-src"):
        directives[kind] = f"{directives.get(kind, directives['default-src'])} {origin}"
    return "; ".join(f"{kind} {sources}" for kind, sources in directives.items())
