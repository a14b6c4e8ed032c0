"""Which code a conjured function can use: itself and, through names, everything in the project that it reaches.

Functions and classes are followed by name, a class as a whole with its bases. What libraries do is known by their
versions. What can not be followed is said in a warning, NotFollowed, with file and line.
"""

import functools
import hashlib
import importlib
import json
import logging
import sys
import threading
import types
import warnings
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from report.errors import ReportError
from report.keys.libraries import library_versions
from report.keys.source import (
    Module,
    Reference,
    find_module,
    first_line,
    resolve_in,
    unversioned_extension,
)
from report.keys.syntax import Piece, read_piece
from report.keys.values import Walk, identity, is_function, is_immutable, symbol_of

ACCELERATORS = ("torch.cuda", "torch.accelerator", "torch.backends.mps", "torch.mps")


class NotFollowed(UserWarning):
    """The result of a conjured function may depend on something that its key does not see."""


@dataclass(frozen=True)
class Code:
    """All code that a call can use."""

    symbols: dict[str, str]  # name -> digest of what it says
    variables: tuple[Reference, ...]  # globals that are known by their values
    versions: dict[str, str]
    chooses_device: bool  # whether it looks for an accelerator itself

    @functools.cached_property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.symbols, sort_keys=True).encode()).hexdigest()

    def source(self) -> dict:
        """What it consists of, for people: {symbol: {digest, file, line, text}}."""
        places = {name: place_of(name) for name in self.symbols}
        return {
            name: {
                "digest": digest,
                "file": places[name][0],
                "line": places[name][1],
                "text": _text_of(name),
            }
            for name, digest in self.symbols.items()
        }


@functools.lru_cache(maxsize=4096)  # a new run of a script makes new functions
def code_of(function: Callable, roots: frozenset[Reference] = frozenset()) -> Code:
    """The code that a function can use, with that of `roots`, which its arguments bring along.

    Raises: ReportError if its source can not be read.
    """
    module = find_module(function.__module__)
    name = function.__qualname__.partition(".")[0]
    if module is None or name not in module.definitions:
        raise ReportError(
            f"the source of {function.__qualname__} can not be read; define it in a file, not in a shell"
        )
    found = _reach({Reference("symbol", module.name, name), *roots})
    _warn(found)
    symbols = {
        str(r): piece.digest for r, piece in found.items() if piece is not None and piece.tokens
    }
    libraries = {r.module for r in found if r.kind == "external"}
    symbols |= {name: digest for name in libraries if (digest := _extension_digest(name))}
    tops = frozenset(name.partition(".")[0] for name in libraries)
    chooses = any(str(r).startswith(ACCELERATORS) for r in found if r.kind == "external")
    variables = sorted(
        (r for r in found if r.kind in ("symbol", "injected") and found[r] is None), key=str
    )
    return Code(dict(sorted(symbols.items())), tuple(variables), library_versions(tops), chooses)


def _reach(roots: set[Reference]) -> dict[Reference, Piece | None]:
    """Everything that can be reached; a Piece for what is known by its source, None for what is known by its value."""
    found: dict[Reference, Piece | None] = {}
    unread = list(roots)
    while unread:
        reference = unread.pop()
        if reference in found or reference.kind == "builtin":
            continue
        piece, further = _follow(reference)
        found[reference] = piece
        unread += further
        if reference.kind == "symbol":
            unread.append(Reference("effects", reference.module))
    return found


def _follow(reference: Reference) -> tuple[Piece | None, Iterable[Reference]]:
    """What a reference says itself, and what it leads on to."""
    if reference.kind == "external" or (
        reference.kind == "effects" and reference.module.partition(".")[0] == "report"
    ):
        return None, ()  # importing this package does nothing, so it need not be read for that
    if (module := find_module(reference.module)) is None:
        return None, ()
    if reference.kind == "module":
        return Piece(), [Reference("symbol", module.name, name) for name in module.definitions]
    if reference.kind == "effects":
        piece = _piece(module, "")
        return piece, piece.references
    if reference.kind == "injected":
        walk = Walk()
        if (value := runtime_value(reference)) is MISSING:
            return Piece(), ()  # a NameError, should it be reached
        identity(value, f"global {reference}", walk, paths=False)
        return None, walk.roots
    return _follow_symbol(module, reference)


