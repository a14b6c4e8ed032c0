"""What a piece of source says, in whatever way it is written: its syntax tree, with what names lead to.

Comments, docstrings, blank lines, formatting, line numbers, annotations that do nothing and the names of locals leave
no trace. A global name stands as what it leads to, so an import alias leaves none either.
"""

import ast
import hashlib
from dataclasses import dataclass, field
from functools import cached_property

from report.keys.source import (
    Module,
    Reference,
    bound_names,
    find_module,
    import_targets,
    loaded_by,
    resolve,
    resolve_in,
    unversioned_extension,
    within,
)

# Decorators that look at no annotation; under any other, annotations are part of what a function says.
PLAIN_DECORATORS = {"staticmethod", "classmethod", "property", "functools.cache", "functools.lru_cache"} | {
    "functools.cached_property", "functools.wraps", "contextlib.contextmanager", "abc.abstractmethod",
    "torch.no_grad", "torch.inference_mode", "typing.overload", "typing.override",
}  # fmt: skip
_HIDING = ("eval", "exec", "globals", "locals", "compile", "__builtins__")
_OUTSIDE = (
    "builtins.eval.", "builtins.exec.", "builtins.globals.", "builtins.locals.", "ctypes.", "importlib.reload.",
    "importlib.util.spec_from", "inspect.", "os.environ.", "os.getenv.", "os.popen.", "os.system.", "pickle.load",
    "pkgutil.", "runpy.", "subprocess.", "sys.modules.", "typing.get_type_hints.",
)  # fmt: skip
_DOUBTFUL = {
    "__annotations__": "holds annotations, which are no part of a key",
    "f_lineno": "is a line number, which is no part of a key",
    "__subclasses__": "depends on what else was imported",
    "__doc__": "is a docstring, which is no part of a key",
}
CONJURE = Reference("symbol", "report.artifacts.session", "conjure")
MEDIA = "report.artifacts.media"


@dataclass
class Piece:
    """What was found in some statements: a digest of what they say, what they refer to, and what can not be
    followed: (line, why)."""

    tokens: list[str] = field(default_factory=list)
    references: set[Reference] = field(default_factory=set)
    unfollowed: list[tuple[int, str]] = field(default_factory=list)

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256("\0".join(self.tokens).encode("utf-8", "surrogatepass")).hexdigest()


def read_piece(module: Module, statements: list[ast.stmt]) -> Piece:
    """What top-level statements of a module say."""
    reader = _Reader(module)
    for statement in statements:
        reader.read(statement)
    return reader.piece


@dataclass
class _Scope:
    """The names of one function, class or comprehension."""

    kind: str
    kept: set[str]  # parameters and what a class body binds: callers can see these names
    renamed: set[str]
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    annotated: bool = False  # a class that may read the annotations in its body, as dataclasses do
    numbers: dict[str, int] = field(default_factory=dict)


