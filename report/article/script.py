"""Read an article script in either form, and run its cells."""

import ast
import codeop
import os
import re
import sys
import sysconfig
import traceback
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from report.article import comment_form, percent
from report.article.cells import Cell, Evaluate, Output, move_down, quotes_hint
from report.article.components import store_given
from report.article.images import images_of
from report.article.parameters import declared
from report.artifacts.session import CallFailed, noting_reads, use_script
from report.errors import CellError, ReportError, StoreError, WorkerError
from report.keys.source import read_source

PACKAGE = Path(__file__).parents[1]  # report/


class Form(Protocol):
    """The functions that the module of each form has."""

    def metadata(self, source: str, path: Path) -> tuple[str, str]: ...
    def parse(self, source: str, path: Path) -> list[Cell]: ...
    def fill_in(self, cell: Cell, evaluate: Evaluate) -> str: ...


FORMS: dict[str, Form] = {"percent": percent, "comment": comment_form}  # by `Cell.form`


def read_metadata(path: Path) -> tuple[str, str]:
    """Return an article's title and its description, which may be "".

    Raises: ReportError if the script can not be read or has no title.
    """
    source, form = _read(path)
    return form.metadata(source, path)


def parse_script(path: Path) -> list[Cell]:
    """Return the cells of an article script in order.

    Raises: ReportError if the script can not be read, or a marker or prose cell is not well formed.
    """
    source, form = _read(path)
    return form.parse(source, path)


def _read(path: Path) -> tuple[str, Form]:
    if path.suffix == ".ipynb":
        raise ReportError(
            f"{path} is a notebook; make a script of it: jupytext --to py:percent {path.name}"
        )
    if path.suffix != ".py":  # the sources of its functions would not be found
        raise ReportError(f"{path} is no Python script by its name; rename it {path.stem}.py")
    source = read_source(path)
    return source, FORMS["comment" if comment_form.is_comment_form(source) else "percent"]


class _Module:
    """The module that the cells of a script run in, one after the other."""

    def __init__(self, path: Path, namespace: dict[str, Any]):
        self.path = path
        self.module = types.ModuleType("article_" + re.sub(r"\W", "_", path.stem))
        self.names = vars(self.module)
        self.given = frozenset(namespace)
        # Whole, as Python gives it: a cell may change the working directory.
        self.names.update(namespace, __file__=str(path.absolute()))
        # Remembers `from __future__` lines from one cell to the next.
        self._compiler = codeop.Compile()

    def execute(self, tree: ast.Module) -> None:
        # A parameter that was given stays in the place of its default.
        tree.body = [node for node in tree.body if declared(node) not in self.given]
        exec(self._compile(tree, "exec"), self.names)

    def evaluate(self, expression: str | ast.Expression) -> Any:
        return eval(self._compile(expression, "eval"), self.names)

    def _compile(self, code: str | ast.Module | ast.Expression, mode: str) -> types.CodeType:
        # Trees work too, as in `compile`; typeshed knows only source.
        return self._compiler(code, str(self.path), mode)  # type: ignore[arg-type]


def run_cells(
    cells: list[Cell],
    path: Path,
    namespace: dict[str, Any],
    on_cell: Callable[[Cell], None] = lambda cell: None,
) -> list[Output]:
    """Run `cells` in order as one module, which finds the modules beside the script.

    `namespace` holds the script's globals: those given before, and all of them afterwards. One
    that was given comes before an annotated default of the same name.
    `on_cell` is called before each cell.
    Raises: CellError for the first cell that fails; the rest do not run.
    """
    module = _Module(path, namespace)
    outputs, placed = [], []
    with _as_program(path), _registered(module, namespace):
        for number, cell in enumerate(cells, start=1):
            on_cell(cell)
            with _blame(cell, number, path):
                value = _run(cell, module)
                if cell.kind == "code":
                    value = store_given(value)
                images = images_of(str(value), path) if cell.kind == "prose" else {}
                outputs.append(Output(cell, value, images))
        for number, output in enumerate(outputs, start=1):
            with _blame(output.cell, number, path):
                placed += comment_form.place(output, module.names)
    return placed


@contextmanager
def _as_program(path: Path) -> Iterator[None]:
    """Let modules beside a script be found first, and its arguments be none, as if Python ran it.

    At the end, search path, arguments and working directory are as before: a page is written by
    paths that its author gave.
    """
    search, arguments, folder = sys.path[:], sys.argv[:], Path.cwd()
    sys.path.insert(0, str(path.resolve().parent))
    sys.argv[:] = [str(path)]
    try:
        yield
    finally:
        sys.path[:], sys.argv[:] = search, arguments
        os.chdir(folder)


@contextmanager
def _registered(module: _Module, namespace: dict[str, Any]) -> Iterator[None]:
    """Let dataclasses and pickle find the module by its name; copy its names out in the end."""
    name = module.module.__name__
    sys.modules[name] = module.module
    try:
        with use_script(name):
            yield
    finally:
        del sys.modules[name]
        namespace.update(module.names)


def _run(cell: Cell, module: _Module) -> object:
    """Run one cell. Returns: the value of its Output."""
    with noting_reads():
        return _value_of(cell, module)


def _value_of(cell: Cell, module: _Module) -> object:
    if cell.kind == "prose":
        return FORMS[cell.form].fill_in(cell, module.evaluate)
    tree = ast.parse(move_down(cell.source, cell.line), str(module.path))
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr) or _is_string(last.value):
        module.execute(tree)
        return None
    tree.body.pop()
    module.execute(tree)
    return module.evaluate(ast.Expression(last.value))


def _is_string(expression: ast.expr) -> bool:
    """Tell whether an expression is a bare string: a docstring or a remark, nothing to show."""
    return isinstance(expression, ast.Constant) and isinstance(expression.value, str)


@contextmanager
def _blame(cell: Cell, number: int, path: Path) -> Iterator[None]:
    """Turn any error inside into a CellError that names the cell.

    A StoreError passes through, because a broken store is not the cell's fault.
    """
    try:
        yield
    except (StoreError, WorkerError, KeyboardInterrupt, CallFailed):
        raise
    except BaseException as error:
        stack = traceback.extract_tb(error.__traceback__)
        frames = [frame for frame in stack if _is_authors(frame.filename)]
        lines = [frame.lineno for frame in frames if frame.filename == str(path)]
        if isinstance(error, SyntaxError) and error.filename == str(path):
            lines.append(error.lineno)
        problem = "".join(traceback.format_exception_only(error)).strip()
        if isinstance(error, SyntaxError):
            text = (error.text or "").strip()
            problem = f"{type(error).__name__}: {error.msg}: {text}{quotes_hint(error)}"
        if isinstance(error, ReportError):
            problem = str(error)
        where = f"{path}, cell {number}, line {lines[-1] if lines else cell.line}"
        trace = "".join(traceback.format_list(frames))
        raise CellError(f"{where}: {problem}\n{trace}".rstrip()) from error


def _is_authors(filename: str) -> bool:
    """Tell whether code is the author's: not of this package, Python or an installed package."""
    installed = (sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
    folders = (str(PACKAGE), *installed)
    return not filename.startswith(("<", *(f"{folder}/" for folder in folders)))
