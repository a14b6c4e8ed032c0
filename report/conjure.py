"""`@conjure`: compute media once, keep them, and find them again by what they depend on.

The key of a result is a hash of the function's name, its project's source, its arguments and the globals it reads by
value, and the versions of Python and of the libraries that make numbers. It rebuilds too much (any edit in a project
package changes every key) and is meant never to rebuild too little; what a function reads in another way, such as a
file whose name it makes up itself, it should be given as an argument.
"""

import dataclasses
import dis
import functools
import hashlib
import importlib.metadata
import inspect
import json
import platform
import reprlib
import sys
import time
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from report.errors import ReportError
from report.media import Media, decode, encode
from report.source import source_digest
from report.store import MemoryStore, Record, Store

# Libraries that make numbers or media: another version may give other bytes.
LIBRARIES = ("matplotlib", "numpy", "pillow", "scikit-learn", "scipy", "soundfile", "soxr", "torch")


@dataclass(frozen=True, eq=False)
class Artifact:
    """One stored media file: what a conjured function returns. As an argument it stands for its bytes."""

    record: Record
    store: Store = field(repr=False)

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
    def info(self) -> dict:
        return self.record.info

    @functools.cached_property
    def value(self) -> Any:
        """The Sound (int16 samples), or what the Data held. Raises: StoreError if the object is damaged."""
        media = decode(self.store.read(self.record), self.media_type)
        return getattr(media, "value", media)


@dataclass
class Session:
    """The store in use, and what has been asked of it so far."""

    store: Store
    progress: Callable[[Record], None] | None = None
    hits: int = 0
    computed: int = 0
    seconds: float = 0.0  # spent in conjured functions

    def result(self, key: str, compute: Callable[[], Media], **made) -> Record:
        """The record stored under `key`, after computing and storing it if there is none. Failures are not kept."""
        record = self.store.find(key)
        if record is None:
            start = time.perf_counter()
            encoded = encode(compute())
            seconds = time.perf_counter() - start
            record = self.store.put(key, encoded, seconds=seconds, **made)
            self.computed, self.seconds = self.computed + 1, self.seconds + seconds
        else:
            self.hits += 1
        if self.progress:
            self.progress(record)
        return record


_session: ContextVar[Session] = ContextVar("session")


@contextmanager
def use_store(store: Store, progress: Callable[[Record], None] | None = None) -> Iterator[Session]:
    """Conjured functions called inside look up and store in `store`; `progress` hears of each record."""
    token = _session.set(Session(store, progress))
    try:
        yield _session.get()
    finally:
        _session.reset(token)


def active_session() -> Session:
    """The session in use; outside every `use_store`, one that keeps artifacts in memory."""
    if (session := _session.get(None)) is None:
        _session.set(session := Session(MemoryStore()))
    return session


def conjure(function: Callable[..., Media]) -> Callable[..., Artifact]:
    """Decorate a function that returns media so that it returns the stored Artifact, computed at most once.

    The function must be pure: same arguments, same media. Raises, when called: TypeError if it returns no media or if
    an argument or a global that it reads has no value to key it by.
    """
    if function.__code__.co_freevars:
        names = ", ".join(function.__code__.co_freevars)
        raise TypeError(f"{function.__qualname__} uses {names} from the function around it; pass it as an argument")
    signature = inspect.signature(function)
    name = f"{function.__module__}.{function.__qualname__}"

    @functools.wraps(function)
    def conjured(*args, **kwargs) -> Artifact:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        code, versions = code_digest(function), library_versions()
        values = {x: _identity(value, f"{name}: argument {x!r}") for x, value in bound.arguments.items()}
        values_read = {x: _identity(value, f"{name}: global {x!r}") for x, value in _globals_read(function).items()}
        session = active_session()
        record = session.result(
            _hash_json([name, code, values, values_read, versions]),
            lambda: _media(function(*args, **kwargs), name),
            function=name,
            code=code,
            arguments={x: _readable(value) for x, value in bound.arguments.items()},
            versions=versions,
        )
        return Artifact(record, session.store)

    return conjured


def _media(result: object, name: str) -> Media:
    if not isinstance(result, Media):
        kinds = ", ".join(kind.__name__ for kind in Media.__args__)
        raise TypeError(f"{name} returned {type(result).__name__}; a conjured function returns one of {kinds}")
    return result


