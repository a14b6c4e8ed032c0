"""What a cell can show. Each is plain data; `templates/components.html` has one macro for each, of the same name.

Titles, captions and notes are text, not markup; only Prose is Markdown.
"""

import json
import math
from dataclasses import dataclass, replace

from report.conjure import Artifact


@dataclass(frozen=True)
class Prose:
    """Markdown that a cell computed. Its headings stand in the table of contents like those of prose cells."""

    text: str


@dataclass(frozen=True)
class Player:
    """One sound, with its waveform."""

    sound: Artifact
    title: str
    note: str = ""


@dataclass(frozen=True)
class Image:
    """A figure or picture as a numbered figure; the alt text comes with the artifact."""

    artifact: Artifact
    caption: str


@dataclass(frozen=True)
class FilmStrip:
    """A film that plays when asked to; until then the poster, a picture of the same size, stands for it."""

    film: Artifact
    poster: Artifact
    caption: str


@dataclass(frozen=True)
class Compare:
    """Sounds side by side; each item is (label, sound, picture or None), where the picture runs along the sound."""

    title: str
    items: list[tuple[str, Artifact, Artifact | None]]
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of text and numbers; a column that holds nothing but numbers is set flush right."""

    headers: list[str]
    rows: list[list[object]]
    caption: str
    note: str = ""

    def number_columns(self) -> list[bool]:
        """For each column, whether all of its cells are numbers, with or without a sign, a unit or a per cent sign."""
        columns = zip(*self.rows, strict=True)
        return [all(_is_number(cell) for cell in column) for column in columns] or [False] * len(self.headers)


@dataclass(frozen=True)
class Mark:
    """One event of a roll: `x` in seconds, `y` and `radius` in 0..1, `colour` as #rrggbb, `label` as spoken."""

    x: float
    y: float
    radius: float
    colour: str
    label: str
    sound: Artifact


@dataclass(frozen=True)
class EventRoll:
    """Events over time; each can be walked to with the arrow keys and heard. `axis` says what the height means."""

    title: str
    marks: list[Mark]
    axis: str
    note: str = ""

    def ticks(self) -> list[float]:
        """Round times in seconds from 0 to past the last event: the time axis."""
        last = max((mark.x for mark in self.marks), default=0.0)
        step = tick_step(last)
        return [round(i * step, 6) for i in range(math.ceil(last / step + 0.1) + 1)]

    def in_time(self) -> "EventRoll":
        """The same roll, earliest event first: the order in which keys and readers walk through it."""
        return replace(self, marks=sorted(self.marks, key=lambda mark: (mark.x, mark.y)))


@dataclass(frozen=True)
class BibTeX:
    """A citation to copy."""

    text: str


@dataclass(frozen=True)
class Group:
    """Components below each other."""

    components: list


@dataclass(frozen=True)
class Row:
    """Components side by side, below each other where the page is narrow."""

    components: list


@dataclass(frozen=True)
class Text:
    """What a cell shows for a string or a number; `preformatted` keeps its lines."""

    text: str
    preformatted: bool = False


@dataclass(frozen=True)
class Code:
    """The source of a cell, closed until asked for if `folded`."""

    source: str
    folded: bool


Component = Prose | Player | Image | FilmStrip | Compare | Table | EventRoll | BibTeX | Group | Row | Text | Code


def as_component(value: object) -> Component:
    """The component that shows `value`: itself, or what suits an artifact, a list, a string or a number.

    Raises: TypeError for anything else.
    """
    if isinstance(value, Component):
        return value
    if isinstance(value, Artifact):
        return _from_artifact(value)
    if isinstance(value, list | tuple):
        return Group(list(value))
    if isinstance(value, str | int | float):
        return Text(str(value))
    kinds = ", ".join(kind.__name__ for kind in Component.__args__)
    raise TypeError(
        f"a {type(value).__name__} can not be shown; end the cell with None, an artifact, or one of {kinds}"
    )


def flatten(value: object) -> list[Component]:
    """The components that `value` shows, with groups and lists taken apart; None shows nothing."""
    if value is None:
        return []
    component = as_component(value)
    if not isinstance(component, Group):
        return [component]
    return [inner for outer in component.components for inner in flatten(outer)]


def _from_artifact(artifact: Artifact) -> Component:
    title = artifact.record.function.rsplit(".", 1)[-1].replace("_", " ")
    if artifact.media_type.startswith("audio/"):
        return Player(artifact, title.capitalize())
    if artifact.media_type == "image/webp":
        raise TypeError("a film needs a poster; show it with FilmStrip(film, poster, caption)")
    if artifact.media_type.startswith("image/"):
        return Image(artifact, "")
    return Text(json.dumps(artifact.value, indent=2, ensure_ascii=False), preformatted=True)


def tick_step(seconds: float) -> float:
    """A round distance between ticks that puts about six of them on an axis of this length."""
    rough = max(seconds, 0.01) / 6
    power = 10 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough)


def _is_number(cell: object) -> bool:
    text = str(cell).strip().removesuffix("%").removesuffix("dB").strip()
    try:
        float(text.replace("−", "-").replace(",", "").replace("\u202f", ""))
    except ValueError:
        return text in ("", "–", "—")
    return True
