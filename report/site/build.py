"""Article scripts become a site: a folder of plain files that needs nothing else.

A build replaces the folder as a whole or not at all.
"""

import base64
import gc
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from tqdm import tqdm

from report.article.cells import Cell
from report.article.checks import findings_of_links, refuse
from report.article.claims import tolerating
from report.article.imports import imports_of
from report.article.page import Article, Entry, assets, cover_of, render_article, render_index
from report.article.parameters import settings_text
from report.article.prose import HEADING_ID
from report.article.script import parse_script, read_metadata, run_cells
from report.artifacts.record import ARTICLE, Build, Record
from report.artifacts.session import CallFailed, Session, Workers, matches, use_session
from report.artifacts.store import Store
from report.errors import CellError, ReportError, SiteError
from report.listening.design import Design, design_json, digest
from report.number_formats import megabytes
from report.site.computing import open_workers
from report.site.crate import CRATE, make_crate
from report.site.isolation import on_behalf_of, run_alone, warn_if_shared
from report.site.kept import Kept, kept_articles, numbered
from report.site.manifest import (
    MANIFEST,
    MEDIA,
    OFFLINE,
    About,
    Asked,
    File,
    Manifest,
    describe,
    make,
)
from report.site.target import check_target, replacing
from report.storage.transfer import transfer_bar
from workers.forks import Share, Siblings, Slots, reason_not_to_fork

ASSETS = "assets"  # folder of style sheets and scripts
CLIENTS = 4  # articles that use a Dask cluster at the same time


@dataclass(frozen=True)
class BuildSummary:
    """The result of a build."""

    out: Path
    articles: int
    pages: list[str]  # of articles and of parts
    media: int  # media files
    bytes: int  # of all media
    hits: int  # artifacts that were found in the store
    computed: int  # artifacts that were computed
    seconds: float  # spent on computing them
    kept: list[str]  # names of articles that were in the site before, and stayed as they were
    outdated: bool  # these were built with other scripts or styles than the site has now

    def __str__(self) -> str:
        parts = len(self.pages) - self.articles
        text = (
            f"{self.out}: pages: {self.articles}{f' and {parts} of parts' if parts else ''}, "
            f"media files: {self.media} ({megabytes(self.bytes)}), "
            f"artifacts computed: {self.computed} (in {self.seconds:.1f} s), "
            f"found in the store: {self.hits}"
        )
        if self.kept:
            text += f"\nkept as they were: {', '.join(self.kept)}; --only leaves them out"
        if self.outdated:
            text += "\nthe scripts or styles of the site have changed since: build these again too"
        return text


def build(
    scripts: Iterable[Path],
    out: Path,
    store: Store,
    facts: dict[str, str] | None = None,
    namespace: dict[str, Any] | None = None,
    force: tuple[str, ...] = (),
    only: bool = False,
    jobs: int = 1,
    dask: str | None = None,
    load: Callable[[], object] | None = None,
    draft: bool = False,
) -> BuildSummary:
    """Run the article scripts and write the site `out`.

    facts: for the colophon and the manifest, such as a commit or a checkpoint's digest. The date
        is that of SOURCE_DATE_EPOCH, if this is set.
    namespace: globals that each script begins with, such as {"BUILD": ...}. They come before its
        annotated defaults, and such parameters are in the colophon.
    force: patterns of calls that are computed again.
    only: leave out the other articles that are in the site. Otherwise they stay as they were built.
    jobs: the number of processes that compute artifacts side by side.
    dask: the address of a Dask scheduler whose workers compute them instead. The site is the same.
    load: is called before articles run that were never built with this store, and so will compute
        much: what it loads, they need not load again each.
    draft: build pages whose claims and checks fail, which then say so, and can not be published.

    All scripts are tried. If one fails, no site is written, but all that was computed is in the
    store.
    Raises: ReportError; then `out` is as it was before.
    """
    scripts = [Path(script) for script in scripts]
    out = Path(out).resolve()
    facts = (facts or {}) | _date_of_environment()
    _check_script_names(scripts)
    check_target(out)
    warn_if_shared(len(scripts))
    built = [f"{script.stem}.html" for script in scripts]
    with replacing(out) as target, _reading_ahead(scripts):
        kept = Kept(out, built)
        if not only:
            kept = kept_articles(out, built)
            target.check = kept.check
        order = kept.in_order(built)
        titles = _titles(scripts, kept, order)
        workers = partial(open_workers, jobs, dask)
        work = partial(_run_article, facts, namespace or {}, titles, force, workers, draft)
        if load and not {script.stem for script in scripts} <= {*store.builds()}:
            load()
        at_once = min(len(scripts), jobs if dask is None else CLIENTS)
        runs = _run_articles(scripts, work, store, at_once, jobs)
        articles, builds = [run.article for run in runs], [run.build for run in runs]
        _check_force(force, builds)
        _check_page_names(articles, kept)
        pages = numbered({f"{x.name}.html": _about(x) for x in articles} | kept.pages, order)
        files = _write_media(target.folder, articles, store)
        files |= _write_pages(target.folder, articles, pages, facts, kept)
        outdated = bool(kept.pages) and kept.is_outdated(files)
        files |= kept.copy(target.folder, titles)
        _check_links(articles, target.folder, files)
        _write_provenance(target.folder, make(facts, pages, files, builds, kept.artifacts))
    return _summary(out, runs, kept, outdated)


