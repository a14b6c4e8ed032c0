"""What a value is, for a key: equal for equal values only, in whatever way they are held in memory."""

import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import hashlib
import json
import re
import reprlib
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
from report.source import Reference, find_module

# Types whose values their repr tells apart.
PLAIN = (bool, int, float, complex, str, range, decimal.Decimal, fractions.Fraction, uuid.UUID) + (
    datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo, type(None), type(...), type(NotImplemented),
)  # fmt: skip
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
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    walk.roots |= _code_of_type(type(value))
    if isinstance(digest := getattr(value, "digest", None), str) and not isinstance(value, type):
        return _digested(value, kind, digest, what, walk)
    for is_kind, tell in _KINDS:
        if is_kind(value):
            return [kind, tell(value, what, lambda item, where: identity(item, where, walk, paths), walk)]
    if isinstance(value, Path) and paths:
        return ["path", value.suffix, path_digest(value, what)]
    raise TypeError(
        f"{what} is a {kind}, which has no value to key it by; pass plain values, paths, arrays, dataclasses, functions "
        "of a module, or give it a `digest` attribute (a str that changes when it does)"
    )


def _digested(value: object, kind: str, digest: str, what: str, walk: Walk) -> list:
    """Something that knows its own digest, such as a model, whose device decides on its numbers too, or an artifact."""
    if device := getattr(value, "device", None):
        walk.devices.append([what, str(device).partition(":")[0]])
    if kind == ARTIFACT:
        walk.inputs.append(digest)
        walk.roots.discard(Reference("symbol", *ARTIFACT.rsplit(".", 1)))  # its code is the store's, not the result's
        walk.roots.add(Reference("symbol", "report.media", "decode"))
    return [kind, digest]


ARTIFACT = "report.conjure.Artifact"


@functools.lru_cache(maxsize=4096)
def _code_of_type(kind: type) -> set[Reference]:
    module, name = find_module(kind.__module__), kind.__qualname__.partition(".")[0]
    return {Reference("symbol", module.name, name)} if module and name in module.definitions else set()


def is_function(value: object) -> bool:
    """Whether a value is a function, or wraps one, as functools.cache and @conjure do."""
    return isinstance(getattr(value, "__wrapped__", value), types.FunctionType)


def _array(value: np.ndarray, what: str, *_: object) -> list:
    if value.dtype.hasobject:
        raise TypeError(f"{what} is an array of Python objects, which has no value to key it by; give it a number type")
    return [np.lib.format.dtype_to_descr(value.dtype), value.shape, _hash(np.ascontiguousarray(value))]


def _tensor(value: Any, what: str, _tell: Callable, walk: Walk) -> list:
    walk.devices.append([what, value.device.type])
    numbers = value.detach().cpu().contiguous().flatten().view(sys.modules["torch"].uint8).numpy()
    return [str(value.dtype), list(value.shape), _hash(numbers)]


def _dict(value: dict, what: str, tell: Callable, _walk: Walk) -> list:
    return sorted(([tell(k, what), tell(item, f"{what}[{k!r}]")] for k, item in value.items()), key=json.dumps)


def _dataclass(value: Any, what: str, tell: Callable, _walk: Walk) -> list:
    names = [f.name for f in dataclasses.fields(value)]
    return [[name, tell(getattr(value, name), f"{what}.{name}")] for name in names]


def _function(value: Any, what: str, _tell: Callable, walk: Walk) -> str:
    """A function or class of a module, by name: its code is followed like that of any other."""
    function = getattr(value, "__wrapped__", value)
    if "<" in function.__qualname__:  # <locals> or <lambda>: what it closes over can not be seen
        raise TypeError(f"{what} is {function.__qualname__}, which has no name to key it by; pass a function of a module")
    name = function.__qualname__.partition(".")[0]
    if module := find_module(function.__module__):
        walk.roots.add(Reference("symbol", module.name, name))
    else:
        walk.roots.add(Reference("external", function.__module__, name))
    return f"{function.__module__}.{function.__qualname__}"


