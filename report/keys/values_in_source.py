"""The value that a global of a module has, for modules that are not loaded from their source.

Importing a module can take seconds, for the libraries that it uses. Where the source alone says
what a global would be, no module is imported for it: nothing can have changed a global of a module
that was never loaded, and what is sure to be the same has the same key.
"""

import ast
import functools
import importlib
import math
import operator
import sys
import warnings
from collections.abc import Callable
from typing import Any

from report.keys.names import Names
from report.keys.results import registered_results
from report.keys.scopes import DEFINITIONS
from report.keys.source import Module, Reference, find_module, resolve


class NotFollowed(UserWarning):
    """The result of a conjured function may depend on something that its key does not see."""


MISSING = object()  # there is no such global
DEFINED = object()  # a function or class, with no table of others among its attributes
UNCERTAIN = object()  # the source does not say

# Decorators that return a function or class with the same code and no tables.
KEEPING = {
    "contextlib.contextmanager",
    "dataclasses.dataclass",
    "functools.cache",
    "functools.lru_cache",
    "torch.inference_mode",
    "torch.no_grad",
}
UNARY: dict[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
    ast.Not: operator.not_,
}
BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
NUMBERS = (int, float, complex)


def runtime_value(reference: Reference) -> Any:
    """Return the value of a global; MISSING if there is none.

    If its module is not loaded, that is what its source says, or DEFINED for a function or class;
    where this is uncertain, the module is imported.
    """
    module = sys.modules.get(reference.module)
    if module is None:
        source = find_module(reference.module)
        value = UNCERTAIN if source is None else value_in_source(source, reference.name)
        if value is not UNCERTAIN:
            return value
        try:
            module = importlib.import_module(reference.module)
        except Exception as error:  # a module may do anything when it is imported
            warnings.warn(
                f"{reference.module} can not be imported ({error}); its source is followed",
                NotFollowed,
                2,
            )
            return MISSING
    return vars(module).get(reference.name, MISSING)


@functools.lru_cache(maxsize=4096)  # always the same object, as in a module
def value_in_source(module: Module, name: str) -> Any:
    """Return the value that a global gets when its module is imported, as `runtime_value`.

    Returns UNCERTAIN unless one statement alone gives it, and nothing else could change it.
    """
    statements = module.definitions.get(name, [])
    sure = (
        len(statements) == 1
        and statements[0] in module.tree.body  # not in a branch
        and not (module.stars or module.doing or name in module.imports)
        and name not in module.written_by_functions
    )
    if not sure:
        return UNCERTAIN
    statement = statements[0]
    if isinstance(statement, DEFINITIONS):
        return DEFINED if _keeps_its_code(module, statement) else UNCERTAIN
    try:
        value = _assigned(module, statement, name)
    except _NOT_SAID:
        return UNCERTAIN
    return value if _is_fixed(value) or _changes_nothing(module) else UNCERTAIN


def _is_fixed(value: object) -> bool:
    if isinstance(value, tuple | frozenset):
        return all(map(_is_fixed, value))
    return not isinstance(value, list | dict | set)


# ---- functions and classes


def _keeps_its_code(module: Module, node: ast.stmt) -> bool:
    """Return True if a definition makes a function, or a class without tables of functions."""
    if not all(_is_keeping(module, decorator) for decorator in node.decorator_list):  # type: ignore[attr-defined]
        return False
    return not isinstance(node, ast.ClassDef) or _is_plain_class(module, node)


def _is_keeping(module: Module, decorator: ast.expr) -> bool:
    names, results = Names(module), registered_results()
    if results is not None and names.leads_to(decorator) == results.decorator:
        return True
    return names.dotted(decorator) in KEEPING


def _is_plain_class(module: Module, node: ast.ClassDef) -> bool:
    annotated = any(isinstance(statement, ast.AnnAssign) for statement in node.body)
    return (
        not node.keywords
        and (not annotated or _has_text_annotations(module))
        and all(_is_plain_base(module, base) for base in node.bases)
        and all(_is_plain_in_class(module, statement) for statement in node.body)
    )


def _has_text_annotations(module: Module) -> bool:
    return module.imports.get("annotations") == ("__future__", "annotations")


def _is_plain_base(module: Module, base: ast.expr) -> bool:
    """Return True for a base that does nothing more to its subclasses, as those of libraries."""
    if isinstance(base, ast.Subscript):  # as in Generic[T]
        base = base.value
    names = Names(module)
    target = names.leads_to(base)
    if target is None:
        return bool(names.dotted(base))
    if target.kind != "symbol":
        return target.kind in ("external", "builtin")
    source = find_module(target.module)
    statements = source.definitions.get(target.name, []) if source else []
    return source is not None and all(
        isinstance(statement, ast.ClassDef)
        and not any(getattr(part, "name", "") == "__init_subclass__" for part in statement.body)
        and not statement.keywords
        and all(_is_plain_base(source, other) for other in statement.bases)
        for statement in statements
    )


