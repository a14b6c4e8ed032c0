"""A published site: the same pages, whose media have another address.

index.html            the entry page, which shows one release
<page>.html           leads to that page of the release, at an address that stays
releases/<id>/        a release: its pages, assets and manifest; <id> starts the manifest's hash
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
CHARSET = '<meta charset="utf-8">'  # the entry page's mark comes after it
# Texts of pages and JSON have their quotes escaped, so nothing in them looks like an address.
MEDIA_ADDRESS = re.compile(
    r'(\b(?:src|href)=|"og:(?:image|audio)" content=|"@id": )'
    r'"media/([0-9a-f]{64}\.[a-z0-9]+)(?=["#])'
)
RELATIVE_ADDRESS = re.compile(r'\b(src|href)="(?![a-z]+:|[#/])')
TITLE = re.compile(r"<title>.*?</title>", re.DOTALL)
POLICY = re.compile(r'(http-equiv="Content-Security-Policy"\s+content=")([^"]*)')
MEDIA_DIRECTIVES = ("connect-src", "img-src", "media-src")  # of a policy


def release_id(manifest: Manifest) -> str:
    """Return the name of a release: 16 hexadecimal digits."""
    return manifest.sha256[:16]


def release_name(release: str, name: str) -> str:
    """Return the published name of a release's file `name`."""
    return f"{RELEASES}/{release}/{name}"


def release_shown(index: bytes) -> str | None:
    """Return the release that an entry page shows; None if it is no entry page of ours."""
    match = RELEASE.search(index)
    return match[1].decode() if match else None


def rebase(text: str, base: str) -> str:
    """Return a page, or the RO-Crate, with its media at `base`/NAME.

    If `base` is a URL, the page's policy allows it.
    """
    text = MEDIA_ADDRESS.sub(rf'\1"{base}/\2', text)
    url = urlsplit(base)
    if not url.netloc:
        return text
    origin = f"{url.scheme}://{url.netloc}"
    return POLICY.sub(lambda match: match[1] + _allow(match[2], origin), text)


def entry_page(index: str, release: str) -> str:
    """Return the entry page: a release's index page with its mark, and links into the release."""
    page = RELATIVE_ADDRESS.sub(rf'\1="{release_name(release, "")}', index)
    return page.replace(CHARSET, f'{CHARSET}\n  <meta name="release" content="{release}">', 1)


def leading_names(manifest: Manifest) -> list[str]:
    """Return the names of a release's pages to which pages of the same names lead."""
    pages = [name for name in manifest.files if name.endswith(".html") and "/" not in name]
    order = {page: number for number, page in enumerate(manifest.pages)}
    return sorted(set(pages) - {INDEX}, key=lambda page: (order.get(page, len(order)), page))


def leading_page(page: str, name: str, release: str) -> bytes:
    """Return a page that leads on to the page `name` of a release, whose HTML is `page`.

    Scripts keep the place that an address names; without them, a reader comes to the page's top.
    """
    address = release_name(release, name)
    title = TITLE.search(page)
    text = f"""<!doctype html>
<html lang="en">
<head>
  {CHARSET}
  <meta name="release" content="{release}">
  {title[0] if title else ""}
  <noscript><meta http-equiv="refresh" content="0; url={address}"></noscript>
</head>
<body>
  <p><a href="{address}">The newest release of this page</a></p>
  <script>location.replace("{address}" + location.search + location.hash);</script>
</body>
</html>
"""
    return text.encode()


def make_release(
    manifest: Manifest, files: dict[str, bytes], base: str
) -> tuple[Manifest, dict[str, bytes]]:
    """Return the manifest and the files, without the media, of a site whose media are at `base`."""
    moved = {name: _rebase_file(name, data, base) for name, data in files.items()}
    entries = {name: describe(name, data) for name, data in moved.items()}
    release = dataclasses.replace(manifest, files=manifest.files | entries, media=base)
    return release, moved | {MANIFEST: release.encode()}


def _rebase_file(name: str, data: bytes, base: str) -> bytes:
    if name.endswith(".html") or name == CRATE:
        return rebase(data.decode(), base).encode()
    return data


def _allow(policy: str, origin: str) -> str:
    """Return a Content-Security-Policy under which pages can load media from `origin`."""
    directives = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    for name in MEDIA_DIRECTIVES:
        directives[name] = f"{directives.get(name, directives['default-src'])} {origin}"
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())
