"""The code that a conjured function can use: itself, and all of the project that its names reach.

Functions and classes are followed by name, a class as a whole with its bases. Libraries are known
by their versions. A warning, NotFollowed, names file and line of code that can not be followed.
"""

import ast
import functools
import hashlib
import json
import logging
import sys
import threading
import types
import typing
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any
from weakref import WeakKeyDictionary

from report.errors import ReportError
from report.keys.libraries import library_versions
from report.keys.scopes import first_line
from report.keys.source import Module, Reference, find_module, resolve_in, unversioned_extension
from report.keys.syntax import Summary, summarise
from report.keys.values import Walk, identity, is_function, is_immutable, symbol_of
from report.keys.values_in_source import DEFINED, MISSING, NotFollowed, runtime_value

PACKAGE = Path(__file__).parents[1]  # report/
ACCELERATORS = ("torch.cuda", "torch.accelerator", "torch.backends.mps", "torch.mps")


@dataclass(frozen=True)
class ReachableCode:
    """All code that a call can use."""

    symbols: dict[str, str]  # name -> digest of its summary
    places: dict[str, Reference]  # name -> what it stands for
    variables: tuple[Reference, ...]  # globals that are known by their values
    modules: frozenset[str]  # of the project, in which all of it lies
    versions: dict[str, str]
    chooses_device: bool  # whether it looks for an accelerator itself
    needs_article: bool  # whether it depends on what the article that calls it sets up

    @functools.cached_property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.symbols, sort_keys=True).encode()).hexdigest()

    def source(self) -> dict[str, dict[str, Any]]:
        """Return the code for people: {symbol: {digest, file, line, text}}."""
        return self._source

    @functools.cached_property
    def _source(self) -> dict[str, dict[str, Any]]:
        source = {}
        for name, digest in self.symbols.items():
            reference = self.places[name]
            file, line = place_of(reference)
            text = _text_of(reference)
            source[name] = {"digest": digest, "file": file, "line": line, "text": text}
        return source


@functools.lru_cache(maxsize=4096)  # a new run of a script makes new functions
def code_of(
    function: Callable,
    roots: frozenset[Reference] = frozenset(),
    script: Module | None = None,
) -> ReachableCode:
    """Return the code that a function can use, and that of `roots`, which its arguments bring.

    `script` is the article that calls it, whose statements may have set up libraries.

    Raises: ReportError if its source can not be read.
    """
    module = find_module(function.__module__)
    name = function.__qualname__.partition(".")[0]
    if module is None or name not in module.definitions:
        raise ReportError(
            f"the source of {function.__qualname__} can not be read; "
            "define it in a file, not in a shell"
        )
    start = {Reference("symbol", module.name, name), *roots}
    if script is not None:
        start.add(Reference("effects", script.name))
    followed: Followed = {}
    reached, versions = _reach_with_effects(start, followed)
    external = [reference for reference in reached if reference.kind == "external"]
    _warn(reached)
    places = {str(reference): reference for reference in _with_code(reached)}
    return ReachableCode(
        symbols={name: _digest_of(reached, places[name]) for name in sorted(places)},
        places=places,
        variables=_variables(reached),
        modules=frozenset(r.module for r in reached if find_module(r.module)),
        versions=versions,
        chooses_device=any(str(reference).startswith(ACCELERATORS) for reference in external),
        needs_article=script is not None and _changes(reached, start, script, followed),
    )


# Everything that can be reached: a summary of code, or None for globals that are known by their
# values, and for libraries.
Reached = dict[Reference, Summary | None]
Followed = dict[Reference, tuple[Summary | None, Iterable[Reference]]]  # what `follow` returned


def _changes(reached: Reached, start: set[Reference], script: Module, followed: Followed) -> bool:
    """Return True if less code is reached from `start` without what an article sets up."""
    alone, _ = _reach_with_effects(start - {Reference("effects", script.name)}, followed)
    return set(_with_code(alone)) != set(_with_code(reached))


def _with_code(reached: Reached) -> list[Reference]:
    """What has code to tell apart, also compiled modules that belong to no library."""
    coded = [reference for reference, summary in reached.items() if summary and summary.tokens]
    names = {reference.module for reference in reached if reference.kind == "external"}
    return coded + [Reference("external", name) for name in names if unversioned_extension(name)]


