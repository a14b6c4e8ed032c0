"""Values as JSON, for a key: equal for equal values only, however they are held in memory.

A value is described by all of its state, or refused. State lies in three places: in the base type
that a describer below knows, in attributes and slots (`state.py`), and for callables in the code
that their name leads to.
"""

import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import gc
import hashlib
import inspect
import itertools
import json
import logging
import operator
import os
import re
import reprlib
import stat
import sys
import time
import types
import uuid
import weakref
import zoneinfo
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from report.errors import ReportError
from report.keys.results import registered_results
from report.keys.source import Kind, Reference, find_module, full_name
from report.keys.state import hiding_class, is_made_at_run_time, shows_all, state_of

# Types whose own repr tells their values apart.
PLAIN = (
    bool, int, float, complex, str, range, decimal.Decimal,
    datetime.date, datetime.timedelta, datetime.timezone,
    type(None), type(...), type(NotImplemented),
)  # fmt: skip
# Types that hold all they have in attributes and slots, as dataclasses do.
OPEN = (fractions.Fraction, uuid.UUID, datetime.tzinfo, types.SimpleNamespace)
# Classes whose attributes are no value: messages go through loggers, and paths lead elsewhere.
WITHOUT_VALUE = (logging.Logger, os.PathLike, Iterator)
# Libraries that hold numbers where Python does not see them, and give all of them to pickle.
SAID_BY_PICKLING = ("scipy", "sklearn")
CLOCK = ("hour", "minute", "second", "microsecond", "fold")
CALENDAR = ("year", "month", "day", *CLOCK)
SHORT = reprlib.Repr()
SHORT.maxstring = 120  # letters of a text in a record
FEW = 8  # items of a collection in a record
DEPTH = 3  # layers of objects whose settings a record shows
BUILT_IN: dict[type, str] = {
    kind: f"builtins.{kind.__name__}" for kind in (bool, int, float, str, type(None))
}
# Nanoseconds since a file was written, after which its time stamp tells it from a later writing.
SETTLED = 50_000_000

Describe = Callable[[object, str], list[object]]  # `identity` for the parts of a value
Describer = Callable[..., object]  # (value, what, describe, walk, base) -> JSON


@dataclass
class Walk:
    """Project code, artifacts, and kinds of devices that were met on the way through values."""

    roots: set[Reference] = field(default_factory=set)
    inputs: list[str] = field(default_factory=list)  # sha256 of artifacts
    devices: list[list[str]] = field(default_factory=list)  # [where, kind]
    around: set[int] = field(default_factory=set)  # ids of the values that are being described


def identity(value: Any, what: str, walk: Walk, paths: bool = True) -> list[object]:
    """Return JSON that is equal for equal values only.

    A path stands for the bytes that it leads to, and for its suffix. With paths=False it has no
    identity, so that a global path does not stand for a whole data set.

    Raises: TypeError, naming `what`, for a value that has no identity.
    """
    kind: type = type(value)
    if kind in BUILT_IN:  # most values are one of these
        return [BUILT_IN[kind], repr(value)]
    if id(value) in walk.around:
        raise TypeError(f"{what} contains itself, so it has no value to key it by; pass its parts")
    outermost = not walk.around
    walk.around.add(id(value))
    try:
        return _identity(value, kind, what, walk, paths)
    except RecursionError as error:
        if not outermost:
            raise
        raise TypeError(
            f"{what} is nested too deeply to have a value to key it by; pass its parts"
        ) from error
    finally:
        walk.around.discard(id(value))


def _identity(value: Any, kind: type, what: str, walk: Walk, paths: bool) -> list[object]:
    kind_name = _name_of_type(kind)
    walk.roots |= _code_of_type(kind)
    digest = getattr(value, "digest", None)
    if isinstance(digest, str) and not isinstance(value, type):
        _note_digested(value, kind, digest, what, walk)
        return [kind_name, digest]
    base, describer = _describer(kind, paths)
    if describer is None and _is_callable_by_name(value):
        base, describer = None, _function
    if describer is None:
        base, describer = _object_describer(kind)
    if describer is None:
        raise TypeError(
            f"{what} is a {kind_name}, which has no value to key it by; pass plain values, paths, "
            "arrays, objects of your own classes, functions of a module, or give it a `digest` "
            "attribute (a str that changes when it does)"
        )

    def describe(part: object, where: str) -> list[object]:
        return identity(part, where, walk, paths)

    described = [kind_name, describer(value, what, describe, walk, base)]
    if base is not None and (kind is not base or hasattr(value, "__dict__")):
        _check_kind(kind, base, what)
        state = [(name, _as_value(part, kind)) for name, part in state_of(value, base)]
        if state:
            described.append([[name, describe(part, f"{what}.{name}")] for name, part in state])
    return described