@functools.cache
def library_versions() -> dict[str, str]:
    """Versions of Python and of those LIBRARIES that are installed."""
    versions = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            versions[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def code_digest(function: Callable) -> str:
    """Hash of all source that `function` may depend on, see `report.source`."""
    try:
        return source_digest(Path(inspect.getsourcefile(function)).resolve().parent)
    except (TypeError, OSError) as error:
        raise ReportError(f"the source of {function.__qualname__} can not be read; define it in a file") from error


def _globals_read(function: Callable) -> dict[str, Any]:
    """The globals that `function` itself reads; modules, classes and functions stand there by name, being source."""
    codes, names = [function.__code__], set()
    while codes:
        code = codes.pop()
        codes += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
        names |= {step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return {name: _named(function.__globals__[name]) for name in sorted(names) if name in function.__globals__}


def _named(value: object) -> object:
    """`value`, with the name in the place of whatever is source, also inside lists and dicts."""
    if isinstance(value, types.ModuleType | type) or (callable(value) and hasattr(value, "__name__")):
        return value.__name__
    if isinstance(value, dict):
        return {key: _named(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_named(item) for item in value]
    return value


def _identity(value: object, what: str) -> Any:
    """JSON that is equal for equal values only. Raises: TypeError, naming `what`, for a value that has none."""
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if isinstance(getattr(value, "digest", None), str):
        # a model on another kind of device makes other numbers
        return [kind, value.digest, str(getattr(value, "device", "")).split(":")[0]]
    if value is None or isinstance(value, bool | int | float | str) and not isinstance(value, np.generic):
        return [kind, repr(value)]
    if isinstance(value, bytes):
        return [kind, _hash(value)]
    if isinstance(value, Path):
        return ["path", value.name, _path_digest(value, what)]
    if isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
        return ["array", np.lib.format.dtype_to_descr(value.dtype), value.shape, _hash(value.tobytes())]
    if _is_tensor(value):
        numbers = value.detach().cpu().contiguous().flatten().view(sys.modules["torch"].uint8).numpy()
        return ["tensor", str(value.dtype), list(value.shape), _hash(numbers.tobytes())]
    if isinstance(value, tuple | list):
        return [kind, [_identity(item, f"{what}[{i}]") for i, item in enumerate(value)]]
    if isinstance(value, set | frozenset):
        return [kind, sorted((_identity(item, what) for item in value), key=json.dumps)]
    if isinstance(value, dict):
        return [kind, sorted(([_identity(k, what), _identity(v, f"{what}[{k!r}]")] for k, v in value.items()), key=str)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and value.__dataclass_params__.frozen:
        fields = [f.name for f in dataclasses.fields(value)]
        return [kind, [[name, _identity(getattr(value, name), f"{what}.{name}")] for name in fields]]
    raise TypeError(
        f"{what} is a {kind}, which has no value to key it by; pass plain values, paths, arrays, "
        "a frozen dataclass, or give it a `digest` attribute (a str that changes when it does)"
    )


def _is_tensor(value: object) -> bool:
    return "torch" in sys.modules and isinstance(value, sys.modules["torch"].Tensor)


def _path_digest(path: Path, what: str) -> str:
    """Hash of a file's bytes, or of all file names and bytes in a folder."""
    try:
        if not path.is_dir():
            return _file_digest(path)
        files = sorted(file for file in path.rglob("*") if file.is_file())
        return _hash_json([[file.relative_to(path).as_posix(), _file_digest(file)] for file in files])
    except OSError as error:
        raise ReportError(f"{what}: cannot read {path}: {error.strerror}") from error


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _readable(value: object) -> str:
    """A short text for the record: no memory addresses, no paths of this machine, nothing long."""
    if isinstance(digest := getattr(value, "digest", None), str):
        return f"{type(value).__name__} {digest[:12]}"
    if isinstance(value, Path):
        return value.name
    if isinstance(value, np.ndarray) or _is_tensor(value):
        return f"{type(value).__name__} {str(value.dtype)} {tuple(value.shape)}"
    if isinstance(value, tuple | list):
        text = ", ".join(map(_readable, value[:8])) + (", …" if len(value) > 8 else "")
        return f"[{text}]" if isinstance(value, list) else f"({text})"
    if dataclasses.is_dataclass(value):
        text = ", ".join(f"{f.name}={_readable(getattr(value, f.name))}" for f in dataclasses.fields(value))
        return f"{type(value).__name__}({text})"
    return reprlib.repr(sorted(value, key=repr) if isinstance(value, set | frozenset) else value)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hash_json(value: object) -> str:
    return _hash(json.dumps(value, sort_keys=True).encode())
