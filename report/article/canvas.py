"""Draw components with the macros in templates/components/, and answer what these ask."""

import functools
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from report.article.checks import Finding, findings_of
from report.article.components import Component, Cover, Part, Stretch, as_component
from report.article.fields import cell_text
from report.article.listening_tests import ListeningTest
from report.article.prose import slug
from report.article.ratings import Ratings, Shown
from report.article.templates import environment
from report.artifacts.record import ARTICLE, Record
from report.artifacts.session import Artifact
from report.listening.design import Design

ARTIFACT = re.compile(r"\bArtifact ([0-9a-f]{12})\b")  # in the arguments of a record
LONG = 60  # characters; only the first card shows a longer argument
LONGEST = 200  # characters of an argument that a card shows; the manifest has all of them
INDENTED = re.compile(r"\n\s+")
LONGEST_NAME = 80  # letters that the page of a part takes of a name that can not stay


@dataclass
class Canvas:
    """The page of an article while macros draw it: its media, anchors and numbers.

    One canvas serves an article together with the pages of its parts.
    """

    article: str  # its name
    records: dict[str, Record]  # name of each call, such as "rendered/3" -> record of its result
    # Libraries that the article imports, see `Imports.versions`; the manifest has also those that
    # these require.
    imported: dict[str, str]
    section: str = ""  # anchor of the last heading above the component that is drawn
    files: dict[str, Record] = field(default_factory=dict)  # file name of each medium -> record
    findings: list[Finding] = field(default_factory=list)  # of components, see `checks`
    offline: set[str] = field(default_factory=set)  # file names of media that scripts read
    _pages: dict[int, str] = field(default_factory=dict)  # id() of a part -> name of its page
    _drawn: set[int] = field(default_factory=set)  # id() of components
    _begun: set[int] = field(default_factory=set)  # id() of parts
    _anchors: dict[int, str] = field(default_factory=dict)  # id() of a component -> its anchor
    _repeats: Counter[str] = field(default_factory=Counter)  # anchor without number -> its uses
    numbers: Counter[str] = field(default_factory=Counter)  # "figure" or "table" -> the last one
    tests: dict[str, Design] = field(default_factory=dict)  # anchor -> what a listening test asks
    opening: Markup = Markup()  # the HTML above the abstract, if there is any
    # File names of sounds that listeners judge, and that nothing else of the article shows.
    _judged: set[str] = field(default_factory=set)
    _cover: list[Cover] = field(default_factory=list)  # at most one
    # The first cards that show something: long argument -> call, digest of code -> hash of result
    _argument_cards: dict[str, str] = field(default_factory=dict)
    _code_cards: dict[str, str] = field(default_factory=dict)

    # Components

    def show(self, value: object) -> Markup:
        """Return the HTML of a value. Raises: TypeError if a page can not show it there."""
        component = as_component(value)
        if isinstance(component, Part):
            raise TypeError(
                f"the part {component.name} stands inside something else; "
                "show it by itself or in a Group"
            )
        return self._draw(component)

    def begin(self, part: Part) -> Markup:
        """Return the link that leads from the beginning of a part to its own page.

        Raises: ValueError if the same part is shown twice.
        """
        if id(part) in self._begun:
            raise ValueError(f"the part {part.name} is shown twice; make two parts of it")
        self._begun.add(id(part))
        if part.picture:
            self.media(part.picture)
        return self._draw(part)

    def cell(self, value: object) -> Markup | str:
        """Return the text of a table's cell, or the HTML of what stands in it."""
        text = cell_text(value)
        return self.show(value) if text is None else text

    def cell_class(self, value: object) -> str:
        """Return the class of a cell in a column that is not all numbers."""
        return "text shown" if cell_text(value) is None else "text"

    def _draw(self, component: Component) -> Markup:
        self.findings += findings_of(component)
        if id(component) in self._drawn:
            self._anchors.pop(id(component), None)  # shown again, it is another place
        self._drawn.add(id(component))
        name = type(component).__name__
        macro = getattr(environment().get_template(f"components/{name}.html").module, name)
        html = macro(component, self)
        # Without this, a tenth of a page would be indentation.
        return html if "<pre" in html else Markup(INDENTED.sub("\n", html))

    def name_parts(self, parts: list[Part], articles: Iterable[str]) -> None:
        """Give each part a page that no other part has, and no article of the site.

        A name that can be that of a page stays. Others may be those of files, such as "my song" or
        "été": what of them is in ASCII is taken, with a number behind where that is not
        enough.
        """
        taken = {article.lower() for article in articles}  # some systems do not tell cases apart

        def take(part: Part, name: str) -> bool:
            page = f"{self.article}-{name}"
            if page.lower() in taken:
                return False
            taken.add(page.lower())
            self._pages[id(part)] = page
            return True

        for part in parts:
            if ARTICLE.fullmatch(part.name):
                take(part, part.name)
        for part in parts:
            if id(part) not in self._pages:
                name = _page_name(part.name)
                numbered = (f"{name}-{n}" for n in itertools.count(2))
                next(name for name in itertools.chain([name], numbered) if take(part, name))

    def page_of(self, part: Part) -> str:
        """The name of a part's page."""
        return self._pages[id(part)]

    def anchor(self, component: object, title: str) -> str:
        """Return the id of a component, such as "example-1.reconstruction", always the same."""
        if id(component) not in self._anchors:
            anchor = f"{self.section}.{slug(title)}" if self.section else slug(title)
            self._repeats[anchor] += 1
            if self._repeats[anchor] > 1:
                anchor = f"{anchor}-{self._repeats[anchor]}"
            self._anchors[id(component)] = anchor
        return self._anchors[id(component)]

    def number(self, kind: str) -> int:
        """Return the next number, from 1, of a "figure" or "table"."""
        self.numbers[kind] += 1
        return self.numbers[kind]

    def last_number(self, kind: str) -> int:
        """Return the number of the last "figure" or "table"; 0 if there is none yet."""
        return self.numbers[kind]

    # Media

    def media(self, artifact: Artifact) -> str:
        """Return the artifact's address, relative to the page."""
        self.files.setdefault(artifact.name, artifact.record)
        self._judged.discard(artifact.name)
        return f"media/{artifact.name}"

    def samples(self, sound: Artifact | Stretch) -> str:
        """Return the address of media whose bytes scripts read, even on a page from a disk."""
        if isinstance(sound, Stretch):
            return self.samples(sound.sound) + sound.fragment
        self.offline.add(sound.name)
        return self.media(sound)

    def judged(self, artifact: Artifact) -> str:
        """Return the address of a sound that a listening test plays, and nobody else."""
        alone = artifact.name not in self.files or artifact.name in self._judged
        address = self.samples(artifact)
        if alone:
            self._judged.add(artifact.name)
        return address

    def set_opening(self, html: Markup) -> None:
        """Let HTML open the article. Raises: ValueError if the article has an opening already."""
        if self.opening:
            raise ValueError("the article has two openings; show one of them")
        self.opening = Markup(INDENTED.sub("\n", html))

    def set_cover(self, cover: Cover) -> None:
        """Let a cover stand for the article. Raises: ValueError if the article has one already."""
        if self._cover:
            raise ValueError("the article has two covers; show one of them")
        self.media(cover.picture)
        self.media(cover.sound)
        self._cover.append(cover)

    def cover(self) -> tuple[Record | None, Record | None]:
        """Return the picture and the sound that stand for the article where others link to it.

        Without a cover these are the first ones of the article, but no sound that listeners judge:
        it could be an anchor.
        """
        if self._cover:
            return self._cover[0].picture.record, self._cover[0].sound.record
        pictures = (file for file in self.files.values() if file.media_type == "image/png")
        sounds = (
            file
            for name, file in self.files.items()
            if file.media_type.startswith("audio/") and name not in self._judged
        )
        return next(pictures, None), next(sounds, None)

    # Listening tests

    def design(self, test: ListeningTest) -> Design:
        """Return what a listening test asks; the manifest has it, too."""
        anchor = self.anchor(test, test.title)
        return self.tests.setdefault(anchor, test.design(anchor))

    def ratings(self, ratings: Ratings) -> Shown:
        """Return what listeners answered to a test of this article, for its figure."""
        return ratings.shown(self.design(ratings.test))

    def answers_to(self, html: str) -> list[str]:
        """Return the addresses to which the tests on a page can send answers."""
        there = (test for name, test in self.tests.items() if f' id="{escape(name)}"' in html)
        return sorted({test.post for test in there if test.post})

    # Cards: how an artifact was made

    def call(self, artifact: Artifact) -> str:
        """Return the name of the call that made an artifact, or "" if the build does not know it.

        Commands and the manifest use the same names.
        """
        name = self._calls.get(artifact.sha256)
        return f"{self.article}/{name}" if name else ""

    def function(self, record: Record) -> str:
        """Return the function that made an artifact; the first card adds the digest of its code."""
        first = self._code_cards.setdefault(record.code, record.sha256)
        if first != record.sha256:
            return record.function
        return f"{record.function}, code {record.code[:12]}"

    def arguments(self, artifact: Artifact) -> dict[str, str]:
        """Return the arguments of the call that made an artifact; artifacts by their own calls.

        Only the first card shows a LONG value, cut off at LONGEST; later ones refer to that card.
        """
        call = self.call(artifact)
        texts = {}
        for name, value in artifact.record.arguments.items():
            value = ARTIFACT.sub(self._call_of, value)
            first = self._argument_cards.setdefault(value, call) if len(value) > LONG else ""
            if first and first != call:
                texts[name] = f"as for {first}"
            else:
                texts[name] = value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
        known = "; ".join(texts.values())
        inputs = [self._makers.get(sha256[:12]) for sha256 in artifact.record.inputs]
        others = [maker for maker in inputs if maker and maker not in known]
        if others:
            texts["Made from"] = ", ".join(others)
        return texts

    def libraries_of(self, artifact: Artifact) -> str:
        """Return the versions that made this artifact, of libraries that have several here."""
        versions = artifact.record.versions
        several = [name for name, used in self._versions.items() if len(used) > 1]
        return ", ".join(f"{name} {versions[name]}" for name in several if versions.get(name))

    @property
    def libraries(self) -> str:
        """The libraries of which the whole article used one version, told once for the page."""
        return ", ".join(
            f"{name} {min(versions)}"
            for name, versions in self._versions.items()
            if len(versions) == 1
        )

    def ground(self, text: str) -> str:
        """Return what a claim rests on, as "share/1 = 0.93", of the start of a hash and a value."""
        digest, equals, value = text.partition("=")
        maker = self._makers.get(digest, digest)
        return f"{maker} = {value}" if equals else maker

    def _call_of(self, match: re.Match) -> str:
        """Return the call behind an `Artifact HASH` in an argument, or that text if unknown."""
        return self._makers.get(match[1], match[0])

    @functools.cached_property
    def _calls(self) -> dict[str, str]:
        """Hash of an artifact -> name of the call that made it."""
        return {record.sha256: name for name, record in self.records.items()}

    @functools.cached_property
    def _makers(self) -> dict[str, str]:
        """The start of a hash, as arguments have it -> name of the call, with the article's."""
        return {sha256[:12]: f"{self.article}/{name}" for sha256, name in self._calls.items()}

    @functools.cached_property
    def _versions(self) -> dict[str, set[str]]:
        """Library -> all its versions that made something in the article, or else that it has."""
        versions: dict[str, set[str]] = {name: set() for name in self.imported}
        for record in self.records.values():
            for name in versions.keys() & record.versions.keys():
                versions[name].add(record.versions[name])
        for name, installed in self.imported.items():
            if installed and not versions[name]:
                versions[name].add(installed)
        return versions


def _page_name(name: str) -> str:
    """Return the letters and digits of a name, without accents, and dashes for the rest."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_]+", "-", plain).strip("-")[:LONGEST_NAME].rstrip("-") or "part"
