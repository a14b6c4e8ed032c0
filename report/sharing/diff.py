"""Which sounds, figures and numbers changed from one built or published site to another."""

import difflib
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from report.article.templates import render_template
from report.artifacts.media import EXTENSIONS
from report.errors import SiteError
from report.site.locate import Site, open_site
from report.site.manifest import MEDIA, Provenance
from report.site.reproduce import compare
from report.storage.folder import write_whole
from report.storage.interface import Storage

BLOCKS = ("p", "li", "td", "th", "dd", "dt", "figcaption", "h1", "h2", "h3", "h4", "pre", "summary")
SKIPPED = ("script", "style", "svg")


@dataclass(frozen=True)
class Change:
    """An artifact that is not the same in both sites. `before` or `after` is None where the site has none of the name.

    `decibels` is the level of the difference below what was before, where both can be compared number by number.
    """

    name: str
    before: Provenance | None
    after: Provenance | None
    decibels: float | None = None

    @property
    def kind(self) -> str:
        return "new" if self.before is None else "gone" if self.after is None else "changed"

    def __str__(self) -> str:
        level = "" if self.decibels is None else f", differs by {self.decibels:.1f} dB"
        made = self.after or self.before
        return f"{self.kind:8}{self.name} ({made.media_type}{level})"


@dataclass(frozen=True)
class Difference:
    """What changed: artifacts, and per page the lines of its text, as a unified diff without its headers."""

    artifacts: list[Change]
    texts: dict[str, list[str]] = field(default_factory=dict)
    same: int = 0

    def __str__(self) -> str:
        lines = [str(change) for change in self.artifacts]
        for page, changed in self.texts.items():
            lines += [page, *(f"  {line}" for line in changed)]
        counts = {
            kind: sum(change.kind == kind for change in self.artifacts)
            for kind in ("changed", "new", "gone")
        }
        told = ", ".join(f"{kind} {count}" for kind, count in counts.items())
        return "\n".join(
            [
                *lines,
                f"artifacts: same {self.same}, {told}; pages whose text changed: {len(self.texts)}",
            ]
        )


def diff(before: Storage, after: Storage) -> Difference:
    """Compare the sites at two places. Raises: SiteError if there is none."""
    old, new = open_site(before), open_site(after)
    names = sorted(old.manifest.artifacts.keys() | new.manifest.artifacts.keys(), key=_natural)
    pairs = [
        (name, old.manifest.artifacts.get(name), new.manifest.artifacts.get(name)) for name in names
    ]
    changed = [(n, a, b) for n, a, b in pairs if a is None or b is None or a.sha256 != b.sha256]
    return Difference(
        [Change(name, a, b, _level(old, a, new, b)) for name, a, b in changed],
        _changed_texts(old, new),
        same=len(names) - len(changed),
    )


def write_page(difference: Difference, before: Storage, after: Storage, folder: Path) -> Path:
    """Write a page with both media of each change to the folder, which must be new or empty. Returns: the page.

    Raises: SiteError if something is in the folder.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SiteError(f"{folder} holds something already; choose another folder for the page")
    old, new = open_site(before), open_site(after)
    shown = []
    for change in difference.artifacts:
        sides = [(label, _copy(site, made, folder)) for label, site, made in
                 (("Before", old, change.before), ("After", new, change.after))]  # fmt: skip
        shown.append((change, [(label, address) for label, address in sides if address]))
    page = render_template(
        "diff.html",
        title="What changed",
        lang="en",
        description="",
        shown=shown,
        difference=difference,
    )
    write_whole(folder / "index.html", page.encode())
    return folder / "index.html"


def _copy(site: Site, made: Provenance | None, folder: Path) -> str | None:
    """Copy an artifact's media file to the page's folder, if the site has it. Returns: its address there."""
    if made is None or (name := _file(made)) not in site.manifest.files:
        return None
    write_whole(folder / name, site.read(name))
    return name


def _level(old: Site, before: Provenance | None, new: Site, after: Provenance | None) -> float | None:
    if before is None or after is None or before.media_type != after.media_type:
        return None
    if _file(before) not in old.manifest.files or _file(after) not in new.manifest.files:
        return None  # data that no page shows
    return compare(old.read(_file(before)), new.read(_file(after)), before.media_type)[1]


def _file(made: Provenance) -> str:
    return f"{MEDIA}/{made.sha256}.{EXTENSIONS[made.media_type]}"


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def _changed_texts(old: Site, new: Site) -> dict[str, list[str]]:
    changed = {}
    for page in sorted(old.manifest.pages.keys() | new.manifest.pages.keys()):
        was, now = (
            _text(site.read(page)) if page in site.manifest.pages else [] for site in (old, new)
        )
        lines = [
            line
            for line in difflib.unified_diff(was, now, lineterm="", n=0)
            if not line.startswith(("---", "+++", "@@"))
        ]
        if lines:
            changed[page] = lines
    return changed


def _text(html: bytes) -> list[str]:
    reader = _Reader()
    reader.feed(html.decode())
    return [line for block in reader.blocks if (line := " ".join(block.split()))]


class _Reader(HTMLParser):
    """The text of a page, block by block."""

    def __init__(self):
        super().__init__()
        self.blocks = [""]
        self._skipped = 0

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self._skipped += tag in SKIPPED
        if tag in BLOCKS:
            self.blocks.append("")

    def handle_endtag(self, tag: str) -> None:
        self._skipped -= tag in SKIPPED
        if tag in BLOCKS:
            self.blocks.append("")

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.blocks[-1] += data