def _is_plain_in_class(module: Module, statement: ast.stmt) -> bool:
    """Return True for methods, annotations, constants, and fields of dataclasses."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.Pass):
        return True
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    value = getattr(statement, "value", None)
    if isinstance(statement, ast.AnnAssign) and value is None:
        return True
    if not isinstance(statement, ast.Assign | ast.AnnAssign):
        return False
    if isinstance(value, ast.Call) and Names(module).dotted(value.func) == "dataclasses.field":
        return True
    try:
        _evaluate(module, value)
    except _NOT_SAID:
        return False
    return True


# ---- modules whose tables nothing can change while they are imported


@functools.lru_cache(maxsize=4096)
def _changes_nothing(module: Module) -> bool:
    """Return True if importing a module calls nothing but Python's own and KEEPING decorators."""
    return all(_calls_nothing(module, statement) for statement in module.tree.body)


def _calls_nothing(module: Module, statement: ast.stmt) -> bool:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        parts: list[ast.AST] = [*statement.decorator_list, statement.args]
    elif isinstance(statement, ast.ClassDef):
        if not all(_calls_nothing(module, part) for part in statement.body):
            return False
        parts = [*statement.decorator_list, *statement.bases, *statement.keywords]
    elif isinstance(statement, ast.If) and ast.unparse(statement.test).endswith("TYPE_CHECKING"):
        return all(_calls_nothing(module, part) for part in statement.orelse)
    else:
        parts = [statement]
    calls = [node for part in parts for node in ast.walk(part) if isinstance(node, ast.Call)]
    decorators = getattr(statement, "decorator_list", [])
    plain = [node for node in decorators if not isinstance(node, ast.Call)]
    return all(_is_harmless(module, call) for call in [*calls, *plain])


def _is_harmless(module: Module, call: ast.expr) -> bool:
    names = Names(module)
    function = call.func if isinstance(call, ast.Call) else call
    dotted, target = names.dotted(function), names.leads_to(function)
    if dotted in KEEPING or dotted.partition(".")[0] in sys.stdlib_module_names:
        return True
    if target is None or target.kind != "symbol":
        return target is not None and target.kind == "builtin"
    source = find_module(target.module)
    return (
        source is not None
        and value_in_source(source, target.name) is DEFINED
        and _is_made_by(source, target.name)
    )


def _is_made_by(source: Module, name: str) -> bool:
    """Return True for a context manager, and for a dataclass."""
    decorators = source.definitions[name][0].decorator_list  # type: ignore[attr-defined]
    makers = {Names(source).dotted(decorator) for decorator in decorators}
    return bool(makers & {"contextlib.contextmanager", "dataclasses.dataclass"})


# ---- values


class _NotSaid(Exception):
    """The source does not say what an expression is."""


# It fails where an expression fails, too.
_NOT_SAID = (_NotSaid, ArithmeticError, ValueError, TypeError, LookupError, AttributeError)


def _assigned(module: Module, statement: ast.stmt, name: str) -> Any:
    """Return what a statement assigns to a name. Raises: _NotSaid."""
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        return _evaluate(module, statement.value)
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        raise _NotSaid
    target, value = statement.targets[0], statement.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        names = [part.id if isinstance(part, ast.Name) else "" for part in target.elts]
        if len(names) != len(value.elts) or any(
            isinstance(part, ast.Starred) for part in value.elts
        ):
            raise _NotSaid
        return _evaluate(module, value.elts[names.index(name)])
    if not isinstance(target, ast.Name):
        raise _NotSaid
    return _evaluate(module, value)


def _evaluate(module: Module, node: ast.AST | None) -> Any:
    """Return the value of an expression of constants, and of Python's own. Raises: _NotSaid."""
    match node:
        case ast.Constant(value):
            return value
        case ast.Tuple(elts):
            return tuple(_evaluate(module, part) for part in elts)
        case ast.List(elts):
            return [_evaluate(module, part) for part in elts]
        case ast.Set(elts):
            return {_evaluate(module, part) for part in elts}
        case ast.Dict(keys, values):
            pairs = zip(keys, values, strict=True)
            return {_evaluate(module, key): _evaluate(module, value) for key, value in pairs}
        case ast.UnaryOp(op, operand) if type(op) in UNARY:
            return UNARY[type(op)](_number(module, operand))
        case ast.BinOp(left, op, right) if type(op) in BINARY:
            return BINARY[type(op)](_number(module, left), _number(module, right))
        case ast.Name(name):
            return _value_of(module, resolve(module, name))
        case ast.Attribute():
            return _of_python(module, node)
        case ast.Call(func, args, []):
            function = _of_python(module, func)
            if callable(function) and function in vars(math).values():
                return function(*(_number(module, argument) for argument in args))
    raise _NotSaid


def _number(module: Module, node: ast.AST) -> Any:
    value = _evaluate(module, node)
    if not isinstance(value, NUMBERS):
        raise _NotSaid
    return value


def _value_of(module: Module, reference: Reference) -> Any:
    """Return the value of another global of the module. Raises: _NotSaid if that is no constant."""
    if reference.kind != "symbol" or reference.module != module.name:
        raise _NotSaid
    value = value_in_source(module, reference.name)
    if value in (UNCERTAIN, DEFINED) or not _is_fixed(value):
        raise _NotSaid
    return value


def _of_python(module: Module, node: ast.expr) -> Any:
    """Return an attribute of a module of the standard library. Raises: _NotSaid."""
    name = Names(module).dotted(node)
    top, _, rest = name.partition(".")
    if top not in sys.stdlib_module_names or not rest:
        raise _NotSaid
    value = operator.attrgetter(rest)(importlib.import_module(top))
    if not isinstance(value, NUMBERS) and not callable(value):
        raise _NotSaid
    return value
