"""A folder of sounds as items by systems: the rows and columns of a Grid."""

import itertools
from collections.abc import Iterable
from pathlib import Path

import soundfile as sf

from report.errors import ReportError

SEPARATORS = ("__", "--", "_", "-", ".", " ")
HALF = 0.5  # of a table: with fewer sounds than that in it, it says nothing

Table = dict[str, dict[str, Path]]  # item -> system -> file, relative to the folder
Cell = tuple[str, str, Path]  # item, system, file


def table_of(folder: Path) -> Table:
    """Return the sounds of a folder and its subfolders: item -> system -> file.

    In subfolders, files of the same name are one item by several systems, or the other way round if
    there are more subfolders than names. Names of files in one folder are taken apart where that
    makes the fullest table, as "song_model.wav" is. Without any table, each sound is an item.
    Raises: ReportError if there are no sounds.
    """
    files = sorted(path.relative_to(folder) for path in sounds_in(folder))
    if not files:
        raise ReportError(f"there are no sounds in {folder}, nor in the folders in it")
    named = [(file.with_suffix("").as_posix(), "sound", file) for file in files]
    cells = named
    if all(len(file.parts) > 1 for file in files):
        apart = [(file.stem, file.parent.as_posix(), file) for file in files]
        cells = apart if _fullness(apart) > HALF else named
    elif len(files) > 1:
        cells = _taken_apart(files) or named
    items, systems = ({cell[i] for cell in cells} for i in (0, 1))
    if len(systems) > len(items) > 1:  # there are more items than systems
        cells = [(system, item, file) for item, system, file in cells]
    table: Table = {}
    for item, system, file in cells:
        row = table.setdefault(item, {})
        if system in row:
            raise ReportError(
                f"{folder} has {row[system]} and {file}, which differ in nothing but what is "
                "behind the dot; rename one"
            )
        row[system] = file
    return table


def sounds_in(folder: Path) -> Iterable[Path]:
    """Yield the files in a folder and in its folders that have the suffix of a sound."""
    formats = sf.available_formats().keys() - {"RAW"}  # which has no rate
    suffixes = {f".{name.lower()}" for name in formats} | {".aif", ".oga"}
    for path in itertools.chain(folder.glob("*"), folder.glob("*/*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in suffixes and path.is_file() and not hidden:
            yield path


def _taken_apart(files: list[Path]) -> list[Cell]:
    """Return the cells that the names of files make; none if they fill less than half a table."""
    best: list[Cell] = []
    for separator, last in itertools.product(SEPARATORS, (True, False)):
        cells = []
        for file in files:
            name = file.with_suffix("").as_posix()
            item, _, system = name.rpartition(separator) if last else name.partition(separator)
            if item and system:
                cells.append((item, system, file))
        if len(cells) == len(files) and _fullness(cells) > max(HALF, _fullness(best)):
            best = cells
    return best


def _fullness(cells: list[Cell]) -> float:
    """Return the share of a table that cells fill."""
    items, systems = ({cell[i] for cell in cells} for i in (0, 1))
    return len({cell[:2] for cell in cells}) / max(1, len(items) * len(systems))