def _as_value(part: object, owner: type) -> object:
    """Return the random state in a fitted estimator as numbers: it was drawn from when fitting.

    Elsewhere it is refused, since a function that draws from it changes it.
    """
    if not owner.__module__.startswith("sklearn."):
        return part
    if isinstance(part, np.random.RandomState):
        return part.get_state()
    return part.bit_generator.state if isinstance(part, np.random.Generator) else part


def _check_kind(kind: type, base: type, what: str) -> None:
    """Raise TypeError if the values of a kind have state, or code, that can not be seen."""
    if hiding := hiding_class(kind, base):
        name = f"{hiding.__module__}.{hiding.__qualname__}"
        raise TypeError(
            f"{what} is a {kind.__qualname__}, and {name} may hold more than Python shows, so it "
            "has no value to key it by; pass plain values or arrays, or give it a `digest` "
            "attribute (a str that changes when it does)"
        )
    if is_made_at_run_time(kind) and not _is_named(kind, kind.__module__, kind.__qualname__):
        raise TypeError(
            f"{what} is a {kind.__qualname__}, a class that has no name to key it by in "
            f"{kind.__module__}; define it on the top level of a file, under its own name, or give "
            "it a `digest` attribute (a str that changes when it does)"
        )


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


def symbol_of(value: object) -> Reference | None:
    """Return the top-level symbol of a project function or class; None for all else."""
    if not isinstance(value, type | types.FunctionType):
        return None
    module, name = find_module(value.__module__), value.__qualname__.partition(".")[0]
    return Reference("symbol", module.name, name) if module and name in module.definitions else None


@functools.lru_cache(maxsize=4096)
def _code_of_type(kind: type) -> set[Reference]:
    """The project's code of a type, or the library that it is from."""
    if symbol := symbol_of(kind):
        return {symbol}
    if kind.__module__ == "builtins" or find_module(kind.__module__):
        return set()
    return {Reference("external", kind.__module__, kind.__qualname__)}


@functools.lru_cache(maxsize=4096)
def _name_of_type(kind: type) -> str:
    return full_name(kind.__module__, kind.__qualname__)


def is_function(value: object) -> bool:
    """Return True for a function, or for a wrapper of one, as functools.cache and @conjure make.

    A method that is bound to an object is none, since it has that object's state.
    """
    if isinstance(value, types.MethodType):
        return False
    return isinstance(getattr(value, "__wrapped__", value), types.FunctionType)


def is_immutable(value: object) -> bool:
    """Return True for a value that is sure to stay as it is."""
    if type(value) is tuple:
        return all(map(is_immutable, value))
    return type(value) in (*PLAIN, bytes)


# ---- JSON that tells the values of one type apart, from (value, what, describe, walk, base)


@functools.lru_cache(maxsize=4096)
def _describer(kind: type, paths: bool = True) -> tuple[type | None, Describer | None]:
    """Return the base type of a type, and the function that describes all that the base holds.

    Without a base, the function describes all of the value. Without a function, there is none.
    """
    if issubclass(kind, enum.Enum):  # which may be an int, too
        return None, _enum
    if issubclass(kind, type):
        return None, _function
    if issubclass(kind, np.dtype):
        return kind, _plain
    if issubclass(kind, np.generic):
        return next(base for base in kind.__mro__ if base in _SCALARS), _array
    if kind is np.memmap:  # whose attributes say where the numbers lie
        return None, _array
    for base in kind.__mro__:
        if describer := _DESCRIBERS.get(base) or _torch_describers().get(base):
            return (None if describer in _OF_THE_WHOLE else base), describer
        if paths and base is Path:
            return Path, _path
    torch = sys.modules.get("torch")
    is_open = dataclasses.is_dataclass(kind) or issubclass(kind, OPEN)
    if is_open or (torch and issubclass(kind, torch.nn.Module)):
        return object, _nothing
    return None, None


