"""Components: everything that a cell can show.

Each is plain data, and the macro of the same name in `templates/components/` draws it. Titles,
captions and notes are text, not markup; only Prose is Markdown.
"""

import base64
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, get_args

from report.article.claims import Claim
from report.article.fields import (
    Plain,
    call,
    cell_text,
    check_flag,
    check_list,
    check_name,
    check_share,
    check_text,
    check_whole,
    describe,
    hint_for,
    is_number,
    is_stand_in,
    kind_of,
    place,
)
from report.article.given import (
    artifact_of,
    check_samplerate,
    is_given,
    rows_of,
    short_cells,
    table_data,
    take,
    take_optional,
    taken,
    title_of,
)
from report.article.listening_tests import Abx, Mushra, Preference, Rating
from report.article.prose import plain_text
from report.article.ratings import Ratings
from report.artifacts.session import Artifact
from report.number_formats import tick_step

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
LONGEST_STEP = 14  # letters that fit into the box of a step, and under it
LANE = 0.14  # share of a roll's height below its scale, for marks without a height


@dataclass(frozen=True)
class Prose:
    """Markdown that a cell computed; its headings are in the table of contents too."""

    text: str

    def __post_init__(self) -> None:
        check_text(self, "text")


@dataclass(frozen=True)
class Labels:
    """What is heard when: words, notes or onsets of a sound, under the name of all of them.

    Each is (start, end or None, text) in seconds; without an end it lasts until the next begins. An
    onset needs no text.
    """

    name: str
    items: Sequence[tuple[float, float | None, str]]

    def __post_init__(self) -> None:
        check_text(self, "name")
        check_name("Labels.name", self.name)
        check_list("Labels.items", self.items)
        before = 0.0
        for i, item in enumerate(self.items):
            where = f"Labels.items[{i}]"
            if not isinstance(item, list | tuple) or len(item) != 3:
                raise TypeError(f"{where} is {describe(item)}; give (start, end or None, text)")
            start, end, text = item
            if not isinstance(start, Real) or not 0 <= start < math.inf:
                raise ValueError(f"{where} begins at {start!r}; give seconds, 0 or more")
            if start < before:
                raise ValueError(f"{where} begins at {start}, before the one before it; sort them")
            if end is not None and not (isinstance(end, Real) and start < end < math.inf):
                raise ValueError(f"{where} ends at {end}, before it begins; give a later end")
            if not isinstance(text, str):
                raise TypeError(f"the text of {where} is {describe(text)}; give a str")
            before = start


@dataclass(frozen=True)
class Player:
    """One sound with its waveform, below a picture that runs along it, such as a spectrogram.

    The sound may be an artifact, a Sound, the path of a file, or an array: `Player(array, 44100)`,
    and then a title.
    """

    sound: Any  # an Artifact, once the player is made
    title: Any = ""  # without one, the name of the file or function
    note: str = ""
    picture: Any = None  # an Artifact, once the player is made, or None
    labels: Sequence[Labels] = ()  # drawn on both, and as text that follows and seeks
    samplerate: int | None = None  # Hz, of an array

    def __post_init__(self) -> None:
        if isinstance(self.title, Integral) and not isinstance(self.title, bool):
            rate, title = self.title, self.note
            for name, value in (("samplerate", rate), ("title", title), ("note", "")):
                object.__setattr__(self, name, value)
        check_samplerate("Player.samplerate", self.samplerate)
        title = title_of(self.sound)
        take(self, "sound", "a sound", self.samplerate)
        if self.title == "":
            named = is_stand_in(self.sound) or _is_by_content(self.sound)
            object.__setattr__(self, "title", title if named else _function_title(self.sound))
        check_text(self, "title", "note")
        check_name("Player.title", self.title)
        take_optional(self, "picture", "a picture")
        check_list("Player.labels", self.labels)
        for i, labels in enumerate(self.labels):
            if not isinstance(labels, Labels):
                raise TypeError(f"Player.labels[{i}] is {describe(labels)}; give Labels")
            last = max((item[0] for item in labels.items), default=0.0)
            if not is_stand_in(self.sound) and last > self.sound.info["seconds"]:
                raise ValueError(
                    f"Player.labels[{i}] reaches to {last:.2f} s, but the sound ends at "
                    f"{self.sound.info['seconds']:.2f}"
                )


@dataclass(frozen=True)
class Image:
    """A figure or picture as a numbered figure; the alt text comes with the artifact."""

    artifact: Any  # an Artifact, once the image is made
    caption: str = ""

    def __post_init__(self) -> None:
        take(self, "artifact", "a picture")
        check_text(self, "caption")