def _follow_symbol(
    module: Module, reference: Reference
) -> tuple[Piece | None, Iterable[Reference]]:
    """A function or class by its source; a variable by its value if it has one, or else by its source."""
    value = runtime_value(reference)
    # a name may also be imported, as in `try: from x import f`, with another definition for where there is no x
    imported = (
        {resolve_in(*module.imports[reference.name])} if reference.name in module.imports else set()
    )
    if isinstance(value, type) or is_function(value):
        piece = _piece(module, reference.name)
        return piece, piece.references | imported | _registered(value)
    walk = Walk()
    if (
        reference.name not in module.written_by_functions
        and _try_identity(reference, walk) is not None
    ):
        return None, walk.roots
    piece = _piece(module, reference.name)
    if not isinstance(value, HARMLESS) and reference.name not in module.written_by_functions:
        line = first_line(module.definitions[reference.name][0])
        why = f"{reference.name} is a {type(value).__name__} without a value to key it by: what it holds is not seen"
        piece = replace(piece, unfollowed=[*piece.unfollowed, (line, why)])
    return piece, piece.references | imported | _registered(value)


def _piece(module: Module, name: str) -> Piece:
    """The piece of a top-level name; for "", of what importing the module does, with the modules that it loads."""
    if name not in module.pieces:
        piece = module.pieces[name] = read_piece(
            module, module.definitions[name] if name else module.effects
        )
        if not name:
            loaded = module.loads | ({module.name.rpartition(".")[0]} - {""})
            piece.references |= {Reference("effects", other) for other in loaded}
    return module.pieces[name]


def runtime_value(reference: Reference) -> Any:
    """The value of a global, imported if need be; MISSING if there is none."""
    if (module := sys.modules.get(reference.module)) is None:
        try:
            module = importlib.import_module(reference.module)
        except (
            Exception
        ) as error:  # whatever a module does when imported; its source is followed instead
            warnings.warn(
                f"{reference.module} can not be imported ({error}); its source is followed",
                NotFollowed,
                2,
            )
            return MISSING
    return vars(module).get(reference.name, MISSING)


MISSING = object()
# Objects without a value of their own that hold nothing which results depend on, or only names of files.
HARMLESS = (
    PurePath,
    ContextVar,
    logging.Logger,
    type(threading.Lock()),
    type(threading.RLock()),
    type(MISSING),
)


def _try_identity(reference: Reference, walk: Walk) -> Any:
    try:
        return identity(runtime_value(reference), f"global {reference}", walk, paths=False)
    except TypeError:
        return None


def variable_digests(variables: Iterable[Reference], walk: Walk) -> dict[str, str]:
    """The digests of globals that are known by value, as they are now.

    Raises: TypeError for one whose value has none any more.
    """
    digests = {}
    for reference in variables:
        value = runtime_value(reference)
        before, digest = _settled.get(reference, (MISSING, ""))
        if before is not value:
            told = identity(value, f"global {reference}", walk, paths=False)
            digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()
            if is_immutable(value):
                _settled[reference] = value, digest
        digests[f"global {reference}"] = digest
    return digests


_settled: dict[
    Reference, tuple[Any, str]
] = {}  # globals that can not change without becoming other objects


def _registered(value: object) -> set[Reference]:
    """The project's functions and classes in a table, or in the tables of a class or a dispatching function."""
    tables = vars(value).values() if isinstance(value, type) or is_function(value) else [value]
    items: list[object] = []
    for table in tables:
        if isinstance(table, dict | types.MappingProxyType):
            items += table.values()
        elif isinstance(table, list | tuple | set | frozenset):
            items += table
    found = {symbol_of(item) or symbol_of(type(item)) for item in items}
    return {reference for reference in found if reference is not None}


def _extension_digest(name: str) -> str:
    path = unversioned_extension(name)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path else ""


_warned: set[tuple[str, int]] = set()


def _warn(found: dict[Reference, Piece | None]) -> None:
    """Say once in a process what could not be followed."""
    for reference, piece in found.items():
        doubts = (
            [(find_module(reference.module).path, *doubt) for doubt in piece.unfollowed]
            if piece
            else []
        )
        for path, line, why in doubts:
            if (str(path), line) not in _warned:
                _warned.add((str(path), line))
                warnings.warn_explicit(
                    f"{why}: results may depend on more than is seen", NotFollowed, str(path), line
                )


def place_of(symbol: str) -> tuple[str, int]:
    """The file and the line on which the definition of a symbol begins; a file as people know it, not by its path."""
    module, name = _module_and_name(symbol)
    if module is None:
        return symbol, 0
    statements = module.definitions.get(name, []) if name else module.effects
    folders = "/".join(module.name.split("."))
    file = (
        module.path.name
        if module.is_script
        else folders + ("/__init__.py" if module.is_package else ".py")
    )
    return file, first_line(statements[0]) if statements else 0


def _text_of(symbol: str) -> str:
    module, name = _module_and_name(symbol)
    if module is None:
        return ""
    statements = module.definitions.get(name, []) if name else module.effects
    return "".join(module.segment(statement) for statement in statements)


def _module_and_name(symbol: str) -> tuple[Module | None, str]:
    """A symbol's module and its name there; a module alone stands for what importing it does."""
    if module := find_module(symbol):
        return module, ""
    source, _, name = symbol.rpartition(".")
    return find_module(source), name
