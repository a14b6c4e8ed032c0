"""A component that can not be shown is refused where it is made, with its field and the mend."""

import re
import sys
from datetime import date
from decimal import Decimal
from types import ModuleType

import numpy as np
import pytest

from report import (
    BibTeX,
    Compare,
    Data,
    Decomposition,
    EventRoll,
    Film,
    FilmStrip,
    Grid,
    Group,
    Image,
    Labels,
    Mark,
    MemoryStore,
    Part,
    Picture,
    Player,
    Prose,
    Row,
    Scale,
    Sound,
    Steps,
    Stretch,
    Table,
    build,
    conjure,
)
from report.article.cells import Cell, Output
from report.article.components import as_component, flatten
from report.article.page import render_article
from report.errors import CellError
from report.site.plan import plan


@conjure
def beep(n: int, samplerate: int = 8000) -> Sound:
    return Sound(np.sin(np.arange(n)) / 2, samplerate)


@conjure
def picture(width: int = 6) -> Picture:
    return Picture(np.zeros((4, width), np.uint8), "black")


@conjure
def film() -> Film:
    return Film(np.zeros((3, 4, 6), np.uint8), 1.0, "a film")


@conjure
def numbers() -> Data:
    return Data({"a": 1})


@conjure
def choices(value: dict) -> Data:
    return Data(value)


MARK = (0, 0.5, 0.5, "#123456")


def roll(**other):
    marks = [Mark(*MARK, beep(20))]
    return EventRoll(**{"title": "R", "marks": marks, "axis": "up", "mix": beep(4000)} | other)


def drawing():
    return type("Line2D", (), {"__module__": "matplotlib.lines"})()