@dataclass(frozen=True)
class FilmStrip:
    """A film that plays and can be stepped through.

    The poster, its first frame as a picture of the same shape, is there until the film loads.
    """

    film: Artifact
    poster: Artifact
    caption: str

    def __post_init__(self) -> None:
        _check_film(self)
        check_text(self, "caption")


@dataclass(frozen=True)
class Decomposition:
    """A film of a sound: frame k shows what is left of it after the first k events of a roll.

    Frames run along the sound from edge to edge. The page computes what is left at each step from
    `original`, the sound before the first event: its spectrogram less those of the events.

    Under the film runs the curve of `removed`, the share of the sound that is gone after each
    event. In its picture each event is outlined by its box: (left, right, bottom, top), in shares
    of width and height from the lower left. Both may be left out.
    """

    film: Artifact
    poster: Artifact
    roll: "EventRoll"
    original: Artifact
    caption: str
    removed: Sequence[float] = ()
    boxes: Sequence[tuple[float, float, float, float]] = ()

    def __post_init__(self) -> None:
        _check_film(self)
        if not isinstance(self.roll, EventRoll):
            raise TypeError(f"Decomposition.roll is {describe(self.roll)}; give an EventRoll")
        take(self, "original", "a sound")
        self.roll.check_rate("Decomposition.original", self.original)
        check_text(self, "caption")
        for name in ("removed", "boxes"):
            given = getattr(self, name)
            check_list(f"Decomposition.{name}", given)
            if given and len(given) != len(self.roll.marks):
                raise ValueError(
                    f"Decomposition.{name} has {len(given)} entries, but the roll has "
                    f"{len(self.roll.marks)} events; give one for each"
                )
        for i, share in enumerate(self.removed):
            check_share(f"Decomposition.removed[{i}]", share)
        for i, (left, right, bottom, top) in enumerate(self.boxes):
            if not (0 <= left < right <= 1 and 0 <= bottom < top <= 1):
                raise ValueError(
                    f"Decomposition.boxes[{i}] is {(left, right, bottom, top)}; give (left, right, "
                    "bottom, top) in 0..1"
                )


@dataclass(frozen=True)
class Compare:
    """Versions of one sound, to switch between while they play.

    Each is (label, sound), or (label, sound, picture or None); the picture, such as a spectrogram,
    runs along the sound. A dict of sounds will do, also in the place of the title:
    `Compare({"mix": a, "model": b}, samplerate=44100)`. A plain comparison has no matched loudness
    and no blind test: it is for comparing levels. `differences` are labels of versions that say
    what another one leaves of the first, such as a residual: they keep their level beside it, and
    no blind test asks about them.
    """

    title: Any  # a str, once it is made
    items: Any = ()  # then a list of (label, Artifact, Artifact or None)
    note: str = ""
    plain: bool = False
    samplerate: int | None = None  # Hz, of arrays
    differences: Sequence[str] = ()

    def __post_init__(self) -> None:
        if isinstance(self.title, Mapping):
            object.__setattr__(self, "items", self.title)
            object.__setattr__(self, "title", " and ".join(map(str, self.title)) or "Comparison")
        if isinstance(self.items, Mapping):
            object.__setattr__(self, "items", list(self.items.items()))
        check_text(self, "title", "note")
        check_samplerate("Compare.samplerate", self.samplerate)
        check_flag(self, "plain")
        check_list("Compare.items", self.items)
        if not self.items:
            raise ValueError(
                "Compare.items is empty; give (label, sound, picture or None) for each"
            )
        items = [self._version(f"Compare.items[{i}]", item) for i, item in enumerate(self.items)]
        object.__setattr__(self, "items", items)
        labels = [label for label, _, _ in items]
        if double := next((label for label in labels if labels.count(label) > 1), None):
            raise ValueError(f"Compare.items has two versions called {double!r}; rename one")
        check_list("Compare.differences", self.differences)
        if lost := next((name for name in self.differences if name not in labels[1:]), None):
            raise ValueError(
                f"Compare.differences has {lost!r}, which is no version after the first; give"
                " labels of Compare.items"
            )

    def _version(self, where: str, version: Any) -> tuple[str, Artifact, Artifact | None]:
        if not isinstance(version, list | tuple) or len(version) not in (2, 3):
            size = f" of {len(version)}" if isinstance(version, list | tuple) else ""
            raise TypeError(
                f"{where} is {describe(version)}{size}; give (label, sound, picture or None)"
            )
        label, sound, picture = (*version, None)[:3]
        if not isinstance(label, str):
            raise TypeError(f"the label of {where} is {describe(label)}; give a str")
        check_name(f"the label of {where}", label)
        sound = taken(f"the sound of {where}", sound, "a sound", self.samplerate)
        if picture is not None:
            picture = taken(f"the picture of {where}", picture, "a picture")
        return label, sound, picture


