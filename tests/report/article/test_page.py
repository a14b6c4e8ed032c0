import dataclasses
import datetime
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from report.article.cells import Cell, Output
from report.article.components import (
    BibTeX,
    Compare,
    Cover,
    EventRoll,
    Fold,
    Group,
    Image,
    Mark,
    Opening,
    Part,
    Player,
    Prose,
    Row,
    Table,
    as_component,
)
from report.article.page import cover_of, render_article
from report.article.script import read_metadata
from report.artifacts.media import Data, Picture, Sound
from report.artifacts.session import conjure
from report.errors import CellError, ReportError
from report.number_formats import tick_step

EVIL = "</script><img src=x onerror=alert(1)>'\" & {{ x }}"


@conjure
def beep(n: int) -> Sound:
    return Sound(np.sin(np.arange(n)) / 2, 8000)


@conjure
def picture(alt: str) -> Picture:
    return Picture(np.zeros((4, 6), np.uint8), alt)


def roll(title, n=1, axis="", note=""):
    marks = [Mark(2000 * i, 0.5, 0.5, "#123456", beep(20 + i)) for i in range(n)]
    return EventRoll(title, marks, axis, beep(4000 * n), note=note)


@conjure
def described(text: str, sound=None) -> Sound:
    return Sound(np.sin(np.arange(len(text) + (sound is None))) / 2, 8000)


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
    return Output(Cell("prose", text, 1), text)


def code(value, *tags):
    return Output(Cell("code", "x = 1  # <b>", 7, tags), value)


def render(script, *outputs, **namespace):
    return render_article(
        script, list(outputs), namespace, {"commit": "a1b2"}, {"demo": "The title", "b": "Other"}
    )


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTHORS", 3),
        ("AUTHORS", [None]),
        ("AUTHORS", {"a": 1}),
        ("AUTHORS", ["Ada", " "]),
        ("LANG", None),
        ("LANG", "in German"),
        ("DATE", "May 1"),
    ],
)
def test_a_wrong_global_is_named(script, name, value):
    with pytest.raises(ReportError, match=rf"demo.py: {name} is {re.escape(repr(value))}; "):
        render(script, **{name: value})


def test_the_date_of_an_article_comes_before_that_of_the_build(script):
    def dates(**namespace):
        html = render_article(script, [], namespace, {"date": "2026-02-03T04:05:06"}, {}).html
        return re.findall(r'<meta name="date" content="([^"]+)">|<time>([^<]+)</time>', html)

    assert dates() == [("2026-02-03T04:05:06", ""), ("", "2026-02-03")]
    assert dates(DATE="2026-05-01") == [("2026-05-01", ""), ("", "2026-05-01")]
    assert dates(DATE=datetime.date(2026, 5, 1)) == dates(DATE="2026-05-01")
    assert dates(DATE="20260501") == dates(DATE="2026-W18-5") == dates(DATE="2026-05-01")
    assert dates(DATE="20260501T1000") == [("2026-05-01T10:00:00", ""), ("", "2026-05-01")]


def test_anchors_are_unique_and_repeats_carry_their_section(script):
    text = (
        "## Example 1\n### Sound\n## Example 2\n### Sound\n### Sound\n## Example 2\n"
        "### `Alone` & more\n"
    )
    html = render(script, prose(text)).html
    anchors = re.findall(r'<h[23] id="([^"]+)"', html)
    assert anchors == [
        "example-1",
        "example-1-sound",
        "example-2",
        "example-2-sound",
        "example-2-sound-2",
        "example-2-2",
        "alone-more",
    ]
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
    article = render(
        script,
        prose("<script>alert(1)</script>\n\n## " + EVIL + "\n"),
        code([Player(beep(9), EVIL, EVIL), Image(picture(EVIL), EVIL), BibTeX(EVIL), EVIL], "show"),
        code([Table([EVIL], [[EVIL]], EVIL, EVIL), roll(EVIL, 1, EVIL, EVIL)]),
        code(
            Part("part", EVIL, EVIL, [Player(beep(9), EVIL), Prose(f"#### {EVIL}")], picture(EVIL))
        ),
        AUTHORS=EVIL,
    )
    for page in article.pages:
        scripts = re.findall(r"<script[^>]*>", page.html)
        assert scripts and all(
            re.fullmatch(r'<script src="assets/\w+\.js" defer blocking="render">', script)
            for script in scripts
        )
        assert "<img src=x" not in page.html and "<b>" not in re.sub(
            r"<b>(Figure|Table)", "", page.html
        )
        names = attribute_names(page.html)
        assert "src" in names and not [
            name for name in names if name == "style" or name.startswith("on")
        ]


