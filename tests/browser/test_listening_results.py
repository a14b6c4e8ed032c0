"""From a listener to a figure: a test is taken, its answers are sent, analysed, and shown."""

import json
import os
import re
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.browser.conftest import wait_until
from tests.browser.test_everywhere import WCAG
from tests.browser.test_listening import (
    DESIGN,
    HEARD,
    SEED,
    dialog,
    heading,
    listen,
    set_volume,
)
from tests.report.listening import asked
from tests.report.listening.listeners import clicker, honest
from tests.s3.conftest import credentials, in_new_bucket, weed  # noqa: F401  # fixtures

ROOT = Path(__file__).parents[2]
ARTICLE = '''"""Tones to be judged

One item by two systems."""
import numpy as np
from report import Mushra, Ratings, Sound, conjure

RATE = 16_000

@conjure
def tone(partials: int) -> Sound:
    time = np.arange(RATE // 2) / RATE
    waves = [np.sin(2 * np.pi * 300 * k * time) / k for k in range(1, partials + 1)]
    return Sound(0.1 * np.sum(waves, axis=0), RATE)

test = Mushra(
    "Which tones are good",
    {"tone": {"fine": tone(9), "coarse": tone(2)}},
    {"tone": tone(24)},
    consent="Answers are kept for a test of this program.",
    post=POST,
    headphones=False,
    repeated=0,
    anchors=(3500,),
)

# %%
test

# %%
Ratings("answers", test)
'''
GIVEN = {"fine": 80, "coarse": 30, "anchor3500": 20, "reference": 100}