@dataclass(frozen=True)
class Grid:
    """A table of sounds, such as items by systems, in which keys and presses go from cell to cell.

    The sounds of a row are versions of one item: neighbours are heard from the same place on, and
    as loud as each other unless the grid is plain. A cell may be empty (None). Rows may be a dict
    of dicts: `Grid("Songs", {"song": {"mix": a, "model": b}})`.
    """

    title: str
    rows: Any  # once it is made, (label, an Artifact or None for each column)
    columns: Sequence[str] = ()
    note: str = ""
    plain: bool = False
    samplerate: int | None = None  # Hz, of arrays

    def __post_init__(self) -> None:
        if isinstance(self.rows, Mapping):
            self._take_rows(self.rows)
        check_text(self, "title", "note")
        check_samplerate("Grid.samplerate", self.samplerate)
        check_flag(self, "plain")
        check_list("Grid.columns", self.columns)
        check_list("Grid.rows", self.rows)
        if not self.columns or not self.rows:
            raise ValueError("Grid has no cells; give it columns and rows")
        rows = []
        for i, row in enumerate(self.rows):
            where = f"Grid.rows[{i}]"
            if not isinstance(row, list | tuple) or len(row) != 2:
                raise TypeError(f"{where} is {describe(row)}; give (label, [sound or None, …])")
            label, sounds = row
            check_list(f"the sounds of {where}", sounds)
            if len(sounds) != len(self.columns):
                raise ValueError(
                    f"{where} has {len(sounds)} sounds, but there are {len(self.columns)} "
                    "columns; give a sound for each, None where there is none"
                )
            if all(sound is None for sound in sounds):
                raise ValueError(f"{where} has no sound; leave it out")
            rows.append((label, self._cells(where, sounds)))
        object.__setattr__(self, "rows", rows)
        _check_labels("Grid.columns", self.columns)
        _check_labels("the labels of Grid.rows", [label for label, _ in rows])

    def _take_rows(self, rows: Mapping[str, Mapping[str, object]]) -> None:
        """Let rows and columns be those of a dict of dicts, the columns in the order met first."""
        for label, sounds in rows.items():
            if not isinstance(sounds, Mapping):
                raise TypeError(
                    f"Grid.rows[{label!r}] is {describe(sounds)}; give a dict: column -> sound"
                )
        columns = list(self.columns) or list(dict.fromkeys(c for row in rows.values() for c in row))
        if lost := next((c for row in rows.values() for c in row if c not in columns), None):
            raise ValueError(f"Grid.rows has the column {lost!r}, which Grid.columns has not")
        object.__setattr__(self, "columns", columns)
        cells = [(label, [row.get(column) for column in columns]) for label, row in rows.items()]
        object.__setattr__(self, "rows", cells)

    def _cells(self, where: str, sounds: Sequence[object]) -> list[Artifact | None]:
        return [
            None
            if sound is None
            else taken(f"{where}, column {column!r}", sound, "a sound", self.samplerate)
            for column, sound in zip(self.columns, sounds, strict=True)
        ]


@dataclass(frozen=True)
class Table:
    """Rows of text, numbers, components and artifacts; a column of numbers is set flush right.

    `data` is the same as stored data, for readers who want all digits of it.
    """

    headers: Sequence[object]
    rows: Sequence[Sequence[object]]
    caption: str
    note: str = ""
    data: Artifact | None = None

    def __post_init__(self) -> None:
        check_text(self, "caption", "note")
        check_list("Table.headers", self.headers)
        if not self.headers:
            raise ValueError("Table.headers is empty; give one for each column")
        for number, header in enumerate(self.headers, start=1):
            if cell_text(header) is None:
                raise TypeError(f"header {number} of Table is {describe(header)}; give a str")
        check_list("Table.rows", self.rows)
        rows = []
        for number, row in enumerate(self.rows, start=1):
            check_list(f"row {number} of Table.rows", row)
            if len(row) != len(self.headers):
                raise ValueError(
                    f"row {number} of Table.rows has {len(row)} cells, but there are "
                    f"{len(self.headers)} headers; give a cell for each, None if it is empty"
                )
            rows.append(
                [
                    _cell_shown(f"row {number}, column {header!r} of Table", cell)
                    for header, cell in zip(self.headers, row, strict=True)
                ]
            )
        object.__setattr__(self, "rows", rows)
        take_optional(self, "data", "data")

    def holds_components(self) -> bool:
        """Tell whether more than text stands in a cell."""
        return any(cell_text(cell) is None for row in self.rows for cell in row)

    def number_columns(self) -> list[bool]:
        """Tell for each column whether it holds only numbers, perhaps with a sign, dB or %."""
        if not self.rows:
            return [False] * len(self.headers)
        columns = zip(*self.rows, strict=True)
        return [all(is_number(cell) for cell in column) for column in columns]


