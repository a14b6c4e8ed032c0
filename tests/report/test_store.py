import dataclasses
import hashlib
import os

import pytest

from report.errors import StoreError
from report.media import Encoded
from report.store import FolderStore, MemoryStore

ENCODED = Encoded(b"some bytes", "audio/wav", "wav", {"seconds": 1.5, "peaks": [[0, 1]]})
MADE = {"function": "demos.f", "code": "c0de", "arguments": {"x": "1"}, "versions": {"numpy": "2"}, "seconds": 0.5}
KEY = "ab" * 32


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "store")


@pytest.mark.parametrize("make", [lambda path: FolderStore(path), lambda path: MemoryStore()])
def test_what_is_put_is_found_read_and_exported(tmp_path, make):
    store = make(tmp_path / "store")
    assert store.find(KEY) is None
    record = store.put(KEY, ENCODED, **MADE)
    assert store.find(KEY) == record
    assert store.read(record) == ENCODED.data
    store.export(record, tmp_path / "copy.wav")
    assert (tmp_path / "copy.wav").read_bytes() == ENCODED.data


def test_another_process_finds_the_same_record(store):
    record = store.put(KEY, ENCODED, **MADE)
    assert FolderStore(store.path).find(KEY) == record
    assert (record.function, record.arguments, record.info) == ("demos.f", {"x": "1"}, ENCODED.info)


def test_an_object_is_named_by_its_bytes_and_stored_once(store):
    one, two = (store.put(key, ENCODED, **MADE) for key in (KEY, "cd" * 32))
    assert one.sha256 == hashlib.sha256(ENCODED.data).hexdigest()
    assert store.path_of(one) == store.path_of(two)
    files = [path for path in store.path.rglob("*") if path.is_file()]
    assert len(files) == 3  # one object, two records, nothing unfinished


def test_a_damaged_or_missing_object_is_an_error_and_not_a_miss(store):
    record = store.put(KEY, ENCODED, **MADE)
    store.path_of(record).write_bytes(b"some Bytes")
    for read in (store.read, lambda r: store.export(r, store.path / "out")):
        with pytest.raises(StoreError, match=f"{record.sha256}.*damaged.*delete .*{KEY}.json"):
            read(record)
    store.path_of(record).unlink()
    with pytest.raises(StoreError, match=f"{record.sha256}.*No such file.*delete .*{KEY}.json"):
        store.read(record)


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"schema": 1}'])
def test_a_damaged_record_is_an_error_and_not_a_miss(store, text):
    store.put(KEY, ENCODED, **MADE)
    next(store.path.glob("index/*/*.json")).write_text(text)
    with pytest.raises(StoreError, match=f"{KEY}.json is damaged.*delete it"):
        store.find(KEY)


def test_a_record_under_another_key_is_not_believed(store):
    record = store.put(KEY, ENCODED, **MADE)
    path = next(store.path.glob("index/*/*.json"))
    path.write_text(path.read_text().replace(record.key, "ef" * 32))
    with pytest.raises(StoreError, match="damaged"):
        store.find(KEY)


def test_following_the_advice_heals_the_store(store):
    record = store.put(KEY, ENCODED, **MADE)
    store.path_of(record).write_bytes(b"")
    next(store.path.glob("index/*/*.json")).unlink()
    assert store.find(KEY) is None
    assert store.read(store.put(KEY, ENCODED, **MADE)) == ENCODED.data


def test_a_write_that_fails_leaves_nothing_and_says_so(store, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StoreError, match="cannot write to the store .*: No space left on device") as caught:
        store.put(KEY, ENCODED, **MADE)
    assert "\n" not in str(caught.value)
    assert [path for path in store.path.rglob("*") if path.is_file()] == []


def test_a_record_can_not_be_changed(store):
    with pytest.raises(dataclasses.FrozenInstanceError):
        store.put(KEY, ENCODED, **MADE).seconds = 0
