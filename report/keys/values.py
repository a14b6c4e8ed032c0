"""What a value is, for a key: equal for equal values only, in whatever way they are held in memory."""

import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import hashlib
import json
import operator
import os
import re
import reprlib
import stat
import sys
import time
import types
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from report.errors import ReportError
from report.keys.source import Reference, find_module

# Types whose values their repr tells apart.
PLAIN = (bool, int, float, complex, str, range, decimal.Decimal, fractions.Fraction, uuid.UUID) + (
    datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo, type(None), type(...), type(NotImplemented),
)  # fmt: skip
ARTIFACT = "report.artifacts.session.Artifact"
SHORT = reprlib.Repr()
SHORT.maxstring = 120  # letters of a text in a record
BUILT_IN = {kind: f"builtins.{kind.__name__}" for kind in (bool, int, float, str, type(None))}
SETTLED = 50_000_000  # ns since a file was written after which its time stamp tells it from a later writing


@dataclass
class Walk:
    """What was met on the way through values: project code, artifacts, and kinds of devices."""

    roots: set[Reference] = field(default_factory=set)
    inputs: list[str] = field(default_factory=list)  # sha256 of artifacts
    devices: list[list[str]] = field(default_factory=list)  # [where, kind]


def identity(value: object, what: str, walk: Walk, paths: bool = True) -> Any:
    """JSON that is equal for equal values only.

    A path stands for the bytes that it leads to, and for its suffix; with paths=False it has no identity, so that a
    global path does not stand for a whole data set. Raises: TypeError, naming `what`, for a value that has none.
    """
    if type(value) in BUILT_IN:  # most values are one of these
        return [BUILT_IN[type(value)], repr(value)]
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    walk.roots |= _code_of_type(type(value))
    if isinstance(digest := getattr(value, "digest", None), str) and not isinstance(value, type):
        return _digested(value, kind, digest, what, walk)
    if isinstance(value, Path) and paths:
        return ["path", value.suffix, path_digest(value, what)]
    if (teller := _teller(value)) is not None:

        def tell(item: object, where: str) -> Any:
            return identity(item, where, walk, paths)

        return [kind, teller(value, what, tell, walk), *_state(value, what, tell)]
    raise TypeError(
        f"{what} is a {kind}, which has no value to key it by; pass plain values, paths, arrays, dataclasses, "
        "functions of a module, or give it a `digest` attribute (a str that changes when it does)"
    )


def _state(value: object, what: str, tell: Callable[[object, str], Any]) -> list:
    """What a value holds besides what its kind tells: attributes of a dataclass or of a list of one's own."""
    if isinstance(value, type | types.ModuleType | enum.Enum | functools.partial) or is_function(
        value
    ):
        return []
    known = (
        {f.name for f in dataclasses.fields(value)} if dataclasses.is_dataclass(value) else set()
    )
    kept = {
        name: item
        for name, item in getattr(value, "__dict__", {}).items()
        if name not in known
        and not isinstance(getattr(type(value), name, None), functools.cached_property)
    }
    kept |= (
        {"default_factory": factory} if (factory := getattr(value, "default_factory", None)) else {}
    )
    return [tell(kept, what)] if kept else []


def _digested(value: object, kind: str, digest: str, what: str, walk: Walk) -> list:
    """Something that knows its own digest, such as a model, whose device decides on its numbers too, or an artifact."""
    if device := getattr(value, "device", None):
        walk.devices.append([what, str(device).partition(":")[0]])
    if kind == ARTIFACT:
        walk.inputs.append(digest)
        walk.roots.discard(
            Reference("symbol", *ARTIFACT.rsplit(".", 1))
        )  # its code is the store's, not the result's
        walk.roots.add(Reference("symbol", "report.artifacts.media", "decode"))
    return [kind, digest]


