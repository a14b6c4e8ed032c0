"""Publishing replaces one whole site by another, even if something breaks on the way."""

import dataclasses
import hashlib
import http.server
import json
import multiprocessing
import os
import re
import shutil
import signal
import threading
from pathlib import Path

import pytest

from report import FolderStore, build
from report.errors import Missing, SiteError, StoreError
from report.sharing.publish import publish, show_again
from report.site.manifest import read
from report.site.release import entry_page, rebase, release_shown
from report.site.verify import verify
from report.storage.folder import Folder, Memory
from report.storage.interface import Head

NAME = "5" * 64 + ".flac"
SCRIPT = '''"""Two"""
import numpy as np
from report import Compare, Sound, conjure

@conjure
def tone(n: int) -> Sound:
    return Sound(np.linspace(-0.5, 0.5, n), 8000)

# %%
'''


class Recording(Memory):
    """Notes the names that are put. Put number `failing` fails, before or after its work."""

    def __init__(self, failing: int = -1, after: bool = False):
        super().__init__()
        self.names, self.failing, self.after = [], failing, after

    def put(self, name, data, media_type, immutable):
        self.names.append(name)
        if len(self.names) == self.failing and not self.after:
            raise StoreError("the network is down")
        super().put(name, data, media_type, immutable)
        if len(self.names) == self.failing:
            raise StoreError("the network is down")


@pytest.fixture
def serve_media():
    """Serve a storage's media on this machine to pages at the origin `allowed`; returns the URL."""
    servers = []

    def serve(target, allowed: str | None) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802, the library's name
                try:
                    data = target.get(f"media/{self.path.rpartition('/')[2]}")
                except Missing:
                    self.send_error(404)
                    return
                media_type = "audio/flac" if self.path.endswith(".flac") else "image/png"
                self.send_response(206)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Range", f"bytes 0-0/{len(data)}")
                self.send_header("Content-Length", "1")
                if allowed:
                    self.send_header("Access-Control-Allow-Origin", allowed)
                self.end_headers()
                self.wfile.write(data[:1])

            def log_message(self, *_):
                pass

        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=[0.02], daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def shown(place) -> dict[str, bytes]:
    """The entry page, and everything that can be reached from it."""
    index = place.get("index.html")
    inside = f"releases/{release_shown(index)}/"
    manifest = read(place.get(f"{inside}manifest.json"))
    names = ["index.html", f"{inside}manifest.json"]
    names += [name if name.startswith("media/") else inside + name for name in manifest.files]
    return {name: place.get(name) for name in names}


def test_copies_for_pages_on_a_disk_are_not_published(tmp_path):
    script = tmp_path / "two.py"
    script.write_text(SCRIPT + 'Compare("Two", [("A", tone(1), None), ("B", tone(2), None)])')
    build([script], tmp_path / "site", FolderStore(tmp_path / "store"))
    assert list((tmp_path / "site" / "offline").iterdir())
    target = Memory()
    release = publish(tmp_path / "site", target).release
    names = target.entries("")
    assert f"releases/{release}/two.html" in names
    assert not [name for name in names if "offline" in name]
    assert verify(target).findings == []


@pytest.mark.parametrize("base", ["../../media", "https://cdn.example.org/sounds"])
def test_picture_and_sound_that_others_show_of_a_link_move_with_the_media(base):
    text = (
        f'<meta property="og:image" content="media/{NAME}">'
        f'<meta property="og:audio" content="media/{NAME}">'
        f'<meta name="description" content="media/{NAME}">'
        f'<a href="media/{NAME}#t=0.1,0.2&amp;samples=1,2">'
    )
    moved = text.replace('image" content="media', f'image" content="{base}')
    moved = moved.replace('href="media', f'href="{base}')
    assert rebase(text, base) == moved.replace('audio" content="media', f'audio" content="{base}')


