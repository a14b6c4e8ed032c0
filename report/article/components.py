"""Components: everything that a cell can show.

Each is plain data, and the macro of the same name in `templates/components/` draws it. Titles,
captions and notes are text, not markup; only Prose is Markdown.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import get_args

from report.artifacts.session import Artifact


@dataclass(frozen=True)
class Prose:
    """Markdown that a cell computed; its headings are in the table of contents too."""

    text: str


@dataclass(frozen=True)
class Player:
    """One sound with its waveform, below a picture that runs along it, such as a spectrogram."""

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
    """A film that plays and can be stepped through.

    The poster, its first frame as a picture of the same shape, is there until the film loads.
    """

    film: Artifact
    poster: Artifact
    caption: str


@dataclass(frozen=True)
class Decomposition:
    """A film and sounds of the residual: frame k shows it after the first k events of a roll.

    Frames run along the sound from edge to edge. `left` are sounds of the residual, by the number
    of events that were taken off.
    """

    film: Artifact
    poster: Artifact
    roll: "EventRoll"
    left: dict[int, Artifact]
    caption: str


@dataclass(frozen=True)
class Compare:
    """Versions of one sound, to switch between while they play.

    Each is (label, sound, picture or None); the picture, such as a spectrogram, runs along the
    sound. A plain comparison has no matched loudness and no blind test: it is for comparing levels.
    """

    title: str
    items: list[tuple[str, Artifact, Artifact | None]]
    note: str = ""
    plain: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of text and numbers; a column of numbers is set flush right."""

    headers: list[str]
    rows: Sequence[Sequence[object]]
    caption: str
    note: str = ""

    def number_columns(self) -> list[bool]:
        """Tell for each column whether it holds only numbers, perhaps with a sign, dB or %."""
        if not self.rows:
            return [False] * len(self.headers)
        columns = zip(*self.rows, strict=True)
        return [all(_is_number(cell) for cell in column) for column in columns]


@dataclass(frozen=True)
class Mark:
    """One event of a roll."""

    start: int  # in samples
    y: float  # in 0..1
    radius: float  # in 0..1
    colour: str  # #rrggbb
    sound: Artifact


@dataclass(frozen=True)
class EventRoll:
    """Events over time, each of which can be heard, moved and changed.

    `choices` is data that says what an event may sound like instead, by the hash of `sounds`:

        {"sets": {"random vectors": [a hash for each event]},
         "steps": {"3": [[hash or null for each step], ...]}}

    Here event 3, counted from 0, has sliders along its directions; null is the event as it is.
    """

    title: str
    marks: list[Mark]  # in the order in which the events were found
    axis: str  # what the height of a mark means
    mix: Artifact  # the published sum of the events' sounds (`report.mix`), as long as the roll
    vectors: Artifact | None = None  # a picture: a row of whole pixels an event, blue < 0 < red
    choices: Artifact | None = None
    sounds: list[Artifact] = field(default_factory=list)
    note: str = ""

    def ticks(self) -> list[float]:
        """Return round times along the roll, in seconds."""
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
    """Components under a heading of the third level that also have their own page, to be shared.

    The page's file is named after the article and `name`. Where others show a link to it, they show
    title, description and picture.
    """

    name: str
    title: str
    description: str
    components: list
    picture: Artifact | None = None


@dataclass(frozen=True)
class Row:
    """Components side by side, or below each other where the page is narrow."""

    components: list


@dataclass(frozen=True)
class Text:
    """A string, a number or other data as text; `preformatted` keeps its lines."""

    text: str
    preformatted: bool = False


@dataclass(frozen=True)
class Code:
    """The source of a cell; `folded` hides it until a reader opens it."""

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
    """Return `value` if it is a component, or else one that shows it.

    Raises: TypeError unless it is a component, an artifact, a list, a string or a number.
    """
    if isinstance(value, Component):
        return value
    if isinstance(value, Artifact):
        return _from_artifact(value)
    if isinstance(value, list | tuple):
        return Group(list(value))
    if isinstance(value, str | int | float):
        return Text(str(value))
    kinds = ", ".join(kind.__name__ for kind in get_args(Component))
    raise TypeError(
        f"a {type(value).__name__} can not be shown; "
        f"end the cell with None, an artifact, or one of {kinds}"
    )


def flatten(value: object) -> list[Component]:
    """Return the components of `value`, with groups and lists taken apart; none for None."""
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
    """Return a round distance between ticks, with about six of them on an axis of this length."""
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
