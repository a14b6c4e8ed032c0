"""A small article with everything that a page can hold, built for real and opened in Chromium with no way to any
network: from file://, or from a server on this machine."""

import functools
import http.server
import json
import os
import shutil
import threading
from pathlib import Path

import pytest

from report import FolderStore, build

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="needs Playwright: pip install playwright"
)
CHROMIUM = (
    os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
)
FLAGS = (
    *"--no-sandbox --disable-gpu --disable-background-networking --disable-component-update".split(),
    *(
        "--disable-sync",
        "--no-first-run",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ),
)

# Load all scripts, as if the reader had been everywhere; the index page has none.
LOAD_ALL = """() => typeof late === 'undefined'
  || Promise.all(['film', 'roll', 'verify', 'abx', 'bibtex'].map(late.load)).then(() => {})"""

ARTICLES = [Path(__file__).with_name(name) for name in ("small.py", "parts.py")]


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The site of small.py and parts.py; tests that change it have to copy it."""
    folder = tmp_path_factory.mktemp("browser")
    build(
        ARTICLES, folder / "site", FolderStore(folder / "store"), {"commit": "0123456789abcdef" * 4}
    )
    return folder / "site"


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
    """Open a page; what it asked for and complained about is in `page.requested` and `page.complaints`.

    `folder` is the site, from file://, or the address that `serve` gave it; `hash` goes behind the page's address. What
    comes late, when the reader comes near, is there from the start unless `near` is false.
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


@pytest.fixture
def serve():
    """Serve a folder on this machine; returns its address."""
    servers = []

    def serve(folder: Path) -> str:
        handler = functools.partial(_Quiet, directory=str(folder))
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments) -> None:
        pass


@pytest.fixture
def copied(site, tmp_path) -> Path:
    """A copy of the site, to break."""
    return Path(shutil.copytree(site, tmp_path / "site"))


def wait_until(page, script, seconds=10):
    """Poll from outside: the page's own policy forbids Playwright's wait_for_function, which evaluates a string."""
    for _ in range(20 * seconds):
        if page.evaluate(script):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"not true after {seconds} s: {script}")


def playing(page):
    """Addresses of the <audio> elements that play right now."""
    return page.evaluate(
        "[...document.querySelectorAll('audio')].filter(a => !a.paused).map(a => a.src)"
    )


def wait_until_it_moves(page, besides=()):
    """Wait until a sound has played for a moment; sounds `besides` (addresses), which played already, do not count."""
    script = "[...document.querySelectorAll('audio')].some(a => !a.paused && a.currentTime > 0.05 && !%s.includes(a.src))"
    wait_until(page, script % json.dumps(list(besides)))
