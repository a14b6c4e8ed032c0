"""A bucket, or what is under a prefix of one, as a storage: AWS, R2, B2, MinIO, Ceph, SeaweedFS, through boto3.

What fails in passing is tried again here and nowhere else, for long enough that a server can be restarted: boto3's own
attempts are over within a second. Checksums are given explicitly, since boto3 sends its own in an encoding that some
servers refuse, or keep as a part of the object.
"""

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import boto3
from botocore import exceptions as boto
from botocore.config import Config

from report.errors import Missing, StoreError
from report.storage.folder import write_whole
from report.storage.interface import Entry, Head, check_name, check_url
from report.storage.transfer import each

Result = TypeVar("Result")

PATIENCE = 20  # seconds for which a request that fails is begun again
LONGEST_PAUSE = 4  # seconds between two attempts
CONNECT, READ = 5, 15  # seconds; an upload that stalls runs into the first, so that is not less
PART = 16 * 2**20  # bytes; what is larger is sent in parts
PARTS_AT_ONCE = 4
FOR_EVER, ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"

ALREADY_THERE = 412  # HTTP
MAY_PASS = {
    408,
    429,
    500,
    502,
    503,
    504,
    "ConditionalRequestConflict",
    "RequestTimeout",
    "BadDigest",
}
NOT_THERE = "there is no such object"
FULL = "the disk of the server is full; make room there"
NO_CREDENTIALS = (
    "no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile"
)
REASONS = {  # by the server's code or by boto3's exception
    "NoSuchKey": NOT_THERE,
    "NoSuchBucket": "there is no such bucket; create it, or correct the address",
    "InvalidAccessKeyId": "the server does not know the access key; check AWS_ACCESS_KEY_ID or the profile",
    "SignatureDoesNotMatch": "the secret key is wrong; check AWS_SECRET_ACCESS_KEY or the profile",
    "ExpiredToken": "the credentials have expired; get new ones",
    "RequestTimeTooSkewed": "the clocks here and at the server differ; set the clock of this machine",
    "InsufficientStorage": FULL,
    "XMinioStorageFull": FULL,
    "QuotaExceeded": FULL,
    "NoCredentialsError": NO_CREDENTIALS,
    "PartialCredentialsError": NO_CREDENTIALS,
    "EndpointConnectionError": "nothing answers there; is the server running, and is the address right?",
    "ConnectTimeoutError": "nothing answers there in time; is the address right, and the network up?",
    "ReadTimeoutError": "the server accepts connections and does not answer; is it an S3 server, and well?",
    "ConnectionClosedError": "the server broke off the connection",
    "ResponseStreamingError": "the connection broke off before the last byte",
    "IncompleteReadError": "the connection broke off before the last byte",
}


