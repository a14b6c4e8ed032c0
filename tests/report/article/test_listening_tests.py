"""Listening tests as components: what they ask, and what is refused where they are made."""

import json
import re

import numpy as np
import pytest

from report import (
    Abx,
    MemoryStore,
    Mushra,
    Part,
    Player,
    Preference,
    Rating,
    Sound,
    conjure,
    use_store,
)
from report.article.cells import Cell, Output
from report.article.checks import findings_of
from report.article.components import flatten
from report.article.page import render_article
from report.listening.design import design_json, digest
from report.notebook.shown import html_of

RATE = 16_000


@pytest.fixture(autouse=True)
def store():
    with use_store(MemoryStore()):
        yield


@conjure
def tone(pitch: float, level: float = 0.1, seconds: float = 0.6, samplerate: int = RATE) -> Sound:
    time = np.arange(int(seconds * samplerate)) / samplerate
    return Sound(level * np.sin(2 * np.pi * pitch * time), samplerate)


def noise(seed, level=0.1, samplerate=RATE):
    samples = np.random.default_rng(seed).uniform(-level, level, int(0.6 * samplerate))
    return Sound(samples, samplerate)


ITEMS = {"Bach": {"a": tone(300), "b": tone(310)}, "Haydn": {"a": tone(400), "b": tone(410)}}
REFERENCE = {"Bach": noise(1), "Haydn": noise(2)}


def mushra(**other):
    return Mushra(**{"title": "T", "items": ITEMS, "reference": REFERENCE} | other)


def rendered(tmp_path, *components):
    path = tmp_path / "page.py"
    path.write_text('"""A title\n\nWords.\n"""\n')
    outputs = [Output(Cell("code", "", 1, ()), list(components))]
    return render_article(path, outputs, {}, {}, {})


def test_mushra_has_reference_and_anchors_beside_the_systems():
    design = mushra().design("x")
    assert design.kind == "mushra" and design.systems == ("a", "b")
    assert design.roles == {
        "reference": "Reference",
        "anchor3500": "3.5 kHz anchor",
        "anchor7000": "7 kHz anchor",
    }
    for item in design.items:
        assert list(item.sounds) == ["a", "b", "reference", "anchor3500", "anchor7000"]
        assert len(set(item.sounds.values())) == 5
    assert (design.scale.least, design.scale.most, len(design.scale.words)) == (0, 100, 5)
    assert design.each == 2 and design.question


@pytest.mark.parametrize(
    ("test", "kind", "rated"),
    [
        (lambda: Preference("T", ITEMS, REFERENCE, trials=3), "preference", ("a", "b")),
        (lambda: Abx("T", ITEMS), "abx", ("a", "b")),
        (lambda: Rating("T", ITEMS), "acr", ("a", "b")),
        (lambda: Rating("T", ITEMS, REFERENCE, kind="dcr"), "dcr", ("a", "b", "reference")),
    ],
)
def test_the_other_kinds_ask_for_less(test, kind, rated):
    design = test().design("x")
    assert (design.kind, design.rated) == (kind, rated)
    assert design.trials == {"preference": 3, "abx": 8}.get(kind, 1)
    assert (design.scale is None) == (kind in ("preference", "abx"))
    assert design.checks.repeated == (0 if kind == "abx" else 1)


def test_an_anchor_for_which_the_rate_is_too_low_is_left_out_and_that_is_said():
    low = {name: noise(seed, samplerate=8000) for seed, name in enumerate(ITEMS)}
    test = mushra(reference=low)
    assert list(test.roles) == ["reference", "anchor3500"]
    assert "An anchor at 7 kHz is left out" in " ".join(test.facts(test.design("x")))
    assert "left out" not in " ".join(mushra().facts(mushra().design("x")))
    with pytest.raises(
        ValueError, match=r"Mushra.anchors are 7000 Hz, but a reference has 8000 Hz"
    ):
        mushra(reference=low, anchors=[7000])
    assert list(mushra(reference=low, anchors=()).roles) == ["reference"]


