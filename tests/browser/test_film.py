"""Films: every frame can be shown, by mouse and by keys, from one picture, when asked for."""

import io

import pytest
from PIL import Image

from tests.browser.conftest import LOAD_ALL, wait_until

FRAME = "document.querySelector('.film:not(.decomposition) canvas')?.getAttribute('aria-label')"


def film_of(page):
    return page.locator(".film:not(.decomposition)")


def slider_of(page):
    return film_of(page).get_by_role("slider")


def shows(page, number):
    wait_until(page, f"{FRAME} === 'It brightens. Frame {number} of 10'")


def brightness(page):
    """The picture's brightness, by a screenshot: a page from a disk may not read its own pixels."""
    shot = Image.open(io.BytesIO(film_of(page).locator("canvas").screenshot())).convert("L")
    return shot.getpixel((shot.width // 2, shot.height // 2))


@pytest.fixture(params=["from a disk", "from a server"])
def page(request, open_page, serve, site):
    return open_page(site if request.param == "from a disk" else serve(site))


def test_nothing_of_it_is_fetched_before_the_first_press(page):
    page.wait_for_timeout(300)
    assert not [url for url in page.requested if url.endswith(".webp")]
    assert film_of(page).get_by_role("img").get_attribute("src").endswith(".png")
    film_of(page).get_by_role("button", name="Next frame").click()
    shows(page, 2)
    assert len([url for url in page.requested if url.endswith(".webp")]) == 1
    assert page.complaints == []


def test_each_frame_is_the_one_that_was_stored(page):
    slider_of(page).fill("0")
    shows(page, 1)
    for k in (0, 3, 7, 9):
        slider_of(page).fill(str(k))
        shows(page, k + 1)
        assert brightness(page) == pytest.approx(25 * k, abs=4)


def test_it_is_stepped_by_buttons_and_by_keys(open_page):
    page = open_page()
    assert slider_of(page).get_attribute("aria-valuetext") == "Frame 1 of 10"
    next_frame = film_of(page).get_by_role("button", name="Next frame")
    next_frame.click()
    next_frame.press("Enter")
    shows(page, 3)
    film_of(page).get_by_role("button", name="Previous frame").click()
    shows(page, 2)
    slider_of(page).press("ArrowRight")
    shows(page, 3)
    slider_of(page).press("End")
    shows(page, 10)
    next_frame.click()
    assert slider_of(page).get_attribute("aria-valuetext") == "Frame 10 of 10"
    slider_of(page).press("Home")
    shows(page, 1)
    assert film_of(page).locator(".status").text_content() == "Frame 1 of 10"


def test_it_plays_to_its_end_in_its_time_and_starts_over_when_asked_again(open_page):
    page = open_page()
    for _ in range(2):
        film_of(page).get_by_role("button", name="Play the film").click()
        film_of(page).get_by_role("button", name="Pause the film").wait_for()
        wait_until(page, f"/Frame [4567] /.test({FRAME})")
        wait_until(page, f"/Frame 10 /.test({FRAME})")
        film_of(page).get_by_role("button", name="Play the film").wait_for()
    assert page.complaints == []


def test_a_pause_and_a_move_hold_it(open_page):
    page = open_page(near=False)
    film_of(page).locator(".frame").evaluate("frame => { frame.dataset.seconds = '6'; }")
    page.evaluate(LOAD_ALL)  # a slow film, so that its end does not come first
    slider_of(page).press(" ")
    wait_until(page, f"/Frame [2345] /.test({FRAME})")
    slider_of(page).press(" ")
    held = page.evaluate(FRAME)
    page.wait_for_timeout(700)  # more than a frame lasts
    assert page.evaluate(FRAME) == held
    film_of(page).get_by_role("button", name="Play the film").click()
    wait_until(page, f"{FRAME} !== '{held}'")
    slider_of(page).fill("1")
    page.wait_for_timeout(700)
    assert page.evaluate(FRAME) == "It brightens. Frame 2 of 10"


def test_a_missing_film_is_said_in_words_and_may_be_asked_for_again(open_page, copied):
    sheet = next((copied / "media").glob("*.webp"))
    moved = sheet.rename(copied / "sheet")
    page = open_page(copied)
    film_of(page).get_by_role("button", name="Play the film").click()
    film_of(page).get_by_role("alert").wait_for()
    words = film_of(page).locator(".reel").get_by_role("alert").text_content()
    assert words == "These pictures can not be loaded. Press again to try again."
    assert film_of(page).get_by_role("button", name="Play the film").count() == 1
    moved.rename(sheet)
    film_of(page).get_by_role("button", name="Next frame").click()
    shows(page, 2)
    assert film_of(page).get_by_role("alert").count() == 0


def test_without_scripts_there_are_the_poster_and_a_link_to_all_frames(open_page):
    page = open_page(java_script_enabled=False)
    assert film_of(page).get_by_role("img").is_visible()
    link = film_of(page).get_by_role("link", name="All 10 frames")
    assert link.get_attribute("href").endswith(".webp")
