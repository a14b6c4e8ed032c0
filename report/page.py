"""Cells and what they showed become one HTML page. Nothing of the moment (time, duration, path) enters it, so that
building twice gives the same bytes."""

import ast
import functools
import re
import string
from collections import Counter
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from mdit_py_plugins.footnote import footnote_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import TextLexer, get_lexer_by_name
from pygments.util import ClassNotFound

from report.cells import Cell, Shown
from report.components import Code, Component, Prose, as_component, flatten
from report.conjure import Artifact
from report.errors import CellError, ReportError
from report.store import Record

# Of the libraries in a record, those that a reader wants to know; the manifest has all of them.
SHOWN_LIBRARIES = ("python", "numpy", "scipy", "torch", "scikit-learn", "matplotlib", "soundfile")
PLACE = "\ue000{}\ue000"  # where a component stands in the prose; a private-use character is in nobody's text
LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
HEADING_ID = re.compile(r'<h[234] id="([^"]+)">')
PLACED = re.compile(r"<p>\ue000(\d+)\ue000</p>\n")


@dataclass(frozen=True)
class Heading:
    """A heading with an anchor; those of level 2 and 3 make the table of contents."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True)
class Article:
    """A rendered page: `html` names its media as media/<artifact name>, and `artifacts` are all of those.

    `offline` are the names of those whose bytes the page's scripts read: a page on a disk needs copies of them.
    """

    name: str
    title: str
    description: str
    html: str
    artifacts: dict[str, list[Artifact]]
    offline: set[str] = field(default_factory=set)


def templates_folder() -> Path:
    """The templates: inside the package when installed, beside it in a checkout."""
    here = Path(__file__).resolve().parent
    return next(folder for folder in (here / "templates", here.parent / "templates") if folder.is_dir())


def assets() -> list[Path]:
    """The style sheets and scripts that every page links to."""
    return sorted([*templates_folder().glob("styles/*.css"), *templates_folder().glob("scripts/*.js")])


def read_metadata(path: Path) -> tuple[str, str]:
    """Title and description out of an article script's docstring: its first line, and the paragraph after it.

    The older form has its first heading for a title. Raises: ReportError if there is neither, or no script to parse.
    """
    from report import comment_form  # here, because it builds on this module

    try:
        source = Path(path).read_text(encoding="utf-8")
        if comment_form.is_comment_form(source):
            return comment_form.title(source, path), ""
        text = ast.get_docstring(ast.parse(source))
    except SyntaxError as error:
        raise ReportError(f"{path}, line {error.lineno}: {error.msg}: {(error.text or '').strip()}") from error
    except (OSError, ValueError) as error:
        raise ReportError(f"cannot read the article script {path}: {error}") from error
    if not text:
        raise ReportError(f"{path} has no docstring; its first line is the article's title")
    title, *rest = re.split(r"\n\s*\n", text)
    return " ".join(title.split()), " ".join(rest[0].split()) if rest else ""


def render_article(
    path: Path,
    shown: list[Shown],
    namespace: dict,
    facts: dict[str, str],
    titles: dict[str, str],
    calls: Iterable[tuple[str, Record]] = (),
) -> Article:
    """The page of the article script at `path`, which showed `shown` and left `namespace` behind.

    AUTHORS (a list of names, or one) and LANG in the namespace are used where they are set. `facts` make the colophon;
    `titles` are name -> title of the site's articles, `calls` the build's (name, record) of all its artifacts.
    Raises: CellError for what can not be shown.
    """
    name = Path(path).stem
    title, description = read_metadata(path)
    authors = namespace.get("AUTHORS", [])
    canvas = _Canvas(name, {record.sha256: call for call, record in calls})
    body, contents = _body(shown, canvas, path)
    template = _environment().get_template("article.html")
    html = template.render(
        title=title,
        description=description,
        authors=[authors] if isinstance(authors, str) else list(authors),
        lang=namespace.get("LANG", "en"),
        body=body,
        contents=contents,
        facts=facts,
        others={f"{other}.html": titles[other] for other in titles if other != name},
    )
    return Article(name, title, description, html, canvas.artifacts, canvas.offline)


def render_index(articles: list[Article], facts: dict[str, str]) -> str:
    """The entry page: the list of articles."""
    template = _environment().get_template("index.html")
    return template.render(title="Articles", description="", lang="en", articles=articles, facts=facts)


def render_template(name: str, **values: object) -> str:
    """A page of its own, from templates/NAME."""
    return _environment().get_template(name).render(**values)


@dataclass
class _Canvas:
    """What the macros in templates/components draw on: numbers, ids, and the artifacts that the page names."""

    article: str
    calls: dict[str, str]  # sha256 -> name of the call that made it
    artifacts: dict[str, list[Artifact]] = field(default_factory=dict)
    offline: set[str] = field(default_factory=set)
    counts: Counter = field(default_factory=Counter)
    section: str = ""  # anchor of the heading that comes before what is shown now
    anchors: dict[int, str] = field(default_factory=dict)
    _repeats: Counter = field(default_factory=Counter)

    def media(self, artifact: Artifact) -> str:
        """The artifact's address, relative to the page."""
        if not isinstance(artifact, Artifact):
            raise TypeError(f"{artifact!r} is no artifact; show what a @conjure function returned")
        self.artifacts.setdefault(artifact.name, []).append(artifact)
        return f"media/{artifact.name}"

    def samples(self, artifact: Artifact) -> str:
        """The same of an artifact whose bytes scripts read, also where the page is opened from a disk."""
        self.offline.add(artifact.name)
        return self.media(artifact)

    def anchor(self, component: object, title: str) -> str:
        """The id of a component, such as "example-1.reconstruction"; the same when asked for the same component."""
        if id(component) not in self.anchors:
            name = f"{self.section}.{slug(title)}" if self.section else slug(title)
            self._repeats[name] += 1
            self.anchors[id(component)] = name if self._repeats[name] == 1 else f"{name}-{self._repeats[name]}"
        return self.anchors[id(component)]

    def call(self, artifact: Artifact) -> str:
        """The name of the call that made an artifact, as the commands and the manifest have it."""
        name = self.calls.get(artifact.sha256)
        return f"{self.article}/{name}" if name else ""

    def inputs(self, artifact: Artifact) -> str:
        """The names of the calls that made what an artifact was made from."""
        names = [self.calls.get(sha256) for sha256 in artifact.record.inputs]
        return ", ".join(f"{self.article}/{name}" for name in names if name)

    def number(self, what: str) -> int:
        """1, 2, 3 … for each kind of thing."""
        self.counts[what] += 1
        return self.counts[what]

    def show(self, value: object) -> Markup:
        component = as_component(value)
        name = type(component).__name__
        return getattr(_environment().get_template(f"components/{name}.html").module, name)(component, self)


