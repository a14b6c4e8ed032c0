"""Servers that lack a feature of S3: what can be done without it is done, and the rest is named.

A proxy before SeaweedFS answers as servers do that are known for it: Backblaze B2, Cloudflare R2,
Alibaba OSS, older Ceph, MinIO.
"""

import hashlib
import random
import re
import socket
from contextlib import contextmanager

import pytest
from botocore.awsrequest import AWSResponse

from report.errors import StoreError
from report.storage.addresses import open_storage
from report.storage.s3 import S3
from report.storage.web import Web
from tests.s3.conftest import DOMAIN, in_new_bucket, through
from tests.s3.lacking import NOT_IMPLEMENTED, Answer, Lacking, Request

SOUND = random.Random(11).randbytes(20_000)
PART = 5 * 2**20  # bytes, the least that servers take
FILM = random.Random(12).randbytes(PART + 100_000)
HOME = "https://home.example"


def has(request: Request, header: str) -> bool:
    return any(name.startswith(header) for name in request.headers)


def without_conditions(request: Request) -> Answer | None:
    return NOT_IMPLEMENTED if has(request, "if-none-match") else None


def without_checksums(request: Request) -> Answer | None:
    for name in request.headers:
        if name.startswith(("x-amz-checksum", "x-amz-sdk-checksum")):
            words = f"Unsupported header '{name}' received for this API call."
            return Answer(400, "InvalidArgument", words)
    return None


def without_list_v2(request: Request) -> Answer | None:
    return Answer(400, "InvalidArgument", "list-type") if "list-type=2" in request.query else None


def without_head(request: Request) -> Answer | None:
    return Answer(405, "MethodNotAllowed") if request.method == "HEAD" else None


def without_parts(request: Request) -> Answer | None:
    uploads = request.method == "POST" and request.query == "uploads"
    return NOT_IMPLEMENTED if uploads else None


PLAYS = [without_conditions, without_checksums, without_list_v2, without_head, without_parts]


def with_nothing(request: Request) -> Answer | None:
    answers = (play(request) for play in PLAYS)
    return next((answer for answer in answers if answer), None)


@contextmanager
def lacking(storage: S3, play, **options):
    """The proxy, and the bucket behind it."""
    server = "/".join(storage.url.split("/")[:3])
    with Lacking(server, play, **options) as proxy:
        yield proxy, through(proxy, storage)


def uploads(storage: S3) -> dict:
    """The server's list of uploads that are not complete, which cost money."""
    return storage._client.list_multipart_uploads(Bucket=storage.address.split("/")[2])


@pytest.fixture
def pauses(monkeypatch) -> list[float]:
    """Do not wait between attempts; returns the pauses."""
    pauses: list[float] = []
    monkeypatch.setattr("report.storage.s3.time.sleep", pauses.append)
    return pauses


# ---- done without


@pytest.mark.parametrize("play", [*PLAYS, with_nothing])
def test_a_server_without_a_feature_holds_the_same(storage, play, monkeypatch):
    monkeypatch.setattr("report.storage.s3_uploads.PART", PART)
    with lacking(storage, play) as (proxy, behind):
        behind.check()
        for data in (SOUND, SOUND[:10]):
            behind.put("objects/aa/a.wav", data, "audio/wav", immutable=True)
            behind.put("builds/a.json", data, "application/json", immutable=False)
        for data in (FILM, FILM[:-1]):
            behind.put("objects/bb/b.webp", data, "image/webp", immutable=True)
        expected = {"builds/a.json": 10, "objects/aa/a.wav": 20_000, "objects/bb/b.webp": len(FILM)}
        assert {name: entry.bytes for name, entry in behind.entries().items()} == expected
        assert behind.get("objects/aa/a.wav") == SOUND and behind.get("objects/bb/b.webp") == FILM
        for name, media_type in (("objects/aa/a.wav", "audio/wav"), ("builds/a.json", "app")):
            head = behind.head(name)
            assert head.bytes == expected[name] and head.media_type.startswith(media_type)
            digest = hashlib.sha256(storage.get(name)).hexdigest()
            assert head.sha256 == (None if play in (without_checksums, with_nothing) else digest)
    assert "Uploads" not in uploads(storage)


