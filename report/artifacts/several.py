"""Calls that return a tuple or list of media, or a dict of them: each is an artifact of its own.

The result of the call itself is the list of these, stored as JSON. The annotation of the function
says that there are several, as in `-> tuple[Sound, Array]` or `-> dict[str, Sound]`.
"""

import hashlib
import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from report.artifacts.media import Encoded, Media, encode
from report.artifacts.record import Record

MEMBER = re.compile(r"\w[\w.-]{0,59}")
EXAMPLES = "annotate it, as in `-> tuple[Sound, Array]` or `-> dict[str, Sound]`"


@dataclass(frozen=True)
class Expected:
    """The things that a function says it returns."""

    container: type | None  # tuple or dict; None: one medium
    kinds: tuple[Any, ...]  # of the medium, of each item of a tuple, or of all
    count: int | None = None  # of items, if it is known


def expected_of(function: Callable[..., Any]) -> Expected:
    """Return what a function's annotation says. One medium of any kind if it says nothing."""
    annotation = _return_type(function)
    container = get_origin(annotation) or annotation
    kinds = get_args(annotation)
    if container is dict:
        return Expected(dict, kinds[1:])
    if container not in (tuple, list):
        return Expected(None, (annotation,))
    if container is list or not kinds or kinds[-1] is ...:
        return Expected(tuple, kinds[:1])
    return Expected(tuple, kinds, len(kinds))


def _return_type(function: Callable[..., Any]) -> Any:
    """Return the annotation of the result. Those of arguments may name what no module imports."""
    annotation = inspect.get_annotations(function).get("return")
    if not isinstance(annotation, str):
        return annotation
    return eval(annotation, inspect.unwrap(function).__globals__)


def encode_result(result: Any, function: Callable[..., Any]) -> tuple[Encoded, dict[str, Encoded]]:
    """Return the media file of a call, and those of its members if it has several.

    Raises: TypeError if the function returned something else than it says.
    """
    name, expected = function.__qualname__, expected_of(function)
    if isinstance(result, list) and (expected.container is tuple or _are_media(result)):
        result = tuple(result)
    if expected.container is None:
        if isinstance(result, tuple | dict):
            raise TypeError(f"{name} returned a {type(result).__name__}; {EXAMPLES}")
        _check_medium(name, result, expected.kinds[0])
        return encode(result), {}
    if not isinstance(result, tuple | dict) or not isinstance(result, expected.container):
        raise TypeError(
            f"{name} returned {type(result).__name__}; it has to return a "
            f"{expected.container.__name__} of media, as it says"
        )
    members = _members(name, result)
    if expected.count not in (None, len(members)):
        raise TypeError(f"{name} returned {len(members)} media; it says {expected.count}")
    for i, (member, medium) in enumerate(members.items()):
        kinds = expected.kinds
        kind = kinds[i] if expected.count else (kinds[0] if kinds else None)
        _check_medium(f"{name} as {member}", medium, kind)
    encoded = {member: encode(medium) for member, medium in members.items()}
    return _list_of(encoded, expected.container), encoded


def member_key(key: str, member: str) -> str:
    """Return the key of a member: its first half is that of the call, by which people name it."""
    return key[:32] + hashlib.sha256(f"{key}/{member}".encode()).hexdigest()[:32]


def members_of(record: Record) -> list[str]:
    """Return the names of the members of a call; none if its result is one medium."""
    members = record.info.get("members")
    return list(members) if isinstance(members, Mapping) else []


def _members(name: str, result: tuple | dict) -> dict[str, Any]:
    if isinstance(result, tuple):
        return {str(i): medium for i, medium in enumerate(result, start=1)}
    for key in result:
        if not isinstance(key, str) or not MEMBER.fullmatch(key):
            raise TypeError(
                f"{name} returned a dict with the key {key!r}; use letters, digits, _, - and ."
            )
    return result


def _check_medium(name: str, medium: object, annotation: object) -> None:
    """Raise TypeError for what is no medium, or none of the kind that the function says."""
    media = get_args(Media)
    kinds = (annotation,) if annotation in media else media
    if isinstance(medium, kinds):
        return
    expected = ", ".join(kind.__name__ for kind in kinds)
    if kinds is media:
        expected += ", or a tuple or dict of them"
    hint = "" if isinstance(medium, media) else _hint_for(medium)
    raise TypeError(f"{name} returned {type(medium).__name__}; it has to return {expected}{hint}")


def _are_media(values: list) -> bool:
    return bool(values) and all(isinstance(value, get_args(Media)) for value in values)


def _hint_for(value: object) -> str:
    """Say in which medium a value is kept; "" if that is not known."""
    if callable(getattr(value, "get_params", None)):
        return (
            "; an estimator is no artifact: return Array(model.components_), say, or "
            "Weights({name: array})"
        )
    if hasattr(value, "state_dict"):
        return "; return Weights(model.state_dict())"
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return "; return Array(values)"
    if value is None or isinstance(value, str | int | float | list):
        return "; return Data(value)" if value is not None else "; does it lack its return?"
    return ""


def _list_of(encoded: dict[str, Encoded], container: type) -> Encoded:
    hashes = {name: hashlib.sha256(medium.data).hexdigest() for name, medium in encoded.items()}
    text = json.dumps({container.__name__: list(hashes.items())}, separators=(",", ":"))
    types = {name: str(medium.media_type) for name, medium in encoded.items()}
    return Encoded(text.encode(), "application/json", {"members": types})