def _digest_of(reached: Reached, reference: Reference) -> str:
    if summary := reached.get(reference):
        return summary.digest
    path = unversioned_extension(reference.module)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path else ""


def _variables(reached: Reached) -> tuple[Reference, ...]:
    variables = []
    for reference, summary in reached.items():
        if summary is None and reference.kind in ("symbol", "injected"):
            variables.append(reference)
    return tuple(sorted(variables, key=str))


def _reach_with_effects(
    roots: set[Reference], followed: Followed
) -> tuple[Reached, dict[str, str]]:
    """Follow all references, also to effects on libraries that are used, which may use others.

    Returns: what was reached, and the versions of the libraries.
    """
    counted: frozenset[str] = frozenset()
    while True:
        reached = _reach(roots, counted, followed)
        used = {reference.module for reference in reached if reference.kind == "external"}
        versions = library_versions(frozenset(name.partition(".")[0] for name in used))
        set_up = {reference.module for reference in reached if reference.kind == "effects"}
        touched = frozenset().union(*map(_libraries_touched, set_up)) & versions.keys()
        if touched <= counted:
            return reached, versions
        counted |= touched


def _reach(roots: set[Reference], libraries: frozenset[str], followed: Followed) -> Reached:
    """Follow all references. Effects on other libraries than these are left out."""
    reached: Reached = {}
    effects = set()  # modules whose effects were reached
    unread = list(roots)
    while unread:
        reference = unread.pop()
        if reference.kind == "effects":
            if reference.module in effects:
                continue
            touched = _libraries_touched(reference.module) & libraries
            effects.add(reference.module)
            reference = Reference("effects", reference.module, ",".join(sorted(touched)))
        if reference in reached or reference.kind == "builtin":
            continue
        if reference not in followed:
            followed[reference] = follow(reference)
        reached[reference], further = followed[reference]
        unread += further
        if reference.kind == "symbol" and reference.module not in effects:
            unread.append(Reference("effects", reference.module))
    return reached


def _libraries_touched(name: str) -> frozenset[str]:
    module = find_module(name)
    return module.libraries_touched if module else frozenset()


def follow(reference: Reference) -> tuple[Summary | None, Iterable[Reference]]:
    """Return the summary of a reference, or None as in `Reached`, and what it leads on to.

    All that a key knows of code goes through this function: tests replace it to make keys weaker.
    """
    # Importing these packages changes no result, so they need not be read for their effects.
    ours = reference.module.partition(".")[0] in ("report", "workers")
    if reference.kind == "external" or (reference.kind == "effects" and ours):
        return None, ()
    module = find_module(reference.module)
    if module is None:
        return None, ()
    if reference.kind == "module":
        return Summary(), [Reference("symbol", module.name, name) for name in module.definitions]
    if reference.kind == "effects":
        summary = _summary(module, reference)
        return summary, summary.references
    if reference.kind == "injected":
        return _follow_injected(reference)
    return _follow_symbol(module, reference)


def _follow_injected(reference: Reference) -> tuple[Summary | None, Iterable[Reference]]:
    value = runtime_value(reference)
    if value is MISSING:
        return Summary(), ()  # a NameError, should it be reached
    walk = Walk()
    identity(value, f"global {reference}", walk, paths=False)
    return None, walk.roots


def _follow_symbol(
    module: Module, reference: Reference
) -> tuple[Summary | None, Iterable[Reference]]:
    """Follow a function or class by its source, a variable by its value.

    A variable without a value to compare, or that functions write to, is followed by its source.
    """
    name, value = reference.name, runtime_value(reference)
    unseen = False
    if value is not DEFINED and not isinstance(value, type) and not is_function(value):
        if name not in module.written_by_functions and not _holds_nothing(value):
            walk = Walk()
            if _try_identity(reference, walk) is not None:
                return None, walk.roots
            unseen = True
    summary = _summary(module, reference)
    if unseen:
        line = first_line(module.definitions[name][0])
        why = (
            f"{name} is a {type(value).__name__} without a value to key it by: "
            "what it holds is not seen"
        )
        summary = replace(summary, unfollowed=[*summary.unfollowed, (line, why)])
    further = summary.references | _registered(value)
    if name in module.imports:  # as in `try: from x import f`, and else another definition
        further.add(resolve_in(*module.imports[name]))
    return summary, further