def test_what_is_published_are_the_same_pages_with_other_addresses_of_media(site):
    target = Memory()
    published = publish(site, target)
    for name in ("index.html", "ramps.html"):
        page = target.get(f"releases/{published.release}/{name}").decode()
        assert page.replace('"../../media/', '"media/') == (site / name).read_text()
        title = f"media/{'0' * 64}.flac"  # of a sound
        assert set(re.findall(r'="(media/\w+.flac)"', page)) <= {title}
    for name in ("assets/page.css", "assets/sound.js"):
        assert target.get(f"releases/{published.release}/{name}") == (site / name).read_bytes()
    media = {path.name: path.read_bytes() for path in (site / "media").iterdir()}
    sent = {name.removeprefix("media/"): target.get(name) for name in target.entries("media/")}
    assert sent == media
    assert (published.sent, published.kept) == (4, 0) and verify(target).findings == []


def test_the_release_is_named_by_what_it_is(site):
    one, two = Memory(), Memory()
    release = publish(site, one).release
    assert publish(site, two).release == release
    manifest = read(one.get(f"releases/{release}/manifest.json"))
    assert manifest.sha256[:16] == release and manifest.media == "../../media"
    assert shown(one) == shown(two)


def test_media_elsewhere_are_addressed_and_allowed_there(site, serve_media):
    target = Memory()
    origin = serve_media(target, None)
    address = f"{origin}/a/media"
    with_password = f"{address}/".replace("://", "://key:secret@")
    release = publish(site, target, media_url=with_password).release
    manifest = read(target.get(f"releases/{release}/manifest.json"))
    assert manifest.media == address
    page = target.get(f"releases/{release}/ramps.html").decode()
    media = {name.removeprefix("media/") for name in manifest.files if name.startswith("media/")}
    assert set(re.findall(rf'="{address}/([^"]+)"', page)) == media
    policy = re.search(r'Content-Security-Policy"\s+content="([^"]*)"', page)[1]
    assert policy == (
        f"default-src 'self'; img-src 'self' data: {origin}; media-src 'self' blob: {origin}; "
        f"base-uri 'none'; form-action 'none'; connect-src 'self' {origin}"
    )
    assert not [name for name in target.entries() if b"secret" in target.get(name)]


@pytest.mark.parametrize(
    "url", ["ftp://h/m", "cdn.example/media", 'https://h/"onload=x', "https://h/m?x=1", "https://"]
)
def test_an_address_of_media_that_can_not_be_one_is_refused(site, url):
    target = Memory()
    with pytest.raises((SiteError, StoreError)):
        publish(site, target, media_url=url)
    assert "index.html" not in target.entries()


@pytest.mark.parametrize("allowed", ["https://pages.example", "*", "https://other.example", None])
def test_media_that_a_page_elsewhere_could_not_read_keep_the_old_page(
    site, next_site, serve_media, allowed
):
    target = Memory()
    publish(site, target)
    before, url = shown(target), serve_media(target, allowed)
    if allowed in ("https://pages.example", "*"):
        publish(next_site, target, media_url=url, origin="https://pages.example")
        assert shown(target) != before
    else:
        with pytest.raises(
            StoreError, match=f"a page at https://pages.example can not read {url}/.*CORS"
        ):
            publish(next_site, target, media_url=url, origin="https://pages.example")
        assert shown(target) == before
    with pytest.raises(SiteError, match="have their media beside them"):
        publish(next_site, target, origin="https://pages.example")


def test_media_that_nobody_can_read_at_their_address_keep_the_old_page(
    site, next_site, serve_media
):
    target = Memory()
    publish(site, target)
    before, old = shown(target), target.entries()
    with pytest.raises(
        StoreError,
        match="can not read http://.*: HTTP 404; it is not there, or the public address is",
    ):
        publish(next_site, target, media_url=serve_media(Memory(), None))
    assert shown(target) == before and target.entries() == old | target.entries("media/")
    publish(next_site, target, media_url=serve_media(target, None))
    assert shown(target) != before


def test_only_addresses_are_changed_and_no_text_that_looks_like_one():
    page = (
        f'<audio src="media/{NAME}"></audio>'
        f'<p>src=&#34;media/{NAME}&#34; media/{NAME} "media/x.wav"</p>'
    )
    moved = rebase(page, "../../media")
    assert moved == page.replace(f'<audio src="media/{NAME}"', f'<audio src="../../media/{NAME}"')
    index = (
        '<meta charset="utf-8"><a href="a.html">href=&#34;a.html&#34;</a>'
        '<a href="#x"><link href="data:,">'
    )
    release = "f" * 16
    expected = index.replace('href="a.html"', f'href="releases/{release}/a.html"')
    mark = f'"utf-8">\n  <meta name="release" content="{release}">'
    assert entry_page(index, release) == expected.replace('"utf-8">', mark)


