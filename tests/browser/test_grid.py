"""Tables of sounds: from cell to cell by keys and presses; a row in lock, and equally loud."""

import pytest

from tests.browser.conftest import open_menu, wait_until
from tests.browser.test_compare import WATCH

PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
TITLE = "Items and systems"
NOW = "Number(document.querySelector('.grid [role=slider]').ariaValueNow)"


@pytest.fixture
def page(open_page):
    page = open_page()
    page.evaluate(WATCH)
    return page


def cell(page, name):
    return page.locator(".grid .cell").get_by_role("button", name=name)


def focused(page):
    return page.evaluate("document.activeElement.getAttribute('aria-label')")


def playing(page):
    return page.locator(".grid td.playing").count()


def test_one_press_plays_and_a_press_on_a_neighbour_goes_on_from_the_same_place(page):
    cell(page, "Play First, Original").click()
    wait_until(page, f"{NOW} > 0.2")
    began = page.evaluate("gains.length")
    cell(page, "Play First, Codec").click()
    assert cell(page, "Pause First, Codec").is_visible() and playing(page) == 1
    assert page.evaluate(NOW) > 0.2 and page.evaluate("gains.length") == began  # no new start
    cell(page, "Pause First, Codec").click()
    assert playing(page) == 0 and page.complaints == []


def test_arrow_keys_go_from_cell_to_cell_over_empty_ones_and_stop_at_the_edges(page):
    cell(page, "Play First, Original").focus()
    walked = []
    for key in ("Left", "Up", "Right", "Down", "Right", "Right", "Down", "Left"):
        page.keyboard.press(f"Arrow{key}")
        walked.append(focused(page).removeprefix("Play "))
    assert walked == [
        "First, Original",
        "First, Original",
        "First, Codec",
        "Third, Codec",
        "Third, A system with a long name",
        "Third, A system with a long name",
        "Third, A system with a long name",
        "Third, Codec",
    ]
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    wait_until(page, f"{NOW} > 0.05")
    assert page.locator(".grid .cell [tabindex='0']").count() == 1 and page.complaints == []


def test_what_plays_follows_the_keys_to_another_row(page):
    cell(page, "Play First, Original").click()
    wait_until(page, f"{NOW} > 0.1")
    page.keyboard.press("ArrowDown")
    assert cell(page, "Pause Second, Original").is_visible() and playing(page) == 1
    wait_until(page, f"{NOW} > 0.05")
    assert page.get_by_role("slider", name="Position in Second, Original").is_visible()


def test_the_sounds_of_a_row_are_equally_loud_and_the_table_says_by_how_much(page):
    told = page.locator(".grid .cell .gain").all_inner_texts()
    assert told[0] == "" and told[1].endswith("dB") and len(told) == 8
    loudness = page.locator(".grid > .player").evaluate_all(
        "(all) => all.slice(0, 3).map((player) => Number(player.dataset.loudness))"
    )
    said = [float(text.split()[-2].replace("−", "-")) if text else 0.0 for text in told[:3]]
    assert [level + gain for level, gain in zip(loudness, said, strict=True)] == pytest.approx(
        [loudness[0] + said[0]] * 3, abs=0.06
    )
    page.get_by_role("checkbox", name="Match loudness in a row").uncheck()
    assert "".join(page.locator(".grid .cell .gain").all_inner_texts()) == ""


def test_a_link_leads_back_to_the_cell(open_page):
    page = open_page(hash="#clip=one.items-and-systems&cell=5&t=0.25,0.50")
    slider = page.get_by_role("slider", name="Position in Second, Original")
    assert "looping 0.3 to 0.5" in slider.get_attribute("aria-valuetext")
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    open_menu(page, TITLE)
    page.get_by_role("button", name=f"Link to {TITLE}").click()
    wait_until(page, "window.copied")
    assert page.evaluate("copied").endswith("&cell=5&t=0.25,0.50")
    download = page.locator(".grid").get_by_role("link", name="Download")
    assert download.get_attribute("aria-label").startswith("Download Second, A system")
    assert not [url for url in page.requested if "offline" in url]


def test_on_a_phone_each_cell_is_a_line_with_the_name_of_its_column(open_page):
    page = open_page(**PHONE)
    boxes = [cell.bounding_box() for cell in page.locator(".grid td.shown").all()]
    assert {(box["x"], box["width"]) for box in boxes} == {(boxes[0]["x"], boxes[0]["width"])}
    assert all(later["y"] > box["y"] for box, later in zip(boxes, boxes[1:], strict=False))
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator(".grid td.shown").nth(1).get_attribute("data-label") == "Codec"


def test_without_scripts_each_cell_has_a_player_with_its_name(open_page):
    page = open_page(java_script_enabled=False)
    players = page.locator(".grid audio[controls]")
    assert players.count() == 8 and all(player.is_visible() for player in players.all())
    assert page.locator(".grid figcaption").nth(1).inner_text() == "First, Codec"
