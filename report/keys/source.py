"""The project's modules as source: what their names stand for, and what belongs to an installed library instead."""

import ast
import builtins
import functools
import importlib.metadata
import importlib.util
import inspect
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from types import CodeType, ModuleType

from report.errors import ReportError
from report.keys.libraries import distribution_of, installed, is_under, origin_of, standard_library

# Followed as source wherever they are installed, since their version says little. Only names: none is imported here.
OWN = ("report", "sparse_codec", "experiments")
OF_THE_MODULE = ("__name__", "__file__", "__doc__", "__path__", "__package__", "__spec__")
MAIN = ("__name__ == '__main__'", "'__main__' == __name__")
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
SCOPES = (*DEFINITIONS, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
CHANGES = (
    "add",
    "append",
    "clear",
    "discard",
    "extend",
    "insert",
    "pop",
    "popitem",
    "remove",
    "setdefault",
    "update",
)


@dataclass(frozen=True)
class Reference:
    """What a name leads to. Kinds: "symbol" (a top-level name of a project module), "module" (all of one), "effects"
    (what a project module does when imported), "external" (a library's module, or something in it), "builtin", and
    "injected" (a global that no source defines)."""

    kind: str
    module: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.module}.{self.name}" if self.name else self.module


@dataclass
class Module:
    """A project module. `definitions` has, for each top-level name, all statements that bind or change it."""

    name: str
    path: Path
    text: str
    tree: ast.Module
    is_package: bool
    is_script: bool  # its statements show things; they are not what an import would do
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(
        default_factory=dict
    )  # name -> (module, name in it or "")
    stars: list[tuple[str, int]] = field(
        default_factory=list
    )  # modules imported with *, and the lines of that
    bound_on: dict[str, int] = field(default_factory=dict)  # name -> the last line that binds it
    effects: list[ast.stmt] = field(default_factory=list)
    loads: set[str] = field(default_factory=set)  # modules that it imports when it is imported
    pieces: dict[str, object] = field(
        default_factory=dict
    )  # what its names say, once they were read

    def segment(self, statement: ast.stmt) -> str:
        """The statement's text, decorators included."""
        return "".join(
            self.text.splitlines(keepends=True)[first_line(statement) - 1 : statement.end_lineno]
        )

    @functools.cached_property
    def written_by_functions(self) -> set[str]:
        """Top-level names that functions of this module write to: they hold state, such as a cache or a registry."""
        functions = [n for n in self.tree.body if isinstance(n, DEFINITIONS)]
        written = {
            n
            for f in functions
            for node in ast.walk(f)
            if isinstance(node, ast.Global)
            for n in node.names
        }
        return written | {name for f in functions for name in changed_names(f)}


def first_line(statement: ast.stmt) -> int:
    """The line on which a statement begins, decorators included."""
    return min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])


STARTED = time.time()  # of this process, nearly: what was written before is what was loaded
_modules: dict[str, tuple[object, Module | None]] = {}


def find_module(name: str) -> Module | None:
    """The project module of this name, as source; None for what is installed, built in, or not there."""
    top = name.partition(".")[0]
    if top != name and not _may_be_project(
        top
    ):  # so that no library is imported only to see where it lies
        return None
    loaded = sys.modules.get(name)
    version = (
        getattr(loaded, "__spec__", None) or loaded
    )  # a module that is loaded again has another spec
    if name not in _modules or _modules[name][0] is not version:
        path = _project_file(name, loaded)
        _modules[name] = version, path and _read(name, path)
        if path and loaded and path.stat().st_mtime > STARTED:
            _check_unchanged(loaded, _modules[name][1])
    return _modules[name][1]


def _check_unchanged(loaded: ModuleType, module: Module) -> None:
    """Raises: ReportError if the source is no longer that of the code which runs: a file edited meanwhile."""
    for code in compile(module.text, str(module.path), "exec", dont_inherit=True).co_consts:
        function = (
            inspect.unwrap(value)
            if callable(value := vars(loaded).get(getattr(code, "co_name", "")))
            else None
        )
        running = getattr(function, "__code__", None)
        if running and running.co_filename == str(module.path) and not _same_code(running, code):
            raise ReportError(
                f"{module.path} was edited while it was in use, at {code.co_name}; run it again"
            )


