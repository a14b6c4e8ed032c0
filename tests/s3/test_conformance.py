"""Buckets as storages, on real servers. Of the two, rclone has no conditions, policies and CORS."""

import hashlib
import random
import urllib.request

import pytest

from report.errors import Missing, StoreError
from report.sharing.browser_access import check_reading
from report.storage.s3 import ASK_AGAIN, FOR_EVER, S3
from report.storage.s3_uploads import PART
from report.storage.transfer import each
from report.storage.web import Web
from tests.s3.conftest import client_of, in_new_bucket

SOUND = random.Random(7).randbytes(5000)
HOME, ELSEWHERE = "https://home.example", "https://elsewhere.example"


def test_what_is_put_comes_back_and_can_be_overwritten_exported_and_deleted(either, tmp_path):
    storage = in_new_bucket(either)
    storage.check()
    storage.put("builds/music.json", b"one", "application/json", immutable=False)
    storage.put("builds/music.json", b"two", "application/json", immutable=False)
    assert storage.get("builds/music.json") == b"two"
    storage.export("builds/music.json", tmp_path / "music.json")
    assert (tmp_path / "music.json").read_bytes() == b"two"
    storage.delete("builds/music.json")
    storage.delete("builds/music.json")
    for look in (storage.get, storage.head):
        with pytest.raises(
            Missing, match="cannot read builds/music.json: there is no such object .*s3://test-"
        ):
            look("builds/music.json")


def test_an_object_has_its_type_its_hash_and_may_be_kept_for_ever(either):
    storage = in_new_bucket(either)
    storage.put("objects/aa/a.wav", SOUND, "audio/wav", immutable=True)
    storage.put("index.html", b"<!doctype html>", "text/html; charset=utf-8", immutable=False)
    sound, page = storage.head("objects/aa/a.wav"), storage.head("index.html")
    assert (sound.bytes, sound.media_type, sound.cache_control) == (
        len(SOUND),
        "audio/wav",
        FOR_EVER,
    )
    assert sound.sha256 == hashlib.sha256(SOUND).hexdigest()
    assert (page.media_type, page.cache_control) == ("text/html; charset=utf-8", ASK_AGAIN)


def test_keys_of_many_pages_are_listed_sorted_and_only_those_under_the_prefix(either):
    storage = in_new_bucket(either)
    events = storage._client.meta.events  # pages of 100 instead of 1000, so that few keys fill them
    events.register(
        "before-parameter-build.s3.ListObjectsV2", lambda params, **_: params.update(MaxKeys=100)
    )
    names = [f"objects/{number % 50:02x}/{number}.json" for number in range(250)]
    for _ in each(
        lambda name: storage.put(name, name.encode(), "application/json", immutable=False),
        names,
        16,
    ):
        pass
    client, bucket = client_of(either), storage.address.split("/")[2]
    client.put_object(
        Bucket=bucket, Key="reporting/x.json", Body=b"a sibling whose name begins like the prefix"
    )
    found = storage.entries()
    assert list(found) == sorted(names)
    assert [entry.bytes for entry in found.values()] == [len(name) for name in found]
    assert list(storage.entries("objects/0a/")) == sorted(
        name for name in names if name.startswith("objects/0a/")
    )
    assert storage.entries("nothing/") == {}


def test_keys_that_mark_folders_are_not_listed(storage, weed):
    storage.put("media/a.wav", SOUND, "audio/wav", immutable=True)
    client_of(weed).put_object(Bucket=storage.address.split("/")[2], Key="report/media/", Body=b"")
    assert list(storage.entries()) == ["media/a.wav"]


def test_a_large_object_goes_in_parts_and_comes_back_whole(either):
    storage = in_new_bucket(either)
    film = random.Random(3).randbytes(PART + 4_000_000)
    storage.put("objects/bb/b.webp", film, "image/webp", immutable=True)
    assert storage.get("objects/bb/b.webp") == film
    head = storage.head("objects/bb/b.webp")
    assert (head.bytes, head.media_type, head.cache_control) == (len(film), "image/webp", FOR_EVER)
    written = storage.entries()["objects/bb/b.webp"].modified
    storage.put("objects/bb/b.webp", film, "image/webp", immutable=True)
    assert storage.entries()["objects/bb/b.webp"].modified == written, (
        "it was there and was sent again"
    )


def test_a_bucket_may_be_used_without_a_prefix(either):
    storage = S3(in_new_bucket(either).address.split("/")[2], "", either.url)
    storage.put("index.html", b"page", "text/html", immutable=False)
    assert list(storage.entries()) == ["index.html"] and storage.get("index.html") == b"page"


