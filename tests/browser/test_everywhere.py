"""Claims about every page, wherever it is opened and whoever reads it."""

import re

import pytest

from report.sharing.publish import publish
from report.storage.folder import Folder
from tests.browser.conftest import TWO_FRAMES, wait_until, wait_until_it_moves

PAGES = ("small.html", "parts.html", "parts-first.html", "parts-second.html", "index.html")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Menus lie over what is below them, so that only the last one is open.
OPEN_ALL = """() => {
  const menus = [...document.querySelectorAll('.menu')];
  document.querySelectorAll('details').forEach((details) => {
    details.open = !menus.includes(details) || details === menus.at(-1);
  });
}"""
HEARD = (".flac", ".webp")  # files that come only when they are asked for


@pytest.fixture
def published(site, tmp_path):
    """The site published to a folder: that folder, and the address of the release in it."""
    release = publish(site, Folder(tmp_path / "published")).release
    return tmp_path / "published", f"releases/{release}"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_violation_of_wcag(open_page, site, serve, name, width):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="needs axe: pip install axe-playwright-python",
    )
    viewport = {"width": width, "height": 800}
    page = open_page(serve(site), name, viewport=viewport, bypass_csp=True)
    page.evaluate(OPEN_ALL)
    page.evaluate(TWO_FRAMES)  # keys reach boxes that scroll once these were measured
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        options = {"runOnly": {"type": "tag", "values": WCAG}}
        violations = axe.Axe().run(page, options=options).response["violations"]
        found = [(x["id"], [node["html"][:120] for node in x["nodes"]]) for x in violations]
        assert (scheme, found) == (scheme, [])


def test_axe_finds_no_header_that_names_nothing(open_page, site, serve):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="needs axe: pip install axe-playwright-python",
    )
    page = open_page(serve(site), bypass_csp=True)
    assert page.locator("thead td").count() == 3  # a table's, a grid's, and one in prose
    rules = {"runOnly": {"type": "rule", "values": ["empty-table-header"]}}
    assert axe.Axe().run(page, options=rules).response["violations"] == []


@pytest.mark.parametrize("name", PAGES)
def test_it_opens_from_a_disk_without_complaints_and_fetches_no_sound(open_page, name):
    page = open_page(name=name)
    page.wait_for_timeout(300)
    assert page.complaints == []
    assert all(url.startswith("file://") or url == "data:," for url in page.requested)
    assert not [url for url in page.requested if url.endswith(HEARD) or "/offline/" in url]


@pytest.mark.parametrize("name", PAGES)
def test_it_is_served_without_complaints_and_without_a_byte_of_sound(open_page, site, serve, name):
    address = serve(site)
    page = open_page(address, name)
    page.wait_for_load_state("networkidle")
    assert page.complaints == []
    assert page.requested and all(
        url.startswith(f"{address}/") or url == "data:," for url in page.requested
    )
    assert not [url for url in page.requested if url.endswith(HEARD) or "/offline/" in url]


@pytest.mark.parametrize("name", PAGES)
def test_nothing_in_it_needs_more_than_its_policy_allows(site, open_page, name):
    html = (site / name).read_text()
    assert 'http-equiv="Content-Security-Policy"' in html and "unsafe" not in html
    assert not re.search(r"<[^>]*\s(style|on\w+)=", re.sub(r'"[^"]*"', '""', html))
    page = open_page(name=name)
    page.evaluate(OPEN_ALL)
    names = "[...document.querySelectorAll('*')].flatMap((x) => x.getAttributeNames())"
    assert page.evaluate(f"{names}.filter((name) => /^on/.test(name))") == []
    assert not [text for text in page.complaints if "Content Security" in text]


