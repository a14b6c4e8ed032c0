"""HTML of components and artifacts with all their media in it: it plays without a network."""

import base64
import re
from collections.abc import Iterator
from typing import Any, get_args

from report.article.canvas import Canvas
from report.article.claims import Claim
from report.article.components import Component, Part, Prose, flatten
from report.article.given import is_given, rows_of
from report.article.prose import plain_text
from report.artifacts.media import Sound
from report.artifacts.session import Artifact, active_session

LONGEST = 1000  # rows of a table, or values of a list
LONGEST_LINE = 80  # letters of a title
LINK = re.compile(r'<a\b[^>]*\bhref="media/[^>]*>(.*?)</a>', re.DOTALL)
# Sounds of a listening test, which only a page can hold.
JUDGED = re.compile(r'<div class="judged" hidden>.*?</div>', re.DOTALL)
MEDIUM = re.compile(r"\bmedia/([0-9a-f]{64}\.\w+)")
KINDS = (*get_args(Component), Artifact, Claim, Sound)
STYLE = """<style>
.report figure { margin: 0.5em 0; } .report figcaption { font-weight: bold; }
.report img { max-width: 100%; height: auto; } .report .facts { font-size: 85%; }
</style>"""


def html_of(value: object) -> str:
    """Return the HTML of a value. Raises: TypeError if a page can not show it."""
    session = active_session()
    canvas = Canvas("notebook", dict(session.settled_calls()), {})
    html = "".join(str(canvas.show(component)) for component in _shown_in_turn(value))
    html = JUDGED.sub("", LINK.sub(r"\1", html))  # else links' media would be there twice

    def inside(match: re.Match) -> str:
        record = canvas.files[match[1]]
        data = base64.b64encode(session.store.read(record)).decode()
        return f"data:{record.media_type};base64,{data}"

    return f'{STYLE}<div class="report">{MEDIUM.sub(inside, html)}</div>'


def _shown_in_turn(value: object) -> Iterator[Component]:
    """Yield the components of a value; a part, which has no page here, as heading and contents."""
    for component in flatten(value):
        if isinstance(component, Part):
            yield Prose("### " + plain_text(component.title))
            yield from flatten(component.components)
        else:
            yield component


def _repr_html_(value: Any) -> str:
    return html_of(value)


def _html_of_any(value: Any) -> str | None:
    """Return the HTML of what a page would show, stored as for a page; of others, their own."""
    if _is_shown(value):
        return html_of(value)
    own = getattr(type(value), "_repr_html_", None)
    return own(value) if own else None


def short_text(value: Any) -> str:
    """Return a line for what shows no HTML, in place of all that a value holds."""
    names = ("title", "name", "caption", "text")
    named = (getattr(value, name, None) for name in names)
    title = next((text for text in named if isinstance(text, str) and text), "")
    if isinstance(value, Artifact):
        title = f"{value.record.function.rpartition('.')[2]}, {value.sha256[:12]}"
    more = "…" if len(title) > LONGEST_LINE else ""
    return f"{type(value).__name__}({title[:LONGEST_LINE]}{more})"


def _print_short(value: Any, printer: Any, _cycle: bool) -> None:
    printer.text(short_text(value))


def _is_shown(value: Any) -> bool:
    """Tell whether a value is shown as on a page. Long tables are left to their libraries."""
    if isinstance(value, KINDS) or is_given(value):
        return True
    if not hasattr(value, "__len__"):
        return rows_of(value) is not None
    if not 0 < len(value) <= LONGEST:
        return False
    is_list = isinstance(value, list | tuple)
    return (is_list and all(map(_is_shown, value))) or rows_of(value) is not None


def show_in(shell: Any) -> None:
    """Let a kernel show what a page would show."""
    for kind in KINDS:
        kind._repr_html_ = _repr_html_
        shell.display_formatter.formatters["text/plain"].for_type(kind, _print_short)
    shell.display_formatter.formatters["text/html"].for_type(object, _html_of_any)
