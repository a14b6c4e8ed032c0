"""Compare two built or published sites: the sounds, figures, numbers and texts that changed."""

import difflib
import math
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
    """An artifact that is not the same in both sites."""

    name: str
    before: Provenance | None  # None: the first site has nothing of this name
    after: Provenance | None
    decibels: float | None = None  # level of the difference, relative to before; None: unknown

    @property
    def kind(self) -> str:
        if self.before is None:
            return "new"
        return "gone" if self.after is None else "changed"

    @property
    def level(self) -> str:
        """How large the difference is, in words; "" if that is unknown."""
        if self.decibels is None:
            return ""
        if math.isinf(self.decibels):
            return "silent before" if self.decibels > 0 else "the same numbers"
        side = "below" if self.decibels <= 0 else "above"
        return f"the difference is {abs(self.decibels):.1f} dB {side} what was before"

    def __str__(self) -> str:
        artifact = self.after or self.before
        media_type = artifact.media_type if artifact else ""
        level = f", {self.level}" if self.level else ""
        return f"{self.kind:8}{self.name} ({media_type}{level})"


@dataclass(frozen=True)
class Difference:
    """The changes from one site to another."""

    artifacts: list[Change]
    texts: dict[str, list[str]] = field(default_factory=dict)  # page -> unified diff, no headers
    same: int = 0  # artifacts

    def __str__(self) -> str:
        lines = [str(change) for change in self.artifacts]
        for page, changed in self.texts.items():
            lines += [page, *(f"  {line}" for line in changed)]
        kinds = [change.kind for change in self.artifacts]
        counts = [f"{kind} {kinds.count(kind)}" for kind in ("changed", "new", "gone")]
        lines.append(
            f"artifacts: same {self.same}, {', '.join(counts)}; "
            f"pages whose text changed: {len(self.texts)}"
        )
        return "\n".join(lines)


def diff(before: Storage, after: Storage) -> Difference:
    """Compare the sites at two places. Raises: SiteError if there is none."""
    old, new = open_site(before), open_site(after)
    names = sorted(old.manifest.artifacts.keys() | new.manifest.artifacts.keys(), key=_natural)
    changes = []
    for name in names:
        was, now = old.manifest.artifacts.get(name), new.manifest.artifacts.get(name)
        if was is None or now is None or was.sha256 != now.sha256:
            changes.append(Change(name, was, now, _level(old, was, new, now)))
    return Difference(changes, _changed_texts(old, new), same=len(names) - len(changes))


def write_page(difference: Difference, before: Storage, after: Storage, folder: Path) -> Path:
    """Write a page with both media of each change to `folder`, which must be new or empty.

    Returns: the page.
    Raises: SiteError if something is in the folder.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SiteError(f"{folder} holds something already; choose another folder for the page")
    old, new = open_site(before), open_site(after)
    sections = []
    for change in difference.artifacts:
        sides = {
            "Before": _copy(old, change.before, folder),
            "After": _copy(new, change.after, folder),
        }
        sections.append((change, [(label, name) for label, name in sides.items() if name]))
    page = render_template(
        "diff.html",
        title="What changed",
        lang="en",
        description="",
        shown=sections,
        difference=difference,
    )
    write_whole(folder / "index.html", page.encode())
    return folder / "index.html"


# Media


def _copy(site: Site, artifact: Provenance | None, folder: Path) -> str | None:
    """Copy an artifact's media file to the page's folder, if the site has it. Returns: its name."""
    name = _medium(site, artifact)
    if name:
        write_whole(folder / name, site.read(name))
    return name


def _level(
    old: Site, before: Provenance | None, new: Site, after: Provenance | None
) -> float | None:
    """Return the level of the difference in dB; None if the media can not be compared."""
    old_name, new_name = _medium(old, before), _medium(new, after)
    if before is None or after is None or not old_name or not new_name:
        return None
    if before.media_type.split("/")[0] != after.media_type.split("/")[0]:
        return None
    return compare(old.read(old_name), new.read(new_name), before.media_type)[1]


def _medium(site: Site, artifact: Provenance | None) -> str | None:
    """Return the name of an artifact's media file; None for data that no page of the site shows."""
    if artifact is None:
        return None
    name = f"{MEDIA}/{artifact.sha256}.{EXTENSIONS[artifact.media_type]}"
    return name if name in site.manifest.files else None


def _natural(name: str) -> list[tuple[int, str]]:
    """The key that sorts "a/2" before "a/10"."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


# Texts


def _changed_texts(old: Site, new: Site) -> dict[str, list[str]]:
    texts = {}
    for page in sorted(old.manifest.pages.keys() | new.manifest.pages.keys()):
        difference = difflib.unified_diff(_text(old, page), _text(new, page), lineterm="", n=0)
        lines = [line for line in difference if not line.startswith(("---", "+++", "@@"))]
        if lines:
            texts[page] = lines
    return texts


def _text(site: Site, page: str) -> list[str]:
    """Return the text of a page, block by block; none if the site has no such page."""
    if page not in site.manifest.pages:
        return []
    parser = _TextParser()
    parser.feed(site.read(page).decode())
    return [line for block in parser.blocks if (line := " ".join(block.split()))]


class _TextParser(HTMLParser):
    """Collects the text of a page, block by block."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = [""]
        self._skipped = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
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
