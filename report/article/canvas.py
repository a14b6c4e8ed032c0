"""What the templates draw on: the macros of components, and what they may ask of the page that they are on."""

import functools
import re
import string
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from report.article.components import Component, Part, as_component
from report.article.prose import highlight_code, markdown, slug
from report.artifacts.record import ARTICLE, Record
from report.artifacts.session import Artifact

# Of the libraries in a record, those that a reader wants to know; the manifest has all of them.
SHOWN_LIBRARIES = ("python", "numpy", "scipy", "torch", "scikit-learn", "matplotlib", "soundfile")
LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
ARTIFACT = re.compile(r"\bArtifact ([0-9a-f]{12})\b")  # in the arguments of a record
LONG = 60  # characters of an argument that is told once
LONGEST = 200  # characters of an argument that are shown; the manifest has all of them
INDENTED = re.compile(r"\n\s+")


@dataclass
class Canvas:
    """What the macros in templates/components draw on: numbers, ids, and the artifacts that the page names."""

    article: str
    records: dict[str, Record]  # name of each call -> what it made
    artifacts: dict[str, list[Artifact]] = field(default_factory=dict)
    offline: set[str] = field(default_factory=set)
    counts: Counter = field(default_factory=Counter)
    section: str = ""  # anchor of the heading that comes before what is shown now
    parts: list[str] = field(default_factory=list)  # names of those that were begun
    anchors: dict[int, str] = field(default_factory=dict)
    _repeats: Counter = field(default_factory=Counter)
    _told: dict[str, str] = field(
        default_factory=dict
    )  # long argument or code -> the call, or its hash, in whose card it is

    def media(self, artifact: Artifact) -> str:
        """The artifact's address, relative to the page."""
        if not isinstance(artifact, Artifact):
            raise TypeError(f"{artifact!r} is no artifact; show what a @conjure function returned")
        self.artifacts.setdefault(artifact.name, []).append(artifact)
        return f"media/{artifact.name}"

    def samples(self, artifact: Artifact) -> str:
        """The same of an artifact whose bytes scripts read, also where the page is opened from a disk."""
        self.offline.add(artifact.name)
        return self.media(artifact)

    def anchor(self, component: object, title: str) -> str:
        """The id of a component, such as "example-1.reconstruction"; the same when asked for the same component."""
        if id(component) not in self.anchors:
            name = f"{self.section}.{slug(title)}" if self.section else slug(title)
            self._repeats[name] += 1
            self.anchors[id(component)] = (
                name if self._repeats[name] == 1 else f"{name}-{self._repeats[name]}"
            )
        return self.anchors[id(component)]

    @functools.cached_property
    def _calls(self) -> dict[str, str]:
        return {record.sha256: name for name, record in self.records.items()}

    @functools.cached_property
    def _makers(self) -> dict[str, str]:
        """The start of each hash, as arguments have it -> the call that made it."""
        return {sha256[:12]: f"{self.article}/{name}" for sha256, name in self._calls.items()}

    def call(self, artifact: Artifact) -> str:
        """The name of the call that made an artifact, as the commands and the manifest have it."""
        name = self._calls.get(artifact.sha256)
        return f"{self.article}/{name}" if name else ""

    def function(self, record: Record) -> str:
        """The function that made an artifact; the first time with the digest of its code."""
        first = self._told.setdefault(record.code, record.sha256)
        return (
            f"{record.function}, code {record.code[:12]}"
            if first == record.sha256
            else record.function
        )

    def arguments(self, artifact: Artifact) -> dict[str, str]:
        """What an artifact was made from, artifacts by the names of the calls that made them.

        A long value is told once, and not beyond LONGEST; after that it is what it was for the first that had it.
        """
        made, told = self._makers, {}
        for name, value in artifact.record.arguments.items():
            value = ARTIFACT.sub(lambda match: made.get(match[1], match[0]), value)
            first = self._told.setdefault(value, self.call(artifact)) if len(value) > LONG else ""
            shown = value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
            told[name] = f"as for {first}" if first and first != self.call(artifact) else shown
        others = [made[sha256[:12]] for sha256 in artifact.record.inputs if sha256[:12] in made]
        others = [name for name in others if name not in "; ".join(told.values())]
        return told | ({"Made from": ", ".join(others)} if others else {})

    @functools.cached_property
    def _versions(self) -> dict[str, set[str]]:
        """The versions of each library that made something."""
        versions = {name: set() for name in SHOWN_LIBRARIES}
        for record in self.records.values():
            for name in versions.keys() & record.versions.keys():
                versions[name].add(record.versions[name])
        return versions

    @property
    def libraries(self) -> str:
        """Those of which the whole article used one version, so that this is said once."""
        return ", ".join(
            f"{name} {min(versions)}"
            for name, versions in self._versions.items()
            if len(versions) == 1
        )

    def libraries_of(self, artifact: Artifact) -> str:
        """Those of which the article used several versions, with the one that made this artifact."""
        used = {
            name: artifact.record.versions.get(name)
            for name, versions in self._versions.items()
            if len(versions) > 1
        }
        return ", ".join(f"{name} {version}" for name, version in used.items() if version)

    def first_picture(self) -> Artifact | None:
        """What stands for the article where others show a link to it."""
        pictures = (
            same[0] for same in self.artifacts.values() if same[0].media_type == "image/png"
        )
        return next(pictures, None)

    def number(self, what: str) -> int:
        """1, 2, 3 … for each kind of thing."""
        self.counts[what] += 1
        return self.counts[what]

    def page_of(self, part: Part) -> str:
        """The name of a part's page."""
        return f"{self.article}-{part.name}"

    def begin(self, part: Part) -> Markup:
        """The way from the place where a part begins to its page."""
        if not ARTICLE.fullmatch(part.name):
            raise ValueError(f"{part.name!r} is no name for a part; use letters, digits, _ and -")
        if part.name in self.parts:
            raise ValueError(f"two parts are called {part.name}; give each a name of its own")
        self.parts.append(part.name)
        if part.picture:
            self.media(part.picture)
        return self._draw(part)

    def show(self, value: object) -> Markup:
        component = as_component(value)
        if isinstance(component, Part):
            raise TypeError(
                f"the part {component.name} stands inside something else; show it by itself or in a Group"
            )
        return self._draw(component)

    def _draw(self, component: Component) -> Markup:
        name = type(component).__name__
        html = getattr(environment().get_template(f"components/{name}.html").module, name)(
            component, self
        )
        return (
            html if "<pre" in html else Markup(INDENTED.sub("\n", html))
        )  # a tenth of a page would be indentation


