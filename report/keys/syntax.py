"""Source in one form, however it is written: its syntax tree, and what the names in it lead to.

Comments, docstrings, blank lines, formatting, line numbers, annotations that do nothing and the
names of locals leave no trace. A global name stands as what it leads to, so neither does an import
alias.
"""

import ast
import hashlib
from dataclasses import dataclass, field
from functools import cached_property

from report.keys.names import Names, Scope
from report.keys.results import registered_results
from report.keys.scopes import bound_names, within
from report.keys.source import (
    OF_THE_MODULE,
    Module,
    Reference,
    import_targets,
    loaded_by,
    resolve_in,
    unversioned_extension,
)

# Decorators that look at no annotation. Under any other, annotations are part of a function.
PLAIN_DECORATORS = {
    "staticmethod", "classmethod", "property", "functools.cache", "functools.lru_cache",
    "functools.cached_property", "functools.wraps", "contextlib.contextmanager",
    "abc.abstractmethod", "torch.no_grad", "torch.inference_mode", "typing.overload",
    "typing.override",
}  # fmt: skip
_HIDING = ("eval", "exec", "globals", "locals", "compile", "__builtins__")
# Starts of full names; those with a dot at their end are whole names.
_OUTSIDE = (
    "builtins.eval.", "builtins.exec.", "builtins.globals.", "builtins.locals.", "ctypes.",
    "importlib.reload.", "importlib.util.spec_from", "inspect.", "marshal.load", "os.environ",
    "os.exec", "os.getenv", "os.path.expandvars.", "os.popen.", "os.posix_spawn", "os.spawn",
    "os.system.", "pickle.load", "pickle.Unpickler.", "pkgutil.", "runpy.", "shelve.",
    "subprocess.", "sys.argv.", "sys.modules.", "typing.get_type_hints.",
)  # fmt: skip
_DOUBTFUL = {
    "__annotations__": "holds annotations, which are no part of a key",
    "f_lineno": "is a line number, which is no part of a key",
    "__subclasses__": "depends on what else was imported",
    "__doc__": "is a docstring, which is no part of a key",
}


@dataclass
class Summary:
    """The content of some statements, of which a key is made."""

    tokens: list[str] = field(default_factory=list)
    references: set[Reference] = field(default_factory=set)
    unfollowed: list[tuple[int, str]] = field(default_factory=list)  # (line, why)

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256("\0".join(self.tokens).encode("utf-8", "surrogatepass")).hexdigest()


def summarise(module: Module, statements: list[ast.stmt]) -> Summary:
    """Return the summary of top-level statements of a module."""
    reader = Reader(module)
    for statement in statements:
        reader.read(statement)
    return reader.summary


