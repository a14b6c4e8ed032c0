"""Load the templates, and the filters that they use."""

import functools
import string
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from report.article.prose import highlight_code, markdown
from report.number_formats import decibels, file_size, minus

LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"


def templates_folder() -> Path:
    """The templates: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    folders = (package / "templates", package.parent / "templates")
    return next(folder for folder in folders if folder.is_dir())


def render_template(name: str, **values: object) -> str:
    """Return a whole page, made from templates/NAME."""
    return environment().get_template(name).render(**values)


@functools.cache
def environment() -> Environment:
    """The Jinja environment of all templates."""
    environment = Environment(
        loader=FileSystemLoader(templates_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "axis": _axis,
        "decibels": decibels,
        "highlight": highlight_code,
        "kilobytes": file_size,
        "markdown": _markdown,
        "minus": minus,
        "peaks": peaks,
    }
    return environment


def _axis(marks: dict[str, float]) -> str:
    """Return the labels of an axis, each behind its share of the axis: "0.25 1 kHz|0.5 2 kHz"."""
    return "|".join(f"{share:.2g} {text}" for text, share in marks.items())


def _markdown(text: str) -> Markup:
    return Markup(markdown().render(text))


def peaks(pairs: list[list[int]]) -> str:
    """Return a waveform, given as (min, max) pairs in -127..127, for templates/scripts/ to draw.

    Each pair becomes two letters: its height above zero, and its depth below. These are square
    roots of levels: quiet sounds stay visible, and louder is still higher in every player.
    """
    return "".join(_letter(high) + _letter(-low) for low, high in pairs)


def _letter(level: int) -> str:
    return LETTERS[round(63 * (max(0, level) / 127) ** 0.5)]