def _summary(out: Path, runs: "list[_Run]", kept: Kept, outdated: bool) -> BuildSummary:
    articles = [run.article for run in runs]
    media = _media_of(articles)
    return BuildSummary(
        out=out,
        articles=len(articles),
        pages=[f"{page.name}.html" for article in articles for page in article.pages],
        media=len(media),
        bytes=sum(record.bytes for record in media.values()),
        hits=sum(run.hits for run in runs),
        computed=sum(run.computed for run in runs),
        seconds=sum(run.seconds for run in runs),
        kept=kept.names,
        outdated=outdated,
    )


# Check


def _date_of_environment() -> dict[str, str]:
    """Return the fact "date" if SOURCE_DATE_EPOCH is set. Raises: SiteError if it is no date."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return {}
    try:
        return {"date": datetime.fromtimestamp(int(epoch), UTC).isoformat()}
    except (ValueError, OverflowError, OSError) as error:
        raise SiteError(f"SOURCE_DATE_EPOCH is {epoch!r}; give seconds since 1970") from error


def _check_script_names(scripts: list[Path]) -> None:
    if not scripts:
        raise SiteError("no article script was given")
    lower = [script.stem.lower() for script in scripts]  # as some systems see names
    for name in (script.stem for script in scripts):
        if name.lower() == "index":
            raise SiteError(
                f"{name}.html is the page that lists all articles; rename the script {name}.py"
            )
        if lower.count(name.lower()) > 1:
            raise SiteError(
                f"{name}.html would be written twice; rename one of the scripts called {name}.py"
            )
        if not ARTICLE.fullmatch(name):
            raise SiteError(
                f"{name!r} is no name for an article; "
                "rename the script with letters, digits, _ and -"
            )


def _check_page_names(articles: list[Article], kept: Kept) -> None:
    """Raise SiteError if a page has the name of another page."""
    built = [f"{page.name}.html" for article in articles for page in article.pages]
    names = Counter(page.lower() for page in (*built, *kept.html))
    for article in articles:
        for page in article.pages:
            if names[f"{page.name}.html".lower()] > 1:
                what = "the part of" if page is not article else "the script of"
                raise SiteError(
                    f"{page.name}.html would be written twice; rename {what} {article.name}"
                )


def _check_force(force: tuple[str, ...], builds: list[Build]) -> None:
    """Raise SiteError for a pattern that no call matches."""
    calls = [(build.article, name, record.key) for build in builds for name, record in build.calls]
    for pattern in force:
        if not any(matches(pattern, *call) for call in calls):
            raise SiteError(f"--force {pattern}: no artifact is called that; `ls` lists them all")


def _check_links(articles: list[Article], folder: Path, files: dict[str, File]) -> None:
    """Raise ReportError for a link of an article that leads nowhere in the site."""
    pages = {name: (folder / name).read_text() for name in files if name.endswith(".html")}
    names = {*files, MANIFEST, CRATE}
    for article in articles:
        for page in article.pages:
            findings = findings_of_links(f"{page.name}.html", pages, names)
            refuse(findings, article.allowed, f"{page.name}.html")


# Run


@dataclass(frozen=True)
class _Run:
    """An article that ran: its pages, its calls, and what these cost."""

    article: Article
    build: Build
    hits: int  # see BuildSummary
    computed: int
    seconds: float


@dataclass(frozen=True)
class _Tries:
    """The tries to run an article so far: each ended at a call that a worker could not compute."""

    here: frozenset[str] = frozenset()  # keys of those calls, which the article computes itself
    made: frozenset[str] = frozenset()  # keys of all calls that were computed
    seconds: float = 0.0  # which that took


_Work = Callable[[Path, _Tries, Share | None, Store], _Run | _Tries]  # see `_run_article`


def _run_articles(
    scripts: list[Path], work: _Work, store: Store, at_once: int, jobs: int
) -> list[_Run]:
    """Run every article, each by itself, so many side by side, with so many processes together.

    Raises: ReportError with all failures, after all scripts were tried. All that was computed is
    then in the store, even if the store is behind a network.
    """
    failures: list[ReportError] = []
    if reason_not_to_fork():
        runs = _collect(failures, [partial(_run_until_computed, s, work, store) for s in scripts])
    else:
        slots, turn = Slots(jobs), Lock()
        with Siblings(at_once) as siblings:
            running = [
                siblings.submit(_run_until_computed, script, work, store, turn, slots.share())
                for script in scripts
            ]
            runs = _collect(failures, [run.result for run in running])
    with _collecting(failures), transfer_bar("sent to the store") as progress:
        store.flush(progress)
    if len(failures) > 1:
        heading = f"{len(failures)} things failed in building {len(scripts)} articles"
        raise SiteError("\n\n".join([heading, *map(str, failures)]))
    if failures:
        raise failures[0]
    return runs


def _collect(failures: list[ReportError], runs: Iterable[Callable[[], _Run]]) -> list[_Run]:
    """Return what comes of the runs that do not fail, in order."""
    done = []
    for run in runs:
        with _collecting(failures):
            done.append(run())
    return done


def _run_until_computed(
    script: Path,
    work: _Work,
    store: Store,
    turn: AbstractContextManager[object] | None = None,
    share: Share | None = None,
) -> _Run:
    """Run an article, again and again if a worker fails: it then computes that call itself.

    turn, share: of the store, and of the workers, among articles that run side by side.
    """
    read_metadata(script)
    result: _Run | _Tries = _Tries()
    try:
        while isinstance(result, _Tries):
            result = run_alone(str(script), partial(work, script, result, share), store, turn)
    finally:
        if share is not None:
            share.give_back()
    return result


@contextmanager
def _reading_ahead(scripts: list[Path]) -> Iterator[None]:
    """Parse what the articles import, once for all: each runs in a copy of this process.

    In the block the garbage collector does not look through these trees again and again.
    """
    for script in scripts:
        with _collecting([]), on_behalf_of(script.stem):
            for file in imports_of(script).files:
                # Who listens to what an article reads, hears of it, parsed for another one or not.
                sys.audit("open", str(file), "r", os.O_RDONLY)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _titles(scripts: list[Path], kept: Kept, order: list[str]) -> dict[str, str]:
    """Return article -> title of the whole site. A script that can not be read has none."""
    titles = {page: about.title for page, about in kept.pages.items()}
    for script in scripts:
        with _collecting([]):
            titles[f"{script.stem}.html"] = read_metadata(script)[0]
    return {page.removesuffix(".html"): titles[page] for page in order if page in titles}


def _about(article: Article) -> About:
    parts = [(f"{part.name}.html", part.title) for part in article.parts]
    front = article.front
    return About(
        article.title,
        article.description,
        front.names,
        front.date,
        parts=parts,
        orcids={author.name: author.orcid for author in front.authors if author.orcid},
        affiliations={a.name: a.affiliation for a in front.authors if a.affiliation},
        licence=front.licence,
        abstract=front.abstract,
        keywords=front.keywords,
        doi=front.doi,
        tests={name: _asked(design) for name, design in article.tests.items()},
    )


def _asked(design: Design) -> Asked:
    return Asked(digest(design), json.loads(design_json(design)))


@contextmanager
def _collecting(failures: list[ReportError]) -> Iterator[None]:
    """Add an error inside to `failures`; work goes on after it."""
    try:
        yield
    except ReportError as error:
        failures.append(error)


def _run_article(
    facts: dict[str, str],
    given: dict[str, Any],
    titles: dict[str, str],
    force: tuple[str, ...],
    open_workers: Callable[[Share | None, Store], AbstractContextManager[Workers | None]],
    draft: bool,
    script: Path,
    tries: _Tries,
    share: Share | None,
    store: Store,
) -> _Run | _Tries:
    """Run an article after some `tries`, with a `share` of the workers.

    `titles` are those of the whole site.

    Returns: the run; or if a worker could not compute a call, the tries with this one.
    """
    cells = parse_script(script)
    namespace = dict(given)
    if settings := settings_text(script, given):
        facts = facts | {"parameters": settings}
    session = Session(
        store, force=force, here=tries.here, made=set(tries.made), seconds=tries.seconds
    )
    session.begin(script.stem)
    try:
        with (
            open_workers(share, store) as session.workers,
            use_session(session),
            _Progress(script.stem, len(cells)) as progress,
            tolerating() if draft else nullcontext() as false_claims,
        ):
            session.progress = progress.artifact
            outputs = run_cells(cells, script, namespace, progress.cell)
            calls = session.settled_calls()
            article = render_article(script, outputs, namespace, facts, titles, calls, false_claims)
    except (CallFailed, CellError) as error:
        # A cell may fail because of a call that failed in a worker, and that has to fail first.
        failed = error if isinstance(error, CallFailed) else session.failed
        if failed is None:
            raise
        return _Tries(tries.here | {failed.key}, frozenset(session.made), session.seconds)
    return _Run(article, session.finish(), session.hits, session.computed, session.seconds)


class _Progress:
    """A bar on a terminal, or else a line for each section; both on stderr."""

    def __init__(self, name: str, n_cells: int):
        self.name = name
        self.artifacts = 0
        self.bar = tqdm(
            total=n_cells, desc=name, unit="cell", leave=False, disable=not sys.stderr.isatty()
        )

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.bar.close()

    def cell(self, cell: Cell) -> None:
        self.bar.update()
        headings = [line for line in cell.source.split("\n") if line.startswith("#")]
        heading = HEADING_ID.sub("", headings[0].strip("# ")) if headings else ""
        if cell.kind == "prose" and heading and self.bar.disable:
            print(f"{self.name}: {heading}", file=sys.stderr, flush=True)

    def artifact(self, record: Record) -> None:
        self.artifacts += 1
        function = record.function.rsplit(".", 1)[-1]
        self.bar.set_postfix_str(f"{self.artifacts} artifacts, {function}")


# Write


def _write_media(folder: Path, articles: list[Article], store: Store) -> dict[str, File]:
    """Write the media, and copies of those whose bytes scripts read.

    Media are written one by one, since there may be many gigabytes of them.
    Returns: name -> entry of the files.
    """
    (folder / MEDIA).mkdir()
    (folder / OFFLINE).mkdir()
    files = {}
    for name, record in sorted(_media_of(articles).items()):
        data = store.export(record, folder / MEDIA / name)
        files[f"{MEDIA}/{name}"] = File(record.sha256, record.bytes, record.media_type)
        if any(name in article.offline for article in articles):
            copy = f"{OFFLINE}/{record.sha256}.js"
            script = _as_script(record.sha256, data)
            (folder / copy).write_bytes(script)
            files[copy] = describe(copy, script)
    return files


def _media_of(articles: list[Article]) -> dict[str, Record]:
    """Return file name -> record of all media on the articles' pages."""
    return {name: record for article in articles for name, record in article.media.items()}


