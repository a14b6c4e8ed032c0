"""Diagrams in pieces: a box beside each sentence, and its sound."""

import pytest

from tests.browser.conftest import playing, wait_until_it_moves

# Of each step: its box, the sentence and the ends of the lines, in px.
PLACES = """() => [...document.querySelectorAll('.steps li')].map((step) => {
  const box = (selector) => step.querySelector(selector).getBoundingClientRect();
  const [svg, rect, words] = ['svg', 'rect', 'p'].map(box);
  return { top: svg.top, bottom: svg.bottom, right: rect.right, words: words.left,
    over: words.bottom > step.getBoundingClientRect().bottom };
})"""


@pytest.fixture(params=[1280, 390])
def page(open_page, request):
    return open_page(name="parts.html", viewport={"width": request.param, "height": 800})


def test_boxes_stand_beside_their_sentences_and_lines_reach_the_next_box(page):
    places = page.evaluate(PLACES)
    assert len(places) == 3
    for place in places:
        assert place["right"] <= place["words"] and not place["over"]
    for one, other in zip(places, places[1:], strict=False):
        assert one["bottom"] == pytest.approx(other["top"], abs=0.6)


def test_a_step_is_heard_and_read_to_those_who_can_not_see_the_diagram(page):
    steps = page.locator(".steps")
    assert steps.get_by_role("button").count() == 1
    steps.get_by_role("button", name="Play Take the best").click()
    wait_until_it_moves(page)
    assert len(playing(page)) == 1
    assert page.locator(".steps .playing rect").count() == 1
    sentence = steps.get_by_role("listitem").first.locator("p").text_content()
    assert sentence.startswith("Take the best: Words for it.")
    assert page.locator(".steps svg:not([aria-hidden=true]):not(button svg)").count() == 0
    assert page.complaints == []


def test_only_a_loop_leads_back(page):
    assert page.locator(".steps .again").all_text_contents() == ["twice"]
