"""The index page: a card for each article, with a picture, a sentence and a sound."""

import re

import pytest

from tests.browser.conftest import playing, wait_until_it_moves

PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}


def card(page, number):
    return page.locator(".card").nth(number)


@pytest.mark.parametrize("how", ["file", "http"])
def test_each_article_can_be_heard_at_one_press_and_one_at_a_time(open_page, site, serve, how):
    page = open_page(site if how == "file" else serve(site), "index.html")
    assert not [url for url in page.requested if url.endswith(".flac")]
    first = page.get_by_role("button", name="Play a sound of A small article")
    first.click()
    wait_until_it_moves(page)
    [before] = playing(page)
    page.get_by_role("button", name="Play a sound of An article in parts").click()
    wait_until_it_moves(page, besides=[before])
    assert len(playing(page)) == 1 and first.is_visible() and page.complaints == []


def test_a_card_has_the_cover_of_its_article_or_else_its_first_picture_and_sound(open_page, site):
    page = open_page(name="index.html")
    html = (site / "parts.html").read_text()
    cover = dict(re.findall(r'"og:(image|audio)" content="(media/[^"]+)"', html))
    shown = card(page, 1)
    assert shown.locator("img").get_attribute("src") == cover["image"]
    assert shown.locator("img").get_attribute("alt") == "1200 shades"
    assert shown.locator("audio").get_attribute("src") == cover["audio"]
    assert card(page, 0).locator("img").get_attribute("src") in (site / "small.html").read_text()
    assert card(page, 0).locator("p").inner_text() == "With everything that a page can hold."


def test_without_scripts_cards_have_native_players(open_page):
    page = open_page(name="index.html", java_script_enabled=False)
    assert page.locator(".card audio[controls]:visible").count() == 2


def test_a_sound_that_is_missing_is_said_in_words(open_page, copied):
    page = open_page(copied, "index.html")
    for path in (copied / "media").glob("*.flac"):
        path.unlink()
    page.get_by_role("button", name="Play a sound of A small article").click()
    alert = card(page, 0).get_by_role("alert")
    alert.wait_for()
    assert "can not be played" in alert.inner_text()


@pytest.mark.parametrize("options", [{}, PHONE])
def test_cards_stand_in_a_grid_and_nothing_sticks_out(open_page, options):
    page = open_page(name="index.html", **options)
    boxes = [card(page, i).bounding_box() for i in range(2)]
    beside = boxes[0]["y"] == boxes[1]["y"]
    assert beside == (not options)
    width = page.evaluate("innerWidth")
    assert page.evaluate("document.documentElement.scrollWidth") == width
