"""Build articles again at every edit.

Each build runs in a fork of a process that has imported libraries and nothing that anyone edits:
so modules are those of now, and nobody waits for an import. A build that an edit overtakes ends,
and what it had computed is kept.
"""

import contextlib
import importlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NoReturn

from report.article.page import assets
from report.article.prose import highlight_code
from report.article.templates import environment, templates_folder
from report.errors import TOLD
from report.keys.source import begin_now
from report.live.reads import Reads, is_installed, note_reads
from report.live.watch import Edits, Watcher
from workers.forks import Ask, ForkLost, Siblings, run_in_fork

Build = Callable[[list[Path]], str]  # builds these articles, and returns a summary


@dataclass(frozen=True)
class News:
    """Something that readers of the pages are told."""

    state: str  # "building", "built" or "failed"
    text: str = ""  # the summary or the error
    at: int = 0  # nanoseconds


class _Overtaken(Exception):
    """Articles were edited while they were built."""

    def __init__(self, edits: Edits):
        self.edits = edits


def preview(
    scripts: list[Path], build: Build, tell: Callable[[News], None], outputs: Iterable[str]
) -> NoReturn:
    """Build the articles, and at each edit those that it touches, until Ctrl-C.

    outputs: folders that builds write.
    """
    events: SimpleQueue[Any] = SimpleQueue()  # edits, and builds that have ended
    _warm()
    program = _loaded_here()
    reads = Reads({os.path.abspath(script): str(script) for script in scripts}, tuple(outputs))
    # They are compiled here, and a build reads only those that have changed.
    reads.files[""] = {str(template) for template in templates_folder().rglob("*.html")}
    unbuilt = {*scripts}  # as they are now
    with Watcher(events.put) as watcher:
        watcher.watch(reads.folders() | {os.path.dirname(file) for file in program})
        while True:
            started = time.time_ns()
            tell(News("building", at=started))
            try:
                news = _build_once([s for s in scripts if s in unbuilt], build, reads, events)
            except _Overtaken as edited:
                unbuilt |= _touched(scripts, reads, edited.edits)
                continue
            if watcher.watch(reads.folders()):  # edits of the time before were not heard
                events.put({(file, False) for file in reads.edited_since(started)})
            tell(news)
            if news.state == "built":
                unbuilt = set()
            touched: set[Path] = set()
            while not touched:
                if isinstance(edits := events.get(), set):
                    touched = _touched(scripts, reads, edits)
                    for path in sorted({path for path, _ in edits} & program):
                        tell(News("failed", f"{path} is part of this program: start it again"))
            unbuilt |= touched


def _warm() -> None:
    """Do once what each build would begin with: half the time of one that computes nothing.

    Jinja compiles a template again when its file has changed.
    """
    for name in environment().list_templates(extensions=["html"]):
        environment().get_template(name)
    highlight_code("n = 1", "python")
    assets()


def _build_once(
    scripts: list[Path], build: Build, reads: Reads, events: "SimpleQueue[Any]"
) -> News:
    """Build articles in a fork, and note what it reads. Raises: _Overtaken if they are edited."""
    with tempfile.TemporaryFile() as log:
        try:
            with Siblings(1) as siblings:
                work = partial(_work, build, scripts, log.fileno())
                future = siblings.submit(run_in_fork, work, _answer, (*TOLD, KeyboardInterrupt))
                future.add_done_callback(events.put)
                while (event := events.get()) is not future:
                    reads.add(_content(log.fileno()))
                    if isinstance(event, set) and _touched(scripts, reads, event):
                        raise _Overtaken(event)
            summary, modules = future.result()
        except TOLD as error:
            ended = isinstance(error, ForkLost)
            return News("failed", f"the build ended early: {error}" if ended else str(error))
        finally:
            reads.add(_content(log.fileno()))
    _import_libraries(modules)
    return News("built", summary, time.time_ns())


def _work(build: Build, scripts: list[Path], log: int, _ask: Ask) -> tuple[str, list[str]]:
    """Build, in a fork. Returns: the summary, and the installed modules that it has imported."""
    begin_now()
    note_reads(log)
    summary = build(scripts)
    files = {name: getattr(module, "__file__", None) for name, module in [*sys.modules.items()]}
    return summary, [name for name, file in files.items() if file and is_installed(file)]


def _content(file: int) -> bytes:
    """Return what is in a file. Its position, which forks have too, stays where it is."""
    return os.pread(file, os.fstat(file).st_size, 0)


def _answer(_question: Any) -> None:
    """Forks have their own store, and ask nothing."""


def _import_libraries(names: list[str]) -> None:
    """Import what builds need, so that the next one has it from the start."""
    for name in names:
        if name not in sys.modules:
            with contextlib.suppress(Exception):  # only another module puts it into place
                importlib.import_module(name)


def _touched(scripts: list[Path], reads: Reads, edits: Edits) -> set[Path]:
    """Return those of the scripts that edits touch."""
    articles = set().union(*(reads.touched(*edit) for edit in edits))
    return {script for script in scripts if "" in articles or str(script) in articles}


def _loaded_here() -> set[str]:
    """Return the files of the modules of this process that are not installed: forks have them."""
    files = (getattr(module, "__file__", None) for module in [*sys.modules.values()])
    return {os.path.abspath(file) for file in files if file and not is_installed(file)}
