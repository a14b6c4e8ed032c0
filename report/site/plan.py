"""Say what a build would do, and why: the articles run, but nothing is computed.

If an artifact is stale, the one of the last build stands in for it, so that the script can go on.
Artifacts that depend on it are then looked up by its old bytes, and are said to wait for the new
ones.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from report.article.claims import tolerating
from report.article.script import parse_script, read_metadata, run_cells
from report.artifacts.record import Build, Record
from report.artifacts.session import Request, Session, matches, use_session
from report.artifacts.several import member_key
from report.artifacts.store import Store
from report.errors import StoreError
from report.keys.dependencies import place_of
from report.keys.values import settings_in
from report.site.isolation import run_alone, warn_if_shared
from report.site.states import FOUND, NEW, STALE, WAITS

QUIET = re.compile(r"\s*(#.*)?")  # lines that no key depends on

USUAL = "not set"  # a setting that a record leaves out, since it was the default

# symbol -> digest, file, line, text; see `ReachableCode.source`
Sources = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Reason:
    """One reason why an artifact is stale: a sentence, and for code the difference as text."""

    text: str
    difference: str = ""


@dataclass(frozen=True)
class Step:
    """The work of a build for one call, by its state:

    "found": none;
    "stale": compute the artifact again, for these reasons;
    "new": compute it for the first time;
    "waits": none, unless an artifact that it depends on, and that is computed, comes out otherwise.
    """

    name: str
    state: str
    function: str
    key: str
    record: Record | None  # the present one; of a stale call, that of the last build
    reasons: tuple[Reason, ...] = ()

    def to_json(self) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "name": self.name,
            "state": self.state,
            "function": self.function,
            "key": self.key,
            "why": [reason.text for reason in self.reasons],
        }
        if self.record:
            fields |= {"seconds": self.record.seconds, "bytes": self.record.bytes}
        return fields


@dataclass(frozen=True)
class Plan:
    """The steps of a build in order."""

    steps: list[Step]
    unknown: list[str]  # sentences about articles in which more steps would follow
    gone: list[str]  # calls of the last build that this one would not make

    def of(self, pattern: str) -> list[Step]:
        """Return the steps that a pattern means, see `report.artifacts.session.matches`."""
        return [step for step in self.steps if _matches(pattern, step)]


class Unplanned(StoreError):
    """A script needs the value of an artifact that would have to be computed first."""


def plan(scripts: Iterable[Path], store: Store, namespace: dict[str, Any] | None = None) -> Plan:
    """Return the plan of a build of these scripts.

    Raises: ReportError for a script that fails, as building it would.
    """
    scripts = [Path(script) for script in scripts]
    warn_if_shared(len(scripts))
    whole = Plan([], [], [])
    for script in scripts:
        part = run_alone(str(script), partial(_plan_article, script, namespace or {}), store)
        whole.steps.extend(part.steps)
        whole.unknown.extend(part.unknown)
        whole.gone.extend(part.gone)
    return whole


def _plan_article(script: Path, namespace: dict[str, Any], store: Store) -> Plan:
    read_metadata(script)  # fails where a build would
    planner = Planner(store)
    planner.begin(script.stem)
    with use_session(planner), tolerating():
        try:
            run_cells(parse_script(script), script, dict(namespace))
        except Unplanned as error:
            article = script.stem
            unknown = f"{article}: what follows from {error} is known once that is computed"
            return Plan(planner.steps, [unknown], [])
    return Plan(planner.steps, [], planner.gone_calls())


class Planner(Session):
    """A session that computes nothing and notes the steps of a build."""

    def __init__(self, store: Store):
        self._stand_ins = _StandIns(store)
        super().__init__(self._stand_ins)
        self.steps: list[Step] = []
        self.last: dict[str, Record] = {}  # calls of the article's last build
        self._doubtful: set[str] = set()  # sha256 of stand-ins, and of artifacts that wait for them

    def begin(self, article: str) -> None:
        super().begin(article)
        build = self.store.build(article)
        self.last = dict(build.calls) if build else {}

    def gone_calls(self) -> list[str]:
        """Return the calls of the article's last build that were not made now."""
        names = {name for name, _ in self.calls.values()}
        whole = {name: "/".join(name.split("/")[:2]) for name in self.last}  # calls of members
        return [f"{self.article}/{name}" for name in self.last if whole[name] not in names]

    def resolve(self, name: str, request: Request) -> Record:
        record, before = self.store.find(request.key), self.last.get(name)
        step = self._step(name, request, record, before)
        self.steps.append(step)
        # Without bytes, which components take for a stand-in that may be of another kind.
        last = before and replace(before, bytes=0)
        stand_in = (
            record
            or last
            or self._stand_ins.placeholder(name, request.key, request.function, request.code.digest)
        )
        if step.state != FOUND:
            self._doubtful.add(stand_in.sha256)
        return stand_in

    def members(self, whole: Record) -> list[str]:
        """As in a build. Raises: Unplanned if they are known once the call is computed."""
        if whole.bytes == 0 and not super().members(whole):
            self._stand_ins.read(whole)
        return super().members(whole)

    def member(self, whole: Record, name: str) -> Record:
        """Return the present record, or that of the last build, or a placeholder."""
        key = member_key(whole.key, name)
        record = self.store.find(key)
        if record is None:
            record = self._stand_ins.placeholder(name, key, whole.function, whole.code)
        elif whole.bytes == 0:
            record = replace(record, bytes=0)
        if whole.sha256 in self._doubtful:
            self._doubtful.add(record.sha256)
        return record

    def _step(
        self, name: str, request: Request, record: Record | None, before: Record | None
    ) -> Step:
        """Return the step for a call with the present record and that of the last build."""
        reasons: list[Reason] = []
        if record is not None:
            state = FOUND if self._doubtful.isdisjoint(request.inputs) else WAITS
        elif before is not None:
            state = STALE
            reasons = explain(before, request, self.store)
        else:
            state = NEW
        return Step(
            name=f"{self.article}/{name}",
            state=state,
            function=request.function,
            key=request.key,
            record=record or before,
            reasons=tuple(reasons),
        )


