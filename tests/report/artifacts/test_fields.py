"""JSON becomes dataclasses, and each thing that is wrong with it is named."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
import pytest

from report.artifacts.fields import Count, Digest, parse_fields

NAME = "0" * 64


@dataclass(frozen=True)
class Stone:
    name: Digest
    grams: Count
    round: bool = False


@dataclass(frozen=True)
class Beach:
    title: str
    degrees: float
    stones: Annotated[tuple[Stone, ...], msgspec.Meta(max_length=2)]
    shells: dict[str, Stone]
    names: dict[Digest, str]


STONE = {"name": NAME, "grams": 3}
BEACH = {"title": "North", "degrees": 4.5, "stones": [STONE], "shells": {"a": STONE}, "names": {}}


def test_every_field_is_taken_and_a_default_stands_for_one_that_is_missing():
    beach = parse_fields(BEACH, Beach)
    assert beach == Beach("North", 4.5, (Stone(NAME, 3),), {"a": Stone(NAME, 3)}, {})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("title", None, "title is null, expected a text"),
        ("degrees", "4", 'degrees is "4", expected a number'),
        ("degrees", True, "degrees is true, expected a number"),
        ("stones", {}, "stones is {}, expected a list"),
        ("stones", [STONE] * 3, "expected a list of length <= 2"),
        ("stones", [STONE, 7], "stones[1] is 7, expected an object"),
        ("stones", [STONE | {"grams": 3.0}], "stones[0].grams is 3.0, expected a whole number"),
        ("stones", [STONE | {"round": 0}], "stones[0].round is 0, expected true or false"),
        ("stones", [{"name": NAME}], "stones[0].grams is missing"),
        ("shells", {"a": STONE, "b": STONE | {"grams": -1}}, 'shells["b"].grams is -1, expected'),
        ("shells", {"a": STONE, "b": {}}, 'shells["b"].name is missing'),
        ("shells", {"a": STONE | {"name": f"{NAME}\n"}}, r'0\n", expected a SHA-256'),
        ("shells", {"a": STONE | {"size": 1}}, "shells.a.size is no known field"),
        ("names", {"x": ""}, "a name in names can not be used, expected a SHA-256"),
        ("size", 1, "size is no known field"),
        ("", 1, "'' is no known field"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_value(name, value, message):
    with pytest.raises(ValueError) as error:
        parse_fields(BEACH | {name: value}, Beach)
    assert message in str(error.value)


@pytest.mark.parametrize("value", [None, [], 7, "text"])
def test_anything_but_an_object_is_refused(value):
    with pytest.raises(ValueError, match="^it is .*, expected an object$"):
        parse_fields(value, Beach)


def test_a_long_value_is_cut_and_unknown_fields_pass_where_that_is_asked_for():
    with pytest.raises(ValueError) as error:
        parse_fields(BEACH | {"degrees": "x" * 1000}, Beach)
    assert len(str(error.value)) < 150
    assert parse_fields(BEACH | {"size": 1}, Beach, more=True) == parse_fields(BEACH, Beach)
