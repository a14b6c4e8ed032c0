"""Collections of the upstream library, or what behaves like them, as a store."""

import socket
from urllib.parse import urlparse

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError

from report.artifacts.media import Data, encode
from report.artifacts.store import Store, mirrored_store
from report.errors import Missing, StoreError
from report.storage.conjure_collection import CollectionStorage

NAME = "objects/ab/x.json"
MADE = {
    "key": "a" * 64,
    "function": "f",
    "code": "b" * 64,
    "arguments": {"n": "1"},
    "values": {},
    "versions": {},
    "inputs": [],
    "seconds": 0.1,
    "machine": {},
}


class Local:
    """Like the collection in LMDB: bytes as keys, listings from a key on, KeyError for a miss."""

    def __init__(self):
        self.held = {}

    def __getitem__(self, key):
        return self.held[self._checked(key)]

    def __setitem__(self, key, value):
        self.held[self._checked(key)] = value

    def __delitem__(self, key):
        self.held.pop(self._checked(key), None)

    def __contains__(self, key):
        return key in self.held

    def iter_prefix(self, start_key, prefix=None):
        for key in sorted(self.held):
            if key >= self._checked(start_key):
                if not key.startswith(prefix):
                    break
                yield key if isinstance(key, bytes) else key.encode()

    def content_length(self, key):
        return len(self[key])

    def public_uri(self, key):
        raise NotImplementedError

    def _checked(self, key):
        assert isinstance(key, bytes)
        return key


class LocalByText(Local):
    """Like a dict: text for keys."""

    def _checked(self, key):
        assert isinstance(key, str)
        return key


class Typed(Local):
    """Like the newer versions: `put` with the media type."""

    __setitem__ = None

    def __init__(self):
        super().__init__()
        self.types = {}

    def put(self, key, value, content_type):
        self.held[self._checked(key)] = value
        self.types[key] = content_type


class Bucket:
    """Like the collection in S3: every failure is a KeyError, and it has no deletion and no length.

    `failure` is what the client raises for a key that is not there.
    """

    bucket = "sounds"

    def __init__(self, failure):
        self.failure, self.held = failure, {}

    def __getitem__(self, key):
        try:
            if key not in self.held:
                raise self.failure
            return self.held[key]
        except:  # noqa: E722, as upstream does
            raise KeyError(key)  # noqa: B904

    def __contains__(self, key):
        try:
            return bool(self[key])
        except KeyError:
            return False

    def put(self, key, value, content_type):
        self.held[key] = value

    def __delitem__(self, key):
        raise NotImplementedError

    def iter_prefix(self, start_key, prefix=None):
        found = (
            {"Contents": keys}
            if (keys := [key for key in sorted(self.held) if key > start_key])
            else {}
        )
        yield from (key for key in found["Contents"] if key.startswith(prefix))

    def content_length(self, key):
        return self.held.no_such_method(key)

    def public_uri(self, key):
        return urlparse(f"https://sounds.s3.amazonaws.com/{key.decode()}")


class WithBackup(Bucket):
    """Like the collection that asks a local one first."""

    def __getitem__(self, key):
        try:
            raise KeyError(key)
        except KeyError:
            return super().__getitem__(key)


def refusal(code):
    return ClientError(
        {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {}}, "GetObject"
    )


