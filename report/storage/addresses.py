"""Open the storage that an address on a command line names."""

import re
from pathlib import Path

from report.errors import StoreError
from report.storage.folder import Folder
from report.storage.interface import Storage, check_name, for_messages

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def open_storage(
    address: str, endpoint_url: str | None = None, profile: str | None = None
) -> Storage:
    """Open a folder, s3://bucket/prefix, https://site or an archive that ends with .zip.

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

        return Web(address)
    if scheme or not address:
        raise StoreError(
            f"{for_messages(address)!r} is no place to keep or read things: "
            "give a folder, s3://bucket/prefix, https://site or archive.zip"
        )
    if address.endswith(".zip"):
        from report.storage.web import Zip

        return Zip(Path(address))
    return Folder(Path(address))


def _bucket_and_prefix(address: str) -> tuple[str, str]:
    bucket, _, prefix = address.partition("://")[2].rstrip("/").partition("/")
    if not BUCKET.fullmatch(bucket):
        raise StoreError(
            f"{for_messages(address)!r} names no bucket; "
            "write s3://bucket/prefix, the bucket with 3 to 63 of a-z, 0-9, '-' and '.'"
        )
    return bucket, check_name(prefix) if prefix else ""