class Reader(ast.NodeVisitor):
    """Writes a Summary. Tests make keys weaker by replacing `read_bases`, `read_decorators` or
    `read_defaults`."""

    def __init__(self, module: Module):
        self.module = module
        self.names = Names(module)
        self.summary = Summary()
        self.line = 0

    def read(self, node: object) -> None:
        """Write down a node, a list of nodes or a plain value."""
        if isinstance(node, ast.AST):
            self.line = getattr(node, "lineno", self.line)
            self.visit(node)
        elif isinstance(node, list):
            self.word("[")
            for item in node:
                self.read(item)
            self.word("]")
        elif node is not None:
            self.word(f"{type(node).__name__}={node!r}")

    def generic_visit(self, node: ast.AST) -> None:
        self.read_fields(node)

    def read_fields(self, node: ast.AST, without: tuple[str, ...] = ()) -> None:
        self.word(type(node).__name__)
        for name in node._fields:
            if name not in without and name not in ("ctx", "type_comment", "kind"):
                self.word(f".{name}")
                self.read(getattr(node, name, None))

    def word(self, text: str) -> None:
        self.summary.tokens.append(text)

    def refer(self, target: Reference) -> None:
        self.word(f"{target.kind}:{target}")
        self.summary.references.add(target)
        if target.kind != "external":
            return
        if unversioned_extension(target.module):
            self.doubt(
                f"{target.module} is compiled and belongs to no installed library; "
                "only its bytes are known"
            )
        if f"{target}.".startswith(_OUTSIDE):
            self.doubt(f"what {target} gives or runs is no part of a key")

    def doubt(self, why: str) -> None:
        self.summary.unfollowed.append((self.line, why))

    # ---- names

    def visit_Name(self, node: ast.Name) -> None:
        self.word("name")
        self.identifier(node.id)

    def identifier(self, name: str | None) -> None:
        """Write down a name: a local by its number, a global by what it leads to."""
        target = self.names.find(name) if name else None
        if isinstance(target, Reference):
            self.refer(target)
            if target.kind == "builtin" and name in _HIDING:
                self.doubt(f"{name} may use anything")
            if name == "__doc__":
                self.word(repr(ast.get_docstring(self.module.tree)))
            elif name in OF_THE_MODULE:  # which tell what the module is called
                self.word(self.module.name)
        elif target:
            self.word(target)

    def defined_name(self, name: str) -> None:
        """Write down the name of a function or class, which is not hidden on the top level."""
        if self.names.innermost:
            self.identifier(name)
        else:
            self.word(name)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """`a.b.c`: one name as far as it runs through modules; the rest are attributes."""
        chain: list[str] = []
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            chain.insert(0, root.attr)
            root = root.value
        target = self.names.leads_to(root)
        if target is None or target.kind not in ("module", "external"):
            if node.attr in _DOUBTFUL:
                self.doubt(f"{node.attr} {_DOUBTFUL[node.attr]}")
            self.read_fields(node)
            return
        while chain and target.kind == "module":
            target = resolve_in(target.module, chain.pop(0))
        if target.kind == "external" and chain:
            target = Reference("external", str(target), ".".join(chain))
            chain = []
        self.refer(target)
        self.word(".".join(chain))

    # ---- functions, classes and comprehensions

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """A function; of a conjured one, also how its result becomes bytes, but not @conjure."""
        results = registered_results()
        decorators = node.decorator_list
        if results:
            conjure = results.decorator
            decorators = [d for d in decorators if self.names.leads_to(d) != conjure]
        self.word(type(node).__name__)
        self.defined_name(node.name)
        if results and len(decorators) < len(node.decorator_list):
            kinds = map(self.annotation, self.media_of(node.returns))
            for encoder in dict.fromkeys(results.encoder_of(kind) for kind in kinds):
                self.refer(encoder)
        self.read_decorators(decorators)
        self.read_defaults(node.args)
        annotated = any(self.names.dotted(d) not in PLAIN_DECORATORS for d in decorators)
        self.read_parameters(node.args, annotated)
        if annotated:
            self.read(node.returns)
        with self.names.inside(self.names.function_scope(node.args, node.body)):
            self.read_body(node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def media_of(self, node: ast.expr | None) -> list[ast.expr | None]:
        """Return the annotations of the media that a function returns: several in a container."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node = ast.parse(node.value, mode="eval").body
        if not isinstance(node, ast.Subscript):
            return [node]
        container = self.names.dotted(node.value)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if container in ("dict", "builtins.dict"):
            return [*parts[1:]]
        if container in ("tuple", "builtins.tuple"):
            return [p for p in parts if not (isinstance(p, ast.Constant) and p.value is ...)]
        return [node]

    def annotation(self, node: ast.expr | None) -> Reference | None:
        """Return what an annotation leads to, which may be written as a string."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node = ast.parse(node.value, mode="eval").body
        return self.names.leads_to(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.word("Lambda")
        self.read_defaults(node.args)
        self.read_parameters(node.args, annotated=False)
        with self.names.inside(self.names.function_scope(node.args, [ast.Expr(node.body)])):
            self.read(node.body)

    def read_decorators(self, decorators: list[ast.expr]) -> None:
        self.read(decorators)

    def read_defaults(self, arguments: ast.arguments) -> None:
        self.read(arguments.defaults)
        self.read([default or ast.Pass() for default in arguments.kw_defaults])

    def read_parameters(self, arguments: ast.arguments, annotated: bool) -> None:
        for name in ("posonlyargs", "args", "vararg", "kwonlyargs", "kwarg"):
            parameters = getattr(arguments, name) or []
            self.word(name)
            for parameter in parameters if isinstance(parameters, list) else [parameters]:
                self.word(parameter.arg)
                if annotated:
                    self.read(parameter.annotation)

    def read_body(self, statements: list[ast.stmt]) -> None:
        self.word("{")
        for statement in statements:
            self.read(statement)
        self.word("}")

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.word("ClassDef")
        self.defined_name(node.name)
        self.read_decorators(node.decorator_list)
        self.read_bases(node)
        with self.names.inside(self.names.class_scope(node)):
            self.read_body(node.body)

    def read_bases(self, node: ast.ClassDef) -> None:
        self.read(node.bases)
        self.read(node.keywords)

    def visit_ListComp(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    ) -> None:
        self.word(type(node).__name__)
        first, *rest = node.generators
        self.read(first.iter)  # the only part that belongs to the scope around it
        hidden = bound_names(within(*(generator.target for generator in node.generators)))
        with self.names.inside(Scope("comprehension", hidden=hidden)):
            for generator in node.generators:
                self.read(generator.target)
                self.read(generator.ifs)
                self.word(f"async={generator.is_async}")
                if generator in rest:
                    self.read(generator.iter)
            for name in ("key", "value", "elt"):
                self.read(getattr(node, name, None))

    visit_SetComp = visit_GeneratorExp = visit_DictComp = visit_ListComp

    # ---- statements

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """`x: int = 1` is `x = 1`, and `x: int` nothing, but in classes that read annotations."""
        scope = self.names.innermost
        if scope and scope.reads_annotations:
            self.read_fields(node)
        elif node.value is not None:
            self.read(ast.Assign([node.target], node.value, lineno=node.lineno))

    def visit_Expr(self, node: ast.Expr) -> None:
        """An expression that stands alone; docstrings and other constants do nothing."""
        if not isinstance(node.value, ast.Constant):
            self.read_fields(node)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        """An import inside a function or another statement: modules are loaded, names lead on.

        A module that a function imports is followed as far as the function uses it.
        """
        self.word("import")
        loaded = loaded_by(self.module, node)
        self.summary.references |= {Reference("effects", module) for module in loaded}
        scope = self.names.innermost
        in_function = scope is not None and scope.kind == "function"
        for source, name in import_targets(self.module, node).values():
            if name or not in_function:
                target = resolve_in(source, name if name != "*" else "")
                self.word(str(target))
                self.summary.references.add(target)

    visit_ImportFrom = visit_Import

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self.identifier(node.name)
        self.read_fields(node, without=("name",))

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar | ast.MatchMapping) -> None:
        captured = "rest" if isinstance(node, ast.MatchMapping) else "name"
        self.identifier(getattr(node, captured))
        self.read_fields(node, without=(captured,))

    visit_MatchStar = visit_MatchMapping = visit_MatchAs

    def visit_Pass(self, node: ast.AST) -> None:
        """Leave out `pass`, and declarations, which are part of the scope."""

    visit_Global = visit_Nonlocal = visit_Pass

    # ---- calls that hide what they use

    def visit_Call(self, node: ast.Call) -> None:
        called = self.names.dotted(node.func)
        if called in ("getattr", "hasattr") and len(node.args) > 1:
            self.computed_attribute(*node.args[:2])
        elif called in ("importlib.import_module", "__import__"):
            self.computed_import(called, node.args[0] if node.args else None)
        self.read_fields(node)

    def computed_attribute(self, subject: ast.expr, name: ast.expr) -> None:
        """`getattr(x, name)`: on oneself it stays in the class, which is read whole anyway."""
        target = self.names.leads_to(subject) if isinstance(subject, ast.Name) else None
        if isinstance(name, ast.Constant):
            if target and target.kind == "module":
                self.refer(resolve_in(target.module, str(name.value)))
        elif not (isinstance(subject, ast.Name) and subject.id in ("self", "cls")):
            self.doubt("getattr() with a computed name")

    def computed_import(self, called: str, name: ast.expr | None) -> None:
        if isinstance(name, ast.Constant):
            self.summary.references.add(resolve_in(str(name.value), ""))
        else:
            self.doubt(f"{called}() of a computed name")
