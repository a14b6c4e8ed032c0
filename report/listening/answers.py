"""The answers of one listener to a listening test: one JSON file, which may come from anyone.

Nothing in it is believed: `read_answers` checks the form and all sizes, and `check_answers` that
they answer the questions of a design. They say nothing of who the listener is: `listener` is a
random number that the page draws for one session, and there is no address, agent, date or time.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec

from report.artifacts.fields import Count, Digest, parse_fields
from report.errors import ReportError
from report.listening.design import REFERENCE, Design, Item, digest

FORMAT = "listening-test-answers"
LARGEST = 2**18  # bytes of a file; a hundred trials of ten sounds take 200 kB
MOST_TRIALS = 400
MOST_SOUNDS = 30  # in a trial

# Names and texts that a design may have too; no control characters, which could garble a terminal.
Name = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z", max_length=200)]
Seed = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8,32}\Z")]
Session = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=10**6)]
Plays = Annotated[int, msgspec.Meta(ge=0, le=10**5)]
Score = Annotated[float, msgspec.Meta(ge=-1000, le=1000)]
Order = Annotated[list[Digest], msgspec.Meta(min_length=1, max_length=MOST_SOUNDS)]
Part = Literal["training", "test", "check"]


class AnswersError(ReportError):
    """A file of answers can not be used. The message names the file, and says why."""


@dataclass(frozen=True)
class Trial:
    """One question, as the page asked it. Sounds are named by the SHA-256 of their files."""

    item: Name
    part: Part
    order: Order  # of the sounds, as they stood on the page: A, B, C…
    seconds: Seconds
    plays: Annotated[dict[Digest, Plays], msgspec.Meta(max_length=MOST_SOUNDS)] = field(
        default_factory=dict
    )
    # of mushra, acr and dcr
    scores: Annotated[dict[Digest, Score], msgspec.Meta(max_length=MOST_SOUNDS)] = field(
        default_factory=dict
    )
    # Of preference: the better one, None for neither. Of abx: the one that X was taken for.
    choice: Digest | None | msgspec.UnsetType = msgspec.UNSET
    x: Digest | None = None  # of abx


@dataclass(frozen=True)
class Headphones:
    """How many questions a listener got right that can hardly be answered without headphones."""

    right: Count
    of: Count


@dataclass(frozen=True)
class Checks:
    """What the page asked before the test: headphones (None: not asked), and to set a level."""

    headphones: Headphones | None = None
    level: bool = False


@dataclass(frozen=True)
class Answers:
    """The answers of one listener."""

    format: Literal["listening-test-answers"]
    version: Literal[1]
    test: Name  # id of the design
    page: Name  # such as "listening.html"
    design: Digest  # of the design's canonical bytes
    seed: Seed  # of the order of items and sounds
    listener: Session
    trials: Annotated[list[Trial], msgspec.Meta(min_length=1, max_length=MOST_TRIALS)]
    seconds: Seconds  # of the whole test
    token: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    checks: Checks = field(default_factory=Checks)


def read_answers(data: bytes, where: str = "the answers") -> Answers:
    """Return the answers in the bytes of a file; `where` it is is for messages.

    Raises: AnswersError for bytes that are too many, or not as the schema says, or name a sound
        in a trial that the trial does not have.
    """
    if len(data) > LARGEST:
        raise AnswersError(f"{where}: {len(data)} bytes are too many, {LARGEST} are allowed")
    try:
        answers = parse_fields(msgspec.json.decode(data), Answers)
        for number, trial in enumerate(answers.trials):
            _check_trial(f"trials[{number}]", trial)
    except msgspec.DecodeError as error:
        raise AnswersError(f"{where}: no JSON: {error}") from error
    except RecursionError:
        raise AnswersError(f"{where}: it is nested too deeply") from None
    except ValueError as error:
        raise AnswersError(f"{where}: {error}") from error
    headphones = answers.checks.headphones
    if headphones and headphones.right > headphones.of:
        raise AnswersError(
            f"{where}: checks.headphones has {headphones.right} right answers of {headphones.of}"
        )
    return answers


def check_answers(
    answers: Answers, design: Design, where: str = "the answers", also: Sequence[str] = ()
) -> None:
    """Raise AnswersError unless these can be answers to a design.

    They have to be of this very design, with its token, and each question one of its items, with
    sounds of that item only, scores on its scale, and a choice where it asks for one.
    also: SHA-256 of earlier designs that asked the same in other words, or how these begin.
    """
    asked = digest(design)
    if not answers.design.startswith((asked, *also)):
        raise AnswersError(
            f"{where}: of another design ({answers.design[:16]}…, not {asked[:16]}…): "
            f"{what_differs(answers, design)}"
        )
    if answers.test != design.id:
        raise AnswersError(f"{where}: of the test {answers.test!r}, not {design.id!r}")
    check_trials(answers, design, where)


def check_trials(answers: Answers, design: Design, where: str = "the answers") -> None:
    """Raise AnswersError unless these answer a design's questions, whichever design they name."""
    if design.token is not None and answers.token != design.token:
        raise AnswersError(f"{where}: without the token of the test")
    items = {item.name: item for item in design.items}
    for number, trial in enumerate(answers.trials):
        place = f"{where}: trials[{number}]"
        if trial.item not in items:
            raise AnswersError(f"{place}: the test has no item {trial.item!r}")
        if trial.part != "training" and trial.item in design.training:
            raise AnswersError(f"{place}: the item {trial.item!r} is for training")
        _check_order(place, trial, design, items[trial.item])
        _check_answer(place, trial, design)
    _check_amount(where, answers, design)