def _body(shown: list[Shown], canvas: _Canvas, path: Path) -> tuple[Markup, list[Heading]]:
    """All prose as one document, so that footnotes and headings are numbered through, with the components put in."""
    blocks = [(component, x.cell) for x in shown for component in _components(x, path)]
    text = "\n\n".join(b.text if isinstance(b, Prose) else PLACE.format(i) for i, (b, _) in enumerate(blocks))
    env: dict = {}
    tokens = _markdown().parse(text, env)
    contents = _anchor_headings(tokens)
    prose = _markdown().renderer.render(tokens, _markdown().options, env)
    placed = {int(i) for i in PLACED.findall(prose)}
    lost = [cell.line for i, (block, cell) in enumerate(blocks) if i not in placed and not isinstance(block, Prose)]
    if lost:
        raise CellError(f"{path}: the prose before line {lost[0]} swallows the code cell there; close its ``` fence")

    def put_in(match: re.Match) -> str:
        component, cell = blocks[int(match[1])]
        canvas.section = next(iter(reversed(HEADING_ID.findall(prose, 0, match.start()))), "")
        with _blame(cell, path):
            return canvas.show(component)

    return Markup(PLACED.sub(put_in, prose)), contents


def _components(shown: Shown, path: Path) -> list[Component]:
    """What stands on the page for a cell: shown code first, as in a notebook, and folded code last, out of the way."""
    cell = shown.cell
    if cell.kind == "prose":
        return [Prose(shown.value)]
    with _blame(cell, path):
        output = flatten(shown.value)
    if "hide" in cell.tags:
        return output
    if "show" in cell.tags:
        return [Code(cell.source, folded=False), *output]
    return [*output, Code(cell.source, folded=True)]


@contextmanager
def _blame(cell: Cell, path: Path):
    """Turn what is wrong with a shown value into a CellError."""
    try:
        yield
    except (TypeError, ValueError, TemplateError) as error:
        raise CellError(f"{path}, cell at line {cell.line}: {error}") from error


@functools.cache
def _markdown() -> MarkdownIt:
    def fence(code: str, language: str, _attributes: str) -> str:
        return f'<pre class="code"><code>{_highlight(code, language or "text")}</code></pre>'

    options = {"html": False, "typographer": True, "highlight": fence}
    markdown = MarkdownIt("commonmark", options).enable(["table", "smartquotes"]).use(footnote_plugin)
    markdown.add_render_rule("table_open", lambda *_: '<div class="scroll"><table>')
    markdown.add_render_rule("table_close", lambda *_: "</table></div>")
    return markdown


def _highlight(code: str, language: str) -> Markup:
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        lexer = TextLexer()
    return Markup(highlight(code, lexer, HtmlFormatter(nowrap=True)))


def _anchor_headings(tokens: list[Token]) -> list[Heading]:
    """Give each h2, h3 and h4 an id that is unique and does not move when other sections come or go.

    A heading that occurs more than once carries the id of the heading above it; where that is not enough, a number.
    Returns: the h2 and h3.
    """
    found = [
        (token, "".join(t.content for t in inline.children if t.type in ("text", "text_special", "code_inline")))
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
        anchor = next(x for x in (anchor, *(f"{anchor}-{n}" for n in range(2, len(found) + 2))) if x not in used)
        used.add(anchor)
        token.attrSet("id", anchor)
        above.append(Heading(level, text, anchor))
        if level < 4:
            contents.append(above[-1])
    return contents


def slug(text: str) -> str:
    """The anchor of a heading whose text occurs once."""
    return re.sub(r"[^\w]+", "-", text.lower()).strip("-_") or "section"


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "decibels": _decibels,
        "highlight": _highlight,
        "libraries": _libraries,
        "kilobytes": _kilobytes,
        "markdown": lambda text: Markup(_markdown().render(text)),
        "minus": _minus,
        "peaks": _peaks,
    }
    return environment


def _kilobytes(n: int) -> str:
    return f"{n / 1e6:.1f} MB" if n >= 1e6 else f"{max(1, round(n / 1e3))} kB"


def _decibels(level: float | None) -> str:
    return _minus("-∞" if level is None else f"{level:.1f}")


def _libraries(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items() if name in SHOWN_LIBRARIES)


def _minus(number: object) -> str:
    return str(number).replace("-", "−")


def _peaks(peaks: list[list[int]]) -> str:
    """Min/max pairs as two letters each, how far up and how far down, which templates/scripts/wave.js draws.

    Heights are square roots of levels: quiet sounds stay visible, and louder is still higher in every player.
    """

    def letter(level: int) -> str:
        return LETTERS[round(63 * (max(0, level) / 127) ** 0.5)]

    return "".join(letter(high) + letter(-low) for low, high in peaks)
