"""What a cell can show. Each is plain data; `templates/components/` has a macro for each, of the same name.

Titles, captions and notes are text, not markup; only Prose is Markdown.
"""

import json
import math
from dataclasses import dataclass, field

from report.artifacts.session import Artifact


@dataclass(frozen=True)
class Prose:
    """Markdown that a cell computed. Its headings stand in the table of contents like those of prose cells."""

    text: str


@dataclass(frozen=True)
class Player:
    """One sound, with its waveform, and above that a picture that runs along it, such as a spectrogram."""

    sound: Artifact
    title: str
    note: str = ""
    picture: Artifact | None = None


@dataclass(frozen=True)
class Image:
    """A figure or picture as a numbered figure; the alt text comes with the artifact."""

    artifact: Artifact
    caption: str


@dataclass(frozen=True)
class FilmStrip:
    """A film that plays and can be stepped through; until it is asked for, the poster stands for it: its first frame,
    as a picture of the same shape."""

    film: Artifact
    poster: Artifact
    caption: str


@dataclass(frozen=True)
class Decomposition:
    """A film of what is left, which can be heard: frame k is the residual after the first k events of a roll.

    Frames run along the sound from edge to edge. `left` are sounds of what is left, by the number of events taken off.
    """

    film: Artifact
    poster: Artifact
    roll: "EventRoll"
    left: dict[int, Artifact]
    caption: str


@dataclass(frozen=True)
class Compare:
    """Versions of one sound, to switch between while they play; each is (label, sound, picture or None).

    The picture, such as a spectrogram, runs along the sound. A plain comparison is without matched loudness and blind
    test, for sounds where levels are what one compares.
    """

    title: str
    items: list[tuple[str, Artifact, Artifact | None]]
    note: str = ""
    plain: bool = False


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
        return [all(_is_number(cell) for cell in column) for column in columns] or [False] * len(
            self.headers
        )


@dataclass(frozen=True)
class Mark:
    """One event of a roll: it begins at sample `start`; `y` and `radius` in 0..1, `colour` as #rrggbb."""

    start: int
    y: float
    radius: float
    colour: str
    sound: Artifact


@dataclass(frozen=True)
class EventRoll:
    """Events over time, in the order in which they were found: each can be heard, moved and changed.

    `mix` is the published sum of the events' sounds (`report.mix`), as long as the roll. `axis` says what the height of
    a mark means. `vectors` is a picture with one row for each event, at whole pixels, blue below 0 and red above.
    `choices` is data that says what an event may sound like instead, by the hash of `sounds`:
    {"sets": {"random vectors": [a hash for each event]}, "steps": {"3": [[hash or null for each step], ...]}}, in which
    event 3 (counted from 0) has sliders along its directions, null being the event as it is.
    """

    title: str
    marks: list[Mark]
    axis: str
    mix: Artifact
    vectors: Artifact | None = None
    choices: Artifact | None = None
    sounds: list[Artifact] = field(default_factory=list)
    note: str = ""

    def ticks(self) -> list[float]:
        """Round times in seconds along the roll."""
        seconds = self.mix.info["seconds"]
        step = tick_step(seconds)
        return [round(i * step, 6) for i in range(math.floor(seconds / step) + 1)]


@dataclass(frozen=True)
class BibTeX:
    """A citation to copy."""

    text: str


@dataclass(frozen=True)
class Group:
    """Components below each other."""

    components: list


@dataclass(frozen=True)
class Part:
    """Components under a heading of the third level, `title`, that also have a page of their own, to be shared.

    That page is called after the article and `name`; title, description and picture are what others show of a link.
    """

    name: str
    title: str
    description: str
    components: list
    picture: Artifact | None = None


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


Component = (
    Prose
    | Player
    | Image
    | FilmStrip
    | Decomposition
    | Compare
    | Table
    | EventRoll
    | BibTeX
    | Group
    | Part
    | Row
    | Text
    | Code
)


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
    if "n_frames" in artifact.info:
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
