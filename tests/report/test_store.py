import dataclasses
import hashlib
import os

import pytest

from report.errors import StoreError
from report.media import Encoded
from report.store import Build, FolderStore, MemoryStore, Record

ENCODED = Encoded(b"some bytes", "audio/wav", {"seconds": 1.5, "peaks": [[0, 1]]})
KEY, OTHER = "ab" * 32, "cd" * 32
MADE = {
    "key": KEY, "function": "demos.f", "code": "c0" * 32, "arguments": {"x": "1"}, "values": {"x": "d1"},
    "versions": {"numpy": "2"}, "inputs": ["ef" * 32], "seconds": 0.5, "machine": {"cores": "2"},
}  # fmt: skip


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "store")


def path_of(store):
    return store.storage.path


def object_of(store, record):
    return path_of(store) / "objects" / record.sha256[:2] / record.name


@pytest.mark.parametrize("make", [lambda path: FolderStore(path), lambda path: MemoryStore()])
def test_what_is_put_is_found_read_and_exported(tmp_path, make):
    store = make(tmp_path / "store")
    assert store.find(KEY) is None
    record = store.put(ENCODED, **MADE)
    assert store.find(KEY) == record
    assert store.read(record) == ENCODED.data
    store.export(record, tmp_path / "copy.wav")
    assert (tmp_path / "copy.wav").read_bytes() == ENCODED.data


def test_another_process_finds_the_same_record(store):
    record = store.put(ENCODED, **MADE)
    assert FolderStore(path_of(store)).find(KEY) == record
    assert (record.function, record.arguments, record.info) == ("demos.f", {"x": "1"}, ENCODED.info)


def test_an_object_is_named_by_its_bytes_and_stored_once(store):
    one, two = (store.put(ENCODED, **MADE | {"key": key}) for key in (KEY, OTHER))
    assert one.sha256 == hashlib.sha256(ENCODED.data).hexdigest()
    assert object_of(store, one) == object_of(store, two)
    files = [path for path in path_of(store).rglob("*") if path.is_file()]
    assert len(files) == 3  # one object, two records, nothing unfinished


def test_a_damaged_or_missing_object_is_an_error_and_not_a_miss(store):
    record = store.put(ENCODED, **MADE)
    object_of(store, record).write_bytes(b"some Bytes")
    for read in (store.read, lambda r: store.export(r, path_of(store) / "out")):
        with pytest.raises(StoreError, match=f"{record.sha256}.*damaged.*--force {KEY[:12]}"):
            read(record)
    object_of(store, record).unlink()
    with pytest.raises(StoreError, match=f"{record.sha256}.*No such file.*--force {KEY[:12]}"):
        store.read(record)


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"schema": 1}', '{"schema": 2}', "[" * 100_000, "NaN"])
def test_a_damaged_record_is_an_error_and_not_a_miss(store, text):
    store.put(ENCODED, **MADE)
    next(path_of(store).glob("index/*/*.json")).write_text(text)
    with pytest.raises(StoreError, match=f"{KEY}.json in .* is damaged.*--force {KEY[:12]}"):
        store.find(KEY)


def test_a_record_under_another_key_is_not_believed(store):
    record = store.put(ENCODED, **MADE)
    path = next(path_of(store).glob("index/*/*.json"))
    path.write_text(path.read_text().replace(record.key, OTHER))
    with pytest.raises(StoreError, match="damaged.*record of cdcd"):
        store.find(KEY)


def test_a_write_that_fails_leaves_nothing_and_says_so(store, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StoreError, match="cannot write to .*: No space left on device") as caught:
        store.put(ENCODED, **MADE)
    assert "\n" not in str(caught.value)
    assert [path for path in path_of(store).rglob("*") if path.is_file()] == []


def test_a_record_can_not_be_changed(store):
    with pytest.raises(dataclasses.FrozenInstanceError):
        store.put(ENCODED, **MADE).seconds = 0


HOSTILE = {
    "sha256": ["../../etc/passwd", "AB" * 32, "ab" * 31, None],
    "key": ["", "x" * 64, 1],
    "media_type": ["text/html", "", None, ["audio/wav"]],
    "inputs": ["", [1], ["../x"]],
    "arguments": [[], {"x": 1}, None],
    "bytes": [-1, "1", float("inf"), True],
    "info": [[], {"peaks": [["<script>"]]}, {"peaks": {"x": [object]}}, {"seconds": [[[1]]]}],
    "function": [None, 1],
    "schema": [1, 3, "2"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in HOSTILE.items() for value in values])
def test_a_record_that_is_not_what_it_has_to_be_is_refused(store, name, value):
    record = store.put(ENCODED, **MADE)
    assert Record.from_json(record.to_json()) == record
    with pytest.raises(ValueError):
        Record.from_json(record.to_json() | {name: value})
    with pytest.raises(ValueError, match="fields"):
        Record.from_json({**record.to_json(), "more": 1})


def test_a_forgotten_record_is_a_miss_and_its_object_goes_if_it_is_damaged(store):
    record = store.put(ENCODED, **MADE)
    store.forget(KEY)
    assert store.find(KEY) is None and object_of(store, record).exists()
    store.put(ENCODED, **MADE)
    object_of(store, record).write_bytes(b"damaged")
    store.forget(KEY)
    assert store.find(KEY) is None and not object_of(store, record).exists()
    store.forget(KEY)  # of what is not there, nothing has to be forgotten


def test_a_build_is_remembered_and_its_records_are_found_without_another_look(store):
    record = store.put(ENCODED, **MADE)
    store.put_build(Build("music", [("f/1", record)]))
    fresh = FolderStore(path_of(store))
    assert fresh.build("music").calls == [("f/1", record)] and fresh.builds() == ["music"]
    next(path_of(store).glob("index/*/*.json")).unlink()
    assert fresh.find(KEY) == record and FolderStore(path_of(store)).find(KEY) is None
    assert fresh.build("speech") is None
    for name in ("../x", "", "a/b", "a.b"):
        with pytest.raises(StoreError, match="no name for an article"):
            fresh.build(name)


def test_source_is_kept_under_the_digest_of_the_code(store):
    store.put_source(KEY, {"a.f": {"text": "def f(): ..."}})
    assert FolderStore(path_of(store)).source(KEY) == {"a.f": {"text": "def f(): ..."}}
    assert store.source(OTHER) is None