def what_differs(answers: Answers, design: Design) -> str:
    """Say how answers to another design differ from those to this one, as far as they tell."""
    sounds = {item.name: item.sounds for item in design.items}
    heard: dict[str, set[str]] = {}
    for trial in answers.trials:
        heard.setdefault(trial.item, set()).update(trial.order)
    changed = []
    for item, known in heard.items():
        if item in sounds and not known <= {*sounds[item].values()}:
            keys = [repr(key) for key, sha in sounds[item].items() if sha not in known]
            # Other kinds do not ask for all sounds of an item, so one may only be unasked.
            changed.append(
                f"{item!r} by {', '.join(keys)}" if design.kind == "mushra" else repr(item)
            )
    missing = [repr(item) for item in heard if item not in sounds]
    if changed:
        return f"they are of other sounds than those of {'; '.join(changed)}"
    if missing:
        return f"they are of {', '.join(missing)}, which is no item any more"
    return "they are of the same sounds, so its question, scale, words or options were others"


def _check_trial(place: str, trial: Trial) -> None:
    """Raise ValueError if a trial names a sound that it does not have."""
    named: list[tuple[str, list[str]]] = [("plays", [*trial.plays]), ("scores", [*trial.scores])]
    named.append(("choice", [trial.choice] if isinstance(trial.choice, str) else []))
    named.append(("x", [trial.x] if trial.x is not None else []))
    for name, digests in named:
        if stranger := next((sha for sha in digests if sha not in trial.order), None):
            raise ValueError(f"{place}.{name} has {stranger[:16]}…, which is not in its order")


def _check_order(place: str, trial: Trial, design: Design, item: Item) -> None:
    """Raise AnswersError unless a trial has the sounds of its item that such a test asks about."""
    rated = {item.sounds[key] for key in design.rated}
    first = [item.sounds[REFERENCE]] if design.kind == "dcr" else []
    for sha in trial.order[len(first) :]:
        if sha not in rated:
            raise AnswersError(f"{place}: {sha[:16]}… is no sound of the item {item.name!r}")
    expected = {"mushra": len(design.rated), "acr": 1}.get(design.kind, 2)
    if len(trial.order) != expected:
        raise AnswersError(f"{place}.order has {len(trial.order)} sounds, not {expected}")
    if trial.order[: len(first)] != first:
        raise AnswersError(f"{place}.order begins with another sound than the reference")
    # A dcr may compare the reference with itself.
    if design.kind != "dcr" and len(set(trial.order)) < expected:
        raise AnswersError(f"{place}.order has the same sound twice")


def _check_answer(place: str, trial: Trial, design: Design) -> None:
    """Raise AnswersError unless a trial has the answer that this kind of test asks for."""
    if design.kind in ("preference", "abx"):
        if trial.scores:
            raise AnswersError(f"{place} has scores, but a test of the kind {design.kind} has none")
        if trial.choice is msgspec.UNSET or (design.kind == "abx" and trial.choice is None):
            raise AnswersError(f"{place}.choice is missing")
        if (trial.x is not None) != (design.kind == "abx"):
            has = "no x" if trial.x is None else "an x"
            raise AnswersError(f"{place} has {has}, but the test is of the kind {design.kind}")
        return
    if trial.choice is not msgspec.UNSET or trial.x is not None:
        raise AnswersError(f"{place} has a choice, but a test of the kind {design.kind} has none")
    _check_scores(place, trial, design)


def _check_scores(place: str, trial: Trial, design: Design) -> None:
    """Raise AnswersError unless each sound that is to be scored has a score on the scale."""
    # In dcr the first sound is the reference, which the second is compared with.
    asked = set(trial.order[1:] if design.kind == "dcr" else trial.order)
    if trial.scores.keys() != asked:
        raise AnswersError(f"{place}.scores has {len(trial.scores)} scores, not {len(asked)}")
    assert design.scale is not None
    for sha, score in trial.scores.items():
        if not design.scale.least <= score <= design.scale.most:
            raise AnswersError(
                f"{place}.scores has {score:g} for {sha[:16]}…, but the scale goes from "
                f"{design.scale.least:g} to {design.scale.most:g}"
            )


def _check_amount(where: str, answers: Answers, design: Design) -> None:
    """Raise AnswersError unless each question of as many items as a listener gets is answered.

    So nobody can give an answer twice, or leave out items that show a guess.
    """
    asked = Counter(
        (trial.item, *sorted(trial.order)) for trial in answers.trials if trial.part == "test"
    )
    if not asked:
        raise AnswersError(f"{where}: no question of the test is answered")
    most = design.trials if design.scale is None else 1
    (item, *_), times = asked.most_common(1)[0]
    if times > most:
        raise AnswersError(
            f"{where}: the item {item!r} is answered {times} times, but asked {most} times"
        )
    questions = {"mushra": 1, "acr": len(design.rated), "dcr": len(design.rated)}
    of_item = questions.get(design.kind, len(design.pairs) * most)
    items = Counter(item for item, *_ in asked.elements())
    if lacking := next((item for item, n in items.items() if n < of_item), None):
        raise AnswersError(
            f"{where}: the item {lacking!r} has {items[lacking]} of {of_item} questions answered"
        )
    if len(items) != design.each:
        raise AnswersError(f"{where}: {len(items)} items are answered, not {design.each}")
