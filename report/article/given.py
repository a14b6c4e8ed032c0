"""Values that authors give as they have them: sounds, files, drawings, frames.

They are stored by their content, as any artifact is: their record says that `by_content` made them,
or `sound_file` or `local_image` if they came in a file.
"""

import dataclasses
import io
import math
from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np
import soundfile as sf
from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from report.article.fields import Plain, check_artifact, describe, place
from report.article.images import local_image, pixels_of
from report.artifacts.media import (
    Data,
    Figure,
    Media,
    Picture,
    Sound,
    encode_figure,
)
from report.artifacts.session import Artifact, conjure, script_folder


@conjure
def by_content(content):  # type: ignore[no-untyped-def]  # so that media of all kinds may come
    """Return what was given, so that it is stored."""
    return content


@conjure
def sound_file(file: Path) -> Sound:
    """Return the sound in a file, at its own rate. Raises: ValueError if it is damaged."""
    try:
        return Sound(*sf.read(file, dtype="float32"))
    except sf.LibsndfileError as error:
        raise ValueError(f"{file.name} is damaged: {error}") from error


# Artifacts


def is_given(value: object) -> bool:
    """Tell whether a cell may show a value that is stored by its content."""
    if isinstance(value, Artifact):
        return False
    return isinstance(value, (*get_args(Media), Path)) or _drawn_by(value) != ""


def artifact_of(value: Any) -> Artifact:
    """Return the artifact of a value that `is_given`.

    Raises: ValueError for a file that is not there, or is no sound or picture; ImportError if a
    drawing needs a library that is not there.
    """
    if isinstance(value, Path):
        return _file(value)
    drawn_by = _drawn_by(value)
    if drawn_by == "PIL":
        value = Picture(pixels_of(value), _picture_words(value))
    elif drawn_by == "plotly":
        value = _plotly_picture(value)
    elif drawn_by == "matplotlib":
        value = Figure(value, _figure_words(value))
    if isinstance(value, Figure):
        value = _figure_picture(value)
    return by_content(value)


def title_of(value: object) -> str:
    """Return a title for a value that `is_given`: the name of its file, or what it is."""
    if isinstance(value, str | Path):
        return Path(value).stem.replace("_", " ").strip() or "Sound"
    return "Sound"


def take(owner: object, name: str, kind: str, samplerate: object = None) -> None:
    """Let a field of a component be an artifact of a kind. Raises: as `taken`."""
    artifact = taken(place(owner, name), getattr(owner, name), kind, samplerate)
    object.__setattr__(owner, name, artifact)


def take_optional(owner: object, name: str, kind: str) -> None:
    """Let a field be an artifact of a kind, unless it is None. Raises: as `taken`."""
    if getattr(owner, name) is not None:
        take(owner, name, kind)


