"""Names in a syntax tree: those that the nodes of one scope bind, and those that they mutate."""

import ast
from collections.abc import Iterable

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
SCOPES = (*DEFINITIONS, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
MUTATORS = set(
    "add append clear discard extend insert pop popitem remove setdefault update".split()
)


def first_line(statement: ast.stmt) -> int:
    """The line on which a statement begins, decorators included."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _children(node: ast.AST) -> list[ast.AST]:
    """Return the nodes right below a node, in order, as `ast.iter_child_nodes` does but faster.

    Contexts are left out: there is nothing below them.
    """
    below: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            below += [item for item in value if isinstance(item, ast.AST)]
        elif name != "ctx" and isinstance(value, ast.AST):
            below.append(value)
    return below


def walk(node: ast.AST) -> list[ast.AST]:
    """Return a node and all nodes below it, those near to it first."""
    nodes = [node]
    for each in nodes:  # the list grows meanwhile
        nodes += _children(each)
    return nodes


def within(*nodes: ast.AST) -> list[ast.AST]:
    """Return all nodes of one scope, in order.

    The insides of functions, classes and comprehensions are other scopes; only the targets of `:=`
    in a comprehension belong to the scope around it.
    """
    members: list[ast.AST] = []
    unread = list(reversed(nodes))
    while unread:
        node = unread.pop()
        members.append(node)
        if isinstance(node, COMPREHENSIONS):
            unread += [inner.target for inner in walk(node) if isinstance(inner, ast.NamedExpr)]
        elif not isinstance(node, SCOPES):
            unread += reversed(_children(node))
    return members


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


def mutated_names(node: ast.stmt) -> set[str]:
    """Names that a statement mutates.

    It sets or deletes an item or an attribute, or calls a method and drops the result. Inside
    another statement, only a method that mutates lists, sets or dicts counts.
    """
    return _mutated(walk(node), alone=isinstance(node, ast.Expr))


def written_names(definition: ast.stmt) -> set[str]:
    """Names that a function or class mutates, or declares as global to write to them."""
    nodes = walk(definition)
    declared = [node.names for node in nodes if isinstance(node, ast.Global)]
    return _mutated(nodes).union(*declared)


def _mutated(nodes: Iterable[ast.AST], alone: bool = False) -> set[str]:
    """Names that the nodes of a statement mutate; `alone`, if it only calls a method."""
    names = set()
    for inner in nodes:
        if isinstance(inner, ast.Attribute | ast.Subscript) and not isinstance(inner.ctx, ast.Load):
            names.add(root_name(inner))
        elif isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Call):
            method = inner.value.func
            if isinstance(method, ast.Attribute) and (alone or method.attr in MUTATORS):
                names.add(root_name(method))
    return names - {""}


def root_name(node: ast.expr) -> str:
    """Return `a` for `a.b[c].d`, or "" where no name stands at the root."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def dotted_name(node: ast.expr) -> list[str]:
    """Return [a, b, c] for `a.b.c`, and [a, b] for `a.b().c[0]`; empty without a name at its root.

    That is as far as it can be told without running it.
    """
    chain: list[str] = []
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        chain = [node.attr, *chain] if isinstance(node, ast.Attribute) else []
        node = node.value if isinstance(node, ast.Attribute | ast.Subscript) else node.func
    return [node.id, *chain] if isinstance(node, ast.Name) else []