class _StandIns(Store):
    """The store, with placeholders for artifacts that were never computed."""

    def __init__(self, store: Store):
        self._store = store
        self._names: dict[str, str] = {}  # of the calls, by sha256 of the placeholder

    def find(self, key: str) -> Record | None:
        return self._store.find(key)

    def recall(self, article: str) -> dict[str, Record]:
        return self._store.recall(article)

    def build(self, article: str) -> Build | None:
        return self._store.build(article)

    def source(self, digest: str) -> dict[str, Any] | None:
        return self._store.source(digest)

    def placeholder(self, name: str, key: str, function: str, code: str) -> Record:
        self._names[key] = name
        return Record(
            key=key,
            function=function,
            code=code,
            arguments={},
            values={},
            versions={},
            inputs=[],
            seconds=0,
            machine={},
            created="",
            sha256=key,
            bytes=0,
            media_type="audio/flac",
            info=_AnyInfo(),
        )

    def read(self, record: Record) -> bytes:
        if record.sha256 in self._names:
            raise Unplanned(self._names[record.sha256])
        return self._store.read(record)


class _AnyInfo(dict[str, Any]):
    """An answer to all that a script may ask of a sound or picture that is not there yet."""

    def __missing__(self, name: str) -> int:
        return 1


def _matches(pattern: str, step: Step) -> bool:
    article, _, name = step.name.partition("/")
    digests = (step.key, step.record.sha256 if step.record else "")
    return any(matches(pattern, article, name, digest) for digest in digests)


# Reasons


def explain(before: Record, request: Request, store: Store) -> list[Reason]:
    """Return the reasons why a call is not the one for which the record `before` was made."""
    if before.key == request.key:
        return [Reason("its record is no longer in the store")]
    reasons = []
    if before.function != request.function:
        reasons.append(
            Reason(f"another function: {before.function} before, {request.function} now")
        )
    if before.code != request.code.digest:
        reasons += code_changes(store.source(before.code), request.code.source())
    reasons += _version_changes(before.versions, request.code.versions)
    reasons += _value_changes(before, request)
    return reasons