_summaries: WeakKeyDictionary[Module, dict[Reference, Summary]] = WeakKeyDictionary()


def _summary(module: Module, reference: Reference) -> Summary:
    """The cached Summary of the statements that a reference stands for.

    Effects of a module lead to the modules that it loads.
    """
    summaries = _summaries.setdefault(module, {})
    if reference not in summaries:
        summary = summaries[reference] = summarise(module, _statements(module, reference))
        if reference.kind == "effects":
            loaded = module.loads | ({module.name.rpartition(".")[0]} - {""})
            summary.references |= {Reference("effects", other) for other in loaded}
    return summaries[reference]


def _statements(module: Module, reference: Reference) -> list[ast.stmt]:
    if reference.kind != "effects":
        return module.definitions.get(reference.name, [])
    chosen = set(reference.name.split(","))
    effects = module.effects
    return [e.statement for e in effects if not e.libraries or e.libraries & chosen]


# Objects that hold nothing that results depend on, or file names.
HARMLESS = (PurePath, logging.Logger, type(threading.Lock()), type(threading.RLock()))
TYPES = (typing.TypeVar, typing.ParamSpec, typing.TypeVarTuple, typing.NewType)


def _holds_nothing(value: object) -> bool:
    """Return True for objects without a value of their own, as MISSING and other marks are.

    Forms of types, such as `list[int]`, hold no more than their source says.
    """
    is_form = isinstance(value, TYPES) or typing.get_origin(value) is not None
    return type(value) is object or is_form or isinstance(value, HARMLESS)


def _try_identity(reference: Reference, walk: Walk) -> list[object] | None:
    try:
        return identity(runtime_value(reference), f"global {reference}", walk, paths=False)
    except TypeError:
        return None


def variable_digests(variables: Iterable[Reference], walk: Walk) -> dict[str, str]:
    """Return the digests of globals that are known by value, as they are now.

    Raises: TypeError for one whose value has none any more.
    """
    digests = {}
    for reference in variables:
        value = runtime_value(reference)
        before, digest = _settled.get(reference, (MISSING, ""))
        if before is not value:
            content = identity(value, f"global {reference}", walk, paths=False)
            digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
            if is_immutable(value) or reference.module not in sys.modules:
                _settled[reference] = value, digest
        digests[f"global {reference}"] = digest
    return digests


# Values and digests of globals that can not change without becoming other objects: immutable ones,
# and those of modules that are not loaded.
_settled: dict[Reference, tuple[object, str]] = {}


def _registered(value: object) -> set[Reference]:
    """The project's functions and classes in a table.

    A class or a dispatching function has tables among its attributes.
    """
    tables = vars(value).values() if isinstance(value, type) or is_function(value) else [value]
    items: list[object] = []
    for table in tables:
        if isinstance(table, dict | types.MappingProxyType):
            items += table.values()
        elif isinstance(table, list | tuple | set | frozenset):
            items += table
    symbols = {symbol_of(item) or symbol_of(type(item)) for item in items}
    return {reference for reference in symbols if reference is not None}


_warned: set[tuple[str, int]] = set()


def _warn(reached: Reached) -> None:
    """Warn of everything that could not be followed, once in a process.

    Of this package nothing is said to authors, who can not mend it; its tests look at it.
    """
    for reference, summary in reached.items():
        module = find_module(reference.module) if summary and summary.unfollowed else None
        if summary is None or module is None or module.path.is_relative_to(PACKAGE):
            continue
        for line, why in summary.unfollowed:
            place = str(module.path), line
            if place not in _warned:
                _warned.add(place)
                message = f"{why}: results may depend on more than is seen"
                warnings.warn_explicit(message, NotFollowed, *place)


def place_of(reference: Reference) -> tuple[str, int]:
    """Return the file and the first line of what a reference stands for.

    The file is named as people know it, and not by its path.
    """
    module = find_module(reference.module)
    if module is None:
        return str(reference), 0
    statements = _statements(module, reference)
    line = first_line(statements[0]) if statements else 0
    if module.is_script:
        return module.path.name, line
    suffix = "/__init__.py" if module.is_package else ".py"
    return module.name.replace(".", "/") + suffix, line


def _text_of(reference: Reference) -> str:
    module = find_module(reference.module)
    statements = _statements(module, reference) if module else []
    return "".join(module.segment(statement) for statement in statements) if module else ""
