"""Storages that can only be read: a published site, and a site in an archive."""

import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

import urllib3

from report.addresses import check_url
from report.errors import Damaged, Missing, StoreError
from report.storage import Entry, check_name, write_whole

CONNECT, READ, IN_ALL = 10, 10, 60  # seconds; the last for all of an object
BLOCK = 2**16  # bytes
BUSY = (429, 500, 502, 503, 504)  # answers worth another attempt


@dataclass(frozen=True)
class Head:
    """What a server tells of an object without sending it; None is what it does not tell."""

    bytes: int | None
    media_type: str
    sha256: str | None
    cache_control: str


class _ReadOnly:
    """What Web and Zip have in common."""

    address: str

    def put(self, name: str, data: bytes, media_type: str, immutable: bool) -> None:
        raise self._refusal()

    def delete(self, name: str) -> None:
        raise self._refusal()

    def export(self, name: str, target: Path) -> None:
        write_whole(target, self.get(name))

    def _refusal(self) -> StoreError:
        return StoreError(f"{self.address} can only be read; give a folder or a bucket to write to")


class Web(_ReadOnly):
    """What lies under an address that starts with http:// or https://."""

    parallel = 16

    def __init__(self, address: str):
        self.address = check_url(address)
        retries = urllib3.Retry(3, connect=0, read=1, status=1, status_forcelist=BUSY, raise_on_status=False)
        timeout = urllib3.Timeout(connect=CONNECT, read=READ)
        self._pool = urllib3.PoolManager(maxsize=self.parallel, retries=retries, timeout=timeout)

    def get(self, name: str) -> bytes:
        latest = time.monotonic() + IN_ALL - READ
        with self._answer("GET", name) as response:
            blocks = []
            for block in response.stream(BLOCK):
                blocks.append(block)
                if time.monotonic() > latest:
                    raise StoreError(f"cannot read {name} at {self.address}: it takes longer than {IN_ALL} s")
            return b"".join(blocks)

    def head(self, name: str) -> Head:
        """Raises: Missing."""
        with self._answer("HEAD", name) as response:
            length = response.headers.get("Content-Length", "")
            size = int(length) if length.isdecimal() else None
            return Head(size, _media_type(response), None, response.headers.get("Cache-Control", ""))

    def entries(self, prefix: str = "") -> dict[str, Entry]:
        raise StoreError(f"{self.address} can not be listed; it is read by name")

    @contextmanager
    def _answer(self, method: str, name: str) -> Iterator[urllib3.BaseHTTPResponse]:
        url = f"{self.address}/{quote(check_name(name))}"
        with _request(self._pool, method, url, {"Accept-Encoding": "identity"}) as response:
            if response.status in (404, 410):
                raise Missing(f"cannot read {url}: HTTP {response.status}, there is nothing")
            if response.status != 200:
                raise StoreError(f"cannot read {url}: HTTP {response.status} {response.reason}")
            yield response


class Zip(_ReadOnly):
    """The files of a zip archive."""

    parallel = 1

    def __init__(self, path: Path):
        self.address = str(path)
        try:
            self._archive = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise StoreError(f"cannot read the archive {path}: {getattr(error, 'strerror', None) or error}") from error

    def get(self, name: str) -> bytes:
        try:
            return self._archive.read(check_name(name))
        except KeyError as error:
            raise Missing(f"{name} is not in {self.address}") from error
        except OSError as error:
            raise StoreError(f"cannot read {name} in {self.address}: {error.strerror or error}") from error
        except (EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
            raise Damaged(f"cannot read {name} in {self.address}: {error}") from error

    def entries(self, prefix: str = "") -> dict[str, Entry]:
        files = sorted(self._archive.infolist(), key=lambda file: file.filename)
        return {
            file.filename: Entry(file.file_size, datetime(*file.date_time).timestamp())
            for file in files
            if file.filename.startswith(prefix) and not file.is_dir()
        }


def check_reading(url: str, origin: str | None, expected_bytes: int, media_type: str) -> None:
    """Read the first byte of a published file as a player on a page at `origin` does.

    `origin` is as browsers send it: "https://example.org", or "null" for a page that was opened from a disk; None is
    that of the file itself.
    Raises: StoreError that says what the server does wrong, and what to do about it.
    """
    url, origin = check_url(url), origin or _origin(url)
    pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=CONNECT, read=READ))
    with _request(pool, "GET", url, {"Origin": origin, "Range": "bytes=0-0"}) as response:
        wrong = _wrong_for_readers(response, url, origin, expected_bytes, media_type)
    if wrong:
        raise StoreError(f"a page at {origin} can not read {url}: {wrong}")


def _wrong_for_readers(
    response: urllib3.BaseHTTPResponse, url: str, origin: str, expected_bytes: int, media_type: str
) -> str | None:
    allowed = response.headers.get("Access-Control-Allow-Origin")
    length = response.headers.get("Content-Range", "").rpartition("/")[2]
    if response.status in (401, 403):
        return f"HTTP {response.status}; let everyone read it by a bucket policy, or give the public address"
    if response.status == 404:
        return "HTTP 404; it is not there, or the public address is another"
    if response.status == 200:
        return "the server ignores ranges (HTTP 200, not 206), so players can not seek; serve it from elsewhere"
    if response.status != 206:
        return f"HTTP {response.status}, not 206"
    if length != str(expected_bytes):
        return f"it has {length or 'unknown'} bytes, not {expected_bytes}; publish it again"
    if _media_type(response) != media_type.partition(";")[0]:
        return f"its type is {_media_type(response) or 'missing'}, not {media_type}; publish it again"
    if allowed not in ("*", origin) and origin != _origin(url):
        return f"CORS allows {allowed or 'no other origin'}; allow {origin} with GET, HEAD and the header Range"
    return None


@contextmanager
def _request(
    pool: urllib3.PoolManager, method: str, url: str, headers: dict[str, str]
) -> Iterator[urllib3.BaseHTTPResponse]:
    """The answer, its body not yet read. Raises: StoreError for whatever happens before the body's end."""
    try:
        response = pool.request(method, url, headers=headers, preload_content=False)
        try:
            yield response
        finally:
            response.close()
    except urllib3.exceptions.HTTPError as error:
        reason = getattr(error, "reason", None) or error
        raise StoreError(f"cannot read {url}: {_words(reason)}") from error


def _words(reason: object) -> str:
    if isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError):
        return "nothing answers there; is the server running, and is the address right?"
    if isinstance(reason, urllib3.exceptions.ReadTimeoutError):
        return "the server accepts connections and does not answer"
    if isinstance(reason, urllib3.exceptions.ProtocolError):
        return "the connection broke off before the end"
    return str(reason)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _media_type(response: urllib3.BaseHTTPResponse) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip()