def test_a_feature_that_is_missing_is_learnt_once(storage):
    with lacking(storage, with_nothing) as (proxy, behind):
        for number in range(5):
            behind.put(f"objects/aa/{number}.wav", SOUND, "audio/wav", immutable=True)
            behind.put(f"builds/{number}.json", SOUND, "application/json", immutable=False)
            behind.entries()
        assert proxy.count("PUT", "if-none-match") == 2  # with all features, and without checksums
        assert proxy.count("PUT", "x-amz-checksum") == 2
        assert proxy.count("HEAD") == 2
        assert sum("list-type" in request.query for request in proxy.seen) == 1


def test_only_what_is_missing_is_done_without(storage):
    with lacking(storage, without_conditions) as (proxy, behind):
        behind.put("objects/aa/a.wav", SOUND, "audio/wav", immutable=True)
        behind.put("objects/aa/b.wav", SOUND, "audio/wav", immutable=True)
        puts = [request for request in proxy.seen if request.method == "PUT"]
        assert [has(request, "x-amz-checksum-sha256") for request in puts[-2:]] == [True, True]
        assert storage.head("objects/aa/b.wav").sha256 == hashlib.sha256(SOUND).hexdigest()
    with lacking(storage, without_checksums) as (proxy, behind):
        for _ in range(2):
            behind.put("objects/aa/c.wav", SOUND, "audio/wav", immutable=True)
        assert [has(request, "if-none-match") for request in proxy.seen] == [True, True, True]
        assert [has(request, "x-amz-checksum") for request in proxy.seen] == [True, False, False]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(400, "BadDigest", "The SHA256 you specified did not match."),
        Answer(403, "AccessDenied", "Access Denied."),
        Answer(500, "InternalError", "We encountered an internal error."),
    ],
)
def test_what_is_refused_for_another_reason_is_not_sent_without_its_checksum(
    storage, answer, impatient
):
    def refuse(request: Request) -> Answer | None:
        return answer if has(request, "x-amz-checksum-sha256") else None

    with lacking(storage, refuse) as (proxy, behind):
        with pytest.raises(StoreError, match="cannot write objects/aa/a.wav: "):
            behind.put("objects/aa/a.wav", SOUND, "audio/wav", immutable=True)
        assert proxy.count("PUT") == proxy.count("PUT", "x-amz-checksum-sha256")
    assert storage.entries() == {}


def test_a_request_that_is_refused_in_every_form_keeps_the_first_reason(storage):
    def refuse(request: Request) -> Answer | None:
        form = "if-none-match" in request.headers
        return Answer(400, "InvalidRequest" if form else "Other", "Not  on\na Sunday.")

    words = r"cannot write a.wav: the server refuses PutObject \(InvalidRequest, HTTP 400\): Not on"
    with lacking(storage, refuse) as (_, behind), pytest.raises(StoreError, match=words):
        behind.put("a.wav", SOUND, "audio/wav", immutable=True)


# ---- without checksums


def test_without_checksums_an_object_that_is_no_hash_of_itself_is_read_back(storage):
    def spoil(data: bytes) -> bytes:
        return data.replace(b"sound", b"s\0und")

    data = b"sound" * 1000
    with lacking(storage, without_checksums) as (proxy, behind):
        hide_etags(behind)
        behind.put("objects/aa/a.wav", data, "audio/wav", immutable=True)
        assert proxy.count("GET") == 1 and storage.get("objects/aa/a.wav") == data
    with lacking(storage, without_checksums, edit=spoil) as (proxy, behind):
        hide_etags(behind)
        with pytest.raises(StoreError, match="objects/aa/b.wav: in 3 attempts, it did not arrive"):
            behind.put("objects/aa/b.wav", data, "audio/wav", immutable=True)
    assert list(storage.entries()) == ["objects/aa/a.wav"], "damage is kept under a hash"


def hide_etags(storage: S3) -> None:
    """Give ETags as servers do that encrypt what they store: they are no MD5 of it."""
    for operation in ("PutObject", "UploadPart"):
        storage._client.meta.events.register(
            f"after-call.s3.{operation}", lambda parsed, **_: parsed.update(ETag='"0123abcd"')
        )