WRONG = {
    "Prose.text is the number 3; give a str": lambda: Prose(3),
    "Player.sound is a numpy.ndarray of shape (2, 9); a sound needs its samplerate: Sound(": (
        lambda: Player(np.zeros((2, 9)), "x")
    ),
    "Player.sound: a sound is samples (T,), or (T, 2) for left and right, with T > 0, not (3, 9)": (
        lambda: Player(np.zeros((3, 9)), 8000)
    ),
    "Player.samplerate is the number 1.5; give whole Hz": (
        lambda: Player(np.zeros(9), "x", samplerate=1.5)
    ),
    "Player.sound: Sound.samplerate is 0; give a whole number of Hz": (
        lambda: Player(np.zeros(9), 0)
    ),
    "Player.sound is a picture, not a sound: picture(…) made it": lambda: Player(picture(), "x"),
    "Player.sound is the function beep; call it, as in beep(…)": lambda: Player(beep, "x"),
    "Player.sound: there is no file song.wav in the working folder": (
        lambda: Player("song.wav", "x")
    ),
    "Player.title is None; give a str": lambda: Player(beep(9), None),
    "Player.note is the number 1.5; give a str": lambda: Player(beep(9), "x", 1.5),
    "Player.picture is a sound, not a picture: beep(…)": lambda: Player(
        beep(9), "x", picture=beep(9)
    ),
    "Image.artifact is a sound, not a picture: by_content(…)": (
        lambda: Image(Sound(np.ones(9), 8000), "")
    ),
    "Player.sound is a picture, not a sound": lambda: Player(
        Picture(np.ones((2, 2), "u1"), ""), "x"
    ),
    "Image.artifact is a film, not a picture": lambda: Image(film(), ""),
    "Image.caption is a list; give a str": lambda: Image(picture(), []),
    "FilmStrip.film is a picture, not a film": lambda: FilmStrip(picture(), picture(), ""),
    "FilmStrip.poster has 8 x 4 pixels, but a frame of the film 6 x 4; make": (
        lambda: FilmStrip(film(), picture(8), "")
    ),
    "Decomposition.roll is a dict; give an EventRoll": (
        lambda: Decomposition(film(), picture(), {}, {}, "")
    ),
    "Decomposition.removed has 2 entries, but the roll has 1 events; give one": (
        lambda: Decomposition(film(), picture(), roll(), beep(9), "", [0.1, 0.2])
    ),
    "Decomposition.removed[0] is 1.5; give a number in 0..1": (
        lambda: Decomposition(film(), picture(), roll(), beep(9), "", [1.5])
    ),
    "Decomposition.boxes[0] is (0.5, 0.5, 0, 1); give (left, right": (
        lambda: Decomposition(film(), picture(), roll(), beep(9), "", [], [(0.5, 0.5, 0, 1)])
    ),
    "Decomposition.original is a picture, not a sound": (
        lambda: Decomposition(film(), picture(), roll(), picture(), "")
    ),
    "Grid has no cells; give it columns and rows": lambda: Grid("x", [], ["A"]),
    "Grid.rows[0] is the str 'a'; give (label, [sound or None, …])": lambda: Grid(
        "x", ["a"], ["A"]
    ),
    "Grid.rows[0] has 1 sounds, but there are 2 columns; give a sound for each": (
        lambda: Grid("x", [("a", [beep(9)])], ["A", "B"])
    ),
    "Grid.rows[0] has no sound; leave it out": lambda: Grid("x", [("a", [None])], ["A"]),
    "Grid.rows[0], column 'A' is data": lambda: Grid("x", [("a", [numbers()])], ["A"]),
    "Grid.columns have 'A' twice; rename one": (
        lambda: Grid("x", [("a", [beep(9), beep(9)])], ["A", "A"])
    ),
    "the labels of Grid.rows have 'a' twice; rename one": (
        lambda: Grid("x", [("a", [beep(9)]), ("a", [beep(9)])], ["A"])
    ),
    "Scale has 1 heights and 0 values; give one of each": lambda: Scale("x", [0.5], [], {}),
    "Scale.heights[0] is 2; give a number in 0..1": lambda: Scale("x", [2], ["a"], {}),
    "Scale.heights[0] is None; name the lane of such marks": lambda: Scale("x", [None], ["a"], {}),
    "the height of 'C4' in Scale.labels is -1; give": lambda: Scale("x", [], [], {"C4": -1}),
    "Scale.outlines[0] is (1, 1, 0, 1); give (start, end, low, high)": (
        lambda: Scale("x", [], [], {}, outlines=[(1, 1, 0, 1)])
    ),
    "EventRoll.scale has 0 heights, but there are 1 marks; give one for each": (
        lambda: roll(scale=Scale("x", [], [], {}))
    ),
    "Labels.items[0] is the str 'a'; give (start, end or None, text)": lambda: Labels("x", ["a"]),
    "Labels.items[0] begins at -1; give seconds, 0 or more": lambda: Labels("x", [(-1, None, "a")]),
    "Labels.items[1] begins at 1.0, before the one before it": (
        lambda: Labels("x", [(2.0, None, "a"), (1.0, None, "b")])
    ),
    "Labels.items[0] ends at 0.5, before it begins; give a later end": (
        lambda: Labels("x", [(1.0, 0.5, "a")])
    ),
    "Player.labels[0] is the str 'Words'; give Labels": lambda: Player(
        beep(9), "x", labels=["Words"]
    ),
    "Player.labels[0] reaches to 5.00 s, but the sound ends at": (
        lambda: Player(beep(9), "x", labels=[Labels("Words", [(5.0, None, "a")])])
    ),
    "Compare.items is empty; give (label, sound, picture or None)": lambda: Compare("x", []),
    "Compare.items is a set; give a list": lambda: Compare("x", {1}),
    "the sound of Compare.items[1] is a numpy.ndarray of shape (9,); a sound needs its samplera": (
        lambda: Compare({"A": beep(9), "B": np.ones(9)})
    ),
    "Grid.rows['a'] is a list; give a dict: column -> sound": lambda: Grid("x", {"a": [beep(9)]}),
    "Grid.rows has the column 'B', which Grid.columns has not": (
        lambda: Grid("x", {"a": {"A": beep(9), "B": beep(9)}}, ["A"])
    ),
    "Compare.items[1] is a tuple of 1; give (label, sound, picture or None)": (
        lambda: Compare("x", [("A", beep(9), None), ("B",)])
    ),
    "Compare.items[0] is data, which": lambda: Compare("x", [numbers()]),
    "the label of Compare.items[0] is the number 1; give a str": (
        lambda: Compare("x", [(1, beep(9), None)])
    ),
    "the sound of Compare.items[0] is None; give a sound, such as a function with @conjure": (
        lambda: Compare("x", [("A", None, None)])
    ),
    "the picture of Compare.items[0] is a sound, not a picture": (
        lambda: Compare("x", [("A", beep(9), beep(9))])
    ),
    "Player.title is empty; give a text": lambda: Player(beep(9), " "),
    "the label of Compare.items[0] is empty; give a text": (
        lambda: Compare("x", [("", beep(9), None)])
    ),
    "Compare.items has two versions called 'A'; rename one": (
        lambda: Compare("x", [("A", beep(9), None), ("A", beep(8), None)])
    ),
    "Compare.plain is the str 'no'; give True or False": (
        lambda: Compare("x", [("A", beep(9), None)], plain="no")
    ),
    "Compare.differences has 'A', which is no version after the first": (
        lambda: Compare("x", [("A", beep(9)), ("B", beep(8))], differences=["A"])
    ),
    "Compare.differences is the str 'B'; give a list": (
        lambda: Compare("x", [("A", beep(9)), ("B", beep(8))], differences="B")
    ),
    "Steps.steps is empty; give (name, text, sound or None) for each": lambda: Steps("x", []),
    "Steps.steps[1] is a tuple of 1; give (name, text, sound or None)": (
        lambda: Steps("x", [("A", "a"), ("B",)])
    ),
    "the text of Steps.steps[0] is the number 1; give a str": lambda: Steps("x", [("A", 1)]),
    "the name of Steps.steps[0] is 'Take the best one', too long for its box; give at most 14": (
        lambda: Steps("x", [("Take the best one", "a")])
    ),
    "Steps.again is 'as often as needed', too long to stand under a box; give at most 14": (
        lambda: Steps("x", [("A", "a")], again="as often as needed")
    ),
    "the sound of Steps.steps[0] is a picture, not a sound": (
        lambda: Steps("x", [("A", "a", picture())])
    ),
    "Table.headers is the str 'ab'; give a list": lambda: Table("ab", [["x", "y"]], ""),
    "Table.headers is empty": lambda: Table([], [], ""),
    "header 2 of Table is a dict; give a str": lambda: Table(["a", {}], [], ""),
    "Table.rows is a numpy.ndarray of shape (2, 2); give a list, as its tolist() is": (
        lambda: Table(["a", "b"], np.zeros((2, 2)), "")
    ),
    "Table.rows is a zip; put it into a list, as in [*values]": (
        lambda: Table(["a", "b"], zip("ab", "cd", strict=True), "")
    ),
    "row 2 of Table.rows is the str 'cd'; give a list": (
        lambda: Table(["a", "b"], [["a", "b"], "cd"], "")
    ),
    "row 1 of Table.rows is a dict; give a list": lambda: Table(["a"], [{"a": 1}], ""),
    "row 3 of Table.rows has 1 cells, but there are 2 headers": (
        lambda: Table(["a", "b"], [[1, 2], [3, 4], [5]], "")
    ),
    "row 1, column 'b' of Table: a dict can not be shown": lambda: Table(["a", "b"], [[1, {}]], ""),
    "row 1, column 'a' of Table: a numpy.ndarray of shape (9,) can not be shown": (
        lambda: Table(["a"], [[np.zeros(9)]], "")
    ),
    "row 1, column 'a' of Table is a Part": lambda: Table(["a"], [[Part("a", "b", "", [])]], ""),
    "row 1, column 'a' of Table: film(…) made a film, which needs a poster": (
        lambda: Table(["a"], [[film()]], "")
    ),
    "Mark.start is the number 0.5; give a whole number": lambda: Mark(
        0.5, 0, 0, "#123456", beep(9)
    ),
    "Mark.y is 1.5; give a number in 0..1": lambda: Mark(0, 1.5, 0, "#123456", beep(9)),
    "Mark.radius is nan; give a number in 0..1": (
        lambda: Mark(0, 0, float("nan"), "#123456", beep(9))
    ),
    "Mark.colour is 'red'; write it as #rrggbb": lambda: Mark(0, 0, 0, "red", beep(9)),
    "Stretch of 9 samples from 12 on; give one inside of the sound, which has 20": (
        lambda: Mark(*MARK, Stretch(beep(20), 12, 9))
    ),
    "Stretch.first is the number 0.5; give a whole number": lambda: Stretch(beep(20), 0.5, 9),
    "Stretch.sound is a picture, not a sound": lambda: Stretch(picture(), 0, 9),
    "the sound of EventRoll.marks[0] has 9000 Hz, but EventRoll.mix 8000": (
        lambda: roll(marks=[Mark(*MARK, Stretch(beep(20, 9000), 0, 9))])
    ),
    "Mark.sound is None": lambda: Mark(*MARK, None),
    "EventRoll.marks[0] is a tuple; give a Mark": lambda: roll(marks=[MARK]),
    "EventRoll.marks is a Mark; give a list": lambda: roll(marks=Mark(*MARK, beep(9))),
    "EventRoll.mix is None": lambda: roll(mix=None),
    "EventRoll.vectors is a film, not a picture": lambda: roll(vectors=film()),
    "EventRoll.choices is a sound, not data": lambda: roll(choices=beep(9)),
    "EventRoll.sounds[0] is a picture, not a sound": lambda: roll(sounds=[picture()]),
    "the sound of EventRoll.marks[0] has 1 channels, but EventRoll.mix 2; give all as many": (
        lambda: roll(mix=Sound(np.ones((9, 2)), 8000))
    ),
    "the sound of EventRoll.marks[0] has 8000 Hz, but EventRoll.mix 22050; resample": (
        lambda: roll(mix=beep(9, 22050))
    ),
    "the sound alone of EventRoll.marks[0] has 9000 Hz, but EventRoll.mix 8000; resample": (
        lambda: roll(marks=[Mark(*MARK, beep(20), beep(20, 9000))])
    ),
    "Mark.alone is a picture, not a sound": lambda: Mark(*MARK, beep(20), picture()),
    "Mark.lead is the number 0.5; give a whole number": lambda: Mark(*MARK, beep(20), lead=0.5),
    "EventRoll.slack is None; give a whole number": lambda: roll(slack=None),
    "BibTeX.text is a dict; give a str": lambda: BibTeX({}),
    "Group.components is a Player; give a list": lambda: Group(Player(beep(9), "x")),
    "Row.components[1]: a set can not be shown": lambda: Row([beep(9), {1}]),
    "Row.components[0] is a Part; show a Part by itself or in a Group": (
        lambda: Row([Part("a", "b", "", [])])
    ),
    "Part.components is None; give a list": lambda: Part("a", "b", "", None),
    "Part.components[0] is a Part": lambda: Part("a", "b", "", [Part("a", "b", "", [])]),
    "Part.title is empty": lambda: Part("a", " ", "", []),
    "Part.picture is a sound, not a picture": lambda: Part("a", "b", "", [], beep(9)),
}