@functools.lru_cache(maxsize=4096)
def _object_describer(kind: type) -> tuple[type | None, Describer | None]:
    """Return, as `_describer` does, what describes the objects of a class without a rule."""
    if kind is object or issubclass(kind, WITHOUT_VALUE):
        return None, None
    if shows_all(kind):
        return object, _nothing
    if kind.__module__.partition(".")[0] in SAID_BY_PICKLING:
        return None, _pickled
    return None, None


def _nothing(*_: object) -> None:
    """All that there is lies in attributes and slots."""


def _pickled(value: Any, what: str, describe: Describe, *_: object) -> list[object]:
    """The function that makes a copy of an object, and what that is given."""
    function, *parts = value.__reduce_ex__(4)
    given = [list(part) if isinstance(part, Iterator) else part for part in parts]
    name = full_name(function.__module__, function.__qualname__)
    return [name, describe(given, f"what {what} gives to pickle")]


def _plain(value: object, _what: str, _describe: Describe, _walk: Walk, base: Any) -> str:
    """The repr of the base, since that of a subclass may leave out what tells values apart."""
    return base.__repr__(value)


def _time(value: Any, what: str, describe: Describe, _walk: Walk, base: type) -> list[object]:
    names = CALENDAR if base is datetime.datetime else CLOCK
    numbers = [getattr(base, name).__get__(value) for name in names]
    return [*numbers, describe(vars(base)["tzinfo"].__get__(value), f"{what}.tzinfo")]


def _zone(value: zoneinfo.ZoneInfo, what: str, *_: object) -> str:
    if value.key is None:
        raise TypeError(f"{what} is a time zone without a key to tell it by; name it by a key")
    return value.key


def _path(value: Path, what: str, *_: object) -> list[object]:
    return [value.suffix, path_digest(value, what)]


def _bytes(value: bytes, *_: object) -> str:
    return _hash(value)


def _array(value: np.ndarray, what: str, describe: Describe, *_: object) -> list[object]:
    if value.dtype == object:
        return ["object", value.shape, [describe(x, f"{what}[…]") for x in value.flat]]
    if value.dtype.hasobject:
        raise TypeError(
            f"{what} is an array of records with Python objects, which has no value to key it by; "
            "give it a number type"
        )
    array = np.asarray(value)
    return [np.lib.format.dtype_to_descr(array.dtype), array.shape, _numbers(array)]


def _numbers(array: np.ndarray) -> object:
    """A hash of the numbers, and not of the bytes between two fields or after a long double."""
    if array.dtype.names:
        return [_numbers(array[name]) for name in array.dtype.names]
    numbers = np.ascontiguousarray(array, array.dtype.newbyteorder("="))
    if array.dtype.char in "gG" and np.finfo(array.dtype).nmant == 63:  # 80 bits, padded
        padded = numbers.view(np.uint8).reshape(-1, np.dtype("g").itemsize)
        numbers = np.ascontiguousarray(padded[:, :10])
    return _hash(numbers)


def _tensor(value: Any, what: str, describe: Describe, walk: Walk, base: type) -> list[object]:
    """The numbers of a tensor, and those of its gradient if it has one."""
    torch = sys.modules["torch"]
    walk.devices.append([what, value.device.type])
    try:
        if value.layout is not torch.strided or value.is_quantized:
            raise RuntimeError(f"its layout is {value.layout} of {value.dtype}")
        plain = value.detach().resolve_conj().resolve_neg().cpu().contiguous()
        numbers = plain.flatten().view(torch.uint8).numpy()
    except (RuntimeError, NotImplementedError, TypeError) as error:
        raise TypeError(
            f"{what} is a tensor that has no value to key it by ({error}); "
            "pass a dense tensor, as x.to_dense() or x.dequantize() give it"
        ) from error
    gradient = value.grad if value.is_leaf else None
    more = [] if gradient is None else [describe(gradient, f"{what}.grad")]
    return [str(value.dtype), list(value.shape), _hash(numbers), *more]


