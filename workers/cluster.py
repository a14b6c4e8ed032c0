"""Open an executor by what a command line says, and use one or the other alike.

`Forks` share this process's memory. The workers of a Dask cluster have processes of their own,
perhaps on other machines: tasks and their arguments are pickled, functions by their names.
"""

from __future__ import annotations

import argparse
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from workers.forks import ForkLost, Forks, cores, reason_not_to_fork

Result = TypeVar("Result")

PATIENCE = 10  # seconds to find a scheduler
AHEAD = 1000  # tasks that an executor gets before the first of them is done, for their arguments


class ClusterError(ValueError):
    """A cluster that can not be used; the message names it and the fix."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add --jobs and --dask to a command whose tasks can run side by side."""
    side_by_side = parser.add_mutually_exclusive_group()
    side_by_side.add_argument(
        "--jobs",
        type=_count,
        default=cores(),
        metavar="N",
        help="processes that work side by side (default: the number of cores, %(default)s)",
    )
    side_by_side.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="of a Dask scheduler, whose workers do it instead, such as tcp://10.0.0.1:8786",
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 or more")
    return int(text)


@contextmanager
def open_executor(jobs: int, dask: str | None = None) -> Iterator[Executor]:
    """Yield an executor of so many processes, or of the cluster with that scheduler.

    It ends with the block: by an exception, before its tasks have finished. Raises: ClusterError.
    """
    if dask is not None:
        with open_cluster(dask) as executor:
            yield _Apart(executor)
    elif reason_not_to_fork():
        with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
            try:
                yield pool
            except BaseException:  # else it would first do all tasks that wait
                pool.shutdown(cancel_futures=True)
                raise
    else:
        with Forks(jobs) as forks:
            yield forks


@contextmanager
def open_cluster(address: str) -> Iterator[Executor]:
    """Yield an executor of a Dask cluster. A task whose worker is lost goes to another.

    Raises: ClusterError if there is no such cluster, or if Dask is not installed.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ClusterError(
            "--dask needs the library distributed; install the extra: "
            "pip install 'sparse-audio-report[dask]'"
        ) from error
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ClusterError(
            f"--dask {address}: no scheduler answers there ({error}); start one with "
            "`dask scheduler`, and workers with `dask worker ADDRESS --nthreads 1`"
        ) from error
    # Not pure: else a task would be known by its arguments, which are hashed for that.
    executor = client.get_executor(pure=False)
    finished = False
    try:
        yield executor
        finished = True
    finally:
        executor.shutdown(wait=finished)
        client.close()


class _Apart(Executor):
    """An executor of a cluster that does each task in a fork of the worker, in our folder."""

    def __init__(self, executor: Executor):
        self.cluster = executor

    def submit(self, work: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        return self.cluster.submit(_in_folder, str(Path.cwd()), work, *args, **kwargs)


def _in_folder(folder: str, work: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    def do() -> Result:
        os.chdir(folder)
        return work(*args, **kwargs)

    return apart(do)


def apart(work: Callable[..., Result], *args: Any) -> Result:
    """Return work(*args), done in a fork, since threads of a worker share settings and numbers."""
    if reason_not_to_fork():
        return work(*args)
    with Forks(1) as forks:
        result = forks.submit(work, *args).result()
    forks.import_modules()
    return result


def share(executor: Executor, value: Any) -> Any:
    """Return what stands for `value` as an argument of many tasks: a cluster gets it once."""
    client = getattr(getattr(executor, "cluster", executor), "_client", None)
    return client.scatter(value, hash=False) if client is not None else value


def as_they_come(
    executor: Executor, work: Callable[..., Result], tasks: Iterable[tuple[Any, ...]]
) -> Iterator[Future[Result]]:
    """Submit work(*task) for all tasks, no more than AHEAD of the first that is not done.

    Yields: their futures in order, when each is done.
    """
    waiting: deque[Future[Result]] = deque()
    for task in tasks:
        waiting.append(_submit(executor, work, *task))
        while waiting and (waiting[0].done() or len(waiting) >= AHEAD):
            wait([waiting[0]])
            yield waiting.popleft()
    for future in waiting:
        wait([future])
        yield future


def _submit(executor: Executor, work: Callable[..., Result], *task: Any) -> Future[Result]:
    """Return the future of a task; its error, if the executor's processes are gone already."""
    try:
        return executor.submit(work, *task)
    except BrokenExecutor as error:
        future: Future[Result] = Future()
        future.set_exception(error)
        return future


def result_of(future: Future[Result]) -> Result:
    """Return the result of a task.

    Raises: the error of the task; ForkLost if its process or the cluster is gone.
    """
    try:
        return future.result()
    except BrokenExecutor as error:
        raise ForkLost(str(error)) from error
    except CancelledError as error:
        raise ForkLost("the cluster's scheduler has gone") from error
    except Exception as error:
        if type(error).__name__ == "KilledWorker":  # of Dask, which need not be installed
            raise ForkLost(str(error)) from error
        raise