@pytest.mark.parametrize("message", WRONG)
def test_a_wrong_field_is_named_with_its_value_and_the_mend(message):
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        WRONG[message]()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (beep, "the function beep can not be shown; call it, as in beep(…)"),
        (Player, "the class Player can not be shown; call it"),
        ((n for n in ()), "a generator can not be shown; put it into a list"),
        (drawing(), "a matplotlib.Line2D can not be shown; a drawing call returned it: end the ce"),
        ([drawing()], "a matplotlib.Line2D can not be shown; a drawing call"),
        (
            np.zeros((2, 3)),
            "a numpy.ndarray of shape (2, 3) can not be shown; a sound needs its samplerate",
        ),
        (np.array(3.0), "a numpy.ndarray of shape () can not be shown; show the number in it"),
        ({"a": 1}, "a dict can not be shown; make a Table of it"),
        (ModuleType("m"), "the module m can not be shown; end the cell with None, an artifact, or"),
        (object(), "an object can not be shown; end the cell with None"),
        (film(), "film(…) made a film, which needs a poster; show it with FilmStrip(film, poster"),
    ],
)
def test_a_value_that_can_not_be_shown_is_said_to_be_what_it_is(value, message):
    with pytest.raises(TypeError, match=re.escape(message)):
        flatten(value)


