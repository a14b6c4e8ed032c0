'''The older form of an article script, that of the upstream library conjure:

    """[markdown]
    # A title

    Prose. With an `f` before the quotes, {values} are filled in.
    """

    # example.recon

    example = {"recon": player(...)}

Strings that begin with [markdown] are prose, and all the rest is shown as code, in the order of the file. A comment
that is nothing but a name or a dotted path gives its place to what that leads to once the whole script has run, so that
a component may stand above the code that makes it. A comment that leads to nothing to show stays where it is.
'''

import ast
import codeop
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

from markdown_it import MarkdownIt

from report.article.cells import Cell, Shown
from report.article.components import Component, Group, Prose
from report.article.percent import CODE_SPAN, MARKER, PUNCTUATION
from report.article.prose import slug
from report.artifacts.session import Artifact
from report.errors import ReportError

STRING = re.compile(r'f?"""\[markdown\](?P<text>.*)"""[ \t]*(?:#[^\n]*)?', re.DOTALL)
NAME = re.compile(r"# ?([^\W\d]\w*(?:\.\w+)*)\s*")
FIELD = "\ue001"  # where a value stands in an f-string's text; a private-use character is in nobody's text
SPAN_OR_FIELD = re.compile(f"{CODE_SPAN}|{FIELD}", re.DOTALL)
SPAN_OR_HEADING_OR_LINK = re.compile(
    CODE_SPAN + r"|^(?P<level>#{1,6})[ \t]*(?P<heading>[^#\s][^\n]*)|\]\(#(?P<target>[^(){}\n]+)\)",
    re.DOTALL | re.MULTILINE,
)


def is_comment_form(source: str) -> bool:
    """Whether a script is in this form: it has a [markdown] string, and no marker of the percent form."""
    lines = source.split("\n")
    has_prose = any(line.startswith(('"""[markdown]', 'f"""[markdown]')) for line in lines)
    return has_prose and not any(MARKER.fullmatch(line) for line in lines)


def parse(source: str, path: Path) -> list[Cell]:
    """The prose of the script, and the code between, in order. A title that the prose begins with is left out.

    Raises: ReportError if the script can not be parsed.
    """
    cells = _cells(source, path)
    prose = [cell.source for cell in cells if cell.kind == "prose"]
    if prose and (heading := SPAN_OR_HEADING_OR_LINK.match(prose[0].lstrip())) and heading["level"]:
        prose[0] = prose[0].lstrip()[heading.end() :]
    texts = iter(_commonmark(prose))
    cells = [
        cell if cell.kind == "code" else _comment_cell("prose", next(texts), cell.line)
        for cell in cells
    ]
    return [cell for cell in cells if cell.source.strip()]


def title(source: str, path: Path) -> str:
    """The first heading, as plain text. Those of f-strings do not count: nothing has run yet.

    Raises: ReportError if there is none, or if the script can not be parsed.
    """
    for cell in _cells(source, path):
        if cell.kind == "prose" and not STRING.fullmatch(cell.source):
            for match in SPAN_OR_HEADING_OR_LINK.finditer(cell.source):
                if match["level"]:
                    inline = MarkdownIt("commonmark").parse(f"# {match['heading']}")[1]
                    return "".join(token.content for token in inline.children)
    raise ReportError(
        f"{path} has no heading in a [markdown] string; its first one, such as `# Title`, is the title"
    )


def fill_in(cell: Cell, path: Path, scope: dict, compiler: codeop.Compile) -> str:
    """The Markdown of a prose cell. The values in an f-string are plain text, in a code span as they are."""
    if not STRING.fullmatch(cell.source):
        return cell.source
    tree = ast.increment_lineno(ast.parse(cell.source, mode="eval"), cell.line - 1)
    text, values = "", []
    for part in tree.body.values:
        if isinstance(part, ast.Constant):
            text += part.value
        else:
            field = ast.Expression(ast.copy_location(ast.JoinedStr([part]), part))
            values.append(" ".join(eval(compiler(field, str(path), "eval"), scope).split()))
            text += FIELD
    unused = iter(values)

    def put_in(match: re.Match) -> str:
        if match["ticks"]:
            return re.sub(FIELD, lambda _: next(unused).replace("`", "'"), match[0])
        return PUNCTUATION.sub(r"\\\1", next(unused))

    return SPAN_OR_FIELD.sub(put_in, text.removeprefix("[markdown]"))


