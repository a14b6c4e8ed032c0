"""The articles themselves, as `make site` builds them: light, whole and usable."""

import re
from pathlib import Path

import pytest
from PIL import Image

from experiments.build import main
from tests.browser.conftest import wait_until

ROOT = Path(__file__).parents[2]
BUDGET = 300_000  # bytes, not compressed, before the reader presses anything
BUDGETS = {"music": 220_000}
ARTICLES = ("music", "speech", "ablations", "listening")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def articles(build_once) -> Path:
    """The whole site, with the checkout's store: after `make site` nothing has to be computed."""

    def build(folder: Path) -> None:
        assert main(["--out", str(folder), "--store", str(ROOT / ".artifacts")]) == 0

    return build_once("articles", build)


@pytest.fixture
def weigh(open_page, articles, serve):
    """Open an article and let it load; returns the page and the bytes of each response."""

    def weigh(name: str, **options):
        page = open_page(serve(articles), "index.html", near=False, **options)
        sizes = {}
        page.on("response", lambda response: sizes.update({response.url: len(response.body())}))
        page.goto(page.url.replace("index.html", f"{name}.html"))
        page.wait_for_load_state("networkidle")  # lazy pictures and scripts come after the page
        return page, sizes

    return weigh


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ARTICLES)
def test_an_article_is_light_and_holds_no_sound_before_the_first_press(weigh, name, width):
    page, sizes = weigh(name, viewport={"width": width, "height": 900})
    print({url.rsplit("/", 1)[-1][-20:]: size for url, size in sizes.items()}, sum(sizes.values()))
    assert sum(sizes.values()) <= BUDGETS.get(name, BUDGET)
    assert not [url for url in sizes if url.endswith((".flac", ".json")) or "/offline/" in url]
    assert page.complaints == []


@pytest.mark.parametrize("name", ARTICLES)
def test_no_article_sticks_out_of_a_telephone(open_page, articles, name):
    page = open_page(
        articles,
        f"{name}.html",
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
    )
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("name", ["music", "speech"])
def test_every_example_has_a_page_of_its_own(open_page, articles, name):
    pages = sorted(path.name for path in articles.glob(f"{name}-*.html"))
    assert len(pages) == {"music": 6, "speech": 5}[name]  # that of the long clip of music too
    page = open_page(articles, pages[0])
    assert page.locator(".compare").count() == page.locator(".roll").count() == 1
    assert page.locator("meta[property='og:image']").get_attribute("content").startswith("media/")
    assert page.complaints == []


@pytest.mark.parametrize(("width", "height", "most"), [(1280, 900, 12), (390, 844, 20)])
def test_music_is_short_as_long_as_nothing_is_unfolded(open_page, articles, width, height, most):
    page = open_page(articles, "music.html", viewport={"width": width, "height": height})
    wait_until(page, "!document.querySelector('.early')")
    assert page.evaluate("document.documentElement.scrollHeight") <= most * height


@pytest.mark.parametrize("name", ARTICLES)
def test_links_elsewhere_show_a_picture_of_the_size_that_they_want(articles, name):
    page = (articles / f"{name}.html").read_text()
    (picture,) = re.findall(r'<meta property="og:image" content="([^"]+)">', page)
    with Image.open(articles / picture) as image:
        assert image.size == (1200, 630)


@pytest.mark.parametrize("name", [*ARTICLES, "index"])
def test_axe_finds_nothing_wrong_with_an_article(open_page, articles, name):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python"
    ).Axe()
    page = open_page(articles, f"{name}.html")
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    wait_until(page, "!document.querySelector('.roll') || document.querySelector('.roll .mark')")
    # Menus lie over what is below them, and one alone is open at a time.
    page.evaluate("document.querySelectorAll('.menu').forEach(d => d.open = false)")
    menus = page.locator(".menu:visible").all()[:3]
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    only = {"runOnly": {"type": "tag", "values": tags}}

    def violations(context=None):
        found = axe.run(page, context=context, options=only).response["violations"]
        return [violation["id"] for violation in found]

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert (scheme, violations()) == (scheme, [])
        for menu in menus:
            menu.evaluate("d => d.open = true")
            assert (scheme, violations(".menu[open]")) == (scheme, [])
            menu.evaluate("d => d.open = false")
