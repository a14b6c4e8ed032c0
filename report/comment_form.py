'''The older form of an article script, that of the upstream library conjure:

    """[markdown]
    # A title

    Prose. With an `f` before the quotes, {values} are filled in.
    """

    # example.recon

    example = {"recon": player(...)}

Strings that begin with [markdown] are prose, and all the rest is shown as code, in the order of the file. A comment that
is nothing but a name or a dotted path gives its place to what that leads to once the whole script has run, so that a
component may stand above the code that makes it. A comment that leads to nothing to show stays where it is.
'''

import ast
import codeop
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt

from report.cells import CODE_SPAN, MARKER, PUNCTUATION, Cell, Shown
from report.components import Component, Group, Prose
from report.conjure import Artifact
from report.errors import ReportError

STRING = re.compile(r'f?"""\[markdown\](?P<text>.*)"""', re.DOTALL)
NAME = re.compile(r"# ?([^\W\d]\w*(?:\.\w+)*)\s*")
FIELD = "\ue001"  # where a value stands in an f-string's text; a private-use character is in nobody's text
SPAN_OR_FIELD = re.compile(f"{CODE_SPAN}|{FIELD}", re.DOTALL)
SPAN_OR_HEADING = re.compile(CODE_SPAN + r"|^(?P<level>#{1,6})[ \t]*(?P<heading>[^#\s].*$)", re.DOTALL | re.MULTILINE)


def is_comment_form(source: str) -> bool:
    """Whether a script is in this form: it has a [markdown] string and no marker of the percent form."""
    lines = source.split("\n")
    return any(line.startswith(('"""[markdown]', 'f"""[markdown]')) for line in lines) and not any(
        MARKER.fullmatch(line) for line in lines
    )
