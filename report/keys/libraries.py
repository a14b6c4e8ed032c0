"""Installed libraries: their versions, and the files that belong to them."""

import functools
import importlib.metadata
import importlib.util
import inspect
import operator
import sys
import sysconfig
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name


def origin_of(name: str) -> str | None:
    """Return the file that a module would be imported from, or None. Packages are imported for it.

    The import system raises a TypeError where a loaded module answers to any attribute.
    """
    spec = _find_spec(name)
    return spec.origin if spec else None


def _find_spec(name: str) -> ModuleSpec | None:
    package = name.rpartition(".")[0]
    if package and package not in sys.modules:
        above = _find_spec(package)
        if above is None or above.submodule_search_locations is None:
            return None  # else a module that is no package would be imported, to look into it
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError, TypeError):
        return None


@functools.cache
def library_versions(tops: frozenset[str]) -> dict[str, str]:
    """Versions of Python and of the libraries with these top-level modules.

    The libraries that those require are there as well, and so on.
    """
    versions = {"python": sys.version.partition(" ")[0]}
    unread = []
    for top in sorted(tops - set(sys.stdlib_module_names)):
        origin = getattr(sys.modules.get(top), "__file__", None) or origin_of(top)
        owner = distribution_of(top, Path(origin).resolve(), top) if origin else None
        unread.append(owner or top)
    while unread:
        name = canonicalize_name(unread.pop())
        if name not in versions and (library := _library(name)) is not None:
            versions[name], requirements = library
            unread += requirements
    return dict(sorted(versions.items()))


def library_of(top: str) -> str | None:
    """Return the installed library with a top-level module; None for Python's own and for others.

    The name is as in `library_versions`.
    """
    origin = getattr(sys.modules.get(top), "__file__", None) or origin_of(top)
    if top in sys.stdlib_module_names or not origin:
        return None
    owner = distribution_of(top, Path(origin).resolve(), top)
    return canonicalize_name(owner) if owner else None


def libraries_used_by(name: str) -> set[str]:
    """Return the top-level modules of other libraries that a function of a library names.

    It may set something in them, as a function that seeds several generators does. Functions of its
    own library that it names are looked at, too. Python's own modules are left out.
    """
    used: set[str] = set()
    unread, seen = [_named(name)], set()
    while unread:
        item = unread.pop()
        function = inspect.unwrap(item) if callable(item) else None
        code = getattr(function, "__code__", None)
        if function is None or code is None or code in seen:
            continue
        seen.add(code)
        own = _module_of(function).partition(".")[0]
        for word in _words(code):
            item = function.__globals__.get(word, sys.modules.get(word))
            top = _module_of(item).partition(".")[0]
            if top == own:
                unread.append(item)
            elif top and top not in sys.stdlib_module_names:
                used.add(top)
    return used


def _named(name: str) -> object:
    """Return the thing with a dotted name in a module that is loaded, or None."""
    parts = name.split(".")
    for n in reversed(range(1, len(parts))):
        if module := sys.modules.get(".".join(parts[:n])):
            try:
                return operator.attrgetter(".".join(parts[n:]))(module)
            except AttributeError:
                return None
    return None


def _words(code: CodeType) -> set[str]:
    """The names that a function uses and that are none of its locals."""
    words = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            words |= _words(constant)
    return words


def _module_of(item: object) -> str:
    """The module that something is or is from; of an object, that of its class."""
    if isinstance(item, ModuleType):
        return item.__name__
    is_named = isinstance(item, type) or hasattr(item, "__qualname__")
    return getattr(item if is_named else type(item), "__module__", None) or ""


@functools.cache
def _library(name: str) -> tuple[str, list[str]] | None:
    """The version and the requirements of a library; None for an optional one that is missing."""
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    facts, requirements = distribution.metadata, []  # read once: each property reads it again
    for line in facts.get_all("Requires-Dist") or distribution.requires or ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            requirements.append(requirement.name)
    return facts["Version"], requirements


@functools.cache
def distribution_of(top: str, path: Path, name: str) -> str | None:
    """Return the installed library that a module's file belongs to, or None.

    It is recorded in the folder that the module is imported from. `top` is the first part of the
    module's `name`.
    """
    depth = name.count(".") + (path.name == "__init__.py")
    folder = path.parents[depth]
    plain = _module_name(top)
    for record in folder.glob("*.dist-info"):
        library = _recorded_name(record)
        if _module_name(library) == plain:
            return library
    return _owners(folder).get(top)


@functools.cache
def _owners(folder: Path) -> dict[str, str]:
    """Top-level modules in a folder -> the library whose files they are."""
    owners: dict[str, str] = {}
    for record in folder.glob("*.dist-info"):
        owners |= dict.fromkeys(_top_level(record), _recorded_name(record))
    return owners


def _top_level(record: Path) -> set[str]:
    """The top-level modules of the library with this `.dist-info` folder."""
    try:
        return set((record / "top_level.txt").read_text().split())
    except OSError:
        pass
    files = record / "RECORD"
    lines = files.read_text().splitlines() if files.exists() else []
    return {line.split(",")[0].split("/")[0].removesuffix(".py") for line in lines}


def _recorded_name(record: Path) -> str:
    return record.name.split("-")[0]


def _module_name(library: str) -> str:
    return canonicalize_name(library).replace("-", "_")


def in_standard_library(path: Path) -> bool:
    """Return True for a file of Python itself; what pip installed may lie inside its folders."""
    return _is_under(path, ("stdlib", "platstdlib")) and not is_installed(path)


def is_installed(path: Path) -> bool:
    """Return True for a file in a folder that pip installs into."""
    return _is_under(path, ("purelib", "platlib"))


def _is_under(path: Path, kinds: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(folder) for folder in _folders(kinds))


@functools.cache
def _folders(kinds: tuple[str, ...]) -> list[Path]:
    """Folders of this Python, by sysconfig's names for them."""
    return [Path(sysconfig.get_path(kind)).resolve() for kind in kinds]
