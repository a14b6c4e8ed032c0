"""Article scripts become a site: a folder of plain files that needs nothing else, replaced as a whole or not at all."""

import base64
import glob
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from report.article.cells import Cell
from report.article.page import Article, assets, render_article, render_index
from report.article.script import parse_script, read_metadata, run_cells
from report.artifacts.record import ARTICLE, Build, Record
from report.artifacts.session import Session, matches, use_session
from report.artifacts.store import Store
from report.errors import ReportError, SiteError
from report.site.crate import CRATE, make_crate
from report.site.manifest import GENERATOR, MANIFEST, MEDIA, OFFLINE, File, describe, make
from report.storage.transfer import transfer_bar

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


@dataclass(frozen=True)
class BuildSummary:
    """What a build did. `hits` artifacts were found in the store, `computed` were made in `seconds`."""

    out: Path
    pages: list[str]
    media: int
    bytes: int
    hits: int
    computed: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.out}: pages: {len(self.pages)}, media files: {self.media} ({self.bytes / 1e6:.1f} MB), "
            f"artifacts computed: {self.computed} (in {self.seconds:.1f} s), found in the store: {self.hits}"
        )


def build(
    scripts: Iterable[Path],
    out: Path,
    store: Store,
    facts: dict[str, str] | None = None,
    namespace: dict | None = None,
    force: tuple[str, ...] = (),
) -> BuildSummary:
    """Run the article scripts and write the site `out`.

    `namespace` is in each script's globals from the start (as in `{"BUILD": ...}`); `facts`, such as a commit or a
    checkpoint's digest, go into the colophon and the manifest, with SOURCE_DATE_EPOCH for a date if that is set; calls
    that a pattern of `force` means are computed again. All scripts are tried, and if one fails no site is written, but
    what was computed is in the store.
    Raises: ReportError; whatever was at `out` is then as it was.
    """
    scripts, out, facts = (
        [Path(script) for script in scripts],
        Path(out).resolve(),
        (facts or {}) | _date(),
    )
    _check_names(scripts)
    check_target(out)
    session = Session(store, force=force)
    unfinished = out.with_name(f".{out.name}.building-{os.getpid()}")
    try:
        _put_back(out)
        unfinished.mkdir()
        articles, builds = _render_all(scripts, facts, namespace or {}, session)
        _check_force(force, builds)
        _check_pages(articles)
        _write(unfinished, articles, facts, store, builds)
        _swap(unfinished, out)
    except OSError as error:
        raise SiteError(f"cannot write the site {out}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return _summary(out, articles, session)


def _summary(out: Path, articles: list[Article], session: Session) -> BuildSummary:
    records = {
        a.name: a.record
        for article in articles
        for same in article.artifacts.values()
        for a in same
    }
    return BuildSummary(
        out=out,
        pages=[f"{page.name}.html" for article in articles for page in article.pages],
        media=len(records),
        bytes=sum(record.bytes for record in records.values()),
        hits=session.hits,
        computed=session.computed,
        seconds=session.seconds,
    )


def _check_names(scripts: list[Path]) -> None:
    names = [script.stem for script in scripts]
    for name in names:
        if name == "index" or names.count(name) > 1:
            raise SiteError(
                f"{name}.html would be written twice; rename one of the scripts called {name}.py"
            )
        if not ARTICLE.fullmatch(name):
            raise SiteError(
                f"{name!r} is no name for an article; rename the script with letters, digits, _ and -"
            )
    if not scripts:
        raise SiteError("no article script was given")


def _date() -> dict[str, str]:
    """The date that SOURCE_DATE_EPOCH says, which goes before any other. Raises: SiteError if that is no date."""
    if not (epoch := os.environ.get("SOURCE_DATE_EPOCH")):
        return {}
    try:
        return {"date": datetime.fromtimestamp(int(epoch), UTC).isoformat()}
    except (ValueError, OverflowError, OSError) as error:
        raise SiteError(f"SOURCE_DATE_EPOCH is {epoch!r}; give seconds since 1970") from error


def _check_pages(articles: list[Article]) -> None:
    """No page of a part may have the name of another page."""
    names = Counter(page.name.lower() for article in articles for page in article.pages)
    for article in articles:
        for part in article.parts:
            if names[part.name.lower()] > 1:
                raise SiteError(
                    f"{part.name}.html would be written twice; rename the part of {article.name}"
                )


def _check_force(force: tuple[str, ...], builds: list[Build]) -> None:
    calls = [(build.article, name, record.key) for build in builds for name, record in build.calls]
    for pattern in force:
        if not any(matches(pattern, *call) for call in calls):
            raise SiteError(f"--force {pattern}: no artifact is called that; `ls` lists them all")


def check_target(out: Path) -> None:
    """Whether a site can be written at `out`; good to know before long work.

    Raises: SiteError if something else than a site of ours would be replaced, or if the folder can not be written.
    """
    out = Path(out).resolve()
    if out.exists() and not _is_ours(out):
        raise SiteError(
            f"{out} is not a site built here and would be replaced; choose another folder, or empty this one"
        )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        os.rmdir(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise SiteError(
            f"cannot write the site {out}: {error.strerror or error}; choose another folder"
        ) from error


def _is_ours(out: Path) -> bool:
    try:
        if out.is_dir() and not any(out.iterdir()):
            return True
        return json.loads((out / MANIFEST).read_bytes())["generator"] == GENERATOR
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _render_all(
    scripts: list[Path], facts: dict[str, str], namespace: dict, session: Session
) -> tuple[list[Article], list[Build]]:
    """Every article, and the calls that it made. Raises: ReportError for those that failed, after all were tried.

    Whatever was computed is then in the store, also where that is behind a network.
    """
    titles, articles, builds, failures = {}, [], [], []
    for script in scripts:
        with _noted(failures):
            titles[script.stem] = read_metadata(script)[0]
    for script in scripts:
        if script.stem in titles:
            with _noted(failures):
                articles.append(_render(script, facts, dict(namespace), titles, session))
                builds.append(session.finish())
    with _noted(failures), transfer_bar("sent to the store") as progress:
        session.store.flush(progress)
    if len(failures) > 1:
        heading = f"{len(failures)} things failed in building {len(scripts)} articles"
        raise SiteError("\n\n".join([heading, *map(str, failures)]))
    if failures:
        raise failures[0]
    return articles, builds


@contextmanager
def _noted(failures: list[ReportError]) -> Iterator[None]:
    """An error inside is added to `failures`, and work goes on after it."""
    try:
        yield
    except ReportError as error:
        failures.append(error)


def _render(
    script: Path, facts: dict[str, str], scope: dict, titles: dict[str, str], session: Session
) -> Article:
    cells = parse_script(script)
    session.begin(script.stem)
    with use_session(session), _Progress(script.stem, len(cells)) as progress:
        session.progress = progress.artifact
        shown = run_cells(cells, script, scope, progress.cell)
        return render_article(script, shown, scope, facts, titles, session.calls.values())


class _Progress:
    """A bar on a terminal, and otherwise a line for each section, both on stderr."""

    def __init__(self, name: str, n_cells: int):
        self.name = name
        self.bar = tqdm(
            total=n_cells, desc=name, unit="cell", leave=False, disable=not sys.stderr.isatty()
        )

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_exception) -> None:
        self.bar.close()

    def cell(self, cell: Cell) -> None:
        self.bar.update()
        heading = next(
            (line for line in cell.source.splitlines() if line.startswith("#")), ""
        ).strip("# ")
        if cell.kind == "prose" and heading and self.bar.disable:
            print(f"{self.name}: {heading}", file=sys.stderr, flush=True)

    def artifact(self, record: Record) -> None:
        self.bar.set_postfix_str(record.function.rsplit(".", 1)[-1])


def _write(
    folder: Path, articles: list[Article], facts: dict[str, str], store: Store, builds: list[Build]
) -> None:
    for name in (MEDIA, OFFLINE, "assets"):
        (folder / name).mkdir()
    files = _write_media(folder, articles, store)
    texts = {f"assets/{file.name}": file.read_bytes() for file in assets()}
    texts |= {
        f"{page.name}.html": page.html.encode() for article in articles for page in article.pages
    }
    texts["index.html"] = render_index(articles, facts).encode()
    files |= {name: describe(name, data) for name, data in texts.items()}
    texts |= _provenance(articles, facts, files, builds)
    for name, data in texts.items():
        (folder / name).write_bytes(data)


def _write_media(folder: Path, articles: list[Article], store: Store) -> dict[str, File]:
    """The media, one by one, for there may be many gigabytes of them, and copies of those whose bytes scripts read."""
    records = {
        same[0].name: same[0].record for article in articles for same in article.artifacts.values()
    }
    files = {}
    for name, record in sorted(records.items()):
        store.export(record, folder / MEDIA / name)
        files[f"{MEDIA}/{name}"] = File(record.sha256, record.bytes, record.media_type)
        if any(name in article.offline for article in articles):
            copy = f"{OFFLINE}/{record.sha256}.js"
            data = _copy(record.sha256, folder / MEDIA / name)
            (folder / copy).write_bytes(data)
            files[copy] = describe(copy, data)
    return files


def _copy(digest: str, file: Path) -> bytes:
    """A media file as a script, which is all that a page on a disk may read: see templates/scripts/media.js."""
    return b'media.take("%s", "%s");\n' % (digest.encode(), base64.b64encode(file.read_bytes()))


def _provenance(
    articles: list[Article], facts: dict[str, str], files: dict[str, File], builds: list[Build]
) -> dict[str, bytes]:
    """The files that say what the site holds and how it was made; the same for every build of the same things.

    Their pages are the articles: what is on the pages of parts is in these too.
    """
    pages = {f"{x.name}.html": {"title": x.title, "description": x.description} for x in articles}
    crate = make_crate(make(facts, pages, files, builds))
    return {
        CRATE: crate,
        MANIFEST: make(facts, pages, files | {CRATE: describe(CRATE, crate)}, builds).encode(),
    }


def _swap(new: Path, out: Path) -> None:
    """Put the folder `new` in the place of `out`; if that fails, `out` is what it was."""
    with _locked(out):
        if not out.exists():
            os.rename(new, out)
            return
        old = out.with_name(f".{out.name}.replaced-{os.getpid()}")
        os.rename(out, old)
        try:
            os.rename(new, out)
        except BaseException:
            os.rename(old, out)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _put_back(out: Path) -> None:
    """The old site, should a build have been killed while it replaced that."""
    with _locked(out):
        for old in out.parent.glob(f".{glob.escape(out.name)}.replaced-*"):
            if out.exists():
                shutil.rmtree(old, ignore_errors=True)
            else:
                os.rename(old, out)


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """No other build replaces `out` meanwhile; it waits. A lock goes with its holder, and then counts no more."""
    if fcntl is None:
        yield
        return
    path = out.with_name(f".{out.name}.lock")
    while True:
        with open(path, "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file.fileno()).st_nlink:
                try:
                    yield
                finally:
                    path.unlink()
                return
