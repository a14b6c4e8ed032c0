"""Events are named by pitch and time, and by what sets them apart from the others of their clip."""

import pytest

from experiments.sections.event_names import Heard, event_names, note_name

USUAL = Heard(60, 0.5, 0.4, -20.0)


@pytest.mark.parametrize(
    ("key", "name"),
    [(69, "A4"), (60, "C4"), (21, "A0"), (108, "C8"), (66, "F♯4"), (-1, "No pitch"), (0, "C-1")],
)
def test_pitches_have_the_names_of_notes(key, name):
    assert note_name(key) == name


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (Heard(69, 0.3, 0.7, -14.0), "A4, at 0.30 s, long, loud"),
        (Heard(-1, 2.0, 0.2, -30.0), "No pitch, at 2.00 s, short, soft"),
        (Heard(60, -0.01, 0.5, -17.0), "C4, at −0.01 s"),
        (Heard(60, 1.0, 0.59, -25.9), "C4, at 1.00 s"),
    ],
)
def test_an_event_is_named_by_what_sets_it_apart_from_the_usual_one(event, name):
    assert event_names([USUAL, event, USUAL, USUAL])[1] == name


def test_names_do_not_depend_on_how_loud_or_slow_the_whole_clip_is():
    events = [USUAL, Heard(62, 1.0, 1.2, -3.0), Heard(64, 1.5, 0.1, -33.0)]
    other = [Heard(e.key, e.start, 3 * e.seconds, e.level + 40) for e in events]
    assert event_names(events) == event_names(other)
    assert [name.split(", ")[2:] for name in event_names(events)] == [
        [],
        ["long", "loud"],
        ["short", "soft"],
    ]


def test_where_nothing_has_a_pitch_names_do_not_speak_of_it():
    events = [Heard(-1, 0.3, 0.4, -20.0), Heard(-1, 0.5, 0.4, -20.0), Heard(-1, 1.0, 0.9, -20.0)]
    assert event_names(events) == ["at 0.30 s", "at 0.50 s", "at 1.00 s, long"]


def test_no_events_have_no_names():
    assert event_names([]) == []
