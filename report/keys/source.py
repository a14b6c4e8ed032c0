"""The project's modules as source, and what their global names lead to.

A module belongs to the project unless it is built in or part of an installed library.
"""

import ast
import builtins
import functools
import importlib.util
import inspect
import sys
import time
import tokenize
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from types import CodeType, ModuleType
from typing import Literal

from report.errors import ReportError
from report.keys.libraries import (
    distribution_of,
    in_standard_library,
    is_installed,
    libraries_used_by,
    library_of,
    origin_of,
)
from report.keys.scopes import (
    DEFINITIONS,
    MUTATORS,
    bound_names,
    dotted_name,
    first_line,
    mutated_names,
    root_name,
    within,
    written_names,
)

# Followed as source wherever they are installed, since their version says little. These are only
# names: none is imported here.
OWN = ("workers", "report", "sparse_codec", "experiments")
OF_THE_MODULE = (
    "__name__", "__file__", "__doc__", "__path__", "__package__", "__spec__", "__builtins__",
)  # fmt: skip
MAIN = ("__name__ == '__main__'", "'__main__' == __name__")

Kind = Literal["symbol", "module", "effects", "external", "builtin", "injected"]
Import = tuple[str, str]  # a module, and a name in it or ""


@dataclass(frozen=True)
class Reference:
    """The thing that a name leads to, by its kind:

    "symbol": a top-level name of a project module;
    "module": a whole project module;
    "effects": the things that a project module does when it is imported;
    "external": a library's module, or something in it;
    "builtin": a name of Python itself;
    "injected": a global that no source defines.
    """

    kind: Kind
    module: str
    name: str = ""

    def __str__(self) -> str:
        """The name in keys and in explanations."""
        if self.kind == "effects":
            return "the article" if is_script(self.module) else f"import of {self.module}"
        if self.kind in ("symbol", "injected"):
            return full_name(self.module, self.name)
        return f"{self.module}.{self.name}" if self.name else self.module


def full_name(module: str, name: str) -> str:
    """Return the name of a module's function, class or variable, as keys have it.

    For things of an article it has no module, so that keys stay when the article is renamed, and
    are shared by articles that have the same function.
    """
    return name if is_script(module) else f"{module}.{name}"


def is_script(name: str) -> bool:
    """Return True for the module of an article, or of the program that runs."""
    module = find_module(name)
    return module is not None and module.is_script


@dataclass(frozen=True)
class Effect:
    """A statement that does something when its module is imported, or when its article runs.

    If all that it does is to call these libraries or to set something in them, only what uses them
    can depend on it. Without libraries, everything can.
    """

    statement: ast.stmt
    libraries: frozenset[str] = frozenset()


@dataclass(eq=False)
class Module:
    """A project module."""

    name: str
    path: Path
    text: str
    tree: ast.Module
    is_package: bool
    is_script: bool  # its statements show things; importing it would not
    # Each top-level name with all statements that bind or change it.
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, Import] = field(default_factory=dict)
    # The modules of `from module import *`, with the line.
    stars: list[tuple[str, int]] = field(default_factory=list)
    bound_on: dict[str, int] = field(default_factory=dict)  # name -> the last line that binds it
    doing: list[ast.stmt] = field(default_factory=list)  # statements that bind no name
    loads: set[str] = field(default_factory=set)  # modules that are imported along with it

    def segment(self, statement: ast.stmt) -> str:
        """The statement's text, decorators included."""
        # As Python counts lines: str.splitlines also breaks them at form feeds and U+2028.
        lines = self.text.split("\n")[first_line(statement) - 1 : statement.end_lineno]
        return "".join(f"{line}\n" for line in lines)

    @functools.cached_property
    def effects(self) -> list[Effect]:
        """The effects in order. Most statements of an article that bind no name only show things.

        It is asked for when the module has been read, since modules may import each other.
        """
        if not self.is_script:
            return [Effect(statement) for statement in self.doing]
        effects = [_effect_in_script(self, statement) for statement in self.doing]
        return [effect for effect in effects if effect is not None]

    @functools.cached_property
    def written_by_functions(self) -> set[str]:
        """Top-level names that functions and classes of this module write to.

        They hold state, such as a cache or a registry.
        """
        definitions = [node for node in self.tree.body if isinstance(node, DEFINITIONS)]
        return set().union(*map(written_names, definitions))

    @functools.cached_property
    def libraries_touched(self) -> frozenset[str]:
        """The libraries that effects of this module are limited to."""
        return frozenset().union(*(effect.libraries for effect in self.effects))


