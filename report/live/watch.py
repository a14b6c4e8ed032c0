"""Hear of edits in some folders."""

import os
from collections.abc import Callable
from threading import Event, Thread

from watchfiles import Change, watch

STEP = 20  # milliseconds without a change after which those before it are told
LONGEST = 400  # milliseconds, if changes go on

Edits = set[tuple[str, bool]]  # path, and whether it came or went


class Watcher:
    """Tells of edits, from a thread, until the end of the block. `folders` can grow."""

    def __init__(self, tell: Callable[[Edits], None]):
        self.folders: set[str] = set()
        self._tell = tell
        self._stop = Event()
        self._thread: Thread | None = None

    def watch(self, folders: set[str]) -> bool:
        """Watch these folders too. Returns: whether some were not watched before."""
        new = {x for x in folders if os.path.isdir(x)} - self.folders
        if new:
            self._end()
            self.folders |= new
            self._stop = Event()
            self._thread = Thread(target=self._run, args=(self._stop,), daemon=True)
            self._thread.start()
        return bool(new)

    def _run(self, stop: Event) -> None:
        changes = watch(
            *self.folders,
            stop_event=stop,
            step=STEP,
            debounce=LONGEST,
            rust_timeout=100,
            yield_on_timeout=False,
            recursive=False,
            raise_interrupt=False,
        )
        for some in changes:
            self._tell({(path, change != Change.modified) for change, path in some})

    def _end(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> "Watcher":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()  # the thread ends by itself, or with the process
