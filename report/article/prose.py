"""Prose: Markdown with tables, footnotes, formulas, highlighted code, citations and callouts.

Anchors of headings are stable: they stay when other sections come or go.
"""

import difflib
import functools
import html
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup
from mdit_py_plugins.attrs import attrs_block_plugin, attrs_plugin
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.tasklists import tasklists_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import TextLexer, get_lexer_by_name
from pygments.util import ClassNotFound

LONGEST_ANCHOR = 40  # letters
HEADING_TEXT = ("claim", "text", "text_special", "code_inline", "math_inline")  # types of tokens
# LaTeX's \class, \style and \href set these: a page forbids styles, and links belong in prose.
FORBIDDEN = ("class", "href", "style")
OPEN, GROUNDS = "\ue001", "\ue002"  # around a claim, and before what it rests on
REFERRED = "\ue003"  # around the name of a figure, table or section
CALLOUTS = {
    "note": "Note",
    "tip": "Tip",
    "important": "Important",
    "warning": "Warning",
    "caution": "Caution",
}
REFERENCE = re.compile(r"\[(?P<cited>@[^\[\]\n]+)\]|(?<!\w)@(?P<name>(?:fig|tbl|sec)-[\w-]*\w)")
HEADING_ID = re.compile(r"\s*\{#([A-Za-z][\w.-]*)\}$")
CODE_SPAN = r"(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)"  # or a fence
# Of Markdown. The point in a number never is, and is left for those who read the source.
PUNCTUATION = re.compile(r"(?!(?<=\d)\.\d)([!-/:-@\[-`{-~])")


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
    parser.use(footnote_plugin).use(deflist_plugin).use(tasklists_plugin, label=True)
    # Of attributes in braces, ids alone: a page's policy forbids styles.
    parser.use(attrs_block_plugin, allowed=["id"]).use(attrs_plugin, spans=True, allowed=["id"])
    parser.use(container_plugin, "callout", validate=_is_named, render=_callout)
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
    parser.add_render_rule("citation", _citation)
    parser.add_render_rule("reference", _reference)
    parser.core.ruler.push("claims", _find_claims)
    parser.core.ruler.push("references", _find_references)
    parser.core.ruler.push("heading ids", _take_heading_ids)
    parser.core.ruler.push("alignment", _align_by_class)
    parser.core.ruler.push("headers", _drop_empty_headers)
    return parser


def _image(
    renderer: RendererHTML, tokens: Sequence[Token], i: int, options: OptionsDict, env: EnvType
) -> str:
    """Return an image that is in the address itself; a site has no others but artifacts."""
    address = str(tokens[i].attrs["src"])
    if address in env.get("images", {}):
        artifact = env["images"][address]
        tokens[i].attrs |= {
            "src": f"media/{artifact.name}",
            "width": artifact.info["width"],
            "height": artifact.info["height"],
            "loading": "lazy",
        }
    elif not address.startswith("data:"):
        raise ValueError(
            f"the image {address!r} of the prose is not part of the site; put the file beside the "
            "script and show it in a prose cell, or return it as a report.Picture or Figure from a "
            "function with @conjure, and show that as an Image"
        )
    return renderer.image(tokens, i, options, env)


def is_local(address: str) -> bool:
    """Tell whether an address is that of a file beside the article."""
    return not re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//|#", address)


def _is_named(words: str, *_: object) -> bool:
    return words.strip() != ""


def _callout(
    _renderer: RendererHTML, tokens: Sequence[Token], i: int, _options: OptionsDict, _env: EnvType
) -> str:
    """Return the begin or the end of a callout; words behind its name are its title.

    Raises: ValueError for a name that is none.
    """
    if tokens[i].nesting < 0:
        return "</aside>\n"
    kind, _, words = tokens[i].info.strip().partition(" ")
    if kind not in CALLOUTS:
        raise ValueError(f"there is no callout ::: {kind}; there are {', '.join(CALLOUTS)}")
    shown = html.escape(words.strip() or CALLOUTS[kind])
    return f'<aside class="callout {kind}" aria-label="{shown}">\n<p><b>{shown}</b></p>\n'


