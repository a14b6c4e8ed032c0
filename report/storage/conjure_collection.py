"""A collection of the library conjure as a storage. That library is not needed here.

Anything with the methods of `OlderCollection` or `NewerCollection` will do. `content_length` and
`public_uri` may be missing: they are asked for only where somebody wants to know.
"""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from urllib.parse import ParseResult

from botocore.exceptions import ClientError

from report.errors import Missing, StoreError
from report.storage.interface import Entry, check_name

MISSES = ("NoSuchKey", "404")  # an S3 server's codes for a key with nothing under it


class Collection(Protocol):
    """The methods of all collections. Upstream's take keys that are bytes or keys that are str."""

    def __getitem__(self, key: Any) -> bytes: ...

    def __delitem__(self, key: Any) -> None: ...

    def iter_prefix(self, start_key: Any, prefix: Any) -> Iterable[bytes | str]: ...

    def content_length(self, key: Any) -> int: ...

    def public_uri(self, key: Any) -> str | ParseResult: ...


class OlderCollection(Collection, Protocol):
    """A collection that is written to like a dict."""

    def __setitem__(self, key: Any, value: bytes) -> None: ...


@runtime_checkable
class TypedPut(Protocol):
    """A method that writes the media type with the bytes."""

    def put(self, key: Any, value: bytes, content_type: str) -> None: ...


class NewerCollection(Collection, TypedPut, Protocol):
    """A collection that takes media types."""


class CollectionStorage:
    """`collection` as a storage, one transfer at a time. Its keys are of the type `key`."""

    parallel = 1  # upstream opens LMDB without a lock

    def __init__(
        self,
        collection: OlderCollection | NewerCollection,
        key: type[bytes] | type[str] = bytes,
    ):
        self.collection, self.key = collection, key
        # Upstream's collections have one of these, or none; messages can do without.
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
            if isinstance(self.collection, TypedPut):
                self.collection.put(key, data, media_type)
            else:
                self.collection[key] = data

    def entries(self, prefix: str = "") -> dict[str, Entry]:
        """As for every storage, but written just now: a collection has no times."""
        now, listing = time.time(), {}
        for name in sorted(self._names(prefix.rpartition("/")[0])):
            if name.startswith(prefix):
                try:
                    listing[name] = Entry(self._length(name), now)
                except Missing:  # deleted since it was listed
                    continue
        return listing

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
        """The address where anyone can read `name`; None if the collection is not public."""
        try:
            address = self.collection.public_uri(self._key(name))
        except (AttributeError, NotImplementedError):
            return None
        return address if isinstance(address, str) else address.geturl()

    def _key(self, name: str) -> str | bytes:
        return check_name(name).encode() if self.key is bytes else check_name(name)

    def _has(self, name: str) -> bool:
        """Look by reading: `in` would take every error for a miss."""
        try:
            self.get(name)
        except Missing:
            return False
        return True

    def _names(self, folder: str) -> list[str]:
        """List `folder`. The whole of it, since S3 leaves out the key that a listing starts at."""
        text = f"{folder}/" if folder else ""
        start = text.encode() if self.key is bytes else text
        keys: list[bytes | str] = []
        with self._errors("list", folder or "all"):
            try:
                keys.extend(self.collection.iter_prefix(start, start))
            except KeyError as error:
                if error.args != ("Contents",):  # from upstream's S3 collection: an empty listing
                    raise
            return [key if isinstance(key, str) else bytes(key).decode() for key in keys]

    def _length(self, name: str) -> int:
        key = self._key(name)
        try:
            with self._errors("read", name):
                return self.collection.content_length(key)
        except StoreError as error:
            # That of upstream's S3 collection calls a method that boto3 does not have.
            if isinstance(error.__cause__, AttributeError | NotImplementedError):
                return len(self.get(name))
            raise

    @contextmanager
    def _errors(self, action: str, name: str) -> Iterator[None]:
        """Turn errors into StoreErrors. Collections raise KeyError for much that is no miss."""
        handled = sys.exception()
        try:
            yield
        except Exception as error:
            reason = _reason(error, handled)
            if not isinstance(reason, Exception):  # Ctrl-C
                raise reason from None
            failure = f"cannot {action} {name} in {self.address}"
            if action in ("read", "delete") and _is_miss(reason):
                raise Missing(f"{failure}: it is not there") from error
            text = " ".join(f"{failure}: {type(reason).__name__}: {reason}".split())
            raise StoreError(text.removesuffix(":")) from reason


def _reason(error: BaseException, handled: BaseException | None) -> BaseException:
    """Return the error behind the KeyErrors that were raised in its place.

    `handled` is the exception that the caller was already dealing with. Python chains it too, but
    it is not the reason.
    """
    while isinstance(error, KeyError) and error.__context__ not in (None, handled):
        error = error.__context__
    return error


def _is_miss(reason: Exception) -> bool:
    if isinstance(reason, ClientError):
        return reason.response.get("Error", {}).get("Code") in MISSES
    return isinstance(reason, KeyError)