def test_numbers_of_every_kind_are_shown():
    values = [1, 2.5, np.float32(0.5), np.int64(3), np.bool_(True), Decimal("1.50"), 1j, True]
    shown = [component.text for component in flatten(values)]
    assert shown == ["1", "2.5", "0.5", "3", "True", "1.50", "1j", "True"]
    assert as_component(date(2026, 5, 1)).text == "2026-05-01"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], 'EventRoll.choices is no {"sets": {…}, "steps": {…}}'),
        ({"sets": {"a": ["0" * 64]}}, "EventRoll.choices names 0000000000000000 in 'a', which is"),
        ({"sets": {"a": []}}, "EventRoll.choices has 0 sounds in 'a', but there are 1 marks"),
    ],
)
def test_choices_of_a_roll_have_to_fit_its_marks(value, message, tmp_path):
    with pytest.raises(CellError, match=re.escape(message)):
        render(tmp_path, roll(choices=choices(value)))


LOOK = {"y": 0.5, "colour": "#4477aa", "row": "AACA" * 8}


@pytest.mark.parametrize(
    ("look", "message"),
    [
        ({}, ' is no {"y": …, "colour": …, "row": …}'),
        (LOOK | {"y": 2}, " is 2; give a number in 0..1"),
        (LOOK | {"colour": "red"}, " is 'red'; write it as #rrggbb"),
        (LOOK | {"row": 7}, " is 7, no base64"),
        (LOOK | {"row": "AACA"}, " has 1 pixels, but EventRoll.vectors 8"),
    ],
)
def test_the_looks_of_sounds_have_to_be_drawable(look, message, tmp_path):
    sound = beep(5)

    def show(look):
        value = {"sets": {"a": [sound.sha256]}, "looks": {sound.sha256: look}}
        return render(tmp_path, roll(choices=choices(value), sounds=[sound], vectors=picture(8)))

    assert "data-choices-src" in show(LOOK)
    with pytest.raises(CellError, match=f"the look of {sound.sha256[:16]} .*{re.escape(message)}"):
        show(look)


