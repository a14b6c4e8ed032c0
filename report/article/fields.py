"""Checks of what authors give to components: an error names the field, its value, and the mend.

They run where a component is made, so that the line of the script is named too.
"""

from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta
from enum import Enum
from numbers import Integral, Number, Real
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

import numpy as np

from report.artifacts.session import Artifact

COMPONENTS = tuple(
    f"report.article.{module}" for module in ("components", "listening_tests", "ratings")
)
# Values that are shown as the text that they have.
Plain = str | Number | np.bool_ | date | time | timedelta


def check_text(owner: object, *names: str) -> None:
    """Raise TypeError unless these fields are strings."""
    for name in names:
        value = getattr(owner, name)
        if not isinstance(value, str):
            raise TypeError(f"{place(owner, name)} is {describe(value)}; give a str")
        check_encodable(place(owner, name), value)


def check_encodable(where: str, text: str) -> None:
    """Raise ValueError for half of a surrogate pair, which no page can hold."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        text = str(text)  # of Markup
        around = text[max(error.start - 20, 0) : error.end + 20]
        raise ValueError(
            f"{where} has {text[error.start]!r}, which is no character, in {around!r}; "
            "it may be from the name of a file that is not UTF-8: rename the file"
        ) from error


def check_name(where: str, name: str) -> None:
    """Raise ValueError for a name of white space, by which nobody finds what it names."""
    if not name.strip():
        raise ValueError(f"{where} is empty; give a text that tells it from others")


def check_flag(owner: object, name: str) -> None:
    """Raise TypeError unless a field is True or False."""
    value = getattr(owner, name)
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{place(owner, name)} is {describe(value)}; give True or False")


def check_list(where: str, value: object) -> None:
    """Raise TypeError unless `value` is a list or a tuple."""
    if isinstance(value, list | tuple):
        return
    hint = "give a list"
    if isinstance(value, Iterator | range):
        hint = hint_for(value)
    elif hasattr(value, "tolist"):
        hint = "give a list, as its tolist() is"
    raise TypeError(f"{where} is {describe(value)}; {hint}")


def check_whole(where: str, value: object) -> None:
    """Raise TypeError unless `value` is a whole number."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{where} is {describe(value)}; give a whole number")


def check_share(where: str, value: object) -> None:
    """Raise TypeError or ValueError unless `value` is a number in 0..1."""
    if not isinstance(value, Real):
        raise TypeError(f"{where} is {describe(value)}; give a number in 0..1")
    if not -1e-6 <= float(value) <= 1 + 1e-6:  # also of NaN
        raise ValueError(f"{where} is {float(value):g}; give a number in 0..1")


# Artifacts


def check_artifact(where: str, value: object, kind: str) -> None:
    """Raise TypeError unless `value` is an artifact of a kind: see `kind_of`."""
    if not isinstance(value, Artifact):
        hint = hint_for(value) or f"give {kind}, such as a function with @conjure returns"
        raise TypeError(f"{where} is {describe(value)}; {hint}")
    if kind != kind_of(value) and not is_stand_in(value):
        raise TypeError(f"{where} is {kind_of(value)}, not {kind}: {call(value)} made it")


def kind_of(artifact: Artifact) -> str:
    """Return "a sound", "a picture", "a film", "an array", "weights" or "data"."""
    if artifact.media_type.startswith("audio/"):
        return "a sound"
    if artifact.media_type.startswith("image/"):
        return "a film" if "n_frames" in artifact.info else "a picture"
    kinds = {"application/x-npy": "an array", "application/x-safetensors": "weights"}
    return kinds.get(artifact.media_type, "data")


def is_stand_in(artifact: Artifact) -> bool:
    """Tell whether `plan` put it in place of an artifact that may be of another kind or size."""
    return artifact.record.bytes == 0


def call(artifact: Artifact) -> str:
    """Return the call that made an artifact, as its author wrote it."""
    return f"{artifact.record.function.rpartition('.')[2]}(…)"


# Words


def place(owner: object, name: str) -> str:
    """Return a field's name as in "Player.title"."""
    return f"{type(owner).__name__}.{name}"


def describe(value: object) -> str:
    """Return what a value is, in a few words."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, Artifact):
        return f"{kind_of(value)}, which {call(value)} made"
    if isinstance(value, str):
        return f"the str {_short(repr(value))}"
    if isinstance(value, Number):
        return f"the number {_short(str(value))}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, FunctionType | BuiltinFunctionType | MethodType):
        return f"the function {value.__name__}"
    if isinstance(value, ModuleType):
        return f"the module {value.__name__}"
    shape = getattr(value, "shape", None)
    size = f" of shape {tuple(shape)}" if isinstance(shape, tuple) else ""
    name = full_name(type(value))
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}{size}"


def full_name(kind: type) -> str:
    """Return a class's name, with its package if that is a library or report."""
    package = kind.__module__.partition(".")[0]
    plain = package == "builtins" or kind.__module__ in COMPONENTS
    return (
        kind.__name__ if plain or package.startswith("article_") else f"{package}.{kind.__name__}"
    )


def hint_for(value: object) -> str:
    """Return how to show a value that can not be shown as it is; "" if nothing fits."""
    package = type(value).__module__.partition(".")[0]
    if isinstance(value, FunctionType | BuiltinFunctionType | MethodType | type):
        return f"call it, as in {value.__name__}(…)"
    if isinstance(value, Iterator | range):
        return "put it into a list, as in [*values]"
    if isinstance(value, Mapping | set | frozenset):
        return "make a Table of it, or show str(…) of it"
    if package == "matplotlib":
        return "a drawing call returned it: end the cell with its figure, or with None"
    if package in ("numpy", "torch"):
        if getattr(value, "shape", None) == ():
            return "show the number in it, its item()"
        return (
            "a sound needs its samplerate: Sound(samples, 44100); a picture is Picture(pixels, alt)"
        )
    return ""


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"


# Cells of tables


def cell_text(value: object) -> str | None:
    """Return the text of a table's cell, a dash for None; None for a value that is not plain."""
    if value is None:
        return "–"
    if isinstance(value, Enum):
        return cell_text(value.value)
    return str(value) if isinstance(value, Plain) else None


def is_number(cell: object) -> bool:
    """Tell whether a cell holds a number, perhaps with a sign, dB or %, or a dash for none."""
    text = cell_text(cell)
    if text is None:
        return False
    text = text.strip().removesuffix("%").removesuffix("dB").strip()
    try:
        float(text.replace("−", "-").replace(",", "").replace("\u202f", ""))
    except ValueError:
        return text in ("", "–", "—")
    return True