def symbol_of(value: object) -> Reference | None:
    """The top-level symbol of a project function or class."""
    if not isinstance(value, type | types.FunctionType):
        return None
    module, name = find_module(value.__module__), value.__qualname__.partition(".")[0]
    return Reference("symbol", module.name, name) if module and name in module.definitions else None


@functools.lru_cache(maxsize=4096)
def _code_of_type(kind: type) -> set[Reference]:
    return {symbol} if (symbol := symbol_of(kind)) else set()


def is_function(value: object) -> bool:
    """Whether a value is a function, or wraps one, as functools.cache and @conjure do."""
    return isinstance(getattr(value, "__wrapped__", value), types.FunctionType)


def is_immutable(value: object) -> bool:
    """Whether a value is sure to stay what it is."""
    return (
        isinstance(value, PLAIN + (bytes,))
        or type(value) is tuple
        and all(map(is_immutable, value))
    )


# ---- what tells the values of a type apart, as JSON: (value, what, tell, walk); tell(item, what) is for its parts


def _teller(value: object) -> Callable[..., Any] | None:
    for kinds, teller in _TELLERS:
        if isinstance(value, kinds):
            return teller
    if dataclasses.is_dataclass(value):
        return _fields
    if is_function(value):
        return _function
    if torch := sys.modules.get("torch"):
        kinds = {
            torch.Tensor: _tensor,
            torch.dtype: _plain,
            torch.device: lambda device, *_: device.type,
        }
        return next((teller for kind, teller in kinds.items() if isinstance(value, kind)), None)
    return None


def _plain(value: object, *_: object) -> str:
    return repr(value)


def _bytes(value: bytes, *_: object) -> str:
    return _hash(value)


def _array(value: np.ndarray, what: str, *_: object) -> list:
    if value.dtype.hasobject:
        raise TypeError(
            f"{what} is an array of Python objects, which has no value to key it by; give it a number type"
        )
    return [
        np.lib.format.dtype_to_descr(value.dtype),
        value.shape,
        _hash(np.ascontiguousarray(value)),
    ]


def _tensor(value: Any, what: str, _tell: Callable, walk: Walk) -> list:
    walk.devices.append([what, value.device.type])
    numbers = value.detach().cpu().contiguous().flatten().view(sys.modules["torch"].uint8).numpy()
    return [str(value.dtype), list(value.shape), _hash(numbers)]


def _enum(value: enum.Enum, what: str, tell: Callable, *_: object) -> list:
    return [value.name, tell(value.value, what)]


def _sequence(value: list | tuple, what: str, tell: Callable, *_: object) -> list:
    return [tell(item, f"{what}[{i}]") for i, item in enumerate(value)]


def _set(value: set | frozenset, what: str, tell: Callable, *_: object) -> list:
    return sorted((tell(item, what) for item in value), key=json.dumps)


def _dict(value: dict, what: str, tell: Callable, *_: object) -> list:
    return sorted(
        ([tell(k, what), tell(item, f"{what}[{k!r}]")] for k, item in value.items()), key=json.dumps
    )


def _slice(value: slice, what: str, tell: Callable, *_: object) -> list:
    return [tell(part, what) for part in (value.start, value.stop, value.step)]


def _pattern(value: re.Pattern, *_: object) -> list:
    return [repr(value.pattern), value.flags]


def _fields(value: Any, what: str, tell: Callable, *_: object) -> list:
    names = [f.name for f in dataclasses.fields(value)]
    return [[name, tell(getattr(value, name), f"{what}.{name}")] for name in names]


def _partial(value: functools.partial, what: str, tell: Callable, *_: object) -> list:
    return [tell(part, what) for part in (value.func, value.args, value.keywords)]