def unreachable():
    """The error that boto3 really raises where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=2)
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "hidden", "region_name": "us-east-1"}
    try:
        boto3.client("s3", endpoint_url=endpoint, config=config, **keys).get_object(
            Bucket="b", Key="k"
        )
    except EndpointConnectionError as error:
        return error


STORAGES = {
    "bytes": lambda: CollectionStorage(Local()),
    "text": lambda: CollectionStorage(LocalByText(), key=str),
    "typed": lambda: CollectionStorage(Typed()),
    "bucket": lambda: CollectionStorage(Bucket(refusal("NoSuchKey"))),
    "with backup": lambda: CollectionStorage(WithBackup(refusal("404"))),
}


@pytest.fixture(params=STORAGES)
def storage(request):
    return STORAGES[request.param]()


def test_what_is_put_can_be_read_listed_and_exported(storage, tmp_path):
    assert storage.entries() == {}
    for name in ("objects/ab/x.json", "objects/abc.json", "builds/a.json"):
        storage.put(name, name.encode(), "application/json", immutable=True)
    assert storage.get(NAME) == NAME.encode()
    for prefix, names in {
        "": ["builds/a.json", "objects/ab/x.json", "objects/abc.json"],
        "objects/": ["objects/ab/x.json", "objects/abc.json"],
        "objects/abc.json": ["objects/abc.json"],
        "objects/q": [],
        "index/": [],
    }.items():
        assert {name: entry.bytes for name, entry in storage.entries(prefix).items()} == {
            n: len(n) for n in names
        }
    storage.export(NAME, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == NAME.encode()


def test_what_may_not_change_stays_and_the_rest_is_replaced(storage):
    for data in (b"one", b"two"):
        storage.put("objects/x.json", data, "application/json", immutable=True)
        storage.put("builds/x.json", data, "application/json", immutable=False)
    assert (storage.get("objects/x.json"), storage.get("builds/x.json")) == (b"one", b"two")


def test_a_miss_is_missing(storage):
    with pytest.raises(Missing, match=f"cannot read {NAME} in .*: it is not there"):
        storage.get(NAME)


def test_a_miss_is_missing_also_in_the_middle_of_dealing_with_something_else(storage, tmp_path):
    try:
        raise OSError("something else")
    except OSError:
        with pytest.raises(Missing):
            storage.get(NAME)
    with pytest.raises(Missing):
        mirrored_store(storage, tmp_path).storage.get(NAME)


def test_a_store_keeps_records_and_objects_in_it(storage):
    encoded = encode(Data([1, 2]))
    record = Store(storage).put(encoded, **MADE)
    again = Store(storage)
    assert again.find(record.key) == record and again.read(record) == encoded.data
    assert again.find("c" * 64) is None


@pytest.mark.parametrize("collection", [Bucket, WithBackup])
@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        (refusal("AccessDenied"), "ClientError: An error occurred .AccessDenied"),
        (refusal("NoSuchBucket"), "ClientError: An error occurred .NoSuchBucket"),
        (refusal("500"), "ClientError"),
        (unreachable(), "EndpointConnectionError: Could not connect to the endpoint URL"),
        (ValueError("odd\nlines"), "ValueError: odd lines"),
    ],
)
def test_an_error_is_no_miss_and_nothing_is_written_over_because_of_it(collection, failure, cause):
    storage = CollectionStorage(collection(failure))
    with pytest.raises(
        StoreError, match=f"cannot read {NAME} in {collection.__name__} sounds: {cause}"
    ) as caught:
        storage.get(NAME)
    assert not isinstance(caught.value, Missing) and "\n" not in str(caught.value)
    with pytest.raises(StoreError, match=cause):
        storage.put(NAME, b"new", "application/json", immutable=True)
    assert storage.collection.held == {}


def test_an_error_is_no_miss_also_in_the_middle_of_dealing_with_a_miss(tmp_path):
    with pytest.raises(StoreError, match="AccessDenied") as caught:
        refusing = CollectionStorage(Bucket(refusal("AccessDenied")))
        mirrored_store(refusing, tmp_path).storage.get(NAME)
    assert not isinstance(caught.value, Missing)


def test_an_interruption_that_a_collection_swallowed_goes_on():
    with pytest.raises(KeyboardInterrupt):
        CollectionStorage(Bucket(KeyboardInterrupt())).get(NAME)


@pytest.mark.parametrize("failure", [KeyError("Body"), refusal("NoSuchKey"), OSError("disk full")])
def test_what_fails_while_writing_or_listing_is_an_error_and_never_a_miss(failure):
    class Broken(Local):
        def __setitem__(self, key, value):
            raise failure

        def iter_prefix(self, start_key, prefix=None):
            raise failure

    storage = CollectionStorage(Broken())
    for fails in (
        lambda: storage.put(NAME, b"", "application/json", immutable=True),
        storage.entries,
    ):
        with pytest.raises(StoreError) as caught:
            fails()
        assert not isinstance(caught.value, Missing) and type(failure).__name__ in str(caught.value)


def test_the_media_type_is_passed_on_where_the_collection_takes_it():
    storage = CollectionStorage(Typed())
    storage.put(NAME, b"", "application/json", immutable=True)
    assert storage.collection.types == {NAME.encode(): "application/json"}


@pytest.mark.parametrize("collection", [Local, Typed])
def test_deleting_takes_away_and_does_not_mind_what_is_not_there(collection):
    storage = CollectionStorage(collection())
    storage.put(NAME, b"", "application/json", immutable=True)
    storage.delete(NAME)
    storage.delete(NAME)
    assert storage.entries() == {}


def test_a_dict_that_minds_deleting_what_is_not_there_is_no_error():
    class Strict(Local):
        def __delitem__(self, key):
            del self.held[key]

    CollectionStorage(Strict()).delete(NAME)


def test_a_collection_that_can_not_delete_says_so():
    with pytest.raises(
        StoreError, match=f"cannot delete {NAME} in Bucket sounds: NotImplementedError"
    ):
        CollectionStorage(Bucket(refusal("NoSuchKey"))).delete(NAME)


def test_a_public_collection_tells_addresses_and_others_do_not():
    assert CollectionStorage(Bucket(None)).url(NAME) == f"https://sounds.s3.amazonaws.com/{NAME}"
    assert CollectionStorage(Local()).url(NAME) is None


def test_names_are_checked_before_they_become_keys(storage):
    for use in (
        storage.get,
        storage.delete,
        storage.url,
        lambda x: storage.put(x, b"", "", immutable=False),
    ):
        with pytest.raises(StoreError, match="is no name for something stored"):
            use("../x")