class S3:
    """What is under `prefix` in `bucket`. Credentials come from where boto3 finds them, and go into no message.

    `url` is where everyone can read it once `allow_reading` was called, unless the server hides behind another.
    """

    parallel = 16

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        endpoint_url: str | None = None,
        profile: str | None = None,
    ):
        """Asks the server for nothing yet. Raises: StoreError if there is no such profile, or no such kind of URL."""
        self.address = f"s3://{bucket}/{prefix}".rstrip("/")
        self._bucket, self._prefix = bucket, f"{prefix}/" if prefix else ""
        self._endpoint_url = endpoint_url and check_url(endpoint_url)
        self._where = self.address
        try:
            self._session = boto3.Session(profile_name=profile)
            self._client = self._make_client(CONNECT, READ)
        except (boto.BotoCoreError, ValueError) as error:
            raise self._failure("open the bucket", error) from error
        server = check_url(self._client.meta.endpoint_url)
        self._where = f"{self.address} at {server}"
        self.url = f"{server}/{bucket}/{prefix}".rstrip("/")

    def check(self) -> None:
        """Ask for the bucket once, for less than 10 s. Raises: StoreError that says what to do."""
        client = self._make_client(2, 5)
        try:  # a listing, not HEAD: answers to HEAD do not say what is wrong
            listing = client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)
        except (boto.BotoCoreError, boto.ClientError) as error:
            raise self._failure("open the bucket", error) from error
        if "Name" not in listing:
            raise StoreError(
                f"cannot open the bucket: what answers is no S3 server ({self._where})"
            )

    def get(self, name: str) -> bytes:
        return self._request(
            f"read {name}", lambda: self._client.get_object(**self._at(name))["Body"].read()
        )

    def head(self, name: str) -> Head:
        """Raises: Missing."""
        told = self._request(
            f"read {name}",
            lambda: self._client.head_object(**self._at(name), ChecksumMode="ENABLED"),
        )
        checksum = told.get("ChecksumSHA256", "-")
        sha256 = (
            None if "-" in checksum else base64.b64decode(checksum).hex()
        )  # one with "-" is of parts
        return Head(
            told["ContentLength"], told.get("ContentType", ""), sha256, told.get("CacheControl", "")
        )

    def put(self, name: str, data: bytes, media_type: str, immutable: bool) -> None:
        served = {"ContentType": media_type, "CacheControl": FOR_EVER if immutable else ASK_AGAIN}
        if len(data) <= PART:
            self._request(f"write {name}", lambda: self._put_at_once(name, data, served, immutable))
        elif not (immutable and self._has(name)):
            self._put_in_parts(name, data, served)

    def entries(self, prefix: str = "") -> dict[str, Entry]:
        def read() -> dict[str, Entry]:
            pages = self._client.get_paginator("list_objects_v2")
            return {
                found["Key"].removeprefix(self._prefix): Entry(
                    found["Size"], found["LastModified"].timestamp()
                )
                for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix)
                for found in page.get("Contents", [])
                if not found["Key"].endswith("/")  # some programs mark folders so
            }

        return dict(sorted(self._request("list the bucket", read).items()))

    def delete(self, name: str) -> None:
        self._request(f"delete {name}", lambda: self._client.delete_object(**self._at(name)))

    def export(self, name: str, target: Path) -> None:
        write_whole(target, self.get(name))

    # ---- who may read

    def allow_reading(self) -> None:
        """Let everyone read what is under the prefix, by a policy of the bucket; its other statements stay.

        Raises: StoreError where the server does not allow it.
        """
        ours = {"Sid": self._rule, "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
        ours["Resource"] = f"arn:aws:s3:::{self._bucket}/{self._prefix}*"

        def change() -> None:
            told = self._unless(
                "NoSuchBucketPolicy", lambda: self._client.get_bucket_policy(Bucket=self._bucket)
            )
            others = [one for one in _statements(told) if one.get("Sid") != self._rule]
            policy = json.dumps({"Version": "2012-10-17", "Statement": [*others, ours]})
            self._client.put_bucket_policy(Bucket=self._bucket, Policy=policy)

        self._change_rules("let everyone read by a bucket policy", change)

    def allow_origins(self, origins: list[str]) -> None:
        """Let pages at `origins`, such as "https://example.org", read by script; the bucket's other rules stay.

        Raises: StoreError where the server does not allow it.
        """
        ours = {"ID": self._rule, "AllowedOrigins": origins, "AllowedMethods": ["GET", "HEAD"]}
        ours |= {
            "AllowedHeaders": ["Range"],
            "ExposeHeaders": ["Content-Length", "Content-Range", "ETag"],
        }

        def change() -> None:
            told = self._unless(
                "NoSuchCORSConfiguration", lambda: self._client.get_bucket_cors(Bucket=self._bucket)
            )
            others = [rule for rule in told.get("CORSRules", []) if rule.get("ID") != self._rule]
            self._client.put_bucket_cors(
                Bucket=self._bucket, CORSConfiguration={"CORSRules": [ours, *others]}
            )

        self._change_rules(f"allow pages at {', '.join(origins)} to read", change)

    @property
    def _rule(self) -> str:
        """How our own rules for this prefix are known among those of the bucket."""
        return "report" + hashlib.sha256(self._prefix.encode()).hexdigest()[:16]

    def _unless(self, nothing: str, read: Callable[[], dict]) -> dict:
        """What `read` gives, or an empty dict if the server answers with the code `nothing`."""
        try:
            return read()
        except boto.ClientError as error:
            if _code(error) != nothing:
                raise
            return {}

    def _change_rules(self, doing: str, change: Callable[[], None]) -> None:
        try:
            self._request(doing, change)
        except ValueError as error:  # no JSON: how servers answer that do not know policies
            raise StoreError(
                f"cannot {doing}: the server knows no policies ({self._where})"
            ) from error

    # ---- requests

    def _make_client(self, connect: float, read: float):
        settings = Config(
            connect_timeout=connect,
            read_timeout=read,
            retries={"mode": "standard", "total_max_attempts": 1},
            max_pool_connections=2 * self.parallel,
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return self._session.client("s3", endpoint_url=self._endpoint_url, config=settings)

    def _at(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + check_name(name)}

    def _has(self, name: str) -> bool:
        try:
            self.head(name)
            return True
        except Missing:
            return False

    def _put_at_once(self, name: str, data: bytes, served: dict[str, str], immutable: bool) -> None:
        condition = {"IfNoneMatch": "*"} if immutable else {}
        try:
            self._client.put_object(
                **self._at(name), **served, **condition, Body=data, ChecksumSHA256=_checksum(data)
            )
        except boto.ClientError as error:
            if _status(error) != ALREADY_THERE:
                raise

    def _put_in_parts(self, name: str, data: bytes, served: dict[str, str]) -> None:
        doing, client = f"write {name}", self._client

        def send(number: int) -> dict:
            part = data[(number - 1) * PART : number * PART]
            sent = {"PartNumber": number, "ChecksumSHA256": _checksum(part)}
            answer = self._request(doing, lambda: client.upload_part(**upload, **sent, Body=part))
            return sent | {"ETag": answer["ETag"]}

        upload = self._at(name)
        begin = self._request(
            doing,
            lambda: client.create_multipart_upload(**upload, **served, ChecksumAlgorithm="SHA256"),
        )
        upload["UploadId"] = begin["UploadId"]
        try:
            sent = dict(each(send, range(1, -(-len(data) // PART) + 1), PARTS_AT_ONCE))
            parts = {"Parts": [sent[number] for number in sorted(sent)]}
            self._request(
                doing, lambda: client.complete_multipart_upload(**upload, MultipartUpload=parts)
            )
        except BaseException:
            with suppress(boto.BotoCoreError, boto.ClientError):  # parts that stay there cost money
                client.abort_multipart_upload(**upload)
            raise

    def _request(self, doing: str, call: Callable[[], Result]) -> Result:
        """`call()`, begun again for PATIENCE where its failure may pass. Raises: StoreError, Missing."""
        started, pause = time.monotonic(), 0.2
        while True:
            try:
                return call()
            except (boto.BotoCoreError, boto.ClientError) as error:
                if not _may_pass(error) or time.monotonic() + pause > started + PATIENCE:
                    raise self._failure(doing, error) from error
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _failure(self, doing: str, error: Exception) -> StoreError:
        kind = Missing if _reason(error) == NOT_THERE else StoreError
        return kind(f"cannot {doing}: {_reason(error)} ({self._where})")


def _reason(error: Exception) -> str:
    """What went wrong and what to do, in words of ours: those of servers and of boto3 may hold credentials."""
    if not isinstance(error, boto.ClientError):
        name = type(error).__name__
        return REASONS.get(name) or re.sub(r"//\S*@", "//", f"{name}: {error}".splitlines()[0])
    code, status, message = (
        _code(error),
        _status(error),
        str(error.response["Error"].get("Message")).lower(),
    )
    if code in REASONS:
        return REASONS[code]
    if status == 404 and error.operation_name == "HeadObject":  # such answers have no code
        return NOT_THERE
    if "request time" in message:
        return REASONS["RequestTimeTooSkewed"]
    if status == 507 or "no space left" in message:
        return FULL
    if status in (401, 403):
        return f"no permission for {error.operation_name} ({code}); ask the owner of the bucket to allow it"
    if status >= 500:
        return f"the server failed with {code} (HTTP {status}) and may have no room left; see its log and its disk"
    return f"the server refuses {error.operation_name} with {code} (HTTP {status}); is it the right S3 server?"


def _may_pass(error: Exception) -> bool:
    if isinstance(error, boto.ClientError):
        return _reason(error) != FULL and not MAY_PASS.isdisjoint((_status(error), _code(error)))
    return isinstance(error, boto.HTTPClientError | boto.ConnectionError | boto.IncompleteReadError)


def _code(error: boto.ClientError) -> str:
    return error.response["Error"].get("Code", "")


def _status(error: boto.ClientError) -> int:
    return error.response["ResponseMetadata"].get("HTTPStatusCode", 0)


def _statements(told: dict) -> list[dict]:
    statements = json.loads(told.get("Policy", "{}")).get("Statement", [])
    return statements if isinstance(statements, list) else [statements]


def _checksum(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
