"""The results of a listening test as a component: a figure with means and intervals, and a table.

They are bound to the sounds: answers name the design of their test by its hash, and a design names
its sounds by theirs. So if a clip changes, its ratings are not shown as if they were of another.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from report.article.fields import (
    check_flag,
    check_list,
    check_name,
    check_text,
    describe,
    is_stand_in,
    place,
)
from report.article.given import by_content
from report.article.listening_tests import ListeningTest
from report.artifacts.media import Data
from report.artifacts.session import Artifact, conjure, script_folder
from report.listening.analysis import Choices, Estimate, Results, analyse
from report.listening.answers import (
    Answers,
    AnswersError,
    check_trials,
    read_answers,
    what_differs,
)
from report.listening.collection import Sheet, reason
from report.listening.design import Design, design_json, digest, read_design
from report.number_formats import minus, span

ANY = ""  # stands for the design of a test in results of earlier designs alone


@dataclass(frozen=True)
class Ratings:
    """What listeners answered to a test of the article: `Ratings("answers", test)`.

    `files` is a folder of answers, or a list of files; without one, the figure says that no ratings
    are in yet. `also` are SHA-256 of earlier designs, or how these begin, that asked the same in
    other words. With `headphones`, listeners who failed the headphone check do not count.
    """

    files: Any  # once it is made, name -> Path
    test: ListeningTest
    title: str = ""
    note: str = ""
    also: Sequence[str] = ()
    headphones: bool = False
    answered: Artifact | None = field(init=False, default=None)  # None without files

    def __post_init__(self) -> None:
        if not isinstance(self.test, ListeningTest):
            raise TypeError(
                f"Ratings.test is {describe(self.test)}; give a Mushra, Preference, Abx or Rating"
            )
        if self.title == "":
            object.__setattr__(self, "title", f"{self.test.title}: what listeners answered")
        check_text(self, "title", "note")
        check_name(place(self, "title"), self.title)
        check_flag(self, "headphones")
        check_list(place(self, "also"), self.also)
        for given in self.also:
            if not isinstance(given, str) or len(given) < 16:
                raise ValueError(f"Ratings.also has {given!r}; give 16 or more digits of a SHA-256")
        object.__setattr__(self, "files", _files(self.files))
        sounds = [sound for row in self.test.items.values() for sound in row.values()]
        if self.files and not any(map(is_stand_in, sounds)):
            asked = by_content(Data(json.loads(design_json(self.test.design("")))))
            found = answered(self.files, asked, list(self.also), bool(self.headphones))
            object.__setattr__(self, "answered", found)

    def shown(self, design: Design) -> "Shown":
        """Return what is to be shown of the answers, if the test is `design` on its page."""
        found = {} if self.answered is None else self.answered.value
        groups, asked = found.get("groups", {}), digest(design)
        mine = groups.get(asked, groups.get(ANY))
        old = [
            group["differs"]
            for named, group in groups.items()
            if named not in (asked, ANY)
            and group["test"] == design.id
            and not named.startswith(tuple(self.also))
        ]
        others = Counter(
            {
                group["test"]: group["files"]
                for named, group in groups.items()
                if named not in (asked, ANY) and group["test"] != design.id
            }
        )
        refused = [tuple(each) for each in found.get("unreadable", [])]
        results = Results(design.id, asked, design.kind, 0, [])
        if mine:
            refused += [tuple(each) for each in mine["refused"]]
            results = msgspec.convert(mine["results"], Results)
            results = replace(results, test=design.id, design=asked)
        differs = Counter(text for texts in old for text in texts)
        return Shown(design, results, refused, dict(differs), dict(others))


@conjure
def answered(files: dict[str, Path], asked, also: list[str], headphones: bool) -> Data:  # type: ignore[no-untyped-def]
    """Check answers against what a test asks, and analyse them for each design that they name.

    The place of a test on its page is a part of its design, and only known when the page is drawn.
    """
    design = read_design(asked.value)
    groups: dict[str, list[tuple[str, Answers]]] = {}
    unreadable = []
    for name, path in files.items():
        try:
            answers = read_answers(path.read_bytes(), name)
            groups.setdefault(answers.design, []).append((name, answers))
        except AnswersError as error:
            unreadable.append((name, reason(error, name)))
    earlier = [
        each
        for named, group in groups.items()
        if also and named.startswith(tuple(also))
        for each in group
    ]
    together = {named: _without(group, earlier) + earlier for named, group in groups.items()}
    if earlier:
        together[ANY] = earlier
    return Data(
        {
            "groups": {
                named: _analysed(group, design, headphones) for named, group in together.items()
            },
            "unreadable": unreadable,
        }
    )


def _files(given: Any) -> dict[str, Path]:
    """Return name -> file of answers: those in a folder, or of a list; none if there is no folder.

    Paths are looked for beside the script first, as those of sounds are.
    Raises: TypeError; ValueError for a file that is not there.
    """
    if isinstance(given, str | Path):
        folder = _found(Path(given))
        if folder is not None and folder.is_dir():
            return {file.name: file for file in sorted(folder.glob("*.json"))}
        if folder is None and Path(given).suffix == "":
            return {}
        given = [given]
    check_list("Ratings.files", given)
    files: dict[str, Path] = {}
    for i, path in enumerate(given):
        if not isinstance(path, str | Path):
            raise TypeError(f"Ratings.files[{i}] is {describe(path)}; give the path of a file")
        file = _found(Path(path))
        if file is None or file.is_dir():
            raise ValueError(f"Ratings.files[{i}]: there is no file {path}")
        if file.name in files:
            raise ValueError(f"Ratings.files has two files called {file.name}; rename one")
        files[file.name] = file
    return files


def _found(path: Path) -> Path | None:
    folder = script_folder()
    candidates = ([folder / path] if folder else []) + [path.expanduser()]
    return next((each.absolute() for each in candidates if each.exists()), None)


def _without(group: list, others: list) -> list:
    return [each for each in group if each not in others]


def _analysed(
    group: list[tuple[str, Answers]], design: Design, headphones: bool
) -> dict[str, object]:
    sheets: list[Sheet] = []
    refused, differs = [], []
    for name, answers in group:
        differs.append(what_differs(answers, design))
        try:
            check_trials(answers, design, name)
            if any(sheet.answers.listener == answers.listener for sheet in sheets):
                raise AnswersError(f"{name}: the same listener has answered in another file")
            sheets.append(Sheet(name, answers))
        except AnswersError as error:
            refused.append((name, reason(error, name)))
    return {
        "test": group[0][1].test,
        "files": len(group),
        "results": asdict(analyse(sheets, design, headphones)),
        "refused": refused,
        "differs": differs,
    }


@dataclass(frozen=True)
class Bar:
    """Places of a row's marks along the figure, in 0..1; None where there is nothing to mark."""

    mean: float
    low: float | None
    high: float | None
    lower: float | None = None  # quartile
    upper: float | None = None


