"""Put prose and components together into one HTML page.

Nothing of the moment (time, duration, path) enters the page: building twice gives the same bytes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html import unescape
from itertools import zip_longest
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from markupsafe import Markup

from report.article.bibliography import read_bibliography
from report.article.canvas import Canvas
from report.article.cells import Cell, Output
from report.article.checks import findings_on_page, read_allowed, refuse, used_reasons
from report.article.components import Code, Component, Part, Prose, flatten
from report.article.fields import check_encodable
from report.article.front_matter import FrontMatter, citation, read_front_matter
from report.article.imports import imports_of
from report.article.prose import Heading, anchor_headings, markdown, plain_text, resolve_references
from report.article.script import read_metadata
from report.article.templates import render_template, templates_folder
from report.artifacts.record import Record
from report.errors import CellError
from report.listening.design import Design

# Stands for a component in the prose; nobody writes private-use characters.
PLACEHOLDER = "\ue000{}\ue000"
PLACEHOLDER_HTML = re.compile(r"<p>\ue000(\d+)\ue000</p>\n")
HEADING_ID = re.compile(r'<h[234] id="([^"]+)">')
OTHERS = re.compile(r'<nav class="others".*?</nav>\n', re.DOTALL)
DRAFT = '<aside class="draft"'  # on the pages of a draft
COLOPHON = '<footer class="colophon"'
LABEL = re.compile(r"^#\| *label: *((?:fig|tbl)-[\w-]*\w) *$", re.MULTILINE)  # of a cell
LABELLED = {"fig": "figure", "tbl": "table"}
LOCAL_ADDRESS = re.compile(r'\bhref="#([^"]+)"')
COVER = re.compile(r'<meta property="og:(image|image:alt|audio)" content="([^"]*)">')
SENTENCE = re.compile(r"(?<=[.!?])\s")
# Scripts that come alone, at a press or when the reader is near, and not with their folder.
SINGLE_SCRIPTS = {"bibtex", "grid", "labels", "verify"}
WELCOME = "Built from code: every sound can be heard, compared, and traced back to how it was made."


@dataclass(frozen=True)
class Page:
    """A rendered page, `name`.html."""

    name: str
    title: str
    html: str


@dataclass(frozen=True)
class Article(Page):
    """The page of an article. Its HTML names media as media/NAME, where NAME is a file name."""

    description: str
    front: FrontMatter
    media: dict[str, Record]  # file name of each medium -> its record
    # File names of media whose bytes the page's scripts read: a page on a disk needs copies.
    offline: set[str]
    parts: list[Page]  # the pages of its parts: no other media
    tests: dict[str, Design]  # anchor of each listening test -> what it asks
    allowed: dict[str, str]  # checks that are left out -> the reason, see `checks`

    @property
    def pages(self) -> list[Page]:
        return [self, *self.parts]


def assets() -> dict[str, bytes]:
    """Return name -> content of the style sheets and scripts of all pages.

    The scripts of a folder become one, in the order of their names; last stands the one that is
    named like the folder, for it starts what the others define. Comments and indentation, two
    fifths of all bytes, stay with the sources.
    """
    from rcssmin import cssmin  # here, since only builds need them
    from rjsmin import jsmin

    texts: dict[str, str] = {}
    for path in sorted(templates_folder().glob("styles/*.css")):
        texts[path.name] = cssmin(path.read_text())
    for path in sorted(templates_folder().glob("scripts/*/*.js"), key=_starter_last):
        name = path.name if path.stem in SINGLE_SCRIPTS else f"{path.parent.name}.js"
        texts[name] = texts.get(name, "") + jsmin(path.read_text()).strip() + "\n"
    return {name: text.encode() for name, text in texts.items()}


def _starter_last(script: Path) -> tuple[bool, Path]:
    return script.stem == script.parent.name, script


def render_article(
    path: Path,
    outputs: list[Output],
    namespace: dict[str, Any],
    facts: dict[str, str],
    titles: dict[str, str],
    calls: Iterable[tuple[str, Record]] = (),
    failed: list[str] | None = None,
) -> Article:
    """Return the page of the article script at `path`.

    outputs: of the script's cells.
    namespace: the script's globals; the page uses those of `front_matter`, whose date comes before
        the one in the facts, and ALLOW of `checks`.
    facts: name -> text, for the colophon.
    titles: name -> title of the site's articles.
    calls: (name, record) of all artifacts of this build.
    failed: of a draft, what its claims say that does not hold; its pages list this, and what their
        checks find. None for a page that others may see, which a finding stops.
    Raises: CellError for a value that a page can not show; ReportError for a wrong global.
    """
    name = path.stem
    front = read_front_matter(namespace, path)
    title, description = read_metadata(path)
    canvas = Canvas(name, dict(calls), imports_of(path).versions())
    allowed = read_allowed(namespace, path)
    bibliography = read_bibliography(namespace, path)
    env: dict[str, Any] = {"bibliography": bibliography, "claims": [], "cited": []}
    body, contents, parts = _body(outputs, canvas, path, titles, env)
    findings = canvas.findings + findings_on_page(canvas.opening + body)
    if failed is None:
        refuse(findings, allowed, path)
    else:
        failed += dict.fromkeys(x.text for x in findings if not x.is_allowed(allowed))
    if reasons := used_reasons(findings, allowed):
        facts = facts | {"left unchecked": reasons}
    common = {
        "article": {"address": f"{name}.html", "title": title},
        "front": front,
        "draft": failed,
        "date": front.date or facts.get("date", ""),
        "lang": front.language,
        "facts": facts | ({"libraries": canvas.libraries} if canvas.libraries else {}),
    }
    picture, sound = canvas.cover()
    page = render_template(
        "article.html",
        address=f"{name}.html",
        title=title,
        description=description,
        picture=picture,
        sound=sound,
        opening=canvas.opening,
        body=body,
        contents=contents,
        answers_to=canvas.answers_to(body),
        bibtex=citation(front, title, name),
        claims=[(text, list(map(canvas.ground, grounds))) for text, grounds in env["claims"]],
        references=[(key, Markup(text)) for key, text in bibliography.references(env["cited"])],
        **common,
    )
    html = with_others(page, name, titles)
    pages = _part_pages(parts, canvas, common)
    return Article(
        name,
        title,
        html,
        description,
        front,
        canvas.files,
        canvas.offline,
        pages,
        canvas.tests,
        allowed,
    )


def with_others(html: str, name: str, titles: dict[str, str]) -> str:
    """Return an article's page with links to all other articles of the site, before its colophon.

    They replace those that it has: an article that was built before may come into another site.
    """
    others = {f"{other}.html": title for other, title in titles.items() if other != name}
    links = render_template("others.html", others=others) + "\n" if others else ""
    return OTHERS.sub("", html).replace(COLOPHON, links + COLOPHON, 1)


@dataclass(frozen=True)
class Entry:
    """An article in the list of the entry page."""

    page: str
    title: str
    description: str
    parts: list[tuple[str, str]]  # page, title
    cover: dict[str, str]  # see `cover_of`

    @property
    def sentence(self) -> str:
        """The first sentence of the description."""
        return SENTENCE.split(self.description, maxsplit=1)[0]


def cover_of(html: str) -> dict[str, str]:
    """Return what stands for an article, by its page: "image", "image:alt", "audio"."""
    return {name: unescape(content) for name, content in COVER.findall(html)}


def render_index(articles: list[Entry], facts: dict[str, str]) -> str:
    """Return the entry page: the list of articles."""
    return render_template(
        "index.html",
        address="",
        title="Articles",
        description=WELCOME,
        lang="en",
        answers_to=[],
        articles=articles,
        facts=facts,
    )


# Parts


@dataclass(frozen=True)
class _End:
    """The end of a part, between the components of the article."""


@dataclass(frozen=True)
class _PartBody:
    """The HTML of a part as it stands in the article, below its heading with this anchor."""

    part: Part
    anchor: str
    html: str

    def alone(self, article: str) -> Markup:
        """Return the HTML for the part's own page; `article` is the article's address.

        Headings move up two levels. Links lead to the article if their target is not in the part.
        """

        def link(match: re.Match) -> str:
            return match[0] if f'id="{match[1]}"' in self.html else f'href="{article}#{match[1]}"'

        return Markup(re.sub(r"(</?h)4\b", r"\g<1>2", LOCAL_ADDRESS.sub(link, self.html)))


def _part_pages(parts: list[_PartBody], canvas: Canvas, common: dict[str, Any]) -> list[Page]:
    """Return a page for each part, with links to the parts before and after it."""
    pages = []
    neighbours = zip([None, *parts], parts, [*parts[1:], None], strict=False)
    for before, body, after in neighbours:
        part = body.part
        html = render_template(
            "part.html",
            address=f"{canvas.page_of(part)}.html",
            title=part.title,
            description=part.description,
            picture=part.picture,
            sound=None,
            body=body.alone(common["article"]["address"]),
            answers_to=canvas.answers_to(body.html),
            anchor=body.anchor,
            before=before and before.part,
            after=after and after.part,
            canvas=canvas,
            **common,
        )
        pages.append(Page(canvas.page_of(part), part.title, html))
    return pages


# The body of an article

_Block = Component | _End


def _body(
    outputs: list[Output],
    canvas: Canvas,
    path: Path,
    articles: Iterable[str],
    env: dict[str, Any],
) -> tuple[Markup, list[Heading], list[_PartBody]]:
    """Return the article's HTML, its table of contents and its parts.

    All prose is one Markdown document, so that footnotes and headings are numbered through.
    Placeholders stand for components until that document is HTML. `articles` are those of the site.
    `env` has the bibliography, and gets the claims in the prose and the keys that it cites.
    """
    blocks = [(block, output.cell) for output in outputs for block in _blocks(output, path)]
    canvas.name_parts([block for block, _ in blocks if isinstance(block, Part)], articles)
    env["images"] = {name: image for output in outputs for name, image in output.images.items()}
    for image in env["images"].values():
        canvas.media(image)
    _check_prose(blocks, path, {name: env[name] for name in ("bibliography", "images")})
    text = "\n\n".join(
        block.text if isinstance(block, Prose) else PLACEHOLDER.format(i)
        for i, (block, _) in enumerate(blocks)
    )
    tokens = markdown().parse(text, env)
    contents = anchor_headings(tokens)
    try:
        html = markdown().renderer.render(tokens, markdown().options, env)
    except ValueError as error:  # which only the cells together make, as of a link's definition
        raise CellError(f"{path}: {error}") from error
    pieces = PLACEHOLDER_HTML.split(html)  # prose and numbers of blocks in turn
    numbers = [int(number) for number in pieces[1::2]]
    _check_placeholders(numbers, blocks, path)
    body, parts, named = _insert(pieces[::2], [blocks[i] for i in numbers], canvas, path)
    named |= {heading.anchor: heading.text for heading in contents}
    try:
        body = resolve_references(body, named)
        parts = [replace(part, html=resolve_references(part.html, named)) for part in parts]
    except ValueError as error:
        raise CellError(f"{path}: {error}") from error
    return Markup(body), contents, parts


def _blocks(output: Output, path: Path) -> Iterator[_Block]:
    """Yield everything that stands on the page for a cell.

    A part becomes its heading, itself, its components, and its end.
    """
    for component in _components(output, path):
        if isinstance(component, Part):
            with _blame(output.cell, path):
                inside = flatten(component.components)
            heading = Prose("### " + plain_text(component.title))
            yield from (heading, component, *inside, _End())
        else:
            yield component


def _components(output: Output, path: Path) -> list[Component]:
    """Return the components of a cell.

    Shown code comes first, as in a notebook, and folded code last, out of the way.
    """
    cell = output.cell
    with _blame(cell, path):
        if cell.kind == "prose":
            return [Prose(str(output.value))]
        components = flatten(output.value)
    if "hide" in cell.tags:
        return components
    if "show" in cell.tags:
        return [Code(cell.source, folded=False), *components]
    return [*components, Code(cell.source, folded=True)]


def _check_prose(blocks: list[tuple[_Block, Cell]], path: Path, env: Mapping[str, Any]) -> None:
    """Raise CellError for a wrong formula, citation or callout, or for what a page can not show.

    The whole document could not tell which cell has it.
    """
    for block, cell in blocks:
        if isinstance(block, Prose):
            with _blame(cell, path):
                if "\ue000" in block.text:
                    raise ValueError("prose has the private character U+E000; leave it out")
                if any(mark in block.text for mark in ("$", "![", "[@", ":::")):
                    markdown().render(block.text, dict(env))


def _check_placeholders(numbers: list[int], blocks: list[tuple[_Block, Cell]], path: Path) -> None:
    """Raise CellError if a placeholder is not a paragraph of its own any more."""
    present = set(numbers)
    for i, (block, cell) in enumerate(blocks):
        if i not in present and not isinstance(block, Prose):
            raise CellError(
                f"{path}: the prose before line {cell.line} swallows the code cell there; "
                "close its ``` fence"
            )


def _insert(
    texts: list[str], blocks: list[tuple[_Block, Cell]], canvas: Canvas, path: Path
) -> tuple[str, list[_PartBody], dict[str, str]]:
    """Draw a block after each text but the last.

    Returns: all HTML, the parts in it, and name -> text of the figures and tables of cells that
    begin with `#| label: fig-NAME`.
    """
    html: list[str] = []
    parts: list[_PartBody] = []
    named: dict[str, str] = {}
    labels = _labels([cell for _, cell in blocks], path)
    open_part: tuple[Part, str, int] | None = None  # with its anchor and where its HTML begins
    numbers = canvas.numbers  # of figures and tables where that part begins
    for text, place in zip_longest(texts, blocks):
        html.append(text)
        canvas.section = next(reversed(HEADING_ID.findall(text)), canvas.section)
        if place is None:
            break
        block, cell = place
        with _blame(cell, path):
            if isinstance(block, Part) and open_part is None:
                html.append(canvas.begin(block))
                open_part = block, canvas.section, len(html)
                numbers = canvas.numbers.copy()
            elif isinstance(block, _End) and open_part is not None:
                part, anchor, start = open_part
                parts.append(_PartBody(part, anchor, "".join(html[start:])))
                open_part = None
                if part.card:  # its page alone has the rest
                    del html[start:]
                    canvas.numbers = numbers
            else:
                label = labels.get(cell.line, "")
                kind = LABELLED.get(label[:3], "figure")
                number = canvas.last_number(kind) + 1
                shown = canvas.show(block)
                check_encodable("a text", shown)
                if label and label not in named and canvas.last_number(kind) >= number:
                    named[label] = f"{kind.capitalize()} {number}"
                    html.append(f'<span id="{label}"></span>\n')
                html.append(shown)
    if lost := [label for label in labels.values() if label not in named]:
        kind = LABELLED[lost[0][:3]]
        raise CellError(
            f"{path}: the cell with the label {lost[0]} shows no {kind} with a number; "
            "a Compare, Grid or Image has one, as a figure, a Table as a table, and a Player none"
        )
    return "".join(html), parts, named


def _labels(cells: list[Cell], path: Path) -> dict[int, str]:
    """Return line -> label of the cells that have one. Raises: CellError if two have the same."""
    labels: dict[int, str] = {}
    for cell in cells:
        if cell.line in labels or not (match := LABEL.search(cell.source)):
            continue
        if match[1] in labels.values():
            raise CellError(f"{path}, cell at line {cell.line}: another has the label {match[1]}")
        labels[cell.line] = match[1]
    return labels


@contextmanager
def _blame(cell: Cell, path: Path) -> Iterator[None]:
    """Turn an error of a component or template into a CellError that names the cell."""
    try:
        yield
    except (TypeError, ValueError, TemplateError, RecursionError) as error:
        raise CellError(f"{path}, cell at line {cell.line}: {error}") from error
