import re
from html.parser import HTMLParser

import numpy as np
import pytest

from report.cells import Cell, Shown
from report.components import (
    BibTeX,
    Compare,
    EventRoll,
    Group,
    Image,
    Mark,
    Player,
    Prose,
    Row,
    Table,
    as_component,
    tick_step,
)
from report.conjure import conjure
from report.errors import CellError, ReportError
from report.media import Data, Picture, Sound
from report.page import read_metadata, render_article

EVIL = "</script><img src=x onerror=alert(1)>'\" & {{ x }}"


@conjure
def beep(n: int) -> Sound:
    return Sound(np.sin(np.arange(n)) / 2, 8000)


@conjure
def picture(alt: str) -> Picture:
    return Picture(np.zeros((4, 6), np.uint8), alt)


@conjure
def numbers() -> Data:
    return Data({"a": 1})


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "demo.py"
    path.write_text('"""The title\n\nA description over\ntwo lines.\n\nNot this."""\n')
    return path


def attribute_names(html):
    names = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: names.update(name for name, _ in attributes)
    parser.feed(html)
    return names


def prose(text):
    return Shown(Cell("prose", text, 1), text)


def code(value, *tags):
    return Shown(Cell("code", "x = 1  # <b>", 7, tags), value)


def render(script, *shown, **namespace):
    return render_article(script, list(shown), namespace, {"commit": "a1b2"}, {"demo": "The title", "b": "Other"})


def test_metadata_is_the_docstring(script):
    assert read_metadata(script) == ("The title", "A description over two lines.")
    script.write_text("x = 1\n")
    with pytest.raises(ReportError, match="demo.py has no docstring"):
        read_metadata(script)


def test_the_page_carries_title_language_authors_facts_and_the_way_to_other_articles(script):
    html = render(script, prose("Hello"), AUTHORS=["Ada", "Ben"], LANG="de").html
    assert '<html lang="de">' in html and "<title>The title</title>" in html and "Ada, Ben" in html
    assert "<dt>commit</dt><dd>a1b2</dd>" in html
    assert '<a href="b.html">Other</a>' in html and 'href="demo.html"' not in html


def test_anchors_are_unique_and_repeats_carry_their_section(script):
    text = "## Example 1\n### Sound\n## Example 2\n### Sound\n### Sound\n## Example 2\n### `Alone` & more\n"
    html = render(script, prose(text)).html
    anchors = re.findall(r'<h[23] id="([^"]+)"', html)
    assert anchors == [
        "example-1", "example-1-sound", "example-2", "example-2-sound", "example-2-sound-2", "example-2-2", "alone-more"
    ]  # fmt: skip
    assert re.findall(r'<li class="level-\d"><a href="#([^"]+)"', html) == anchors
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_figures_and_tables_are_numbered_through(script):
    html = render(
        script,
        code([Image(picture("one"), "First"), Table(["n"], [[1]], "Sizes")]),
        prose("Between"),
        code(Compare("Second", [("a", beep(9), picture("two")), ("b", beep(8), None)])),
        code(Player(beep(9), "Not numbered")),
    ).html
    assert re.findall(r"<b>((?:Figure|Table) \d)\.</b> (\w+)", html) == [
        ("Figure 1", "First"), ("Table 1", "Sizes"), ("Figure 2", "Second")
    ]  # fmt: skip
    assert html.index("First") < html.index("Between") < html.index("Second")


def test_nothing_from_a_script_can_become_markup(script):
    mark = Mark(1.0, 0.5, 0.5, EVIL, EVIL, beep(9))
    html = render(
        script,
        prose("<script>alert(1)</script>\n\n## " + EVIL + "\n"),
        code([Player(beep(9), EVIL, EVIL), Image(picture(EVIL), EVIL), BibTeX(EVIL), EVIL], "show"),
        code([Table([EVIL], [[EVIL]], EVIL, EVIL), EventRoll(EVIL, [mark], EVIL, EVIL)]),
        AUTHORS=EVIL,
        LANG='"><script>',
    ).html
    assert re.findall(r"<script[^>]*>", html) == [
        f'<script src="assets/{name}.js">' for name in ("player", "roll", "page")
    ]
    assert "<img src=x" not in html and "<b>" not in re.sub(r"<b>(Figure|Table)", "", html)
    assert "src" in attribute_names(html)
    assert not [name for name in attribute_names(html) if name == "style" or name.startswith("on")]


