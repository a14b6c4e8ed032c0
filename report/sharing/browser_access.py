"""Read a published file as a player on a page does."""

from urllib.parse import urlsplit

import urllib3

from report.errors import StoreError
from report.storage.interface import check_url
from report.storage.web import CONNECT, READ, media_type_of, request


def check_reading(url: str, origin: str | None, expected_bytes: int, media_type: str) -> None:
    """Read the first byte of a published file as a player on a page at `origin` does.

    `origin` is as browsers send it: "https://example.org", or "null" for a page that was opened from a disk; None is
    that of the file itself.
    Raises: StoreError that says what the server does wrong, and what to do about it.
    """
    url, origin = check_url(url), origin or _origin(url)
    pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=CONNECT, read=READ))
    with request(pool, "GET", url, {"Origin": origin, "Range": "bytes=0-0"}) as response:
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
    if media_type_of(response) != media_type.partition(";")[0]:
        return f"its type is {media_type_of(response) or 'missing'}, not {media_type}; publish it again"
    if allowed not in ("*", origin) and origin != _origin(url):
        return f"CORS allows {allowed or 'no other origin'}; allow {origin} with GET, HEAD and the header Range"
    return None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
