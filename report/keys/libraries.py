"""Installed libraries and their versions."""

import functools
import importlib.util
import sys
import sysconfig
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name


def origin_of(name: str) -> str | None:
    try:
        spec = importlib.util.find_spec(name)
    except (
        ImportError,
        ValueError,
        AttributeError,
        TypeError,
    ):  # TypeError: a module that answers to any name
        return None
    return spec.origin if spec else None


@functools.cache
def library_versions(tops: frozenset[str]) -> dict[str, str]:
    """Versions of Python and of the libraries that have these top-level modules, with all that they require."""
    versions, unread = {"python": sys.version.partition(" ")[0]}, []
    for top in sorted(tops - set(sys.stdlib_module_names)):
        origin = getattr(sys.modules.get(top), "__file__", None) or origin_of(top)
        owner = distribution_of(top, Path(origin).resolve(), top) if origin else None
        unread.append(owner or top)
    while unread:
        name = canonicalize_name(unread.pop())
        if name not in versions and (library := _library(name)) is not None:
            versions[name], required = library
            unread += required
    return dict(sorted(versions.items()))


@functools.cache
def _library(name: str) -> tuple[str, list[str]] | None:
    """Version and requirements of an installed library; None for an optional one that is not there."""
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    required = []
    for line in distribution.requires or ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            required.append(requirement.name)
    return distribution.version, required


@functools.cache
def distribution_of(top: str, path: Path, name: str) -> str | None:
    """The installed library that a module's file belongs to: one recorded in the folder that it was imported from."""
    depth = name.count(".") + (path.name == "__init__.py")
    folder = path.parents[depth]
    plain = canonicalize_name(top).replace("-", "_")
    for record in folder.glob("*.dist-info"):
        if canonicalize_name(record.name.split("-")[0]).replace("-", "_") == plain:
            return record.name.split("-")[0]
    return _owners(folder).get(top)


@functools.cache
def _owners(folder: Path) -> dict[str, str]:
    """Top-level modules in a folder -> the library whose files they are."""
    owners = {}
    for record in folder.glob("*.dist-info"):
        try:
            tops = (record / "top_level.txt").read_text().split()
        except OSError:
            lines = (
                (record / "RECORD").read_text().splitlines() if (record / "RECORD").exists() else []
            )
            tops = {line.split(",")[0].split("/")[0].removesuffix(".py") for line in lines}
        owners |= dict.fromkeys(tops, record.name.split("-")[0])
    return owners


@functools.cache
def standard_library() -> tuple[Path, ...]:
    return tuple(Path(sysconfig.get_path(kind)).resolve() for kind in ("stdlib", "platstdlib"))


@functools.cache
def installed() -> tuple[Path, ...]:
    return tuple(Path(sysconfig.get_path(kind)).resolve() for kind in ("purelib", "platlib"))


def is_under(path: Path, folders: tuple[Path, ...]) -> bool:
    """Whether a file is in one of these folders, and not among what pip installed into it."""
    inside = any(path.is_relative_to(folder) for folder in folders)
    return inside and (
        folders is installed() or not any(path.is_relative_to(folder) for folder in installed())
    )
