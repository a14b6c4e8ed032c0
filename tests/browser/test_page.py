"""The article around the sounds: contents, code to copy, formulas, parts, and the page on paper."""

import pytest

from tests.browser.conftest import TWO_FRAMES, open_menu, wait_until, wait_until_it_moves

CITATION = (
    "@misc{example2026,\n"
    "  author = {Example, Ada and Example, Ben},\n"
    "  title = {An Article in {P}arts},\n"
    "  year = {2026}\n"
    "}\n"
)
CURRENT = (
    "[...document.querySelectorAll('.contents [aria-current]')].map((x) => x.textContent).join()"
)


def test_the_contents_follow_the_reader(open_page):
    page = open_page(viewport={"width": 1280, "height": 500}, reduced_motion="reduce")
    for heading in ("Two", "Events", "One"):
        page.evaluate("(id) => document.getElementById(id).scrollIntoView()", heading.lower())
        wait_until(page, f"{CURRENT} === '{heading}'")
    link = page.get_by_role("link", name="Events", exact=True)
    link.focus()
    link.press("Enter")
    wait_until(page, f"{CURRENT} === 'Events' && location.hash === '#events'")
    assert page.locator(".contents").bounding_box()["y"] >= 0  # still in view


def test_the_contents_are_folded_where_there_is_no_room_beside_the_article(open_page):
    page = open_page(viewport={"width": 390, "height": 800})
    contents = page.locator(".contents")
    assert not contents.get_by_role("link").first.is_visible()
    contents.locator("summary").press("Enter")
    assert contents.get_by_role("link").first.is_visible()


def copyable_citation(page):
    """The article's citation, not that of the page as it is published."""
    return page.locator(".copyable", has=page.locator(".bibtex")).filter(has_text=CITATION.strip())


@pytest.mark.parametrize("press", ["click", "Enter"])
def test_the_copy_button_copies_the_citation_as_it_is(open_page, site, serve, press):
    page = open_page(serve(site), "parts.html", permissions=["clipboard-read", "clipboard-write"])
    button = copyable_citation(page).get_by_role("button", name="Copy")
    button.click() if press == "click" else button.press(press)
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == CITATION


def test_where_there_is_no_clipboard_the_text_is_selected(open_page):
    page = open_page(name="parts.html")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    copyable_citation(page).get_by_role("button").click()
    page.get_by_role("button", name="Selected").wait_for()
    assert page.evaluate("getSelection().toString()").strip() == CITATION.strip()


def test_formulas_are_shown_without_scripts_and_scroll_in_their_own_box(open_page):
    page = open_page(
        name="parts.html", viewport={"width": 390, "height": 800}, java_script_enabled=False
    )
    assert page.locator("math").count() == 2
    box = page.locator(".math.block").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["height"] > 40
    assert "between $50 and $60." in page.locator("main").inner_text()


def test_keys_reach_a_box_that_scrolls_and_pass_by_one_that_does_not(open_page):
    page = open_page(name="parts.html", viewport={"width": 390, "height": 800})
    formula = page.locator(".math.block")
    wait_until(page, "document.querySelector('.math.block').tabIndex === 0")
    formula.focus()
    formula.press("ArrowRight")
    wait_until(page, "document.querySelector('.math.block').scrollLeft > 0")
    page.set_viewport_size({"width": 1280, "height": 800})
    wait_until(page, "document.querySelector('.math.block').tabIndex === -1")


def test_a_part_is_reached_from_the_article_and_leads_back_to_its_place(open_page):
    page = open_page(name="parts.html")
    page.get_by_role("link", name="On a page of its own").first.click()
    assert page.title() == "The first part – An article in parts"
    assert page.get_by_role("heading", level=1).inner_text() == "The first part"
    page.get_by_role("link", name="the formulas").click()
    assert page.url.endswith("parts.html#formulas")
    page.go_back()
    page.get_by_role("link", name="</script><img src=x onerror=alert(1)> →").click()
    page.get_by_role("link", name="← The first part").click()
    page.get_by_role("link", name="← An article in parts").click()
    assert page.url.endswith("parts.html#the-first-part")
    assert page.complaints == []