@dataclass(frozen=True)
class Stretch:
    """Some samples of a stored sound of one channel, as a sound of an event.

    So hundreds of short sounds take a few files, in which they lie one after another.
    """

    sound: Artifact
    first: int  # sample
    length: int  # samples
    peak: float | None = None  # dBFS; None if it is silent

    def __post_init__(self) -> None:
        take(self, "sound", "a sound")
        check_whole("Stretch.first", self.first)
        check_whole("Stretch.length", self.length)
        if is_stand_in(self.sound):
            return
        if self.sound.info.get("channels", 1) > 1:
            raise ValueError("Stretch.sound has left and right; give a sound of one channel")
        n_samples = self.sound.info["n_samples"]
        if self.first < 0 or self.length < 1 or self.first + self.length > n_samples:
            raise ValueError(
                f"Stretch of {self.length} samples from {self.first} on; give one inside of the "
                f"sound, which has {n_samples}"
            )

    @property
    def info(self) -> dict[str, Any]:
        """What a page tells of the sound that it is."""
        rate = self.sound.info["samplerate"]
        return {"samplerate": rate, "seconds": self.length / rate, "peak": self.peak}

    @property
    def key(self) -> str:
        """The name by which edits and choices know it: of a whole file, its hash."""
        whole = self.length == self.sound.info["n_samples"]
        return self.sound.sha256 + ("" if whole else f"#samples={self.first},{self.length}")

    @property
    def fragment(self) -> str:
        """What follows a file's address: the seconds, for native players, and the samples.

        Nothing does where it is the whole file.
        """
        rate = self.sound.info["samplerate"]
        if self.length == self.sound.info["n_samples"]:
            return ""
        begin, end = self.first / rate, (self.first + self.length) / rate
        return f"#t={begin:.3f},{end:.3f}&samples={self.first},{self.length}"


@dataclass(frozen=True)
class Mark:
    """One event of a roll."""

    start: int  # in samples
    y: float  # in 0..1
    radius: float  # in 0..1
    colour: str  # #rrggbb
    sound: Artifact | Stretch  # what the event adds to the mix
    alone: Artifact | Stretch | None = (
        None  # how it sounds by itself, if otherwise, from `start` on
    )
    lead: int = 0  # samples by which `sound` begins ahead of `start`
    name: str = ""  # as a person would say it, such as "A4, at 0.30 s, long"

    def __post_init__(self) -> None:
        check_whole("Mark.start", self.start)
        check_whole("Mark.lead", self.lead)
        check_share("Mark.y", self.y)
        check_share("Mark.radius", self.radius)
        check_text(self, "colour", "name")
        if not COLOUR.fullmatch(self.colour):
            raise ValueError(f"Mark.colour is {self.colour!r}; write it as #rrggbb")
        for name in ("sound", "alone"):
            if not isinstance(getattr(self, name), Stretch):
                (take if name == "sound" else take_optional)(self, name, "a sound")


@dataclass(frozen=True)
class Scale:
    """A known meaning of the height of a roll's marks, such as pitch: how a roll is shown first.

    Heights are in 0..1. A mark of height None stands in a lane of its own below the others. The
    picture lies behind the marks, along all of the time and from height 0 to 1. Outlines show what
    is known to sound, such as the notes of a score.
    """

    name: str  # such as "pitch"
    heights: Sequence[float | None]  # of each mark
    values: Sequence[str]  # what these mean, such as "A4"
    labels: Mapping[str, float]  # of the axis, each with its height
    lane: str = ""  # what marks in the lane have in common, such as "no pitch"; "" if there is none
    picture: Artifact | None = None
    outlines: Sequence[tuple[float, float, float, float]] = ()  # (start, end, low, high): s, height

    def __post_init__(self) -> None:
        check_text(self, "name", "lane")
        check_name("Scale.name", self.name)
        check_list("Scale.heights", self.heights)
        check_list("Scale.values", self.values)
        take_optional(self, "picture", "a picture")
        if len(self.values) != len(self.heights):
            raise ValueError(
                f"Scale has {len(self.heights)} heights and {len(self.values)} values; "
                "give one of each for every mark"
            )
        for i, height in enumerate(self.heights):
            if height is not None:
                check_share(f"Scale.heights[{i}]", height)
            elif not self.lane:
                raise ValueError(f"Scale.heights[{i}] is None; name the lane of such marks")
        for text, height in self.labels.items():
            check_share(f"the height of {text!r} in Scale.labels", height)
        check_list("Scale.outlines", self.outlines)
        for i, (start, end, low, high) in enumerate(self.outlines):
            if not (0 <= start < end and 0 <= low < high <= 1):
                raise ValueError(
                    f"Scale.outlines[{i}] is {(start, end, low, high)}; "
                    "give (start, end, low, high) with start < end in s and low < high in 0..1"
                )

    @property
    def base(self) -> float:
        """The share of the plot's height below height 0."""
        return LANE if self.lane else 0.0

    def place(self, height: float | None) -> float:
        """Return where a height is in the plot, as a share of the plot's height."""
        return self.base / 2 if height is None else self.base + (1 - self.base) * height