def _as_script(digest: str, data: bytes) -> bytes:
    """Return the bytes of a media file as a script: a page on a disk can read nothing else.

    See templates/scripts/sound/media.js.
    """
    return b'media.take("%s", "%s");\n' % (digest.encode(), base64.b64encode(data))


def _write_pages(
    folder: Path,
    articles: list[Article],
    pages: dict[str, About],
    facts: dict[str, str],
    kept: Kept,
) -> dict[str, File]:
    """Write the articles, the entry page of all `pages`, and assets. Returns: name -> entry."""
    (folder / ASSETS).mkdir()
    contents = {f"{ASSETS}/{name}": content for name, content in assets().items()}

    def html(page: str) -> str:
        return (contents[page] if page in contents else kept.read(page)).decode()

    for article in articles:
        for page in article.pages:
            contents[f"{page.name}.html"] = page.html.encode()
    entries = [
        Entry(page, about.title, about.description, about.parts or [], cover_of(html(page)))
        for page, about in pages.items()
    ]
    contents["index.html"] = render_index(entries, facts).encode()
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return {name: describe(name, data) for name, data in contents.items()}


def _write_provenance(folder: Path, manifest: Manifest) -> None:
    """Write the RO-Crate and the manifest, which are the same for every build of the same things.

    Their pages are the articles, for an article has all that is on the pages of its parts.
    """
    crate = make_crate(manifest)
    whole = replace(manifest, files=manifest.files | {CRATE: describe(CRATE, crate)})
    (folder / CRATE).write_bytes(crate)
    (folder / MANIFEST).write_bytes(whole.encode())
