"""Compute the calls of an article side by side.

A call is computed in a fork of the article's process, which is made when the article calls: so it
has the arguments, settings, modules and functions of exactly that moment, and an author writes
nothing for it. The article goes on, until it asks for something about the result. What a fork
computes, the article's process stores at once.

On a Dask cluster, a call is the name of its function and its arguments. A worker imports the
function, and computes nothing unless the call has the same key there. So it needs the same code and
libraries, and functions of the article's own script are computed here.

A call that fails in a worker may have to fail in a place where its article catches the error, and
for its author the place counts. So the article then runs once more, finds in the store all that was
computed, and computes that call itself.
"""

import importlib
import inspect
import operator
import os
import pickle
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any

from report.artifacts.session import Made, Request, Workers, compute, request_of
from report.artifacts.store import MemoryStore, Store
from report.errors import WorkerError
from report.keys.source import find_module
from report.site.isolation import ParentsStore, answer
from workers.cluster import ClusterError, apart, open_cluster, share
from workers.forks import Forks, Share, ask, reason_not_to_fork

SHORT = 0.25  # seconds: a call that takes less is not worth a fork, which costs some 30 ms


class Changed(Exception):
    """What a call depends on changed between the call and its computation."""


@contextmanager
def open_workers(
    jobs: int, dask: str | None, share: Share | None, store: Store
) -> Iterator[Workers | None]:
    """Yield workers for an article in this process, or None if it has to compute all by itself.

    `share`: of the slots that all articles have together; None if the article has all of them. They
    end with the block; if it ends by an exception, before they have finished.
    Raises: WorkerError if the cluster can not be used.
    """
    if dask is not None:
        try:
            # A thread of its own stores what comes: that of the cluster's client has to listen.
            with ThreadPoolExecutor(1) as storing, open_cluster(dask) as executor:
                yield ClusterWorkers(executor, storing)
        except ClusterError as error:
            raise WorkerError(str(error)) from error
    elif jobs == 1 or reason_not_to_fork():
        yield None
    else:
        with Forks(jobs, partial(answer, store), share) as forks:
            yield ForkWorkers(forks)


class _Workers:
    """Workers that leave functions which were always quick to the article."""

    def __init__(self) -> None:
        self._longest: dict[str, float] = {}  # function -> seconds

    def is_quick(self, request: Request) -> bool:
        return self._longest.get(request.function, SHORT) < SHORT

    def note(self, request: Request, made: Made) -> None:
        longest = self._longest.get(request.function, 0.0)
        self._longest[request.function] = max(made.seconds, longest)


# Forks


class ForkWorkers(_Workers):
    """Forks that compute calls."""

    def __init__(self, forks: Forks):
        super().__init__()
        self._forks = forks

    def start(self, request: Request, store: Store) -> Future[Made] | None:
        if reason_not_to_fork() or self.is_quick(request):
            return None
        for value in request.bound.arguments.values():
            if load := getattr(type(value), "load_before_fork", None):
                load(value)
        return self._forks.submit(_compute_in_fork, request, store)


def _compute_in_fork(request: Request, store: Store) -> Made:
    """Compute a call as it was when it was made. Raises: Changed if it is another now.

    This happens if a worker was killed, and the article went on meanwhile.
    """
    if isinstance(store, ParentsStore):  # of artifacts among the arguments
        store.ask = ask
    if request_of(request.definition, request.bound).key != request.key:
        raise Changed(request.function)
    return compute(request, ParentsStore(ask))


# A Dask cluster


LARGE = 2**16  # bytes of an argument that is sent once, whatever number of calls have it


class NotSent(UserWarning):
    """A call is computed here, since the workers of a cluster can not have it."""


@dataclass(frozen=True)
class Task:
    """A call without its arguments."""

    module: str
    name: str  # of the function in it
    parts: dict[str, Any]  # of the key, see `report.artifacts.session.INGREDIENTS`
    folders: list[str]  # in which Python looks for modules here
    threads: int | None  # of PyTorch, if it is used


