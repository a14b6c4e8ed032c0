"""Load the templates, and the filters that they use."""

import functools
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from report.article.prose import highlight_code, markdown
from report.listening.design import Design, design_json, digest
from report.number_formats import decibels, file_size, minus


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
        "design_json": _design_json,
        "digest": digest,
        "highlight": highlight_code,
        "kilobytes": file_size,
        "markdown": _markdown,
        "minus": minus,
    }
    return environment


def _axis(marks: dict[str, float]) -> str:
    """Return the labels of an axis, each behind its share of the axis: "0.25 1 kHz|0.5 2 kHz"."""
    return "|".join(f"{share:.2g} {text}" for text, share in marks.items())


def _markdown(text: str) -> Markup:
    return Markup(markdown().render(text))


def _design_json(design: Design) -> Markup:
    """Return the bytes whose hash is the design's digest; there is nothing to escape in them."""
    return Markup(design_json(design).decode())
