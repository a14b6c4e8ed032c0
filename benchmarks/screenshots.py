"""Make the pictures of README.md and docs/: python -m benchmarks.screenshots SITE [--out FOLDER]

Each is a figure of the built site, opened in Chromium as in `page_time`, on a light page.
"""

import argparse
import os
import shutil
from pathlib import Path
from typing import Any

from benchmarks.page_time import LIMIT, serve

# name of the picture -> page, and the selector of the figure
FIGURES = {
    "roll": ("music.html", ".roll:has(.mark)"),
    "comparison": ("music.html", ".compare.live:has(.plain .version)"),
    "speed": ("ablations.html", 'img[alt^="The shares of L2 and of L1 removed, by seconds"]'),
}
VIEWPORT = (1440, 900)  # px: figures are as wide as they get
MARGIN = 12  # px around a figure
DOCS = Path(__file__).parents[1] / "docs"


def take(browser: Any, site: str, page_name: str, selector: str, out: Path) -> None:
    """Write a picture of the first element that the selector finds on a page of the site.

    Raises: playwright's TimeoutError if there is none.
    """
    width, height = VIEWPORT
    with browser.new_context(viewport={"width": width, "height": height}) as context:
        page = context.new_page()
        page.goto(f"{site}/{page_name}")
        # What comes late comes when it is near.
        page.locator(selector.split(":has")[0]).first.scroll_into_view_if_needed(timeout=LIMIT)
        figure = page.locator(selector).first
        figure.scroll_into_view_if_needed(timeout=LIMIT)
        page.wait_for_load_state("networkidle")
        box = figure.bounding_box()
        assert box
        clip = {
            "x": box["x"] - MARGIN,
            "y": box["y"] - MARGIN + page.evaluate("scrollY"),
            "width": box["width"] + 2 * MARGIN,
            "height": box["height"] + 2 * MARGIN,
        }
        page.screenshot(path=out, clip=clip, full_page=True, animations="disabled")


def main() -> None:
    """Make all pictures."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("--out", type=Path, default=DOCS, help="folder (default: docs)")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright, serve(args.site) as address:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (page, selector) in FIGURES.items():
            take(browser, address, page, selector, args.out / f"{name}.png")
            print(args.out / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
