"""Files of answers come together: each is checked, and what can not be used is listed by name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from report.listening.answers import Answers, AnswersError, check_answers, read_answers
from report.listening.design import Design, digest


@dataclass(frozen=True)
class Sheet:
    """The answers of one listener to a test, and the name of the file that they came in."""

    name: str
    answers: Answers


@dataclass(frozen=True)
class Collection:
    """Answers to the tests of a site."""

    sheets: dict[str, list[Sheet]]  # SHA-256 of a design -> its answers
    refused: list[tuple[str, str]] = field(default_factory=list)  # file -> what is wrong with it
    others: list[str] = field(default_factory=list)  # files of tests that are not among these


def collect(
    files: Iterable[tuple[str, bytes]], designs: Sequence[Design], also: Sequence[str] = ()
) -> Collection:
    """Return the answers in files, (name, bytes) each, that are answers to some designs.

    also: SHA-256 of earlier designs that asked the same in other words, or how these begin.
    A listener counts once in a test: of two files the first one is taken.
    """
    by_digest = {digest(design): design for design in designs}
    collection = Collection({asked: [] for asked in by_digest})
    first: dict[tuple[str, str], str] = {}  # (design, listener) -> name
    for name, data in files:
        try:
            answers = read_answers(data, name)
            design = by_digest.get(answers.design) or _named(answers.test, designs)
            if design is None:
                collection.others.append(name)
                continue
            check_answers(answers, design, name, also)
            asked = digest(design)
            other = first.setdefault((asked, answers.listener), name)
            if other != name:
                raise AnswersError(f"{name}: the same listener has answered in {other}")
            collection.sheets[asked].append(Sheet(name, answers))
        except AnswersError as error:
            collection.refused.append((name, reason(error, name)))
    return collection


def reason(error: AnswersError, name: str) -> str:
    """Return what is wrong with a file, without the name that the message begins with."""
    return str(error).removeprefix(f"{name}: ")


def _named(test: str, designs: Sequence[Design]) -> Design | None:
    """Return a design by its id: it can say how answers differ that are of no design known."""
    return next((design for design in designs if design.id == test), None)
