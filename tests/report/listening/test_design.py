"""Designs of listening tests as bytes that answers name by their hash."""

import dataclasses
import hashlib
import json

import pytest

from report.errors import ReportError
from report.listening.design import (
    Checks,
    Design,
    Item,
    Scale,
    design_json,
    digest,
    read_design,
)


def design(**other) -> Design:
    sounds = {"codec": "a" * 64, "mp3": "b" * 64, "opus": "d" * 64, "reference": "c" * 64}
    items = tuple(
        Item(name, sounds, dict.fromkeys(sounds, -1.5)) for name in ("Bach", "Brahms", "Haydn")
    )
    given = {
        "id": "test",
        "kind": "mushra",
        "question": "How good?",
        "systems": ("codec", "mp3", "opus"),
        "items": items,
        "roles": {"reference": "Reference"},
        "scale": Scale(0, 100, ("Excellent", "Good", "Fair", "Poor", "Bad")),
        "each": 2,
        "trials": 1,
        "training": ("Haydn",),
        "level": -23.0,
        "checks": Checks(True, 1),
        "consent": "I agree.",
        "token": None,
        "post": None,
    }
    return Design(**given | other)


def test_a_design_comes_back_from_its_bytes():
    for each in (design(), design(kind="abx", scale=None, trials=8, token="t", roles={})):
        assert design_json(read_design(design_json(each))) == design_json(each)
        assert read_design(design_json(each)) == each
        assert read_design(json.loads(design_json(each))) == each


def test_the_bytes_have_sorted_keys_and_no_spaces_and_their_hash_is_the_digest():
    data = design_json(design(question="Wie gut? é"))
    plain = json.dumps(json.loads(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert data == plain.encode()
    assert digest(design(question="Wie gut? é")) == hashlib.sha256(data).hexdigest()
    assert digest(design()) != digest(design(each=1))


def test_the_order_in_which_keys_are_given_changes_nothing():
    item = design().items[0]
    turned = Item(item.name, dict(reversed(item.sounds.items())), item.gains)
    assert design_json(design(items=(turned,))) == design_json(design(items=(item,)))


def test_a_page_can_hold_the_bytes_whatever_the_question_is():
    question = "</script><!-- & \u2028"
    data = design_json(design(question=question))
    assert not set(data.decode()) & set("<>&\u2028")
    assert read_design(data).question == question


def test_what_is_rated_is_systems_and_hidden_roles():
    assert design().rated == ("codec", "mp3", "opus", "reference")
    assert design(kind="abx").rated == ("codec", "mp3", "opus")
    assert design().pairs == [("codec", "mp3"), ("codec", "opus"), ("mp3", "opus")]
    assert [item.name for item in design().tested] == ["Bach", "Brahms"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 2}, "version 2"),
        ({"version": None}, "version None"),
        ({"kind": "guess"}, "guess"),
        ({"each": "two"}, "each"),
        ({"items": [{"name": "Bach"}]}, "sounds"),
    ],
)
def test_what_is_no_design_is_refused(change, words):
    given = dataclasses.asdict(design()) | change
    with pytest.raises(ReportError, match=words):
        read_design(json.dumps(given).encode())


def test_what_is_no_json_is_refused():
    for data in (b"{", b"[]", b"\xff"):
        with pytest.raises(ReportError, match="no design"):
            read_design(data)
