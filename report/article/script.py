"""Read an article script, and run its cells."""

import ast
import codeop
import re
import sys
import sysconfig
import traceback
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from report.article import comment_form, percent
from report.article.cells import Cell, Shown
from report.article.percent import in_place
from report.errors import CellError, ReportError, StoreError

PACKAGE = Path(__file__).parents[1]  # report/


def parse_script(path: Path) -> list[Cell]:
    """Return the cells of the article script at `path`, in order.

    Raises: ReportError if the file can not be read, or a marker or a prose cell is not well formed.
    """
    try:
        source = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"cannot read the article script {path}: {error}") from error
    form = comment_form if comment_form.is_comment_form(source) else percent
    return form.parse(source, path)


def run_cells(
    cells: list[Cell],
    path: Path,
    namespace: dict,
    on_cell: Callable[[Cell], None] = lambda cell: None,
) -> list[Shown]:
    """Run `cells` in order as one module and return what each shows.

    `namespace` is what the script's globals start from, and holds all of them afterwards. `on_cell` is called before
    each cell. Modules beside the script are found.
    Raises: CellError for the first cell that fails; the rest do not run.
    """
    with _importable(Path(path).resolve().parent):
        return _run_cells(cells, path, namespace, on_cell)


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Modules in `folder` are found first, as they are for a program that Python runs there."""
    before = sys.path[:]
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = before


def _run_cells(
    cells: list[Cell], path: Path, namespace: dict, on_cell: Callable[[Cell], None]
) -> list[Shown]:
    module = types.ModuleType("article_" + re.sub(r"\W", "_", Path(path).stem))
    vars(module).update(namespace, __file__=str(path))
    compiler = codeop.Compile()  # remembers `from __future__` lines from one cell to the next
    shown = []
    sys.modules[module.__name__] = module  # dataclasses and pickle look their module up by name
    try:
        for number, cell in enumerate(cells, start=1):
            on_cell(cell)
            with _blame(cell, number, path):
                fill_in = comment_form.fill_in if cell.form == "comment" else percent.fill_in
                run = _run_code if cell.kind == "code" else fill_in
                shown.append(Shown(cell, run(cell, path, vars(module), compiler)))
        placed = []
        for number, one in enumerate(shown, start=1):
            with _blame(one.cell, number, path):
                placed += comment_form.place(one, vars(module))
    finally:
        del sys.modules[module.__name__]
        namespace.update(vars(module))
    return placed


def _run_code(cell: Cell, path: Path, scope: dict, compiler: codeop.Compile) -> object:
    tree = ast.parse(in_place(cell.source, cell.line), str(path))
    last = tree.body[-1] if tree.body else None
    # A bare string at the end is a docstring or a remark, not something to show.
    shows = isinstance(last, ast.Expr) and not (
        isinstance(last.value, ast.Constant) and isinstance(last.value.value, str)
    )
    if shows:
        tree.body.pop()
    exec(compiler(tree, str(path), "exec"), scope)
    return eval(compiler(ast.Expression(last.value), str(path), "eval"), scope) if shows else None


@contextmanager
def _blame(cell: Cell, number: int, path: Path):
    """Turn whatever a cell raises into a CellError; a broken store, which is not its fault, goes through."""
    try:
        yield
    except StoreError:
        raise
    except (Exception, SystemExit) as error:
        frames = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if _is_authors(frame.filename)
        ]
        lines = [frame.lineno for frame in frames if frame.filename == str(path)]
        if isinstance(error, SyntaxError) and error.filename == str(path):
            lines.append(error.lineno)
        what = "".join(traceback.format_exception_only(error)).strip()
        if isinstance(error, ReportError):
            what = str(error)
        where = f"{path}, cell {number}, line {lines[-1] if lines else cell.line}"
        raise CellError(
            f"{where}: {what}\n{''.join(traceback.format_list(frames))}".rstrip()
        ) from error


def _is_authors(filename: str) -> bool:
    """Not this package, not the standard library, not an installed package."""
    homes = [str(PACKAGE), *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))]
    return not filename.startswith(("<", *(home + "/" for home in homes)))


def read_metadata(path: Path) -> tuple[str, str]:
    """Title and description out of an article script's docstring: its first line, and the paragraph after it.

    The older form has its first heading for a title. Raises: ReportError if there is neither, or no script to parse.
    """
    from report.article import comment_form  # here, because it builds on this module

    try:
        source = Path(path).read_text(encoding="utf-8")
        if comment_form.is_comment_form(source):
            return comment_form.title(source, path), ""
        text = ast.get_docstring(ast.parse(source))
    except SyntaxError as error:
        raise ReportError(
            f"{path}, line {error.lineno}: {error.msg}: {(error.text or '').strip()}"
        ) from error
    except (OSError, ValueError) as error:
        raise ReportError(f"cannot read the article script {path}: {error}") from error
    if not text:
        raise ReportError(f"{path} has no docstring; its first line is the article's title")
    title, *rest = re.split(r"\n\s*\n", text)
    return " ".join(title.split()), " ".join(rest[0].split()) if rest else ""