class ClusterWorkers(_Workers):
    """The workers of a Dask cluster."""

    def __init__(self, executor: Executor, storing: Executor):
        super().__init__()
        self._executor = executor
        self._storing = storing
        self._shared: dict[str, Any] = {}  # large arguments that the cluster has, by their digests

    def start(self, request: Request, store: Store) -> Future[Made] | None:
        if self.is_quick(request):
            return None
        function = request.definition
        module = find_module(function.__module__)
        if module is None or module.is_script:
            self._warn(request, "workers can not import it; move it to a module beside the script")
            return None
        if request.code.needs_article:
            self._warn(request, "its article sets up what it uses; do so where it is defined")
            return None
        try:
            arguments = self._pickled(request)
        except Exception as error:  # of pickle, which raises errors of many kinds
            self._warn(request, f"an argument can not be sent ({error})")
            return None
        name = function.__qualname__
        task = Task(function.__module__, name, request.parts, sys.path, _threads(request))
        made = self._executor.submit(compute_on_worker, task, **arguments)
        return _with_our_errors(made, self._storing)

    def _pickled(self, request: Request) -> dict[str, Any]:
        """Return the arguments as bytes, or as what stands for bytes that the cluster has."""
        arguments = {}
        for name, value in request.bound.arguments.items():
            digest = request.parts["arguments"][name]
            if digest not in self._shared:
                data = pickle.dumps(value)
                if len(data) < LARGE:
                    arguments[f"_{name}"] = data
                    continue
                self._shared[digest] = share(self._executor, data)
            arguments[f"_{name}"] = self._shared[digest]
        return arguments

    def _warn(self, request: Request, why: str) -> None:
        message = f"{request.function} is computed here, not on the cluster: {why}"
        warnings.warn(message, NotSent, stacklevel=1)


def _threads(request: Request) -> int | None:
    """Return the threads that PyTorch has here, or would have; None if the call does not use it."""
    if torch := sys.modules.get("torch"):
        return torch.get_num_threads()
    number = os.environ.get("OMP_NUM_THREADS", "")
    return int(number) if "torch" in request.code.versions and number.isdecimal() else None


def _with_our_errors(made: Future[Made], handing: Executor) -> Future[Made]:
    """Return a future whose error is the call's own, or a WorkerError.

    What waits for it is called by the executor `handing`.
    """
    ours: Future[Made] = Future()

    def hand_on(done: Future[Made]) -> None:
        error = None if done.cancelled() else done.exception()
        if done.cancelled():
            ours.set_exception(WorkerError("the cluster's scheduler has gone"))
        elif error is None:
            ours.set_result(done.result())
        elif isinstance(error, WorkerError | CallError) or type(error).__name__ == "KilledWorker":
            ours.set_exception(error)
        else:
            ours.set_exception(WorkerError(f"a worker of the cluster failed: {error!r}"))

    made.add_done_callback(lambda done: handing.submit(hand_on, done))
    return ours


class CallError(Exception):
    """The call's own error, which its article gets by computing it itself."""


_turn = Lock()  # threads of one worker would share random numbers, modules and settings


def compute_on_worker(task: Task, **arguments: bytes) -> Made:
    """Compute a call in a fork of a cluster's worker, whose threads draw random numbers too.

    Raises: WorkerError if the call has another key here; CallError.
    """
    with _turn, _importable(task.folders):
        if task.threads is not None:
            importlib.import_module("torch").set_num_threads(task.threads)
        request = _unpacked(task, arguments)
        if request.parts != task.parts:
            raise WorkerError(_difference(task, request))
        try:
            return apart(compute, request, MemoryStore())
        except (Exception, SystemExit) as error:
            raise CallError(repr(error)) from None


def _unpacked(task: Task, arguments: dict[str, bytes]) -> Request:
    """Return the request of a call here. Raises: WorkerError if something can not be imported."""
    try:
        conjured = operator.attrgetter(task.name)(importlib.import_module(task.module))
        function = conjured.__wrapped__
        bound = inspect.signature(function).bind_partial()
        for name, data in arguments.items():
            bound.arguments[name.removeprefix("_")] = pickle.loads(data)
        return request_of(function, bound)
    except Exception as error:
        raise WorkerError(
            f"a worker of the cluster has not what {task.module}.{task.name} needs ({error!r}); "
            "give it the same project, libraries and files"
        ) from None


@contextmanager
def _importable(folders: list[str]) -> Iterator[None]:
    """Let modules be found where they are found on the machine of the article, too."""
    before = sys.path[:]
    sys.path += [folder for folder in folders if folder not in before]
    try:
        yield
    finally:
        sys.path[:] = before


def _difference(task: Task, request: Request) -> str:
    """Say in which ingredients of its key a call is another one on this machine."""
    names = [name for name, part in request.parts.items() if part != task.parts[name]]
    details = []
    for name in names:
        here, there = request.parts[name], task.parts[name]
        if isinstance(here, dict):
            differing = sorted(k for k in here.keys() | there.keys() if here.get(k) != there.get(k))
            details.append(f"{name} ({', '.join(differing)})")
        else:
            details.append(name)
    return (
        f"a worker of the cluster has other {' and '.join(details)} for {request.function}; "
        "give it the same project and libraries, and start it anew"
    )
