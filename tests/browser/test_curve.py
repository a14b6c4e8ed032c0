"""The curve of what is removed, under a decomposition, and the outline of each step's event."""

import pytest


@pytest.fixture
def page(open_page, scaled):
    return open_page(scaled, "scaled.html")


def go(page, step):
    page.get_by_role("slider", name="Step of").fill(str(step))


def place(page, selector):
    """The middle of an element, as shares of the width and height of what it lies in."""
    return page.evaluate(
        """(selector) => {
          const element = document.querySelector(selector);
          const [inner, outer] = [element, element.parentElement].map(
            (each) => each.getBoundingClientRect());
          return [(inner.x + inner.width / 2 - outer.x) / outer.width,
                  1 - (inner.y + inner.height / 2 - outer.y) / outer.height];
        }""",
        selector,
    )


def test_a_dot_runs_along_the_curve_and_the_share_is_told(page):
    for step, share in enumerate([0, 0.25, 0.5, 0.5, 0.9]):
        go(page, step)
        assert place(page, ".removed .dot") == pytest.approx([step / 4, share], abs=0.02)
        assert page.locator(".percent").text_content() == f"Energy removed: {100 * share:.0f} %"
    words = page.get_by_role("slider", name="Step of").get_attribute("aria-valuetext")
    assert words == "Step 4 of 4: E5, at 9000; 90 % of the energy is removed"


def test_the_event_of_a_step_is_outlined_in_the_picture(page):
    assert not page.locator(".outlined").is_visible()
    for step in (1, 3):
        go(page, step)
        i = step - 1
        middle = [0.1 * i + 0.1, 0.2 * i + 0.2]
        assert place(page, ".outlined") == pytest.approx(middle, abs=0.02)
    go(page, 0)
    assert not page.locator(".outlined").is_visible()


def test_a_press_on_the_curve_goes_to_that_step(page):
    curve = page.locator(".removed")
    curve.click(position={"x": 0.76 * curve.bounding_box()["width"], "y": 10})
    assert page.get_by_role("slider", name="Step of").input_value() == "3"


def test_a_decomposition_without_these_has_neither(open_page):
    page = open_page()
    assert page.locator(".removed").count() == 0
    go(page, 1)
    assert not page.locator(".outlined").is_visible()
