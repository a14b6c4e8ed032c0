"""A bucket, or a prefix of one, as a storage, through boto3: AWS, R2, B2, MinIO, Ceph, SeaweedFS.

Failures that may pass are tried again here and nowhere else, for long enough to restart a server:
boto3's own attempts are over within a second. Checksums are given explicitly, since boto3 sends its
own in an encoding that some servers refuse, or keep as a part of the object.
"""

import base64
import hashlib
import json
import math
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import boto3
from botocore import exceptions as boto
from botocore.config import Config

from report.errors import Missing, StoreError
from report.storage.folder import write_whole
from report.storage.interface import Entry, Head, check_name, check_url
from report.storage.transfer import each

Result = TypeVar("Result")

PATIENCE = 20  # seconds for which a request that fails is tried again
LONGEST_PAUSE = 4  # seconds between two attempts
CONNECT, READ = 5, 15  # seconds; uploads that stall run into the first, so it is not less
CHECK_CONNECT, CHECK_READ = 2, 5  # seconds, for the first request of all
PART = 16 * 2**20  # bytes; larger objects are sent in parts
PARTS_AT_ONCE = 4
FOR_EVER, ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"

ALREADY_THERE = 412  # HTTP
MAY_PASS = {408, 429, 500, 502, 503, 504} | {
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
    "InvalidAccessKeyId": (
        "the server does not know the access key; check AWS_ACCESS_KEY_ID or the profile"
    ),
    "SignatureDoesNotMatch": (
        "the secret key is wrong; check AWS_SECRET_ACCESS_KEY or the profile"
    ),
    "ExpiredToken": "the credentials have expired; get new ones",
    "RequestTimeTooSkewed": (
        "the clocks here and at the server differ; set the clock of this machine"
    ),
    "InsufficientStorage": FULL,
    "XMinioStorageFull": FULL,
    "QuotaExceeded": FULL,
    "NoCredentialsError": NO_CREDENTIALS,
    "PartialCredentialsError": NO_CREDENTIALS,
    "EndpointConnectionError": (
        "nothing answers there; is the server running, and is the address right?"
    ),
    "ConnectTimeoutError": (
        "nothing answers there in time; is the address right, and the network up?"
    ),
    "ReadTimeoutError": (
        "the server accepts connections and does not answer; is it an S3 server, and well?"
    ),
    "ConnectionClosedError": "the server broke off the connection",
    "ResponseStreamingError": "the connection broke off before the last byte",
    "IncompleteReadError": "the connection broke off before the last byte",
}


