"""Many transfers at a time."""

import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(work: Callable[[Item], Result], items: Iterable[Item], parallel: int) -> Iterator[tuple[Item, Result]]:
    """(item, work(item)) for every item, `parallel` at a time, in the order in which they are done.

    The first exception is raised once those under way have ended; the rest are not begun.
    """
    if parallel <= 1:
        yield from ((item, work(item)) for item in items)
        return
    with ThreadPoolExecutor(parallel, thread_name_prefix="transfer") as pool:
        running = {pool.submit(work, item): item for item in items}
        try:
            for future in as_completed(running):
                yield running[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def transfer_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A function that is told how many of how many files are done: a bar on a terminal, nothing elsewhere."""
    with tqdm(desc=what, unit="file", leave=False, disable=not sys.stderr.isatty()) as bar:

        def tell(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield tell
