"""Cells and what they showed become one HTML page. Nothing of the moment (time, duration, path) enters it, so that
building twice gives the same bytes."""

import re
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from jinja2 import TemplateError
from markupsafe import Markup

from report.article.canvas import Canvas, render_template, templates_folder
from report.article.cells import Cell, Shown
from report.article.components import Code, Component, Part, Prose, flatten
from report.article.percent import PUNCTUATION
from report.article.prose import Heading, anchor_headings, markdown
from report.article.script import read_metadata
from report.artifacts.record import Record
from report.artifacts.session import Artifact
from report.errors import CellError

PLACE = "\ue000{}\ue000"  # where a component stands in the prose; a private-use character is in nobody's text
HEADING_ID = re.compile(r'<h[234] id="([^"]+)">')
PLACED = re.compile(r"<p>\ue000(\d+)\ue000</p>\n")
LOCAL_ADDRESS = re.compile(r'\bhref="#([^"]+)"')
WELCOME = "Built from code: every sound can be heard, compared, and traced back to how it was made."


@dataclass(frozen=True)
class Page:
    """A rendered page, `name`.html."""

    name: str
    title: str
    html: str


@dataclass(frozen=True)
class Article(Page):
    """The page of an article: its `html` names media as media/<artifact name>, and `artifacts` are all of those.

    `parts` are the pages of its parts, which name no other media. `offline` are the names of those whose bytes the
    page's scripts read: a page on a disk needs copies of them.
    """

    description: str
    artifacts: dict[str, list[Artifact]]
    offline: set[str] = field(default_factory=set)
    parts: list[Page] = field(default_factory=list)

    @property
    def pages(self) -> list[Page]:
        return [self, *self.parts]


def assets() -> list[Path]:
    """The style sheets and scripts that every page links to."""
    return sorted(
        [*templates_folder().glob("styles/*.css"), *templates_folder().glob("scripts/*.js")]
    )


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
    canvas = Canvas(name, dict(calls))
    body, contents, parts = _body(shown, canvas, path)
    common = {
        "article": {"address": f"{name}.html", "title": title},
        "authors": [authors] if isinstance(authors, str) else list(authors),
        "lang": namespace.get("LANG", "en"),
        "facts": facts | ({"libraries": canvas.libraries} if canvas.libraries else {}),
    }
    html = render_template(
        "article.html",
        address=f"{name}.html",
        title=title,
        description=description,
        picture=canvas.first_picture(),
        body=body,
        contents=contents,
        others={f"{other}.html": titles[other] for other in titles if other != name},
        **common,
    )
    pages = _part_pages(parts, canvas, common)
    return Article(name, title, html, description, canvas.artifacts, canvas.offline, pages)


def _part_pages(parts: list["_Placed"], canvas: Canvas, common: dict) -> list[Page]:
    """A page for each part, with the ways to those before and after it."""
    pages = []
    around = zip([None, *parts], parts, [*parts[1:], None], strict=False)
    for before, placed, after in around:
        part = placed.part
        html = render_template(
            "part.html",
            address=f"{canvas.page_of(part)}.html",
            title=part.title,
            description=part.description,
            picture=part.picture,
            body=placed.alone(common["article"]["address"]),
            anchor=placed.anchor,
            before=before and before.part,
            after=after and after.part,
            canvas=canvas,
            **common,
        )
        pages.append(Page(canvas.page_of(part), part.title, html))
    return pages


def render_index(articles: list[Article], facts: dict[str, str]) -> str:
    """The entry page: the list of articles."""
    return render_template(
        "index.html",
        address="",
        title="Articles",
        description=WELCOME,
        lang="en",
        articles=articles,
        facts=facts,
    )


@dataclass(frozen=True)
class _End:
    """Where a part ends."""


@dataclass(frozen=True)
class _Placed:
    """A part as it stands in the article, below its heading with this anchor."""

    part: Part
    anchor: str
    html: str

    def alone(self, article: str) -> Markup:
        """The same on a page of its own: headings move up, and what is not here is linked to in the article."""

        def link(match: re.Match) -> str:
            return match[0] if f'id="{match[1]}"' in self.html else f'href="{article}#{match[1]}"'

        return Markup(re.sub(r"(</?h)4\b", r"\g<1>2", LOCAL_ADDRESS.sub(link, self.html)))


def _body(
    shown: list[Shown], canvas: Canvas, path: Path
) -> tuple[Markup, list[Heading], list[_Placed]]:
    """All prose as one document, so that footnotes and headings are numbered through, with the components put in."""
    blocks = [
        (block, x.cell)
        for x in shown
        for component in _components(x, path)
        for block in _spread(component)
    ]
    text = "\n\n".join(
        b.text if isinstance(b, Prose) else PLACE.format(i) for i, (b, _) in enumerate(blocks)
    )
    _check_formulas(blocks, path)
    env: dict = {}
    tokens = markdown().parse(text, env)
    contents = anchor_headings(tokens)
    pieces = PLACED.split(markdown().renderer.render(tokens, markdown().options, env))
    placed = {int(i) for i in pieces[1::2]}
    lost = [
        cell.line
        for i, (block, cell) in enumerate(blocks)
        if i not in placed and not isinstance(block, Prose)
    ]
    if lost:
        raise CellError(
            f"{path}: the prose before line {lost[0]} swallows the code cell there; close its ``` fence"
        )
    places = [blocks[int(i)] for i in pieces[1::2]]
    html, parts = _put_in(pieces[::2], places, canvas, path)
    return Markup(html), contents, parts


def _put_in(
    texts: list[str], places: list[tuple[object, Cell]], canvas: Canvas, path: Path
) -> tuple[str, list[_Placed]]:
    """The HTML of the prose with that of components between, and of each part alone."""
    html: list[str] = []
    parts: list[_Placed] = []
    part = None
    for text, place in zip_longest(texts, places):
        html.append(text)
        canvas.section = next(reversed(HEADING_ID.findall(text)), canvas.section)
        if place is None:
            break
        block, cell = place
        with _blame(cell, path):
            match block:
                case Part() if part is None:
                    html.append(canvas.begin(block))
                    part, anchor, start = block, canvas.section, len(html)
                case _End():
                    parts.append(_Placed(part, anchor, "".join(html[start:])))
                    part = None
                case _:
                    html.append(canvas.show(block))
    return "".join(html), parts


def _spread(component: Component) -> list[Component | _End]:
    """A part becomes its heading, itself where its content begins, that content, and its end."""
    if not isinstance(component, Part):
        return [component]
    heading = Prose("### " + PUNCTUATION.sub(r"\\\1", " ".join(component.title.split())))
    return [heading, component, *flatten(component.components), _End()]


def _check_formulas(blocks: list[tuple[Component | _End, Cell]], path: Path) -> None:
    """Read prose that may have formulas cell by cell, because the whole document knows no cells."""
    for block, cell in blocks:
        if isinstance(block, Prose) and "$" in block.text:
            with _blame(cell, path):
                markdown().render(block.text)


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