def _same_code(one: CodeType, other: CodeType) -> bool:
    """Whether two functions say the same, on the same lines."""
    return (one.co_code, one.co_names, one.co_firstlineno) == (
        other.co_code,
        other.co_names,
        other.co_firstlineno,
    ) and all(
        _same_code(a, b)
        if isinstance(a, CodeType) and isinstance(b, CodeType)
        else repr(a) == repr(b)
        for a, b in zip_longest(one.co_consts, other.co_consts)
    )


@functools.cache
def _may_be_project(top: str) -> bool:
    if getattr(sys.modules.get(top), "__file__", None) or origin_of(top):
        return find_module(top) is not None
    return top not in sys.stdlib_module_names  # a folder without an __init__.py


def _project_file(name: str, loaded: ModuleType | None) -> Path | None:
    origin = getattr(loaded, "__file__", None) if loaded else origin_of(name)
    if origin is None or not origin.endswith(".py"):
        return None
    path, top = Path(origin).resolve(), name.partition(".")[0]
    if top not in OWN and (is_under(path, standard_library()) or distribution_of(top, path, name)):
        return None
    return path


def _read(name: str, path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    module = Module(
        name,
        path,
        text,
        ast.parse(text, str(path)),
        is_package=path.name == "__init__.py",
        is_script=name == "__main__" or name.startswith("article_"),
    )
    for statement in module.tree.body:
        _enter(module, statement)
    return module


def _enter(module: Module, statement: ast.stmt) -> None:
    """Enter a top-level statement under the names that it binds or changes, or else among the effects."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        _enter_import(module, statement)
    elif isinstance(statement, ast.If) and ast.unparse(statement.test).endswith("TYPE_CHECKING"):
        for inner in statement.body + statement.orelse:
            _enter(module, inner)
    elif _is_main_block(statement):
        for inner in statement.orelse:
            _enter(module, inner)
    elif not (isinstance(statement, ast.Pass) or _is_bare_constant(statement)):
        nodes = within(statement)
        for node in nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                _enter_import(module, node)
        changed = (
            set()
            if isinstance(statement, DEFINITIONS)
            else changed_names(statement) & module.definitions.keys()
        )
        names = sorted(bound_names(nodes) | changed)
        for name in names:
            module.definitions.setdefault(name, []).append(statement)
            module.bound_on[name] = statement.lineno
        if not names and (not module.is_script or _sets_up(module, statement)):
            module.effects.append(statement)


def _sets_up(module: Module, statement: ast.stmt) -> bool:
    """Whether a statement of a script changes how others compute: a call of a library, such as a seed or a setting, or
    something put into an imported module. What else stands alone in a script shows something."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        target = module.imports.get(_root(statement.value.func))
        return target is not None and resolve_in(*target).kind == "external"
    return any(name in module.imports for name in changed_names(statement))


def _enter_import(module: Module, statement: ast.Import | ast.ImportFrom) -> None:
    targets = import_targets(module, statement)
    module.stars += [
        (source, statement.lineno)
        for bound, (source, _) in targets.items()
        if bound.startswith("*")
    ]
    named = {bound: target for bound, target in targets.items() if not bound.startswith("*")}
    module.imports |= named
    module.bound_on |= dict.fromkeys(named, statement.lineno)
    module.loads |= loaded_by(module, statement)


def import_targets(
    module: Module, statement: ast.Import | ast.ImportFrom
) -> dict[str, tuple[str, str]]:
    """What an import statement binds: name -> (module, name in it or ""); a star import binds "*" and its module."""
    if isinstance(statement, ast.Import):
        bound = [
            (a.asname, a.name) if a.asname else (a.name.partition(".")[0],) * 2
            for a in statement.names
        ]
        return {name: (source, "") for name, source in bound}
    source = statement.module or ""
    if statement.level:
        package = module.name.split(".")
        package = package[: len(package) - statement.level + module.is_package]
        source = ".".join([*package, *([source] if source else [])])
    return {
        f"*{source}" if a.name == "*" else a.asname or a.name: (source, a.name)
        for a in statement.names
    }


def loaded_by(module: Module, statement: ast.Import | ast.ImportFrom) -> set[str]:
    """The modules that an import statement loads: parents, and submodules that are imported by name."""
    targets = import_targets(module, statement).values()
    names = {source for source, _ in targets} | {
        f"{source}.{name}" for source, name in targets if name
    }
    if isinstance(statement, ast.Import):
        names |= {alias.name for alias in statement.names}
    return {
        ".".join(name.split(".")[: n + 1]) for name in names for n in range(name.count(".") + 1)
    }


def bound_names(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that nodes of one scope bind, see `within`; imports aside."""
    names = set()
    for node in nodes:
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                names.add(node.id)
        elif isinstance(node, DEFINITIONS):
            names.add(node.name)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            names.add(node.rest)
    return names


def changed_names(node: ast.AST) -> set[str]:
    """Names whose items or attributes a statement sets, or that it calls a method on to no other end."""
    changed = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute | ast.Subscript) and not isinstance(inner.ctx, ast.Load):
            changed.add(_root(inner))
        elif isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Call):
            function = inner.value.func
            if isinstance(function, ast.Attribute) and (
                function.attr in CHANGES or isinstance(node, ast.Expr)
            ):
                changed.add(_root(function))
    return changed - {""}


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def within(*nodes: ast.AST) -> list[ast.AST]:
    """The nodes of one scope, in order: without the insides of functions, classes and comprehensions, but for `:=`."""
    found, unread = [], list(reversed(nodes))
    while unread:
        node = unread.pop()
        found.append(node)
        if isinstance(node, COMPREHENSIONS):
            unread += [inner.target for inner in ast.walk(node) if isinstance(inner, ast.NamedExpr)]
        elif not isinstance(node, SCOPES):
            unread += reversed(list(ast.iter_child_nodes(node)))
    return found


def _is_bare_constant(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_main_block(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and ast.unparse(statement.test) in MAIN


# ---- what names lead to


def resolve(module: Module, name: str) -> Reference:
    """What a global name in a module leads to."""
    for source, line in reversed(module.stars):
        if (
            line > module.bound_on.get(name, 0)
            and (found := _resolve_star(source, name)) is not None
        ):
            return found
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
    """What `name` in the module `source` leads to, or the module itself for ""."""
    module = find_module(source)
    if module is None:
        if _is_namespace(source):
            return resolve_in(f"{source}.{name}", "") if name else Reference("module", source)
        return Reference("external", source, name)
    if not name:
        return Reference("module", source)
    if name == "__dict__":
        return Reference("module", source)
    if name in module.definitions or module.imports.get(name, (source, name)) != (source, name):
        return resolve(module, name)
    if module.is_package and (find_module(f"{source}.{name}") or origin_of(f"{source}.{name}")):
        return resolve_in(f"{source}.{name}", "")
    found = (
        Reference("injected", source, name) if hasattr(builtins, name) else resolve(module, name)
    )
    if found.kind == "injected" and "__getattr__" in module.definitions:
        return Reference("symbol", source, "__getattr__")
    return found


def _resolve_star(source: str, name: str) -> Reference | None:
    module = find_module(source)
    if module is None:
        return (
            Reference("external", source, name) if hasattr(sys.modules.get(source), name) else None
        )
    public = not name.startswith("_") or "__all__" in module.definitions
    if public and (name in module.definitions or name in module.imports):
        return resolve(module, name)
    return next(
        (found for star, _ in module.stars if (found := _resolve_star(star, name)) is not None),
        None,
    )


def _is_namespace(name: str) -> bool:
    """Whether this is a folder of project modules without an __init__.py."""
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
    return not any(
        is_under(Path(place).resolve(), installed()) for place in spec.submodule_search_locations
    )


# ---- installed libraries


def unversioned_extension(name: str) -> Path | None:
    """The file of a compiled module that belongs to no installed library, or None."""
    if "." in name and not _may_be_project(name.partition(".")[0]):
        return None
    origin = getattr(sys.modules.get(name), "__file__", None) or origin_of(name)
    if origin is None or not origin.endswith((".so", ".pyd")):
        return None
    path = Path(origin).resolve()
    owned = is_under(path, standard_library()) or distribution_of(
        name.partition(".")[0], path, name
    )
    return None if owned else path