# ---- conflicts


def conflicts(n: int, when) -> object:
    """Play a server that answers the first `n` of some requests with a conflict."""
    left = [n]

    def play(request: Request) -> Answer | None:
        if not when(request) or not left[0]:
            return None
        left[0] -= 1
        words = "A conflicting conditional operation is in progress against this resource."
        return Answer(409, ("OperationAborted", "ConditionalRequestConflict")[left[0] % 2], words)

    return play


def test_what_is_in_conflict_with_another_request_is_begun_again(storage, pauses, monkeypatch):
    monkeypatch.setattr("report.storage.s3_uploads.PART", PART)
    puts = conflicts(3, lambda request: request.method == "PUT" and has(request, "if-none-match"))
    with lacking(storage, puts) as (_, behind):
        behind.put("objects/aa/a.wav", SOUND, "audio/wav", immutable=True)
    assert storage.get("objects/aa/a.wav") == SOUND and pauses == [0.2, 0.4, 0.8]
    ends = conflicts(2, lambda request: "uploadId" in request.query and request.method == "POST")
    with lacking(storage, ends) as (_, behind):
        behind.put("objects/bb/b.webp", FILM, "image/webp", immutable=True)
    assert storage.get("objects/bb/b.webp") == FILM
    rules = conflicts(1, lambda request: request.query == "policy" and request.method == "PUT")
    with lacking(storage, rules) as (_, behind):
        behind.allow_reading()
    assert Web(storage.url).get("objects/aa/a.wav") == SOUND


def test_what_another_has_written_in_the_conflict_is_left_as_it_is(storage, pauses, monkeypatch):
    monkeypatch.setattr("report.storage.s3_uploads.PART", PART)

    def write_and_refuse(name: str):
        def play(request: Request) -> Answer | None:
            ends = request.method == "PUT" or "uploadId" in request.query
            if not ends or "partNumber" in request.query or name in storage.entries():
                return None
            storage.put(name, SOUND, "audio/wav", immutable=True)
            return Answer(409, "ConditionalRequestConflict")

        return play

    for name, data in (("objects/aa/a.wav", SOUND[:9]), ("objects/bb/b.webp", FILM)):
        with lacking(storage, write_and_refuse(name)) as (_, behind):
            behind.put(name, data, "audio/wav", immutable=True)
        assert storage.get(name) == SOUND
    assert "Uploads" not in uploads(storage)


def test_an_upload_whose_last_answer_was_lost_is_complete(storage, pauses, monkeypatch):
    """The server has forgotten the upload when it is asked to complete it again."""
    monkeypatch.setattr("report.storage.s3_uploads.PART", PART)
    lost = [Answer(503, "SlowDown"), Answer(404, "NoSuchUpload", "It may have been completed.")]

    def play(request: Request) -> Answer | None:
        if request.method == "POST" and "uploadId" in request.query and lost:
            storage.put("objects/bb/b.webp", FILM, "image/webp", immutable=True)
            return lost.pop(0)
        return None

    with lacking(storage, play) as (proxy, behind):
        behind.put("objects/bb/b.webp", FILM, "image/webp", immutable=True)
        assert not lost and sum(request.query == "uploads" for request in proxy.seen) == 1


# ---- named


@pytest.mark.parametrize(
    "answer",
    [
        NOT_IMPLEMENTED,
        Answer(400, "InvalidRequest", "The requested operation is not supported."),
        Answer(404, "NoSuchKey", "Not found."),
        Answer(405, "MethodNotAllowed", "The method is not allowed."),
    ],
    ids=lambda answer: str(answer.status),
)
def test_missing_policies_and_cors_rules_are_named_and_what_to_do(storage, answer):
    def play(request: Request) -> Answer | None:
        return answer if request.query in ("policy", "cors") else None

    with lacking(storage, play) as (_, behind):
        with pytest.raises(StoreError, match="policy: the server has no bucket policies; make the"):
            behind.allow_reading()
        with pytest.raises(StoreError, match=f"{HOME} to read: the server has no CORS rules"):
            behind.allow_origins([HOME])


