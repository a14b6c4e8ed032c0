import dataclasses
import hashlib
import os
import random
import re

import pytest

from report.artifacts.media import Encoded
from report.artifacts.record import Build, Record, seal, unseal
from report.artifacts.store import FolderStore, MemoryStore
from report.errors import Damaged, StoreError

INFO = {
    "samplerate": 8, "n_samples": 12, "seconds": 1.5, "peak": None, "loudness": None,
    "clipped": 0, "peaks": [[0, 1]],
}  # fmt: skip
ENCODED = Encoded(b"some bytes", "audio/wav", INFO)
KEY, OTHER = "ab" * 32, "cd" * 32
MADE = {
    "key": KEY, "function": "demos.f", "code": "c0" * 32, "arguments": {"x": "1"},
    "values": {"x": "d1"}, "versions": {"numpy": "2"}, "inputs": ["ef" * 32], "seconds": 0.5,
    "machine": {"cores": "2"},
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


@pytest.mark.parametrize(
    "text", ["", "{", "{}", "[]", '{"schema": 1}', '{"schema": 2}', "[" * 100_000, "NaN"]
)
def test_a_damaged_record_is_an_error_and_not_a_miss(store, text):
    store.put(ENCODED, **MADE)
    next(path_of(store).glob("index/*/*.json")).write_text(text)
    with pytest.raises(StoreError, match=f"{KEY}.json in .* is damaged.*--force {KEY[:12]}"):
        store.find(KEY)


def test_a_record_under_another_key_is_not_believed(store):
    record = store.put(ENCODED, **MADE)
    path = next(path_of(store).glob("index/*/*.json"))
    path.write_bytes(seal(record.to_json() | {"key": OTHER}))
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
    "arguments": [[], {"x": 1}, {"x": "\x9b31m"}, None],
    "bytes": [-1, "1", float("inf"), True],
    "info": [
        [],
        {},
        *(
            INFO | bad
            for bad in ({"peaks": [["<script>"]]}, {"x": {"y": [object]}}, {"seconds": None})
        ),
    ],
    "function": [None, 1, "f\x1b[2J"],
    "created": ["2026\n2027"],
    "versions": [{"numpy": "2\r"}, {"num\x07py": "2"}],
    "schema": [1, 3, "2"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in HOSTILE.items() for value in values]
)
def test_a_record_that_is_not_what_it_has_to_be_is_refused(store, name, value):
    record = store.put(ENCODED, **MADE)
    assert Record.from_json(record.to_json()) == record
    with pytest.raises(ValueError):
        Record.from_json(record.to_json() | {name: value})
    with pytest.raises(ValueError, match="more is no known field"):
        Record.from_json({**record.to_json(), "more": 1})


@pytest.mark.parametrize(
    ("media_type", "lacking"),
    [("audio/wav", name) for name in INFO]
    + [(kind, name) for kind in ("image/png", "image/webp") for name in ("width", "height", "alt")],
)
def test_a_record_has_to_say_what_a_page_shows(store, media_type, lacking):
    info = INFO | {"width": 3, "height": 2, "alt": "a picture"}
    record = store.put(Encoded(b"media", media_type, info), **MADE)
    assert Record.from_json(record.to_json()) == record
    with pytest.raises(ValueError, match=f"info.{lacking} is missing"):
        Record.from_json(
            record.to_json() | {"info": {name: info[name] for name in info if name != lacking}}
        )


@pytest.mark.parametrize(
    "more", [{}, {"n_frames": 10, "columns": 3, "seconds": 1.5}], ids=["a picture", "a film"]
)
def test_a_lossy_picture_lasts_no_time_and_a_film_does_and_both_are_stored(store, more):
    info = {
        "width": 3,
        "height": 2,
        "alt": "hills",
        "across": {"1 s": 0.5},
        "up": {"1 kHz": 0.25},
        **more,
    }
    record = store.put(Encoded(b"media", "image/webp", info), **MADE)
    assert record.name.endswith(".webp")
    assert FolderStore(path_of(store)).find(KEY).info == info


def test_arguments_keep_the_order_of_the_signature(store):
    arguments = {"tone": "440", "length": "3", "attack": "1"}
    record = store.put(ENCODED, **MADE | {"arguments": arguments})
    store.put_build(Build("music", [("f/1", record)]))
    fresh = FolderStore(path_of(store))
    for found in (fresh.find(KEY), fresh.build("music").calls[0][1]):
        assert list(found.arguments.items()) == list(arguments.items())


@pytest.mark.parametrize(
    ("path", "recorded"),
    [("a\n\x1b[2Jb.wav", "a\ufffd\ufffd[2Jb.wav"), ("caf\udce9.wav", "caf\ufffd.wav")],
)
def test_an_argument_that_could_garble_a_terminal_is_recorded_without_that(store, path, recorded):
    record = store.put(ENCODED, **MADE | {"arguments": {"path": path}})
    assert record.arguments == {"path": recorded}
    assert FolderStore(path_of(store)).find(KEY) == record


