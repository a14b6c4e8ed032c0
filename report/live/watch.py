"""Hear of edits in some folders."""

import os
from collections.abc import Callable, Iterable
from threading import Event, Thread

from watchfiles import Change, DefaultFilter, watch

STEP = 20  # milliseconds without a change after which those before it are told
LONGEST = 400  # milliseconds, if changes go on

Edits = set[tuple[str, bool]]  # path, and whether it came or went


class Watcher:
    """Tells of edits, from a thread, until the end of the block. `folders` can grow."""

    def __init__(self, tell: Callable[[Edits], None], outputs: Iterable[str]):
        """`outputs` are folders that builds write, of which nothing is told."""
        self.folders: set[str] = set()
        self._tell = tell
        self._outputs = tuple(outputs)
        self._filter = DefaultFilter()
        self._stop = Event()
        self._thread: Thread | None = None

    def watch(self, folders: set[str]) -> bool:
        """Watch these folders too. Returns: whether some were not watched before."""
        new = {x for x in folders if os.path.isdir(x) and not self._is_output(x)} - self.folders
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
            watch_filter=self._is_edit,
            stop_event=stop,
            step=STEP,
            debounce=LONGEST,
            rust_timeout=500,
            yield_on_timeout=False,
            recursive=False,
            raise_interrupt=False,
        )
        for some in changes:
            self._tell({(path, change != Change.modified) for change, path in some})

    def _is_edit(self, change: Change, path: str) -> bool:
        return self._filter(change, path) and not self._is_output(path)

    def _is_output(self, path: str) -> bool:
        """Tell whether a path is a folder that builds write, in it, or a copy in the making."""
        return any(
            path == output
            or path.startswith(
                (output + os.sep, f"{os.path.dirname(output)}{os.sep}.{os.path.basename(output)}.")
            )
            for output in self._outputs
        )

    def _end(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> "Watcher":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()  # the thread ends by itself, or with the process
