"""What a build would do, and why, without doing it: the articles run, but nothing is computed.

Where an artifact is stale, the one of the last build stands in for it, so that the script can go on; what depends on it
is then found or not for the old bytes, and is said to depend on the new ones.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from report.article.script import parse_script, read_metadata, run_cells
from report.artifacts.record import Record
from report.artifacts.session import Request, Session, matches, use_session
from report.artifacts.store import Store
from report.errors import StoreError
from report.keys.dependencies import place_of

FOUND, STALE, NEW, WAITS = "found", "stale", "new", "waits"
QUIET = re.compile(r"\s*(#.*)?")  # lines that no key depends on


@dataclass(frozen=True)
class Reason:
    """Why an artifact is stale: one sentence, and for code the difference as text."""

    text: str
    difference: str = ""


@dataclass(frozen=True)
class Step:
    """What a build would do about one call.

    "found": nothing; "stale": compute it again, for `reasons`; "new": compute it for the first time; "waits": nothing
    unless what it depends on, which would be computed, comes out otherwise than before.
    `record` is the present one, or for a stale call that of the last build, with the seconds it took and its bytes.
    """

    name: str
    state: str
    function: str
    key: str
    record: Record | None
    reasons: tuple[Reason, ...] = ()

    def to_json(self) -> dict:
        last = {"seconds": self.record.seconds, "bytes": self.record.bytes} if self.record else {}
        reasons = [reason.text for reason in self.reasons]
        return {
            "name": self.name,
            "state": self.state,
            "function": self.function,
            "key": self.key,
            "why": reasons,
            **last,
        }


@dataclass(frozen=True)
class Plan:
    """The steps of a build in order. `unknown` says for which articles more would follow; `gone` are calls of the last
    build that this one would not make."""

    steps: list[Step]
    unknown: list[str]
    gone: list[str]

    def of(self, pattern: str) -> list[Step]:
        """The steps that a pattern means, see `conjure.matches`."""
        return [step for step in self.steps if _means(pattern, step)]


class Unplanned(StoreError):
    """The value of an artifact that would have to be computed first."""


def plan(scripts: Iterable[Path], store: Store, namespace: dict | None = None) -> Plan:
    """What building these scripts would do. Raises: ReportError for a script that fails, as building it would."""
    planner, unknown, gone = Planner(store), [], []
    with use_session(planner):
        for script in map(Path, scripts):
            read_metadata(script)  # fails where a build would
            planner.begin(script.stem)
            try:
                run_cells(parse_script(script), script, dict(namespace or {}))
                made = {name for name, _ in planner.calls.values()}
                gone += [f"{script.stem}/{name}" for name in planner.last if name not in made]
            except Unplanned as error:
                unknown.append(
                    f"{script.stem}: what follows from {error} is known once that is computed"
                )
    return Plan(planner.steps, unknown, gone)


class Planner(Session):
    """A session that computes nothing and notes what it would do."""

    def __init__(self, store: Store):
        super().__init__(_StandIns(store))
        self.steps: list[Step] = []
        self.last: dict[str, Record] = {}
        self._doubtful: set[str] = set()  # sha256 of what stands in, and of what waits for it

    def begin(self, article: str) -> None:
        super().begin(article)
        build = self.store.build(article)
        self.last = dict(build.calls) if build else {}

    def resolve(self, name: str, request: Request) -> Record:
        record, before = self.store.find(request.key), self.last.get(name)
        waits = not self._doubtful.isdisjoint(request.inputs)
        if record is not None:
            step = Step(
                f"{self.article}/{name}",
                WAITS if waits else FOUND,
                request.function,
                request.key,
                record,
            )
        elif before is not None:
            reasons = tuple(explain(before, request, self.store))
            step = Step(
                f"{self.article}/{name}", STALE, request.function, request.key, before, reasons
            )
        else:
            step = Step(f"{self.article}/{name}", NEW, request.function, request.key, None)
        self.steps.append(step)
        stand_in = record or before or self.store.placeholder(name, request)
        if step.state != FOUND:
            self._doubtful.add(stand_in.sha256)
        return stand_in


class _StandIns(Store):
    """The store, with records in it for what was never computed."""

    def __init__(self, store: Store):
        super().__init__(store.storage)
        self._names: dict[str, str] = {}

    def placeholder(self, name: str, request: Request) -> Record:
        self._names[request.key] = name
        digests = {"key": request.key, "sha256": request.key, "code": request.code.digest}
        empty = {
            "arguments": {},
            "values": {},
            "versions": {},
            "inputs": [],
            "machine": {},
            "info": _AnyInfo(),
        }
        return Record(
            function=request.function,
            seconds=0,
            created="",
            bytes=0,
            media_type="audio/wav",
            **digests,
            **empty,
        )

    def read(self, record: Record) -> bytes:
        if record.sha256 in self._names:
            raise Unplanned(self._names[record.sha256])
        return super().read(record)


class _AnyInfo(dict):
    """What a script may ask of a sound or picture that is not there yet."""

    def __missing__(self, name: str) -> int:
        return 1


def _means(pattern: str, step: Step) -> bool:
    article, _, name = step.name.partition("/")
    sha256 = step.record.sha256 if step.record else ""
    return any(matches(pattern, article, name, digest) for digest in (step.key, sha256))


# ---- why


def explain(before: Record, request: Request, store: Store) -> list[Reason]:
    """Why a call is not what it was when `before` was made."""
    if before.key == request.key:
        return [Reason("its record is no longer in the store")]
    reasons = []
    if before.function != request.function:
        reasons.append(
            Reason(f"another function: {before.function} before, {request.function} now")
        )
    if before.code != request.code.digest:
        reasons += code_changes(store.source(before.code), request.code.source())
    reasons += [Reason(text) for text in _version_changes(before.versions, request.code.versions)]
    return [*reasons, *_value_changes(before, request)]


def code_changes(before: dict | None, now: dict) -> list[Reason]:
    """What differs between the sources of two codes, see `dependencies.Code.source`."""
    if before is None:
        return [Reason("its code changed; what it was before is not in the store")]
    reasons = []
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if old is None:
            reasons.append(Reason(f"{name} ({new['file']}, line {new['line']}) is used now"))
        elif new is None:
            reasons.append(Reason(f"{name} is not used any more"))
        elif old["digest"] != new["digest"]:
            reasons.append(_code_change(name, old, new))
    return reasons


def _code_change(name: str, old: dict, new: dict) -> Reason:
    was, now = old["text"].splitlines(), new["text"].splitlines()
    difference = "\n".join(
        difflib.unified_diff(was, now, f"{old['file']} before", new["file"], lineterm="", n=1)
    )
    line = new["line"] + _first_change(was, now)
    return Reason(f"line {line} of {new['file']} changed, in {name.rsplit('.', 1)[-1]}", difference)


def _first_change(was: list[str], now: list[str]) -> int:
    """How many lines of `now` stand before the first that differs in more than a comment."""
    blocks = difflib.SequenceMatcher(None, was, now, autojunk=False).get_opcodes()
    changes = [block for block in blocks if block[0] != "equal"]
    for _, a, b, c, d in changes:
        loud = [line for line in range(c, d) if not QUIET.fullmatch(now[line])]
        if loud or any(not QUIET.fullmatch(line) for line in was[a:b]):
            return loud[0] if loud else c
    return 0


def _version_changes(before: dict[str, str], now: dict[str, str]) -> list[str]:
    changed = [
        name for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name)
    ]
    return [
        f"{name}: {before.get(name, 'not used')} before, {now.get(name, 'not used')} now"
        for name in changed
    ]


def _value_changes(before: Record, request: Request) -> list[Reason]:
    reasons = []
    for name in sorted(before.values.keys() | request.values.keys()):
        if before.values.get(name) != request.values.get(name):
            old, new = before.arguments.get(name), request.arguments.get(name)
            if name == "device":
                text = (
                    f"the device: {before.values.get(name)} before, {request.values.get(name)} now"
                )
            elif name.startswith("global "):
                text = _global_change(
                    name, before.values.get(name, ""), request.values.get(name, "")
                )
            elif old == new:
                text = f"argument {name}: still {new}, with another content"
            else:
                text = f"argument {name}: {old} before, {new} now"
            reasons.append(Reason(text))
    return reasons


def _global_change(name: str, before: str, now: str) -> str:
    file, line = place_of(name.removeprefix("global "))
    was, is_now = (told.partition(" ")[2] for told in (before, now))
    told = f": {was} before, {is_now} now" if was and is_now else " has another value"
    return f"{name}{told}: line {line} of {file} changed, or what it reads"
