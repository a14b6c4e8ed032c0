"""Which source a conjured function may depend on: too many files rather than one too few."""

import ast
import functools
import hashlib
import importlib.util
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

# Part of every key wherever they are installed. They are only names: none is imported here.
PROJECT_PACKAGES = ("report", "sparse_codec", "experiments")


@functools.cache  # once a process: what runs is what was imported, whatever happens to the files meanwhile
def source_digest(folder: Path) -> str:
    """Hash of the project's Python files that a function in `folder` can reach, and of some that it can not.

    These are the folder, the package it belongs to, PROJECT_PACKAGES, and every package or module that any of these
    imports, transitively, from a place that is neither Python's own library nor where pip installs to.
    """
    files = project_files(folder)
    digest = hashlib.sha256()
    for name in sorted(files):
        text = files[name].read_bytes()
        digest.update(f"{name}\0{len(text)}\0".encode() + text)
    return digest.hexdigest()


def project_files(folder: Path) -> dict[str, Path]:
    """The files that `source_digest` reads, by names that do not depend on where the project lies."""
    files = {path.name: path for path in folder.glob("*.py")}
    top = folder
    while (top / "__init__.py").exists():
        top = top.parent
    if top != folder:
        files |= _tree(top / folder.relative_to(top).parts[0])
    for package in PROJECT_PACKAGES:
        spec = importlib.util.find_spec(package)
        for home in spec.submodule_search_locations or () if spec else ():
            files |= _tree(Path(home))
    roots, seen, unread = [folder, *_project_roots()], set(), list(files.values())
    while unread:
        for name in _imported(unread.pop()) - seen:
            seen.add(name)
            found = _module(name, roots)
            unread += [path for label, path in found.items() if label not in files]
            files = found | files
    return files


def _module(name: str, roots: list[Path]) -> dict[str, Path]:
    """The files of a top-level module or package, from the first root that has it, as Python would look."""
    for root in roots:
        if (root / name / "__init__.py").exists() or next((root / name).glob("*.py"), None):
            return _tree(root / name)
        if (root / f"{name}.py").exists():
            return {f"{name}.py": root / f"{name}.py"}
    return {}


def _tree(package: Path) -> dict[str, Path]:
    return {f"{package.name}/{path.relative_to(package).as_posix()}": path for path in package.rglob("*.py")}


def _imported(file: Path) -> set[str]:
    """Top-level names that a file imports anywhere in it; a file that can not be parsed imports nothing."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return set()
    return set(_names(tree))


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def _project_roots() -> list[Path]:
    """Folders that Python imports from, less its own library and what pip installed."""
    installed = [Path(sysconfig.get_path(kind)).resolve() for kind in ("stdlib", "platstdlib", "purelib", "platlib")]
    roots = [Path(entry).resolve() for entry in sys.path]
    return [root for root in roots if root.is_dir() and not any(root.is_relative_to(place) for place in installed)]
