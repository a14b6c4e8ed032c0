"""Answers come from anyone: only whole answers to the questions of a design get in."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from report.listening.answers import (
    LARGEST,
    AnswersError,
    check_answers,
    read_answers,
)
from tests.report.listening.listeners import digest, encoded, make_design, mushra_trials, trial

MUSHRA = make_design("mushra", 2)
TRIALS = mushra_trials(
    MUSHRA, lambda item, role: 100 if role == "reference" else 50, np.random.default_rng(0)
)
GOOD = json.loads(encoded(MUSHRA, TRIALS))


def changed(path: str, value: object) -> bytes:
    """The good answers with a field at a path, such as "trials.0.seconds", replaced."""
    fields = json.loads(json.dumps(GOOD))
    *steps, last = path.split(".")
    inner = fields
    for step in steps:
        inner = inner[int(step)] if isinstance(inner, list) else inner[step]
    inner[int(last) if isinstance(inner, list) else last] = value
    return json.dumps(fields).encode()


def read_and_check(data: bytes, design=MUSHRA) -> None:
    check_answers(read_answers(data, "a.json"), design, "a.json")


def test_good_answers_are_taken_and_say_what_the_page_said():
    answers = read_answers(encoded(MUSHRA, TRIALS), "a.json")
    check_answers(answers, MUSHRA, "a.json")
    assert [each.item for each in answers.trials] == ["item 1", "item 2"]
    assert answers.trials[0].scores == TRIALS[0]["scores"]
    assert answers.checks.headphones.right == 6


SHA = MUSHRA.items[0].sounds["model"]
OTHER = MUSHRA.items[1].sounds["model"]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("format", "answers", "format: Invalid enum value .answers."),
        ("version", 2, "version: Invalid enum value 2"),
        ("seed", "xyz", "seed"),
        ("listener", "me", "listener"),
        ("listener", "A" * 32, "listener"),
        ("seconds", "long", 'seconds is "long", expected a number'),
        ("seconds", -1, "seconds is -1"),
        ("trials", [], "trials"),
        ("trials.0.part", "encore", r"trials\[0\].part"),
        ("trials.0.seconds", True, r"trials\[0\].seconds is true"),
        ("trials.0.order", [], r"trials\[0\].order"),
        ("trials.0.order.0", "x", r"trials\[0\].order\[0\] is \"x\", expected a SHA-256"),
        ("trials.0.plays", {OTHER: 1}, r"trials\[0\].plays has .*not in its order"),
        ("trials.0.scores", {OTHER: 1}, r"trials\[0\].scores has .*not in its order"),
        ("trials.0.choice", OTHER, r"trials\[0\].choice has .*not in its order"),
        ("trials.0.item", "a\x1b[31m", r"trials\[0\].item"),
        ("page", "p" * 201, "page"),
        ("address", "10.0.0.1", "address is no known field"),
        ("checks.agent", "a browser", "checks.agent is no known field"),
        ("checks.headphones", {"right": 7, "of": 6}, "7 right answers of 6"),
    ],
)
def test_what_is_not_of_the_schema_is_refused_by_name(path, value, words):
    with pytest.raises(AnswersError, match=f"a.json: .*{words}"):
        read_answers(changed(path, value), "a.json")


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("design", digest("another"), "of another design .*same sounds, so its question"),
        ("test", "other", "of the test 'other', not 'test'"),
        ("trials.0.item", "item 9", "has no item 'item 9'"),
        ("trials.0.item", "item 2", "is no sound of the item 'item 2'"),
        ("trials.0.order", [SHA, *TRIALS[0]["order"]], "has 7 sounds, not 6"),
        ("trials.0.scores", {SHA: 50}, "has 1 scores, not 6"),
        ("trials.0.scores." + SHA, 101, "has 101 for .*from 0 to 100"),
        ("trials.0.choice", SHA, "has a choice, but"),
        ("trials.1", TRIALS[0], "answered 2 times"),
        ("trials", [TRIALS[0] | {"part": "training"}], "no question of the test"),
        ("trials", TRIALS[:1], "1 items are answered, not 2"),
    ],
)
def test_what_does_not_answer_the_design_is_refused_by_name(path, value, words):
    with pytest.raises(AnswersError, match=f"a.json: .*({words})"):
        read_and_check(changed(path, value))


def test_a_token_is_asked_for_where_the_design_has_one():
    design = make_design("mushra", 2, token="from the letter")
    read_and_check(encoded(design, TRIALS), design)
    with pytest.raises(AnswersError, match="without the token"):
        read_and_check(encoded(design, TRIALS, token="guessed"), design)


def test_choices_are_of_two_sounds_and_are_there():
    design = make_design("preference", 1, ("a", "b"))
    order = list(design.items[0].sounds.values())
    read_and_check(encoded(design, [trial(order, "item 1", choice=None)]), design)
    read_and_check(encoded(design, [trial(order, "item 1", choice=order[0])]), design)
    for answer, words in [({}, "choice is missing"), ({"scores": {order[0]: 1}}, "has scores")]:
        with pytest.raises(AnswersError, match=words):
            read_and_check(encoded(design, [trial(order, "item 1", **answer)]), design)
    with pytest.raises(AnswersError, match="1 sounds, not 2"):
        read_and_check(encoded(design, [trial(order[:1], "item 1", choice=order[0])]), design)


def test_abx_needs_an_x_and_a_choice():
    design = make_design("abx", 1, ("a", "b"))
    order = list(design.items[0].sounds.values())
    read_and_check(encoded(design, [trial(order, "item 1", choice=order[0], x=order[1])]), design)
    for answer in ({"choice": None, "x": order[0]}, {"choice": order[0]}):
        with pytest.raises(AnswersError, match="choice is missing|has no x"):
            read_and_check(encoded(design, [trial(order, "item 1", **answer)]), design)


def test_a_dcr_scores_all_but_the_reference_that_is_heard_first():
    """It may be compared with itself, too."""
    design = make_design("dcr", 1, ("a",))
    sounds = design.items[0].sounds
    order = [sounds["reference"], sounds["a"]]
    null = trial([order[0], order[0]], "item 1", scores={order[0]: 5})
    good = trial(order, "item 1", scores={sounds["a"]: 4})
    read_and_check(encoded(design, [good, null]), design)
    for answer, words in [
        (trial(order[::-1], "item 1", scores={order[0]: 4}), "begins with another sound"),
        (good | {"scores": dict.fromkeys(order, 4)}, "scores has 2 scores, not 1"),
    ]:
        with pytest.raises(AnswersError, match=words):
            read_and_check(encoded(design, [answer, null]), design)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"seconds": NaN}',
        b" " * (LARGEST + 1),
        json.dumps(GOOD | {"trials": TRIALS * 300}).encode()[:LARGEST],
    ],
)
def test_bytes_that_are_no_answers_are_refused(data):
    with pytest.raises(AnswersError, match="^a.json: "):
        read_answers(data, "a.json")


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_damage_gets_through_as_another_error(data):
    bytes_ = bytearray(encoded(MUSHRA, TRIALS))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(bytes_) - 1))
        bytes_[place] = data.draw(st.integers(0, 255))
    try:
        read_and_check(bytes(bytes_))
    except AnswersError:
        pass


def test_answers_of_other_sounds_say_which_clip_changed():
    """The clip that the listener heard is known by its hash alone."""
    items = (MUSHRA.items[0], replace(MUSHRA.items[1], sounds=dict(MUSHRA.items[1].sounds)))
    items[1].sounds["rival"] = digest("rendered again")
    with pytest.raises(
        AnswersError, match="they are of other sounds than those of 'item 2' by 'rival'$"
    ):
        read_and_check(encoded(MUSHRA, TRIALS), replace(MUSHRA, items=items))


def test_an_earlier_design_may_be_vouched_for():
    """Only its words may be others: the sounds are checked as ever."""
    reworded = replace(MUSHRA, consent="Answers are kept for ever.")
    old = read_answers(encoded(MUSHRA, TRIALS))
    check_answers(old, reworded, "a.json", also=[old.design])
    other = read_answers(
        changed("trials.0.order.0", digest("x")).replace(
            TRIALS[0]["order"][0].encode(), digest("x").encode()
        )
    )
    with pytest.raises(AnswersError, match="is no sound of the item 'item 1'"):
        check_answers(other, reworded, "a.json", also=[old.design])


def test_items_for_training_are_no_questions():
    design = make_design("mushra", 2, training=("item 2",))
    read_and_check(encoded(design, [TRIALS[0], TRIALS[1] | {"part": "training"}]), design)
    with pytest.raises(AnswersError, match="'item 2' is for training"):
        read_and_check(encoded(design, TRIALS), design)


def test_no_question_of_an_item_can_be_left_out():
    design = make_design("preference", 1, ("a", "b"), trials=3)
    order = list(design.items[0].sounds.values())
    answered = [trial(order, "item 1", choice=order[0])]
    read_and_check(encoded(design, answered * 3), design)
    with pytest.raises(AnswersError, match="'item 1' has 2 of 3 questions answered"):
        read_and_check(encoded(design, answered * 2), design)
