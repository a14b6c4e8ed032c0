"""Names inside functions, classes and comprehensions: locals, or what a global leads to."""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from report.keys.scopes import bound_names, within
from report.keys.source import Import, Module, Reference, import_targets, resolve, resolve_in


@dataclass
class Scope:
    """The names of one function, class or comprehension."""

    kind: Literal["function", "class", "comprehension"]
    visible: set[str] = field(default_factory=set)  # to callers: parameters, names in a class body
    hidden: set[str] = field(default_factory=set)  # locals, which a number can stand for
    imports: dict[str, Import] = field(default_factory=dict)
    reads_annotations: bool = False  # a class that may read them in its body, as dataclasses do
    numbers: dict[str, int] = field(default_factory=dict)  # of the hidden names, in order of use


class Names:
    """The names that can be used at one place in a module."""

    def __init__(self, module: Module):
        self.module = module
        self.scopes: list[Scope] = []

    @property
    def innermost(self) -> Scope | None:
        return self.scopes[-1] if self.scopes else None

    @contextmanager
    def inside(self, scope: Scope) -> Iterator[None]:
        self.scopes.append(scope)
        yield
        self.scopes.pop()

    def function_scope(self, arguments: ast.arguments, body: list[ast.stmt]) -> Scope:
        parameters = {argument.arg for argument in parameters_of(arguments)}
        nodes = within(*body)
        elsewhere: set[str] = set()
        for node in nodes:
            if isinstance(node, ast.Global | ast.Nonlocal):
                elsewhere |= set(node.names)
        hidden = bound_names(nodes) - elsewhere - parameters
        return Scope("function", parameters, hidden, self._imports(nodes))

    def class_scope(self, node: ast.ClassDef) -> Scope:
        nodes = within(*node.body)
        reads_annotations = bool(node.decorator_list or node.bases or node.keywords)
        return Scope(
            "class",
            visible=bound_names(nodes),
            imports=self._imports(nodes),
            reads_annotations=reads_annotations,
        )

    def _imports(self, nodes: list[ast.AST]) -> dict[str, Import]:
        imports: dict[str, Import] = {}
        for node in nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports |= import_targets(self.module, node)
        return imports

    def find(self, name: str) -> Reference | str:
        """Return what a name leads to, or a word that stands for a local."""
        direct = True  # no function lies between, from which names of a class are not seen
        for depth in reversed(range(len(self.scopes))):
            scope = self.scopes[depth]
            if scope.kind == "class" and not direct:
                continue
            direct = direct and scope.kind == "comprehension"
            if name in scope.imports:
                return resolve_in(*scope.imports[name])
            if name in scope.visible:
                return f"{depth}.{name}"
            if name in scope.hidden:
                return f"{depth}.{scope.numbers.setdefault(name, len(scope.numbers))}"
        return resolve(self.module, name)

    def leads_to(self, node: ast.expr | None) -> Reference | None:
        """Return what `a`, or `a.b` for a module `a`, leads to; None for locals and all else."""
        if isinstance(node, ast.Name):
            target = self.find(node.id)
            return target if isinstance(target, Reference) else None
        if isinstance(node, ast.Attribute):
            outer = self.leads_to(node.value)
            if outer and outer.kind == "module":
                return resolve_in(outer.module, node.attr)
        return None

    def dotted(self, node: ast.expr) -> str:
        """Return the full name of a function in a library or in Python, or ""."""
        chain: list[str] = []
        while isinstance(node, ast.Attribute | ast.Call):
            if isinstance(node, ast.Attribute):
                chain.insert(0, node.attr)
                node = node.value
            else:
                node = node.func
        target = self.leads_to(node)
        if target is None or target.kind not in ("external", "builtin"):
            return ""
        root = target.name if target.kind == "builtin" else str(target)
        return ".".join([root, *chain])


def parameters_of(arguments: ast.arguments) -> list[ast.arg]:
    """All parameters of a function."""
    starred = [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *starred]
