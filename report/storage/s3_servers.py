"""How S3 servers differ: the meaning of their errors, and the features that some of them lack."""

import re
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import TypeVar
from urllib.parse import urlsplit

from botocore import exceptions as boto

from report.errors import Missing, StoreError

Result = TypeVar("Result")

ALREADY_THERE = 412  # HTTP
CONFLICT = 409  # HTTP
NOT_IMPLEMENTED = (405, 501)  # HTTP
MAY_PASS = {408, 429, 500, 502, 503, 504} | {
    "RequestTimeout",
    "BadDigest",
    "XAmzContentSHA256Mismatch",
}
NO_PERMISSION = ("AccessDenied", "403")  # the second for HEAD, whose answers have no code
WRITES = ("PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
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


class Unsupported(boto.BotoCoreError):
    """A server's answer shows that it lacks a feature, although it reports no error."""

    fmt = "the server has no {feature}"


class Features:
    """The features of S3 that one server was found to lack.

    Servers lack different features, and each says so with errors of its own. Therefore errors are
    not looked up in a list: a request that is refused is sent again without its optional features.
    If that one is accepted, the server lacks the features that were left out.
    """

    def __init__(self) -> None:
        self._lacking: set[str] = set()

    def use(self, request: Callable[[frozenset[str]], Result], *optional: str) -> Result:
        """Return the result of `request`, which is called with those of `optional` to use.

        Features that the server lacks are never tried again.
        Raises: StoreError, the first one if the server refuses every combination.
        """
        wanted = frozenset(optional) - self._lacking
        try:
            return request(wanted)
        except StoreError as error:
            if not _may_be_refusal(error):
                raise
            refusal = error
        for omitted in _combinations(wanted, optional):
            try:
                result = request(wanted - omitted)
            except Missing:  # an answer, so the request as such was accepted
                self._lacking |= omitted
                raise
            except StoreError as error:
                if not _may_be_refusal(error):
                    raise
            else:
                self._lacking |= omitted
                return result
        raise refusal

    def lacks(self, feature: str) -> bool:
        return feature in self._lacking


def _combinations(wanted: frozenset[str], order: tuple[str, ...]) -> Iterator[frozenset[str]]:
    """Yield what may be left out: each feature alone, in order, then two together, and so on."""
    names = [name for name in order if name in wanted]
    for number in range(1, len(names) + 1):
        yield from map(frozenset, combinations(names, number))


def _may_be_refusal(error: StoreError) -> bool:
    """Tell whether a server may have refused a request because it lacks a feature."""
    cause = error.__cause__
    if not isinstance(cause, boto.ClientError):
        return isinstance(cause, Unsupported)
    if code(cause) in REASONS or code(cause) in NO_PERMISSION or may_pass(cause):
        return False
    return status(cause) in (400, 403, *NOT_IMPLEMENTED)


# ---- errors


def reason(error: Exception) -> str:
    """Say what is wrong and what to do. Texts of boto3 may hold passwords, of servers all keys."""
    if isinstance(error, Unsupported):
        return str(error)
    if not isinstance(error, boto.ClientError):
        name = type(error).__name__
        return REASONS.get(name) or re.sub(r"//\S*@", "//", f"{name}: {error}".splitlines()[0])
    if code(error) in REASONS:
        return REASONS[code(error)]
    if status(error) == 404 and error.operation_name == "HeadObject":  # such answers have no code
        return NOT_THERE
    message = _message(error).lower()
    if "request time" in message:
        return REASONS["RequestTimeTooSkewed"]
    if status(error) == 507 or "no space left" in message:
        return FULL
    return _reason_by_status(error)


def _reason_by_status(error: boto.ClientError) -> str:
    operation = error.operation_name
    if status(error) == 401 or code(error) in NO_PERMISSION:
        need = f"no permission for {operation} ({code(error)})"
        return f"{need}; ask the owner of the bucket to allow it"
    answer = f"{code(error)}, HTTP {status(error)}"
    if 300 <= status(error) < 400:
        return f"the server sends {operation} elsewhere ({answer}){_redirection(error)}"
    no_code = code(error) == str(status(error)) and status(error) in (*range(400, 500), 501)
    if no_code and not operation.startswith("Head"):
        return (
            f"the server refuses {operation} with HTTP {status(error)} and no S3 error; "
            "is it the right S3 server?"
        )
    if is_not_implemented(error):
        return f"the server lacks something that {operation} needs ({answer})"
    if status(error) == 500 and operation in WRITES:
        return f"the server failed to write ({answer}); see its log, and whether its disk is full"
    if status(error) >= 500:
        return f"the server failed at {operation} ({answer}); see its log"
    message = " ".join(_message(error).split())
    return f"the server refuses {operation} ({answer}): {message}"


def _redirection(error: boto.ClientError) -> str:
    """Return where to, as advice. Only the host, for the rest of an address may be signed."""
    headers = error.response["ResponseMetadata"].get("HTTPHeaders", {})
    target = urlsplit(headers.get("location", ""))
    if not target.hostname:
        return ""
    host = target.netloc.rpartition("@")[2]
    return f"; give --endpoint-url {target.scheme}://{host}"


def may_pass(error: Exception) -> bool:
    """Tell whether the same request may succeed a little later."""
    if not isinstance(error, boto.ClientError):
        return isinstance(
            error, boto.HTTPClientError | boto.ConnectionError | boto.IncompleteReadError
        )
    if status(error) == CONFLICT:  # with another request, unless the bucket itself is the matter
        return not code(error).startswith("Bucket")
    return reason(error) != FULL and not MAY_PASS.isdisjoint((status(error), code(error)))


def is_not_implemented(error: boto.ClientError) -> bool:
    return status(error) in NOT_IMPLEMENTED or code(error) == "NotImplemented"


def code(error: BaseException | None) -> str:
    """Return the code of an S3 error, "" for another exception."""
    return error.response["Error"].get("Code", "") if isinstance(error, boto.ClientError) else ""


def status(error: boto.ClientError) -> int:
    """Return the HTTP status of an answer."""
    return error.response["ResponseMetadata"].get("HTTPStatusCode", 0)


def _message(error: boto.ClientError) -> str:
    return str(error.response["Error"].get("Message"))