def _module(value: types.ModuleType, _what: str, _tell: Callable, walk: Walk) -> str:
    walk.roots.add(Reference("module" if find_module(value.__name__) else "external", value.__name__))
    return value.__name__


def _is_torch(name: str) -> Callable[[object], bool]:
    return lambda value: "torch" in sys.modules and isinstance(value, getattr(sys.modules["torch"], name))


# (is it of this kind?, what tells its values apart: JSON). The first that fits is taken.
_KINDS: list[tuple[Callable[[Any], bool], Callable[..., Any]]] = [
    (lambda v: isinstance(v, np.ndarray | np.generic), _array),
    (lambda v: isinstance(v, enum.Enum), lambda v, what, tell, _: [v.name, tell(v.value, what)]),
    (lambda v: isinstance(v, PLAIN), lambda v, *_: repr(v)),
    (lambda v: isinstance(v, bytes | bytearray), lambda v, *_: _hash(v)),
    (lambda v: isinstance(v, tuple | list), lambda v, what, tell, _: [tell(x, f"{what}[{i}]") for i, x in enumerate(v)]),
    (lambda v: isinstance(v, set | frozenset), lambda v, what, tell, _: sorted((tell(x, what) for x in v), key=json.dumps)),
    (lambda v: isinstance(v, dict | types.MappingProxyType), _dict),
    (lambda v: dataclasses.is_dataclass(v) and not isinstance(v, type), _dataclass),
    (lambda v: isinstance(v, slice), lambda v, what, tell, _: [tell(x, what) for x in (v.start, v.stop, v.step)]),
    (lambda v: isinstance(v, re.Pattern), lambda v, *_: [repr(v.pattern), v.flags]),
    (lambda v: isinstance(v, np.dtype), lambda v, *_: np.lib.format.dtype_to_descr(v)),
    (_is_torch("Tensor"), _tensor),
    (_is_torch("dtype"), lambda v, *_: str(v)),
    (_is_torch("device"), lambda v, *_: v.type),
    (lambda v: isinstance(v, functools.partial), lambda v, what, tell, _: tell([v.func, list(v.args), v.keywords], what)),
    (lambda v: isinstance(v, type | types.BuiltinFunctionType | np.ufunc) and hasattr(v, "__module__") or is_function(v),
     _function),
    (lambda v: isinstance(v, types.ModuleType), _module),
]  # fmt: skip


_files: dict[tuple, str] = {}


def path_digest(path: Path, what: str) -> str:
    """Hash of a file's bytes, or of all file names and bytes in a folder. No file is read twice while it is unchanged.

    Raises: ReportError if it can not be read.
    """
    try:
        if not path.is_dir():
            return _file_digest(path)
        files = sorted(file for file in path.rglob("*") if file.is_file())
        told = [[file.relative_to(path).as_posix(), _file_digest(file)] for file in files]
        return _hash(json.dumps(told).encode())
    except OSError as error:
        raise ReportError(f"{what}: cannot read {path}: {error.strerror}") from error


def _file_digest(path: Path) -> str:
    status = path.stat()
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
    if isinstance(value, np.ndarray) or _is_torch("Tensor")(value):
        return f"{type(value).__name__} {str(value.dtype)} {tuple(value.shape)}"
    if isinstance(value, type) or is_function(value):
        return getattr(value, "__qualname__", type(value).__name__)
    if isinstance(value, functools.partial):
        return f"partial {readable(value.func)}"
    if isinstance(value, tuple | list):
        text = ", ".join(map(readable, value[:8])) + (", …" if len(value) > 8 else "")
        return f"[{text}]" if isinstance(value, list) else f"({text})"
    if dataclasses.is_dataclass(value):
        text = ", ".join(f"{f.name}={readable(getattr(value, f.name))}" for f in dataclasses.fields(value))
        return f"{type(value).__name__}({text})"
    return reprlib.repr(sorted(value, key=repr) if isinstance(value, set | frozenset) else value)


def _hash(data: Any) -> str:
    return hashlib.sha256(data).hexdigest()
