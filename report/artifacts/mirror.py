"""A folder in front of a slower storage: what was fetched or made once is not fetched again."""

import json
from collections.abc import Callable
from pathlib import Path

from report.errors import Missing, StoreError
from report.storage.folder import Folder
from report.storage.interface import Entry, Storage
from report.storage.transfer import each

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

    def refresh(self, name: str) -> bytes:
        """The bytes from behind, in place of a copy that is damaged; the copy itself if it was never sent."""
        try:
            data = self.behind.get(name)
        except Missing:
            return self._front.get(name)
        self._front.put(name, data, "", immutable=False)
        return data

    def put(self, name: str, data: bytes, media_type: str, immutable: bool) -> None:
        self._front.put(name, data, media_type, immutable)
        self._mark(name, media_type, immutable)

    def flush(
        self,
        progress: Callable[[int, int], None] | None = None,
        needs: Callable[[str], dict[str, str]] = lambda name: {},
    ) -> None:
        """Send what waits. `progress` hears how many of how many were sent.

        `needs` tells of a name that changes which names have to be there for it, and their media types: what was
        deleted behind since it was sent is sent again. Raises: StoreError.
        """
        self._send_again(needs)
        waiting, sent = list(self._unsent.entries()), 0
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

    def _send_again(self, needs: Callable[[str], dict[str, str]]) -> None:
        """Mark what is missing behind. Where nothing changes there is nothing to look for, and nothing to send."""
        needed: dict[str, str] = {}
        for name in self._unsent.entries(CHANGING):
            if self._is_behind(name):
                self._unsent.delete(name)
            else:
                needed |= needs(name)
        if needed:
            there = [self.behind.entries(kind) for kind in ORDER if kind != CHANGING]
            kept = self._front.entries()
            for name in needed.keys() - set().union(*there):
                if name in kept:
                    self._mark(name, needed[name], immutable=True)
                elif name.startswith(
                    ORDER[0]
                ):  # builds do without their records, which are in them, and without code
                    raise StoreError(
                        f"{name} is no longer in {self.address}, nor here; build with --force to make it"
                    )

    def _is_behind(self, name: str) -> bool:
        """Whether what is behind is what is here."""
        try:
            return self.behind.get(name) == self._front.get(name)
        except Missing:
            return False

    def _mark(self, name: str, media_type: str, immutable: bool) -> None:
        """Remember to send it."""
        self._unsent.put(
            name, json.dumps([media_type, immutable]).encode(), "application/json", immutable=False
        )

    def _send(self, name: str) -> None:
        try:
            media_type, immutable = json.loads(self._unsent.get(name))
        except Missing:  # another process has sent it meanwhile
            return
        self.behind.put(name, self._front.get(name), media_type, immutable)
        self._unsent.delete(name)
