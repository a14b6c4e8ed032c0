"""An article script is a plain Python file; here it becomes cells, and the cells become what they show.

The script is in percent format, which Jupyter and VS Code open as a notebook:

    # %% [markdown]
    # Prose, as comment lines or as one bare string. It may quote a value: {{ len(events) }}, {{ level:.1f }} dB.

    # %% tags=["hide"]
    player(example)         # the value of the last expression is what the cell shows

What stands between the braces is read like the inside of an f-string field, so `!r` and format specs work. Nothing is
replaced between backticks: that is how prose shows literal braces.

Scripts of an older form are read as well, see `report.comment_form`.
"""

import ast
import codeop
import json
import re
import sys
import sysconfig
import traceback
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from report.errors import CellError, ReportError, StoreError

CODE_TAGS = ("show", "fold", "hide")
MARKER = re.compile(r"# ?%%(?P<options>(?:[ \t\[].*)?)")
TAGS = re.compile(r"\btags=(\[.*?\])")
CODE_SPAN = r"(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)"  # or a fence
# A code span (left alone), or a value to fill in. One pattern, so that whichever opens first wins.
SPAN_OR_VALUE = re.compile(CODE_SPAN + r"|\{\{(?P<value>.+?)\}\}", re.DOTALL)
PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


@dataclass(frozen=True)
class Cell:
    """One cell: `kind` is "prose" or "code", `line` the 1-based line in the script on which `source` starts.

    `form` is that of the script: "percent", or "comment" as in `report.comment_form`.
    """

    kind: str
    source: str
    line: int
    tags: tuple[str, ...] = ()
    form: str = "percent"


@dataclass(frozen=True)
class Shown:
    """A cell that ran. `value` is the Markdown text of a prose cell, or the last expression's value (or None)."""

    cell: Cell
    value: object


def parse_script(path: Path) -> list[Cell]:
    """The cells of the article script at `path`, in order; code before the first marker is a hidden cell.

    Raises: ReportError if the file can not be read, or a marker or a prose cell is not well formed.
    """
    from report import comment_form  # here, because it builds on this module

    try:
        source = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"cannot read the article script {path}: {error}") from error
    if comment_form.is_comment_form(source):
        return comment_form.parse(source, path)
    lines = source.split("\n")
    starts = [(i, match["options"]) for i, line in enumerate(lines) if (match := MARKER.fullmatch(line))]
    bounds = [i for i, _ in starts] + [len(lines)]
    cells = [_cell("code", lines[: bounds[0]], 1, ("hide",), path)]
    for (start, options), end in zip(starts, bounds[1:], strict=True):
        kind = "prose" if "[markdown]" in options or "[md]" in options else "code"
        tags = _tags(options, f"{path}, line {start + 1}")
        cells.append(_cell(kind, lines[start + 1 : end], start + 2, tags, path))
    return [cell for cell in cells if cell.source]


def _cell(kind: str, lines: list[str], line: int, tags: tuple[str, ...], path: Path) -> Cell:
    """A cell without the blank lines around it."""
    while lines and not lines[0].strip():
        lines, line = lines[1:], line + 1
    source = "\n".join(lines).rstrip()
    return Cell(kind, _prose(source, line, path) if kind == "prose" else source, line, tags)


def _prose(source: str, line: int, path: Path) -> str:
    """Markdown out of comment lines, or out of one bare string; line n of it is line n of `source`."""
    lines = source.split("\n")
    if all(text.startswith("#") or not text.strip() for text in lines):
        return "\n".join(text[2:] if text.startswith("# ") else text[1:] for text in lines)
    try:
        text = ast.literal_eval(source)
    except (ValueError, SyntaxError):
        text = None
    if not isinstance(text, str):
        raise ReportError(
            f"{path}, line {line}: a prose cell holds comment lines or one string, not code; start a `# %%` cell"
        )
    return text


def _tags(options: str, where: str) -> tuple[str, ...]:
    match = TAGS.search(options)
    if match is None:
        return ()
    try:
        tags = tuple(json.loads(match[1]))
    except ValueError:
        raise ReportError(f'{where}: tags are {match[1]}; write them as tags=["hide"]') from None
    for tag in tags:
        if tag not in CODE_TAGS:
            raise ReportError(f"{where}: unknown tag {tag!r}; known tags: {', '.join(CODE_TAGS)}")
    return tags


def run_cells(
    cells: list[Cell], path: Path, namespace: dict, on_cell: Callable[[Cell], None] = lambda cell: None
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


def _run_cells(cells: list[Cell], path: Path, namespace: dict, on_cell: Callable[[Cell], None]) -> list[Shown]:
    from report import comment_form

    module = types.ModuleType("article_" + re.sub(r"\W", "_", Path(path).stem))
    vars(module).update(namespace, __file__=str(path))
    compiler = codeop.Compile()  # remembers `from __future__` lines from one cell to the next
    shown = []
    sys.modules[module.__name__] = module  # dataclasses and pickle look their module up by name
    try:
        for number, cell in enumerate(cells, start=1):
            on_cell(cell)
            with _blame(cell, number, path):
                fill_in = comment_form.fill_in if cell.form == "comment" else _fill_in
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
    tree = ast.parse(_in_place(cell.source, cell.line), str(path))
    last = tree.body[-1] if tree.body else None
    # A bare string at the end is a docstring or a remark, not something to show.
    shows = isinstance(last, ast.Expr) and not (
        isinstance(last.value, ast.Constant) and isinstance(last.value.value, str)
    )
    if shows:
        tree.body.pop()
    exec(compiler(tree, str(path), "exec"), scope)
    return eval(compiler(ast.Expression(last.value), str(path), "eval"), scope) if shows else None


def _fill_in(cell: Cell, path: Path, scope: dict, compiler: codeop.Compile) -> str:
    def value(match: re.Match) -> str:
        if match["value"] is None:
            return match[0]
        line = cell.line + cell.source.count("\n", 0, match.start())
        field = 'f"""{ ' + match["value"].strip() + '}"""'
        text = eval(compiler(_in_place(field, line), str(path), "eval"), scope)
        return PUNCTUATION.sub(r"\\\1", " ".join(text.split()))  # plain text: no value can become markup

    return SPAN_OR_VALUE.sub(value, cell.source)


def _in_place(source: str, line: int) -> str:
    """`source` moved down to its own line of the script, so that tracebacks name true line numbers."""
    return "\n" * (line - 1) + source


@contextmanager
def _blame(cell: Cell, number: int, path: Path):
    """Turn whatever a cell raises into a CellError; a broken store, which is not its fault, goes through."""
    try:
        yield
    except StoreError:
        raise
    except (Exception, SystemExit) as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_authors(frame.filename)]
        lines = [frame.lineno for frame in frames if frame.filename == str(path)]
        if isinstance(error, SyntaxError) and error.filename == str(path):
            lines.append(error.lineno)
        what = "".join(traceback.format_exception_only(error)).strip()
        if isinstance(error, ReportError):
            what = str(error)
        where = f"{path}, cell {number}, line {lines[-1] if lines else cell.line}"
        raise CellError(f"{where}: {what}\n{''.join(traceback.format_list(frames))}".rstrip()) from error


def _is_authors(filename: str) -> bool:
    """Not this package, not the standard library, not an installed package."""
    homes = [str(Path(__file__).parent), *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))]
    return not filename.startswith(("<", *(home + "/" for home in homes)))
