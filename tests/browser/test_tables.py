"""Tables fit the page at every width, without a scroll, and stay tables to those who listen."""

import pytest

CUT = """[...document.querySelectorAll('.scroll')].filter((box) => box.checkVisibility())
  .filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.textContent.slice(0, 60))"""


def wide(page):
    return page.locator("figure.table").filter(has_text="A wide table.")


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_table_is_cut(open_page, width):
    page = open_page(viewport={"width": width, "height": 800})
    page.evaluate("document.querySelector('.roll .events').open = true")
    page.wait_for_timeout(100)  # it is measured when it is seen
    assert page.evaluate(CUT) == []


def test_a_table_that_is_too_wide_becomes_a_list_and_a_table_again(open_page):
    page = open_page(viewport={"width": 390, "height": 800})
    table = wide(page).get_by_role("table")
    assert table.get_by_role("columnheader").count() == table.get_by_role("cell").count() == 8
    cells = table.locator("td")
    tops = [cell.bounding_box()["y"] for cell in cells.all()]
    assert len(set(tops)) > 2 and tops == sorted(tops)
    label = "(cell) => getComputedStyle(cell, '::before').content"
    assert cells.nth(1).evaluate(label) == '"A long heading"'
    page.set_viewport_size({"width": 1280, "height": 800})
    page.wait_for_timeout(100)
    assert len({cell.bounding_box()["y"] for cell in cells.all()}) == 1
    assert table.locator("th").first.is_visible() and cells.nth(1).evaluate(label) == "none"