def test_all_sounds_come_to_one_loudness_that_lets_none_pass_full_scale():
    items = {"Bach": {"soft": tone(900, 0.02), "loud": tone(910, 0.9)}}
    test = Preference("T", items)
    design = test.design("x")
    assert design.level == -23.0
    for key, sound in test.items["Bach"].items():
        assert sound.info["loudness"] + design.items[0].gains[key] == pytest.approx(-23, abs=0.01)
    click = np.zeros(RATE)
    click[::4000] = 0.02
    peaky = Preference("T", {"Bach": {"soft": tone(900, 0.02), "clicks": Sound(click, RATE)}})
    design = peaky.design("x")
    assert design.level < -23
    for key, sound in peaky.items["Bach"].items():
        assert sound.info["peak"] + design.items[0].gains[key] <= 0


def test_a_plain_test_and_sounds_without_loudness_keep_their_levels():
    short = {"Bach": {"a": tone(300, seconds=0.1), "b": tone(310, seconds=0.1)}}
    for test, words in (
        (Preference("T", ITEMS, plain=True), "the levels that they were stored with"),
        (Preference("T", short), "too short or too soft"),
    ):
        design = test.design("x")
        assert design.level is None
        assert {gain for item in design.items for gain in item.gains.values()} == {0}
        assert words in " ".join(test.facts(design))


def test_a_sound_without_loudness_is_changed_as_its_neighbours_are():
    test = Preference("T", {"Bach": {"a": tone(300), "b": tone(310, seconds=0.1)}})
    gains = test.design("x").items[0].gains
    assert gains["a"] == gains["b"] != 0


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: mushra(items=[]), TypeError, r"Mushra.items is a list; give a dict"),
        (lambda: mushra(items={}), ValueError, r"Mushra.items is empty"),
        (lambda: mushra(items={"Bach": tone(300)}), TypeError, r"\['Bach'\] is a sound"),
        (
            lambda: mushra(items=ITEMS | {"Haydn": {"a": tone(400)}}),
            ValueError,
            r"give each item a sound by 'b', or none",
        ),
        (lambda: mushra(items={"Bach": {"a": 3}}), TypeError, r"\['Bach'\]\['a'\] is the number 3"),
        (lambda: mushra(reference=None), TypeError, r"Mushra.reference is None"),
        (lambda: Rating("T", ITEMS, kind="dcr"), TypeError, r"Rating.reference is None"),
        (lambda: Rating("T", ITEMS, kind="mos"), ValueError, r"Rating.kind is the str 'mos'"),
        (
            lambda: mushra(reference={"Bach": noise(1)}),
            ValueError,
            r"Mushra.reference has no sound for 'Haydn'",
        ),
        (
            lambda: mushra(reference=REFERENCE | {"Liszt": noise(1)}),
            ValueError,
            r"has a sound for 'Liszt'; which is no item",
        ),
        (
            lambda: mushra(items={"Bach": {"reference": tone(300)}}, reference={"Bach": noise(1)}),
            ValueError,
            r"has a system called 'reference'; rename it",
        ),
        (
            lambda: Preference("T", {"Bach": {"a": tone(300), "b": tone(300)}}),
            ValueError,
            r"has the same sound as 'a' and as 'b'",
        ),
        (
            lambda: mushra(reference={"Bach": tone(300), "Haydn": noise(2)}),
            ValueError,
            r"the same sound as 'a' and as 'reference'",
        ),
        (lambda: Preference("T", {"Bach": {"a": tone(300)}}), ValueError, r"1 systems; give"),
        (lambda: mushra(each=3), ValueError, r"Mushra.each is 3; give 1 to 2"),
        (lambda: mushra(each=1.5), TypeError, r"Mushra.each is the number 1.5"),
        (lambda: mushra(repeated=3), ValueError, r"Mushra.repeated is 3; give 0 to 2"),
        (lambda: mushra(training=["Liszt"]), ValueError, r"has 'Liszt', which is no item"),
        (lambda: mushra(training=list(ITEMS)), ValueError, r"leave one for the test"),
        (lambda: Abx("T", ITEMS, trials=0), ValueError, r"Abx.trials is 0"),
        (lambda: mushra(anchors=[0]), ValueError, r"Mushra.anchors has 0"),
        (lambda: Abx("T", ITEMS, trials=200), ValueError, r"each is 2, which makes 400 trials"),
        (lambda: Abx("T", {"a\n": {}}), ValueError, r"is called 'a\\n'; give at most 200 letters"),
        (lambda: mushra(token="x" * 201), ValueError, r"Mushra.token is called 'xxx"),
        (lambda: mushra(token=" "), ValueError, r"Mushra.token is empty"),
        (
            lambda: mushra(post="https://a.example/x"),
            ValueError,
            r"consent is empty, but answers can be sent to https://a.example/x; write the line",
        ),
        (lambda: mushra(post="a.example", consent="I do."), ValueError, r"give a whole address"),
        (
            lambda: mushra(post="https://a.example/x;script-src *", consent="I do."),
            ValueError,
            r"give a whole address",
        ),
        (lambda: mushra(post="http://a.example/", consent="I do."), ValueError, r"travel by https"),
        (lambda: mushra(post="https://a:b@c.example/", consent="I do."), ValueError, r"before @"),
        (lambda: mushra(post={"url": "https://a.b"}, consent="I do."), TypeError, "presigned"),
        (
            lambda: mushra(post={"url": "https://a.example", "fields": {"a": 1}}, consent="I do."),
            TypeError,
            r"the field 'a' = 1",
        ),
        (
            lambda: mushra(items={"Bach": {str(i): tone(300 + i) for i in range(10)}},
                           reference={"Bach": noise(1)}),
            ValueError,
            r"makes 13 sounds in a trial",
        ),
    ],
)  # fmt: skip
def test_what_can_not_be_asked_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_the_page_has_the_design_as_bytes_whose_hash_it_says(tmp_path):
    test = mushra(question="</script> & 'so'?", training=["Haydn"])
    article = rendered(tmp_path, test)
    (data,) = re.findall(
        r'<script type="application/json" class="design">(.*)</script>', article.html
    )
    (design,) = article.tests.values()
    assert data.encode() == design_json(design)
    assert article.html.count(digest(design)) == 1 and digest(design)[:16] + "…" in article.html
    assert json.loads(data)["question"] == test.question
    assert set(article.offline) == {sound.name for sound in test.sounds.values()}
    assert "<audio" not in article.html and "assets/listening.css" in article.html