class S3:
    """The objects under `prefix` in `bucket`.

    Credentials come from where boto3 finds them, and are in no message. `url` is the address where
    everyone can read after `allow_reading`, unless readers have to use another server.
    """

    parallel = 16

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        endpoint_url: str | None = None,
        profile: str | None = None,
    ):
        """Ask the server for nothing yet.

        Raises: StoreError if there is no such profile, or if `endpoint_url` is no URL of a server.
        """
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
        client = self._make_client(CHECK_CONNECT, CHECK_READ)
        try:  # a listing, not HEAD: answers to HEAD do not say why they failed
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
        answer = self._request(
            f"read {name}",
            lambda: self._client.head_object(**self._at(name), ChecksumMode="ENABLED"),
        )
        checksum = answer.get("ChecksumSHA256", "-")
        of_parts = "-" in checksum  # a hash of the hashes of an upload's parts
        return Head(
            bytes=answer["ContentLength"],
            media_type=answer.get("ContentType", ""),
            sha256=None if of_parts else base64.b64decode(checksum).hex(),
            cache_control=answer.get("CacheControl", ""),
        )

    def put(self, name: str, data: bytes, media_type: str, immutable: bool) -> None:
        headers = {"ContentType": media_type, "CacheControl": FOR_EVER if immutable else ASK_AGAIN}
        if len(data) <= PART:
            self._request(
                f"write {name}", lambda: self._put_at_once(name, data, headers, immutable)
            )
        elif not (immutable and self._has(name)):
            self._put_in_parts(name, data, headers)

    def entries(self, prefix: str = "") -> dict[str, Entry]:
        def read() -> dict[str, Entry]:
            listing = {}
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
                for item in page.get("Contents", []):
                    if not item["Key"].endswith("/"):  # some programs mark folders with such keys
                        name = item["Key"].removeprefix(self._prefix)
                        listing[name] = Entry(item["Size"], item["LastModified"].timestamp())
            return listing

        return dict(sorted(self._request("list the bucket", read).items()))

    def delete(self, name: str) -> None:
        self._request(f"delete {name}", lambda: self._client.delete_object(**self._at(name)))

    def export(self, name: str, target: Path) -> None:
        write_whole(target, self.get(name))

    # ---- who may read

    def allow_reading(self) -> None:
        """Add a statement to the bucket's policy that lets everyone read under the prefix.

        The policy's other statements stay.
        """
        ours = {
            "Sid": self._rule_id,
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{self._bucket}/{self._prefix}*",
        }

        def change() -> None:
            answer = self._unless(
                "NoSuchBucketPolicy", lambda: self._client.get_bucket_policy(Bucket=self._bucket)
            )
            others = [one for one in _statements(answer) if one.get("Sid") != self._rule_id]
            policy = json.dumps({"Version": "2012-10-17", "Statement": [*others, ours]})
            self._client.put_bucket_policy(Bucket=self._bucket, Policy=policy)

        self._change_rules("let everyone read by a bucket policy", change)

    def allow_origins(self, origins: list[str]) -> None:
        """Add a CORS rule to the bucket that lets pages at `origins` read by script.

        The bucket's other rules stay.
        """
        ours = {
            "ID": self._rule_id,
            "AllowedOrigins": origins,
            "AllowedMethods": ["GET", "HEAD"],
            "AllowedHeaders": ["Range"],
            "ExposeHeaders": ["Content-Length", "Content-Range", "ETag"],
        }

        def change() -> None:
            answer = self._unless(
                "NoSuchCORSConfiguration", lambda: self._client.get_bucket_cors(Bucket=self._bucket)
            )
            others = [rule for rule in answer.get("CORSRules", []) if rule.get("ID") != ours["ID"]]
            rules = {"CORSRules": [ours, *others]}
            self._client.put_bucket_cors(Bucket=self._bucket, CORSConfiguration=rules)

        self._change_rules(f"allow pages at {', '.join(origins)} to read", change)

    @property
    def _rule_id(self) -> str:
        """The name of our rules for this prefix among those of the bucket."""
        return "report" + hashlib.sha256(self._prefix.encode()).hexdigest()[:16]

    def _unless(self, code: str, read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return `read()`, or an empty dict if the server answers with the error `code`."""
        try:
            return read()
        except boto.ClientError as error:
            if _code(error) != code:
                raise
            return {}

    def _change_rules(self, action: str, change: Callable[[], None]) -> None:
        try:
            self._request(action, change)
        except ValueError as error:  # no JSON: the answer of servers that do not know policies
            raise StoreError(
                f"cannot {action}: the server knows no policies ({self._where})"
            ) from error

    # ---- requests

    def _make_client(self, connect: float, read: float) -> Any:
        """A client of boto3, whose methods are made at run time, so that no type has them."""
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

    def _put_at_once(
        self, name: str, data: bytes, headers: dict[str, str], immutable: bool
    ) -> None:
        condition = {"IfNoneMatch": "*"} if immutable else {}
        try:
            self._client.put_object(
                **self._at(name), **headers, **condition, Body=data, ChecksumSHA256=_checksum(data)
            )
        except boto.ClientError as error:
            if _status(error) != ALREADY_THERE:
                raise

    def _put_in_parts(self, name: str, data: bytes, headers: dict[str, str]) -> None:
        action, client = f"write {name}", self._client
        upload = self._at(name)

        def send(number: int) -> dict[str, Any]:
            body = data[(number - 1) * PART : number * PART]
            part = {"PartNumber": number, "ChecksumSHA256": _checksum(body)}
            answer = self._request(action, lambda: client.upload_part(**upload, **part, Body=body))
            return part | {"ETag": answer["ETag"]}

        beginning = self._request(
            action,
            lambda: client.create_multipart_upload(**upload, **headers, ChecksumAlgorithm="SHA256"),
        )
        upload["UploadId"] = beginning["UploadId"]
        try:
            n_parts = math.ceil(len(data) / PART)
            parts = dict(each(send, range(1, n_parts + 1), PARTS_AT_ONCE))
            whole = {"Parts": [parts[number] for number in sorted(parts)]}
            self._request(
                action, lambda: client.complete_multipart_upload(**upload, MultipartUpload=whole)
            )
        except BaseException:
            with suppress(boto.BotoCoreError, boto.ClientError):  # parts that stay there cost money
                client.abort_multipart_upload(**upload)
            raise

    def _request(self, action: str, call: Callable[[], Result]) -> Result:
        """Return `call()`, tried again for PATIENCE if its failure may pass.

        Raises: StoreError, Missing.
        """
        started, pause = time.monotonic(), 0.2
        while True:
            try:
                return call()
            except (boto.BotoCoreError, boto.ClientError) as error:
                if not _may_pass(error) or time.monotonic() + pause > started + PATIENCE:
                    raise self._failure(action, error) from error
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _failure(self, action: str, error: Exception) -> StoreError:
        kind = Missing if _reason(error) == NOT_THERE else StoreError
        return kind(f"cannot {action}: {_reason(error)} ({self._where})")


def _reason(error: Exception) -> str:
    """Say what is wrong and what to do. Texts of servers and of boto3 may hold credentials."""
    if not isinstance(error, boto.ClientError):
        name = type(error).__name__
        return REASONS.get(name) or re.sub(r"//\S*@", "//", f"{name}: {error}".splitlines()[0])
    code, status, operation = _code(error), _status(error), error.operation_name
    message = str(error.response["Error"].get("Message")).lower()
    if code in REASONS:
        return REASONS[code]
    if status == 404 and operation == "HeadObject":  # such answers have no code
        return NOT_THERE
    if "request time" in message:
        return REASONS["RequestTimeTooSkewed"]
    if status == 507 or "no space left" in message:
        return FULL
    if status in (401, 403):
        return f"no permission for {operation} ({code}); ask the owner of the bucket to allow it"
    if status >= 500:
        return (
            f"the server failed with {code} (HTTP {status}) and may have no room left; "
            "see its log and its disk"
        )
    return f"the server refuses {operation} with {code} (HTTP {status}); is it the right S3 server?"


def _may_pass(error: Exception) -> bool:
    if isinstance(error, boto.ClientError):
        return _reason(error) != FULL and not MAY_PASS.isdisjoint((_status(error), _code(error)))
    return isinstance(error, boto.HTTPClientError | boto.ConnectionError | boto.IncompleteReadError)


def _code(error: boto.ClientError) -> str:
    return error.response["Error"].get("Code", "")


def _status(error: boto.ClientError) -> int:
    return error.response["ResponseMetadata"].get("HTTPStatusCode", 0)


def _statements(answer: dict[str, Any]) -> list[dict[str, Any]]:
    statements = json.loads(answer.get("Policy", "{}")).get("Statement", [])
    return statements if isinstance(statements, list) else [statements]


def _checksum(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