def test_code_is_folded_shown_or_hidden(script):
    folded, shown, hidden = (
        render(script, code(None, *tags)).html for tags in ((), ("show",), ("hide",))
    )
    assert '<details class="source">' in folded and 'class="code"' in folded
    assert '<details class="source">' not in shown and 'class="code"' in shown
    assert 'class="code"' not in hidden


def test_prose_knows_tables_and_footnotes_over_all_cells(script):
    html = render(
        script,
        prose("A[^1]\n\n[^1]: Note."),
        code(None),
        prose("| a |\n|---|\n| 1 |\n\nB[^2]\n\n[^2]: Too."),
    ).html
    assert "<table>" in html and html.count('class="footnote-item"') == 2


def test_columns_of_tables_in_prose_are_aligned_by_class(script):
    table = "| a | b | c | d |\n|:--|:-:|--:|---|\n| 1 | 2 | 3 | 4 |"
    html = render(script, prose(table), code(Row([Prose(table)]))).html
    assert html.count('<td class="center">2</td>') == html.count('<th class="right">c</th>') == 2
    assert html.count("<td>4</td>") == 2 and "style" not in attribute_names(html)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("![a](pic.png)", "the image 'pic.png' of the prose is not part of the site; put the file"),
        ("![a](https://a.b/c.png)", "the image 'https://a.b/c.png' of the prose is not part"),
        ("a \ue0001\ue000 b", r"prose has the private character U\+E000"),
        (
            "caf\udce9",
            r"Prose.text has '\\udce9', which is no character, in 'caf\\udce9'; it may be from",
        ),
    ],
)
def test_prose_that_a_page_can_not_show_is_named(script, text, message):
    with pytest.raises(CellError, match=f"demo.py, cell at line 40: {message}"):
        render(script, prose("Fine."), Output(Cell("prose", "", 40), text))


def test_images_in_prose_are_in_their_addresses(script):
    html = render(script, prose("![dot](data:image/png;base64,AAAA)")).html
    assert '<img src="data:image/png;base64,AAAA" alt="dot"' in html
    with pytest.raises(CellError, match="demo.py: the image 'x.png' of the prose"):
        render(script, prose("![dot][x]"), prose("[x]: x.png"))


@pytest.mark.parametrize("value", ["caf\udce9", ["a", ["caf\udce9"]], Table(["caf\udce9"], [], "")])
def test_a_text_that_is_no_unicode_is_named_with_its_cell(script, value):
    with pytest.raises(CellError, match=r"demo.py, cell at line 7: a text has '\\udce9', which is"):
        render(script, code(value))


def test_lists_without_end_are_an_error_of_their_cell(script):
    endless: list = []
    endless.append(endless)
    with pytest.raises(CellError, match="demo.py, cell at line 7: maximum recursion depth"):
        render(script, code(endless))


def test_an_unclosed_fence_is_an_error(script):
    with pytest.raises(CellError, match="demo.py: the prose before line 7 swallows the code cell"):
        render(script, prose("```\nopen"), code(None))


def test_every_sound_is_named_plays_natively_and_is_not_preloaded(script):
    sounds, events = [beep(n) for n in (100, 200)], roll("R", 3)
    article = render(
        script,
        code(Row([Player(sounds[0], "One"), Group([Player(sounds[1], "Two")])])),
        code(events),
    )
    played = [events.mix, *(mark.sound for mark in events.marks)]
    assert set(article.media) == {sound.name for sound in [*sounds, *played]}
    assert article.offline == {sound.name for sound in played}
    natively = re.findall(r'<audio controls preload="none" src="media/(\w+)', article.html)
    assert natively[:2] == [sound.sha256 for sound in sounds] and article.html.count(
        "<audio"
    ) == len(natively)
    assert all(f'="media/{sound.name}"' in article.html for sound in played)
    assert "autoplay" not in article.html and "http" not in article.html.replace("http-equiv", "")


def test_a_value_is_shown_by_its_kind(script):
    html = render(script, code([beep(9), picture("alt text"), numbers(), "word", 3.5])).html
    assert "<figcaption>Beep</figcaption>" in html and 'alt="alt text"' in html
    assert "&#34;a&#34;: 1" in html and '<p class="output">word</p>' in html and "3.5" in html
    with pytest.raises(CellError, match="demo.py, cell at line 7: a set can not be shown; make a"):
        render(script, code({1}))