@dataclass(frozen=True)
class EventRoll:
    """Events over time, each of which can be heard, moved and changed.

    The mix is the integer sum (`report.mix`) of the marks' sounds, each `lead` ahead of its start.
    Such a sound may be no more than a share of a mix, which has holes where its neighbours are. So
    an event with a sound `alone` is heard by that when it plays by itself, and in the mix once it
    has been moved by more than `slack` samples.

    `choices` is data that says what an event may sound like instead, by the hash of `sounds`, or by
    the `key` of stretches of them:

        {"sets": {"random vectors": [a hash for each event]},
         "steps": {"3": [[hash or null for each step], ...]},
         "directions": {"3": [["darker", "brighter"], ...]},
         "looks": {hash: {"y": 0.5, "colour": "#4477aa", "row": "…", "height": null, "value": ""}}}

    Here event 3, counted from 0, has sliders along its directions; null is the event as it is.
    `directions` name the ends of each slider, and may be left out. With a sound, an event takes on
    its look: a mark's y and colour, its row in `vectors`, as the base64 of a pixel's red, green and
    blue each, and its height and value on the scale. Without one, it keeps that of its mark.

    With a `scale`, marks are shown by it first, and readers can switch to y.
    """

    title: str
    marks: list[Mark]  # in the order in which the events were found
    axis: str  # what the y of a mark means
    mix: Artifact  # the published sum of the events' sounds, as long as the roll
    vectors: Artifact | None = None  # a picture: a row of whole pixels an event, blue < 0 < red
    choices: Artifact | None = None
    sounds: list[Artifact] = field(default_factory=list)
    note: str = ""
    slack: int = 0
    scale: Scale | None = None

    def __post_init__(self) -> None:
        check_text(self, "title", "axis", "note")
        check_whole("EventRoll.slack", self.slack)
        check_list("EventRoll.marks", self.marks)
        for i, mark in enumerate(self.marks):
            if not isinstance(mark, Mark):
                raise TypeError(f"EventRoll.marks[{i}] is {describe(mark)}; give a Mark")
        take(self, "mix", "a sound")
        take_optional(self, "vectors", "a picture")
        take_optional(self, "choices", "data")
        check_list("EventRoll.sounds", self.sounds)
        sounds = [
            taken(f"EventRoll.sounds[{i}]", sound, "a sound") for i, sound in enumerate(self.sounds)
        ]
        object.__setattr__(self, "sounds", sounds)
        for i, sound in enumerate(sounds):
            self.check_rate(f"EventRoll.sounds[{i}]", sound)
        for i, mark in enumerate(self.marks):
            self.check_rate(f"the sound of EventRoll.marks[{i}]", mark.sound)
            if mark.alone:
                self.check_rate(f"the sound alone of EventRoll.marks[{i}]", mark.alone)
        if self.scale and not isinstance(self.scale, Scale):
            raise TypeError(f"EventRoll.scale is {describe(self.scale)}; give a Scale")
        if self.scale and len(self.scale.heights) != len(self.marks):
            raise ValueError(
                f"EventRoll.scale has {len(self.scale.heights)} heights, but there are "
                f"{len(self.marks)} marks; give one for each"
            )

    def files(self) -> list[Artifact]:
        """Return the sounds that hold stretches which marks add to the mix, each once."""
        stretches = [mark.sound for mark in self.marks if isinstance(mark.sound, Stretch)]
        return list({stretch.sound.sha256: stretch.sound for stretch in stretches}.values())

    def check_rate(self, where: str, sound: Artifact | Stretch) -> None:
        """Raise ValueError unless a sound has the samplerate and the channels of the roll."""
        if is_stand_in(sound.sound if isinstance(sound, Stretch) else sound) or is_stand_in(
            self.mix
        ):
            return
        rate, expected = sound.info["samplerate"], self.mix.info["samplerate"]
        if rate != expected:
            raise ValueError(
                f"{where} has {rate} Hz, but EventRoll.mix {expected}; resample one of them"
            )
        channels, expected = (each.info.get("channels", 1) for each in (sound, self.mix))
        if channels != expected:
            raise ValueError(
                f"{where} has {channels} channels, but EventRoll.mix {expected}; give all as many"
            )

    def choice_sets(self) -> list[str]:
        """Return the names of the sets of other sounds.

        Raises: ValueError if `choices` is not as it has to be.
        """
        if self.choices is None:
            return []
        value = self.choices.value
        sets = value.get("sets") if isinstance(value, dict) else None
        steps = value.get("steps", {}) if isinstance(value, dict) else None
        if not isinstance(sets, dict) or not isinstance(steps, dict):
            raise ValueError('EventRoll.choices is no {"sets": {…}, "steps": {…}}')
        known = {sound.sha256 for sound in self.sounds}
        for name, chosen in sets.items():
            if len(chosen) != len(self.marks):
                raise ValueError(
                    f"EventRoll.choices has {len(chosen)} sounds in {name!r}, but there are "
                    f"{len(self.marks)} marks; give one for each"
                )
            if unknown := next((key for key in chosen if _file(key) not in known), None):
                raise ValueError(
                    f"EventRoll.choices names {str(unknown)[:16]} in {name!r}, "
                    "which is not among EventRoll.sounds"
                )
        _check_directions(value.get("directions", {}), steps)
        self._check_looks(value.get("looks", {}), known)
        return list(sets)

    def _check_looks(self, looks: object, known: set[str]) -> None:
        """Raise ValueError unless these are the looks of known sounds."""
        if not isinstance(looks, dict) or not set(map(_file, looks)) <= known:
            raise ValueError('EventRoll.choices has "looks" that are not of EventRoll.sounds')
        width = self.vectors.info["width"] if self.vectors else 0
        for sha256, look in looks.items():
            where = f"the look of {sha256[:16]} in EventRoll.choices"
            if not isinstance(look, dict) or not {"y", "colour", "row"} <= look.keys():
                raise ValueError(f'{where} is no {{"y": …, "colour": …, "row": …}}')
            check_share(f"y in {where}", look["y"])
            if look.get("height") is not None:
                check_share(f"height in {where}", look["height"])
            if not COLOUR.fullmatch(str(look["colour"])):
                raise ValueError(f"colour in {where} is {look['colour']!r}; write it as #rrggbb")
            try:
                pixels = len(base64.b64decode(look["row"], validate=True)) / 3
            except (TypeError, ValueError) as error:
                raise ValueError(f"row in {where} is {look['row']!r}, no base64") from error
            if width and pixels != width:
                raise ValueError(
                    f"row in {where} has {pixels:g} pixels, but EventRoll.vectors {width}"
                )

    def ticks(self) -> list[float]:
        """Return round times along the roll, in seconds."""
        seconds = self.mix.info["seconds"]
        step = tick_step(seconds)
        return [round(i * step, 6) for i in range(math.floor(seconds / step) + 1)]


