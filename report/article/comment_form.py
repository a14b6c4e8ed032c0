'''The older form of an article script, that of the upstream library conjure:

    """[markdown]
    # A title

    Prose. With an `f` before the quotes, {values} are filled in.
    """

    # example.recon

    example = {"recon": player(...)}

Strings that begin with [markdown] are prose. Everything else is shown as code, in the order of the
file. A comment that is nothing but a name or a dotted path is replaced by the component at that
path, once the whole script has run: a component may stand above the code that makes it. A comment
that leads to nothing to show stays where it is.
'''

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt

from report.article.cells import Cell, Evaluate, Output, move_down, strip_blank_lines, syntax_tree
from report.article.claims import in_prose
from report.article.components import Component, Group, Prose
from report.article.percent import MARKER
from report.article.prose import CODE_SPAN, plain_text, slug
from report.artifacts.session import Artifact
from report.errors import ReportError

STRING = re.compile(r'f?"""\[markdown\](?P<text>.*)"""[ \t]*(?:#[^\n]*)?', re.DOTALL)
NAME = re.compile(r"# ?([^\W\d]\w*(?:\.\w+)*)\s*")
FIELD = "\ue001"  # stands for a value in an f-string's text; nobody writes private-use characters
SPAN_OR_FIELD = re.compile(f"{CODE_SPAN}|{FIELD}", re.DOTALL)
SPAN_OR_HEADING_OR_LINK = re.compile(
    CODE_SPAN + r"|^(?P<level>#{1,6})[ \t]*(?P<heading>[^#\s][^\n]*)|\]\(#(?P<target>[^(){}\n]+)\)",
    re.DOTALL | re.MULTILINE,
)


def is_comment_form(source: str) -> bool:
    """Tell whether a script has a [markdown] string and no marker of the percent form."""
    lines = source.split("\n")
    has_prose = any(line.startswith(('"""[markdown]', 'f"""[markdown]')) for line in lines)
    return has_prose and not any(MARKER.fullmatch(line) for line in lines)


def metadata(source: str, path: Path) -> tuple[str, str]:
    """Return the title, which is the first heading as plain text, and no description.

    Headings in f-strings do not count, because nothing has run yet.
    Raises: ReportError if there is no heading, or if the script is not valid Python.
    """
    for cell in _cells(source, path):
        if cell.kind == "prose" and not STRING.fullmatch(cell.source):
            for match in SPAN_OR_HEADING_OR_LINK.finditer(cell.source):
                if match["level"]:
                    inline = MarkdownIt("commonmark").parse(f"# {match['heading']}")[1]
                    return "".join(token.content for token in inline.children or []), ""
    raise ReportError(
        f"{path} has no heading in a [markdown] string; "
        "its first one, such as `# Title`, is the title"
    )


def parse(source: str, path: Path) -> list[Cell]:
    """Return prose and code in order, without the title if the prose begins with it.

    Raises: ReportError if the script is not valid Python.
    """
    cells = _cells(source, path)
    prose = [cell.source for cell in cells if cell.kind == "prose"]
    if prose:
        first = prose[0].lstrip()
        heading = SPAN_OR_HEADING_OR_LINK.match(first)
        if heading and heading["level"]:
            prose[0] = first[heading.end() :]
    texts = iter(_commonmark(prose))
    cells = [
        cell if cell.kind == "code" else _cell("prose", next(texts), cell.line) for cell in cells
    ]
    return [cell for cell in cells if cell.source.strip()]


def fill_in(cell: Cell, evaluate: Evaluate) -> str:
    """Return the Markdown of a prose cell, with its values if it is an f-string.

    Values are plain text, never markup; in a code span they stand as they are.
    """
    if not STRING.fullmatch(cell.source):
        return cell.source
    string = ast.parse(move_down(cell.source, cell.line), mode="eval").body
    assert isinstance(string, ast.JoinedStr)  # see `_cells`
    text = ""
    values = []
    for part in string.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
        else:
            values.append(" ".join(_text_of_field(part, evaluate).split()))
            text += FIELD
    unused = iter(values)

    def put_in(match: re.Match) -> str:
        if match["ticks"]:
            return re.sub(FIELD, lambda _: next(unused).replace("`", "'"), match[0])
        return plain_text(next(unused))

    return SPAN_OR_FIELD.sub(put_in, text.removeprefix("[markdown]"))


def _text_of_field(part: ast.expr, evaluate: Evaluate) -> str:
    """Return the text of a field of an f-string."""
    if isinstance(part, ast.FormattedValue) and part.conversion == -1:
        spec = evaluate(ast.Expression(part.format_spec)) if part.format_spec else ""
        return in_prose(evaluate(ast.Expression(part.value)), spec)
    return evaluate(ast.Expression(ast.copy_location(ast.JoinedStr([part]), part)))


