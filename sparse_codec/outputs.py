"""Write files whole or not at all: beside their place first, and moved there at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

STREAM = "-"  # as a path: standard input or output


class OutputError(ValueError):
    """A file that cannot be written; the message names it and the fix."""


def check_output(path: str | Path, suffixes: Collection[str] = ()) -> None:
    """Raise OutputError before hours of work if `path` could not be written at their end.

    suffixes: the formats that the caller can write; empty allows any.
    """
    if path == STREAM:
        return
    if suffixes and not is_stream(path) and Path(path).suffix.lower() not in suffixes:
        raise OutputError(
            f"{path}: tells no format that can be written here; end it with {', '.join(suffixes)}"
        )
    folder = Path(path).parent
    if not folder.is_dir():
        raise OutputError(
            f"{path}: there is no folder {folder}; make it first, or give another output"
        )
    if Path(path).is_dir():
        raise OutputError(f"{path}: is a folder; name the file in it")
    if not os.access(path if Path(path).exists() else folder, os.W_OK):
        raise OutputError(
            f"{path}: may not be written; give another output, or change who may write there"
        )


def printable(name: str) -> str:
    r"""Return a file's name as text that any program can store.

    Bytes that are no UTF-8, which Python keeps as lone surrogates, become escapes such as \xe9.
    """
    return os.fsencode(name).decode(errors="backslashreplace")


def make_folder(path: Path) -> None:
    """Make a folder and all folders above it. Raises: OutputError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{path}: no folder can be made there ({error.strerror}); give another output"
        ) from error


def is_stream(path: str | Path) -> bool:
    """Return whether a path is standard output, a pipe or a device, which cannot be replaced.

    Bytes that are written to it are gone at once.
    """
    if path == STREAM:
        return True
    place = Path(path)
    return place.exists() and not place.is_file() and not place.is_dir()


@contextmanager
def partial_file(path: str | Path) -> Iterator[Path]:
    """Yield a path to write to, `path` with ".part" at its end; it takes the place of `path` after.

    An exception deletes it instead. Raises: OutputError for an OSError of the writing.
    """
    partial = Path(path).with_name(Path(path).name + ".part")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}); make room, or give another output"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def open_output(path: str | Path) -> Iterator[BinaryIO]:
    """Yield a binary file to write to. It becomes `path` once whole; a stream gets bytes at once.

    Raises: OutputError; BrokenPipeError if the reader of a stream has gone.
    """
    if path == STREAM:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif is_stream(path):
        try:
            with open(path, "wb") as file:
                yield file
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(
                f"{path}: cannot be written ({error.strerror}); give another output"
            ) from error
    else:
        with partial_file(path) as partial, partial.open("wb") as file:
            yield file
