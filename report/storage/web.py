"""Storages that can only be read: a published site, and a site in an archive."""

import time
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import urllib3

from report.errors import Damaged, Missing, StoreError
from report.storage.folder import write_whole
from report.storage.interface import Entry, Head, check_name, check_url

CONNECT, READ, IN_ALL = 10, 10, 60  # seconds; the last for the whole of an object
BLOCK = 2**16  # bytes
BUSY = (429, 500, 502, 503, 504)  # HTTP statuses worth another attempt
NO_METHOD = (405, 501)  # HTTP statuses of servers that do not know a method


class _NoMethod(StoreError):
    """The server does not know the method of a request."""


class _ReadOnly(ABC):
    """The methods that Web and Zip share."""

    address: str

    @abstractmethod
    def get(self, name: str) -> bytes: ...

    def put(self, name: str, data: bytes, media_type: str, immutable: bool) -> None:
        raise self._refusal()

    def delete(self, name: str) -> None:
        raise self._refusal()

    def export(self, name: str, target: Path) -> None:
        write_whole(target, self.get(name))

    def _refusal(self) -> StoreError:
        return StoreError(f"{self.address} can only be read; give a folder or a bucket to write to")


class Web(_ReadOnly):
    """The files under an address that starts with http:// or https://."""

    parallel = 16

    def __init__(self, address: str):
        self.address = check_url(address)
        retries = urllib3.Retry(
            3, connect=0, read=1, status=1, status_forcelist=BUSY, raise_on_status=False
        )
        timeout = urllib3.Timeout(connect=CONNECT, read=READ)
        self._pool = urllib3.PoolManager(maxsize=self.parallel, retries=retries, timeout=timeout)

    def get(self, name: str) -> bytes:
        latest = time.monotonic() + IN_ALL - READ
        with self._answer("GET", name) as response:
            blocks = []
            for block in response.stream(BLOCK):
                blocks.append(block)
                if time.monotonic() > latest:
                    raise StoreError(
                        f"cannot read {name} at {self.address}: it takes longer than {IN_ALL} s"
                    )
            return b"".join(blocks)

    def head(self, name: str) -> Head:
        try:
            return self._describe("HEAD", name)
        except _NoMethod:
            return self._describe("GET", name)  # of which only the headers are read

    def _describe(self, method: str, name: str) -> Head:
        with self._answer(method, name) as response:
            length = response.headers.get("Content-Length", "")
            return Head(
                bytes=int(length) if length.isdecimal() else None,
                media_type=media_type_of(response),
                sha256=None,
                cache_control=response.headers.get("Cache-Control", ""),
            )

    def entries(self, prefix: str = "") -> dict[str, Entry]:
        raise StoreError(f"{self.address} can not be listed; it is read by name")

    @contextmanager
    def _answer(self, method: str, name: str) -> Iterator[urllib3.BaseHTTPResponse]:
        url = f"{self.address}/{quote(check_name(name))}"
        with request(self._pool, method, url, {"Accept-Encoding": "identity"}) as response:
            if response.status in (404, 410):
                raise Missing(f"cannot read {url}: HTTP {response.status}, there is nothing")
            if response.status != 200:
                kind = _NoMethod if response.status in NO_METHOD else StoreError
                raise kind(f"cannot read {url}: HTTP {response.status} {response.reason}")
            yield response


class Zip(_ReadOnly):
    """The files of a zip archive."""

    parallel = 1

    def __init__(self, path: Path):
        self.address = str(path)
        try:
            self._archive = zipfile.ZipFile(path)
        except OSError as error:
            raise StoreError(
                f"cannot read the archive {path}: {error.strerror or error}"
            ) from error
        except zipfile.BadZipFile as error:
            raise StoreError(f"cannot read the archive {path}: {error}") from error

    def get(self, name: str) -> bytes:
        try:
            return self._archive.read(check_name(name))
        except KeyError as error:
            raise Missing(f"{name} is not in {self.address}") from error
        except OSError as error:
            reason = error.strerror or error
            raise StoreError(f"cannot read {name} in {self.address}: {reason}") from error
        except (EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
            raise Damaged(f"cannot read {name} in {self.address}: {error}") from error

    def entries(self, prefix: str = "") -> dict[str, Entry]:
        files = sorted(self._archive.infolist(), key=lambda file: file.filename)
        return {
            file.filename: Entry(file.file_size, datetime(*file.date_time).timestamp())
            for file in files
            if file.filename.startswith(prefix) and not file.is_dir()
        }


@contextmanager
def request(
    pool: urllib3.PoolManager, method: str, url: str, headers: dict[str, str]
) -> Iterator[urllib3.BaseHTTPResponse]:
    """Yield the answer, its body not yet read.

    Raises: StoreError for every failure before the end of the body, also of the caller's reading.
    """
    try:
        response = pool.request(method, url, headers=headers, preload_content=False)
        try:
            yield response
        finally:
            response.close()
    except urllib3.exceptions.MaxRetryError as error:
        raise StoreError(f"cannot read {url}: {_words(error.reason or error)}") from error
    except urllib3.exceptions.HTTPError as error:
        raise StoreError(f"cannot read {url}: {_words(error)}") from error


def _words(error: Exception) -> str:
    if isinstance(
        error, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError
    ):
        return "nothing answers there; is the server running, and is the address right?"
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return "the server accepts connections and does not answer"
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return "the connection broke off before the end"
    return str(error)


def media_type_of(response: urllib3.BaseHTTPResponse) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip()
