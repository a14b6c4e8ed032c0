"""`@conjure`: compute media once, keep them, and find them again by what they depend on.

The key of a result is a hash of INGREDIENTS: the function's name, all code that it can use, the
values of its arguments and of the globals that it reads, the versions of the libraries that it
uses, and the kind of device. Give a function everything else as an argument, such as a file whose
name it would make up itself.
"""

import functools
import hashlib
import inspect
import json
import os
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from fnmatch import fnmatch
from importlib import import_module
from mmap import mmap
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from types import FunctionType
from typing import Any, Protocol

from report.artifacts.machine import fingerprint
from report.artifacts.media import _ENCODERS, Array, Data, Encoded, Weights, decode, encode
from report.artifacts.randomness import numbers_of
from report.artifacts.record import Build, Making, Record
from report.artifacts.several import encode_result, expected_of, member_key, members_of
from report.artifacts.store import MemoryStore, Store
from report.errors import ReportError, StoreError, WorkerError
from report.keys.dependencies import ReachableCode, code_of, variable_digests
from report.keys.results import register_results
from report.keys.source import check_unedited, find_module, full_name
from report.keys.values import Walk, identity, is_immutable, readable
from report.keys.values_in_source import NotFollowed, runtime_value

INGREDIENTS = ("function", "code", "arguments", "globals", "libraries", "device")
LONGEST_WARNED = 100  # letters of the arguments where a warning names its call
LONGEST_READING = 1000  # letters of an argument in a record


