"""The modules that an article imports: the author's own files, and installed libraries.

Only import statements are read, nothing is imported: a module that a script finds in another way,
such as by importlib, is not seen.
"""

import ast
import importlib.metadata
import platform
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from urllib.parse import unquote

from packaging.utils import canonicalize_name

from report.article.images import image_tokens
from report.article.prose import is_local, markdown
from report.article.script import parse_script
from report.errors import ReportError
from report.keys.libraries import library_of
from report.keys.source import parse, read_source

PACKAGE = Path(__file__).resolve().parents[1]  # report/, which is no part of an article


@dataclass
class Imports:
    """The modules that a script imports, also through its other modules."""

    files: dict[Path, Path] = field(default_factory=dict)  # file -> folder that it was found from
    modules: set[str] = field(default_factory=set)  # top-level names in libraries
    direct: set[str] = field(default_factory=set)  # those of them that the script itself imports

    def versions(self) -> dict[str, str]:
        """Library -> its installed version if the script itself imports it, or else ""."""
        versions = {"python": platform.python_version() if self.direct else ""}
        for name in sorted(self.modules):
            for library in _libraries_of(name):
                version = importlib.metadata.version(library) if name in self.direct else ""
                versions[library] = versions.get(library) or version
        return versions


def imports_of(script: Path) -> Imports:
    """Return what a script imports. Files that are no valid Python are there, and lead no further.

    Raises: ReportError if the script can not be read.
    """
    script = script.resolve()
    imports = Imports({script: script.parent})
    _find.cache_clear()  # files may have come since
    read_source(script)
    unread = [(script, script.stem, [str(script.parent), *sys.path])]
    while unread:
        file, module, search = unread.pop()
        for name in _imported_names(file, module):
            for part, spec in _specs(name, search):
                origin = _resolved(spec.origin) if spec.origin else None
                if origin is None or origin.suffix != ".py" or _is_installed(origin):
                    if "." not in part:
                        imports.modules.add(part)
                        imports.direct |= {part} if file == script else set()
                elif origin not in imports.files and not origin.is_relative_to(PACKAGE):
                    depth = part.count(".") + (origin.name == "__init__.py")
                    imports.files[origin] = origin.parents[depth]
                    package = part if origin.name == "__init__.py" else part.rpartition(".")[0]
                    unread.append((origin, f"{package}.", search))
    return imports


def sources_of(scripts: Iterable[Path]) -> dict[str, bytes]:
    """Return the scripts, and the author's files that they use, by name for an archive.

    These are modules that they import, bibliographies, and pictures in their prose.

    Files below a folder that has all scripts are named from there; others as they are imported.
    """
    scripts = [script.resolve() for script in scripts]
    if not scripts:
        return {}
    top = _common_folder(scripts)
    sources = {}
    for script in scripts:
        for file, found_from in imports_of(script).files.items():
            base = top if file.is_relative_to(top) else found_from
            sources[file.relative_to(base).as_posix()] = file.read_bytes()
        for file in map(Path.resolve, _files_in_prose(script)):
            name = file.relative_to(top).as_posix() if file.is_relative_to(top) else file.name
            sources[name] = file.read_bytes()
    return sources


def _files_in_prose(script: Path) -> list[Path]:
    """Return the bibliographies and pictures that a script names. It does not run."""
    source = read_source(script)
    names = re.findall(r"""["']([^"'\n]+\.bib)["']""", source)
    for cell in parse_script(script) if "![" in source else ():
        if cell.kind == "prose":
            images = image_tokens(markdown().parse(cell.source))
            names += [str(image.attrs["src"]) for image in images]
    files = [script.parent / unquote(name) for name in names if is_local(name)]
    return [file for file in files if file.is_file()]


def _common_folder(scripts: list[Path]) -> Path:
    folder = scripts[0].parent
    while not all(script.is_relative_to(folder) for script in scripts):
        folder = folder.parent
    return folder


def _imported_names(file: Path, module: str) -> tuple[str, ...]:
    """Return the dotted names that a file may import; `from a import b` means a, and perhaps a.b.

    `module` is the dotted name of a script, or a package and a dot: relative imports start there.
    """
    try:
        return _names_in(read_source(file), file, module)
    except (ReportError, SyntaxError, ValueError):
        return ()


@lru_cache(maxsize=1024)
def _names_in(source: str, file: Path, module: str) -> tuple[str, ...]:
    """Return the names that `_imported_names` does, of a file with this source.

    Raises: SyntaxError, ValueError.
    """
    tree, names = parse(source, str(file)), []
    package = module.rstrip(".").split(".") if module.endswith(".") and module != "." else []
    for node in _executed(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - (node.level - 1)] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names += [base] if base else []
            names += [f"{base}.{alias.name}".lstrip(".") for alias in node.names]
    return tuple(names)


BLOCKS = ("body", "handlers", "cases", "orelse", "finalbody")  # fields that hold statements


def _executed(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield all statements but those under `if TYPE_CHECKING`. No expression holds an import."""
    unread: list[ast.AST] = [tree]
    while unread:
        node = unread.pop()
        yield node
        blocks = BLOCKS[1:] if isinstance(node, ast.If) and _is_for_types(node.test) else BLOCKS
        inner = [statement for block in blocks for statement in getattr(node, block, ())]
        unread += reversed(inner)


def _is_for_types(test: ast.expr) -> bool:
    words = [getattr(node, "id", getattr(node, "attr", "")) for node in ast.walk(test)]
    return "TYPE_CHECKING" in words


def _specs(name: str, search: list[str]) -> Iterator[tuple[str, ModuleSpec]]:
    """Yield the module `name` and its packages, from the outermost, as far as they are found."""
    places: Iterable[str] | None = search
    parts = name.split(".")
    for i in range(len(parts)):
        dotted = ".".join(parts[: i + 1])
        if parts[0] in sys.stdlib_module_names or places is None:
            return
        spec = _find(parts[i], tuple(places))
        if spec is None:
            return
        yield dotted, spec
        places = spec.submodule_search_locations


@cache
def _find(name: str, places: tuple[str, ...]) -> ModuleSpec | None:
    try:
        return PathFinder.find_spec(name, list(places))
    except (ImportError, ValueError, OSError):
        return None


@cache
def _resolved(path: str) -> Path:
    return Path(path).resolve()


@cache
def _is_installed(path: Path) -> bool:
    return any(folder in path.parents for folder in _installed_folders())


@cache
def _installed_folders() -> set[Path]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return {Path(sysconfig.get_path(name)).resolve() for name in names}


def _libraries_of(module: str) -> list[str]:
    """Return the libraries that have a top-level module, mostly one of the same name."""
    try:
        return [canonicalize_name(importlib.metadata.distribution(module).metadata["Name"])]
    except (importlib.metadata.PackageNotFoundError, ValueError):
        library = library_of(module)
        return [library] if library else _owners().get(module, [])


@cache
def _owners() -> dict[str, list[str]]:
    """Top-level module -> the libraries that have it, also of a namespace. This takes a while."""
    owners = importlib.metadata.packages_distributions()
    return {
        name: sorted({canonicalize_name(owner) for owner in them}) for name, them in owners.items()
    }
