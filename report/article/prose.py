"""Prose: Markdown with tables, footnotes, formulas and highlighted code, whose headings have lasting anchors."""

import functools
import html
import re
from collections import Counter
from dataclasses import dataclass
from xml.etree import ElementTree

from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import TextLexer, get_lexer_by_name
from pygments.util import ClassNotFound

LONGEST_ANCHOR = 40  # letters
TEXTS = (
    "text",
    "text_special",
    "code_inline",
    "math_inline",
)  # what the text of a heading is made of


@dataclass(frozen=True)
class Heading:
    """A heading with an anchor; those of level 2 and 3 make the table of contents."""

    level: int
    text: str
    anchor: str


@functools.cache
def markdown() -> MarkdownIt:
    """The one Markdown of all prose."""

    def fence(code: str, language: str, _attributes: str) -> str:
        return f'<pre class="code"><code>{highlight_code(code, language or "text")}</code></pre>'

    options = {"html": False, "typographer": True, "highlight": fence}
    parser = MarkdownIt("commonmark", options).enable(["table", "smartquotes"])
    parser.use(footnote_plugin).use(maths_plugin)
    parser.add_render_rule("table_open", lambda *_: '<div class="scroll"><table>')
    parser.add_render_rule("table_close", lambda *_: "</table></div>")
    return parser


def highlight_code(code: str, language: str) -> Markup:
    """The code with its words marked up by kind."""
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        lexer = TextLexer()
    return Markup(highlight(code, lexer, HtmlFormatter(nowrap=True)))


def anchor_headings(tokens: list[Token]) -> list[Heading]:
    """Give each h2, h3 and h4 an id that is unique and does not move when other sections come or go.

    A heading that occurs more than once carries the id of the heading above it; where that is not enough, a number.
    Returns: the h2 and h3.
    """
    found = [
        (token, "".join(t.content for t in inline.children if t.type in TEXTS))
        for token, inline in zip(tokens, tokens[1:], strict=False)
        if token.type == "heading_open" and token.tag in ("h2", "h3", "h4")
    ]
    repeats = Counter(slug(text) for _, text in found)
    used: set[str] = set()
    above: list[Heading] = []  # the headings that the next one stands under
    contents = []
    for token, text in found:
        level = int(token.tag[1])
        above = [heading for heading in above if heading.level < level]
        anchor = slug(text)
        if above and repeats[anchor] > 1:
            anchor = f"{above[-1].anchor}-{anchor}"
        anchor = next(
            x
            for x in (anchor, *(f"{anchor}-{n}" for n in range(2, len(found) + 2)))
            if x not in used
        )
        used.add(anchor)
        token.attrSet("id", anchor)
        above.append(Heading(level, text, anchor))
        if level < 4:
            contents.append(above[-1])
    return contents


def slug(text: str) -> str:
    """The anchor of a heading whose text occurs once: its first words."""
    words = re.sub(r"[^\w]+", "-", text.lower()).strip("-_")
    first = re.match(rf".{{1,{LONGEST_ANCHOR}}}(?=-|$)", words)
    return first[0] if first else words[:LONGEST_ANCHOR] or "section"


# What \class, \style and \href set: a page's policy forbids styles, and a formula is no place for a link.
FORBIDDEN = ("class", "href", "style")


def maths_plugin(markdown: MarkdownIt) -> None:
    """Markdown with formulas. "$5 and $6" stays text, because there is a space before its second dollar sign."""
    markdown.use(
        dollarmath_plugin,
        allow_labels=False,
        allow_space=False,
        allow_digits=False,
        double_inline=False,
        renderer=lambda latex, options: to_mathml(
            latex, "block" if options["display_mode"] else "inline"
        ),
    )


def to_mathml(latex: str, display: str) -> str:
    """The MathML of a formula. Raises: ValueError if it is not well formed, or has a command that is not known."""
    try:
        formula = convert_to_element(latex, display=display)
    except Exception as error:  # of a dozen kinds, none of which says anything else than its name
        raise ValueError(
            f"the formula ${latex}$ can not be read: {type(error).__name__}"
        ) from error
    del formula.attrib["xmlns"]  # HTML knows what <math> is
    for element in formula.iter():
        if forbidden := next((name for name in FORBIDDEN if name in element.attrib), None):
            raise ValueError(f"the formula ${latex}$ has a \\{forbidden}; leave it out")
        element.text = html.unescape(
            element.text or ""
        )  # the converter escapes some of it, and the next line all
        if element.tag != "mtext" and element.text.startswith("\\") and len(element.text) > 1:
            raise ValueError(f"the formula ${latex}$ has an unknown command {element.text}")
    return ElementTree.tostring(formula, encoding="unicode")