def test_every_link_of_a_published_folder_leads_to_a_file(site, tmp_path):
    release = publish(site, Folder(tmp_path / "public")).release
    pages = ("index.html", f"releases/{release}/index.html", f"releases/{release}/ramps.html")
    for page in pages:
        file = tmp_path / "public" / page
        for address in re.findall(r'\b(?:src|href)="([^"#]+)"', file.read_text()):
            leads_to_file = (file.parent / address).resolve().is_file()
            assert address == "data:," or leads_to_file, (page, address)


def test_publishing_again_sends_no_media(site):
    target = Recording()
    publish(site, target)
    before, target.names = shown(target), []
    progress = []
    published = publish(site, target, progress=lambda *counts: progress.append(counts))
    assert (published.sent, published.bytes, published.kept, progress) == (0, 0, 4, [])
    assert not [name for name in target.names if name.startswith("media/")]
    assert shown(target) == before


def test_media_go_first_then_the_release_and_the_entry_page_last(site):
    target = Recording()
    progress = []
    release = publish(site, target, progress=lambda *counts: progress.append(counts)).release
    kinds = [name.split("/")[0] for name in target.names]
    assert kinds == sorted(kinds, key=["media", "releases", "index.html", "ramps.html"].index)
    assert target.names[-3:] == [f"releases/{release}.json", "index.html", "ramps.html"]
    assert target.names.count("index.html") == 1
    assert progress == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert set(json.loads(target.get(f"releases/{release}.json"))) == {"published"}


def test_an_address_of_a_page_stays_and_leads_to_the_newest_release(site, next_site, tmp_path):
    target = Folder(tmp_path / "public")
    old, new = publish(site, target), publish(next_site, target)
    page = target.get("ramps.html").decode()
    assert f'<a href="releases/{new.release}/ramps.html">' in page
    assert f'replace("releases/{new.release}/ramps.html" + location.search' in page
    title = re.search("<title>.*?</title>", (next_site / "ramps.html").read_text())[0]
    assert title in page and verify(target).findings == []
    assert "https://host/pub/ramps.html" in new.addresses("https://host/pub").splitlines()[1]
    assert f"pub/releases/{new.release}/index.html" in new.addresses("https://host/pub")
    show_again(target, old.release)
    assert f'<a href="releases/{old.release}/ramps.html">' in target.get("ramps.html").decode()


def test_somebodys_own_page_is_not_replaced_by_one_that_leads_on(site, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "ramps.html").write_text("<!doctype html>My page")
    with pytest.raises(SiteError, match="has a page ramps.html that was not published here"):
        publish(site, Folder(tmp_path / "home"))
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["ramps.html"]


def test_a_new_release_leaves_the_old_one_and_sends_only_what_is_new(site, next_site):
    target = Memory()
    old = publish(site, target)
    new = publish(next_site, target)
    assert (new.sent, new.kept) == (1, 3) and new.release != old.release
    assert {name for name in target.entries("releases/") if old.release in name}
    assert verify(target).findings == [] and release_shown(target.get("index.html")) == new.release


@pytest.fixture
def few_files(site, next_site):
    """Both sites with one of their many assets, for tests that try each put in turn."""
    for folder in (site, next_site):
        manifest = read((folder / "manifest.json").read_bytes())
        files = dict(manifest.files)
        for asset in [name for name in files if name.startswith("assets/")][1:]:
            del files[asset]
            (folder / asset).unlink()
        manifest = dataclasses.replace(manifest, files=files)
        (folder / "manifest.json").write_bytes(manifest.encode())
    return site, next_site


