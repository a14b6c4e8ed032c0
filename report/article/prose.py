"""Prose: Markdown with tables, footnotes, formulas and highlighted code.

Anchors of headings are stable: they stay when other sections come or go.
"""

import functools
import html
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import TextLexer, get_lexer_by_name
from pygments.util import ClassNotFound

LONGEST_ANCHOR = 40  # letters
HEADING_TEXT = ("claim", "text", "text_special", "code_inline", "math_inline")  # types of tokens
# LaTeX's \class, \style and \href set these: a page forbids styles, and links belong in prose.
FORBIDDEN = ("class", "href", "style")
OPEN, GROUNDS = "\ue001", "\ue002"  # around a claim, and before what it rests on
CODE_SPAN = r"(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)"  # or a fence
PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


@dataclass(frozen=True)
class Heading:
    """A heading with an anchor; those of levels 2 and 3 make the table of contents."""

    level: int
    text: str
    anchor: str


@functools.cache
def markdown() -> MarkdownIt:
    """The Markdown parser of all prose."""
    options = {"html": False, "typographer": True, "highlight": _fence}
    parser = MarkdownIt("commonmark", options).enable(["table", "smartquotes"])
    parser.use(footnote_plugin)
    # "$5 and $6" stays text, because there is a space before its second dollar sign.
    parser.use(
        dollarmath_plugin,
        allow_labels=False,
        allow_space=False,
        allow_digits=False,
        double_inline=False,
        renderer=_formula,
    )
    parser.add_render_rule("table_open", lambda *_: '<div class="scroll"><table>')
    parser.add_render_rule("table_close", lambda *_: "</table></div>")
    parser.add_render_rule("image", _image)
    parser.add_render_rule("claim", _claim)
    parser.core.ruler.push("claims", _find_claims)
    parser.core.ruler.push("alignment", _align_by_class)
    parser.core.ruler.push("headers", _drop_empty_headers)
    return parser


def _image(
    renderer: RendererHTML, tokens: Sequence[Token], i: int, options: OptionsDict, env: EnvType
) -> str:
    """Return an image that is in the address itself; a site has no others but artifacts."""
    address = str(tokens[i].attrs["src"])
    if not address.startswith("data:"):
        raise ValueError(
            f"the image {address!r} of the prose is not part of the site; return it as a "
            "report.Picture or Figure from a function with @conjure, and show that as an Image"
        )
    return renderer.image(tokens, i, options, env)


def _find_claims(state: StateCore) -> None:
    """Make tokens of the claims in the text; `env["claims"]` has text and grounds of each."""
    for token in state.tokens:
        children = token.children or []
        if any(OPEN in child.content for child in children if child.type == "text"):
            token.children = [part for child in children for part in _with_claims(child, state.env)]


def _with_claims(text: Token, env: EnvType) -> list[Token]:
    if text.type != "text":
        return [text]
    tokens = []
    for i, piece in enumerate(text.content.split(OPEN)):
        token = Token("claim" if i % 2 else "text", "", 0, content=piece)
        if i % 2:
            token.content, _, grounds = piece.partition(GROUNDS)
            if "claims" in env:
                env["claims"].append((token.content, grounds.split()))
                token.meta = {"number": len(env["claims"])}
        tokens.append(token)
    return tokens


def _claim(
    _renderer: RendererHTML, tokens: Sequence[Token], i: int, _options: OptionsDict, _env: EnvType
) -> str:
    """Return a claim as a link to what it rests on, at the end of the article."""
    text = html.escape(tokens[i].content)
    number = tokens[i].meta.get("number")
    return f'<a class="claim" href="#claim.{number}">{text}</a>' if number else text


def _align_by_class(state: StateCore) -> None:
    """Align cells of tables by a class, since a page's policy forbids styles in its markup."""
    for token in state.tokens:
        if token.type in ("th_open", "td_open") and "style" in token.attrs:
            side = str(token.attrs.pop("style")).removeprefix("text-align:")
            if side != "left":  # as cells are
                token.attrSet("class", side)