def code_changes(before: Sources | None, now: Sources) -> list[Reason]:
    """Return the differences between the sources of two codes."""
    if before is None:
        return [Reason("its code changed; what it was before is not in the store")]
    reasons = []
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if new is None:
            reasons.append(Reason(f"{name} is not used any more"))
        elif old is None:
            reasons.append(Reason(f"{name} ({new['file']}, line {new['line']}) is used now"))
        elif old["digest"] != new["digest"]:
            reasons.append(_code_change(name, old, new))
    return reasons


def _code_change(name: str, old: dict[str, Any], new: dict[str, Any]) -> Reason:
    # As Python counts lines: str.splitlines also breaks them at form feeds and U+2028.
    before, now = old["text"].split("\n"), new["text"].split("\n")
    names = (f"{old['file']} before", new["file"])
    difference = "\n".join(difflib.unified_diff(before, now, *names, lineterm="", n=1))
    line = new["line"] + _first_change(before, now)
    return Reason(f"line {line} of {new['file']} changed, in {name.rsplit('.', 1)[-1]}", difference)


def _first_change(before: list[str], now: list[str]) -> int:
    """Return the index in `now` of the first line that differs in more than a comment."""
    blocks = difflib.SequenceMatcher(None, before, now, autojunk=False).get_opcodes()
    for kind, start, end, start_now, end_now in blocks:
        if kind == "equal":
            continue
        loud = [i for i in range(start_now, end_now) if not QUIET.fullmatch(now[i])]
        if loud:
            return loud[0]
        if not all(QUIET.fullmatch(line) for line in before[start:end]):
            return start_now
    return 0


def _version_changes(before: dict[str, str], now: dict[str, str]) -> list[Reason]:
    reasons = []
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name, "not used"), now.get(name, "not used")
        if old != new:
            reasons.append(Reason(f"{name}: {old} before, {new} now"))
    return reasons


def _value_changes(before: Record, request: Request) -> list[Reason]:
    now = request.values
    names = sorted(before.values.keys() | now.keys())
    changed = [name for name in names if before.values.get(name) != now.get(name)]
    return [Reason(_value_change(name, before, request)) for name in changed]


def _value_change(name: str, before: Record, request: Request) -> str:
    """Describe the change of an argument, of a global, or of the device."""
    old_value, new_value = before.values.get(name), request.values.get(name)
    if name == "device":
        return f"the device: {old_value} before, {new_value} now"
    if name.startswith("global "):
        return _global_change(name, old_value or "", new_value or "", request)
    old, new = before.arguments.get(name), request.arguments.get(name)
    if old == new:
        return f"argument {name}: still {new}, with another content"
    return f"argument {name}: {_setting_changes(old, new) or f'{old} before, {new} now'}"


def _setting_changes(before: str | None, now: str | None) -> str:
    """Describe what changed in an object that has the same class as before; "" if it has not."""
    old, new = settings_in(before or ""), settings_in(now or "")
    if old is None or new is None or old[0] != new[0]:
        return ""
    changes = [
        f"{name} was {old[1].get(name, USUAL)}, is {new[1].get(name, USUAL)}"
        for name in dict.fromkeys([*old[1], *new[1]])
        if old[1].get(name) != new[1].get(name)
    ]
    return "; ".join(changes)


def _global_change(name: str, before: str, now: str, request: Request) -> str:
    """Describe the change of a global. Its values are digests, or for numbers "DIGEST NUMBER"."""
    read = [variable for variable in request.code.variables if f"global {variable}" == name]
    if not read:
        return f"{name} is not read any more"
    file, line = place_of(read[0])
    old, new = before.partition(" ")[2], now.partition(" ")[2]
    change = f": {old} before, {new} now" if old and new else " has another value"
    return f"{name}{change}: line {line} of {file} changed, or what it reads"
