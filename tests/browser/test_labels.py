"""Words, notes and onsets along a sound: drawn where they are, followed, pressed to go there."""

import pytest

from tests.browser.conftest import wait_until, wait_until_it_moves

PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
NAMES = ["one", "two", "<three>"]


def labelled(page):
    return page.locator(".player", has_text="Labelled tone")


def words(page):
    return labelled(page).locator(".labels").first


def now(page):
    slider = labelled(page).get_by_role("slider", name="Position in Labelled tone")
    return float(slider.get_attribute("aria-valuenow"))


def heard(page):
    return words(page).locator("[aria-current]").all_inner_texts()


def test_a_press_on_a_word_goes_to_it_and_it_is_marked_while_it_is_heard(open_page):
    page = open_page()
    assert words(page).locator("button").all_inner_texts() == NAMES and heard(page) == []
    words(page).get_by_role("button", name="two").click()
    assert now(page) == 0.6 and heard(page) == ["two"]
    page.get_by_role("button", name="Play Labelled tone").click()
    wait_until_it_moves(page)
    three = "document.querySelector('.labels li:last-child [aria-current]')"
    wait_until(page, f"{three}?.textContent === '<three>'")
    wait_until(page, f"{three} === null")  # it ends before the sound does
    assert page.complaints == []


def test_arrow_keys_go_from_word_to_word_and_tab_reaches_one_of_them(open_page):
    page = open_page()
    words(page).get_by_role("button", name="one").focus()
    visited = []
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "Home", "End"):
        page.keyboard.press(key)
        visited.append((page.evaluate("document.activeElement.textContent"), now(page)))
    assert visited == [
        ("two", 0.6),
        ("<three>", 1.2),
        ("<three>", 1.2),
        ("two", 0.6),
        ("one", 0.1),
        ("<three>", 1.2),
    ]
    assert words(page).locator("[tabindex='0']").all_inner_texts() == ["<three>"]


@pytest.mark.parametrize("place", [".wave", ".spectrogram"])
def test_lines_stand_where_labels_begin_on_waveform_and_picture(open_page, place):
    page = open_page()
    box = labelled(page).locator(place).bounding_box()
    lines = labelled(page).locator(f"{place} .lines").first.locator(".label").all()
    shares = [(line.bounding_box()["x"] - box["x"]) / box["width"] for line in lines]
    assert shares == pytest.approx([0.05, 0.3, 0.6], abs=0.01)
    named = [line.inner_text() for line in lines]
    assert named == (NAMES if place == ".spectrogram" else ["", "", ""])
    assert labelled(page).locator(f"{place} .lines").count() == 2


def test_onsets_without_a_text_are_named_by_their_time(open_page):
    page = open_page(**PHONE)
    onsets = labelled(page).locator(".labels").nth(1).locator("button")
    assert onsets.all_inner_texts() == ["0.10 s", "0.60 s", "0.65 s", "1.20 s"]
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_without_scripts_the_words_are_a_text(open_page):
    page = open_page(java_script_enabled=False)
    assert words(page).locator("li").all_inner_texts() == NAMES
    assert words(page).locator("p").inner_text() == "Words"