@pytest.mark.parametrize("after", [False, True], ids=["before it is done", "after it is done"])
def test_an_error_at_any_put_leaves_the_old_site_whole_and_the_next_try_goes_on(few_files, after):
    site, next_site = few_files
    before = Memory()
    publish(site, before)
    whole = copied(before)
    publish(next_site, whole)
    old, new = shown(before), shown(whole)
    for failing in range(1, len(whole.names) + 1):
        target = copied(before)
        target.names, target.failing, target.after = [], failing, after
        with pytest.raises(StoreError, match="the network is down"):
            publish(next_site, target)
        assert target.names == whole.names[:failing]
        first = whole.names.index("index.html") + 1  # from then on, the new release is there
        assert shown(target) == (new if failing >= first + (not after) else old)
        target.names, target.failing = [], -1
        assert publish(next_site, target).sent == (1 if failing == 1 and not after else 0)
        assert shown(target) == new


def copied(storage) -> Recording:
    """A Recording of the same files, which has noted nothing yet."""
    copy = Recording()
    for name in storage.entries():
        copy.put(name, storage.get(name), "", immutable=False)
    copy.names = []
    return copy


class Deadly(Folder):
    """Kills its process at the put with number `at`.

    `moment` is "before" the put, "within" it, between writing and renaming, or "after" it.
    """

    def __init__(self, path: Path, at: int, moment: str):
        super().__init__(path)
        self.left, self.moment = at, moment

    def put(self, *args, **kwargs):
        self.left -= 1
        if self.left == 0 and self.moment == "before":
            die()
        if self.left == 0 and self.moment == "within":
            os.replace = die
        super().put(*args, **kwargs)
        if self.left == 0:
            die()


def leads_to(target) -> str | None:
    """The release to which the page beside the entry page leads."""
    return release_shown(target.get("ramps.html"))


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")
@pytest.mark.parametrize("moment", ["before", "within", "after"])
def test_a_kill_at_any_put_leaves_the_old_site_whole_and_the_next_try_goes_on(
    few_files, tmp_path, moment
):
    site, next_site = few_files
    fork = multiprocessing.get_context("fork")
    publish(site, Folder(tmp_path / "old"))
    memory = Memory()
    publish(next_site, memory)
    old, new = shown(Folder(tmp_path / "old")), shown(memory)
    release = release_shown(memory.get("index.html"))
    n_puts = 0
    while True:
        n_puts += 1
        target = Folder(shutil.copytree(tmp_path / "old", tmp_path / f"public-{n_puts}"))
        deadly = Deadly(target.path, n_puts, moment)
        child = fork.Process(target=publish, args=(next_site, deadly))
        child.start()
        child.join()
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        entered = release_shown(target.get("index.html")) == release
        assert shown(target) == (new if entered else old)
        assert not entered or moment == "after" or leads_to(target) != release
        there = len(target.entries("media/")) - 4
        assert publish(next_site, target).sent == 1 - there
        assert shown(target) == new and verify(target).findings == []
    assert n_puts > len(memory.entries()) - 3  # three media files were there already


def test_media_that_were_cut_off_are_sent_again(site):
    target = Memory()
    publish(site, target)
    name = next(iter(target.entries("media/")))
    whole = target.get(name)
    target.put(name, whole[:-1], "audio/flac", immutable=False)
    assert publish(site, target).sent == 1
    assert target.get(name) == whole


class Server(Memory):
    """States the hash of each file, as most buckets do, or None. Notes the names that are read."""

    def __init__(self, states_hash: bool):
        super().__init__()
        self.states_hash, self.names_read = states_hash, []

    def get(self, name):
        self.names_read.append(name)
        return super().get(name)

    def head(self, name):
        data = super().get(name)
        sha256 = hashlib.sha256(data).hexdigest() if self.states_hash else None
        return Head(len(data), "", sha256, "")


@pytest.mark.parametrize("kind", ["folder", "states hashes", "states none"])
def test_media_that_were_damaged_at_the_target_are_sent_again(site, tmp_path, kind):
    target = Folder(tmp_path / "public") if kind == "folder" else Server(kind == "states hashes")
    publish(site, target)
    name = next(iter(target.entries("media/")))
    whole = target.get(name)
    target.put(name, whole[:-1] + bytes([whole[-1] ^ 1]), "audio/flac", immutable=False)
    again = publish(site, target)
    assert (again.sent, again.kept) == (1, 3) and target.get(name) == whole
    assert publish(site, target).sent == 0


def test_where_the_server_states_hashes_no_media_are_read_back(site):
    target = Server(True)
    publish(site, target)
    target.names_read.clear()
    assert publish(site, target).kept == 4
    assert not [name for name in target.names_read if name.startswith("media/")]