def templates_folder() -> Path:
    """The templates: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    return next(
        folder
        for folder in (package / "templates", package.parent / "templates")
        if folder.is_dir()
    )


def render_template(name: str, **values: object) -> str:
    """A page of its own, from templates/NAME."""
    return environment().get_template(name).render(**values)


@functools.cache
def environment() -> Environment:
    """What draws the templates."""
    environment = Environment(
        loader=FileSystemLoader(templates_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "decibels": _decibels,
        "highlight": highlight_code,
        "kilobytes": _kilobytes,
        "markdown": lambda text: Markup(markdown().render(text)),
        "minus": _minus,
        "axis": lambda marks: "|".join(f"{share:.2g} {text}" for text, share in marks.items()),
        "peaks": _peaks,
    }
    return environment


def _kilobytes(n: int) -> str:
    return f"{n / 1e6:.1f} MB" if n >= 1e6 else f"{max(1, round(n / 1e3))} kB"


def _decibels(level: float | None) -> str:
    return _minus("-∞" if level is None else f"{level:.1f}")


def _minus(number: object) -> str:
    return str(number).replace("-", "−")


def _peaks(peaks: list[list[int]]) -> str:
    """Min/max pairs as two letters each, how far up and how far down, which templates/scripts/wave.js draws.

    Heights are square roots of levels: quiet sounds stay visible, and louder is still higher in every player.
    """

    def letter(level: int) -> str:
        return LETTERS[round(63 * (max(0, level) / 127) ** 0.5)]

    return "".join(letter(high) + letter(-low) for low, high in peaks)
