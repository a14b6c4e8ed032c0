"""Compute the calls of an article side by side.

A call is computed in a fork of the article's process, which is made when the article calls: so it
has the arguments, settings, modules and functions of exactly that moment, and an author writes
nothing for it. The article goes on, until it asks for something about the result. What a fork
computes, the article's process stores at once.

A call that fails in a fork may have to fail in a place where its article catches the error, and
for its author the place counts. So the article then runs once more, finds in the store all that was
computed, and computes that call itself.
"""

import contextlib
import importlib
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from queue import SimpleQueue

from report.artifacts.session import Made, Request, Workers, compute, request_of
from report.artifacts.store import Store
from report.site.isolation import ParentsStore, answer
from workers.forks import Forks, ask, reason_not_to_fork

SHORT = 0.05  # seconds: a call that takes less is not worth a fork


class Changed(Exception):
    """What a call depends on changed between the call and its computation."""


@contextmanager
def open_workers(jobs: int, store: Store) -> Iterator[Workers | None]:
    """Yield workers for an article in this process, or None if it has to compute all by itself.

    They end with the block; if it ends by an exception, before they have finished.
    """
    if jobs == 1 or reason_not_to_fork():
        yield None
        return
    with Forks(jobs, partial(answer, store)) as forks:
        yield ForkWorkers(forks)


class ForkWorkers:
    """Forks that compute calls. Functions that were always quick are left to the article."""

    def __init__(self, forks: Forks):
        self._forks = forks
        self._longest: dict[str, float] = {}  # function -> seconds
        self._imported: SimpleQueue[str] = SimpleQueue()  # modules that forks had to import

    def start(self, request: Request, store: Store) -> Future[Made] | None:
        if reason_not_to_fork() or self._longest.get(request.function, SHORT) < SHORT:
            return None
        self._import()
        return self._forks.submit(_compute_in_fork, request, store)

    def note(self, request: Request, made: Made) -> None:
        longest = self._longest.get(request.function, 0.0)
        self._longest[request.function] = max(made.seconds, longest)
        for name in made.imported:
            self._imported.put(name)

    def _import(self) -> None:
        """Import what forks had to import, as if this process had computed: the next ones have it.

        A module that only code of another puts into place can not be imported, and is left out.
        """
        while not self._imported.empty():
            name = self._imported.get()
            if name not in sys.modules:
                with contextlib.suppress(Exception):
                    importlib.import_module(name)


def _compute_in_fork(request: Request, store: Store) -> Made:
    """Compute a call as it was when it was made. Raises: Changed if it is another now.

    This happens if a worker was killed, and the article went on meanwhile.
    """
    if isinstance(store, ParentsStore):  # of artifacts among the arguments
        store.ask = ask
    if request_of(request.definition, request.bound).key != request.key:
        raise Changed(request.function)
    before = set(sys.modules)
    made = compute(request, ParentsStore(ask))
    return replace(made, imported=tuple(name for name in sys.modules if name not in before))
