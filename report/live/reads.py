"""The files that a build reads, noted by Python itself, whoever opens them.

A file that compiled code opens by itself is not seen. What is installed is left out, and so is
what the build writes: it would be built again for its own traces.
"""

import contextlib
import importlib.machinery
import importlib.util
import json
import os
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from pathlib import Path

from report.site.isolation import article_here

INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})
SYSTEM = ("/proc", "/dev", "/sys")
IMPORTING = importlib.machinery.PathFinder.find_spec.__globals__["__name__"]
OWN_NAMES = ("report.keys.libraries", "report.site.target")  # they look for files of their own
HELPERS = ("glob", "os", "pathlib", "shutil")  # list folders for those who call them
WRITING = os.O_WRONLY | os.O_RDWR


def note_reads(log: int) -> None:
    """Write to the descriptor `log` what this process and its copies open, for as long as they run.

    Each line is JSON: the article, or "" if it is for the whole site; how; and the path, or the
    name of a module that is looked for.
    """
    noted: set[tuple[str, str, str]] = set()

    def write(how: str, what: str) -> None:
        line = (article_here(), how, what)
        if line not in noted:
            noted.add(line)
            with contextlib.suppress(OSError):  # a copy may have closed it
                os.write(log, json.dumps(line).encode() + b"\n")  # whole: lines do not mix

    def note(how: str, path: object) -> None:
        if isinstance(path, str | bytes):  # no descriptor
            whole = os.path.abspath(os.fsdecode(path))
            if not is_installed(whole):
                write(how, whole)

    def hear(event: str, arguments: tuple) -> None:
        if event == "open":
            path, _mode, flags = arguments
            note("written" if flags & WRITING else "read", path)
        elif event in ("os.listdir", "os.scandir"):
            if (module := _caller()) not in OWN_NAMES:
                note("searched" if module == IMPORTING else "listed", arguments[0] or ".")
        elif event == "os.rename":
            note("written", arguments[1])

    sys.addaudithook(hear)
    sys.meta_path.insert(0, _Listener(lambda name: write("sought", name.rpartition(".")[2])))


def _caller() -> str:
    """Return the module that does what the caller of this function heard."""
    frame = sys._getframe(2)
    while (name := frame.f_globals.get("__name__", "")).partition(".")[0] in HELPERS:
        if frame.f_back is None:
            break
        frame = frame.f_back
    return name


class _Listener(MetaPathFinder):
    """Hears which modules are looked for, and finds none."""

    def __init__(self, hear: Callable[[str], None]):
        self._hear = hear

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        self._hear(name)


def is_installed(path: str) -> bool:
    """Tell whether a file belongs to Python, an installed package or the system."""
    return any(Path(path).is_relative_to(folder) for folder in (*INSTALLED, *SYSTEM))


@dataclass
class Reads:
    """The files and folders that builds have read, by article; "" is for all of them.

    A folder that is searched for modules is as read as their names: of all that may come or go
    there, only these matter.
    """

    scripts: dict[str, str]  # path -> article; others read of them no more than their titles
    outputs: tuple[str, ...]  # folders that builds write, which do not count
    files: dict[str, set[str]] = field(default_factory=dict)
    listed: dict[str, set[str]] = field(default_factory=dict)  # folders
    sought: dict[str, set[str]] = field(default_factory=dict)  # modules, without their packages
    searched: set[str] = field(default_factory=set)  # folders
    written: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for path, article in self.scripts.items():
            self._add_file(article, path)

    def add(self, log: bytes) -> None:
        """Take what `note_reads` wrote."""
        for line in log.splitlines():
            article, how, path = json.loads(line)
            if how == "sought":
                self.sought.setdefault(article, set()).add(path)
            elif self._is_output(path):
                pass
            elif how == "written":
                self.written.add(path)
            elif how == "listed":
                self.listed.setdefault(article, set()).add(path)
            elif how == "searched":
                self.searched.add(path)
            else:
                self._add_file(self.scripts.get(path, article), _source_of(path))

    def _add_file(self, article: str, path: str) -> None:
        self.files.setdefault(article, set()).update((path, os.path.realpath(path)))

    def touched(self, path: str, came_or_went: bool) -> set[str]:
        """Return the articles that an edit of a file touches; "" among them means all."""
        if path in self.written or self._is_output(path):
            return set()
        articles = {article for article, files in self.files.items() if path in files}
        if came_or_went:
            folder, name = os.path.split(path)
            module = name.partition(".")[0]
            articles |= {article for article, listed in self.listed.items() if folder in listed}
            articles |= {article for article, sought in self.sought.items() if module in sought}
        return articles

    def folders(self) -> set[str]:
        """The folders that hold all of this."""
        files = {os.path.dirname(file) for files in self.files.values() for file in files}
        return files.union(self.searched, *self.listed.values())

    def edited_since(self, time_ns: int) -> set[str]:
        """Return the files that were written after a time."""
        files = set().union(*self.files.values()) - self.written
        return {file for file in files if _written_at(file) > time_ns}

    def _is_output(self, path: str) -> bool:
        """Tell whether a path is a folder that builds write, in it, or a copy in the making."""
        for output in self.outputs:
            folder, name = os.path.split(output)
            if path == output or path.startswith((f"{output}/", f"{folder}/.{name}.")):
                return True
        return False


def _written_at(file: str) -> int:
    try:
        return os.stat(file).st_mtime_ns
    except OSError:
        return 0


def _source_of(path: str) -> str:
    """Return the module behind a compiled file, or else the path itself."""
    if path.endswith(".pyc"):
        try:
            return importlib.util.source_from_cache(path)
        except ValueError:
            return path
    return path