def _function(value: Any, what: str, _tell: Callable, walk: Walk) -> str:
    """A function or class of a module, by name: its code is followed like that of any other."""
    function = getattr(value, "__wrapped__", value)
    source = getattr(function, "__module__", None) or type(function).__module__
    name = getattr(function, "__qualname__", None) or function.__name__
    if "<" in name or not _stands_there(value, source, name):  # what it closes over can not be seen
        raise TypeError(
            f"{what} is {name}, which has no name to key it by; pass a function of a module"
        )
    kind = "symbol" if find_module(source) else "external"
    walk.roots.add(Reference(kind, source, name.partition(".")[0]))
    return f"{source}.{name}"


def _stands_there(value: object, source: str, name: str) -> bool:
    """Whether a module has this very function under its name: others may only call themselves so."""
    try:
        return operator.attrgetter(name)(sys.modules[source]) is value
    except (KeyError, AttributeError):
        return not isinstance(value, types.FunctionType) and not hasattr(value, "__wrapped__")


def _module(value: types.ModuleType, _what: str, _tell: Callable, walk: Walk) -> str:
    walk.roots.add(
        Reference("module" if find_module(value.__name__) else "external", value.__name__)
    )
    return value.__name__


_TELLERS: list[
    tuple[Any, Callable[..., Any]]
] = [  # the first that fits is taken: a NumPy float is a float, too
    ((np.ndarray, np.generic), _array),
    (enum.Enum, _enum),
    (PLAIN, _plain),
    ((bytes, bytearray), _bytes),
    ((tuple, list), _sequence),
    ((set, frozenset), _set),
    ((dict, types.MappingProxyType), _dict),
    (slice, _slice),
    (re.Pattern, _pattern),
    (np.dtype, _plain),
    (functools.partial, _partial),
    (types.ModuleType, _module),
    ((type, types.BuiltinFunctionType, np.ufunc), _function),
]


# ---- files


_files: dict[tuple, str] = {}


def path_digest(path: Path, what: str) -> str:
    """Hash of a file's bytes, or of all file names and bytes in a folder. No file is read twice while it is unchanged.

    Raises: ReportError if it can not be read.
    """
    try:
        if not path.is_dir():
            return _file_digest(path)
        files = sorted(
            Path(folder, name)
            for folder, _, names in os.walk(path, followlinks=True)
            for name in names
        )
        told = [[file.relative_to(path).as_posix(), _file_digest(file)] for file in files]
        return _hash(json.dumps(told).encode())
    except OSError as error:
        raise ReportError(f"{what}: cannot read {path}: {error.strerror or error}") from error


def _file_digest(path: Path) -> str:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(f"{path} is no file")
    key = str(path.resolve()), status.st_size, status.st_mtime_ns, status.st_ino
    if key not in _files:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if time.time_ns() - status.st_mtime_ns < SETTLED:
            return digest
        _files[key] = digest
    return _files[key]


def readable(value: object) -> str:
    """A short text for the record: no memory addresses, no paths of this machine, nothing long."""
    if isinstance(digest := getattr(value, "digest", None), str):
        return f"{type(value).__name__} {digest[:12]}"
    if isinstance(value, Path):
        return value.name
    if isinstance(value, np.ndarray) or _teller(value) is _tensor:
        return f"{type(value).__name__} {str(value.dtype)} {tuple(value.shape)}"
    if isinstance(value, type) or is_function(value):
        return getattr(value, "__qualname__", type(value).__name__)
    if isinstance(value, functools.partial):
        return f"partial {readable(value.func)}"
    if isinstance(value, tuple | list):
        text = ", ".join(map(readable, value[:8])) + (", …" if len(value) > 8 else "")
        return f"[{text}]" if isinstance(value, list) else f"({text})"
    if dataclasses.is_dataclass(value):
        text = ", ".join(
            f"{f.name}={readable(getattr(value, f.name))}" for f in dataclasses.fields(value)
        )
        return f"{type(value).__name__}({text})"
    return SHORT.repr(sorted(value, key=repr) if isinstance(value, set | frozenset) else value)


def _hash(data: Any) -> str:
    return hashlib.sha256(data).hexdigest()