def test_code_is_folded_shown_or_hidden(script):
    folded, shown, hidden = (render(script, code(None, *tags)).html for tags in ((), ("show",), ("hide",)))
    assert '<details class="source">' in folded and 'class="code"' in folded
    assert '<details class="source">' not in shown and 'class="code"' in shown
    assert 'class="code"' not in hidden


def test_prose_knows_tables_and_footnotes_over_all_cells(script):
    html = render(
        script, prose("A[^1]\n\n[^1]: Note."), code(None), prose("| a |\n|---|\n| 1 |\n\nB[^2]\n\n[^2]: Too.")
    ).html
    assert "<table>" in html and html.count('class="footnote-item"') == 2


def test_an_unclosed_fence_is_an_error(script):
    with pytest.raises(CellError, match="demo.py: the prose before line 7 swallows the code cell"):
        render(script, prose("```\nopen"), code(None))


def test_every_sound_is_named_plays_natively_and_is_not_preloaded(script):
    sounds = [beep(n) for n in (20, 30, 40)]
    marks = [Mark(i / 2, 0.5, 0.5, "#123456", f"event {i}", sounds[i]) for i in range(3)]
    article = render(
        script,
        code(Row([Player(sounds[0], "One"), Group([Player(sounds[1], "Two")])])),
        code(EventRoll("R", marks, "y")),
    )
    assert set(article.artifacts) == {sound.name for sound in sounds}
    assert re.findall(r"<audio controls preload=\"none\" src=\"media/(\w+)", article.html) == [
        s.sha256 for s in sounds[:2]
    ]
    assert all(f'data-src="media/{sound.name}"' in article.html for sound in sounds)
    assert "autoplay" not in article.html and "http" not in article.html.replace("http-equiv", "")


def test_a_value_is_shown_by_its_kind(script):
    html = render(script, code([beep(9), picture("alt text"), numbers(), "word", 3.5])).html
    assert "<figcaption>Beep</figcaption>" in html and 'alt="alt text"' in html
    assert "&#34;a&#34;: 1" in html and '<p class="output">word</p>' in html and "3.5" in html
    with pytest.raises(CellError, match="demo.py, cell at line 7: a set can not be shown"):
        render(script, code({1}))
    with pytest.raises(CellError, match="line 7"):
        render(script, code(Player("not an artifact", "title")))


def test_numbers_are_set_flush_right():
    table = Table(["a", "b", "c"], [["x", 1, "−3.5 dB"], ["y", "2.50", "—"]], "")
    assert table.number_columns() == [False, True, True]
    assert Table(["a"], [], "").number_columns() == [False]


@pytest.mark.parametrize("last", [0.0, 0.03, 2.97, 5.94, 61.0])
def test_the_axis_of_a_roll_holds_all_events_with_few_round_ticks(last):
    roll = EventRoll("", [Mark(last, 0, 0, "#000000", "", beep(9))], "")
    assert roll.ticks()[0] == 0 and last < roll.ticks()[-1] and 2 <= len(roll.ticks()) <= 9
    assert tick_step(last) in [a * 10.0**b for a in (1, 2, 5, 10) for b in range(-4, 3)]


def test_a_component_stays_itself():
    player = Player(beep(9), "x")
    assert as_component(player) is player


def test_rendering_twice_gives_the_same_page(script):
    shown = [prose("## One"), code(Player(beep(9), "x"))]
    assert render(script, *shown) == render(script, *shown)


def test_a_number_in_a_heading_and_a_repeated_heading_do_not_collide(script):
    html = render(script, prose("## Sound 2\n## Sound\n## Sound\n")).html
    assert re.findall(r'<h2 id="([^"]+)"', html) == ["sound-2", "sound", "sound-3"]


def test_computed_prose_is_part_of_the_document(script):
    def example(n):
        return Group(
            [Prose(f"### Example {n}\n\nSee.[^{n}]\n\n[^{n}]: Note."), Player(beep(9), "x"), Prose("#### Film")]
        )

    html = render(script, prose("## Examples"), code([example(1), None, example(2)], "hide"), prose("## End")).html
    assert re.findall(r'<li class="level-\d"><a href="#([^"]+)"', html) == ["examples", "example-1", "example-2", "end"]
    assert re.findall(r'<h4 id="([^"]+)"', html) == ["example-1-film", "example-2-film"]
    assert html.count('class="footnote-item"') == 2 and html.count('<figure class="player"') == 2


def test_prose_may_stand_in_a_row(script):
    html = render(script, code(Row([Prose("*Left* <b>"), Player(beep(9), "Right")]))).html
    assert "<em>Left</em> &lt;b&gt;" in html