def test_names_that_lead_elsewhere_are_refused(storage):
    for name in ("../other", "a//b", "/a", "a/", "a\\b", ".", "a/../b", ""):
        with pytest.raises(StoreError, match="no name"):
            storage.put(name, b"", "text/plain", immutable=False)


def test_of_sixteen_that_create_one_object_the_first_wins_and_none_fails(storage):
    texts = [f"writer {number}".encode() for number in range(16)]
    for _ in each(
        lambda text: storage.put("index/aa/a.json", text, "application/json", immutable=True),
        texts,
        16,
    ):
        pass
    winner = storage.get("index/aa/a.json")
    assert winner in texts
    storage.put("index/aa/a.json", b"too late", "application/json", immutable=True)
    assert storage.get("index/aa/a.json") == winner


# ---- public reading


@pytest.fixture
def published(storage) -> S3:
    storage.put("media/a.wav", SOUND, "audio/wav", immutable=True)
    return storage


def test_everyone_reads_what_is_under_the_prefix_and_nothing_else(published):
    beside = S3(published.address.split("/")[2], "private", published.url.split("/test-")[0])
    beside.put("a.wav", SOUND, "audio/wav", immutable=True)
    web = Web(published.url)
    with pytest.raises(StoreError, match="HTTP 403"):
        web.get("media/a.wav")
    published.allow_reading()
    assert web.get("media/a.wav") == SOUND
    assert web.head("media/a.wav").media_type == "audio/wav"
    request = urllib.request.Request(
        f"{published.url}/media/a.wav", headers={"Range": "bytes=10-19"}
    )
    with urllib.request.urlopen(request) as answer:
        assert (answer.status, answer.read()) == (206, SOUND[10:20])
    with pytest.raises(StoreError, match="HTTP 403"):
        Web(beside.url).get("a.wav")
    beside.allow_reading()
    assert Web(beside.url).get("a.wav") == web.get("media/a.wav"), (
        "the statement for the first prefix is kept"
    )


def test_reading_is_checked_as_a_page_does_it(published):
    def check(origin=HOME, size=len(SOUND), media_type="audio/wav", name="media/a.wav"):
        check_reading(f"{published.url}/{name}", origin, size, media_type)

    with pytest.raises(StoreError, match="HTTP 403; let everyone read it by a bucket policy"):
        check()
    published.allow_reading()
    with pytest.raises(
        StoreError, match=f"page at {HOME} can not read .*CORS allows no other origin; allow {HOME}"
    ):
        check()
    check(origin=published.url.split("/test-")[0])
    published.allow_origins([HOME])
    check()
    for wrong, words in [
        ({"origin": ELSEWHERE}, f"allow {ELSEWHERE}"),
        ({"size": 4999}, "5000 bytes, not 4999"),
        ({"media_type": "image/png"}, "audio/wav, not image/png"),
        ({"name": "media/b.wav"}, "HTTP 40[34]"),
    ]:
        with pytest.raises(StoreError, match=words):
            check(**wrong)


def test_rules_of_others_stay(published, weed):
    client, bucket = client_of(weed), published.address.split("/")[2]
    client.put_bucket_cors(
        Bucket=bucket,
        CORSConfiguration={
            "CORSRules": [
                {"ID": "theirs", "AllowedMethods": ["GET"], "AllowedOrigins": [ELSEWHERE]}
            ]
        },
    )
    published.allow_origins([HOME])
    published.allow_origins(["https://new-home.example"])
    rules = client.get_bucket_cors(Bucket=bucket)["CORSRules"]
    assert sorted(rule["AllowedOrigins"][0] for rule in rules) == [
        ELSEWHERE,
        "https://new-home.example",
    ]


def test_a_server_without_policies_and_cors_says_so_and_is_found_out(rclone_server):
    storage = in_new_bucket(rclone_server)
    storage.put("media/a.wav", SOUND, "audio/wav", immutable=True)
    with pytest.raises(
        StoreError,
        match="cannot let everyone read by a bucket policy: the server has no bucket policies",
    ):
        storage.allow_reading()
    with pytest.raises(
        StoreError, match=f"cannot allow pages at {HOME} to read: the server has no CORS rules"
    ):
        storage.allow_origins([HOME])
    with pytest.raises(StoreError, match=f"page at {HOME} can not read"):
        check_reading(f"{storage.url}/media/a.wav", HOME, len(SOUND), "audio/wav")


def test_a_server_that_ignores_conditions_is_right_for_names_that_are_hashes(rclone_server):
    storage = in_new_bucket(rclone_server)
    for _ in range(2):
        storage.put("objects/aa/a.wav", SOUND, "audio/wav", immutable=True)
    assert storage.get("objects/aa/a.wav") == SOUND
