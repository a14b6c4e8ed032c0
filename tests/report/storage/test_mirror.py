"""A folder before a slower storage: fetched once, made once, sent once."""

import threading

import pytest

from report.artifacts.media import Encoded
from report.artifacts.record import Build
from report.artifacts.store import Store, mirrored_store
from report.errors import Damaged, Missing, StoreError
from report.storage.folder import Memory
from report.storage.mirror import Mirror


class Remote(Memory):
    """A storage that counts what is asked of it and fails when told to."""

    parallel = 4

    def __init__(self):
        super().__init__()
        self.got, self.sent, self.fails_after = [], [], 10**6
        self._counting = threading.Lock()

    def get(self, name):
        self.got.append(name)
        return super().get(name)

    def put(self, name, data, media_type, immutable):
        with self._counting:
            if len(self.sent) >= self.fails_after:
                raise StoreError("the network is gone")
            self.sent.append(name)
        super().put(name, data, media_type, immutable)


MADE = {
    "function": "f",
    "code": "c" * 64,
    "arguments": {},
    "values": {},
    "versions": {},
    "inputs": [],
}
MADE |= {"machine": {}, "seconds": 1.0}


def build(remote, folder, *letters: str) -> Store:
    """Do as a build of the article "music" that asks for these artifacts."""
    store = mirrored_store(remote, folder)
    store.recall("music")
    calls = []
    for letter in letters:
        if (record := store.find(letter * 64)) is None:
            store.put_source("c" * 64, {"f": "def f(): ..."})
            record = store.put(
                Encoded(letter.encode(), "application/json", {}), key=letter * 64, **MADE
            )
        calls.append((f"f/{letter}", record))
    store.put_build(Build("music", calls))
    store.flush()
    return store


@pytest.fixture
def remote():
    return Remote()


def mirror_of(remote, folder) -> Mirror:
    return Mirror(remote, folder, ("objects/", "index/"), "builds/")


def fill(mirror: Mirror, count: int = 10) -> None:
    for number in range(count):
        mirror.put(f"index/{number}.json", b"{}", "application/json", immutable=True)
        mirror.put(f"objects/{number}.wav", bytes([number]), "audio/wav", immutable=True)
    mirror.put("builds/music.json", b"[]", "application/json", immutable=False)


def test_what_is_put_is_there_at_once_and_sent_when_asked_records_last(remote, tmp_path):
    mirror, told = mirror_of(remote, tmp_path), []
    fill(mirror)
    assert remote.entries() == {} and mirror.get("objects/3.wav") == b"\3"
    mirror.flush(lambda sent, total: told.append((sent, total)))
    assert told == [(n, 21) for n in range(1, 22)]
    kinds = [name.split("/")[0] for name in remote.sent]
    assert kinds == ["objects"] * 10 + ["index"] * 10 + ["builds"]
    assert mirror.entries() == remote.entries()
    mirror.flush()
    assert len(remote.sent) == 21, "sent twice"


def test_what_is_fetched_is_fetched_once_also_by_the_next_process(remote, tmp_path):
    remote.put("objects/a.wav", b"sound", "audio/wav", immutable=True)
    for mirror in (mirror_of(remote, tmp_path / "m"), mirror_of(remote, tmp_path / "m")):
        assert mirror.get("objects/a.wav") == b"sound"
        mirror.export("objects/a.wav", tmp_path / f"{id(mirror)}.wav")
        assert (tmp_path / f"{id(mirror)}.wav").read_bytes() == b"sound"
    assert remote.got == ["objects/a.wav"]


def test_a_broken_flush_is_taken_up_by_the_next_process(remote, tmp_path):
    fill(mirror_of(remote, tmp_path))
    remote.fails_after = 5
    with pytest.raises(StoreError, match="the network is gone"):
        mirror_of(remote, tmp_path).flush()
    assert all(name.startswith("objects/") for name in remote.sent), "a record before what it names"
    remote.fails_after = 10**6
    remote.got.clear()
    mended = mirror_of(remote, tmp_path)
    assert mended.get("index/9.json") == b"{}" and mended.get("builds/music.json") == b"[]"
    assert remote.got == [], "asked elsewhere for what is here"
    mended.flush()
    assert len(remote.sent) == len(set(remote.sent)) == 21


def test_what_others_build_is_seen_and_what_was_built_here_comes_first(remote, tmp_path):
    here, there = mirror_of(remote, tmp_path / "here"), mirror_of(remote, tmp_path / "there")
    for text in (b"one", b"two"):
        there.put("builds/music.json", text, "application/json", immutable=False)
        there.flush()
        assert here.get("builds/music.json") == text
    here.put("builds/music.json", b"three", "application/json", immutable=False)
    assert (here.get("builds/music.json"), there.get("builds/music.json")) == (b"three", b"two")
    here.flush()
    assert there.get("builds/music.json") == b"three"