def test_numbers_are_set_flush_right():
    table = Table(["a", "b", "c"], [["x", 1, "−3.5 dB"], ["y", "2.50", "—"]], "")
    assert table.number_columns() == [False, True, True]
    assert Table(["a"], [], "").number_columns() == [False]


@pytest.mark.parametrize("seconds", [0.03, 1.0, 2.97, 5.94, 61.0])
def test_the_axis_of_a_roll_has_few_round_ticks(seconds):
    ticks = EventRoll("", [], "", beep(round(8000 * seconds))).ticks()
    assert ticks[0] == 0 and 0.6 * seconds < ticks[-1] <= seconds and 3 <= len(ticks) <= 8
    assert tick_step(seconds) in [a * 10.0**b for a in (1, 2, 5, 10) for b in range(-4, 3)]


def test_a_component_stays_itself():
    player = Player(beep(9), "x")
    assert as_component(player) is player


def test_rendering_twice_gives_the_same_page(script):
    outputs = [prose("## One"), code(Player(beep(9), "x"))]
    assert render(script, *outputs) == render(script, *outputs)


def test_a_number_in_a_heading_and_a_repeated_heading_do_not_collide(script):
    html = render(script, prose("## Sound 2\n## Sound\n## Sound\n")).html
    assert re.findall(r'<h2 id="([^"]+)"', html) == ["sound-2", "sound", "sound-3"]


def test_computed_prose_is_part_of_the_document(script):
    def example(n):
        return Group(
            [
                Prose(f"### Example {n}\n\nSee.[^{n}]\n\n[^{n}]: Note."),
                Player(beep(9), "x"),
                Prose("#### Film"),
            ]
        )

    html = render(
        script, prose("## Examples"), code([example(1), None, example(2)], "hide"), prose("## End")
    ).html
    assert re.findall(r'<li class="level-\d"><a href="#([^"]+)"', html) == [
        "examples",
        "example-1",
        "example-2",
        "end",
    ]
    assert re.findall(r'<h4 id="([^"]+)"', html) == ["example-1-film", "example-2-film"]
    assert html.count('class="footnote-item"') == 2 and html.count('<figure class="player"') == 2


def test_prose_may_stand_in_a_row(script):
    html = render(script, code(Row([Prose("*Left* <b>"), Player(beep(9), "Right")]))).html
    assert "<em>Left</em> &lt;b&gt;" in html


def example(name="one", **other):
    inside = [
        Player(beep(9), "Tone"),
        Prose("#### Inside\n\nSee [above](#top), [here](#one-more.tone).[^1]"),
    ]
    return Part(name, "One *more*", "What it is.", inside, **other)


def test_a_part_has_a_page_of_its_own_with_the_same_anchors(script):
    article = render(
        script,
        prose("## Top"),
        code([example(picture=picture("alt")), Player(beep(8), "Other")], "hide"),
    )
    assert (
        '<h3 id="one-more">One *more*</h3>\n<p class="alone"><a href="demo-one.html">'
        in article.html
    )
    assert '<h4 id="one-more-inside">' in article.html or '<h4 id="inside">' in article.html
    (page,) = article.parts
    assert (page.name, page.title) == ("demo-one", "One *more*") and "Other" not in page.html
    assert (
        '<h1 id="one-more">One *more*</h1>' in page.html
        and '<h2 id="inside">Inside</h2>' in page.html
    )
    assert 'id="one-more.tone"' in page.html and 'id="one-more.tone"' in article.html
    assert '<a href="demo.html#one-more">← The title</a>' in page.html


def test_links_in_a_part_lead_where_they_lead_in_the_article(script):
    notes = prose("## Top\n\nA[^1]\n\n[^1]: Note.")
    (page,) = render(script, notes, code(example())).parts
    assert (
        '<a href="demo.html#top">above</a>' in page.html
        and '<a href="#one-more.tone">here</a>' in page.html
    )
    assert 'href="demo.html#fn1"' in page.html


SHOWN_TWICE = example()