def _file(key: object) -> str:
    """Return the hash of the file in which a chosen sound is."""
    return str(key).partition("#")[0]


@dataclass(frozen=True)
class Opening:
    """A figure that plays at the top of an article, above its abstract, wherever a cell shows it.

    Original and reconstruction, which is the mix of the roll, switch while they play, and marks
    light up as their events are heard. Where the article shows the roll too, it can take the sound
    apart, event by event, and put it together.
    """

    title: str  # such as "This music is 32 events"
    roll: EventRoll
    original: Artifact  # as long as the mix
    note: str = ""  # below it: what is heard, and how the picture is read

    def __post_init__(self) -> None:
        check_text(self, "title", "note")
        check_name("Opening.title", self.title)
        if not isinstance(self.roll, EventRoll):
            raise TypeError(f"Opening.roll is {describe(self.roll)}; give an EventRoll")
        take(self, "original", "a sound")
        self.roll.check_rate("Opening.original", self.original)


@dataclass(frozen=True)
class Cover:
    """What stands for an article where others link to it; the article itself does not show it.

    The picture is seen with links and on the index page, best at 1200 x 630 pixels; the sound plays
    there.
    """

    picture: Artifact
    sound: Artifact

    def __post_init__(self) -> None:
        take(self, "picture", "a picture")
        take(self, "sound", "a sound")