# When this process started, nearly: files written before are what it loads.
STARTED = time.time()


def begin_now() -> None:
    """Tell a fork that it has loaded no module of a project yet, and will read them as of now."""
    global STARTED
    STARTED = time.time()
    importlib.invalidate_caches()


_modules: dict[str, tuple[object, Module | None]] = {}
_texts: dict[str, Callable[[], str]] = {}  # of modules that are in no file


def provide_text(name: str, text: Callable[[], str]) -> None:
    """Let a module that is in no file have a source, which may change: that of a notebook."""
    _texts[name] = text


def find_module(name: str) -> Module | None:
    """Return a project module as source; None if it is installed, built in, or missing."""
    top, dot, _ = name.partition(".")
    if dot and not _may_be_project(top):  # else looking for it would import the library
        return None
    if name in _texts:
        return _find_text(name, _texts[name]())
    loaded = sys.modules.get(name)
    # A module that is loaded again has another spec.
    version = getattr(loaded, "__spec__", None) or loaded
    before = _modules.get(name)
    if before is not None and before[0] is version:
        return before[1]
    module = _read_now(name, loaded, before or (None, None))
    _modules[name] = version, module
    return module


def _find_text(name: str, text: str) -> Module:
    """Return the module with a text, the same as before unless that is another."""
    before = _modules.get(name, ("", None))[1]
    module = before if before and before.text == text else _from_text(name, Path(name), text)
    _modules[name] = text, module
    return module


def _read_now(
    name: str, loaded: ModuleType | None, before: tuple[object, Module | None]
) -> Module | None:
    """Return a module as source. before: its version and source when it was read last.

    Raises: ReportError if its file was edited since then, or since it was loaded.
    """
    path, (version, last) = _project_file(name, loaded), before
    if path is None:
        return None
    edited = path.stat().st_mtime > STARTED
    if last is not None and version is None and last.path == path:  # loaded after it was read
        if edited and read_source(path) != last.text:
            raise _edited(path)
        return last
    module = _read(name, path)
    if loaded and edited:
        _check_unchanged(loaded, module)
    return module


def check_unedited(names: Iterable[str]) -> None:
    """Raise ReportError if the file of a project module was edited between reading and loading."""
    for name in names:
        find_module(name)


def _check_unchanged(loaded: ModuleType, module: Module) -> None:
    """Raise ReportError if a file was edited meanwhile: its source is not the code that runs."""
    compiled = compile(module.text, str(module.path), "exec", dont_inherit=True)
    for code in compiled.co_consts:
        if not isinstance(code, CodeType):
            continue
        value = vars(loaded).get(code.co_name)
        function = inspect.unwrap(value) if callable(value) else None
        running = getattr(function, "__code__", None)
        if running and running.co_filename == str(module.path) and not _same_code(running, code):
            raise _edited(module.path, f", at {code.co_name}")


def _edited(path: Path, place: str = "") -> ReportError:
    return ReportError(f"{path} was edited while it was in use{place}; run it again")


def _same_code(one: CodeType, other: CodeType) -> bool:
    """Return True if two functions do the same, and stand on the same lines."""
    if one.co_code != other.co_code or one.co_names != other.co_names:
        return False
    if one.co_firstlineno != other.co_firstlineno:
        return False
    for a, b in zip_longest(one.co_consts, other.co_consts):
        nested = isinstance(a, CodeType) and isinstance(b, CodeType)
        if not (_same_code(a, b) if nested else repr(a) == repr(b)):
            return False
    return True


@functools.cache
def _may_be_project(top: str) -> bool:
    if getattr(sys.modules.get(top), "__file__", None) or origin_of(top):
        return find_module(top) is not None
    return top not in sys.stdlib_module_names  # it may be a folder without an __init__.py


def _project_file(name: str, loaded: ModuleType | None) -> Path | None:
    origin = getattr(loaded, "__file__", None) if loaded else origin_of(name)
    if origin is None or not origin.endswith(".py"):
        return None
    path, top = Path(origin).resolve(), name.partition(".")[0]
    if top not in OWN and _is_installed(path, name):
        return None
    return path


def _is_installed(path: Path, name: str) -> bool:
    """Return True if a module's file belongs to Python or to an installed library."""
    if in_standard_library(path):
        return True
    return distribution_of(name.partition(".")[0], path, name) is not None


