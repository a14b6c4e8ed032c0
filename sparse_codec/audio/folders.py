"""Files below a folder: the one rule for sound to encode, to prepare, and to train on."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from sparse_codec.audio.decoder import AudioError

log = logging.getLogger(__name__)


def find_files(folder: str | Path, suffixes: Collection[str]) -> list[Path]:
    """Return the files below a folder that end with one of `suffixes`, by path.

    Links are followed, but not back to a folder that they lie in. Hidden files are left out, such
    as the resource forks of macOS ("._song.mp3"), and hidden folders with all they hold.
    A link that leads nowhere is returned if its name has such an end, so that reading it fails;
    of another, which may have been a folder, a warning is logged.
    Raises: AudioError for a folder that cannot be read.
    """
    return sorted(_walk(Path(folder), suffixes, ()))


def _walk(
    folder: Path, suffixes: Collection[str], above: tuple[tuple[int, int], ...]
) -> Iterator[Path]:
    """Yield files. above: device and inode of each folder that this one is in."""
    try:
        status = folder.stat()
        names = [name for name in os.listdir(folder) if not name.startswith(".")]
        paths = [(folder / name, (folder / name).is_dir()) for name in names]
    except OSError as error:
        raise AudioError(
            f"{error.filename or folder}: cannot be read ({error.strerror}); change who may read it"
        ) from error
    here = (status.st_dev, status.st_ino)
    if here in above:
        return
    for path, is_folder in paths:
        if is_folder:
            yield from _walk(path, suffixes, (*above, here))
        elif path.suffix.lower() in suffixes and (path.is_file() or is_broken_link(path)):
            yield path
        elif is_broken_link(path):
            log.warning("%s: is a link that leads nowhere; it is left out", path)


def is_broken_link(path: Path) -> bool:
    """Return whether a path is a link to something that is not there, or to itself."""
    return path.is_symlink() and not os.path.exists(path)