def test_media_that_vanish_on_the_way_stop_it(site):
    class Losing(Memory):
        def put(self, name, data, media_type, immutable):
            if not name.endswith(".png"):
                super().put(name, data, media_type, immutable)

    target = Losing()
    with pytest.raises(StoreError, match=r"media/\w+.png was sent and is not there; publish again"):
        publish(site, target)
    assert "index.html" not in target.entries() and not target.entries("releases/")


def test_a_page_that_reads_back_otherwise_stops_it(site):
    class Careless(Memory):
        def put(self, name, data, media_type, immutable):
            super().put(name, data.replace(b"<main", b"<nain"), media_type, immutable)

    target = Careless()
    with pytest.raises(StoreError, match="does not read back as it was sent"):
        publish(site, target)
    assert "index.html" not in target.entries()


def test_a_site_that_is_not_what_was_built_is_refused(site):
    target = Memory()
    (site / "ramps.html").write_text("<!doctype html>edited")
    with pytest.raises(
        SiteError, match="is not what was built: ramps.html: damaged.*; build it again"
    ):
        publish(site, target)
    assert target.entries() == {}


def test_somebodys_own_index_page_is_not_replaced(site, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "index.html").write_text("<!doctype html>My page")
    for folder in (tmp_path / "home", site):
        with pytest.raises(SiteError, match="has a page index.html that was not published here"):
            publish(site, Folder(folder))
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["index.html"]


def test_hostile_titles_put_no_markup_into_any_page(tmp_path):
    evil = (
        "</title><script>alert(1)</script>"
        '<meta name="release" content="0000000000000000"><a href="x.html">'
    )
    script = tmp_path / "evil.py"
    script.write_text(
        f"'''{evil}\n\n{evil}'''\nfrom report import Data, conjure\n# %%\n'{evil}'.upper()\n"
    )
    build([script], tmp_path / "site", FolderStore(tmp_path / "store"), {evil: evil})
    target = Memory()
    release = publish(tmp_path / "site", target).release
    assert release_shown(target.get("index.html")) == release and verify(target).findings == []
    for name in ("index.html", f"releases/{release}/index.html", f"releases/{release}/evil.html"):
        page = target.get(name).lower()
        assert b"<script>alert" not in page
        assert page.count(b'<meta name="release"') == (name == "index.html")


@pytest.fixture
def two_releases(site, next_site):
    """A place with two releases of which the second is shown, and their IDs."""
    target = Memory()
    return target, publish(site, target).release, publish(next_site, target).release


def test_an_earlier_release_is_shown_again(two_releases):
    target, first, second = two_releases
    seen = []
    assert show_again(target, first[:6], lambda done, total: seen.append((done, total))) == first
    assert release_shown(target.get("index.html")) == first and verify(target).findings == []
    assert seen[-1][0] == seen[-1][1] == len(seen) > 5
    assert show_again(target, second) == second
    assert release_shown(target.get("index.html")) == second


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("media/", b"", "media/.* of release .* is not what was published"),
        ("media/", None, "media/.* of release .* is gone"),
        ("releases/{first}/ramps.html", b"x", "ramps.html of release .* is not what was publ"),
        ("releases/{first}/manifest.json", b"{}", "manifest.json can not be used"),
    ],
)
def test_a_release_that_is_not_whole_is_not_shown_again(two_releases, name, data, words):
    target, first, second = two_releases
    files = read(target.get(f"releases/{first}/manifest.json")).files
    name = name.format(first=first)
    if name == "media/":
        name = next(file for file in files if file.startswith(name))
    target.delete(name)
    if data is not None:
        target.put(name, data, "text/html", immutable=False)
    with pytest.raises(SiteError, match=words):
        show_again(target, first)
    assert release_shown(target.get("index.html")) == second


@pytest.mark.parametrize("start", ["0" * 16, "", "abc"])
def test_a_release_that_is_unknown_is_refused_with_those_there_are(two_releases, start):
    target, first, second = two_releases
    with pytest.raises(SiteError, match=f"no one release '{start}'; there are .*{first} of 20"):
        show_again(target, start)
    with pytest.raises(SiteError, match="there are none"):
        show_again(Memory(), "abcd")
