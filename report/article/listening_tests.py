"""Listening tests inside an article: components that ask listeners, and what each of them asks.

A page shows them as an invitation; its scripts hold the test. The sounds of an item are artifacts
by systems, as in a Grid; beside these it has a reference, and anchors that are made of it.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from report.article.fields import (
    check_flag,
    check_list,
    check_name,
    check_text,
    check_whole,
    describe,
    is_stand_in,
    place,
)
from report.article.given import check_samplerate, taken
from report.artifacts.media import LETTERS
from report.artifacts.session import Artifact
from report.listening.anchors import low_passed, lowest_rate
from report.listening.design import ANCHOR, REFERENCE, Checks, Design, Item, Kind, Scale

LEVEL = -23.0  # LUFS, as EBU R 128 has it; a test is softer where a sound would pass full scale
HALF_STEP = 0.005  # dB; peaks are rounded to twice that
ANCHORS = (3500, 7000)  # Hz, of BS.1534-3
MOST_SOUNDS = 12  # of a trial, by BS.1534-3
ABX_TRIALS = 8  # of a pair: one who guesses gets all of them right in 0.4 % of tests
QUALITY = ("Excellent", "Good", "Fair", "Poor", "Bad")
DEGRADATION = (
    "Degradation is inaudible",
    "Degradation is audible but not annoying",
    "Degradation is slightly annoying",
    "Degradation is annoying",
    "Degradation is very annoying",
)


@dataclass(frozen=True)
class Manner:
    """How a kind of test asks."""

    question: str  # unless the author has a better one
    scale: Scale | None = None
    needs_reference: bool = False
    fewest: int = 1  # systems


MANNERS: dict[Kind, Manner] = {
    "mushra": Manner(
        "How good is each sound, compared with the reference?", Scale(0, 100, QUALITY), True
    ),
    "preference": Manner("Which of the two is better?", fewest=2),
    "abx": Manner("Is X the sound A or the sound B?", fewest=2),
    "acr": Manner("How good is the sound?", Scale(1, 5, QUALITY)),
    "dcr": Manner(
        "How much is the sound degraded, compared with the reference?",
        Scale(1, 5, DEGRADATION),
        True,
    ),
}
MOST_TRIALS = 300  # of a listener; with training and repeated ones, answers hold 400
LONGEST_NAME = 200  # as report.listening.answers has it
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
UNSENDABLE = re.compile(r"[\s;,'\"<>\\]")  # a policy of a page can not hold them


@dataclass(frozen=True)
class ListeningTest:
    """Items by systems that listeners judge, each without being told which system it is.

    `items` is item -> system -> sound, `reference` item -> the sound that the others are made from.
    A listener gets `each` of the items, drawn by the seed; those named in `training` come first and
    do not count. Answers are sent to `post`, if there is one and the listener presses *Send*: an
    address, or {"url": address, "fields": {...}} of a presigned POST; then `consent`, the line that
    listeners agree to, has to be written. `token` goes with the answers.

    All sounds are equally loud, unless the test is `plain`.
    """

    title: str
    items: Any  # once it is made, item -> key of Item.sounds -> Artifact
    reference: Any = None
    question: str = ""
    each: int | None = None  # all
    training: Sequence[str] = ()
    consent: str = ""
    post: Any = None
    token: str | None = None
    headphones: bool = True  # asks which of three tones is the softest
    repeated: int = 1  # trials that are asked again
    plain: bool = False
    note: str = ""
    samplerate: int | None = None  # Hz, of arrays
    roles: Mapping[str, str] = field(init=False, default_factory=dict)

    @property
    def kind(self) -> Kind:
        raise NotImplementedError

    @property
    def repeats(self) -> int:
        """How often a pair is asked."""
        return 1

    def __post_init__(self) -> None:
        check_text(self, "title", "question", "consent", "note")
        check_name(place(self, "title"), self.title)
        check_flag(self, "headphones")
        check_flag(self, "plain")
        check_samplerate(place(self, "samplerate"), self.samplerate)
        if not self.question.strip():
            object.__setattr__(self, "question", MANNERS[self.kind].question)
        self._take_items()
        self._take_reference()
        self._add_sounds()
        self._check_sounds()
        self._check_numbers()
        if self.trials_each > MOST_TRIALS:
            raise ValueError(
                f"{place(self, 'each')} is {self.each}, which makes {self.trials_each} trials; "
                f"ask for fewer, {MOST_TRIALS} are too many for anyone"
            )
        self._check_sending()

    # The sounds

    @property
    def systems(self) -> list[str]:
        """The names of systems, in the order of the author."""
        first = next(iter(self.items.values()))
        return [key for key in first if key not in self.roles]

    @property
    def sounds(self) -> dict[str, Artifact]:
        """SHA-256 -> each sound of the test, in the order of the hashes, which tells nothing."""
        sounds = {a.sha256: a for row in self.items.values() for a in row.values()}
        return dict(sorted(sounds.items()))

    @property
    def peaks(self) -> list[str]:
        """The waveform of each item: the loudest of its sounds at each moment, whichever is heard.

        See `report.artifacts.media.peaks`.
        """
        drawn = ([sound.info["peaks"] for sound in row.values()] for row in self.items.values())
        return [
            "".join(max(levels, key=LETTERS.index) for levels in zip_longest(*each, fillvalue="A"))
            for each in drawn
        ]

    def _take_items(self) -> None:
        where = place(self, "items")
        if not isinstance(self.items, Mapping):
            raise TypeError(
                f"{where} is {describe(self.items)}; give a dict: item -> system -> sound"
            )
        if not self.items:
            raise ValueError(f"{where} is empty; give item -> system -> sound")
        taken_items: dict[str, dict[str, Artifact]] = {}
        systems: list[str] | None = None
        for name, row in self.items.items():
            _check_label(f"an item of {where}", name)
            if not isinstance(row, Mapping):
                raise TypeError(f"{where}[{name!r}] is {describe(row)}; give system -> sound")
            for system in row:
                _check_label(f"a system of {where}[{name!r}]", system)
            systems = systems or list(row)
            if odd := set(systems) ^ set(row):
                raise ValueError(
                    f"{where}[{name!r}] has the systems {', '.join(row) or 'none'}, but the first "
                    f"item {', '.join(systems)}; give each item a sound by {min(odd)!r}, or none"
                )
            taken_items[name] = {
                system: self._taken(f"{where}[{name!r}][{system!r}]", row[system])
                for system in systems
            }
        fewest = MANNERS[self.kind].fewest
        if len(systems or ()) < fewest:
            raise ValueError(f"{where} has {len(systems or ())} systems; give at least {fewest}")
        object.__setattr__(self, "items", taken_items)

    def _taken(self, where: str, sound: object) -> Artifact:
        return taken(where, sound, "a sound", self.samplerate)

    def _take_reference(self) -> None:
        where = place(self, "reference")
        if self.reference is None:
            if MANNERS[self.kind].needs_reference:
                raise TypeError(
                    f"{where} is None; give item -> the sound that others are made from"
                )
            return
        if not isinstance(self.reference, Mapping):
            raise TypeError(f"{where} is {describe(self.reference)}; give a dict: item -> sound")
        if odd := self.reference.keys() ^ self.items.keys():
            name = min(odd, key=str)
            lacks = "has no sound for" if name in self.items else "has a sound for"
            mend = "give one for each item" if name in self.items else "which is no item"
            raise ValueError(f"{where} {lacks} {name!r}; {mend}")
        references = {
            name: self._taken(f"{where}[{name!r}]", self.reference[name]) for name in self.items
        }
        self._add(REFERENCE, "Reference", references)
        object.__setattr__(self, "reference", references)

    def _add_sounds(self) -> None:
        """Add sounds that the build makes, as anchors."""

    def _add(self, role: str, name: str, sounds: Mapping[str, Artifact]) -> None:
        """Give all items a sound with a role."""
        if any(role in row for row in self.items.values()):
            raise ValueError(f"{place(self, 'items')} has a system called {role!r}; rename it")
        for item, row in self.items.items():
            row[role] = sounds[item]
        self.roles[role] = name  # type: ignore[index]  # only while it is made

    def _check_sounds(self) -> None:
        """Raise ValueError if an item has a sound twice: answers are told apart by hashes."""
        for name, row in self.items.items():
            first: dict[str, str] = {}
            for key, sound in row.items():
                other = first.setdefault(sound.sha256, key)
                if other != key and not is_stand_in(sound):
                    raise ValueError(
                        f"{place(self, 'items')}[{name!r}] has the same sound as {other!r} and as "
                        f"{key!r}, which nobody can tell apart; leave one out"
                    )

    # The rest

    def _check_numbers(self) -> None:
        check_list(place(self, "training"), self.training)
        for name in self.training:
            if name not in self.items:
                raise ValueError(f"{place(self, 'training')} has {name!r}, which is no item")
        left = len(self.items.keys() - set(self.training))
        if not left:
            raise ValueError(f"{place(self, 'training')} has all items; leave one for the test")
        each = left if self.each is None else self.each
        for name, value, least, most in (
            ("each", each, 1, left),
            ("repeated", self.repeated, 0, each),
        ):
            check_whole(place(self, name), value)
            if not least <= value <= most:
                raise ValueError(f"{place(self, name)} is {value}; give {least} to {most}")
        object.__setattr__(self, "each", each)

    @property
    def trials_each(self) -> int:
        """How many trials count for a listener."""
        n = len(self.systems)
        if self.kind in ("preference", "abx"):
            of_an_item = self.repeats * n * (n - 1) // 2
        else:
            of_an_item = 1 if self.kind == "mushra" else n + len(self.roles)
        return of_an_item * (self.each or 1)

    def _check_sending(self) -> None:
        if self.token is not None:
            check_text(self, "token")
            _check_label(place(self, "token"), self.token)
        if self.post is None:
            return
        where = place(self, "post")
        post = self.post if isinstance(self.post, Mapping) else {"url": self.post, "fields": {}}
        fields = post.get("fields")
        if post.keys() != {"url", "fields"} or not isinstance(fields, Mapping):
            raise TypeError(
                f'{where} is {describe(self.post)}; give an address, or {{"url": …, '
                '"fields": {…}} of a presigned POST'
            )
        for name, value in fields.items():
            if not isinstance(name, str) or not isinstance(value, str):
                raise TypeError(f"{where} has the field {name!r} = {value!r}; give texts")
        _check_address(f"{where}", post["url"])
        if not self.consent.strip():
            raise ValueError(
                f"{place(self, 'consent')} is empty, but answers can be sent to {post['url']}; "
                "write the line that listeners agree to: who gets their answers, and for what"
            )
        object.__setattr__(self, "post", {"url": post["url"], "fields": dict(fields)})

    # What is asked

    def design(self, anchor: str) -> Design:
        """Return what the test asks; `anchor` is that of its figure."""
        level, gains = _levels(self.items, self.plain)
        return Design(
            id=anchor,
            kind=self.kind,
            question=self.question,
            systems=tuple(self.systems),
            items=tuple(
                Item(name, {key: a.sha256 for key, a in row.items()}, gains[name])
                for name, row in self.items.items()
            ),
            roles=dict(self.roles),
            scale=MANNERS[self.kind].scale,
            each=self.each or 1,
            trials=self.repeats,
            training=tuple(self.training),
            level=level,
            checks=Checks(bool(self.headphones), 0 if self.kind == "abx" else self.repeated),
            consent=self.consent,
            token=self.token,
            post=self.post["url"] if self.post else None,
        )

    def facts(self, design: Design) -> list[str]:
        """Return sentences that tell listeners and readers how the test is made."""
        sounds = [each for row in self.items.values() for each in row.values()]
        facts = [self._about(len(next(iter(self.items.values()))))]
        if design.level is not None:
            gains = [gain for item in design.items for gain in item.gains.values()]
            facts.append(
                f"All sounds are equally loud, {_signed(design.level)} LUFS by ITU-R BS.1770; for "
                f"that they are changed by {_signed(min(gains))} to {_signed(max(gains))} dB."
            )
        elif self.plain:
            facts.append("All sounds have the levels that they were stored with.")
        else:
            facts.append("The sounds are too short or too soft to match their loudness.")
        if len({a.info["samplerate"] for a in sounds}) > 1:
            facts.append("Sounds of several samplerates play at the highest one of an item.")
        return facts

    def _about(self, n: int) -> str:
        """Return how a trial of `n` sounds is judged."""
        raise NotImplementedError


@dataclass(frozen=True)
class Mushra(ListeningTest):
    """Many sounds of an item beside its reference, each from 0 to 100: ITU-R BS.1534-3.

    Among them are the reference itself, and its low-passed `anchors`, which the build makes.
    """

    anchors: Sequence[int] = ANCHORS  # Hz
    left_out: Sequence[int] = field(init=False, default=())  # anchors, since a rate is too low

    @property
    def kind(self) -> Kind:
        return "mushra"

    def _add_sounds(self) -> None:
        where = place(self, "anchors")
        check_list(where, self.anchors)
        for cutoff in self.anchors:
            check_whole(where, cutoff)
            if cutoff < 1:
                raise ValueError(f"{where} has {cutoff}; give Hz, such as 3500")
        rates = {a.info["samplerate"] for a in self.reference.values() if not is_stand_in(a)}
        rate = min(rates, default=math.inf)
        used = [cutoff for cutoff in self.anchors if lowest_rate(cutoff) <= rate]
        if self.anchors and not used:
            raise ValueError(
                f"{where} are {', '.join(map(str, self.anchors))} Hz, but a reference has "
                f"{rate} Hz, which leaves them nothing to take away; give lower ones, or none: ()"
            )
        for cutoff in used:
            sounds = {name: low_passed(sound, cutoff) for name, sound in self.reference.items()}
            self._add(f"{ANCHOR}{cutoff}", f"{cutoff / 1000:g} kHz anchor", sounds)
        object.__setattr__(self, "left_out", [each for each in self.anchors if each not in used])

    def _check_sounds(self) -> None:
        super()._check_sounds()
        n = len(next(iter(self.items.values())))
        if n > MOST_SOUNDS:
            raise ValueError(
                f"{place(self, 'items')} makes {n} sounds in a trial, with reference and anchors, "
                f"but nobody compares more than {MOST_SOUNDS}; make two tests of it"
            )

    def _about(self, n: int) -> str:
        anchors = len(self.roles) - 1
        among = "the reference itself"
        if anchors:
            among += f" and {anchors} low-passed anchor{'s' * (anchors > 1)}"
        text = (
            f"MUSHRA (ITU-R BS.1534-3): {n} sounds of an item in random order, among them {among}; "
            "each gets 0 to 100."
        )
        if self.left_out:
            kilohertz = ", ".join(f"{cutoff / 1000:g}" for cutoff in self.left_out)
            text += f" An anchor at {kilohertz} kHz is left out: the samplerate is too low for it."
        return text


@dataclass(frozen=True)
class Preference(ListeningTest):
    """Two sounds of an item: A is better, B is better, or neither; `trials` of each pair."""

    trials: int = 1

    @property
    def kind(self) -> Kind:
        return "preference"

    @property
    def repeats(self) -> int:
        return self.trials

    def _check_numbers(self) -> None:
        super()._check_numbers()
        check_whole(place(self, "trials"), self.trials)
        if self.trials < 1:
            raise ValueError(f"{place(self, 'trials')} is {self.trials}; give 1 or more")

    def _about(self, n: int) -> str:
        return "Preference: two sounds of an item in random order; neither may be the better one."


@dataclass(frozen=True)
class Abx(Preference):
    """Is X the sound A or the sound B? `trials` of each pair, in which X is drawn anew."""

    trials: int = ABX_TRIALS

    @property
    def kind(self) -> Kind:
        return "abx"

    def _about(self, n: int) -> str:
        return (
            f"ABX: X is A or B, drawn anew for each trial; {self.trials} trials of each pair of "
            "an item."
        )


@dataclass(frozen=True)
class Rating(ListeningTest):
    """One sound at a time, from 5 to 1, by ITU-T P.800.

    kind: "acr" asks how good it is; "dcr" plays the reference first and asks for the degradation.
    """

    kind: Kind = "acr"  # a property of the others

    def __post_init__(self) -> None:
        if self.kind not in ("acr", "dcr"):
            raise ValueError(f"Rating.kind is {describe(self.kind)}; give 'acr' or 'dcr'")
        super().__post_init__()

    def _about(self, n: int) -> str:
        if self.kind == "dcr":
            return (
                "Degradation category rating (ITU-T P.800): the reference and a sound, which may "
                "be the reference itself; 5 to 1."
            )
        among = ", among them the original" if self.roles else ""
        return f"Absolute category rating (ITU-T P.800): one sound at a time{among}; 5 to 1."


def _levels(
    items: Mapping[str, Mapping[str, Artifact]], plain: bool
) -> tuple[float | None, dict[str, dict[str, float]]]:
    """Return the loudness at which sounds play, LUFS, and item -> key -> dB that lead there.

    A sound that is too short or too soft to have a loudness is changed as others of its item are.
    """
    sounds = [sound.info for row in items.values() for sound in row.values()]
    heard = [info for info in sounds if info["loudness"] is not None]
    if plain or not heard:
        return None, {name: dict.fromkeys(row, 0.0) for name, row in items.items()}
    room = min(info["loudness"] - info["peak"] - HALF_STEP for info in heard)
    level = min(LEVEL, math.floor(100 * room) / 100)
    gains = {}
    for name, row in items.items():
        known = {
            key: round(level - sound.info["loudness"], 2)
            for key, sound in row.items()
            if sound.info["loudness"] is not None
        }
        rest = median(known.values()) if known else 0.0
        gains[name] = {key: known.get(key, rest) for key in row}
    return level, gains


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−") if value > 0 else f"{value:.1f}".replace("-", "−")


def _check_label(where: str, name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"{where} is {describe(name)}; give a str")
    check_name(where, name)
    if len(name) > LONGEST_NAME or CONTROL.search(name):
        raise ValueError(
            f"{where} is called {name[:60]!r}; give at most {LONGEST_NAME} letters in one line"
        )


def _check_address(where: str, address: object) -> None:
    """Raise TypeError or ValueError unless answers can be sent to this address."""
    if not isinstance(address, str):
        raise TypeError(f"{where} is {describe(address)}; give an address such as https://…")
    parts = urlsplit(address)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or parts.scheme not in ("https", "http") or UNSENDABLE.search(address):
        raise ValueError(f"{where} is {address!r}; give a whole address, such as https://…/answers")
    if parts.scheme == "http" and not local:
        raise ValueError(f"{where} is {address!r}; answers travel by https, or stay on localhost")
    if parts.username or parts.fragment:
        raise ValueError(
            f"{where} is {address!r}; leave out the name before @ and the part after #"
        )