@dataclass(frozen=True)
class Shown:
    """The results of a test as its figure shows them."""

    design: Design
    results: Results
    refused: list[tuple[str, str]]  # file -> what is wrong with it
    differs: dict[str, int]  # what is another now -> how many answers were to the earlier sounds
    others: dict[str, int]  # id of another test -> how many answers to it are among the files

    def estimates(self, item: str = "") -> list[Estimate]:
        return [each for each in self.results.estimates if each.item == item]

    def choices(self, item: str = "") -> list[Choices]:
        return [each for each in self.results.choices if each.item == item]

    def items(self) -> list[str]:
        """Return the names of items of which there are answers."""
        results: list[Estimate | Choices] = [*self.results.estimates, *self.results.choices]
        return list(dict.fromkeys(each.item for each in results if each.item))

    def name(self, key: str) -> str:
        """Return the name of a system, or of a role."""
        return self.design.roles.get(key, key)

    def bar(self, row: Estimate | Choices) -> Bar | None:
        """Return where the marks of a row are; None if a row has no choice."""
        if isinstance(row, Choices):
            return None if row.share is None else Bar(row.share, row.low, row.high)
        scale = self.design.scale
        assert scale is not None

        def at(score: float) -> float:
            return min(max((score - scale.least) / (scale.most - scale.least), 0.0), 1.0)

        interval = (None, None) if row.low is None or row.high is None else (row.low, row.high)
        low, high = (None if end is None else at(end) for end in interval)
        return Bar(at(row.mean), low, high, at(row.lower), at(row.upper))

    def text(self, row: Estimate | Choices) -> str:
        """Return what a row is of, as its first cell has it."""
        if isinstance(row, Estimate):
            return self.name(row.key)
        if self.design.kind == "abx":
            return f"{row.first} or {row.second}"
        return f"{row.first}, not {row.second}"

    def cells(self, row: Estimate | Choices) -> list[str]:
        """Return the numbers of a row, as `heads` names them."""
        if isinstance(row, Estimate):
            digits = 1 if self._span >= 20 else 2
            numbers = [f"{row.mean:.{digits}f}", span(row.low, row.high, digits, "–")]
            quartiles = span(row.lower, row.upper, digits, "–")
            return [str(row.listeners), *numbers, f"{row.median:.{digits}f}", quartiles]
        share = "" if row.share is None else f"{100 * row.share:.0f} %"
        low, high = (None if end is None else 100 * end for end in (row.low, row.high))
        counted = f"{row.chosen} of {row.trials - row.neither}"
        neither = [str(row.neither)] if self.design.kind == "preference" else []
        return [str(row.listeners), counted, *neither, share, span(low, high, 0, "–"), _p(row.p)]

    def heads(self) -> list[str]:
        if self.design.scale is not None:
            return ["Listeners", "Mean", "95 % interval", "Median", "Quartiles"]
        if self.design.kind == "abx":
            return ["Listeners", "Right", "Share", "95 % interval, %", "p"]
        return ["Listeners", "Chosen", "Neither", "Share", "95 % interval, %", "p"]

    def differences(self) -> list[list[str]]:
        """Return a row of text for each two systems."""
        digits = 1 if self._span >= 20 else 2
        return [
            [
                f"{each.first} − {each.second}",
                str(each.listeners),
                minus(f"{each.mean:+.{digits}f}"),
                span(each.low, each.high, digits, "–"),
                _p(each.p),
                _p(each.corrected),
            ]
            for each in self.results.differences
        ]

    def ends(self) -> tuple[str, str]:
        """Return what the figure goes from and to."""
        scale = self.design.scale
        return ("0 %", "100 %") if scale is None else (str(scale.least), str(scale.most))

    @property
    def _span(self) -> int:
        scale = self.design.scale
        return 0 if scale is None else scale.most - scale.least


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
