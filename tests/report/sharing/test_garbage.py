"""Collection deletes files that nothing names, and says why it keeps the rest."""

import os
import re
import time
from pathlib import Path

import pytest

from report.artifacts.media import Encoded
from report.artifacts.record import Build
from report.artifacts.store import FolderStore
from report.errors import SiteError, StoreError
from report.sharing.garbage import DAY, collect_releases, collect_store
from report.sharing.publish import publish
from report.site.manifest import read
from report.site.release import leading_page, release_shown
from report.site.verify import verify
from report.storage.folder import Folder, Memory

MAKING = {"function": "f", "arguments": {}, "values": {}, "versions": {}, "inputs": []}
MAKING |= {"machine": {}, "seconds": 1.0}


def age(folder: Path, days: float = 2.0, pattern: str = "**/*") -> None:
    """Make files look as if they were written so many days ago."""
    for path in folder.glob(pattern):
        if path.is_file():
            os.utime(path, (time.time() - days * DAY,) * 2)


@pytest.fixture
def target(site, next_site, tmp_path):
    """Two releases, published two days ago, and a media file that a broken try has left."""
    folder = Folder(tmp_path / "public")
    publish(site, folder)
    publish(next_site, folder)
    folder.put(f"media/{'0' * 64}.wav", b"12345", "audio/wav", immutable=True)
    age(folder.path)
    return folder


def media_of(site: Path) -> set[str]:
    manifest = read((site / "manifest.json").read_bytes())
    return {name for name in manifest.files if name.startswith("media/")}


def releases(target) -> set[str]:
    return {
        match[1]
        for name in target.entries("releases/")
        if (match := re.match(r"releases/(\w{16})/", name))
    }


def test_a_page_that_leads_to_a_release_goes_with_it(target):
    assert not [name for name, _ in collect_releases(target, keep=0).deleted if name[:2] == "ra"]
    gone = next(iter(releases(target) - {release_shown(target.get("index.html"))}))
    page = target.get(f"releases/{gone}/ramps.html").decode()
    target.put("ramps.html", leading_page(page, "ramps.html", gone), "text/html", immutable=False)
    collect_releases(target, keep=0, delete=True)
    assert "ramps.html" not in target.entries() and "index.html" in target.entries()


def test_nothing_is_deleted_unless_it_is_asked_for(target):
    before = target.entries()
    sweep = collect_releases(target, keep=0)
    assert target.entries() == before
    assert sweep.deleted and sweep.bytes == sum(before[name].bytes for name, _ in sweep.deleted)
    names = [name for name, _ in sweep.kept] + [name for name, _ in sweep.deleted]
    assert sorted(names) == sorted(set(before) - {"index.html", "ramps.html"})


def test_what_no_release_names_goes_and_all_releases_stay(target):
    sweep = collect_releases(target, delete=True)
    assert sweep.deleted == [(f"media/{'0' * 64}.wav", 5)]
    assert len(releases(target)) == 2 and verify(target).findings == []
    shown = release_shown(target.get("index.html"))
    assert dict(sweep.kept)[f"releases/{shown}/index.html"] == "the entry page shows it"
    (old,) = releases(target) - {shown}
    assert dict(sweep.kept)[f"releases/{old}.json"] == "all releases are kept"


def test_old_releases_go_with_their_media_and_those_that_are_shared_stay(target, site, next_site):
    sweep = collect_releases(target, keep=1, delete=True)
    old, new = media_of(site), media_of(next_site)
    deleted = {name for name, _ in sweep.deleted if name.startswith("media/")}
    assert deleted == old - new | {f"media/{'0' * 64}.wav"}
    assert set(target.entries("media/")) == new and len(new & old) == 3
    assert releases(target) == {release_shown(target.get("index.html"))}
    assert verify(target).findings == []
    assert collect_releases(target, keep=1).deleted == []


def test_the_release_that_is_shown_stays_even_if_it_is_old(target, site):
    newest = release_shown(target.get("index.html"))
    back = publish(site, target).release  # to what was before
    text = target.get(f"releases/{newest}.json")
    target.put(
        f"releases/{newest}.json", text.replace(b'"20', b'"29'), "application/json", immutable=False
    )
    age(target.path)
    collect_releases(target, keep=1, delete=True)
    assert releases(target) == {back, newest}
    collect_releases(target, keep=0, delete=True)
    assert releases(target) == {back} and verify(target).findings == []


def test_what_is_new_is_spared_with_all_that_it_names(target, site):
    old = (releases(target) - {release_shown(target.get("index.html"))}).pop()
    age(target.path, 0.5, f"releases/{old}/ramps.html")
    age(target.path, 0.5, f"media/{'0' * 64}.wav")
    assert collect_releases(target, keep=1).deleted == []
    assert len(collect_releases(target, keep=1, grace=0.1 * DAY).deleted) > 1


def test_an_unfinished_release_goes_once_it_is_old(target):
    unfinished = f"releases/{'a' * 16}/index.html"
    target.put(unfinished, b"x", "text/html", immutable=False)
    assert unfinished in dict(collect_releases(target).kept)
    age(target.path)
    assert unfinished in dict(collect_releases(target).deleted)


