"""The folder that a build replaces: it is ours, and is replaced as a whole or not at all."""

import glob
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import msgspec

from report.errors import SiteError
from report.site.manifest import GENERATOR, MANIFEST

LITTER = re.compile(r"\.DS_Store|\._.*|Thumbs\.db|desktop\.ini")  # left by file managers

if sys.platform != "win32":
    import fcntl


def check_target(out: Path) -> None:
    """Check that a site can be written at `out`, as is useful before long work.

    Raises: SiteError if the folder can not be written, or holds anything but a site of ours.
    """
    out = Path(out).resolve()
    marks = _marks_of(out)
    if out.exists() and not _is_replaceable(out, marks):
        raise SiteError(
            f"{out} is not a site built here and would be replaced; "
            "choose another folder, or empty this one"
        )
    if marks and (stranger := min(_strangers(out, marks), default=None)):
        raise SiteError(
            f"{stranger} was not built here and would be deleted; "
            "move it away, or choose another folder for the site"
        )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        os.rmdir(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise SiteError(
            f"cannot write the site {out}: {error.strerror or error}; choose another folder"
        ) from error


@dataclass
class _Marks:
    """The fields of a manifest that show what a folder is; others may be of another schema."""

    generator: str
    files: dict[str, msgspec.Raw] | list[str] = field(default_factory=dict)


def _marks_of(out: Path) -> _Marks | None:
    try:
        return msgspec.json.decode((out / MANIFEST).read_bytes(), type=_Marks)
    except (OSError, ValueError, msgspec.MsgspecError, RecursionError):
        return None


def _is_replaceable(out: Path, marks: _Marks | None) -> bool:
    """Tell whether `out` is an empty folder or a site of ours."""
    if marks is not None:
        return marks.generator == GENERATOR
    try:
        return out.is_dir() and not any(out.iterdir())
    except OSError:
        return False


def _strangers(out: Path, marks: _Marks) -> Iterator[Path]:
    """Yield the files in the folder that its manifest does not name, such as a CNAME or .git."""
    for folder, _, files in os.walk(out):
        below = Path(folder).relative_to(out).as_posix()
        for file in files:
            name = file if below == "." else f"{below}/{file}"
            if name != MANIFEST and name not in marks.files and not LITTER.fullmatch(file):
                yield Path(folder, file)


@dataclass
class Target:
    """A new folder, and a last check of the folder that it replaces."""

    folder: Path
    check: Callable[[], None] = lambda: None  # raises SiteError if that may not be replaced


@contextmanager
def replacing(out: Path) -> Iterator[Target]:
    """Yield a new folder, which replaces `out` at the end.

    Raises: SiteError if something can not be written. After any error `out` is as it was.
    """
    # Processes of two machines or containers may have the same number.
    folder = out.with_name(f".{out.name}.building-{uuid4().hex}")
    target = Target(folder)
    try:
        _put_back(out)
        folder.mkdir()
        yield target
        _swap(folder, out, target.check)
    except OSError as error:
        raise SiteError(f"cannot write the site {out}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _swap(new: Path, out: Path, check: Callable[[], None] = lambda: None) -> None:
    """Move the folder `new` to `out` after a check. If that fails, the old `out` comes back."""
    with _locked(out):
        check()
        if not out.exists():
            os.rename(new, out)
            return
        old = out.with_name(f".{out.name}.replaced-{os.getpid()}")
        os.rename(out, old)
        try:
            os.rename(new, out)
        except BaseException:
            os.rename(old, out)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _put_back(out: Path) -> None:
    """Bring back the old site if a build was killed while it replaced that."""
    with _locked(out):
        for old in out.parent.glob(f".{glob.escape(out.name)}.replaced-*"):
            if out.exists():
                shutil.rmtree(old, ignore_errors=True)
            else:
                os.rename(old, out)


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Keep other builds from replacing `out` meanwhile; they wait.

    The holder deletes the lock's file. A build that waited for a deleted file takes a new one.
    """
    if sys.platform == "win32":  # it has no such locks
        yield
        return
    path = out.with_name(f".{out.name}.lock")
    while True:
        with open(path, "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file.fileno()).st_nlink:
                try:
                    yield
                finally:
                    path.unlink()
                return