def test_what_is_deleted_is_gone_everywhere(remote, tmp_path):
    mirror = mirror_of(remote, tmp_path)
    fill(mirror, 1)
    mirror.flush()
    mirror.delete("index/0.json")
    with pytest.raises(Missing):
        mirror.get("index/0.json")
    assert "index/0.json" not in remote.entries()


def test_processes_that_share_the_folder_may_send_at_the_same_time(remote, tmp_path):
    fill(mirror_of(remote, tmp_path), 100)
    failures = []

    def flush() -> None:
        try:
            mirror_of(remote, tmp_path).flush()
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=flush) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [] and len(remote.entries()) == 201


def test_what_was_collected_behind_is_sent_again_when_a_build_needs_it(remote, tmp_path):
    build(remote, tmp_path, "a", "b")
    whole = set(remote.entries())
    build(remote, tmp_path, "b")
    for name in whole - {name for name in whole if name.startswith("builds/") or "b" * 64 in name}:
        remote.delete(name)  # as `gc` does, and more
    remote.sent.clear()
    build(remote, tmp_path, "a", "b")
    assert set(remote.entries()) == whole
    assert remote.sent[-1] == "builds/music.json" and remote.sent[0].startswith("objects/")
    elsewhere = build(remote, tmp_path / "elsewhere", "a", "b")
    assert elsewhere.read(elsewhere.find("a" * 64)) == b"a"


def test_what_is_in_no_use_any_more_is_not_sent_again(remote, tmp_path):
    build(remote, tmp_path, "a", "b")
    build(remote, tmp_path, "b")
    gone = [name for name in remote.entries("index/") if "a" * 64 in name]
    remote.delete(gone[0])
    build(remote, tmp_path, "b", "d")
    assert gone[0] not in remote.entries()


def test_a_build_that_changes_nothing_sends_and_lists_nothing(remote, tmp_path, monkeypatch):
    build(remote, tmp_path, "a", "b")
    monkeypatch.setattr(remote, "entries", None)
    remote.got.clear(), remote.sent.clear()
    build(remote, tmp_path, "a", "b")
    assert remote.sent == [] and set(remote.got) == {"builds/music.json"}


def test_a_build_whose_object_is_gone_everywhere_is_not_sent(remote, tmp_path):
    build(remote, tmp_path / "here", "a", "b")
    (name,) = [name for name in remote.entries("objects/") if remote.get(name) == b"a"]
    remote.delete(name)
    before = remote.get("builds/music.json")
    with pytest.raises(
        StoreError, match=f"{name} is no longer in memory, nor here; build with --force"
    ):
        build(remote, tmp_path / "there", "a")
    assert remote.get("builds/music.json") == before


@pytest.mark.parametrize("kind", ["objects", "index"])
def test_a_damaged_copy_is_fetched_again_and_what_is_behind_stays(remote, tmp_path, kind):
    build(remote, tmp_path, "a")
    before = remote.entries()
    (copy,) = (tmp_path / "kept").glob(f"{kind}/*/*")
    whole = copy.read_bytes()
    copy.write_bytes(b"damaged")
    store = mirrored_store(remote, tmp_path)
    assert store.read(store.find("a" * 64)) == b"a"
    assert copy.read_bytes() == whole and remote.entries() == before


def test_what_is_damaged_behind_is_replaced_when_it_was_made_again(remote, tmp_path):
    build(remote, tmp_path / "here", "a")
    (name,) = remote.entries("objects/")
    remote.put(name, b"damaged", "", immutable=False)
    store = mirrored_store(remote, tmp_path / "there")
    with pytest.raises(Damaged, match=f"{name} in memory is damaged"):
        store.read(store.find("a" * 64))
    store.forget("a" * 64)
    store.put(Encoded(b"a", "application/json", {}), key="a" * 64, **MADE)
    store.flush()
    assert remote.get(name) == b"a"


def test_a_damaged_copy_that_was_never_sent_is_damaged_and_no_miss(remote, tmp_path):
    store = mirrored_store(remote, tmp_path)
    store.put(Encoded(b"a", "application/json", {}), key="a" * 64, **MADE)
    (copy,) = (tmp_path / "kept").glob("index/*/*")
    copy.write_bytes(b"damaged")
    with pytest.raises(Damaged):
        store.find("a" * 64)