def test_a_sound_plays_on_the_page_of_its_part(open_page):
    page = open_page(name="parts-first.html")
    page.get_by_role("button", name="Play Noise").click()
    wait_until_it_moves(page)
    assert page.complaints == []


def test_the_index_lists_articles_and_their_parts(open_page):
    page = open_page(name="index.html")
    headings = page.get_by_role("heading", level=2).all_inner_texts()
    assert headings == ["A small article", "An article in parts"]
    page.get_by_role("link", name="The first part").click()
    assert page.url.endswith("parts-first.html")


def test_paper_has_text_figures_and_addresses_and_nothing_to_press(open_page):
    page = open_page(color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    pressed = "button:visible, summary:visible, audio:visible, .contents a:visible"
    assert page.locator(pressed).count() == 0
    assert page.locator("h1:visible, figcaption:visible, img:visible, table:visible").count() > 5
    assert len(page.pdf()) > 10_000


def test_late_scripts_that_are_missing_are_said_in_words_and_asked_for_again(open_page, copied):
    script = copied / "assets" / "roll.js"
    away = script.rename(copied / "away.js")
    page = open_page(copied, near=False)
    page.locator(".roll").scroll_into_view_if_needed()
    failure = page.locator(".roll .failure")
    failure.wait_for()
    assert failure.text_content().startswith("What this figure can do could not be loaded.")
    away.rename(script)
    page.evaluate("scrollTo(0, 0)")
    page.evaluate(TWO_FRAMES)
    page.locator(".roll").scroll_into_view_if_needed()
    page.locator(".roll .mark").first.wait_for()


def test_a_citation_whose_script_is_missing_fails_and_may_be_asked_for_again(open_page, copied):
    script = copied / "assets" / "bibtex.js"
    away = script.rename(copied / "away.js")
    page = open_page(copied, near=False, permissions=["clipboard-read", "clipboard-write"])
    open_menu(page, "Long tone")
    button = page.get_by_role("button", name="Cite Long tone")
    button.click()
    page.get_by_role("status").filter(has_text="Failed").wait_for()
    away.rename(script)
    button.click()
    page.get_by_role("status").filter(has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").startswith("@misc{sound-")


def test_what_lies_over_a_picture_does_not_hide_it_where_backgrounds_are_not_printed(open_page):
    """Without background graphics Chromium prints such a background in white unless it is exact."""
    page = open_page()
    page.emulate_media(media="print")
    layers = page.evaluate("""() => [...document.querySelectorAll('*:has(> img) *, :has(> img)')]
      .map((element) => [element, getComputedStyle(element)])
      .filter(([, style]) => /url|gradient/.test(style.backgroundImage)
        || !/, 0\\)$/.test(style.backgroundColor))
      .map(([element, style]) => [element.outerHTML.slice(0, 60), style.printColorAdjust])""")
    assert layers and [html for html, adjusted in layers if adjusted != "exact"] == []


def test_a_page_has_no_fields_before_a_menu_is_opened(open_page):
    """Browsers lay out every field of a page as it is loaded, also those in what is folded."""
    page = open_page(near=False)
    fields = page.locator(".menu :is(select, input)")
    assert page.locator(".menu").count() > 3 and fields.count() == 0
    open_menu(page, "Long tone")
    page.locator(".menu[open] select").wait_for()
    assert fields.count() == 2


def test_what_is_far_is_laid_out_in_a_task_of_its_own_after_the_first_frame(open_page):
    page = open_page(near=False)
    wait_until(page, "!document.querySelector('.early')")
    height = page.evaluate("document.body.scrollHeight")
    far = open_page(near=False, hash="#events")
    assert far.evaluate("!document.querySelector('.early')")
    assert far.evaluate("document.body.scrollHeight") == pytest.approx(height, rel=0.2)
    top = far.evaluate("document.getElementById('events').getBoundingClientRect().top")
    assert 0 <= top < 100
