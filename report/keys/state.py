"""The state of an object: its attributes and slots, and whether it holds anything else."""

import dataclasses
import functools
import struct
import types
from collections.abc import Iterator

POINTER = struct.calcsize("P")  # bytes that an object takes for each slot
MADE_AT_RUN_TIME = 1 << 9  # the flag of types that a class statement makes, Py_TPFLAGS_HEAPTYPE


def state_of(value: object, base: type) -> list[tuple[str, object]]:
    """Return the attributes and slots that a value has beside those of its base, by name.

    Results of cached_property are left out: they follow from the rest.
    """
    kind: type = type(value)
    state = [
        (name, item)
        for name, item in sorted(getattr(value, "__dict__", {}).items())
        if not isinstance(getattr(kind, name, None), functools.cached_property)
    ]
    for layer in layers(kind, base):
        for name, slot in _slots(layer):
            try:
                state.append((name, slot.__get__(value)))
            except AttributeError:  # it holds nothing
                continue
    if dataclasses.is_dataclass(value):  # a field that is not set is a default of the class
        seen = {name for name, _ in state}
        for field in dataclasses.fields(value):
            if field.name not in seen and hasattr(value, field.name):
                state.append((field.name, getattr(value, field.name)))
    return state


@functools.lru_cache(maxsize=4096)
def layers(kind: type, base: type) -> list[type]:
    """Return the classes that a type has beside its base and what that inherits from."""
    return [layer for layer in kind.__mro__ if layer not in base.__mro__]


@functools.lru_cache(maxsize=4096)
def hiding_class(kind: type, base: type) -> type | None:
    """Return a class that gives its instances memory which no attribute shows; None if none does.

    Classes written in C can do so. One that takes no more memory than its slots does not.
    """
    for layer in layers(kind, base):
        parent = layer.__base__
        if parent is None:
            continue
        visible = len(list(_slots(layer)))
        visible += bool(layer.__dictoffset__) and not parent.__dictoffset__
        visible += bool(layer.__weakrefoffset__) and not parent.__weakrefoffset__
        hidden = layer.__basicsize__ - parent.__basicsize__ > POINTER * visible
        if hidden or layer.__itemsize__ > parent.__itemsize__:
            return layer
    return None


def shows_all(kind: type) -> bool:
    """Return True for a class of Python whose objects hold all in attributes and slots.

    Members of a class written in C may show an address instead of what lies there.
    """
    *above, base = kind.__mro__
    return all(map(is_made_at_run_time, above)) and hiding_class(kind, base) is None


def is_made_at_run_time(kind: type) -> bool:
    """Return True for classes of Python, and False for most of those written in C."""
    return bool(kind.__flags__ & MADE_AT_RUN_TIME)


def _slots(layer: type) -> Iterator[tuple[str, types.MemberDescriptorType]]:
    for name, item in vars(layer).items():
        if isinstance(item, types.MemberDescriptorType):
            yield name, item
