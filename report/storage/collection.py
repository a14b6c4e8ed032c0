"""A collection of the upstream library conjure as a storage. That library is not needed here: whatever has its methods
will do (`collection[key]`, `iter_prefix`, `put` or `collection[key] = value`, and where there are any `public_uri`,
`content_length` and `del collection[key]`).
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import ClientError

from report.errors import Missing, StoreError
from report.storage.interface import Entry, check_name

MISSES = ("NoSuchKey", "404")  # what S3 servers call a key with nothing under it


class CollectionStorage:
    """`collection`, one transfer at a time; `key` is the type of its keys, bytes or str (upstream's take either)."""

    parallel = 1  # upstream opens LMDB without a lock

    def __init__(self, collection, key: type = bytes):
        self.collection, self.key = collection, key
        place = getattr(collection, "bucket", getattr(collection, "path", ""))
        self.address = f"{type(collection).__name__} {place}".rstrip()

    def get(self, name: str) -> bytes:
        key = self._key(name)
        with self._errors("read", name):
            return bytes(self.collection[key])

    def put(self, name: str, data: bytes, media_type: str, immutable: bool) -> None:
        key = self._key(name)
        if immutable and self._has(name):
            return
        with self._errors("write", name):
            if hasattr(self.collection, "put"):
                self.collection.put(key, data, media_type)
            else:
                self.collection[key] = data

    def entries(self, prefix: str = "") -> dict[str, Entry]:
        """As for every storage, but a collection does not tell times: everything counts as written just now."""
        now, found = time.time(), {}
        for name in sorted(self._names(prefix.rpartition("/")[0])):
            if name.startswith(prefix):
                try:
                    found[name] = Entry(self._length(name), now)
                except Missing:  # deleted since it was listed
                    continue
        return found

    def delete(self, name: str) -> None:
        key = self._key(name)
        try:
            with self._errors("delete", name):
                del self.collection[key]
        except Missing:
            pass

    def export(self, name: str, target: Path) -> None:
        target.write_bytes(self.get(name))

    def url(self, name: str) -> str | None:
        """Where anyone can read `name`, or None if the collection is not public."""
        try:
            address = self.collection.public_uri(self._key(name))
        except (AttributeError, NotImplementedError):
            return None
        return address if isinstance(address, str) else address.geturl()

    def _key(self, name: str) -> str | bytes:
        return check_name(name).encode() if self.key is bytes else check_name(name)

    def _has(self, name: str) -> bool:
        """By reading it: `in` takes every error for a miss."""
        try:
            self.get(name)
        except Missing:
            return False
        return True

    def _names(self, folder: str) -> list[str]:
        """The names in `folder`. It is asked for whole: S3 leaves out the key that a listing starts at."""
        start = f"{folder}/" if folder else ""
        start = start.encode() if self.key is bytes else start
        keys = []
        with self._errors("list", folder or "all"):
            try:
                keys.extend(self.collection.iter_prefix(start, start))
            except KeyError as error:
                if error.args != (
                    "Contents",
                ):  # upstream's S3 collection, where there is nothing to list
                    raise
            return [key if isinstance(key, str) else bytes(key).decode() for key in keys]

    def _length(self, name: str) -> int:
        key = self._key(name)
        try:
            with self._errors("read", name):
                return self.collection.content_length(key)
        except StoreError as error:
            # Upstream's S3 collection has a content_length that calls a method of boto3 that is not there.
            if isinstance(error.__cause__, AttributeError | NotImplementedError):
                return len(self.get(name))
            raise

    @contextmanager
    def _errors(self, what: str, name: str) -> Iterator[None]:
        """Tell a miss from everything else that collections say with a KeyError."""
        around = sys.exception()
        try:
            yield
        except Exception as error:
            reason = _reason(error, around)
            if not isinstance(reason, Exception):  # Ctrl-C
                raise reason from None
            where = f"cannot {what} {name} in {self.address}"
            if what in ("read", "delete") and _is_miss(reason):
                raise Missing(f"{where}: it is not there") from error
            text = " ".join(f"{where}: {type(reason).__name__}: {reason}".split())
            raise StoreError(text.removesuffix(":")) from reason


def _reason(error: BaseException, around: BaseException | None) -> BaseException:
    """What really went wrong, behind the KeyErrors raised in its place.

    `around` is what the caller was already dealing with: Python chains it too, but it is no reason.
    """
    while isinstance(error, KeyError) and error.__context__ not in (None, around):
        error = error.__context__
    return error


def _is_miss(reason: Exception) -> bool:
    if isinstance(reason, ClientError):
        return reason.response.get("Error", {}).get("Code") in MISSES
    return isinstance(reason, KeyError)
