"""Checks of what a page shows: sounds that say nothing, links that lead nowhere, missing texts.

An article leaves one out by its global ALLOW, with a reason: {"silent": "nothing is left of it"},
or {"silent Residual": ...} for a sound of that title alone.
"""

import difflib
import html
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from report.article.components import Compare, Grid, Opening, Player, Steps
from report.article.listening_tests import ListeningTest
from report.artifacts.session import Artifact
from report.errors import ReportError

KINDS = {
    "silent": "a sound without any",
    "clipped": "a sound that goes beyond full scale",
    "constant": "a sound whose samples are all the same",
    "identical": "versions of a comparison that are the same sound",
    "alt": "a picture without a text for those who can not see it",
    "link": "a link that leads nowhere",
    "anchor": "two things with one anchor",
}
# Quotes in texts are escaped, so nothing in them looks like an attribute.
ID = re.compile(r'<[a-z][^<>]*?\sid="([^"]*)"')
LINK = re.compile(r'<a\b[^<>]*?\shref="([^"]*)"')
IMAGE = re.compile(r"<img\b[^<>]*>")
ALT = re.compile(r'\salt="\s*[^"\s]')


@dataclass(frozen=True)
class Finding:
    """Something that a page had better not show."""

    kind: str  # of KINDS
    where: str  # a title, an address or an anchor
    text: str

    def is_allowed(self, allowed: Mapping[str, str]) -> bool:
        return self.kind in allowed or f"{self.kind} {self.where}" in allowed


def read_allowed(namespace: Mapping[str, Any], path: Path) -> dict[str, str]:
    """Return the global ALLOW of a script: a check that is left out -> the reason.

    Raises: ReportError if it is not a dict of such texts.
    """
    allowed = namespace.get("ALLOW", {})
    if not isinstance(allowed, dict):
        raise ReportError(f'{path}: ALLOW is {allowed!r}; give {{"silent": "a reason"}}')
    for name, reason in allowed.items():
        kind = str(name).partition(" ")[0]
        if kind not in KINDS:
            near = difflib.get_close_matches(kind, KINDS, 1)
            hint = f"is it {near[0]!r}?" if near else f"there are {', '.join(KINDS)}"
            raise ReportError(f"{path}: ALLOW has {name!r}, which is no check; {hint}")
        if not isinstance(reason, str) or not reason.strip():
            raise ReportError(f"{path}: ALLOW[{name!r}] is {reason!r}; give the reason, as a text")
    return allowed


def refuse(findings: Iterable[Finding], allowed: Mapping[str, str], path: object) -> None:
    """Raise ReportError that names all findings which are not allowed."""
    wrong = list(dict.fromkeys(x for x in findings if not x.is_allowed(allowed)))
    if not wrong:
        return
    lines = [finding.text for finding in wrong]
    advice = f'ALLOW = {{"{wrong[0].kind}": "the reason"}} in the script leaves that check out'
    joined = "\n  ".join(lines) if len(lines) > 1 else lines[0]
    start = f"{path}: " if len(lines) == 1 else f"{path}: {len(lines)} things to mend\n  "
    raise ReportError(f"{start}{joined}\n  {advice}")


def used_reasons(findings: Iterable[Finding], allowed: Mapping[str, str]) -> str:
    """Return the reasons that findings have, for the colophon."""
    found = [x for x in findings if x.is_allowed(allowed)]
    names = [x.kind if x.kind in allowed else f"{x.kind} {x.where}" for x in found]
    return "; ".join(f"{name}: {allowed[name]}" for name in dict.fromkeys(names))


# Sounds


