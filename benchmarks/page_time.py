"""Measure pages as readers have them: python -m benchmarks.page_time SITE [PAGE ...] [--json FILE]

Bytes before the first press, the time from a press to the first sound on a slow line, the longest
task of a slow processor, how far what is shown moves, and how many screens a page is long. Chromium
opens the site from a server on this machine, which compresses nothing.
"""

import argparse
import functools
import http.server
import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BYTES_A_SECOND = 1.6e6 / 8  # of the slow line
LATENCY = 150  # ms, of the slow line
SLOWDOWN = 4  # of the processor: its time counts so many times
WIDE, NARROW = (1280, 900), (390, 844)  # px
QUIET = 1500  # ms after which all that comes by itself has come
SOUNDS = (".flac", ".wav", ".json")
LIMIT = 60_000  # ms

# Notes when the first press was, when the first sound began, and what moved.
OBSERVE = """() => {
  window.measured = { pressed: 0, sounded: 0, shift: 0 };
  addEventListener('pointerdown', () => {
    measured.pressed = measured.pressed || performance.now();
  }, true);
  const sounds = () => {
    measured.sounded = measured.sounded || performance.now();
  };
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function (...times) {
    sounds();
    return start.apply(this, times);
  };
  addEventListener('playing', sounds, true);
  new PerformanceObserver((list) => list.getEntries().forEach(({ value, hadRecentInput }) => {
    measured.shift += hadRecentInput ? 0 : value;
  })).observe({ type: 'layout-shift', buffered: true });
}"""
SCROLL = """async () => {
  for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight / 2) {
    scrollTo(0, y);
    await new Promise((done) => setTimeout(done, 120));
  }
}"""


def measure(browser: Any, address: str) -> dict[str, float]:
    """Return the figures of one page; times in ms, sizes in bytes, lengths in screens."""
    figures = _at_rest(browser, address)
    figures["sound"] = _until_sound(browser, address)
    figures["task"] = _longest_task(browser, address)
    return figures


def _at_rest(browser: Any, address: str) -> dict[str, float]:
    """What comes without a press, and how long the page is; both widths."""
    figures: dict[str, float] = {}
    for name, (width, height) in {"wide": WIDE, "narrow": NARROW}.items():
        with _page(browser, width, height) as page:
            sizes: dict[str, int] = {}
            page.on("response", lambda r, sizes=sizes: sizes.update({r.url: len(r.body())}))
            page.goto(address)
            page.wait_for_timeout(QUIET)
            early = [url for url in sizes if url.endswith(SOUNDS) or "/offline/" in url]
            assert not early, f"loaded before a press: {early}"
            figures[f"{name} bytes"] = sum(sizes.values())
            page.evaluate(SCROLL)
            page.wait_for_timeout(QUIET)
            figures[f"{name} shift"] = round(page.evaluate("measured.shift"), 4)
            length = page.evaluate("document.documentElement.scrollHeight")
            figures[f"{name} screens"] = round(length / height, 1)
    return figures


def _until_sound(browser: Any, address: str) -> float:
    """Milliseconds from a press of the first button that plays to the first sound, on a slow line.

    The press comes when the page is there, and sounds are loaded after it.
    """
    with _page(browser, *NARROW) as page:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        line = {"downloadThroughput": BYTES_A_SECOND, "uploadThroughput": BYTES_A_SECOND}
        session.send(
            "Network.emulateNetworkConditions", {"offline": False, "latency": LATENCY} | line
        )
        page.goto(address, timeout=LIMIT)
        page.wait_for_timeout(QUIET)
        page.locator("button.play").first.click()
        for _ in range(LIMIT // 50):
            if page.evaluate("measured.sounded"):
                break
            page.wait_for_timeout(50)
        return round(page.evaluate("measured.sounded - measured.pressed"))


def _longest_task(browser: Any, address: str) -> float:
    """Milliseconds of the longest task while the page loads and is scrolled through, slowed down.

    It is the processor's time that counts, since other programs take theirs from this one.
    """
    with _page(browser, *WIDE) as page:
        browser.start_tracing(page=page, categories=["toplevel", "blink.user_timing"])
        page.goto(address)
        page.wait_for_timeout(QUIET)
        page.evaluate(SCROLL)
        page.wait_for_timeout(QUIET)
        trace = json.loads(browser.stop_tracing())["traceEvents"]
    # Others than the page's process draw what the browser has around it.
    begun = [event for event in trace if event["name"] == "navigationStart"]
    ours = {
        event["pid"]
        for event in begun
        if event["args"]["data"].get("documentLoaderURL", "").startswith(address)
    }
    main = {
        (event["pid"], event["tid"])
        for event in trace
        if event["name"] == "thread_name"
        and event["args"]["name"] == "CrRendererMain"
        and event["pid"] in ours
    }
    tasks = [e.get("tdur", 0) for e in trace if (e["pid"], e["tid"]) in main and e["ph"] == "X"]
    return round(SLOWDOWN * max(tasks) / 1000)


@contextmanager
def _page(browser: Any, width: int, height: int) -> Iterator[Any]:
    with browser.new_context(viewport={"width": width, "height": height}) as context:
        page = context.new_page()
        page.add_init_script(f"({OBSERVE})()")
        yield page


@contextmanager
def serve(site: Path) -> Iterator[str]:
    """Serve a folder; gives its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def table(figures: dict[str, dict[str, float]]) -> str:
    """Return the figures of pages as a table in Markdown."""
    head = (
        "| page | kB before a press, at 1280 and 390 px | ms to the first sound | longest task, ms "
    )
    lines = [
        f"{head}| shift, at 1280 and 390 | screens, at 1280 and 390 |",
        "|---|---|---|---|---|---|",
    ]
    for name, page in figures.items():
        lines.append(
            f"| {name} | {page['wide bytes'] / 1000:.0f}, {page['narrow bytes'] / 1000:.0f} "
            f"| {page['sound']:.0f} | {page['task']:.0f} "
            f"| {page['wide shift']:.3f}, {page['narrow shift']:.3f} "
            f"| {page['wide screens']:.1f}, {page['narrow screens']:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure pages of a site, by default all articles, and print a table."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("pages", nargs="*", help="such as music.html (default: all articles)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    args = parser.parse_args()
    articles = [p.name for p in sorted(args.site.glob("*.html")) if "-" not in p.stem]
    pages = args.pages or [name for name in articles if name != "index.html"]
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright, serve(args.site) as address:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        figures = {name: measure(browser, f"{address}/{name}") for name in pages}
        browser.close()
    print(table(figures))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