def test_a_changed_byte_in_any_record_build_or_source_is_found(store):
    store.put_source(KEY, {"a.f": {"text": "def f(): ..."}})
    store.put_build(Build("music", [("f/1", store.put(ENCODED, **MADE))]))
    dice = random.Random(1)
    looks = {
        "index": lambda s: s.find(KEY),
        "builds": lambda s: s.build("music"),
        "sources": lambda s: s.source(KEY),
    }
    for kind, look in looks.items():
        (path,) = path_of(store).glob(f"{kind}/**/*.json")
        whole = path.read_bytes()
        for _ in range(50):
            place = dice.randrange(len(whole))
            path.write_bytes(
                whole[:place] + bytes([whole[place] ^ 1 << dice.randrange(8)]) + whole[place + 1 :]
            )
            with pytest.raises(Damaged, match=re.escape(path.name)):
                look(FolderStore(path_of(store)))
        path.write_bytes(whole)
        assert look(FolderStore(path_of(store))) is not None


def test_a_forgotten_record_is_a_miss_and_is_replaced_once_it_is_made_again(store):
    record = store.put(ENCODED, **MADE)
    object_of(store, record).write_bytes(b"damaged")
    next(path_of(store).glob("index/*/*.json")).write_text("damaged")
    before = store.storage.entries()
    store.forget(KEY)
    assert store.find(KEY) is None and store.storage.entries() == before
    again = store.put(ENCODED, **MADE)
    assert store.find(KEY) == again and FolderStore(path_of(store)).find(KEY) == again
    assert store.read(again) == ENCODED.data
    store.forget(OTHER)  # of what is not there, nothing has to be forgotten
    assert store.find(OTHER) is None


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


def test_source_that_is_damaged_is_replaced_when_its_artifact_is_made_again(store):
    store.put_source(OTHER, {"f": "def f(): ..."})
    next(path_of(store).glob("sources/*/*.json")).write_text("{")
    with pytest.raises(Damaged, match="build with --force"):
        store.source(OTHER)
    store.forget(KEY)
    store.put_source(OTHER, {"f": "def f(): ..."})
    assert store.source(OTHER) == {"f": "def f(): ..."}


def test_a_damaged_build_is_said_to_be_so_but_a_build_that_replaces_it_goes_on(store):
    record = store.put(ENCODED, **MADE)
    for text in (
        b"{",
        b"{}",
        b'{"schema":1,"article":"music","calls":[]}',
        seal({"schema": 1, "article": "music"}),
    ):
        store.storage.put("builds/music.json", text, "", immutable=False)
        fresh = FolderStore(path_of(store))
        with pytest.raises(
            Damaged, match="builds/music.json in .* is damaged .*build the article again"
        ):
            fresh.build("music")
        with pytest.warns(UserWarning, match="builds/music.json in .* is damaged"):
            fresh.recall("music")
    fresh.put_build(Build("music", [("f/1", record)]))
    assert fresh.build("music").calls == [("f/1", record)]


def test_a_place_that_fails_is_no_damage_and_stops_the_build(store, monkeypatch):
    def fail(name):
        raise StoreError("the network is gone")

    monkeypatch.setattr(store.storage, "get", fail)
    with pytest.raises(StoreError, match="the network is gone"):
        store.recall("music")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"article": "speech"}, "it is of the article 'speech'"),
        ({"article": "../x"}, "it is of the article"),
        ({"article": None}, "it is of the article"),
        ({"schema": 1}, "schema 1, not 2"),
        ({"calls": [["f 1", {}]]}, "'f 1' is no name of a call"),
        ({"calls": [["f\x1b/1", {}]]}, "is no name of a call"),
        ({"calls": [["", {}]]}, "is no name of a call"),
        ({"calls": [[1, {}]]}, ""),
        ({"calls": [["f/1", {}]]}, "f/1: schema None, not 2"),
        ({"calls": None}, ""),
    ],
)
def test_a_build_that_is_not_what_it_has_to_be_is_damaged(store, change, told):
    store.put_build(Build("music", [("g.<lambda>/1", store.put(ENCODED, **MADE))]))
    assert len(store.build("music").calls) == 1
    text = seal(unseal(store.storage.get("builds/music.json")) | change)
    store.storage.put("builds/music.json", text, "", immutable=False)
    with pytest.raises(Damaged, match=f"builds/music.json in .* is damaged.*{re.escape(told)}"):
        store.build("music")


def test_files_of_others_are_not_taken_for_stored_ones(store):
    store.put_source(OTHER, {})
    store.put_build(Build("music", [("f/1", store.put(ENCODED, **MADE))]))
    ours = {kind: set(store.entries(kind)) for kind in ("builds", "index", "objects", "sources")}
    assert [len(names) for names in ours.values()] == [1, 1, 1, 1]
    for stray in (
        "builds/.DS_Store",
        "builds/a b.json",
        "objects/.DS_Store",
        "index/ab/notes.txt",
        f"objects/00/{KEY}.wav",
    ):
        (path_of(store) / stray).parent.mkdir(exist_ok=True)
        (path_of(store) / stray).write_bytes(b"mine")
    assert {kind: set(store.entries(kind)) for kind in ours} == ours and store.builds() == ["music"]