def unversioned_extension(name: str) -> Path | None:
    """Return the file of a compiled module that belongs to no installed library, or None."""
    if "." in name and not _may_be_project(name.partition(".")[0]):
        return None
    origin = getattr(sys.modules.get(name), "__file__", None) or origin_of(name)
    if origin is None or not origin.endswith((".so", ".pyd")):
        return None
    path = Path(origin).resolve()
    return None if _is_installed(path, name) else path


# ---- reading a module


def read_source(path: Path) -> str:
    """Return a Python source as Python reads it: with its byte order mark or coding line.

    Raises: ReportError that names the file.
    """
    try:
        with tokenize.open(path) as file:
            return file.read()
    except OSError as error:
        raise ReportError(f"cannot read the source {path}: {error}") from error
    except (UnicodeDecodeError, SyntaxError) as error:
        problem = error.msg if isinstance(error, SyntaxError) else error
        raise ReportError(
            f"cannot read the source {path}: {problem}; "
            "save it as UTF-8, or name its coding in its first line, as in # coding: latin-1"
        ) from error


@functools.lru_cache(maxsize=1024)  # of the modules, and to list what an article imports
def parse(text: str, path: str) -> ast.Module:
    """Return the syntax tree of a source, which nobody may change. Raises: SyntaxError."""
    return ast.parse(text, path)


def _read(name: str, path: Path) -> Module:
    return _from_text(name, path, read_source(path))


def _from_text(name: str, path: Path, text: str) -> Module:
    module = Module(
        name,
        path,
        text,
        parse(text, str(path)),
        is_package=path.name == "__init__.py",
        is_script=name == "__main__" or _is_made_to_run_in(sys.modules.get(name)),
    )
    for statement in module.tree.body:
        _enter(module, statement)
    return module


def _is_made_to_run_in(loaded: ModuleType | None) -> bool:
    """Return True for a module that was not imported, as that of an article."""
    return loaded is not None and loaded.__spec__ is None


def _enter(module: Module, statement: ast.stmt) -> None:
    """Enter a top-level statement under the names that it binds or changes, or as an effect.

    The branches for type checkers count like the rest; those for `__main__` do not count.
    """
    if isinstance(statement, ast.Import | ast.ImportFrom):
        _enter_import(module, statement)
    elif isinstance(statement, ast.If) and ast.unparse(statement.test).endswith("TYPE_CHECKING"):
        for inner in statement.body + statement.orelse:
            _enter(module, inner)
    elif isinstance(statement, ast.If) and ast.unparse(statement.test) in MAIN:
        for inner in statement.orelse:
            _enter(module, inner)
    elif not (isinstance(statement, ast.Pass) or _is_bare_constant(statement)):
        _enter_names(module, statement)


