"""A folder in front of a slower storage: a file is fetched once, or never if it was made here."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from report.errors import Missing
from report.storage.folder import Folder
from report.storage.interface import Entry, Storage
from report.storage.transfer import each


class Mirror:
    """The storage `remote`, with `folder` in front of it.

    `put` writes to the folder at once, and `flush` uploads, many files at a time. The folder also
    remembers what a broken run could not upload: the next run uploads it, so nothing is computed
    twice. Several processes may share the folder.

    `stages` are prefixes of names, in the order in which they are uploaded. Names that start with
    `changing` come to stand for other bytes: they are uploaded last, and always read from `remote`.
    """

    def __init__(self, remote: Storage, folder: Path, stages: tuple[str, ...], changing: str):
        self.remote = remote
        self.address, self.parallel = remote.address, remote.parallel
        self._stages, self._changing = stages, changing
        self._local = Folder(Path(folder) / "kept")
        self._unsent = Folder(Path(folder) / "unsent")  # name -> media type, and whether immutable

    def get(self, name: str) -> bytes:
        if name.startswith(self._changing) and not self._unsent.path_of(name).exists():
            return self.remote.get(name)
        try:
            return self._local.get(name)
        except Missing:
            data = self.remote.get(name)
            self._local.put(name, data, "", immutable=True)
            return data

    def refresh(self, name: str) -> bytes:
        """Fetch the bytes in place of a damaged copy, or return that if it was never uploaded."""
        try:
            data = self.remote.get(name)
        except Missing:
            return self._local.get(name)
        self._local.put(name, data, "", immutable=False)
        return data

    def put(self, name: str, data: bytes, media_type: str, immutable: bool) -> None:
        self._local.put(name, data, media_type, immutable)
        self._queue(name, media_type, immutable)

    def entries(self, prefix: str = "") -> dict[str, Entry]:
        return self.remote.entries(prefix)

    def delete(self, name: str) -> None:
        for place in (self.remote, self._local, self._unsent):
            place.delete(name)

    def export(self, name: str, target: Path) -> None:
        self.get(name)
        self._local.export(name, target)

    # ---- uploads

    def changes(self) -> list[str]:
        """Names under `changing` that wait for their upload, and are not the same there already."""
        changes = []
        for name in self._unsent.entries(self._changing):
            if self._is_uploaded(name):
                self._unsent.delete(name)
            else:
                changes.append(name)
        return changes

    def restore(self, needed: dict[str, str]) -> list[str]:
        """Queue those of `needed` (name -> media type) that `remote` has lost.

        Returns: the names that are lost here too.
        """
        folders = {name.partition("/")[0] for name in needed}
        uploaded = {name for folder in folders for name in self.remote.entries(f"{folder}/")}
        lost = []
        for name in sorted(needed.keys() - uploaded):
            if self._local.path_of(name).exists():
                self._queue(name, needed[name], immutable=True)
            else:
                lost.append(name)
        return lost

    def flush(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Upload what waits. `progress` is called with the number of files sent, and of all.

        Raises: StoreError; what was not sent still waits.
        """
        waiting = list(self._unsent.entries())
        for n_sent, _ in enumerate(self._send_all(waiting), start=1):
            if progress:
                progress(n_sent, len(waiting))

    def _send_all(self, names: list[str]) -> Iterator[str]:
        """Upload stage by stage. Yields: each name, when it was sent."""
        for prefix in (*self._stages, self._changing):
            stage = [name for name in names if name.startswith(prefix)]
            for name, _ in each(self._send, stage, self.parallel):
                yield name

    def _send(self, name: str) -> None:
        try:
            media_type, immutable = json.loads(self._unsent.get(name))
        except Missing:  # another process has sent it meanwhile
            return
        self.remote.put(name, self._local.get(name), media_type, immutable)
        self._unsent.delete(name)

    def _queue(self, name: str, media_type: str, immutable: bool) -> None:
        data = json.dumps([media_type, immutable]).encode()
        self._unsent.put(name, data, "application/json", immutable=False)

    def _is_uploaded(self, name: str) -> bool:
        """Return True if the remote bytes are those in the folder."""
        try:
            return self.remote.get(name) == self._local.get(name)
        except Missing:
            return False
