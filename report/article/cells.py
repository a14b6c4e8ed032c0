"""The cells of an article script, before and after they run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One cell: `kind` is "prose" or "code", `line` the 1-based line in the script on which `source` starts.

    `form` is that of the script: "percent", or "comment" as in `report.article.comment_form`.
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
