"""Run many transfers at a time."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(
    work: Callable[[Item], Result], items: Iterable[Item], parallel: int
) -> Iterator[tuple[Item, Result]]:
    """Yield (item, work(item)) for every item, `parallel` at a time, as each one is done.

    After the first exception no item is begun. It is raised when those under way have ended. An
    interrupt by the user waits for none of them.
    """
    items = list(items)
    if parallel <= 1:
        yield from ((item, work(item)) for item in items)
        return
    todo: SimpleQueue[Item] = SimpleQueue()
    done: SimpleQueue[tuple[Item, Result] | BaseException] = SimpleQueue()
    stopped = Event()
    for item in items:
        todo.put(item)
    # Not a ThreadPoolExecutor: Python does not exit before its threads have ended, retries and all.
    threads = [
        Thread(target=_run, args=(work, todo, done, stopped), daemon=True) for _ in items[:parallel]
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in items:
            outcome = done.get()
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome
    except Exception:
        stopped.set()
        for thread in threads:
            thread.join()
        raise
    finally:
        stopped.set()


def _run(
    work: Callable[[Item], Result],
    todo: SimpleQueue[Item],
    done: SimpleQueue[tuple[Item, Result] | BaseException],
    stopped: Event,
) -> None:
    while not stopped.is_set():
        try:
            item = todo.get_nowait()
        except Empty:
            return
        try:
            done.put((item, work(item)))
        except BaseException as error:  # raised again by `each`
            stopped.set()
            done.put(error)


@contextmanager
def transfer_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on a terminal, and nothing elsewhere.

    Yields: a function to call with the number of files that are done, and of all files.
    """
    with tqdm(desc=label, unit="file", leave=False, disable=not sys.stderr.isatty()) as bar:

        def update(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield update
