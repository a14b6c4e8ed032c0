"""A folder in front of a slower storage: what was fetched or made once is not fetched again."""

from collections.abc import Callable
from pathlib import Path

from report.errors import Missing
from report.storage import Entry, Folder, Storage
from report.transfer import each

ORDER = ("objects/", "sources/", "index/", "builds/")  # a record is sent after what it names
CHANGING = "builds/"  # the only names in a store that come to stand for other bytes


class Mirror:
    """`behind`, with the folder in front of it.

    What is put is written to the folder at once and sent by `flush`, many at a time. What a broken run could not send
    is remembered in the folder and sent by the next one, so nothing is computed twice. Several processes may share
    the folder.
    """

    def __init__(self, behind: Storage, folder: Path):
        self.behind = behind
        self.address, self.parallel = behind.address, behind.parallel
        self._front, self._unsent = Folder(Path(folder) / "kept"), Folder(Path(folder) / "unsent")

    def get(self, name: str) -> bytes:
        if name.startswith(CHANGING) and not self._unsent.path_of(name).exists():
            return self.behind.get(name)
        try:
            return self._front.get(name)
        except Missing:
            data = self.behind.get(name)
            self._front.put(name, data, "", immutable=True)
            return data

    def put(self, name: str, data: bytes, media_type: str, immutable: bool) -> None:
        self._front.put(name, data, media_type, immutable)
        self._unsent.put(name, media_type.encode(), "text/plain", immutable=False)

    def flush(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Send what waits. `progress` hears how many of how many were sent."""
        waiting = list(self._unsent.entries())
        sent = 0
        for kind in ORDER:
            names = [name for name in waiting if name.startswith(kind)]
            for _ in each(self._send, names, self.parallel):
                sent += 1
                if progress:
                    progress(sent, len(waiting))

    def entries(self, prefix: str = "") -> dict[str, Entry]:
        return self.behind.entries(prefix)

    def delete(self, name: str) -> None:
        for place in (self.behind, self._front, self._unsent):
            place.delete(name)

    def export(self, name: str, target: Path) -> None:
        self.get(name)
        self._front.export(name, target)

    def _send(self, name: str) -> None:
        try:
            media_type = self._unsent.get(name).decode()
        except Missing:  # another process has sent it meanwhile
            return
        self.behind.put(name, self._front.get(name), media_type, immutable=not name.startswith(CHANGING))
        self._unsent.delete(name)