@dataclass(frozen=True, eq=False)
class Artifact:
    """A stored media file, the result of a conjured function; as an argument, its bytes.

    It may still be computed, elsewhere: who asks for anything about it waits until it is there.
    """

    made: "Record | Pending | Member"
    store: Store = field(repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process with its bytes, since the store stays here."""
        return _received, (self.record, self.store.read(self.record))

    @property
    def record(self) -> Record:
        return self.made if isinstance(self.made, Record) else self.made.record()

    @property
    def sha256(self) -> str:
        return self.record.sha256

    @property
    def digest(self) -> str:
        return self.record.sha256

    @property
    def name(self) -> str:
        """The file's name in a site's media folder."""
        return self.record.name

    @property
    def media_type(self) -> str:
        return self.record.media_type

    @property
    def info(self) -> dict[str, Any]:
        return self.record.info

    @property
    def value(self) -> Any:
        """The Sound (int16 samples), or the value of the Data, or the array, or the tensors.

        Raises: StoreError if the object is damaged; TypeError for pictures and films.
        """
        value = self._value
        if (read := _read.get()) is not None:
            read[self.sha256] = self
        return value

    @property
    def is_word(self) -> bool:
        """True for data that is a number or a text, which can stand in a sentence."""
        return self.media_type == "application/json" and isinstance(self.value, str | int | float)

    def __format__(self, spec: str) -> str:
        """Format the number or text of data, as in f"{ratio:.1f} dB".

        Raises: TypeError for a format of anything else.
        """
        if self.is_word:
            return format(self.value, spec)
        if not spec:
            return repr(self)
        maker = self.record.function.rpartition(".")[2]
        raise TypeError(
            f"{maker}(…) made {self.media_type}, which is no number and no text: "
            f"{spec!r} can not format it"
        )

    @functools.cached_property
    def _value(self) -> Any:
        media = decode(self.store.read(self.record), self.media_type)
        if isinstance(media, Array):
            return media.values
        if isinstance(media, Weights):
            return media.tensors
        return media.value if isinstance(media, Data) else media


_read: ContextVar[dict[str, Artifact] | None] = ContextVar("read", default=None)


@contextmanager
def noting_reads() -> Iterator[None]:
    """Note in this block the artifacts whose values are read."""
    token = _read.set({})
    try:
        yield
    finally:
        _read.reset(token)


def artifacts_read() -> tuple[Artifact, ...]:
    """Return the artifacts whose values were read so far, in the innermost block that notes it."""
    return tuple((_read.get() or {}).values())


def _received(record: Record, data: bytes) -> Artifact:
    store = MemoryStore()
    store.take(record, data)
    return Artifact(record, store)


@dataclass(frozen=True)
class Request:
    """One call of a conjured function: the things that it depends on, and how to compute it."""

    function: str
    code: ReachableCode
    parts: dict[str, Any]  # INGREDIENTS -> JSON
    arguments: dict[str, str]  # for people
    inputs: list[str]
    definition: Callable[..., Any] = field(repr=False)
    bound: inspect.BoundArguments = field(repr=False)

    @functools.cached_property
    def key(self) -> str:
        return key_of(self.parts)

    @functools.cached_property
    def values(self) -> dict[str, str]:
        """Digests of arguments and globals, and the devices: they show which of them changed.

        The value of a global is there if it is a number. Texts are not, since they may be secrets.
        """
        variables = {
            name: f"{digest[:16]}{self._number(name)}"
            for name, digest in self.parts["globals"].items()
        }
        return {**self.parts["arguments"], **variables, "device": json.dumps(self.parts["device"])}

    def _number(self, name: str) -> str:
        value = next(runtime_value(r) for r in self.code.variables if f"global {r}" == name)
        return f" {value!r}" if isinstance(value, int | float) else ""


def key_of(parts: dict[str, Any]) -> str:
    """The key of a call with these INGREDIENTS."""
    return _digest([[name, parts[name]] for name in INGREDIENTS])


@dataclass(frozen=True)
class Made:
    """The media file that a call was computed to, the seconds that took, and the machine."""

    encoded: Encoded
    seconds: float
    machine: dict[str, str]
    members: dict[str, Encoded] = field(default_factory=dict)  # if the call returned several media


class Workers(Protocol):
    """Processes that compute calls side by side."""

    def start(self, request: Request, store: Store) -> Future[Made] | None:
        """Begin to compute a call as it is now; None if that is to be done here."""

    def note(self, request: Request, made: Made) -> None:
        """Take note of how a call was computed, wherever that was."""


class CallFailed(BaseException):
    """A worker could not compute the call with this key. No Exception: no article catches it."""

    def __init__(self, key: str):
        super().__init__(key)
        self.key = key


@dataclass(frozen=True)
class Pending:
    """A record that a worker still makes."""

    request: Request
    future: Future[Record] = field(repr=False)
    session: "Session" = field(repr=False)

    def record(self) -> Record:
        """Wait for the record. Raises: CallFailed, StoreError."""
        return self.session.wait(self)


@dataclass(frozen=True)
class Member:
    """One of the media that a call returned. It is there when the call's own record is."""

    whole: Record | Pending
    name: str
    session: "Session" = field(repr=False)

    def record(self) -> Record:
        """Wait for the record. Raises: CallFailed, StoreError."""
        return self._record

    @functools.cached_property
    def _record(self) -> Record:
        whole = self.whole.record() if isinstance(self.whole, Pending) else self.whole
        return self.session.member(whole, self.name)


@dataclass
class Session:
    """The store in use, and the calls so far that were looked up there."""

    store: Store
    progress: Callable[[Record], None] | None = None
    force: tuple[str, ...] = ()  # patterns of names of calls that are computed again
    workers: Workers | None = None
    here: frozenset[str] = frozenset()  # keys of calls that no worker could compute
    made: set[str] = field(default_factory=set)  # keys of calls that were computed
    hits: int = 0  # calls that were found, each counted once
    seconds: float = 0.0  # spent in conjured functions
    article: str = ""
    # Of the article, by key: name and record.
    calls: dict[str, tuple[str, Record | Pending]] = field(default_factory=dict)
    _names: Counter[str] = field(default_factory=Counter)
    _forced: set[str] = field(default_factory=set)  # keys
    # Records, as workers make them, and the first error that stopped them.
    _finished: SimpleQueue[Record] = field(default_factory=SimpleQueue)
    _failure: BaseException | None = None
    _stopped: mmap = field(default_factory=lambda: mmap(-1, 1))  # shared with processes: 1 if so
    _process: int = field(default_factory=os.getpid)
    _counting: Lock = field(default_factory=Lock)

    @property
    def computed(self) -> int:
        """The number of calls that were computed."""
        return len(self.made)

    def begin(self, article: str) -> None:
        """Count the calls from now on, which are those of an article."""
        self.article, self.calls, self._names = article, {}, Counter()
        self.store.recall(article)

    def finish(self) -> Build:
        """Store the article's calls."""
        build = Build(self.article, self.settled_calls())
        self.store.put_build(build)
        return build

    def result(self, request: Request) -> Record | Pending:
        """Return the record of a call, from the store or computed. Failures are not stored.

        Raises: CallFailed or StoreError, also of an earlier call that a worker computed.
        """
        self._tell_progress()
        if request.key not in self.calls:
            name = self.name_of(request)
            record = self.resolve(name, request)
            self.calls[request.key] = name, record
            if self.progress and isinstance(record, Record):
                self.progress(record)
        return self.calls[request.key][1]

    def settled_calls(self) -> list[tuple[str, Record]]:
        """Wait for all calls, and return names and records of them and their members.

        Raises: as `result`.
        """
        for key, (name, record) in self.calls.items():
            if isinstance(record, Pending):
                self.calls[key] = name, record.record()
        settled = []
        for name, record in self.calls.values():
            if isinstance(record, Record):
                settled.append((name, record))
                for member in members_of(record):
                    settled.append((f"{name}/{member}", self.member(record, member)))
        return settled

    def members(self, whole: Record) -> list[str]:
        """Return the names of the results of a call that makes several."""
        return members_of(whole)

    def member(self, whole: Record, name: str) -> Record:
        """Return the record of one of several results. Raises: StoreError if it is not there."""
        record = self.store.find(member_key(whole.key, name))
        if record is None:
            raise StoreError(
                f"{name} of {whole.function} is not in the store; "
                f"build with --force {whole.key[:12]} to compute it anew"
            )
        return record

    def name_of(self, request: Request) -> str:
        """Name a call, such as "rendered/3": the article's third call of this function."""
        short = request.function.rsplit(".", 1)[-1]
        self._names[short] += 1
        return f"{short}/{self._names[short]}"

    def resolve(self, name: str, request: Request) -> Record | Pending:
        """Find the record under the request's key, or compute and store it."""
        forced = any(matches(pattern, self.article, name, request.key) for pattern in self.force)
        if forced and request.key not in self.made:
            self._forced.add(request.key)
            self.store.forget(request.key)
        if (record := self.store.find(request.key)) is not None:
            self.hits += request.key not in self.made
            return record
        # Read now, as the values and modules of the moment are what the key names.
        _ = request.values, request.code.source()
        # A process that the article has started can not hear from the workers of this one.
        ours = self.workers if os.getpid() == self._process else None
        made = ours.start(request, self.store) if ours and request.key not in self.here else None
        if made is None:
            return self._keep(request, compute(request, self.store))
        return self._expect(request, made)

    def _expect(self, request: Request, made: Future[Made]) -> Pending:
        """Store what a worker makes as soon as it is there, in whichever thread."""
        kept: Future[Record] = Future()

        def keep(done: Future[Made]) -> None:
            try:
                record = self._keep(request, done.result())
            except BaseException as error:
                final = isinstance(error, StoreError | WorkerError)
                stop = error if final else CallFailed(request.key)
                self._failure = self._failure or stop
                self._stopped[0] = 1
                kept.set_exception(stop)
            else:
                kept.set_result(record)
                self._finished.put(record)  # who waits wakes up

        made.add_done_callback(keep)
        return Pending(request, kept, self)

    def _keep(self, request: Request, made: Made) -> Record:
        with self._counting:
            self.made.add(request.key)
            self.seconds += made.seconds
        if self.workers:
            self.workers.note(request, made)
        self.store.put_source(request.code.digest, request.code.source())
        for member, encoded in made.members.items():
            key = member_key(request.key, member)
            if request.key in self._forced:
                self.store.forget(key)
            self.store.put(encoded, **_making(request, made, key))
        return self.store.put(made.encoded, **_making(request, made, request.key))

    def wait(self, pending: Pending) -> Record:
        """Return the record when it is there. Raises: CallFailed or StoreError, of any call."""
        while not pending.future.done():
            if os.getpid() != self._process:
                return self._wait_for_other_process(pending.request)
            self._tell_progress(POLL)
        return pending.future.result()

    def _wait_for_other_process(self, request: Request) -> Record:
        """Return the record in a process that the article has started, when it is stored.

        If a call has failed it may never be: then it is computed here, with the error it has.
        """
        while (record := self.store.find(request.key)) is None:
            if self._stopped[0]:
                return self._keep(request, compute(request, self.store))
            time.sleep(POLL)
        return record

    @property
    def failed(self) -> CallFailed | None:
        """The first call that a worker could not compute, perhaps one not asked about yet."""
        return self._failure if isinstance(self._failure, CallFailed) else None

    def _tell_progress(self, seconds: float = 0.0) -> None:
        """Tell of records that workers have made, or waits so long for the first."""
        while True:
            if self._failure is not None:
                raise self._failure
            try:
                record = (
                    self._finished.get(timeout=seconds) if seconds else self._finished.get(False)
                )
            except Empty:
                return
            seconds = 0.0
            if self.progress:
                self.progress(record)


POLL = 0.1  # seconds


def compute(request: Request, store: Store) -> Made:
    """Compute a call. Calls that it makes itself are looked up in the store, too.

    They are no calls of the article, which does not make them if this one is found.
    Raises: ReportError if the call changed an argument, or a global that its key depends on.
    """
    start = time.perf_counter()
    with use_session(Session(store)), numbers_of(request.key), _warnings_name(request):
        result = request.definition(*request.bound.args, **request.bound.kwargs)
        encoded, members = encode_result(result, request.definition)
    check_unedited(request.code.modules)
    _check_unchanged(request)
    return Made(encoded, time.perf_counter() - start, fingerprint(), members)


@contextmanager
def _warnings_name(request: Request) -> Iterator[None]:
    """Let warnings inside say which call they are from; all other handling stays as it is."""
    function = request.function.rpartition(".")[2]
    arguments = ", ".join(f"{name}={text}" for name, text in request.arguments.items())
    before = warnings.formatwarning

    def named(*args: Any, **kwargs: Any) -> str:
        return f"in {function}({arguments[:LONGEST_WARNED]}): {before(*args, **kwargs)}"

    warnings.formatwarning = named
    try:
        yield
    finally:
        warnings.formatwarning = before


def _check_unchanged(request: Request) -> None:
    """Raise ReportError if a call changed what its key is made of.

    The article would see the change if the call was computed in its own process, and not if another
    one computed it, or if it was found.
    """
    short = request.function.rpartition(".")[2]
    for name, value in request.bound.arguments.items():
        before = request.parts["arguments"][name]
        if not is_immutable(value) and _digest_now(request.function, name, value) != before:
            raise ReportError(
                f"{short} changed its argument {name!r}, so later calls would depend on where this "
                f"one was computed; {_advice(name, value)}"
            )
    try:
        now = variable_digests(request.code.variables, Walk())
    except TypeError:
        now = {}
    for name, digest in request.parts["globals"].items():
        if now.get(name) != digest:
            raise ReportError(
                f"{short} changed the {name}, so later calls would depend on where this one was "
                "computed; let it work on a copy, or return what changes"
            )


def _digest_now(function: str, argument: str, value: object) -> str:
    """Return the digest of an argument after the call; "" if it has none any more."""
    try:
        return _digest(identity(value, f"{function}: argument {argument!r}", Walk()))
    except (TypeError, ReportError):
        return ""


def _advice(name: str, value: object) -> str:
    """Say how a function leaves an argument as it was."""
    if isinstance(value, Path):
        return "write to another place than it reads from"
    copy = "sklearn.base.clone" if hasattr(value, "get_params") else "copy.deepcopy"
    return f"begin with `{name} = {copy}({name})`"


def _making(request: Request, made: Made, key: str) -> Making:
    return {
        "key": key,
        "function": request.function,
        "code": request.code.digest,
        "arguments": request.arguments,
        "values": request.values,
        "versions": request.code.versions,
        "inputs": request.inputs,
        "seconds": made.seconds,
        "machine": made.machine,
    }


def matches(pattern: str, article: str, name: str, digest: str = "") -> bool:
    """Return True if a pattern means a call.

    Patterns are "music/rendered/3", "rendered/3", "rendered", "music/*", or the start of a digest.
    One that names a member means the call that makes it, too.
    """
    for named in (name, f"{article}/{name}"):
        if fnmatch(named, pattern) or fnmatch(named, f"{pattern}/*"):
            return True
        if pattern.startswith(f"{named}/"):
            return True
    return len(pattern) >= 8 and digest.startswith(pattern)


_session: ContextVar[Session] = ContextVar("session")


@contextmanager
def use_store(store: Store, progress: Callable[[Record], None] | None = None) -> Iterator[Session]:
    """Make conjured functions that are called inside use `store`.

    `progress` is called with each record.
    """
    with use_session(Session(store, progress)) as session:
        yield session


@contextmanager
def use_session(session: Session) -> Iterator[Session]:
    """Make conjured functions that are called inside ask this session."""
    token = _session.set(session)
    try:
        yield session
    finally:
        _session.reset(token)


_script = ""  # the module of the article that runs; forks have it, too


@contextmanager
def use_script(module: str) -> Iterator[None]:
    """Let the keys of calls that are made inside see how an article sets up libraries.

    `module` is the name of the article's module.
    """
    global _script
    before, _script = _script, module
    try:
        yield
    finally:
        _script = before


def script_folder() -> Path | None:
    """Return the folder of the article that runs; None if none does."""
    file = getattr(sys.modules.get(_script), "__file__", None)
    return Path(file).parent if file else None


def active_session() -> Session:
    """Return the session in use; outside every `use_store`, one that keeps artifacts in memory."""
    return _session.get(None) or _default


_default = Session(MemoryStore())


def set_default_store(store: Store) -> None:
    """Let calls outside every `use_store` use a store, as those in a notebook do."""
    global _default
    _default = Session(store)


def conjure(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function that returns media: it now returns the Artifact, computed at most once.

    The function must be pure: same arguments, same media, and arguments stay as they are. Annotate
    its return type, as in `-> Sound`: then the key depends on how sounds become bytes, and not on
    how figures do. One that says `-> tuple[Sound, Array]` or `-> dict[str, Sound]` returns a tuple
    or dict of Artifacts. A tuple whose length it says is there at once; a dict waits until the call
    is computed.
    A call raises TypeError if the function returns something else, or if an argument or a global
    that it reads has no value to key it by; ReportError if the function changed one of these.
    """
    inner = inspect.unwrap(function)  # other decorators stand in the source, and are followed there
    if not isinstance(inner, FunctionType):
        raise TypeError(
            f"{inner!r} is no function; a decorator below @conjure has to use functools.wraps"
        )
    if inner.__code__.co_freevars:
        names = ", ".join(inner.__code__.co_freevars)
        raise TypeError(
            f"{inner.__qualname__} uses {names} from the function around it; pass it as an argument"
        )
    signature = inspect.signature(function)

    @functools.wraps(function)
    def conjured(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        session = active_session()
        return _artifacts(session.result(request_of(function, bound)), function, session)

    return conjured


def _artifacts(
    made: Record | Pending, function: Callable[..., Any], session: Session
) -> Artifact | tuple[Artifact, ...] | dict[str, Artifact]:
    """Return the artifact of a call, or those of its members in the container it returns."""
    expected = expected_of(function)
    if expected.container is None:
        return Artifact(made, session.store)
    if expected.count is not None:
        names = [str(i) for i in range(1, expected.count + 1)]
    else:
        whole = made.record() if isinstance(made, Pending) else made
        names = session.members(whole)
    artifacts = {name: Artifact(Member(made, name, session), session.store) for name in names}
    return artifacts if expected.container is dict else tuple(artifacts.values())


def request_of(function: Callable[..., Any], bound: inspect.BoundArguments) -> Request:
    """Return the request of a call. Raises: TypeError for a value that has no identity."""
    name, walk = full_name(function.__module__, function.__qualname__), Walk()
    _warn_of_file_names(function, bound.arguments)
    arguments = {
        argument: _digest(identity(value, f"{name}: argument {argument!r}", walk))
        for argument, value in bound.arguments.items()
    }
    code = code_of(function, frozenset(walk.roots), find_module(_script))
    parts = {
        "function": name,
        "code": code.digest,
        "arguments": arguments,
        "globals": variable_digests(code.variables, walk),
        "libraries": code.versions,
        "device": [*walk.devices, *_defaults(code)],
    }
    readings = {argument: _reading(value) for argument, value in bound.arguments.items()}
    return Request(name, code, parts, readings, walk.inputs, function, bound)


def _reading(value: object) -> str:
    text = readable(value)
    return text if len(text) <= LONGEST_READING else f"{text[:LONGEST_READING]}…"


_warned: set[tuple[str, str]] = set()  # functions and their arguments


def _warn_of_file_names(function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Warn of a text that is the name of a file, once for each argument of a function."""
    for argument, value in arguments.items():
        place = (full_name(function.__module__, function.__qualname__), argument)
        if not isinstance(value, str) or place in _warned or not _names_file(value):
            continue
        _warned.add(place)
        code = function.__code__
        warnings.warn_explicit(
            f"argument {argument!r} of {function.__name__} is the text {value!r}, which names a"
            " file: its name is in the key, and not what is in it; give a pathlib.Path",
            NotFollowed,
            code.co_filename,
            code.co_firstlineno,
        )


def _names_file(text: str) -> bool:
    return "." in text[-10:] and os.path.isfile(text)


def _defaults(code: ReachableCode) -> list[list[str]]:
    """PyTorch's default device; also whether CUDA exists, if the code asks.

    They are the same before PyTorch is imported, as by a function that is called first.
    """
    if "torch" not in code.versions:
        return []
    torch = sys.modules.get("torch")
    devices = [["default", torch.get_default_device().type if torch else "cpu"]]
    if code.chooses_device:
        cuda = import_module("torch").cuda.is_available()
        devices.append(["found", "cuda" if cuda else "none"])
    return devices


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


register_results(conjure, Artifact, decode, encode, _ENCODERS)
