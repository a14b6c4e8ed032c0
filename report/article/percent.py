"""The percent form of an article script, which Jupyter and VS Code open as a notebook:

    # %% [markdown]
    # Prose, as comment lines or as one bare string. It may quote a value: {{ len(events) }}.

    # %% tags=["hide"]
    player(example)         # the value of the last expression is what the cell shows

The text between the braces is read like a field of an f-string, so `!r` and format specs work, as
in {{ level:.1f }}. Nothing is replaced between backticks: prose shows literal braces that way.
"""

import ast
import json
import re
from pathlib import Path

from report.article.cells import Cell, Evaluate, move_down, strip_blank_lines, syntax_tree
from report.article.claims import in_prose
from report.article.prose import CODE_SPAN, plain_text
from report.errors import ReportError

CODE_TAGS = ("show", "fold", "hide")
MARKER = re.compile(r"# ?%%(?P<options>(?:[ \t\[].*)?)")
TAGS = re.compile(r"\btags=(\[.*?\])")
# A code span, which stays as it is, or a value to fill in. One pattern: whichever opens first wins.
SPAN_OR_VALUE = re.compile(CODE_SPAN + r"|\{\{(?P<value>.+?)\}\}", re.DOTALL)


def metadata(source: str, path: Path) -> tuple[str, str]:
    """Return title and description: the first two paragraphs of the script's docstring.

    Raises: ReportError if there is no docstring, or if the script is not valid Python.
    """
    docstring = ast.get_docstring(syntax_tree(source, path))
    if not docstring:
        raise ReportError(
            f"{path} has no docstring; its first line is the article's title, and nothing but "
            "comments may stand before it"
        )
    title, *rest = re.split(r"\n\s*\n", docstring)
    return " ".join(title.split()), " ".join(rest[0].split()) if rest else ""


def parse(source: str, path: Path) -> list[Cell]:
    """Return the cells of a script; code before the first marker is a hidden cell.

    Raises: ReportError if a marker or a prose cell is not well formed.
    """
    lines = source.split("\n")
    matches = [(i, MARKER.fullmatch(line)) for i, line in enumerate(lines)]
    markers = [(i, match["options"]) for i, match in matches if match]
    ends = [*(i for i, _ in markers), len(lines)]
    cells = [_cell("code", lines[: ends[0]], 1, ("hide",), path)]
    for (marker, options), end in zip(markers, ends[1:], strict=True):
        kind = "prose" if "[markdown]" in options or "[md]" in options else "code"
        tags = _tags(options, f"{path}, line {marker + 1}")
        cells.append(_cell(kind, lines[marker + 1 : end], marker + 2, tags, path))
    return [cell for cell in cells if cell.source]


def fill_in(cell: Cell, evaluate: Evaluate) -> str:
    """Return the Markdown of a prose cell with its values. These are plain text, never markup."""

    def value(match: re.Match) -> str:
        if match["value"] is None:
            return match[0]
        line = cell.line + cell.source.count("\n", 0, match.start())
        return plain_text(_text_of_field(match["value"].strip(), line, evaluate))

    return SPAN_OR_VALUE.sub(value, cell.source)


def _text_of_field(field: str, line: int, evaluate: Evaluate) -> str:
    """Return the text of a field of an f-string that stands on a line.

    It is taken apart here, since before Python 3.12 it could have no backslash, and not the quotes
    of the f-string.
    """
    if _is_expression(field):
        return in_prose(evaluate(move_down(field, line)))
    for colon in re.finditer(":", field):
        expression, spec = field[: colon.start()].rstrip(), field[colon.end() :]
        if _is_expression(expression):
            if "{" in spec:
                spec = evaluate(move_down(f"f{spec!r}", line))
            return in_prose(evaluate(move_down(expression, line)), spec)
    return evaluate(move_down('f"""{ ' + field + '}"""', line))


def _is_expression(text: str) -> bool:
    """Tell whether a value has neither conversion nor format."""
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True


def _cell(kind: str, lines: list[str], line: int, tags: tuple[str, ...], path: Path) -> Cell:
    source, line = strip_blank_lines(lines, line)
    return Cell(kind, _prose(source, line, path) if kind == "prose" else source, line, tags)


def _prose(source: str, line: int, path: Path) -> str:
    """Return the Markdown of comment lines or of one bare string, which has the same lines."""
    lines = source.split("\n")
    if all(text.startswith("#") or not text.strip() for text in lines):
        return "\n".join(text[2:] if text.startswith("# ") else text[1:] for text in lines)
    try:
        text = ast.literal_eval(source)
    except (ValueError, SyntaxError):
        text = None
    if not isinstance(text, str):
        raise ReportError(
            f"{path}, line {line}: a prose cell holds comment lines or one string, not code; "
            "start a `# %%` cell"
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