@pytest.mark.parametrize(
    ("names", "pages"),
    [
        (["one", "two-2_B"], ["one", "two-2_B"]),
        (["my song"], ["my-song"]),
        (["été", "Ångström", "œuvre", "ﬁne"], ["ete", "Angstrom", "uvre", "fine"]),
        (["take (live)", "../x", " .. "], ["take-live", "x", "part"]),
        (["a.1", "a-1", "a 1"], ["a-1-2", "a-1", "a-1-3"]),  # what can stay stays
        (["same", "same", "Same"], ["same", "same-2", "Same-3"]),
        (["曲", "♪", ""], ["part", "part-2", "part-3"]),
        (["x" * 100, "x" * 101, "y " * 101], ["x" * 100, "x" * 80, "y-" * 39 + "y"]),
        (["live", "b"], ["live-2", "b"]),  # demo-live is an article
        (["a\n\0<b>\u202e"], ["a-b"]),
    ],
)
def test_any_text_names_a_part(script, names, pages):
    titles = {"demo": "The title", "Demo-Live": "Live"}
    parts = [Part(name, f"Part {i}", "", []) for i, name in enumerate(names)]
    article = render_article(script, [code(parts)], {}, {}, titles)
    assert [part.name for part in article.parts] == [f"demo-{page}" for page in pages]
    for i, page in enumerate(article.parts):
        assert f"<title>Part {i} –" in page.html and f'href="{page.name}.html"' in article.html


def test_parts_lead_to_those_before_and_after(script):
    pages = render(script, code([example(name) for name in ("one", "two", "three")])).parts
    ways = [re.findall(r'<a rel="(\w+)" href="([^"]+)"', page.html) for page in pages]
    assert ways == [
        [("next", "demo-two.html")],
        [("prev", "demo-one.html"), ("next", "demo-three.html")],
        [("prev", "demo-two.html")],
    ]


def test_a_page_says_what_others_show_of_a_link_to_it(script):
    output = code([Image(picture("first"), "First."), example(picture=picture("second"))])
    namespace = {"AUTHORS": ["Ada", "Ben"]}
    facts = {"date": "2026-02-03T04:05:06+00:00"}
    article = render_article(script, [output], namespace, facts, {"demo": "The title"})
    titles = ("The title", "A description over two lines."), ("One *more*", "What it is.")
    for page, (title, description), alt in zip(
        article.pages, titles, ("first", "second"), strict=True
    ):
        about = dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)">', page.html))
        assert about == {
            "viewport": "width=device-width, initial-scale=1",
            "description": description,
            "author": "Ben",
            "date": facts["date"],
            "og:type": "article",
            "og:title": title,
            "og:description": description,
            "og:image": f"media/{picture(alt).name}",
            "og:image:alt": alt,
            "twitter:card": "summary_large_image",
            **({"og:audio": f"media/{beep(9).name}"} if alt == "first" else {}),
        }
        assert '<meta name="author" content="Ada">' in page.html
    assert "og:image" not in render(script, prose("No picture.")).html


def test_a_cover_stands_for_the_article_and_not_in_it(script):
    first, second, sound = picture("first"), picture("second"), beep(50)
    shown = [Image(first, "First."), Player(beep(9), "x"), Cover(second, sound)]
    article = render(script, code(shown))
    about = {"image": f"media/{second.name}", "image:alt": "second", "audio": f"media/{sound.name}"}
    assert cover_of(article.html) == about
    assert article.html.count(sound.name) == 1  # in its head
    assert {second.name, sound.name} <= article.media.keys()
    with pytest.raises(CellError, match="two covers; show one of them"):
        render(script, code([Cover(first, sound), Cover(second, sound)]))


def test_a_card_leads_to_a_page_that_alone_has_the_rest(script):
    inside = [Image(picture("inside"), "Inside."), Player(beep(9), "Inside")]
    part = Part("one", "One", "A sentence.", inside, picture("cover"), card=True, sound=beep(77))
    article = render(script, code([part, Image(picture("after"), "After.")]))
    [page] = article.parts
    assert "Inside." in page.html and "Figure 1." in page.html
    assert "Inside." not in article.html and beep(9).name not in article.html
    assert picture("inside").name in article.media  # which the page shows
    card = article.html[article.html.index('class="card across"') :]
    assert (
        card.index(picture("cover").name)
        < card.index("A sentence.")
        < card.index(f"{page.name}.html")
    )
    assert beep(77).name in card and f'href="{page.name}.html"' in card
    assert "<b>Figure 1.</b> After." in article.html  # no number is missing


def test_a_fold_is_closed_and_holds_what_it_folds(script):
    shown = [Fold("More & less", [Image(picture("inside"), "Inside."), None, Prose("*Text*")])]
    html = render(script, code(shown)).html
    fold = html[html.index('<details class="fold wide">') :]
    assert fold.index("<summary>More &amp; less</summary>") < fold.index("Figure 1.")
    assert fold.index("<em>Text</em>") < fold.index("</details>", fold.index("<em>"))
    with pytest.raises(CellError, match="stands inside something else"):
        render(script, code(Fold("x", [Group([Part("a", "A", "", [])])])))