def _device(value: Any, *_: object) -> str:
    return value.type


def _enum(value: enum.Enum, what: str, describe: Describe, *_: object) -> list[object]:
    """The name and value of a member, and attributes of its own."""
    _check_kind(type(value), type(value), what)
    own = {n: x for n, x in vars(value).items() if not (n.startswith("_") and n.endswith("_"))}
    more = [describe(own, what)] if own else []
    return [value.name, describe(value.value, what), *more]


def _sequence(
    value: list | tuple, what: str, describe: Describe, _walk: Walk, base: Any
) -> list[object]:
    return [describe(item, f"{what}[{i}]") for i, item in enumerate(base.__iter__(value))]


def _set(value: set, what: str, describe: Describe, _walk: Walk, base: Any) -> list[object]:
    return _ordered(describe(item, what) for item in base.__iter__(value))


def _dict(value: dict, what: str, describe: Describe, _walk: Walk, base: Any) -> list[object]:
    items: list[object] = [
        [describe(key, what), describe(item, f"{what}[{readable(key)}]")]
        for key, item in base.items(value)
    ]
    return items if base is OrderedDict else _ordered(items)


def _ordered(items: Iterable[object]) -> list[object]:
    return sorted(items, key=json.dumps)


def _referents(value: object, what: str, describe: Describe, *_: object) -> list[object]:
    """The things that an object of Python itself refers to: the mapping behind a proxy."""
    return [describe(part, what) for part in gc.get_referents(value)]


def _weakly(value: weakref.ref, what: str, describe: Describe, *_: object) -> list[object]:
    return describe(value(), what)


def _context_variable(value: ContextVar, what: str, describe: Describe, *_: object) -> list[object]:
    """Its value here and now."""
    try:
        return [value.name, describe(value.get(), what)]
    except LookupError:
        return [value.name]


def _slice(value: slice, what: str, describe: Describe, *_: object) -> list[object]:
    return [describe(part, what) for part in (value.start, value.stop, value.step)]


def _pattern(value: re.Pattern, *_: object) -> list[object]:
    return [repr(value.pattern), value.flags]


# ---- callables


def _partial(value: functools.partial, what: str, describe: Describe, *_: object) -> list[object]:
    return [describe(part, what) for part in (value.func, value.args, value.keywords)]


def _method(value: types.MethodType, what: str, describe: Describe, *_: object) -> list[object]:
    return [describe(value.__func__, what), describe(value.__self__, f"{what}.__self__")]


def _builtin(value: Any, what: str, describe: Describe, walk: Walk, *_: object) -> object:
    """A function of a module by name; a method that is bound to an object also by the object."""
    owner = value.__self__
    if owner is None or isinstance(owner, types.ModuleType):
        return _function(value, what, describe, walk)
    return [value.__name__, describe(owner, f"{what}.__self__")]


def _is_callable_by_name(value: object) -> bool:
    return is_function(value) or isinstance(value, np.ufunc)


def _function(value: Any, what: str, describe: Describe, walk: Walk, *_: object) -> object:
    """A function or class of a module, by name: its code is followed like that of any other.

    The data that functions, and objects that wrap one, have among their attributes are described.
    """
    function = getattr(value, "__wrapped__", value)
    source = getattr(function, "__module__", None) or type(function).__module__
    names = (getattr(function, "__qualname__", None), function.__name__)
    name = next((name for name in names if name and _is_named(value, source, name)), None)
    if name is None and isinstance(value, type) and not is_made_at_run_time(value):
        name = value.__qualname__  # as NoneType, which no module names
    # The variables that a function in a function closes over can not be seen.
    if name is None:
        raise TypeError(
            f"{what} is {names[0] or names[1]}, which has no name to key it by; "
            "pass a function of a module"
        )
    kind: Kind = "symbol" if find_module(source) else "external"
    walk.roots.add(Reference(kind, source, name.partition(".")[0]))
    data = [] if kind == "external" or isinstance(value, type) else _data_of(value)
    if not data:
        return full_name(source, name)
    return [full_name(source, name), *([n, describe(part, f"{what}.{n}")] for n, part in data)]


