"""A bucket, or a prefix of one, as a storage, through boto3: AWS, R2, B2, MinIO, Ceph, SeaweedFS.

Failures that may pass are tried again here and nowhere else, for long enough to restart a server:
boto3's own attempts are over within a second. Checksums are given explicitly, since boto3 sends its
own in an encoding that some servers refuse, or keep as a part of the object.

Servers lack features. Those that we can do without are optional in each request, and `Features`
finds out which ones this server has.
"""

import base64
import hashlib
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import boto3
from botocore import exceptions as boto
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

from report.errors import Missing, StoreError
from report.storage.folder import write_whole
from report.storage.interface import Entry, Head, check_name, check_url
from report.storage.s3_servers import (
    NOT_THERE,
    Features,
    Unsupported,
    code,
    is_not_implemented,
    may_pass,
    reason,
    status,
)
from report.storage.s3_uploads import Upload

Result = TypeVar("Result")

PATIENCE = 20  # seconds for which a request that fails is tried again
LONGEST_PAUSE = 4  # seconds between two attempts
CONNECT, READ = 5, 15  # seconds; uploads that stall run into the first, so it is not less
CHECK_CONNECT, CHECK_READ = 2, 5  # seconds, for the first request of all
FOR_EVER, ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"

# Optional features of requests. The comment says what is done without.
PATHS = "buckets in the path"  # the bucket becomes a part of the host's name
LIST_V2 = "ListObjectsV2"  # ListObjects
HEAD = "HeadObject"  # GetObject, of which only the headers are read
HEAD_CHECKSUM = "checksums in HeadObject"  # no hash is stated, so objects are read


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
        self._features = Features()
        try:
            self._session = boto3.Session(profile_name=profile)
            self._connect(self._make_client(CONNECT, READ, in_path=True))
        except (boto.BotoCoreError, ValueError) as error:
            raise self._failure("open the bucket", error) from error

    def _connect(self, client: Any) -> None:
        self._client = client
        server = check_url(client.meta.endpoint_url)
        self._where = f"{self.address} at {server}"
        base = f"{server}/{self._bucket}"
        if self._features.lacks(PATHS):
            base = server.replace("://", f"://{self._bucket}.", 1)
        self.url = f"{base}/{quote(self._prefix)}".rstrip("/")

    def check(self) -> None:
        """Ask for the bucket once, for less than 10 s. Raises: StoreError that says what to do."""
        region = self._features.use(self._look, LIST_V2, PATHS)
        if region or self._features.lacks(PATHS):
            client = self._make_client(CONNECT, READ, not self._features.lacks(PATHS), region)
            self._connect(client)

    def _look(self, using: frozenset[str]) -> str | None:
        """List one object, for a listing says why it fails, and HEAD does not.

        Returns: the region whose server has the bucket, if another was asked.
        """
        client = self._make_client(CHECK_CONNECT, CHECK_READ, PATHS in using)
        request = client.list_objects_v2 if LIST_V2 in using else client.list_objects
        try:
            listing = request(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)
            _check_continuation(listing, using)
        except boto.ClientError as error:
            raise self._failure("open the bucket", error, self._advice()) from error
        except boto.BotoCoreError as error:
            if PATHS not in using and isinstance(error, boto.ConnectionError):
                no_host = Unsupported(feature="host that is called as the bucket")
                raise self._failure("open the bucket", no_host) from no_host
            raise self._failure("open the bucket", error) from error
        if "Name" not in listing:
            raise StoreError(
                f"cannot open the bucket: what answers is no S3 server ({self._where})"
            )
        if self._endpoint_url:
            return None
        region = listing["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
        return None if region == client.meta.region_name else region

    def _advice(self) -> str:
        """Return what may be wrong with an endpoint URL that is more than a host."""
        url = urlsplit(self._endpoint_url or "")
        folder, _, last = url.path.rpartition("/")
        if last == self._bucket:
            server = url._replace(path=folder)
            return f"; the endpoint URL must not name the bucket, give {server.geturl()}"
        if url.netloc.startswith(f"{self._bucket}."):
            server = url._replace(netloc=url.netloc.removeprefix(f"{self._bucket}."))
            return f"; the endpoint URL must not name the bucket, give {server.geturl()}"
        if url.path:
            return f"; is {url.path} of the endpoint URL right?"
        return ""

    def get(self, name: str) -> bytes:
        return self._request(
            f"read {name}", lambda: self._client.get_object(**self._at(name))["Body"].read()
        )

    def head(self, name: str) -> Head:
        def ask(using: frozenset[str]) -> dict[str, Any]:
            return self._request(f"read {name}", lambda: self._describe(name, using))

        answer = self._features.use(ask, HEAD_CHECKSUM, HEAD)
        checksum = answer.get("ChecksumSHA256", "-")
        of_parts = "-" in checksum  # a hash of the hashes of an upload's parts
        return Head(
            bytes=answer.get("ContentLength"),
            media_type=answer.get("ContentType", ""),
            sha256=None if of_parts else base64.b64decode(checksum).hex(),
            cache_control=answer.get("CacheControl", ""),
        )

    def _describe(self, name: str, using: frozenset[str]) -> dict[str, Any]:
        request = self._at(name)
        if HEAD_CHECKSUM in using:
            request["ChecksumMode"] = "ENABLED"
        if HEAD in using:
            return self._client.head_object(**request)
        answer = self._client.get_object(**request)
        answer["Body"].close()
        return answer

    def put(self, name: str, data: bytes, media_type: str, immutable: bool) -> None:
        headers = {"ContentType": media_type, "CacheControl": FOR_EVER if immutable else ASK_AGAIN}
        request = partial(self._request, f"write {name}")
        is_there = partial(self._has, name)
        at = self._at(name)
        Upload(self._client, self._features, request, is_there, at, headers, data, immutable).run()

    def entries(self, prefix: str = "") -> dict[str, Entry]:
        def read(using: frozenset[str]) -> dict[str, Entry]:
            return self._request("list the bucket", lambda: self._list(prefix, using))

        return dict(sorted(self._features.use(read, LIST_V2).items()))

    def _list(self, prefix: str, using: frozenset[str]) -> dict[str, Entry]:
        listing = {}
        pages = self._client.get_paginator(
            "list_objects_v2" if LIST_V2 in using else "list_objects"
        )
        for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
            _check_continuation(page, using)
            for item in page.get("Contents", []):
                if not item["Key"].endswith("/"):  # some programs mark folders with such keys
                    name = item["Key"].removeprefix(self._prefix)
                    listing[name] = Entry(item["Size"], item["LastModified"].timestamp())
        return listing

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

        feature = (
            "bucket policies; make the bucket public in the server's own settings, "
            "then leave out --public"
        )
        self._change_rules("let everyone read by a bucket policy", feature, change)

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

        self._add_cors_rule(ours, f"allow pages at {', '.join(origins)} to read")

    def allow_posts(self, origins: list[str]) -> None:
        """Add a CORS rule to the bucket that lets pages at `origins` send by `presigned_post`.

        The bucket's other rules stay.
        """
        ours = {
            "ID": f"{self._rule_id}-post",
            "AllowedOrigins": origins,
            "AllowedMethods": ["POST"],
            "AllowedHeaders": ["Content-Type"],
        }
        self._add_cors_rule(ours, f"allow pages at {', '.join(origins)} to send")

    def presigned_post(self, media_type: str, largest: int, seconds: int) -> dict[str, Any]:
        """Return {"url", "fields"} with which anyone can send files of a type for some time.

        A file comes under the prefix, by the name that its sender gives, and has 1 to `largest`
        bytes. Nothing is asked of the server.
        Raises: StoreError if there are no credentials.
        """
        name = f"{self._prefix}${{filename}}"
        type_ = {"Content-Type": media_type}
        limits = [["content-length-range", 1, largest], ["starts-with", "$key", self._prefix]]
        settings = self._client.meta.config.merge(Config(signature_version="s3v4"))
        try:  # boto3 would sign by the older version, which AWS takes for old buckets only
            client = self._session.client(
                "s3",
                region_name=self._client.meta.region_name,
                endpoint_url=self._endpoint_url,
                config=settings,
            )
            return client.generate_presigned_post(
                self._bucket, name, Fields=type_, Conditions=[type_, *limits], ExpiresIn=seconds
            )
        except (boto.BotoCoreError, boto.ClientError) as error:
            raise self._failure("sign the form", error) from error

    def _add_cors_rule(self, ours: dict[str, Any], action: str) -> None:
        """Add a rule to the bucket's, or put it in place of the one with its ID."""

        def change() -> None:
            answer = self._unless(
                "NoSuchCORSConfiguration", lambda: self._client.get_bucket_cors(Bucket=self._bucket)
            )
            others = [rule for rule in answer.get("CORSRules", []) if rule.get("ID") != ours["ID"]]
            rules = {"CORSRules": [ours, *others]}
            self._client.put_bucket_cors(Bucket=self._bucket, CORSConfiguration=rules)

        feature = (
            "CORS rules of buckets; allow these pages in the server's own settings, "
            "then leave out --origin"
        )
        self._change_rules(action, feature, change)

    @property
    def _rule_id(self) -> str:
        """The name of our rules for this prefix among those of the bucket."""
        return "report" + hashlib.sha256(self._prefix.encode()).hexdigest()[:16]

    def _unless(self, nothing: str, read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return `read()`, or an empty dict if the server answers with the error code `nothing`."""
        try:
            return read()
        except boto.ClientError as error:
            if code(error) != nothing:
                raise
            return {}

    def _change_rules(self, action: str, feature: str, change: Callable[[], None]) -> None:
        """Do `change`. `feature` says of a server without such rules what it lacks, and the fix."""

        def attempt() -> None:
            try:
                change()
            except ValueError as error:  # no JSON: the server took it for a listing of the bucket
                raise Unsupported(feature=feature) from error
            except boto.ClientError as error:
                if _lacks_rules(error):
                    raise Unsupported(feature=feature) from error
                raise

        self._request(action, attempt)

    # ---- requests

    def _make_client(
        self, connect: float, read: float, in_path: bool, region: str | None = None
    ) -> Any:
        """A client of boto3, whose methods are made at run time, so that no type has them."""
        settings = Config(
            connect_timeout=connect,
            read_timeout=read,
            retries={"mode": "standard", "total_max_attempts": 1},
            max_pool_connections=2 * self.parallel,
            s3={"addressing_style": "path" if in_path else "virtual"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        client = self._session.client(
            "s3", region_name=region, endpoint_url=self._endpoint_url, config=settings
        )
        client.meta.events.register("before-call.s3.HeadBucket", _no_region)
        return client

    def _at(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + check_name(name)}

    def _has(self, name: str) -> bool:
        try:
            self.head(name)
            return True
        except Missing:
            return False

    def _request(self, action: str, call: Callable[[], Result]) -> Result:
        """Return `call()`, tried again for PATIENCE if its failure may pass.

        Raises: StoreError, Missing.
        """
        started, pause = time.monotonic(), 0.2
        while True:
            try:
                return call()
            except (boto.BotoCoreError, boto.ClientError) as error:
                if not may_pass(error) or time.monotonic() + pause > started + PATIENCE:
                    raise self._failure(action, error) from error
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _failure(self, action: str, error: Exception, advice: str = "") -> StoreError:
        words = reason(error)
        for secret in self._secrets() if isinstance(error, boto.ClientError) else ():
            words = words.replace(secret, "…")
        kind = Missing if words == NOT_THERE else StoreError
        return kind(f"cannot {action}: {words}{advice} ({self._where})")

    def _secrets(self) -> list[str]:
        if (keys := self._session.get_credentials()) is None:
            return []
        return [text for text in (keys.access_key, keys.secret_key, keys.token) if text]


def _no_region(**_: Any) -> tuple[AWSResponse, dict[str, Any]]:
    """Answer the HEAD by which boto3 looks for a bucket's region, after an answer without one.

    No server but AWS has regions, and AWS names the region at once. A server that sends everything
    elsewhere, as to https, would send this request elsewhere too, again and again.
    """
    return AWSResponse("", 200, HTTPHeaders(), None), {"ResponseMetadata": {"HTTPHeaders": {}}}


def _check_continuation(page: dict[str, Any], using: frozenset[str]) -> None:
    """Raise Unsupported if a server that knows only the first version of listings has answered.

    It ignores the number of the version, and what follows the page would be lost.
    """
    if LIST_V2 in using and page.get("IsTruncated") and not page.get("NextContinuationToken"):
        raise Unsupported(feature=LIST_V2)


def _lacks_rules(error: boto.ClientError) -> bool:
    """Tell whether a server knows no policies, or no CORS rules, from how it refuses them."""
    if code(error).startswith("BucketAlready"):  # the rules were taken for a new bucket
        return True
    asked = error.operation_name.startswith("Get") and code(error) != "NoSuchBucket"
    return is_not_implemented(error) or (asked and status(error) in (400, 404))


def _statements(answer: dict[str, Any]) -> list[dict[str, Any]]:
    statements = json.loads(answer.get("Policy", "{}")).get("Statement", [])
    return statements if isinstance(statements, list) else [statements]