def test_an_opening_stands_above_the_abstract_wherever_a_cell_shows_it(script):
    opening = Opening("One event", roll("r", 2), beep(8001))
    html = render(script, prose("Text."), code(opening)).html
    header = html[html.index("<header>") : html.index("</header>")]
    assert header.index("<h1>") < header.index("<figcaption>One event</figcaption>")
    assert html.count("<figcaption>One event</figcaption>") == 1
    assert header.count("<audio") == 2 and header.count("<circle") == 2
    with pytest.raises(CellError, match="two openings; show one of them"):
        render(script, code([opening, Opening("Another", roll("r"), beep(8001))]))
    same = Opening("The same", roll("r"), beep(4000))
    with pytest.raises(ReportError, match="'original' and 'reconstruction' are the same sound"):
        render(script, code(same))


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ([SHOWN_TWICE, SHOWN_TWICE], "the part one is shown twice; make two parts of it"),
        (Row([[example()]]), "the part one stands inside something else"),
    ],
)
def test_a_part_that_can_have_no_page_is_an_error(script, value, wrong):
    with pytest.raises(CellError, match=f"demo.py, cell at line 7: {wrong}"):
        render(script, code(value))


def test_a_card_names_what_was_given_and_says_a_long_value_once(script):
    one, two = described("x" * 80), described("x" * 80, beep(9))
    calls = [("beep/1", beep(9).record), ("described/1", one.record), ("described/2", two.record)]
    html = render_article(
        script, [code([Player(one, "1"), Player(two, "2")])], {}, {}, {}, calls
    ).html
    assert html.count("x" * 80) == 1 and "<dt>text<dd>as for demo/described/1" in html
    assert "<dt>sound<dd>demo/beep/1" in html and "Made from" not in html


def test_libraries_are_told_once_for_the_page_or_in_cards_where_they_differ(script):
    sounds = [beep(9), beep(8)]
    calls = [(f"beep/{n}", sound.record) for n, sound in enumerate(sounds)]
    outputs = [code([Player(sound, "x") for sound in sounds])]
    script.write_text(script.read_text() + "import numpy\n")
    numpy = f"numpy {np.__version__}"
    html = render_article(script, outputs, {}, {}, {}, calls).html
    assert html.count(numpy) == 1 and html.index(numpy) > html.index('class="colophon"')
    other = dataclasses.replace(sounds[1].record, versions={"numpy": "1.0", "python": "3.11"})
    html = render_article(script, outputs, {}, {}, {}, [calls[0], ("beep/1", other)]).html
    assert html.count("<dt>Libraries<dd>python 3") == 2 and html.count(numpy) == 2


def test_formulas_are_mathml_and_prices_are_not(script):
    text = "Energy $\\sum_i x_i^2$ for $5 and $6.\n\n$$\na < b\n$$\n"
    html = render(script, prose(text)).html
    assert html.count("<math") == 2 and '<math display="inline"><mrow><munderover>' not in html
    assert "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>" in html and "for $5 and $6." in html
    assert '<div class="math block">\n<math display="block"><mrow><mi>a</mi><mo>&lt;</mo>' in html


def test_no_formula_can_become_markup(script):
    html = render(script, prose(f"$\\text{{{EVIL}}}$ $\\text{{&lt;b&gt;}}$")).html
    assert "<img" not in html and "&lt;/script&gt;" in html and "<b>" not in html


@pytest.mark.parametrize(
    ("formula", "wrong"),
    [
        (r"\unknown x", r"unknown command \unknown"),
        ("x^", "can not be read"),
        (r"\left( x", "can not be read"),
        (r"\style{color: red}{x}", r"has a \style"),
        (r"\href{javascript:alert(1)}{x}", r"has a \href"),
    ],
)
def test_a_wrong_formula_is_an_error_that_names_its_cell(script, formula, wrong):
    fine, bad = (
        Output(Cell("prose", "", 3), "Fine: $x$."),
        Output(Cell("prose", "", 40), f"Bad: ${formula}$."),
    )
    with pytest.raises(
        CellError, match=f"demo.py, cell at line 40: the formula .*{re.escape(wrong)}"
    ):
        render(script, fine, bad)
    with pytest.raises(CellError, match="cell at line 7: the formula"):
        render(script, code(Row([Prose(f"${formula}$")])))