def place(shown: Shown, scope: dict) -> list[Shown]:
    """The code of a cell that ran, with what its comments lead to in the place of these; other cells as they are."""
    cell, pieces, start = shown.cell, [], 0
    if (cell.kind, cell.form) != ("code", "comment"):
        return [shown]
    lines = cell.source.split("\n")
    for i in _comments(cell.source):
        if (value := _named(lines[i], scope)) is not None:
            pieces.append(Shown(_code(lines[start:i], cell.line + start), None))
            pieces.append(Shown(_comment_cell("code", lines[i], cell.line + i, ("hide",)), value))
            start = i + 1
    pieces.append(Shown(_code(lines[start:], cell.line + start), None))
    return [piece for piece in pieces if piece.cell.source]


def _cells(source: str, path: Path) -> list[Cell]:
    """Prose cells hold Markdown, or the statement where that is an f-string. Plain strings are taken as they stand in
    the file, backslashes and all."""
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise ReportError(
            f"{path}, line {error.lineno}: {error.msg}: {(error.text or '').strip()}"
        ) from error
    lines, cells, start = source.split("\n"), [], 0
    for statement in statements:
        text = "\n".join(lines[statement.lineno - 1 : statement.end_lineno])
        match = STRING.fullmatch(text)
        if (
            match
            and isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Constant | ast.JoinedStr)
        ):
            cells.append(_code(lines[start : statement.lineno - 1], start + 1))
            prose = match["text"] if isinstance(statement.value, ast.Constant) else text
            cells.append(_comment_cell("prose", prose, statement.lineno))
            start = statement.end_lineno
    return [*cells, _code(lines[start:], start + 1)]


def _code(lines: list[str], line: int) -> Cell:
    """A cell without the blank lines around it; `line` is that of the first of `lines`."""
    blank = next((i for i, text in enumerate(lines) if text.strip()), 0)
    return _comment_cell("code", "\n".join(lines[blank:]).rstrip(), line + blank, ("show",))


def _comment_cell(kind: str, source: str, line: int, tags: tuple[str, ...] = ()) -> Cell:
    return Cell(kind, source, line, tags, form="comment")


def _commonmark(texts: list[str]) -> list[str]:
    """Upstream's Markdown as the page reads it.

    Where sections start at `#`, which is the page's title, all go one level down. Links name headings by their text.
    """
    matches = [match for text in texts for match in SPAN_OR_HEADING_OR_LINK.finditer(text)]
    down = any(match["level"] == "#" for match in matches)

    def put(match: re.Match) -> str:
        if match["level"]:
            return f"{match['level']}{'#' * down} {match['heading']}"
        return f"](#{slug(unquote(match['target']))})" if match["target"] else match[0]

    return [SPAN_OR_HEADING_OR_LINK.sub(put, text) for text in texts]


def _comments(code: str) -> list[int]:
    """The indices of lines that are comments, outside of all statements."""
    inside = set()
    for statement in ast.parse(code).body:
        decorators = [decorator.lineno for decorator in getattr(statement, "decorator_list", [])]
        inside |= set(range(min([statement.lineno, *decorators]) - 1, statement.end_lineno))
    return [
        i for i, line in enumerate(code.split("\n")) if line.startswith("#") and i not in inside
    ]


def _named(comment: str, scope: dict) -> Group | None:
    """What stands in the place of a comment, or None.

    Mere texts and numbers need a dotted path: `# samplerate` above a setting is a remark on it.
    """
    if not (match := NAME.fullmatch(comment)):
        return None
    try:
        found = list(_leaves(_look_up(match[1], scope)))
    except (LookupError, TypeError):
        return None
    if not found or not (
        "." in match[1] or any(isinstance(leaf, Component | Artifact) for leaf in found)
    ):
        return None
    texts = iter(_commonmark([leaf for leaf in found if isinstance(leaf, str)]))
    return Group([Prose(next(texts)) if isinstance(leaf, str) else leaf for leaf in found])


def _look_up(path: str, scope: dict) -> object:
    """The first name in `scope`, and then items and attributes. Raises: LookupError or TypeError."""
    value = scope
    for name in path.split("."):
        by_item = isinstance(value, Mapping) or not hasattr(value, name)
        value = value[name] if by_item else getattr(value, name)
    return value


def _leaves(value: object) -> Iterator[object]:
    """What `value` holds, in order, down to what a page can show. Raises: TypeError if it holds anything else."""
    if isinstance(value, Component | Artifact | str | int | float):
        yield value
        return
    if isinstance(value, Mapping):
        held = value.values()
    elif isinstance(value, list | tuple):
        held = value
    elif hasattr(value, "__dict__") and not isinstance(value, type | ModuleType):
        held = [item for name, item in vars(value).items() if not name.startswith("_")]
    else:
        raise TypeError(f"a {type(value).__name__} can not be shown")
    for item in held:
        yield from _leaves(item)