@dataclass(frozen=True)
class Steps:
    """A diagram of what happens one after the other, each step beside its sentence and its sound.

    Each is (name, text), or (name, text, sound or None); the name stands in a box, so it is short.
    With `again`, such as "32 times", an arrow leads from the last step back to the first.
    """

    title: str
    steps: Sequence[Any]  # once it is made, (name, text, an Artifact or None) for each
    again: str = ""

    def __post_init__(self) -> None:
        check_text(self, "title", "again")
        check_list("Steps.steps", self.steps)
        if not self.steps:
            raise ValueError("Steps.steps is empty; give (name, text, sound or None) for each")
        if len(self.again) > LONGEST_STEP:
            raise ValueError(
                f"Steps.again is {self.again!r}, too long to stand under a box; give at most"
                f" {LONGEST_STEP} letters"
            )
        steps = [self._step(f"Steps.steps[{i}]", step) for i, step in enumerate(self.steps)]
        object.__setattr__(self, "steps", steps)

    def _step(self, where: str, step: Any) -> tuple[str, str, Artifact | None]:
        if not isinstance(step, list | tuple) or len(step) not in (2, 3):
            size = f" of {len(step)}" if isinstance(step, list | tuple) else ""
            raise TypeError(f"{where} is {describe(step)}{size}; give (name, text, sound or None)")
        name, text, sound = (*step, None)[:3]
        for what, value in (("name", name), ("text", text)):
            if not isinstance(value, str):
                raise TypeError(f"the {what} of {where} is {describe(value)}; give a str")
        check_name(f"the name of {where}", name)
        if len(name) > LONGEST_STEP:
            raise ValueError(
                f"the name of {where} is {name!r}, too long for its box; give at most"
                f" {LONGEST_STEP} letters, and the rest as its text"
            )
        return (
            name,
            text,
            None if sound is None else taken(f"the sound of {where}", sound, "a sound"),
        )


@dataclass(frozen=True)
class BibTeX:
    """A citation to copy."""

    text: str

    def __post_init__(self) -> None:
        check_text(self, "text")


@dataclass(frozen=True)
class Group:
    """Components below each other."""

    components: list

    def __post_init__(self) -> None:
        _keep_components(self, self.components)


@dataclass(frozen=True)
class Part:
    """Components under a heading of the third level that also have their own page, to be shared.

    The page's file is named after the article and `name`, or after what of that can be in an
    address: any text will do, such as the name of a file. Where others show a link to it, they show
    title, description and picture.

    As a `card`, it has only its own page: the article shows picture, description and the sound.
    """

    name: str
    title: str
    description: str
    components: list
    picture: Artifact | None = None
    card: bool = False
    sound: Artifact | None = None  # of the card

    def __post_init__(self) -> None:
        check_text(self, "name", "title", "description")
        check_name("Part.title", self.title)
        check_flag(self, "card")
        _keep_components(self, self.components)
        take_optional(self, "picture", "a picture")
        take_optional(self, "sound", "a sound")


@dataclass(frozen=True)
class Fold:
    """Components that stand folded under a line until a reader opens it."""

    title: str
    components: list

    def __post_init__(self) -> None:
        check_text(self, "title")
        check_name("Fold.title", self.title)
        _keep_components(self, self.components)


@dataclass(frozen=True)
class Row:
    """Components side by side, or below each other where the page is narrow."""

    components: list

    def __post_init__(self) -> None:
        _keep_components(self, self.components)


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
    | Grid
    | Mushra
    | Preference
    | Abx
    | Rating
    | Ratings
    | Table
    | EventRoll
    | Opening
    | Cover
    | Steps
    | BibTeX
    | Group
    | Part
    | Fold
    | Row
    | Text
    | Code
)


def as_component(value: object) -> Component:
    """Return `value` if it is a component, or else one that shows it.

    Raises: TypeError unless it is a component, an artifact, a list, a text or a number.
    """
    if isinstance(value, Component):
        return value
    if isinstance(value, Claim):
        return Prose(plain_text(str(value)))
    if isinstance(value, Artifact):
        return _from_artifact(value, _function_title(value))
    if is_given(value):
        return _from_artifact(artifact_of(value), title_of(value))
    if (rows := rows_of(value)) is not None:
        return Table(rows.headers, short_cells(rows.cells), "", data=table_data(rows))
    if isinstance(value, list | tuple):
        return Group(list(value))
    if isinstance(value, Plain):
        return Text(str(value))
    kinds = ", ".join(kind.__name__ for kind in get_args(Component))
    hint = hint_for(value) or f"end the cell with None, an artifact, or one of {kinds}"
    raise TypeError(f"{describe(value)} can not be shown; {hint}")


