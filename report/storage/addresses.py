"""Open the storage that an address on a command line names."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from report.errors import StoreError
from report.storage.folder import Folder
from report.storage.interface import Storage, check_name, check_url, for_messages

PAGE = re.compile(r"(^|/)[^/]+\.html$")  # at the end of a path
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def open_storage(
    address: str, endpoint_url: str | None = None, profile: str | None = None
) -> Storage:
    """Open a folder, s3://bucket/prefix, https://site or an archive that ends with .zip.

    The address of a page, as browsers show it, stands for the place that the page is in.
    `endpoint_url` is the address of an S3-compatible server other than AWS, `profile` one of
    boto3's. A bucket is asked for at once, so that an error shows within 10 s. Sites and archives
    can only be read.
    Raises: StoreError.
    """
    # Each kind imports its own libraries: a build into a folder does not wait for boto3.
    scheme = address.partition("://")[0] if "://" in address else ""
    if scheme == "s3":
        from report.storage.s3 import S3

        storage = S3(*_bucket_and_prefix(address), endpoint_url, profile)
        storage.check()
        return storage
    if scheme in ("http", "https"):
        from report.storage.web import Web

        url = urlsplit(check_url(address))
        return Web(url._replace(path=PAGE.sub("", url.path), query="", fragment="").geturl())
    if scheme == "file":
        return _open_path(_path(address))
    if scheme or not address:
        raise StoreError(
            f"{for_messages(address)!r} is no place to keep or read things: "
            "give a folder, s3://bucket/prefix, https://site or archive.zip"
        )
    return _open_path(Path(address))


def _open_path(path: Path) -> Storage:
    if path.name.endswith(".zip") and not path.is_dir():
        from report.storage.web import Zip

        return Zip(path)
    return Folder(path.parent if PAGE.search(path.name) and path.is_file() else path)


def _path(url: str) -> Path:
    """Return the path that a file:// URL stands for."""
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise StoreError(f"{for_messages(url)!r} is on another computer; give a path on this one")
    return Path(unquote(parts.path))


def _bucket_and_prefix(address: str) -> tuple[str, str]:
    bucket, _, prefix = address.partition("://")[2].rstrip("/").partition("/")
    if not BUCKET.fullmatch(bucket):
        raise StoreError(
            f"{for_messages(address)!r} names no bucket; "
            "write s3://bucket/prefix, the bucket with 3 to 63 of a-z, 0-9, '-' and '.'"
        )
    prefix = PAGE.sub("", prefix)
    return bucket, check_name(prefix) if prefix else ""