def _is_bare_constant(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _enter_names(module: Module, statement: ast.stmt) -> None:
    nodes = within(statement)
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            _enter_import(module, node)
    names = bound_names(nodes)
    if not isinstance(statement, DEFINITIONS):
        names |= mutated_names(statement) & module.definitions.keys()
    for name in sorted(names):
        module.definitions.setdefault(name, []).append(statement)
        module.bound_on[name] = statement.lineno
    if not isinstance(statement, DEFINITIONS) and (module.is_script or not names):
        module.doing.append(statement)


def _effect_in_script(module: Module, statement: ast.stmt) -> Effect | None:
    """Return the effect of a statement that calls a library, or changes something imported.

    All other statements only show something, or bind names, which are followed.
    """
    libraries: set[str | None] = set()  # None: something else
    for node in within(statement):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            libraries |= _libraries_called(module, node.value.func)
        elif isinstance(node, ast.withitem) and isinstance(node.context_expr, ast.Call):
            libraries |= _libraries_called(module, node.context_expr.func)
        elif isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            libraries |= _library_changed(module, node)
    if not libraries:
        return None
    known = frozenset(library for library in libraries if library is not None)
    return Effect(statement, known if None not in libraries else frozenset())


def _libraries_called(module: Module, function: ast.expr) -> set[str | None]:
    """The libraries that a call can set up; of the project's functions, those that change things.

    Their names say so, as `append` does.
    """
    chain = dotted_name(function)
    target = resolve(module, chain[0]) if chain else None
    if target is None or target.kind != "external":
        changes = isinstance(function, ast.Attribute) and function.attr in MUTATORS
        return _library_changed(module, function) if changes else set()
    tops = libraries_used_by(".".join([str(target), *chain[1:]]))
    return {library_of(top) for top in (target.module.partition(".")[0], *tops)}


def _library_changed(module: Module, node: ast.expr) -> set[str | None]:
    """The library that the root of `a.b[c]` is imported from."""
    name = root_name(node)
    if name not in module.imports or name in module.definitions:
        return set()
    target = resolve(module, name)
    return {library_of(target.module.partition(".")[0]) if target.kind == "external" else None}


def _enter_import(module: Module, statement: ast.Import | ast.ImportFrom) -> None:
    for name, target in import_targets(module, statement).items():
        if name.startswith("*"):
            module.stars.append((target[0], statement.lineno))
        else:
            module.imports[name] = target
            module.bound_on[name] = statement.lineno
    module.loads |= loaded_by(module, statement)


def import_targets(module: Module, statement: ast.Import | ast.ImportFrom) -> dict[str, Import]:
    """Return what an import binds, by name; a star import binds "*" and the module's name."""
    targets = {}
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            top = alias.name.partition(".")[0]
            targets[alias.asname or top] = (alias.name if alias.asname else top), ""
        return targets
    source = _imported_from(module, statement)
    for alias in statement.names:
        name = f"*{source}" if alias.name == "*" else alias.asname or alias.name
        targets[name] = source, alias.name
    return targets


def _imported_from(module: Module, statement: ast.ImportFrom) -> str:
    """The full name of the module that names are imported from."""
    if not statement.level:
        return statement.module or ""
    parents = module.name.split(".")
    parents = parents[: len(parents) - statement.level + module.is_package]
    return ".".join([*parents, statement.module] if statement.module else parents)


def loaded_by(module: Module, statement: ast.Import | ast.ImportFrom) -> set[str]:
    """The modules that an import loads: parents, and submodules that are imported by name."""
    names = set()
    for source, name in import_targets(module, statement).values():
        names |= {source, f"{source}.{name}"} if name else {source}
    if isinstance(statement, ast.Import):
        names |= {alias.name for alias in statement.names}
    loaded = set()
    for name in names:
        parts = name.split(".")
        loaded |= {".".join(parts[: n + 1]) for n in range(len(parts))}
    return loaded


# ---- what names lead to


def resolve(module: Module, name: str) -> Reference:
    """Return what a global name in a module leads to."""
    for source, line in reversed(module.stars):
        if line > module.bound_on.get(name, 0):
            target = _resolve_star(source, name)
            if target is not None:
                return target
    if name in module.definitions:
        return Reference("symbol", module.name, name)
    if name in OF_THE_MODULE:
        return Reference("builtin", "builtins", name)
    if name in module.imports:
        return resolve_in(*module.imports[name])
    if hasattr(builtins, name):
        return Reference("builtin", "builtins", name)
    return Reference("injected", module.name, name)


def resolve_in(source: str, name: str) -> Reference:
    """Return what `name` in the module `source` leads to; for "", the module itself."""
    module = find_module(source)
    if module is None:
        return _resolve_outside(source, name)
    if name in ("", "__dict__"):
        return Reference("module", source)
    if name in module.definitions or module.imports.get(name, (source, name)) != (source, name):
        return resolve(module, name)
    submodule = f"{source}.{name}"
    if module.is_package and (find_module(submodule) or origin_of(submodule)):
        return resolve_in(submodule, "")
    if hasattr(builtins, name):
        target = Reference("injected", source, name)
    else:
        target = resolve(module, name)
    if target.kind == "injected" and "__getattr__" in module.definitions:
        return Reference("symbol", source, "__getattr__")
    return target


def _resolve_outside(source: str, name: str) -> Reference:
    """Resolve a name in something that is no project module: a library, or a namespace package."""
    if not _is_namespace(source):
        return Reference("external", source, name)
    return resolve_in(f"{source}.{name}", "") if name else Reference("module", source)


def _resolve_star(source: str, name: str) -> Reference | None:
    """Return what `name` leads to if `from source import *` binds it, or None."""
    module = find_module(source)
    if module is None:
        loaded = sys.modules.get(source)
        return Reference("external", source, name) if hasattr(loaded, name) else None
    public = not name.startswith("_") or "__all__" in module.definitions
    if public and (name in module.definitions or name in module.imports):
        return resolve(module, name)
    for star, _ in module.stars:
        target = _resolve_star(star, name)
        if target is not None:
            return target
    return None


def _is_namespace(name: str) -> bool:
    """Return True for a folder of project modules without an __init__.py."""
    if not _may_be_project(name.partition(".")[0]):
        return False
    spec = getattr(sys.modules.get(name), "__spec__", None)
    if spec is None:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError, AttributeError):
            return False
    if spec is None or spec.origin is not None or not spec.submodule_search_locations:
        return False
    return not any(is_installed(Path(place).resolve()) for place in spec.submodule_search_locations)
