"""The cells of an article script, before and after they run, and helpers of both forms."""

import ast
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from report.artifacts.session import Artifact
from report.errors import ReportError

# Evaluates an expression, given as source or as a tree, among the names of the script.
Evaluate = Callable[[str | ast.Expression], Any]


@dataclass(frozen=True)
class Cell:
    """One cell of a script, without the blank lines around it."""

    kind: str  # "prose" or "code"
    source: str
    line: int  # of the script, counted from 1, on which `source` starts
    tags: tuple[str, ...] = ()  # of code: "show", "fold" or "hide" its source
    form: str = "percent"  # or "comment", see `report.article.comment_form`


@dataclass(frozen=True)
class Output:
    """A cell that ran.

    `value` is the Markdown of a prose cell. For code it is the last expression's value, or None.
    """

    cell: Cell
    value: object
    images: dict[str, Artifact] = field(default_factory=dict)  # of prose: address -> picture


def syntax_tree(source: str, path: Path) -> ast.Module:
    """Parse a whole script. Raises: ReportError if it is not valid Python."""
    try:
        return ast.parse(source)
    except SyntaxError as error:
        text = (error.text or "").strip()
        hint = "; leave out commands of notebooks" if text.startswith(("%", "!")) else ""
        hint = hint or quotes_hint(error)
        raise ReportError(f"{path}, line {error.lineno}: {error.msg}: {text}{hint}") from error
    except ValueError as error:  # a null character
        raise ReportError(f"cannot read the article script {path}: {error}") from error


def quotes_hint(error: SyntaxError) -> str:
    """Return how to mend quotes in an f-string that only a later Python understands, or ""."""
    in_field = re.search(r"""\{.*\bf["']""", error.text or "")  # as prose has them
    if sys.version_info >= (3, 12) or not ("f-string" in error.msg or in_field):
        return ""
    return (
        "; before Python 3.12, what stands between the braces of an f-string can have neither its "
        "quotes nor a backslash: use the other quotes, or a name for the value"
    )


def strip_blank_lines(lines: list[str], line: int) -> tuple[str, int]:
    """Return `lines` as text without blank lines around it, and the line on which that starts.

    `line` is the number of the first of `lines`.
    """
    blank = next((i for i, text in enumerate(lines) if text.strip()), 0)
    return "\n".join(lines[blank:]).rstrip(), line + blank


def move_down(source: str, line: int) -> str:
    """Return `source` below blank lines, so that tracebacks name the lines of the script."""
    return "\n" * (line - 1) + source
