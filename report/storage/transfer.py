"""Many transfers at a time."""

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
    """(item, work(item)) for every item, `parallel` at a time, in the order in which they are done.

    After the first exception no item is begun; it is raised once those under way have ended. An interrupt by the user
    waits for none of them.
    """
    items = list(items)
    if parallel <= 1:
        yield from ((item, work(item)) for item in items)
        return
    todo, done, stopped = SimpleQueue(), SimpleQueue(), Event()
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
            item, result, error = done.get()
            if error:
                raise error
            yield item, result
    except Exception:
        stopped.set()
        for thread in threads:
            thread.join()
        raise
    finally:
        stopped.set()


def _run(
    work: Callable[[Item], Result], todo: SimpleQueue, done: SimpleQueue, stopped: Event
) -> None:
    while not stopped.is_set():
        try:
            item = todo.get_nowait()
        except Empty:
            return
        try:
            done.put((item, work(item), None))
        except BaseException as error:  # raised again by `each`
            stopped.set()
            done.put((item, None, error))


@contextmanager
def transfer_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A function that is told how many of how many files are done: a bar on a terminal, nothing elsewhere."""
    with tqdm(desc=what, unit="file", leave=False, disable=not sys.stderr.isatty()) as bar:

        def tell(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield tell