def _data_of(function: object) -> list[tuple[str, object]]:
    """The attributes of a function or of a wrapper; those that are code are followed as such."""
    kind = type(function)
    copied = ("__wrapped__", *functools.WRAPPER_ASSIGNMENTS)
    state = state_of(function, object if find_module(kind.__module__) else kind)
    return [(name, part) for name, part in state if name not in copied and not _is_code(part)]


def _is_code(part: object) -> bool:
    """Return True for what can be called and is no object with a value, and for tables of it."""
    if isinstance(part, dict | types.MappingProxyType):
        return bool(part) and all(map(_is_code, part.values()))
    return is_function(part) or isinstance(part, type)


def _is_named(value: object, source: str, name: str) -> bool:
    """Return True if a module has this very thing under its name, which others may take too."""
    if "<" in name:
        return False
    try:
        found = operator.attrgetter(name)(sys.modules[source])
        return getattr(found, "__func__", found) is value  # as that of a class method
    except (KeyError, AttributeError):
        return False


def _module(value: types.ModuleType, what: str, _describe: Describe, walk: Walk, *_: object) -> str:
    if sys.modules.get(value.__name__) is not value:
        raise TypeError(
            f"{what} is a module {value.__name__} that has no name to key it by; "
            "pass one that can be imported"
        )
    kind: Kind = "module" if find_module(value.__name__) else "external"
    walk.roots.add(Reference(kind, value.__name__))
    return value.__name__


_SCALARS = {np.dtype(code).type for code in np.typecodes["All"]}
# By base type: for a subclass, the first that stands in its method resolution order.
_DESCRIBERS: dict[type, Describer] = {
    **dict.fromkeys(PLAIN, _plain),
    np.ndarray: _array,
    datetime.datetime: _time,
    datetime.time: _time,
    zoneinfo.ZoneInfo: _zone,
    bytes: _bytes,
    bytearray: _bytes,
    tuple: _sequence,
    list: _sequence,
    set: _set,
    frozenset: _set,
    dict: _dict,
    OrderedDict: _dict,
    types.MappingProxyType: _referents,
    weakref.ref: _weakly,
    ContextVar: _context_variable,
    slice: _slice,
    re.Pattern: _pattern,
    functools.partial: _partial,
    types.ModuleType: _module,
    types.MethodType: _method,
    types.BuiltinFunctionType: _builtin,
    types.FunctionType: _function,
}
_OF_THE_WHOLE = (_module, _function, _builtin, _method)


def _torch_describers() -> dict[type, Describer]:
    torch = sys.modules.get("torch")
    if torch is None:
        return {}
    return {
        torch.Tensor: _tensor,
        torch.Size: _sequence,
        torch.dtype: _plain,
        torch.device: _device,
    }


# ---- files


_files: dict[tuple[str, int, int, int], str] = {}


def path_digest(path: Path, what: str) -> str:
    """Return a hash of a file's bytes, or of all file names and bytes in a folder.

    Hidden files count, since a function may read them. Links are followed, but not back to a folder
    that they lie in. No file is read twice while it is unchanged.

    Raises: ReportError, naming `what`, if it or a file in it can not be read.
    """
    try:
        if not path.is_dir():
            return _file_digest(path)
        contents = [
            [file.relative_to(path).as_posix(), _file_digest(file)]
            for file in sorted(_files_below(path))
        ]
        return _hash(json.dumps(contents).encode())
    except OSError as error:
        place = error.filename or path
        if os.path.islink(place) and not os.path.exists(place):
            raise ReportError(f"{what}: {place} is a link that leads nowhere; mend it") from error
        raise ReportError(f"{what}: cannot read {place}: {error.strerror or error}") from error


def _files_below(folder: Path, above: tuple[tuple[int, int], ...] = ()) -> Iterator[Path]:
    """Yield the files below a folder. above: device and inode of each folder that it is in."""
    status = folder.stat()
    here = (status.st_dev, status.st_ino)
    if here in above:
        return
    for path in folder.iterdir():
        if path.is_dir():
            yield from _files_below(path, (*above, here))
        else:
            yield path


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


