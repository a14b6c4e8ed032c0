"""One object on its way into a bucket: at once or in parts, using what the server can do."""

import base64
import hashlib
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from botocore import exceptions as boto

from report.errors import StoreError
from report.storage.s3_servers import ALREADY_THERE, Features, code, status
from report.storage.transfer import each

PART = 16 * 2**20  # bytes; larger objects are sent in parts
PARTS_AT_ONCE = 4
ATTEMPTS = 3  # at an object that does not arrive as it was sent

# Optional features. The comment says what is done without.
CONDITION = "If-None-Match in PutObject"  # the object is looked for before each put
CHECKSUM = "checksums in PutObject"  # the ETag is compared, or else the object is read back
PARTS = "CreateMultipartUpload"  # one PutObject, however large
PARTS_CONDITION = "If-None-Match in CompleteMultipartUpload"  # looking before the upload is enough
PARTS_CHECKSUM = "checksums in UploadPart"  # as for PutObject


@dataclass(frozen=True)
class Upload:
    """An object that is to be put into a bucket."""

    client: Any  # of boto3
    features: Features
    request: Callable[[Callable[[], Any]], Any]  # repeats what may pass. Raises: StoreError
    is_there: Callable[[], bool]
    at: dict[str, Any]  # bucket and key
    headers: dict[str, str]
    data: bytes
    immutable: bool

    def run(self) -> None:
        """Write the object whole or not at all. Raises: StoreError."""
        for _ in range(ATTEMPTS):
            if self._send():
                return
        raise StoreError(
            f"cannot write {self.at['Key']}: in {ATTEMPTS} attempts, it did not arrive "
            f"in the bucket {self.at['Bucket']} as it was sent"
        )

    def _send(self) -> bool:
        """Return True if the object is there, False if this attempt has failed."""
        if len(self.data) <= PART:
            return self._send_at_once()
        return self.features.use(self._send_in_parts, PARTS_CHECKSUM, PARTS)

    # ---- at once

    def _send_at_once(self) -> bool:
        def send(using: frozenset[str]) -> bool:
            return self.request(lambda: self._put(using))

        return self.features.use(send, CHECKSUM, *self._if_immutable(CONDITION))

    def _put(self, using: frozenset[str]) -> bool:
        request = self.at | self.headers
        if CHECKSUM in using:
            request["ChecksumSHA256"] = _checksum(self.data)
        if CONDITION in using:
            request["IfNoneMatch"] = "*"
        elif self.immutable and self.is_there():
            return True
        try:
            answer = self.client.put_object(**request, Body=self.data)
        except boto.ClientError as error:
            if status(error) == ALREADY_THERE:
                return True
            raise
        return CHECKSUM in using or _confirms(answer, self.data) or self._is_whole()

    # ---- in parts

    def _send_in_parts(self, using: frozenset[str]) -> bool:
        if PARTS not in using:
            return self._send_at_once()
        if self.immutable and self.is_there():
            return True
        algorithm = {"ChecksumAlgorithm": "SHA256"} if PARTS_CHECKSUM in using else {}
        beginning = self.request(
            lambda: self.client.create_multipart_upload(**self.at, **self.headers, **algorithm)
        )
        upload = self.at | {"UploadId": beginning["UploadId"]}
        try:
            confirmed = self._send_parts(upload, PARTS_CHECKSUM in using)
        except BaseException as error:
            with suppress(boto.BotoCoreError, boto.ClientError):  # parts that stay there cost money
                self.client.abort_multipart_upload(**upload)
            # The server gave it up in a conflict, or it is complete and the answer was lost.
            if code(error.__cause__) == "NoSuchUpload":
                return False
            raise
        return confirmed or self.request(self._is_whole)

    def _send_parts(self, upload: dict[str, Any], checksums: bool) -> bool:
        """Send the parts and complete the upload. Returns: True if the server confirms them."""

        def send(number: int) -> tuple[dict[str, Any], bool]:
            body = self.data[(number - 1) * PART : number * PART]
            part: dict[str, Any] = {"PartNumber": number}
            if checksums:
                part["ChecksumSHA256"] = _checksum(body)
            answer = self.request(lambda: self.client.upload_part(**upload, **part, Body=body))
            return part | {"ETag": answer["ETag"]}, checksums or _confirms(answer, body)

        numbers = range(1, math.ceil(len(self.data) / PART) + 1)
        sent = dict(each(send, numbers, PARTS_AT_ONCE))
        whole = {"Parts": [sent[number][0] for number in numbers]}

        def complete(using: frozenset[str]) -> bool:
            return self.request(lambda: self._complete(upload, whole, using))

        written = self.features.use(complete, *self._if_immutable(PARTS_CONDITION))
        return not written or all(confirmed for _, confirmed in sent.values())

    def _complete(
        self, upload: dict[str, Any], whole: dict[str, Any], using: frozenset[str]
    ) -> bool:
        """Return False if the object is there already: another has written it meanwhile."""
        condition = {"IfNoneMatch": "*"} if PARTS_CONDITION in using else {}
        try:
            self.client.complete_multipart_upload(**upload, **condition, MultipartUpload=whole)
        except boto.ClientError as error:
            if status(error) != ALREADY_THERE:
                raise
            self.client.abort_multipart_upload(**upload)
            return False
        return True

    def _if_immutable(self, condition: str) -> tuple[str, ...]:
        return (condition,) if self.immutable else ()

    def _is_whole(self) -> bool:
        """Read the object back, and compare."""
        stored = self.client.get_object(**self.at)["Body"].read()
        if stored != self.data and self.immutable:  # the next attempt would leave it as it is
            self.client.delete_object(**self.at)
        return stored == self.data


def _checksum(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _confirms(answer: dict[str, Any], data: bytes) -> bool:
    """Tell whether the ETag is the MD5 of the data, as that of most servers if none encrypts."""
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return answer.get("ETag", "").strip('"').lower() == digest