@pytest.mark.parametrize("name", PAGES)
def test_nothing_sticks_out_of_the_page(open_page, name):
    page = open_page(name=name)
    for width in (320, 390, 768, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate(OPEN_ALL)  # the contents fold where there is no room beside the text
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", PAGES)
def test_targets_are_large_enough_for_a_thumb(open_page, name):
    """All but links inside a sentence, and native players, which stand in where no script runs."""
    page = open_page(
        name=name, viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True
    )
    page.evaluate(OPEN_ALL)
    sizes = page.evaluate("""
      [...document.querySelectorAll('a, button, summary, input, select, [role=slider]')]
        .filter((x) => x.checkVisibility() && !x.closest('p:not(.facts, .alone), .footnotes li'))
        .map((x) => [x.outerHTML.slice(0, 90), (x.closest('label') || x).getBoundingClientRect()])
        .map(([html, box]) => [html, box.width, box.height])
    """)
    assert sizes and [x for x in sizes if min(x[1:]) < 43.5] == []


@pytest.mark.parametrize("name", ["small.html", "parts.html", "parts-second.html"])
def test_hostile_titles_stay_text(open_page, name):
    page = open_page(name=name)
    page.evaluate(OPEN_ALL)
    for button in page.locator(".menu .quiet").all():
        button.dispatch_event("click")
    assert page.locator("img[src=x]").count() == 0 and page.complaints == []
    assert "</script><img src=x onerror=alert(1)>" in page.locator("main").inner_text()


def test_without_scripts_it_is_still_an_article(open_page):
    page = open_page(java_script_enabled=False)
    players = page.locator("audio[controls]:visible")
    assert players.count() >= 4 and all(x.get_attribute("preload") == "none" for x in players.all())
    captions = [x.locator("xpath=ancestor::figure[1]/figcaption") for x in players.all()]
    assert all(caption.first.inner_text().strip() for caption in captions)
    assert page.locator("button:visible").count() == 0
    assert page.locator(".roll td a").count() == 9
    assert all(image.get_attribute("alt") for image in page.locator("img").all())
    assert page.locator(".contents a").count() == 3
    assert "A value of 0.333." in page.locator("main").inner_text()


def test_every_control_is_reached_by_tab_and_none_holds_on_to_it(open_page):
    page = open_page(viewport={"width": 1280, "height": 800})
    focusable = """a[href], button, summary, input, select, [tabindex="0"]"""
    # Controls come and go while figures load, so each is remembered by itself and not by its place.
    page.evaluate(f"""
      window.reached = new Set();
      window.missed = () => [...document.querySelectorAll('{focusable}')].filter((x) =>
        x.checkVisibility() && !x.disabled && x.tabIndex === 0
        && (x.type !== 'radio' || x.checked) && !reached.has(x)).map((x) => x.outerHTML)
    """)
    expected = len(page.evaluate("missed()"))
    for presses in range(2 * expected):
        if presses >= expected and page.evaluate("missed()") == []:
            break
        page.keyboard.press("Tab")
        page.evaluate("reached.add(document.activeElement)")
    assert page.evaluate("reached.size") > 50
    assert page.evaluate("missed()") == []


@pytest.mark.parametrize("name", ["small.html", "parts-first.html"])
def test_a_published_release_plays_verifies_and_links_as_the_site_does(
    open_page, published, serve, name
):
    folder, release = published
    page = open_page(f"{serve(folder)}/{release}", name)
    page.get_by_role("button", name=re.compile("^Play ")).first.click()
    wait_until_it_moves(page)
    page.locator(".menu summary").first.click()
    page.locator(".made summary").first.click()
    page.get_by_role("button", name="Verify", exact=True).first.click()
    page.get_by_text("The bytes are as published.").wait_for()
    page.get_by_role("button", name="Verify this page").click()
    page.get_by_role("button", name="Fetch and compare").click()
    page.get_by_text(re.compile("^As published are all ")).wait_for()
    assert page.complaints == []


def test_the_entry_page_of_what_is_published_leads_into_the_release(open_page, published, serve):
    folder, release = published
    page = open_page(serve(folder), "index.html")
    page.get_by_role("link", name="The first part").click()
    assert page.url.endswith(f"{release}/parts-first.html")
    page.locator("img").scroll_into_view_if_needed()
    wait_until(page, "[...document.images].every((image) => image.naturalWidth > 0)")
    picture = page.locator("meta[property='og:image']").get_attribute("content")
    assert (folder / release / picture).resolve().is_file()
    assert page.complaints == []