def taken(where: str, value: Any, kind: str, samplerate: object = None) -> Artifact:
    """Return an artifact of a kind, stored by content if it is none yet.

    A text is the path of a file. An array is a sound at `samplerate` Hz.
    Raises: TypeError or ValueError that says where, if it is another kind of value or artifact.
    """
    try:
        if isinstance(value, str):
            value = Path(value)
        elif kind == "a sound" and samplerate is not None:
            value = _sound(value, samplerate)
        if is_given(value):
            value = artifact_of(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {error}") from error
    check_artifact(where, value, kind)
    return value


def check_samplerate(where: str, samplerate: object) -> None:
    """Raise TypeError unless this is None or a whole number; a Sound checks its range."""
    if samplerate is not None and (
        not isinstance(samplerate, Integral) or isinstance(samplerate, bool)
    ):
        raise TypeError(f"{where} is {describe(samplerate)}; give whole Hz, such as 44100")


def _sound(value: Any, samplerate: Any) -> Any:
    """Return the sound of an array or a tensor; anything else as it is."""
    if hasattr(value, "detach"):  # of PyTorch
        value = value.detach().cpu().numpy()
    is_numbers = isinstance(value, list) and all(isinstance(x, Real) for x in value)
    if not isinstance(value, np.ndarray) and not is_numbers:
        return value
    return Sound(np.asarray(value), samplerate)


def _file(path: Path) -> Artifact:
    path = _found(path)
    try:
        sf.info(path)
    except sf.LibsndfileError:
        pass
    else:
        return sound_file(path)
    try:
        with PillowImage.open(path):
            return local_image(path, path.stem.replace("_", " "))
    except UnidentifiedImageError:
        raise ValueError(
            f"{path.name} is no sound that libsndfile reads, and no PNG, JPEG, WebP or GIF"
        ) from None


def _found(path: Path) -> Path:
    """Return where a file is: beside the script, or in the working folder."""
    folder = script_folder()
    beside = [folder / path] if folder else []
    for candidate in (*beside, path.expanduser()):
        if candidate.is_file():
            return candidate.absolute()
        if candidate.is_dir():
            raise ValueError(f"{path} is a folder; give a file")
    where = "beside the script" if folder else "in the working folder"
    raise ValueError(f"there is no file {path} {where}")


# Drawings


def _drawn_by(value: object) -> str:
    """Return the library whose figure or image a value is, or ""."""
    for kind in type(value).__mro__:
        package = kind.__module__.partition(".")[0]
        if package in ("matplotlib", "plotly") and kind.__name__ in ("Figure", "BaseFigure"):
            return package
    return "PIL" if isinstance(value, PillowImage.Image) else ""


def _figure_picture(figure: Figure) -> Picture:
    """Return the picture of matplotlib's figure, which is then closed."""
    encoded = encode_figure(figure)
    with PillowImage.open(io.BytesIO(encoded.data)) as image:
        pixels = pixels_of(image)
    return Picture(pixels, figure.alt, plot=encoded.info.get("plot"))


def _plotly_picture(figure: Any) -> Picture:
    try:
        data = figure.to_image(format="png", scale=2)
    except Exception as error:  # of plotly, kaleido and a browser: errors of many kinds
        said = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ")
        raise ValueError(
            f"plotly made no picture of its figure ({said}); it needs the package kaleido, and "
            "Chrome or Chromium, which BROWSER_PATH names if it is not found; a busy machine may "
            "need a second try"
        ) from error
    title = figure.layout.title.text or "A plot without a title"
    with PillowImage.open(io.BytesIO(data)) as image:
        return Picture(pixels_of(image), str(title))


def _figure_words(figure: Any) -> str:
    """Return a text for those who can not see a figure, from its titles and labels."""
    words = [figure.get_suptitle()]
    for axes in figure.axes:
        labels = [label for label in (axes.get_ylabel(), axes.get_xlabel()) if label]
        words += [axes.get_title(), " against ".join(labels)]
    return "; ".join(word for word in words if word) or "A plot without title and labels"


def _picture_words(image: Any) -> str:
    name = Path(getattr(image, "filename", "")).stem.replace("_", " ")
    return name or f"A picture of {image.width} x {image.height} pixels"


# Tables


class Rows(NamedTuple):
    """A table: the names of its columns, and a list of cells for each row."""

    headers: list[str]
    cells: list[list[Any]]


def rows_of(value: Any) -> Rows | None:
    """Return the table of a frame of pandas or polars, or of dataclasses of one kind."""
    kind = type(value)
    library = kind.__module__.partition(".")[0]
    if library == "pandas" and kind.__name__ in ("DataFrame", "Series"):
        return _pandas_rows(value)
    if library == "polars" and kind.__name__ in ("DataFrame", "Series"):
        frame = value.to_frame() if kind.__name__ == "Series" else value
        return Rows(list(frame.columns), [list(map(_cell, row)) for row in frame.rows()])
    return _dataclass_rows(value)


def _pandas_rows(value: Any) -> Rows:
    frame = value.to_frame() if type(value).__name__ == "Series" else value
    counts = list(frame.index) == list(range(len(frame)))  # an index that says nothing
    frame = frame if counts else frame.reset_index()
    cells = [list(map(_cell, row)) for row in frame.itertuples(index=False, name=None)]
    return Rows([str(column) for column in frame.columns], cells)


def _dataclass_rows(value: Any) -> Rows | None:
    items = value if isinstance(value, list | tuple) else [value]
    kinds = {type(item) for item in items}
    kind = next(iter(kinds), type(None))
    if len(kinds) != 1 or not dataclasses.is_dataclass(kind):
        return None
    if kind.__module__.partition(".")[0] == "report":  # components, artifacts and media
        return None
    names = [field.name for field in dataclasses.fields(kind)]
    cells = [[_cell(getattr(item, name)) for name in names] for item in items]
    return Rows([name.replace("_", " ") for name in names], cells)


def _cell(value: Any) -> Any:
    """Return a cell of Python's own types; None for what is missing."""
    if isinstance(value, np.generic):
        value = value.item()
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def table_data(rows: Rows) -> Artifact | None:
    """Return a table as stored data, all digits kept; None if it has more than texts and numbers.

    Dates are texts there.
    """
    if not all(cell is None or isinstance(cell, Plain) for row in rows.cells for cell in row):
        return None
    cells = [[_json(cell) for cell in row] for row in rows.cells]
    return by_content(Data({"columns": rows.headers, "rows": cells}))


def short_cells(cells: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return the cells of a table with six digits of each broken number."""
    return [[f"{x:.6g}" if isinstance(x, float) else x for x in row] for row in cells]


def _json(cell: Any) -> Any:
    if cell is None or isinstance(cell, bool | int | str):
        return cell
    if isinstance(cell, float) and math.isfinite(cell):
        return cell
    return str(cell)
