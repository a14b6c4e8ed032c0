"""What the page does, in Chromium from file://."""

import json
import shutil

import pytest

from tests.browser.conftest import *


def test_the_page_loads_without_complaints_and_without_a_byte_of_sound(open_page):
    page = open_page()
    page.wait_for_timeout(300)
    assert page.complaints == []
    assert page.requested and all(url.startswith("file://") or url == "data:," for url in page.requested)
    assert not [url for url in page.requested if url.endswith((".wav", ".webp"))]


def test_pressing_play_plays_one_sound_at_a_time(open_page):
    page = open_page()
    page.get_by_role("button", name="Play Long tone").click()
    wait_until_it_moves(page)
    first = playing(page)
    page.get_by_role("button", name="Play High").click()
    wait_until_it_moves(page, besides=first)
    assert len(first) == len(playing(page)) == 1 and first != playing(page)
    assert page.locator(".column .cursor:visible").count() == 1
    page.get_by_role("button", name="Pause High").click()
    assert playing(page) == []
    assert page.complaints == []


def test_the_waveform_is_a_slider(open_page):
    page = open_page()
    slider = page.get_by_role("slider", name="Position in Long tone")
    assert slider.get_attribute("aria-valuemax") == "2.00"
    slider.focus()
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    slider.press("ArrowLeft")
    assert slider.get_attribute("aria-valuenow") == "0.10"
    assert page.locator(".player .played").first.get_attribute("width") == "5%"
    slider.press("Enter")
    wait_until_it_moves(page)
    assert float(slider.get_attribute("aria-valuenow")) >= 0.1
    box = slider.bounding_box()
    slider.click(position={"x": box["width"] * 0.5, "y": 5})
    assert float(slider.get_attribute("aria-valuenow")) == pytest.approx(1.0, abs=0.3)


def test_every_control_is_reached_by_tab(open_page):
    page = open_page()
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.textContent")
        )
    assert {"Play Long tone", "Position in Long tone", "Play Low", "Play High", "Play event 0"} <= reached
    assert {"Copy", "Play the film"} <= reached


def test_a_missing_sound_is_said_in_words(open_page, site, tmp_path):
    shutil.copytree(site, tmp_path / "site")
    shutil.rmtree(tmp_path / "site" / "media")
    page = open_page(tmp_path / "site")
    page.get_by_role("button", name="Play Long tone").click()
    page.locator(".failure").wait_for()
    assert "can not be played" in page.locator(".failure").text_content()
    assert page.get_by_role("button", name="Play Long tone").count() == 1


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_sticks_out_of_the_page(open_page, width):
    page = open_page(viewport={"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_targets_are_large_enough_for_a_thumb(open_page):
    page = open_page(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    heights = page.evaluate(
        "[...document.querySelectorAll('button, summary, .wave[tabindex], .facts a, .contents a, td a')]"
        ".map(x => [x.className || x.textContent, x.getBoundingClientRect().height])"
    )
    assert heights and [x for x in heights if x[1] < 43.5] == []


def test_without_scripts_it_is_still_an_article(open_page):
    page = open_page(java_script_enabled=False)
    assert page.locator(".player audio[controls]:visible").count() == 3
    assert page.locator("button").count() == 0
    assert page.locator(".roll td a").count() == 9
    assert page.locator("a.button").get_attribute("href").endswith(".webp")
    assert "A value of 0.333." in page.locator("main").inner_text()