def test_other_things_at_the_same_place_are_left_alone(target):
    for name in ("media/photo.jpg", "releases/notes.txt", "notes.txt", "objects/x"):
        target.put(name, b"mine", "text/plain", immutable=False)
    age(target.path)
    collect_releases(target, keep=0, delete=True)
    for name in ("media/photo.jpg", "releases/notes.txt", "notes.txt"):
        assert target.get(name) == b"mine"


@pytest.mark.parametrize("victim", ["manifest", "date", "index"])
@pytest.mark.parametrize("how", ["damaged", "missing"])
def test_when_it_can_not_be_read_what_is_in_use_nothing_is_deleted(target, victim, how):
    old = (releases(target) - {release_shown(target.get("index.html"))}).pop()
    name = {
        "manifest": f"releases/{old}/manifest.json",
        "date": f"releases/{old}.json",
        "index": "index.html",
    }[victim]
    target.delete(name)
    if how == "damaged":
        target.put(name, b"{}", "application/json", immutable=False)
    elif victim == "date":
        return  # then it was never finished
    age(target.path)
    before = target.entries()
    with pytest.raises((SiteError, StoreError), match=re.escape(name)):
        collect_releases(target, delete=True)
    assert target.entries() == before


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "store")


def put(store, text: str, letter: str):
    """An artifact with a key and code of its own."""
    store.put_source(letter * 64, {"f": text})
    return store.put(
        Encoded(text.encode(), "application/json", {}),
        **MAKING | {"key": letter * 64, "code": letter * 64},
    )


def names(record) -> set[str]:
    key, code, sha256 = record.key, record.code, record.sha256
    return {
        f"index/{key[:2]}/{key}.json",
        f"sources/{code[:2]}/{code}.json",
        f"objects/{sha256[:2]}/{record.name}",
    }


def test_what_the_last_builds_asked_for_stays_and_the_rest_goes_records_first(store, tmp_path):
    used, other, left = (
        put(store, text, letter) for text, letter in (("one", "1"), ("two", "2"), ("three", "3"))
    )
    store.put_build(Build("music", [("ramp/1", used)]))
    store.put_build(Build("speech", [("ramp/1", other)]))
    age(tmp_path / "store")
    before = store.storage.entries()
    sweep = collect_store(FolderStore(tmp_path / "store"))
    assert {name for name, _ in sweep.deleted} == names(left) and store.storage.entries() == before
    assert [name.split("/")[0] for name, _ in sweep.deleted] == ["index", "sources", "objects"]
    assert {name for name, why in sweep.kept if why == "used by music/ramp/1"} == names(used)
    assert collect_store(FolderStore(tmp_path / "store"), delete=True) == sweep
    assert set(before) - set(store.storage.entries()) == names(left)
    again = FolderStore(tmp_path / "store")
    assert again.read(again.find(used.key)) == b"one" and again.find(left.key) is None


def test_what_a_published_site_names_stays(store, tmp_path, site, built_once):
    whole = Folder(built_once / "store")
    manifest = read((site / "manifest.json").read_bytes())
    copy = FolderStore(tmp_path / "copy")
    for name in whole.entries():
        if not name.startswith("builds/"):
            copy.storage.put(name, whole.get(name), "", immutable=True)
    age(tmp_path / "copy")
    deleted = {name for name, _ in collect_store(copy, [manifest], delete=True).deleted}
    for artifact in manifest.artifacts.values():
        assert copy.read(copy.find(artifact.key)) and copy.source(artifact.code)
    assert len(deleted) < len(collect_store(copy).deleted)


def test_an_object_that_a_new_record_names_stays_though_it_is_old(store, tmp_path):
    old = put(store, "same", "1")
    age(tmp_path / "store")
    new = put(store, "same", "2")  # the same bytes, stored once, two days ago
    sweep = collect_store(FolderStore(tmp_path / "store"), delete=True)
    assert {name for name, _ in sweep.deleted} == names(old) - names(new)
    assert store.read(new) == b"same"


@pytest.mark.parametrize("name", ["builds/music.json", f"index/22/{'2' * 64}.json"])
def test_when_a_build_or_a_new_record_can_not_be_read_nothing_is_deleted(store, tmp_path, name):
    put(store, "left", "3")
    age(tmp_path / "store")
    store.put_build(Build("music", [("ramp/1", put(store, "one", "1"))]))
    put(store, "two", "2")
    store.storage.put(name, b"{}", "", immutable=False)
    before = store.storage.entries()
    with pytest.raises(StoreError, match=re.escape(name)):
        collect_store(FolderStore(tmp_path / "store"), delete=True)
    assert store.storage.entries() == before


def test_files_of_others_in_a_store_are_left_alone(store, tmp_path):
    left = put(store, "left", "1")
    for stray in ("builds/.DS_Store", "objects/.DS_Store", "index/11/.DS_Store"):
        (tmp_path / "store" / stray).parent.mkdir(exist_ok=True)
        (tmp_path / "store" / stray).write_bytes(b"mine")
    age(tmp_path / "store")
    assert {name for name, _ in collect_store(store, delete=True).deleted} == names(left)
    assert len([path for path in (tmp_path / "store").rglob(".DS_Store")]) == 3


def test_it_works_in_memory_as_well(site, next_site):
    target = Memory()
    publish(site, target)
    publish(next_site, target)
    assert collect_releases(target, keep=0).deleted == []
    assert collect_releases(target, keep=0, grace=0, delete=True).deleted
    assert verify(target).findings == []
