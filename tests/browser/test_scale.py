"""A roll with a scale: marks at known heights first, by likeness when asked for."""

import pytest

from tests.browser.conftest import wait_until
from tests.browser.test_roll import mark

BASE = 0.14  # LANE in report/article/components.py
HEIGHTS = [BASE + (1 - BASE) * height for height in (1 / 12, 4 / 12, 8 / 12)]


@pytest.fixture
def page(open_page, scaled):
    return open_page(scaled, "scaled.html")


def heights(page):
    """The places of the marks from the bottom of the plot, as shares of its height."""
    marks = [mark(page, n).get_attribute("y") for n in (1, 2, 3, 4)]
    return [round(1 - float(y.rstrip("%")) / 100, 3) for y in marks]


def test_marks_stand_on_the_scale_and_those_without_a_height_in_a_lane(page):
    low, middle, high = HEIGHTS
    assert heights(page) == pytest.approx([low, middle, BASE / 2, high], abs=2e-3)
    labels = page.locator(".roll .level text").all_text_contents()
    assert labels == ["A4", "C5", "E5", "no pitch"]
    plot, behind = (page.locator(name).bounding_box() for name in (".roll .plot", ".roll .behind"))
    assert behind["height"] == pytest.approx((1 - BASE) * plot["height"], abs=1)
    assert (behind["x"], behind["width"]) == (plot["x"], plot["width"])
    timeline = page.locator(".timeline").bounding_box()
    assert (timeline["x"], timeline["width"]) == (plot["x"], plot["width"])
    outline = page.locator(".roll .outline")  # the second note goes on after the clip
    assert outline.get_attribute("d") == "M0 717H250V860H0zM250 516H1000V602H250z"
    assert outline.evaluate("(path) => path.getBBox().x + path.getBBox().width") == 1000
    spread = "(path) => (({ a, e }) => [e, 1000 * a])(path.getScreenCTM())"
    assert outline.evaluate(spread) == pytest.approx([plot["x"], plot["width"]], abs=1)


def test_without_scripts_marks_stand_on_the_scale_too(open_page, scaled):
    page = open_page(scaled, "scaled.html", java_script_enabled=False)
    places = [
        float(c.get_attribute("cy").rstrip("%")) for c in page.locator(".roll .plot circle").all()
    ]
    low, middle, high = (100 - 100 * height for height in HEIGHTS)
    assert places == pytest.approx([low, middle, 100 - 50 * BASE, high], abs=0.1)
    assert page.locator(".axis").text_content().startswith("↑ pitch")


def test_readers_switch_to_likeness_and_links_keep_it(page, open_page, scaled):
    page.get_by_role("combobox", name="Height").select_option("likeness")
    assert heights(page) == pytest.approx([0, 1 / 3, 2 / 3, 1], abs=2e-3)
    assert not page.locator(".roll .behind").is_visible()
    assert not page.locator(".roll .level, .roll .outline").first.is_visible()
    clip = page.locator(".roll").get_attribute("id")
    other = open_page(scaled, "scaled.html", hash=f"#clip={clip}&axis=2")
    wait_until(other, "document.querySelector('.axis select').selectedIndex === 1")
    assert heights(other) == pytest.approx([0, 1 / 3, 2 / 3, 1], abs=2e-3)
    other.evaluate(f"location.hash = '#clip={clip}'")
    wait_until(other, "document.querySelector('.axis select').selectedIndex === 0")
    assert heights(other)[0] == pytest.approx(HEIGHTS[0], abs=2e-3)


def test_events_have_their_names_until_they_are_changed(page):
    assert mark(page, 1).get_attribute("aria-label") == "Event 1, A4, at 0"
    mark(page, 1).focus()
    assert "A4, at 0: 0.40 seconds long" in page.locator(".which").text_content()
    page.keyboard.press("Alt+ArrowRight")
    assert mark(page, 1).get_attribute("aria-label").startswith("Event 1, A4, at 0.01 seconds")


def test_another_sound_has_another_place_on_the_scale(page):
    mark(page, 1).focus()
    page.keyboard.press("Enter")
    slider = page.get_by_role("slider", name="From darker to brighter")
    slider.fill("-1")
    wait_until(page, "document.querySelector('tr[data-start]').cells[4].textContent === 'G5'")
    assert heights(page)[0] == pytest.approx(1, abs=2e-3)
    page.get_by_role("button", name="Another tone").click()
    wait_until(page, "document.querySelector('.mark circle[fill=\"#123456\"]')")
    assert heights(page) == pytest.approx([BASE / 2] * 4, abs=2e-3)
