"""The percent form of an article script, which Jupyter and VS Code open as a notebook:

    # %% [markdown]
    # Prose, as comment lines or as one bare string. It may quote a value: {{ len(events) }}, {{ level:.1f }} dB.

    # %% tags=["hide"]
    player(example)         # the value of the last expression is what the cell shows

What stands between the braces is read like the inside of an f-string field, so `!r` and format specs work. Nothing is
replaced between backticks: that is how prose shows literal braces.
"""

import ast
import codeop
import json
import re
from pathlib import Path

from report.article.cells import Cell
from report.errors import ReportError

CODE_TAGS = ("show", "fold", "hide")
MARKER = re.compile(r"# ?%%(?P<options>(?:[ \t\[].*)?)")
TAGS = re.compile(r"\btags=(\[.*?\])")
CODE_SPAN = r"(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)"  # or a fence
# A code span (left alone), or a value to fill in. One pattern, so that whichever opens first wins.
SPAN_OR_VALUE = re.compile(CODE_SPAN + r"|\{\{(?P<value>.+?)\}\}", re.DOTALL)
PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def parse(source: str, path: Path) -> list[Cell]:
    """Return the cells of a script; code before the first marker is a hidden cell.

    Raises: ReportError if a marker or a prose cell is not well formed.
    """
    lines = source.split("\n")
    starts = [
        (i, match["options"]) for i, line in enumerate(lines) if (match := MARKER.fullmatch(line))
    ]
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


def fill_in(cell: Cell, path: Path, scope: dict, compiler: codeop.Compile) -> str:
    def value(match: re.Match) -> str:
        if match["value"] is None:
            return match[0]
        line = cell.line + cell.source.count("\n", 0, match.start())
        field = 'f"""{ ' + match["value"].strip() + '}"""'
        text = eval(compiler(in_place(field, line), str(path), "eval"), scope)
        return PUNCTUATION.sub(
            r"\\\1", " ".join(text.split())
        )  # plain text: no value can become markup

    return SPAN_OR_VALUE.sub(value, cell.source)


def in_place(source: str, line: int) -> str:
    """`source` moved down to its own line of the script, so that tracebacks name true line numbers."""
    return "\n" * (line - 1) + source
