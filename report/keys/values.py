"""Values as JSON, for a key: equal for equal values only, however they are held in memory."""

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
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from report.errors import ReportError
from report.keys.results import registered_results
from report.keys.source import Kind, Reference, find_module

# Types whose values their repr tells apart.
PLAIN = (
    bool, int, float, complex, str, range, decimal.Decimal, fractions.Fraction, uuid.UUID,
    datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo,
    type(None), type(...), type(NotImplemented),
)  # fmt: skip
SHORT = reprlib.Repr()
SHORT.maxstring = 120  # letters of a text in a record
BUILT_IN: dict[type, str] = {
    kind: f"builtins.{kind.__name__}" for kind in (bool, int, float, str, type(None))
}
# Nanoseconds since a file was written, after which its time stamp tells it from a later writing.
SETTLED = 50_000_000

Describe = Callable[[object, str], list[object]]  # `identity` for the parts of a value


@dataclass
class Walk:
    """Project code, artifacts, and kinds of devices that were met on the way through values."""

    roots: set[Reference] = field(default_factory=set)
    inputs: list[str] = field(default_factory=list)  # sha256 of artifacts
    devices: list[list[str]] = field(default_factory=list)  # [where, kind]


def identity(value: Any, what: str, walk: Walk, paths: bool = True) -> list[object]:
    """Return JSON that is equal for equal values only.

    A path stands for the bytes that it leads to, and for its suffix. With paths=False it has no
    identity, so that a global path does not stand for a whole data set.

    Raises: TypeError, naming `what`, for a value that has no identity.
    """
    kind: type = type(value)
    if kind in BUILT_IN:  # most values are one of these
        return [BUILT_IN[kind], repr(value)]
    kind_name = f"{kind.__module__}.{kind.__qualname__}"
    walk.roots |= _code_of_type(kind)
    digest = getattr(value, "digest", None)
    if isinstance(digest, str) and not isinstance(value, type):
        _note_digested(value, kind, digest, what, walk)
        return [kind_name, digest]
    if isinstance(value, Path) and paths:
        return ["path", value.suffix, path_digest(value, what)]
    describer = _describer(value)
    if describer is None:
        raise TypeError(
            f"{what} is a {kind_name}, which has no value to key it by; pass plain values, paths, "
            "arrays, dataclasses, functions of a module, or give it a `digest` attribute (a str "
            "that changes when it does)"
        )

    def describe(part: object, where: str) -> list[object]:
        return identity(part, where, walk, paths)

    return [kind_name, describer(value, what, describe, walk), *_state(value, what, describe)]


def _note_digested(value: object, kind: type, digest: str, what: str, walk: Walk) -> None:
    """Note an object with a `digest` (model, artifact), which identifies it.

    A model's device counts too, since it decides on the numbers. The code of an artifact does not
    count, but that which reads its bytes.
    """
    if device := getattr(value, "device", None):
        walk.devices.append([what, str(device).partition(":")[0]])
    results = registered_results()
    if results and kind is results.stored:
        walk.inputs.append(digest)
        walk.roots -= _code_of_type(kind)
        walk.roots.add(results.decode)


def _state(value: object, what: str, describe: Describe) -> list[object]:
    """The attributes of a value that its kind does not know, as a subclass of `list` may have."""
    without_state = type | types.ModuleType | enum.Enum | functools.partial
    if isinstance(value, without_state) or is_function(value):
        return []
    fields = dataclasses.fields(value) if dataclasses.is_dataclass(value) else ()
    known = {field.name for field in fields}
    attributes = {}
    for name, item in getattr(value, "__dict__", {}).items():
        cached = isinstance(getattr(type(value), name, None), functools.cached_property)
        if name not in known and not cached:
            attributes[name] = item
    if factory := getattr(value, "default_factory", None):
        attributes["default_factory"] = factory
    return [describe(attributes, what)] if attributes else []


def symbol_of(value: object) -> Reference | None:
    """Return the top-level symbol of a project function or class; None for all else."""
    if not isinstance(value, type | types.FunctionType):
        return None
    module, name = find_module(value.__module__), value.__qualname__.partition(".")[0]
    return Reference("symbol", module.name, name) if module and name in module.definitions else None


@functools.lru_cache(maxsize=4096)
def _code_of_type(kind: type) -> set[Reference]:
    symbol = symbol_of(kind)
    return {symbol} if symbol else set()


def is_function(value: object) -> bool:
    """Return True for a function, or for a wrapper of one, as functools.cache and @conjure make."""
    return isinstance(getattr(value, "__wrapped__", value), types.FunctionType)


def is_immutable(value: object) -> bool:
    """Return True for a value that is sure to stay as it is."""
    if type(value) is tuple:
        return all(map(is_immutable, value))
    return isinstance(value, (*PLAIN, bytes))


# ---- JSON that tells the values of one type apart, from (value, what, describe, walk)


def _describer(value: object) -> Callable[..., object] | None:
    for kinds, describer in _DESCRIBERS:
        if isinstance(value, kinds):
            return describer
    if dataclasses.is_dataclass(value):
        return _fields
    if is_function(value):
        return _function
    if torch := sys.modules.get("torch"):
        if isinstance(value, torch.Tensor):
            return _tensor
        if isinstance(value, torch.dtype):
            return _plain
        if isinstance(value, torch.device):
            return _device
    return None


def _plain(value: object, *_: object) -> str:
    return repr(value)


def _bytes(value: bytes, *_: object) -> str:
    return _hash(value)