def test_a_policy_that_is_refused_for_its_content_is_no_missing_feature(storage):
    def play(request: Request) -> Answer | None:
        put = request.query == "policy" and request.method == "PUT"
        return Answer(400, "MalformedPolicy", "Unknown field Sid.") if put else None

    words = r"the server refuses PutBucketPolicy \(MalformedPolicy, HTTP 400\): Unknown field Sid."
    with lacking(storage, play) as (_, behind), pytest.raises(StoreError, match=words):
        behind.allow_reading()


@pytest.mark.parametrize(
    ("answer", "reading", "writing"),
    [
        (
            Answer(501, "NotImplemented"),
            "the server lacks something that GetObject needs .NotImplemented, HTTP 501",
            "the server lacks something that PutObject needs .NotImplemented, HTTP 501",
        ),
        (
            Answer(500, "InternalError"),
            "the server failed at GetObject .InternalError, HTTP 500.; see its log [(]",
            "failed to write .InternalError, HTTP 500.; see its log, and whether its disk is full",
        ),
        (
            Answer(503, "SlowDown"),
            "the server failed at GetObject .SlowDown, HTTP 503.; see its log [(]",
            "the server failed at PutObject .SlowDown, HTTP 503.; see its log [(]",
        ),
        (
            Answer(405),
            "the server refuses GetObject with HTTP 405 and no S3 error; is it the right S3",
            "the server refuses PutObject with HTTP 405 and no S3 error; is it the right S3",
        ),
        (
            Answer(413),
            "the server refuses GetObject with HTTP 413 and no S3 error",
            "the server refuses PutObject with HTTP 413 and no S3 error",
        ),
    ],
    ids=lambda case: str(case.status) if isinstance(case, Answer) else "",
)
def test_messages_say_what_is_known(storage, answer, reading, writing, impatient):
    with lacking(storage, lambda request: answer) as (_, behind):
        with pytest.raises(StoreError, match=reading):
            behind.get("a.wav")
        with pytest.raises(StoreError, match=writing):
            behind.put("a.wav", SOUND, "audio/wav", immutable=True)


def test_words_of_the_server_are_shown_without_keys(storage):
    keys = storage._client._request_signer._credentials

    def play(_: Request) -> Answer:
        return Answer(403, "UserSuspended", f"Key {keys.access_key} of {keys.secret_key} is off.")

    with lacking(storage, play) as (_, behind):
        with pytest.raises(StoreError, match="UserSuspended, HTTP 403.: Key … of … is off."):
            behind.get("a.wav")


# ---- listings


def first_version_only(data: bytes) -> bytes:
    """Edit a listing as a server writes it that has never heard of a second version."""
    for name in (b"NextContinuationToken", b"ContinuationToken", b"KeyCount", b"StartAfter"):
        data = re.sub(rb"<%s>[^<]*</%s>" % (name, name), b"", data)
    return data


def test_a_server_that_ignores_the_second_version_of_listings_is_listed_whole(storage):
    names = [f"objects/aa/{number:03} +.json" for number in range(25)]
    for name in names:
        storage.put(name, b"{}", "application/json", immutable=False)
    with lacking(storage, lambda request: None, edit=first_version_only) as (_, behind):
        for operation in ("ListObjectsV2", "ListObjects"):
            behind._client.meta.events.register(
                f"before-parameter-build.s3.{operation}",
                lambda params, **_: params.update(MaxKeys=10),
            )
        assert list(behind.entries()) == names


def test_names_with_spaces_and_signs_come_back(either):
    storage = in_new_bucket(either, "my site+")
    names = ["a b+c.wav", "p+q/x - y.wav", "x/a_.b"]
    for name in names:
        storage.put(name, name.encode(), "audio/wav", immutable=True)
    assert list(storage.entries()) == names and list(storage.entries("p+q/x ")) == names[1:2]
    assert [storage.get(name) for name in names] == [name.encode() for name in names]
    assert storage.head(names[0]).bytes == 9


# ---- addresses