def place(output: Output, scope: dict[str, object]) -> list[Output]:
    """Replace comments by the components that they name, once the whole script has run.

    Returns: a code cell in pieces, with a piece for each component; other cells as they are.
    """
    cell = output.cell
    if (cell.kind, cell.form) != ("code", "comment"):
        return [output]
    lines = cell.source.split("\n")
    pieces = []
    start = 0
    for i in _comments(cell.source):
        value = _named_component(lines[i], scope)
        if value is not None:
            pieces.append(Output(_code_cell(lines[start:i], cell.line + start), None))
            pieces.append(Output(_cell("code", lines[i], cell.line + i, ("hide",)), value))
            start = i + 1
    pieces.append(Output(_code_cell(lines[start:], cell.line + start), None))
    return [piece for piece in pieces if piece.cell.source]


# Statements become cells.


def _cells(source: str, path: Path) -> list[Cell]:
    """Return all cells. A prose cell holds Markdown, or the whole statement of an f-string.

    The text of a plain string is taken as it stands in the file, backslashes and all.
    """
    lines = source.split("\n")
    cells = []
    start = 0
    for statement in syntax_tree(source, path).body:
        first, end = statement.lineno - 1, _end(statement)
        text = "\n".join(lines[first:end])
        match = STRING.fullmatch(text)
        if match and isinstance(statement, ast.Expr):
            if isinstance(statement.value, ast.Constant):
                prose = match["text"]
            elif isinstance(statement.value, ast.JoinedStr):
                prose = text
            else:
                continue
            cells.append(_code_cell(lines[start:first], start + 1))
            cells.append(_cell("prose", prose, statement.lineno))
            start = end
    return [*cells, _code_cell(lines[start:], start + 1)]


def _end(statement: ast.stmt) -> int:
    """The last line of a statement."""
    return statement.end_lineno or statement.lineno


def _code_cell(lines: list[str], line: int) -> Cell:
    """Return a cell whose code is shown; `line` is the number of the first of `lines`."""
    source, line = strip_blank_lines(lines, line)
    return _cell("code", source, line, ("show",))


def _cell(kind: str, source: str, line: int, tags: tuple[str, ...] = ()) -> Cell:
    return Cell(kind, source, line, tags, form="comment")


def _commonmark(texts: list[str]) -> list[str]:
    """Return upstream's Markdown as the page reads it.

    The page's title takes `#`: where sections use that level too, all go one level down. Links name
    a heading by its text, and get its anchor.
    """
    matches = [match for text in texts for match in SPAN_OR_HEADING_OR_LINK.finditer(text)]
    deeper = "#" if any(match["level"] == "#" for match in matches) else ""

    def translate(match: re.Match) -> str:
        if match["level"]:
            return f"{match['level']}{deeper} {match['heading']}"
        if match["target"]:
            return f"](#{slug(unquote(match['target']))})"
        return match[0]

    return [SPAN_OR_HEADING_OR_LINK.sub(translate, text) for text in texts]


# Comments become components.


def _comments(code: str) -> list[int]:
    """Return the indices of lines that are comments, outside of all statements."""
    inside: set[int] = set()
    for statement in ast.parse(code).body:
        decorators = [decorator.lineno for decorator in getattr(statement, "decorator_list", [])]
        first = min([statement.lineno, *decorators])
        inside |= set(range(first - 1, _end(statement)))
    lines = code.split("\n")
    return [i for i, line in enumerate(lines) if line.startswith("#") and i not in inside]


def _named_component(comment: str, scope: dict[str, object]) -> Group | None:
    """Return the component that a comment names, or None.

    Mere texts and numbers need a dotted path: `# samplerate` above a setting is a remark on it.
    """
    match = NAME.fullmatch(comment)
    if match is None:
        return None
    try:
        leaves = list(_leaves(_look_up(match[1], scope)))
    except (LookupError, TypeError):
        return None
    is_path = "." in match[1]
    if not leaves or not (
        is_path or any(isinstance(leaf, Component | Artifact) for leaf in leaves)
    ):
        return None
    texts = iter(_commonmark([leaf for leaf in leaves if isinstance(leaf, str)]))
    return Group([Prose(next(texts)) if isinstance(leaf, str) else leaf for leaf in leaves])


def _look_up(path: str, scope: dict[str, object]) -> object:
    """Follow a name in `scope` to items and attributes. Raises: LookupError or TypeError."""
    value: Any = scope
    for name in path.split("."):
        by_item = isinstance(value, Mapping) or not hasattr(value, name)
        value = value[name] if by_item else getattr(value, name)
    return value


def _leaves(value: object) -> Iterator[object]:
    """Yield everything in `value` that a page can show, in order.

    Raises: TypeError if it holds anything else.
    """
    if isinstance(value, Component | Artifact | str | int | float):
        yield value
        return
    items: Iterable[object]
    if isinstance(value, Mapping):
        items = value.values()
    elif isinstance(value, list | tuple):
        items = value
    elif hasattr(value, "__dict__") and not isinstance(value, type | ModuleType):
        items = [item for name, item in vars(value).items() if not name.startswith("_")]
    else:
        raise TypeError(f"a {type(value).__name__} can not be shown")
    for item in items:
        yield from _leaves(item)