class _Reader:
    def __init__(self, module: Module):
        self.module = module
        self.piece = Piece()
        self.scopes: list[_Scope] = []
        self.line = 0

    def read(self, node: object) -> None:
        """Write down a node, a list of nodes or a plain value."""
        if isinstance(node, ast.AST):
            self.line = getattr(node, "lineno", self.line)
            special = _SPECIAL.get(type(node))
            if special:
                special(self, node)
            else:
                self.plain(node)
        elif isinstance(node, list):
            self.word("[")
            for item in node:
                self.read(item)
            self.word("]")
        elif node is not None:
            self.word(f"{type(node).__name__}={node!r}")

    def plain(self, node: ast.AST, without: tuple[str, ...] = ()) -> None:
        self.word(type(node).__name__)
        for name in node._fields:
            if name not in without and name not in ("ctx", "type_comment", "kind"):
                self.word(f".{name}")
                self.read(getattr(node, name, None))

    def word(self, text: str) -> None:
        self.piece.tokens.append(text)

    def refer(self, reference: Reference) -> None:
        self.word(f"{reference.kind}:{reference}")
        self.piece.references.add(reference)
        if reference.kind == "external":
            if unversioned_extension(reference.module):
                self.doubt(
                    f"{reference.module} is compiled and belongs to no installed library; only its bytes are known"
                )
            if f"{reference}.".startswith(_OUTSIDE):
                self.doubt(f"what {reference} gives or runs is no part of a key")

    def doubt(self, why: str) -> None:
        self.piece.unfollowed.append((self.line, why))

    # ---- names

    def name(self, node: ast.Name) -> None:
        self.word("name")
        self.identifier(node.id)

    def identifier(self, name: str | None) -> None:
        """Write down a name: a local by its number, a global by what it leads to."""
        found = self.find(name) if name else None
        if isinstance(found, Reference):
            self.refer(found)
            if found.kind == "builtin" and name in _HIDING:
                self.doubt(f"{name} may use anything")
            if name == "__doc__":
                self.word(repr(ast.get_docstring(self.module.tree)))
        elif found:
            self.word(found)

    def find(self, name: str) -> Reference | str:
        """What a name leads to: a Reference, or the word for a local."""
        innermost = True
        for depth in range(len(self.scopes) - 1, -1, -1):
            scope = self.scopes[depth]
            if scope.kind == "class" and not innermost:
                continue
            innermost = innermost and scope.kind == "comprehension"
            if name in scope.imports:
                return resolve_in(*scope.imports[name])
            if name in scope.kept:
                return f"{depth}.{name}"
            if name in scope.renamed:
                return f"{depth}.{scope.numbers.setdefault(name, len(scope.numbers))}"
        return resolve(self.module, name)

    def attribute(self, node: ast.Attribute) -> None:
        """`a.b.c`: as far as it runs through modules it is one name, and the rest are attributes."""
        chain, root = [], node
        while isinstance(root, ast.Attribute):
            chain.append(root.attr)
            root = root.value
        found = self.find(root.id) if isinstance(root, ast.Name) else None
        if not isinstance(found, Reference) or found.kind not in ("module", "external"):
            if node.attr in _DOUBTFUL:
                self.doubt(f"{node.attr} {_DOUBTFUL[node.attr]}")
            self.plain(node)
            return
        chain.reverse()
        while chain and found.kind == "module":
            found = resolve_in(found.module, chain.pop(0))
        if found.kind == "external" and chain:
            found = Reference("external", str(found), ".".join(chain))
            chain = []
        self.refer(found)
        self.word(".".join(chain))

    # ---- scopes

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        decorators = [d for d in node.decorator_list if not self.is_conjure(d)]
        self.word(type(node).__name__)
        self.identifier(node.name) if self.scopes else self.word(node.name)
        if len(decorators) < len(node.decorator_list):
            self.media_of(node.returns)
        self.decorators(decorators)
        self.defaults(node.args)
        annotated = any(self.dotted(d) not in PLAIN_DECORATORS for d in decorators)
        self.parameters(node.args, annotated)
        if annotated:
            self.read(node.returns)
        self.scopes.append(self.function_scope(node.args, node.body))
        self.body(node.body)
        self.scopes.pop()

    def function_scope(self, arguments: ast.arguments, body: list[ast.stmt]) -> _Scope:
        listed = [
            *arguments.posonlyargs,
            *arguments.args,
            *arguments.kwonlyargs,
            arguments.vararg,
            arguments.kwarg,
        ]
        parameters = {argument.arg for argument in listed if argument}
        nodes = within(*body)
        elsewhere = {
            name
            for node in nodes
            if isinstance(node, ast.Global | ast.Nonlocal)
            for name in node.names
        }
        bound = bound_names(nodes) - elsewhere - parameters
        return _Scope("function", parameters, bound, self.imports_in(nodes))

    def imports_in(self, nodes: list[ast.AST]) -> dict[str, tuple[str, str]]:
        imports = [
            import_targets(self.module, node)
            for node in nodes
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        return {name: target for targets in imports for name, target in targets.items()}

    def function_in_lambda(self, node: ast.Lambda) -> None:
        self.word("Lambda")
        self.defaults(node.args)
        self.parameters(node.args, annotated=False)
        self.scopes.append(self.function_scope(node.args, [ast.Expr(node.body)]))
        self.read(node.body)
        self.scopes.pop()

    def decorators(self, decorators: list[ast.expr]) -> None:
        self.read(decorators)

    def defaults(self, arguments: ast.arguments) -> None:
        self.read(arguments.defaults)
        self.read([default or ast.Pass() for default in arguments.kw_defaults])

    def parameters(self, arguments: ast.arguments, annotated: bool) -> None:
        for name in ("posonlyargs", "args", "vararg", "kwonlyargs", "kwarg"):
            listed = getattr(arguments, name)
            self.word(name)
            for argument in listed if isinstance(listed, list) else filter(None, [listed]):
                self.word(argument.arg)
                if annotated:
                    self.read(argument.annotation)

    def body(self, statements: list[ast.stmt]) -> None:
        """Statements, without docstrings and other strings that stand alone, and without `pass`."""
        self.word("{")
        for statement in statements:
            self.read(statement)
        self.word("}")

    def class_(self, node: ast.ClassDef) -> None:
        self.word("ClassDef")
        self.identifier(node.name) if self.scopes else self.word(node.name)
        self.decorators(node.decorator_list)
        self.bases(node)
        nodes = within(*node.body)
        annotated = bool(node.decorator_list or node.bases or node.keywords)
        self.scopes.append(
            _Scope("class", bound_names(nodes), set(), self.imports_in(nodes), annotated)
        )
        self.body(node.body)
        self.scopes.pop()

    def bases(self, node: ast.ClassDef) -> None:
        self.read(node.bases)
        self.read(node.keywords)

    def comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    ) -> None:
        self.word(type(node).__name__)
        first, *rest = node.generators
        self.read(first.iter)
        bound = bound_names(within(*(generator.target for generator in node.generators)))
        self.scopes.append(_Scope("comprehension", set(), bound))
        for generator in node.generators:
            self.read(generator.target)
            self.read(generator.ifs)
            self.word(f"async={generator.is_async}")
            if generator in rest:
                self.read(generator.iter)
        for name in ("key", "value", "elt"):
            self.read(getattr(node, name, None))
        self.scopes.pop()

    # ---- statements

    def annotated_assignment(self, node: ast.AnnAssign) -> None:
        """`x: int = 1` is `x = 1`, and `x: int` is nothing, but for the fields of classes that read them."""
        if self.scopes and self.scopes[-1].kind == "class" and self.scopes[-1].annotated:
            self.plain(node)
        elif node.value is not None:
            self.read(ast.Assign([node.target], node.value, lineno=node.lineno))

    def expression_statement(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.plain(node)

    def import_(self, node: ast.Import | ast.ImportFrom) -> None:
        """An import inside a function or another statement: its names lead on, and the modules are loaded."""
        self.word("import")
        self.piece.references |= {
            Reference("effects", module) for module in loaded_by(self.module, node)
        }
        in_function = self.scopes and self.scopes[-1].kind == "function"
        for source, name in import_targets(self.module, node).values():
            if (
                name or not in_function
            ):  # a module that a function imports is followed as far as it is used
                target = resolve_in(source, name if name != "*" else "")
                self.word(str(target))
                self.piece.references.add(target)

    def handler(self, node: ast.ExceptHandler) -> None:
        self.identifier(node.name)
        self.plain(node, without=("name",))

    def capture(self, node: ast.MatchAs | ast.MatchStar | ast.MatchMapping) -> None:
        name = "rest" if isinstance(node, ast.MatchMapping) else "name"
        self.identifier(getattr(node, name))
        self.plain(node, without=(name,))

    def nothing(self, node: ast.AST) -> None:
        """`pass`, and declarations, which `find` has seen."""

    # ---- calls that hide what they use

    def call(self, node: ast.Call) -> None:
        called, first = self.dotted(node.func), node.args[0] if node.args else None
        fixed = isinstance(first, ast.Constant)
        if called in ("getattr", "hasattr") and len(node.args) > 1:
            self.computed_attribute(node)
        elif called in ("importlib.import_module", "__import__"):
            if fixed:
                self.piece.references.add(resolve_in(str(first.value), ""))
            else:
                self.doubt(f"{called}() of a computed name")
        self.plain(node)

    def computed_attribute(self, node: ast.Call) -> None:
        """`getattr(x, name)`: of oneself it stays in the class, which is read whole anyway."""
        subject, name = node.args[:2]
        found = self.leads_to(subject) if isinstance(subject, ast.Name) else None
        if isinstance(name, ast.Constant) and found and found.kind == "module":
            self.refer(resolve_in(found.module, str(name.value)))
        elif not isinstance(name, ast.Constant) and not (
            isinstance(subject, ast.Name) and subject.id in ("self", "cls")
        ):
            self.doubt("getattr() with a computed name")

    def dotted(self, node: ast.expr) -> str:
        """The full name of a function in a library or in Python, or ""."""
        chain = []
        while isinstance(node, ast.Attribute | ast.Call):
            if isinstance(node, ast.Attribute):
                chain.append(node.attr)
            node = node.value if isinstance(node, ast.Attribute) else node.func
        found = self.find(node.id) if isinstance(node, ast.Name) else None
        if not isinstance(found, Reference) or found.kind not in ("external", "builtin"):
            return ""
        return ".".join([found.name if found.kind == "builtin" else str(found), *reversed(chain)])

    # ---- conjured functions

    def is_conjure(self, decorator: ast.expr) -> bool:
        """The decorator itself is no part of what a function computes."""
        return self.leads_to(decorator) == CONJURE

    def leads_to(self, node: ast.expr | None) -> Reference | None:
        """What a name, or a name in a module, leads to; None for a local and for all else."""
        found = self.find(node.id) if isinstance(node, ast.Name) else None
        if (
            isinstance(node, ast.Attribute)
            and (outer := self.leads_to(node.value))
            and outer.kind == "module"
        ):
            found = resolve_in(outer.module, node.attr)
        return found if isinstance(found, Reference) else None

    def media_of(self, returns: ast.expr | None) -> None:
        """A conjured function's result depends on how its media become bytes: those it says, or else all."""
        if isinstance(returns, ast.Constant) and isinstance(returns.value, str):
            returns = ast.parse(returns.value, mode="eval").body
        found = self.leads_to(returns)
        encoder = (
            f"encode_{found.name.lower()}" if getattr(found, "module", "") == MEDIA else "encode"
        )
        known = encoder in find_module(MEDIA).definitions
        self.refer(Reference("symbol", MEDIA, encoder if known else "encode"))


_SPECIAL = {
    ast.Name: _Reader.name,
    ast.Attribute: _Reader.attribute,
    ast.FunctionDef: _Reader.function,
    ast.AsyncFunctionDef: _Reader.function,
    ast.Lambda: _Reader.function_in_lambda,
    ast.ClassDef: _Reader.class_,
    ast.ListComp: _Reader.comprehension,
    ast.SetComp: _Reader.comprehension,
    ast.GeneratorExp: _Reader.comprehension,
    ast.DictComp: _Reader.comprehension,
    ast.AnnAssign: _Reader.annotated_assignment,
    ast.Expr: _Reader.expression_statement,
    ast.Import: _Reader.import_,
    ast.ImportFrom: _Reader.import_,
    ast.ExceptHandler: _Reader.handler,
    ast.MatchAs: _Reader.capture,
    ast.MatchStar: _Reader.capture,
    ast.MatchMapping: _Reader.capture,
    ast.Call: _Reader.call,
    ast.Pass: _Reader.nothing,
    ast.Global: _Reader.nothing,
    ast.Nonlocal: _Reader.nothing,
}