@pytest.fixture
def names_of_hosts(monkeypatch):
    """Let this machine answer for every host under s3.test."""
    look_up = socket.getaddrinfo

    def answer(host, *arguments, **options):
        ours = isinstance(host, str) and host.endswith(DOMAIN)
        return look_up("127.0.0.1" if ours else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def test_a_server_that_knows_buckets_only_as_hosts(storage, names_of_hosts):
    def play(request: Request) -> Answer | None:
        bucket = request.headers["host"].removesuffix(f".{DOMAIN}:{proxy.port}")
        if bucket != request.headers["host"]:
            return None
        words = "Please use virtual hosted style to access."
        return Answer(403, "SecondLevelDomainForbidden", words)

    _, _, bucket, prefix = storage.address.split("/")
    with lacking(storage, play) as (proxy, _):
        behind = open_storage(storage.address, f"http://{DOMAIN}:{proxy.port}")
        behind.put("media/a b.wav", SOUND, "audio/wav", immutable=True)
        assert storage.get("media/a b.wav") == SOUND
        assert behind.url == f"http://{bucket}.{DOMAIN}:{proxy.port}/{prefix}"
        behind.allow_reading()
        assert Web(behind.url).get("media/a b.wav") == SOUND


def test_a_host_that_is_not_there_hides_no_reason(storage):
    words = "no permission|SecondLevelDomainForbidden, HTTP 403.: Use another address"

    def play(_: Request) -> Answer:
        return Answer(403, "SecondLevelDomainForbidden", "Use another address.")

    with lacking(storage, play) as (proxy, _), pytest.raises(StoreError, match=words):
        open_storage(storage.address, f"http://localhost:{proxy.port}")


def test_an_endpoint_url_that_names_the_bucket_is_said_to_be_wrong(storage, weed, names_of_hosts):
    bucket, port = storage.address.split("/")[2], weed.url.rpartition(":")[2]
    for url, right in [
        (f"{weed.url}/{bucket}", weed.url),
        (f"http://{bucket}.{DOMAIN}:{port}", f"http://{DOMAIN}:{port}"),
    ]:
        with pytest.raises(StoreError, match=f"must not name the bucket, give {right} "):
            open_storage(storage.address, url)
    with pytest.raises(StoreError, match="is /base of the endpoint URL right"):
        open_storage(storage.address, f"{weed.url}/base")


@pytest.mark.parametrize("status", [301, 307])
def test_a_server_that_sends_elsewhere_is_named(storage, status):
    target = {"Location": f"https://key:pass@other.example:9000{'/x?X-Amz-Signature=1'}"}

    def play(_: Request) -> Answer:
        return Answer(status, "TemporaryRedirect", "Please re-send.", target)

    words = "sends ListObjectsV2 elsewhere .*; give --endpoint-url https://other.example:9000 [(]"
    with lacking(storage, play) as (proxy, _), pytest.raises(StoreError, match=words):
        open_storage(storage.address, proxy.url)


def test_the_public_address_at_aws_is_in_the_region_of_the_bucket(monkeypatch):
    """Readers, who do not sign, are not sent on from the server of another region."""
    listing = b"<ListBucketResult><Name>my-bucket</Name></ListBucketResult>"
    asked = []

    def answer(request, **_):
        asked.append(request.url)
        home = "eu-central-1" in request.url
        headers = {"x-amz-bucket-region": "eu-central-1", "Content-Type": "application/xml"}
        error = b"<Error><Code>PermanentRedirect</Code></Error>"
        return Raw(request.url, 200 if home else 301, headers, listing if home else error)

    make = S3._make_client

    def make_client(self, *arguments, **options):
        client = make(self, *arguments, **options)
        client.meta.events.register("before-send.s3", answer)
        return client

    monkeypatch.setattr(S3, "_make_client", make_client)
    storage = open_storage("s3://my-bucket/my site")
    assert storage.url == "https://s3.eu-central-1.amazonaws.com/my-bucket/my%20site"
    assert storage.entries() == {} and len(asked) == 3


class Raw(AWSResponse):
    """An answer that comes from no network."""

    def __init__(self, url: str, status: int, headers: dict[str, str], body: bytes):
        super().__init__(url, status, headers, None)
        self._content = body


def test_addresses_for_people_are_quoted(weed):
    storage = S3("bucket", "my site/a+b", weed.url)
    assert storage.url == f"{weed.url}/bucket/my%20site/a%2Bb"
    assert storage.address == "s3://bucket/my site/a+b"
