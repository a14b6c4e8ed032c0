"""A site for real, opened in Chromium with no way to any network.

The pages come from file://, or from a server on this machine. All workers of a test run share the
sites; each has a browser.
"""

import functools
import http.server
import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from report import FolderStore, build
from tests.processes import processes

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="needs Playwright: pip install playwright"
)
CHROMIUM = (
    os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
# Load all scripts, as if the reader had been everywhere; the index page has none.
LOAD_ALL = """() => typeof late === 'undefined'
  || Promise.all(['film', 'roll', 'listening', 'verify', 'blind', 'bibtex'].map(late.load))
    .then(() => {})"""
# Observers of the page have answered after that.
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
WAIT = """() => new Promise((resolve, reject) => {
  const end = performance.now() + %d;
  const look = () => {
    try {
      if (%s) {
        resolve();
      } else if (performance.now() > end) {
        reject(new Error('it did not become true'));
      } else {
        setTimeout(look, 10);
      }
    } catch (error) {
      reject(error);
    }
  };
  look();
})"""


@pytest.fixture(scope="session")
def build_once(tmp_path_factory, worker_id) -> Callable[..., Path]:
    """Build a folder that all workers use: the first one builds it, the others wait."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent

    def build_once(name: str, build: Callable[[Path], None]) -> Path:
        with FileLock(shared / f"{name}.lock"):
            if not (shared / name).exists():
                unfinished = Path(shared / f"{name}.by-{worker_id}")
                build(unfinished)
                unfinished.rename(shared / name)
        return shared / name

    return build_once


@pytest.fixture(scope="session")
def build_pages(build_once, tmp_path_factory) -> Callable[..., Path]:
    """Build a site from articles beside this file; returns its folder, which must not change."""

    def build_pages(*names: str) -> Path:
        scripts = [Path(__file__).with_name(f"{name}.py") for name in names]
        store = tmp_path_factory.mktemp("store")

        def build_apart(folder: Path) -> None:
            # Articles run in forks, which a process with a browser and its threads should not make.
            process = processes.Process(target=_build, args=(scripts, folder, store))
            process.start()
            process.join()
            assert process.exitcode == 0

        return build_once("-".join(names), build_apart)

    return build_pages


def _build(scripts: list[Path], folder: Path, store: Path) -> None:
    build(scripts, folder, FolderStore(store), {"commit": "0123456789abcdef" * 4})


@pytest.fixture(scope="session")
def site(build_pages) -> Path:
    """The site of small.py, which has all that a page can hold, and parts.py."""
    return build_pages("small", "parts")


@pytest.fixture(scope="session")
def scaled(build_pages) -> Path:
    """The site of scaled.py: a roll with a scale, its decomposition and its opening."""
    return build_pages("scaled")


@pytest.fixture
def copied(site, tmp_path) -> Path:
    """A copy of the site, to break."""
    return Path(shutil.copytree(site, tmp_path / "site"))


@pytest.fixture(scope="session")
def browser():
    if not CHROMIUM:
        pytest.skip("needs Chromium: apt install chromium, or set CHROMIUM to its path")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, site):
    """Open a page; its requests and complaints are in `page.requested` and `page.complaints`.

    `folder` is the site, from file://, or the address that `serve` gave it; `hash` goes behind the
    page's address. Late scripts are there from the start unless `near` is false.
    """
    contexts = []

    def open_page(folder: Path | str = site, name="small.html", hash="", near=True, **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.requested, page.complaints = [], []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        address = folder if isinstance(folder, str) else folder.as_uri()
        page.goto(f"{address}/{name}{hash}")
        if near and options.get("java_script_enabled", True):
            page.evaluate(LOAD_ALL)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def scripts(browser, site):
    """A page whose functions tests call. It is shared: nothing in it may be pressed or changed."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{site.as_uri()}/small.html")
        page.evaluate(LOAD_ALL)
        yield page


@pytest.fixture
def serve():
    """Serve a folder on this machine; returns its address."""
    servers = []

    def serve(folder: Path) -> str:
        handler = functools.partial(_Quiet, directory=str(folder))
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments) -> None:
        pass


def wait_until(page, condition: str, seconds=30):
    """Wait in the page, which looks every 10 ms. A busy machine needs the generous limit.

    The page's policy forbids Playwright's wait_for_function, which evaluates a string.
    """
    try:
        page.evaluate(WAIT % (1000 * seconds, condition))
    except sync_api.Error as error:
        raise AssertionError(f"{error.message}: {condition}") from error


def open_menu(page, title):
    """Open the menu of a sound, if it is not open yet."""
    summary = page.locator("summary").and_(page.get_by_label(f"More for {title}", exact=True))
    if not summary.evaluate("(summary) => summary.parentElement.open"):
        summary.click()


def limited(script: str, seconds=30) -> str:
    """A function of the page that gives up after some time; Playwright would wait for ever."""
    failure = "reject(new Error('it did not come to an end'))"
    limit = f"new Promise((_, reject) => setTimeout(() => {failure}, {1000 * seconds}))"
    return f"(argument) => Promise.race([({script})(argument), {limit}])"


def playing(page):
    """Addresses of the <audio> elements that play right now."""
    return page.evaluate(
        "[...document.querySelectorAll('audio')].filter(a => !a.paused).map(a => a.src)"
    )


def wait_until_it_moves(page, besides=()):
    """Wait until an <audio> has played for a moment; `besides` are addresses that do not count."""
    plays = f"!a.paused && a.currentTime > 0.05 && !{json.dumps(list(besides))}.includes(a.src)"
    wait_until(page, f"[...document.querySelectorAll('audio')].some((a) => {plays})")