def report(folder: Path, *words: object) -> str:
    """Run a command of the report in a folder, and return what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "report", *map(str, words)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(folder: Path, post: object) -> None:
    (folder / "judged.py").write_text(ARTICLE.replace("POST", repr(post)))
    report(folder, "build", "judged.py")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextmanager
def receiver(folder: Path, port: int, origin: str):
    """`ratings serve` for the site in a folder."""
    words = ["ratings", "serve", "--into", "answers", "--port", port, "--origin", origin]
    running = subprocess.Popen(
        [sys.executable, "-m", "report", *map(str, words)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        while "answers go to" not in (line := running.stdout.readline()):
            assert line, "the receiver ended"
        yield
    finally:
        running.terminate()
        running.communicate()


def keys_of(page) -> list[str]:
    """What the sounds of the trial are, in their order: the page does not tell, the seed does."""
    script = "([design, seed]) => course.plan(design, seed).trials[0].keys"
    return page.evaluate(script, [page.evaluate(DESIGN % 0), SEED])


def shown(page) -> str:
    return re.sub(r"\s+", " ", page.locator("figure.ratings").inner_text())


def check_shown(page) -> None:
    text = shown(page)
    assert "1 listener counts." in text and "No ratings" not in text
    for name, score in (("fine", 80), ("coarse", 30), ("Reference", 100)):
        assert re.search(rf"{name} 1 {score}\.0 – {score}\.0 ", text), text
    assert page.complaints == []


def test_a_test_taken_by_keys_comes_by_the_receiver_into_the_next_build(open_page, serve, tmp_path):
    origin, port = serve(tmp_path / "site"), free_port()
    address = f"http://127.0.0.1:{port}/"
    build(tmp_path, address)
    with receiver(tmp_path, port, origin):
        page = open_page(origin, "judged.html", f"?seed={SEED}")
        page.set_default_timeout(15_000)
        assert "No ratings are in yet." in shown(page)
        page.locator(".listening").get_by_role("button").first.press("Enter")
        dialog(page).wait_for()
        page.keyboard.press("Tab")
        page.keyboard.press("Space")  # the consent
        page.keyboard.press("Enter")
        set_volume(page)
        names = listen(page)
        for name, key in zip(names, keys_of(page), strict=True):
            page.keyboard.press(name.lower())
            page.keyboard.press("End" if GIVEN[key] == 100 else "Home")
            for _ in range(GIVEN[key] % 100 // 10):
                page.keyboard.press("PageUp")
        page.keyboard.press("Enter")
        assert heading(page) == "Thank you"
        assert address not in page.requested
        dialog(page).get_by_role("button", name="Send").press("Enter")
        wait_until(page, "document.body.innerText.includes('Your answers have arrived')")
        assert page.requested.count(address) >= 1 and page.complaints == []
    (file,) = (tmp_path / "answers").iterdir()
    scores = json.loads(file.read_bytes())["trials"][0]["scores"]
    assert sorted(scores.values()) == sorted(GIVEN.values())
    assert "1 listener counts, 0 rejected" in report(tmp_path, "ratings", "answers")
    build(tmp_path, address)
    check_shown(open_page(tmp_path / "site", "judged.html"))


def test_a_test_taken_by_touch_comes_by_a_bucket_into_the_next_build(
    open_page, serve, tmp_path, request
):
    server = request.getfixturevalue("weed")
    origin, bucket = serve(tmp_path / "site"), in_new_bucket(server, "answers")
    at = ["--endpoint-url", server.url]
    form = report(tmp_path, "ratings", "post", "--bucket", bucket.address, "--origin", origin, *at)
    build(tmp_path, json.loads(form))
    page = open_page(
        origin,
        "judged.html",
        f"?seed={SEED}",
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
    )
    page.set_default_timeout(15_000)
    page.locator(".listening").get_by_role("button").first.tap()
    dialog(page).get_by_role("checkbox").tap()
    dialog(page).get_by_role("button", name="Begin").tap()
    dialog(page).get_by_role("button", name="Play").tap()
    wait_until(page, "document.querySelector('dialog [role=slider]').ariaValueNow > 0")
    dialog(page).get_by_role("button", name="It is comfortable").tap()
    buttons = dialog(page).locator("[aria-pressed]")
    for n in range(buttons.count()):
        buttons.nth(n).tap()
        wait_until(page, HEARD % (n + 1))
    for slider, key in zip(dialog(page).locator("input").all(), keys_of(page), strict=True):
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        share = min(GIVEN[key] / 100, 0.999)
        page.touchscreen.tap(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
        slider.fill(str(GIVEN[key]))  # a finger is not that exact
    dialog(page).get_by_role("button", name="Next").tap()
    dialog(page).get_by_role("button", name="Send").tap()
    wait_until(page, "document.body.innerText.includes('Your answers have arrived')")
    (name,) = bucket.entries()
    assert "1 listener counts" in report(tmp_path, "ratings", bucket.address, *at)
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / name).write_bytes(bucket.get(name))
    build(tmp_path, json.loads(form))
    check_shown(open_page(tmp_path / "site", "judged.html"))


@pytest.fixture(scope="session")
def rated(build_once):
    """The site of the article that asks, with simulated listeners, and some who do not count."""

    def build_site(folder: Path) -> None:
        folder.mkdir()
        (folder / "tones.py").write_text(asked.ARTICLE)
        report(folder, "build", "tones.py")
        designs = asked.designs_of(folder / "site")
        (folder / "answers").mkdir()
        for seed in range(14):
            data = honest(designs["mushra"], seed)
            (folder / "answers" / f"{seed}.json").write_bytes(data)
        (folder / "answers" / "odd.json").write_bytes(clicker(designs["mushra"], 100))
        (folder / "answers" / "broken.json").write_bytes(b"{")
        report(folder, "build", "tones.py")

    return build_once("rated", build_site) / "site"


@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_violation_of_wcag_in_the_figure(open_page, rated, serve, width):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="needs axe: pip install axe-playwright-python",
    )
    size = {"width": width, "height": 800}
    page = open_page(serve(rated), "tones.html", viewport=size, bypass_csp=True)
    page.evaluate("document.querySelectorAll('.ratings details').forEach((x) => (x.open = true))")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        options = {"runOnly": {"type": "tag", "values": WCAG}}
        violations = axe.Axe().run(page, options=options).response["violations"]
        found = [(x["id"], [node["html"][:150] for node in x["nodes"]]) for x in violations]
        assert (scheme, found) == (scheme, [])
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_figure_is_whole_without_scripts(open_page, rated):
    page = open_page(rated, "tones.html", java_script_enabled=False)
    figure = page.locator("figure.ratings").first
    assert "14 listeners count; 1 does not" in figure.inner_text()
    assert figure.locator("svg circle").count() == 3 * 5  # over all items, and in each of two
