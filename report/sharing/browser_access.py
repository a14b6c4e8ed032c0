"""Check that readers' browsers can read a published file, as a player on a page does."""

from urllib.parse import urlsplit

import urllib3

from report.errors import StoreError
from report.storage.interface import check_url
from report.storage.web import CONNECT, READ, media_type_of, request


def check_reading(url: str, origin: str | None, expected_bytes: int, media_type: str) -> None:
    """Read the first byte of a published file as a player on a page at `origin` does.

    `origin` is as browsers send it: "https://example.org", or "null" for a page that was opened
    from a disk. None stands for the origin of the file itself.
    Raises: StoreError that says what the server does wrong, and what to do about it.
    """
    url = check_url(url)
    origin = origin or _origin(url)
    pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=CONNECT, read=READ))
    with request(pool, "GET", url, {"Origin": origin, "Range": "bytes=0-0"}) as response:
        problem = _problem_for_players(response, expected_bytes, media_type)
        if not problem and origin != _origin(url):
            problem = _problem_for_origin(response, origin)
    if problem:
        raise StoreError(f"a page at {origin} can not read {url}: {problem}")


def _problem_for_players(
    response: urllib3.BaseHTTPResponse, expected_bytes: int, media_type: str
) -> str:
    """Return the reason why no player can play the file, and the fix; "" if there is none."""
    length = response.headers.get("Content-Range", "").rpartition("/")[2]
    actual_type = media_type_of(response)
    if response.status in (401, 403):
        return (
            f"HTTP {response.status}; "
            "let everyone read it by a bucket policy, or give the public address"
        )
    if response.status == 404:
        return "HTTP 404; it is not there, or the public address is another"
    if response.status == 200:
        return (
            "the server ignores ranges (HTTP 200, not 206), so players can not seek; "
            "serve it from elsewhere"
        )
    if response.status != 206:
        return f"HTTP {response.status}, not 206"
    if length != str(expected_bytes):
        return f"it has {length or 'unknown'} bytes, not {expected_bytes}; publish it again"
    if actual_type != media_type.partition(";")[0]:
        return f"its type is {actual_type or 'missing'}, not {media_type}; publish it again"
    return ""


def _problem_for_origin(response: urllib3.BaseHTTPResponse, origin: str) -> str:
    """Return the reason why pages at another origin can not read the file, and the fix, or ""."""
    allowed = response.headers.get("Access-Control-Allow-Origin")
    if allowed in ("*", origin):
        return ""
    return (
        f"CORS allows {allowed or 'no other origin'}; "
        f"allow {origin} with GET, HEAD and the header Range"
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