def findings_of(component: object) -> list[Finding]:
    """Return what is wrong with the sounds of a component, which readers listen to."""
    if isinstance(component, Player):
        return _findings_of_sound(component.sound, component.title)
    if isinstance(component, Compare):
        versions = [(label, sound) for label, sound, _ in component.items]
        return _findings_of_versions(component.title, versions)
    if isinstance(component, Steps):
        return [
            finding
            for name, _, sound in component.steps
            if sound
            for finding in _findings_of_sound(sound, f"{component.title}: {name}")
        ]
    if isinstance(component, Opening):
        versions = [("original", component.original), ("reconstruction", component.roll.mix)]
        return _findings_of_versions(component.title, versions)
    if isinstance(component, ListeningTest):
        return [
            finding
            for name, row in component.items.items()
            for key, sound in row.items()
            for finding in _findings_of_sound(sound, f"{component.title}: {name}, {key}")
        ]
    if not isinstance(component, Grid):
        return []
    findings = []
    for label, sounds in component.rows:
        row = [(c, sound) for c, sound in zip(component.columns, sounds, strict=True) if sound]
        findings += _findings_of_versions(f"{component.title}: {label}", row)
    return findings


def _findings_of_versions(title: str, versions: list[tuple[str, Artifact]]) -> list[Finding]:
    findings = []
    labels: dict[str, str] = {}  # sha256 -> first label
    for label, sound in versions:
        findings += _findings_of_sound(sound, f"{title}: {label}")
        first = labels.setdefault(sound.sha256, label)
        if first != label:
            text = f"{title!r}: {first!r} and {label!r} are the same sound"
            findings.append(Finding("identical", title, text))
    return findings


def _findings_of_sound(sound: Artifact, title: str) -> list[Finding]:
    info = sound.info
    if info["peak"] is None:
        return [Finding("silent", title, f"{title!r} is silent")]
    findings = []
    if info["clipped"]:
        text = f"{title!r} has {info['clipped']} clipped samples; make it quieter"
        findings.append(Finding("clipped", title, text))
    if len({level for pair in info["peaks"] for level in pair}) == 1 and _is_constant(sound):
        text = f"{title!r} is one value all along"
        findings.append(Finding("constant", title, text))
    return findings


def _is_constant(sound: Artifact) -> bool:
    """Tell whether all samples are the same; peaks alone are too coarse for that."""
    samples = sound.value.samples
    return len(samples) > 1 and bool((samples == samples[:1]).all())


# Pages


def findings_on_page(page: str) -> list[Finding]:
    """Return missing texts of pictures, and anchors that occur twice."""
    findings = []
    for image in IMAGE.findall(page):
        if not ALT.search(image):
            source = re.search(r'\ssrc="([^"]{0,60})', image)
            where = html.unescape(source[1]) if source else "an image"
            text = f"the picture {where} has no text for those who can not see it; give it an alt"
            findings.append(Finding("alt", where, text))
    for anchor, count in Counter(ID.findall(page)).items():
        if count > 1:
            anchor = html.unescape(anchor)
            text = f"the anchor {anchor!r} is there {count} times; rename one"
            findings.append(Finding("anchor", anchor, text))
    return findings


def findings_of_links(page: str, pages: Mapping[str, str], files: Iterable[str]) -> list[Finding]:
    """Return the links of a page to files of the site, or to places on its pages, that are not.

    pages: name -> HTML of all pages. files: the names of all files. Other sites are not asked.
    """
    anchors: dict[str, set[str]] = {}
    known = {*pages, *files}
    findings = []
    for link in dict.fromkeys(map(html.unescape, LINK.findall(pages[page]))):
        if re.match(r"[a-zA-Z][a-zA-Z+.-]*:|//", link):
            continue
        address, _, anchor = link.partition("#")
        target = unquote(address.partition("?")[0]) or page
        if target not in known:
            near = difflib.get_close_matches(target, pages, 1)
            hint = f"; is it {near[0]}?" if near else ""
            findings.append(Finding("link", link, f"{link} leads to no file of the site{hint}"))
        elif anchor and target in pages:
            if target not in anchors:
                anchors[target] = set(map(html.unescape, ID.findall(pages[target])))
            if unquote(anchor) not in anchors[target]:
                near = difflib.get_close_matches(anchor, anchors[target], 1)
                hint = f"; is it #{near[0]}?" if near else ""
                findings.append(Finding("link", link, f"{link} leads to no place there{hint}"))
    return findings