def without_grounds(text: str) -> str:
    """Return prose with the texts of its claims alone."""
    return re.sub(f"{OPEN}(.*?){GROUNDS}.*?{OPEN}", r"\1", text, flags=re.DOTALL)


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


def _find_references(state: StateCore) -> None:
    """Make tokens of citations, as [@key, p. 3; @other], and of references such as @fig-name."""
    for token in state.tokens:
        children = token.children or []
        if any("@" in child.content for child in children if child.type == "text"):
            token.children = [
                part for child in children for part in _with_references(child, state.env)
            ]


def _with_references(text: Token, env: EnvType) -> list[Token]:
    if text.type != "text":
        return [text]
    tokens, end = [], 0
    for match in REFERENCE.finditer(text.content):
        tokens.append(Token("text", "", 0, content=text.content[end : match.start()]))
        kind = "citation" if match["cited"] else "reference"
        tokens.append(Token(kind, "", 0, content=match["cited"] or match["name"]))
        end = match.end()
    return [*tokens, Token("text", "", 0, content=text.content[end:])]


def _citation(
    _renderer: RendererHTML, tokens: Sequence[Token], i: int, _options: OptionsDict, env: EnvType
) -> str:
    """Return citations in brackets, with links to the references. Raises: ValueError."""
    parts = []
    for item in tokens[i].content.split(";"):
        key, comma, place = item.strip().removeprefix("@").partition(",")
        labels = env["bibliography"].labels if env.get("bibliography") else {}
        if key not in labels:
            raise ValueError(f"[@{key}] cites what is in no BIBLIOGRAPHY{_nearest(key, labels)}")
        env.get("cited", []).append(key)
        link = f'<a class="cite" href="#ref.{html.escape(key)}">{html.escape(labels[key])}</a>'
        parts.append(link + html.escape(f"{comma}{place}"))
    return f"({'; '.join(parts)})"


def _reference(
    _renderer: RendererHTML, tokens: Sequence[Token], i: int, _options: OptionsDict, _env: EnvType
) -> str:
    """Return what stands for a reference until the numbers of all figures are known."""
    return f"{REFERRED}{tokens[i].content}{REFERRED}"


def resolve_references(page: str, numbered: Mapping[str, str]) -> str:
    """Put links in the place of references. `numbered` is name -> text, as "Figure 3".

    Raises: ValueError for a name that is not there.
    """

    def link(match: re.Match) -> str:
        name = match[1]
        if name not in numbered:
            raise ValueError(f"@{name} refers to nothing{_nearest(name, numbered)}")
        return f'<a href="#{name}">{html.escape(numbered[name])}</a>'

    return re.sub(f"{REFERRED}(.*?){REFERRED}", link, page)


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; is it @{near[0]}?" if near else ""


def _take_heading_ids(state: StateCore) -> None:
    """Take the id at the end of a heading, as in `## Results {#results}`."""
    for heading, inline in zip(state.tokens, state.tokens[1:], strict=False):
        if heading.type != "heading_open" or not inline.children:
            continue
        last = inline.children[-1]
        if last.type == "text" and (match := HEADING_ID.search(last.content)):
            last.content = last.content[: match.start()]
            heading.attrSet("id", match[1])


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
    Where that is not enough, it ends with a number. One that an author gave stays as it is.
    Returns: the h2 and h3.
    """
    headings = [
        (token, _text(inline))
        for token, inline in zip(tokens, tokens[1:], strict=False)
        if token.type == "heading_open" and token.tag in ("h2", "h3", "h4")
    ]
    repeats = Counter(slug(text) for _, text in headings)
    anchors = {str(token.attrs["id"]) for token, _ in headings if "id" in token.attrs}
    above: list[Heading] = []  # the headings that contain the next one
    contents = []
    for token, text in headings:
        level = int(token.tag[1])
        above = [heading for heading in above if heading.level < level]
        anchor = str(token.attrs.get("id") or slug(text))
        if "id" not in token.attrs:
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