def readable(value: Any, depth: int = DEPTH) -> str:
    """Return a short text for the record: no memory addresses, no paths of this machine.

    Of objects in objects, `depth` layers show what they hold.
    """
    if isinstance(digest := getattr(value, "digest", None), str):
        return f"{type(value).__name__} {digest[:12]}"
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, Path):
        return value.name
    if isinstance(value, type) or is_function(value):
        return getattr(value, "__qualname__", type(value).__name__)
    if isinstance(value, types.MethodType):
        return f"{readable(value.__self__, depth)}.{value.__name__}"
    if isinstance(value, functools.partial):
        return f"partial {readable(value.func, depth)}"
    kind: type = type(value)
    settings = _settings(value) if depth else None
    if settings is not None:
        text = ", ".join(f"{name}={readable(item, depth - 1)}" for name, item in settings)
        return f"{kind.__name__}({text})"
    torch = sys.modules.get("torch")
    if torch and isinstance(value, torch.nn.Module):
        return f"{kind.__name__} of {sum(p.numel() for p in value.parameters())} parameters"
    return _readable_builtin(value, *_describer(kind), depth)


def _settings(value: Any) -> list[tuple[str, Any]] | None:
    """Return what tells objects of a class apart: fields, parameters of an estimator, attributes.

    None for what is no such object. Parameters of estimators are there if they are no defaults.
    """
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value) if hasattr(value, field.name)]
        return [(name, getattr(value, name)) for name in names]
    kind: type = type(value)
    if callable(getattr(kind, "get_params", None)):
        parameters = inspect.signature(kind).parameters.values()
        items = [
            (x.name, getattr(value, x.name), x.default)
            for x in parameters
            if hasattr(value, x.name)
        ]
        return [(name, item) for name, item, usual in items if readable(item) != readable(usual)]
    if _describer(kind)[1] is None and _object_describer(kind)[1] is _nothing:
        state = state_of(value, object)
        return [(name, item) for name, item in state if not name.startswith("_")] or None
    return None


def settings_in(text: str) -> tuple[str, dict[str, str]] | None:
    """Return class and settings of an object by its `readable` text; None if it is none."""
    match = re.fullmatch(r"(\w+)\((.*)\)", text, re.DOTALL)
    if match is None:
        return None
    settings = {}
    for part in _parts(match[2]):
        name, equals, value = part.strip().partition("=")
        if not equals or not name.isidentifier():
            return None
        settings[name] = value
    return match[1], settings


def _parts(text: str) -> Iterator[str]:
    """Yield what stands between the commas of a text that are in no brackets and no quotes."""
    start = inside = 0
    for match in re.finditer(r"""'(?:\\.|[^'])*'|"(?:\\.|[^"])*"|[](){}[,]""", text):
        mark = match[0]
        if mark in ("(", "[", "{"):
            inside += 1
        elif mark in (")", "]", "}"):
            inside -= 1
        elif mark == "," and not inside:
            yield text[start : match.start()]
            start = match.end()
    if text[start:]:
        yield text[start:]


def _readable_builtin(value: Any, base: Any, describer: Describer | None, depth: int) -> str:
    """Return the text for numbers, texts and collections of them; for all else, the type's name."""

    def text_of(item: Any) -> str:
        return readable(item, depth)

    if describer is _dict:
        items = value.items()
        return f"{{{_few(f'{text_of(key)}: {text_of(item)}' for key, item in items)}}}"
    if describer is _set:
        return f"{{{_few(sorted(map(text_of, value)))}}}"
    if describer is _sequence:
        text = _few(map(text_of, value))
        return f"[{text}]" if base is list else f"({text})"
    if describer in (_array, _tensor) and base not in _SCALARS:
        return f"{type(value).__name__} {value.dtype} {tuple(value.shape)}"
    if base in _SCALARS or describer in (_plain, _bytes, _time):
        return SHORT.repr(value) if type(value) is base else base.__repr__(value)
    return type(value).__name__


def _few(texts: Iterable[str]) -> str:
    first = list(itertools.islice(texts, FEW + 1))
    return ", ".join(first[:FEW]) + (", …" if len(first) > FEW else "")


def _hash(data: Any) -> str:
    return hashlib.sha256(data).hexdigest()