def _drop_empty_headers(state: StateCore) -> None:
    """Make plain cells of headers without a text, which would name nothing to those who listen."""
    for opened, text, closed in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if opened.type == "th_open" and not text.content.strip():
            opened.tag = closed.tag = "td"


def _fence(code: str, language: str, _attributes: str) -> str:
    return f'<pre class="code"><code>{highlight_code(code, language or "text")}</code></pre>'


def _formula(latex: str, options: dict[str, bool]) -> str:
    return to_mathml(latex, "block" if options["display_mode"] else "inline")


def plain_text(text: str) -> str:
    """Return Markdown that shows `text` as it is, in one line."""
    return PUNCTUATION.sub(r"\\\1", " ".join(text.split()))


def highlight_code(code: str, language: str) -> Markup:
    """Return code as HTML with its words marked up by kind."""
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        lexer = TextLexer()
    return Markup(highlight(code, lexer, HtmlFormatter(nowrap=True)))


def anchor_headings(tokens: list[Token]) -> list[Heading]:
    """Give each h2, h3 and h4 a unique id that stays when other sections come or go.

    The id of a heading whose text occurs more than once begins with the id of the heading above it.
    Where that is not enough, it ends with a number.
    Returns: the h2 and h3.
    """
    headings = [
        (token, _text(inline))
        for token, inline in zip(tokens, tokens[1:], strict=False)
        if token.type == "heading_open" and token.tag in ("h2", "h3", "h4")
    ]
    repeats = Counter(slug(text) for _, text in headings)
    anchors: set[str] = set()
    above: list[Heading] = []  # the headings that contain the next one
    contents = []
    for token, text in headings:
        level = int(token.tag[1])
        above = [heading for heading in above if heading.level < level]
        anchor = slug(text)
        if above and repeats[anchor] > 1:
            anchor = f"{above[-1].anchor}-{anchor}"
        anchor = _first_free(anchor, anchors)
        anchors.add(anchor)
        token.attrSet("id", anchor)
        heading = Heading(level, text, anchor)
        above.append(heading)
        if level < 4:
            contents.append(heading)
    return contents


def _text(inline: Token) -> str:
    return "".join(part.content for part in inline.children or [] if part.type in HEADING_TEXT)


def _first_free(anchor: str, taken: set[str]) -> str:
    """Return `anchor`, with the lowest number behind it that makes it unique if it is taken."""
    numbered = (f"{anchor}-{n}" for n in itertools.count(2))
    return next(name for name in itertools.chain([anchor], numbered) if name not in taken)


def slug(text: str) -> str:
    """Return the anchor of a heading whose text occurs once: its first words."""
    words = re.sub(r"[^\w]+", "-", text.lower()).strip("-_")
    first = re.match(rf".{{1,{LONGEST_ANCHOR}}}(?=-|$)", words)
    return first[0] if first else words[:LONGEST_ANCHOR] or "section"


def to_mathml(latex: str, display: str) -> str:
    """Return the MathML of a formula; `display` is "block" or "inline".

    Raises: ValueError if the formula is not well formed, or has an unknown or forbidden command.
    """
    try:
        formula = convert_to_element(latex, display=display)
    except Exception as error:  # of a dozen classes, whose name is all that they say
        raise ValueError(
            f"the formula ${latex}$ can not be read: {type(error).__name__}"
        ) from error
    del formula.attrib["xmlns"]  # HTML knows what <math> is
    for element in formula.iter():
        for name in FORBIDDEN:
            if name in element.attrib:
                raise ValueError(f"the formula ${latex}$ has a \\{name}; leave it out")
        # The converter escapes some of the text, and `tostring` all of it.
        element.text = html.unescape(element.text or "")
        if element.tag != "mtext" and element.text.startswith("\\") and len(element.text) > 1:
            raise ValueError(f"the formula ${latex}$ has an unknown command {element.text}")
    return ElementTree.tostring(formula, encoding="unicode")
