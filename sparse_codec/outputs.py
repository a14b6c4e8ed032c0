"""Files that are there whole or not at all: they are written beside their place, and moved there at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

STREAM = "-"  # in the place of a file: standard input or output


class OutputError(ValueError):
    """A file that cannot be written; the message names it and the fix."""


def check_output(path: str | Path, suffixes: Collection[str] = ()) -> None:
    """Before hours of work. Raises: OutputError if a file of one of these kinds could not be written at their end."""
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


def make_folder(path: Path) -> None:
    """With all folders above it. Raises: OutputError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{path}: no folder can be made there ({error.strerror}); give another output"
        ) from error


def is_stream(path: str | Path) -> bool:
    """Whether what is written goes away at once: standard output, a pipe or a device, which can not be replaced."""
    return (
        path == STREAM
        or Path(path).exists()
        and not Path(path).is_file()
        and not Path(path).is_dir()
    )


@contextmanager
def partial_file(path: str | Path) -> Iterator[Path]:
    """A path to write to, `path` with ".part" at its end, which takes `path`'s place if all goes well.

    If not, it is deleted. Raises: OutputError instead of an OSError of the writing.
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
    """A binary file to write to, which appears as `path` once it is whole; a stream is written to as it comes.

    Raises: OutputError; BrokenPipeError if whoever reads a stream has gone.
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
