"""JSON becomes dataclasses, strictly; an error names the field, its value and what it has to be.

Types say what is allowed, as in `bytes: Annotated[int, msgspec.Meta(ge=0)]`.
"""

import dataclasses
import json
import re
from typing import Annotated, Any, TypeVar

import msgspec

T = TypeVar("T")

# \Z, since $ also matches before a line break at the end.
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]  # a SHA-256
Count = Annotated[int, msgspec.Meta(ge=0)]
# Control characters could garble a terminal.
Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]

WORDS = {  # for the library's names of types
    r"`str` matching regex '^[0-9a-f]{64}\\Z'": "a SHA-256",
    r"`str` matching regex '^[^\\x00-\\x1f\\x7f-\\x9f]*\\Z'": "a text without control characters",
    "`int | float`": "a number",
    "`str`": "a text",
    "`int`": "a whole number",
    "`float`": "a number",
    "`bool`": "true or false",
    "`array`": "a list",
    "`object`": "an object",
}
MESSAGE = re.compile(r"(.*?)(?: - at `(key` in `)?\$(.*)`)?", re.DOTALL)
STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")  # of a path such as $.files[...].inputs[2]


def parse_fields(fields: object, kind: type[T], more: bool = False) -> T:
    """Return the dataclass `kind` with the values that `json.loads` made of an object.

    Nothing is converted silently: "1", 1.0 and true are no whole numbers. A field may be missing
    only if it has a default, and unknown ones are refused unless `more` is set.
    Raises: ValueError such as `events[1].gain is -1, expected a whole number >= 0`.
    """
    try:
        result = msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise ValueError(_explain(str(error), fields, kind)) from error
    unknown = None if more else _unknown(fields, msgspec.to_builtins(result))
    if unknown is not None:
        raise ValueError(f"{unknown or repr('')} is no known field")
    return result


def _explain(message: str, fields: object, kind: type) -> str:
    """Return the library's message with the place and the value, in words for readers of JSON."""
    match = MESSAGE.fullmatch(message)
    assert match, message
    reason, of_key, path = match.groups()
    place, value = _locate(path or "", fields, kind)
    if reason.startswith("Object missing required field"):
        return f"{place}.{reason.split('`')[1]}".removeprefix(".") + " is missing"
    if not reason.startswith("Expected "):
        return f"{place}: {reason}"
    expected = reason.partition(", got ")[0].replace("Expected", "expected")
    for name, words in WORDS.items():
        expected = expected.replace(name, words)
    if of_key:
        return f"a name in {place} can not be used, {expected}"
    return f"{place or 'it'} is {json.dumps(value, default=repr)[:80]}, {expected}"


def _locate(path: str, fields: object, kind: type) -> tuple[str, object]:
    """Return a path with the keys that the library leaves out ("[...]"), and the value there.

    It names the key in a table that is a field of `kind`, and stops at a table further inside.
    """
    place = ""
    value: Any = fields
    for name, index in STEP.findall(path):
        if name:
            place, value = f"{place}.{name}", value[name]
        elif index != "...":
            place, value = f"{place}[{index}]", value[int(index)]
        elif "[" in place:
            break
        else:
            types = {field.name: field.type for field in dataclasses.fields(kind)}
            table = types[place.removeprefix(".")]
            key, value = _wrong_item(value, table)
            place = f"{place}[{json.dumps(key)[:80]}]"
    return place.removeprefix("."), value


def _wrong_item(items: dict[str, object], table: Any) -> tuple[str, object]:
    """Return the first item that can not be in a table of this type."""
    for key, value in items.items():
        try:
            msgspec.convert({key: value}, table)
        except msgspec.ValidationError:
            return key, value
    raise AssertionError("every item can be in the table")


def _unknown(fields: object, known: object) -> str | None:
    """Return the path of the first name in `fields`, a JSON object, that `known` lacks, or None."""
    if fields == known or not isinstance(fields, dict) or not isinstance(known, dict):
        return None
    for name, value in fields.items():
        if name not in known:
            return str(name)
        inner = _unknown(value, known[name])
        if inner is not None:
            return f"{name}.{inner}"
    return None