def test_looks_are_those_of_the_sounds_of_the_roll(tmp_path):
    value = {"sets": {}, "looks": {"0" * 64: LOOK}}
    with pytest.raises(CellError, match='"looks" that are not of EventRoll.sounds'):
        render(tmp_path, roll(choices=choices(value)))


# Tables


def render(folder, value):
    path = folder / "demo.py"
    path.write_text('"""Title"""\n')
    return render_article(path, [Output(Cell("code", "1", 7, ("hide",)), value)], {}, {}, {}).html


def test_a_table_shows_components_and_artifacts(tmp_path):
    sound, other = beep(9), beep(8)
    rows = [["One", 1, sound], ["Two", 2, Player(other, "Named")], ["*Three*", 3, Prose("*P*")]]
    html = render(tmp_path, Table(["Name", "n", "Heard"], rows, "Sounds."))
    assert html.count("<audio") == 2 and "<figcaption>Named</figcaption>" in html
    assert f"media/{sound.name}" in html and "<em>P</em>" in html and "*Three*" in html
    assert "object at" not in html and "Player(" not in html and "Artifact(" not in html
    assert html.count('<td class="text shown">') == 3 and "<td>2" in html


def test_a_cell_without_a_value_is_a_dash(tmp_path):
    html = render(tmp_path, Table(["a", "b"], [[None, -1], [2, np.float64(0.5)]], ""))
    assert "<td>–<td>−1" in html and "<td>2<td>0.5" in html


def test_a_plan_does_not_judge_by_what_an_artifact_was_before(tmp_path):
    """A function that made a sound makes a picture now, and the cell shows it as one."""
    source = (
        '"""A"""\nimport numpy as np\nfrom report import *\n\n@conjure\ndef f() -> Sound:\n'
        "    return Sound(np.arange(9) / 9, 8000)\n\n# %%\nPlayer(f(), 'x')\n"
    )
    script, store = tmp_path / "a.py", MemoryStore()
    script.write_text(source)
    build([script], tmp_path / "site", store)
    script.write_text(
        source.replace("-> Sound", "-> Picture")
        .replace("Sound(np.arange(9) / 9, 8000)", "Picture(np.zeros((9, 9), np.uint8), 'p')")
        .replace("Player(", "Image(")
    )
    assert [step.state for step in plan([script], store).steps] == ["stale"]
    assert [step.state for step in plan([script], MemoryStore()).steps] == ["new"]
    build([script], tmp_path / "site", store)
    assert "article_a" not in sys.modules