def test_only_a_page_with_an_address_may_connect_to_it_and_to_nothing_else(tmp_path):
    sends = mushra(post="https://a.example/in?key=1", consent="I do.")
    part = Part("one", "One", "", [sends])
    for article, page in (
        (rendered(tmp_path, sends), 0),
        (rendered(tmp_path, part), 0),
        (rendered(tmp_path, part, Part("two", "Two", "", [])), 1),
    ):
        html = article.pages[page].html
        assert "connect-src 'self' https://a.example/in; " in html
    assert "connect-src" not in article.pages[2].html
    assert "connect-src" not in rendered(tmp_path, mushra()).html
    assert "listening.css" not in article.pages[2].html


def test_presigned_fields_are_in_the_page_and_not_in_the_design(tmp_path):
    post = {"url": "https://a.example", "fields": {"policy": "<x>"}}
    article = rendered(tmp_path, mushra(post=post, consent="I do."))
    (fields,) = re.findall(r'class="fields">(.*)</script>', article.html)
    assert json.loads(fields) == {"policy": "<x>"} and "<x>" not in fields
    (design,) = article.tests.values()
    assert design.post == "https://a.example" and b"policy" not in design_json(design)


def test_no_sound_that_listeners_judge_stands_for_the_article(tmp_path):
    test, shown = mushra(), tone(770)
    sound = re.compile('property="og:audio" content="media/(.*?)"')
    assert not sound.search(rendered(tmp_path, test).html)
    for components in ([test, Player(shown)], [Player(shown), test]):
        assert sound.findall(rendered(tmp_path, *components).html) == [shown.name]
    system = test.items["Bach"]["a"]
    for components in ([test, Player(system)], [Player(system), test]):
        assert sound.findall(rendered(tmp_path, *components).html) == [system.name]


def test_a_notebook_shows_what_is_asked_and_holds_no_sound():
    html = html_of(mushra())
    assert "How good is each sound" in html and "data:audio" not in html


def test_its_sounds_are_checked_as_those_of_other_components():
    silent = Rating("T", {"Bach": {"a": Sound(np.zeros(RATE), RATE)}})
    (finding,) = findings_of(silent)
    assert finding.kind == "silent" and "Bach, a" in finding.text
    assert flatten([mushra()])