def flatten(value: object) -> list[Component]:
    """Return the components of `value`, with groups and lists taken apart; none for None."""
    if value is None:
        return []
    if isinstance(value, list | tuple) and rows_of(value) is None:
        return [inner for outer in value for inner in flatten(outer)]
    component = as_component(value)
    return flatten(component.components) if isinstance(component, Group) else [component]


def store_given(value: Any) -> Any:
    """Return a component in place of a value that is stored by its content; others as they are.

    So it is stored while the article runs, and not when its page is drawn.
    """
    if isinstance(value, list | tuple) and rows_of(value) is None:
        return [store_given(each) for each in value]
    return as_component(value) if is_given(value) or rows_of(value) is not None else value


def _function_title(artifact: Artifact) -> str:
    return artifact.record.function.rsplit(".", 1)[-1].replace("_", " ").capitalize()


def _is_by_content(artifact: Artifact) -> bool:
    return artifact.record.function.startswith("report.article.given.")


def _from_artifact(artifact: Artifact, title: str) -> Component:
    kind = kind_of(artifact)
    if kind == "a sound":
        return Player(artifact, title)
    if kind == "a film":
        raise TypeError(
            f"{call(artifact)} made a film, which needs a poster; "
            "show it with FilmStrip(film, poster, caption)"
        )
    if kind == "a picture":
        return Image(artifact, "")
    if kind == "an array":
        shape = " × ".join(map(str, artifact.info["shape"])) or "one value"
        return Text(f"{title}: {shape}, {artifact.info['dtype']}")
    if kind == "weights":
        info = artifact.info
        return Text(f"{title}: {info['numbers']:,} numbers in {info['tensors']} tensors")
    return Text(json.dumps(artifact.value, indent=2, ensure_ascii=False), preformatted=True)


# Checks


def _keep_components(owner: object, components: object) -> None:
    """Keep a list of what can be shown, or None. Raises: TypeError for anything else."""
    where = place(owner, "components")
    check_list(where, components)
    assert isinstance(components, list | tuple)
    kept = []
    for i, component in enumerate(components):
        if isinstance(component, Part) and not isinstance(owner, Group):
            raise TypeError(f"{where}[{i}] is a Part; show a Part by itself or in a Group")
        kept.append(_shown(f"{where}[{i}]", component))
    object.__setattr__(owner, "components", kept)


def _shown(where: str, value: Any) -> Any:
    """Return a value that can be shown, or None, with what is in it stored as by `store_given`.

    Data are not read yet. Raises: TypeError if a page can not show it.
    """
    if value is None or (isinstance(value, Artifact) and is_stand_in(value)):
        return value
    if isinstance(value, Artifact) and kind_of(value) == "data":
        return value
    try:
        component = as_component(value)
    except TypeError as error:
        raise TypeError(f"{where}: {error}") from None
    return value if isinstance(value, Artifact | Plain) else component


def _cell_shown(where: str, cell: Any) -> Any:
    """Return what a table can have in a cell, as `_shown`. Raises: TypeError for anything else."""
    if isinstance(cell, Part):
        raise TypeError(f"{where} is a Part, which has a heading; put its components there")
    return _shown(where, cell) if cell_text(cell) is None else cell


def _check_labels(where: str, labels: Sequence[str]) -> None:
    """Raise TypeError or ValueError unless these are texts that can be told apart."""
    for label in labels:
        if not isinstance(label, str):
            raise TypeError(f"{where} have {describe(label)}; give a str")
        check_name(f"one of {where}", label)
        if list(labels).count(label) > 1:
            raise ValueError(f"{where} have {label!r} twice; rename one")


def _check_directions(directions: object, steps: dict[str, list]) -> None:
    """Raise ValueError unless these name both ends of each slider of the events in `steps`."""
    if not isinstance(directions, dict):
        raise ValueError('EventRoll.choices has "directions" that are not by event')
    for event, names in directions.items():
        pairs = all(isinstance(pair, list) and len(pair) == 2 for pair in names)
        if not pairs or len(names) != len(steps.get(event, ())):
            raise ValueError(
                f"EventRoll.choices names the directions {names} of event {event}; "
                "give a [low end, high end] for each of its sliders"
            )


def _check_film(owner: "FilmStrip | Decomposition") -> None:
    """Raise TypeError or ValueError unless film and poster are, and fit each other."""
    take(owner, "film", "a film")
    take(owner, "poster", "a picture")
    if is_stand_in(owner.film) or is_stand_in(owner.poster):
        return
    film, poster = (
        f"{artifact.info['width']} x {artifact.info['height']}"
        for artifact in (owner.film, owner.poster)
    )
    if film != poster:
        raise ValueError(
            f"{place(owner, 'poster')} has {poster} pixels, but a frame of the film {film}; "
            "make the poster from the first frame"
        )