def _array(value: np.ndarray, what: str, *_: object) -> list[object]:
    if value.dtype.hasobject:
        raise TypeError(
            f"{what} is an array of Python objects, which has no value to key it by; "
            "give it a number type"
        )
    numbers = _hash(np.ascontiguousarray(value))
    return [np.lib.format.dtype_to_descr(value.dtype), value.shape, numbers]


def _tensor(value: Any, what: str, _describe: Describe, walk: Walk) -> list[object]:
    walk.devices.append([what, value.device.type])
    numbers = value.detach().cpu().contiguous().flatten().view(sys.modules["torch"].uint8).numpy()
    return [str(value.dtype), list(value.shape), _hash(numbers)]


def _device(value: Any, *_: object) -> str:
    return value.type


def _enum(value: enum.Enum, what: str, describe: Describe, *_: object) -> list[object]:
    return [value.name, describe(value.value, what)]


def _sequence(value: list | tuple, what: str, describe: Describe, *_: object) -> list[object]:
    return [describe(item, f"{what}[{i}]") for i, item in enumerate(value)]


def _set(value: set | frozenset, what: str, describe: Describe, *_: object) -> list[object]:
    return _ordered(describe(item, what) for item in value)


def _dict(value: dict, what: str, describe: Describe, *_: object) -> list[object]:
    return _ordered(
        [describe(key, what), describe(item, f"{what}[{key!r}]")] for key, item in value.items()
    )


def _ordered(items: Iterable[object]) -> list[object]:
    return sorted(items, key=json.dumps)


def _slice(value: slice, what: str, describe: Describe, *_: object) -> list[object]:
    return [describe(part, what) for part in (value.start, value.stop, value.step)]


def _pattern(value: re.Pattern, *_: object) -> list[object]:
    return [repr(value.pattern), value.flags]


def _fields(value: Any, what: str, describe: Describe, *_: object) -> list[object]:
    names = [field.name for field in dataclasses.fields(value)]
    return [[name, describe(getattr(value, name), f"{what}.{name}")] for name in names]


def _partial(value: functools.partial, what: str, describe: Describe, *_: object) -> list[object]:
    return [describe(part, what) for part in (value.func, value.args, value.keywords)]


def _function(value: Any, what: str, _describe: Describe, walk: Walk) -> str:
    """A function or class of a module, by name: its code is followed like that of any other."""
    function = getattr(value, "__wrapped__", value)
    source = getattr(function, "__module__", None) or type(function).__module__
    name = getattr(function, "__qualname__", None) or function.__name__
    # The variables that a function in a function closes over can not be seen.
    if "<" in name or not _is_named(value, source, name):
        raise TypeError(
            f"{what} is {name}, which has no name to key it by; pass a function of a module"
        )
    kind: Kind = "symbol" if find_module(source) else "external"
    walk.roots.add(Reference(kind, source, name.partition(".")[0]))
    return f"{source}.{name}"


def _is_named(value: object, source: str, name: str) -> bool:
    """Return True if a module has this very function under its name, which others may take too."""
    try:
        return operator.attrgetter(name)(sys.modules[source]) is value
    except (KeyError, AttributeError):
        return not isinstance(value, types.FunctionType) and not hasattr(value, "__wrapped__")


def _module(value: types.ModuleType, _what: str, _describe: Describe, walk: Walk) -> str:
    kind: Kind = "module" if find_module(value.__name__) else "external"
    walk.roots.add(Reference(kind, value.__name__))
    return value.__name__


# The first that fits is taken: a NumPy float is a float, too.
_DESCRIBERS: list[tuple[Any, Callable[..., object]]] = [
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


_files: dict[tuple[str, int, int, int], str] = {}


def path_digest(path: Path, what: str) -> str:
    """Return a hash of a file's bytes, or of all file names and bytes in a folder.

    No file is read twice while it is unchanged.

    Raises: ReportError, naming `what`, if it can not be read.
    """
    try:
        if not path.is_dir():
            return _file_digest(path)
        files = []
        for folder, _, names in os.walk(path, followlinks=True):
            files += [Path(folder, name) for name in names]
        contents = [
            [file.relative_to(path).as_posix(), _file_digest(file)] for file in sorted(files)
        ]
        return _hash(json.dumps(contents).encode())
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


def readable(value: Any) -> str:
    """Return a short text for the record: no memory addresses, no paths of this machine."""
    if isinstance(digest := getattr(value, "digest", None), str):
        return f"{type(value).__name__} {digest[:12]}"
    if isinstance(value, Path):
        return value.name
    if isinstance(value, np.ndarray) or _describer(value) is _tensor:
        return f"{type(value).__name__} {str(value.dtype)} {tuple(value.shape)}"
    if isinstance(value, type) or is_function(value):
        return getattr(value, "__qualname__", type(value).__name__)
    if isinstance(value, functools.partial):
        return f"partial {readable(value.func)}"
    if isinstance(value, tuple | list):
        text = ", ".join(map(readable, value[:8])) + (", …" if len(value) > 8 else "")
        return f"[{text}]" if isinstance(value, list) else f"({text})"
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        text = ", ".join(f"{field.name}={readable(getattr(value, field.name))}" for field in fields)
        return f"{type(value).__name__}({text})"
    return SHORT.repr(sorted(value, key=repr) if isinstance(value, set | frozenset) else value)


def _hash(data: Any) -> str:
    return hashlib.sha256(data).hexdigest()
