"""Storages in a folder, in memory, on the web and in an archive; tests/s3 is about buckets."""

import functools
import http.server
import os
import threading
import time
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report.errors import Missing, StoreError
from report.sharing.browser_access import check_reading
from report.storage.addresses import open_storage
from report.storage.folder import Folder, Memory, write_whole
from report.storage.interface import check_name, check_url
from report.storage.transfer import each
from report.storage.web import Web, Zip


@pytest.fixture(params=["folder", "memory"])
def storage(request, tmp_path):
    return Folder(tmp_path / "store") if request.param == "folder" else Memory()


def test_what_is_put_is_read_listed_exported_and_deleted(storage, tmp_path):
    with pytest.raises(Missing, match="media/a.wav"):
        storage.get("media/a.wav")
    before = time.time()
    for name in ("media/b.wav", "media/a.wav", "index.html"):
        storage.put(name, name.encode(), "text/plain", immutable=False)
    assert storage.get("media/a.wav") == b"media/a.wav"
    assert list(storage.entries()) == ["index.html", "media/a.wav", "media/b.wav"]
    assert list(storage.entries("media/a")) == ["media/a.wav"]
    assert storage.entries("nothing/") == {}
    entry = storage.entries()["media/a.wav"]
    assert entry.bytes == 11 and abs(entry.modified - before) < 60
    storage.export("media/a.wav", tmp_path / "a.wav")
    assert (tmp_path / "a.wav").read_bytes() == b"media/a.wav"
    storage.delete("media/a.wav")
    storage.delete("media/a.wav")
    for read in (storage.get, lambda name: storage.export(name, tmp_path / "b.wav")):
        with pytest.raises(Missing, match="media/a.wav"):
            read("media/a.wav")


def test_what_is_there_is_replaced(storage):
    for data in (b"one", b"two"):
        storage.put("builds/music.json", data, "application/json", immutable=False)
        assert storage.get("builds/music.json") == data


def test_what_is_immutable_is_not_written_again_unless_it_is_damaged(tmp_path):
    storage = Folder(tmp_path)
    storage.put("objects/a.wav", b"sound", "audio/wav", immutable=True)
    written = (tmp_path / "objects/a.wav").stat().st_mtime_ns
    storage.put("objects/a.wav", b"sound", "audio/wav", immutable=True)
    assert (tmp_path / "objects/a.wav").stat().st_mtime_ns == written
    (tmp_path / "objects/a.wav").write_bytes(b"soun")
    storage.put("objects/a.wav", b"sound", "audio/wav", immutable=True)
    assert storage.get("objects/a.wav") == b"sound"


HOSTILE = [
    "",
    "/",
    ".",
    "..",
    "../a",
    "a/../b",
    "a//b",
    "/a",
    "a/",
    "a\\b",
    "a\0b",
    "a\nb",
    "C:a",
    ".hidden",
    "a.",
    "a ",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_could_lead_elsewhere_are_refused(storage, name, tmp_path):
    for use in (
        lambda: storage.get(name),
        lambda: storage.put(name, b"", "text/plain", immutable=False),
        lambda: storage.export(name, tmp_path / "out"),
    ):
        with pytest.raises(StoreError) as caught:
            use()
        assert not isinstance(caught.value, Missing) and "is no name for something stored" in str(
            caught.value
        )
    assert list(tmp_path.rglob("*")) == []


@given(st.text(alphabet="aZ09._+- /\\\0\n:~é", max_size=12))
def test_a_name_that_is_accepted_stays_inside(name):
    try:
        check_name(name)
    except StoreError:
        return
    inside = os.path.normpath(os.path.join("/store", name))
    assert inside == f"/store/{name}" and "\\" not in name


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    storage = Folder(tmp_path)
    storage.put("a", b"old", "text/plain", immutable=False)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(StoreError, match=f"cannot write to {tmp_path}: No space left on device"):
        storage.put("a", b"new", "text/plain", immutable=False)
    assert [path.name for path in tmp_path.iterdir()] == ["a"] and storage.get("a") == b"old"


def test_readers_never_see_half_a_file(tmp_path):
    storage, texts = Folder(tmp_path), [bytes([number]) * 100_000 for number in range(8)]
    storage.put("a", texts[0], "text/plain", immutable=False)
    seen = each(
        lambda text: (storage.put("a", text, "text/plain", immutable=False), storage.get("a"))[1],
        10 * texts,
        4,
    )
    assert all(data in texts for _, data in seen)


def test_what_is_being_written_is_not_listed(tmp_path):
    storage = Folder(tmp_path)
    write_whole(tmp_path / "a", b"")
    (tmp_path / "b.unfinished").write_bytes(b"half")
    assert list(storage.entries()) == ["a"]


def test_a_folder_that_can_not_be_read_is_an_error_and_not_a_miss(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(StoreError, match="cannot read .*/a: Is a directory") as caught:
        Folder(tmp_path).get("a")
    assert not isinstance(caught.value, Missing)


# ---- many at a time


def test_many_at_a_time_do_all_and_the_first_failure_stops_the_rest():
    assert dict(each(lambda n: n * n, range(50), 8)) == {n: n * n for n in range(50)}
    begun = []

    def work(number: int) -> None:
        begun.append(number)
        time.sleep(0.01)
        if number == 3:
            raise StoreError("third")

    with pytest.raises(StoreError, match="third"):
        list(each(work, range(500), 4))
    assert len(begun) < 50


# ---- what can only be read


@pytest.fixture
def site(tmp_path):
    """A folder that is served, and its address."""
    folder = tmp_path / "site"
    (folder / "media").mkdir(parents=True)
    (folder / "media/a b+c.wav").write_bytes(b"sound" * 100)
    (folder / "index.html").write_text("<!doctype html>")
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(quiet, directory=folder)
    ) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_published_site_is_read_by_name(site, tmp_path):
    folder, url = site
    web = open_storage(f"{url}/")
    assert isinstance(web, Web) and web.address == url
    assert web.get("media/a b+c.wav") == b"sound" * 100
    head = web.head("index.html")
    assert (head.bytes, head.media_type, head.sha256) == (15, "text/html", None)
    web.export("index.html", tmp_path / "copy.html")
    assert (tmp_path / "copy.html").read_bytes() == (folder / "index.html").read_bytes()
    for look in (web.get, web.head):
        with pytest.raises(Missing, match=f"cannot read {url}/media/b.wav: HTTP 404"):
            look("media/b.wav")


def test_a_server_that_does_not_know_head_is_asked_with_get(tmp_path):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802, the library's name
            self.send_response(200)
            self.send_header("Content-Type", "audio/wav")
            self.send_header("Content-Length", "5000")
            self.end_headers()
            self.wfile.write(bytes(5000))

        def log_message(self, *_):
            pass

    for answer in (501, 405):  # the first is the library's
        if answer == 405:
            Handler.do_HEAD = lambda self: self.send_error(405)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, args=(0.01,)).start()
            head = Web(f"http://127.0.0.1:{server.server_port}").head("a.wav")
            server.shutdown()
        assert (head.bytes, head.media_type) == (5000, "audio/wav")


def test_an_archive_is_read_by_name(tmp_path):
    file = tmp_path / "site.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("site/index.html", "<!doctype html>")
        archive.mkdir("site/media")
        archive.writestr("__main__.py", "pass")
    storage = open_storage(str(file))
    assert isinstance(storage, Zip) and list(storage.entries()) == [
        "__main__.py",
        "site/index.html",
    ]
    assert storage.get("site/index.html") == b"<!doctype html>" and storage.entries("site/")
    with pytest.raises(Missing, match="site/a.wav is not in .*site.zip"):
        storage.get("site/a.wav")
    data = bytearray(file.read_bytes())
    data[data.index(b"<!doctype")] ^= 1
    file.write_bytes(data)
    with pytest.raises(StoreError, match="cannot read site/index.html in .*site.zip: Bad CRC"):
        Zip(file).get("site/index.html")


@pytest.mark.parametrize("content", [None, b"", b"not an archive"])
def test_what_is_no_archive_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "site.zip").write_bytes(content)
    with pytest.raises(
        StoreError, match="cannot read the archive .*site.zip: (No such file|File is not a zip)"
    ):
        open_storage(str(tmp_path / "site.zip"))


def test_sites_and_archives_can_not_be_written(site, tmp_path):
    with zipfile.ZipFile(tmp_path / "site.zip", "w"):
        pass
    for storage in (Web(site[1]), Zip(tmp_path / "site.zip")):
        for change in (
            lambda s: s.put("a", b"", "text/plain", immutable=True),
            lambda s: s.delete("a"),
        ):
            with pytest.raises(StoreError, match="can only be read; give a folder or a bucket"):
                change(storage)
    with pytest.raises(StoreError, match="can not be listed"):
        Web(site[1]).entries()


def test_a_server_that_ignores_ranges_is_found_out(site):
    _, url = site
    with pytest.raises(
        StoreError, match="the server ignores ranges .HTTP 200, not 206.*serve it from elsewhere"
    ):
        check_reading(f"{url}/index.html", url, 15, "text/html")


def test_a_site_that_is_not_served_is_named_without_credentials():
    with pytest.raises(
        StoreError, match="cannot read http://127.0.0.1:9/index.html: nothing answers there"
    ) as caught:
        open_storage("http://me:secret@127.0.0.1:9").get("index.html")
    assert "secret" not in str(caught.value)


# ---- addresses


def test_a_path_is_a_folder(tmp_path):
    storage = open_storage(str(tmp_path / "not there yet"))
    assert isinstance(storage, Folder) and storage.entries() == {}


def test_the_address_of_a_page_stands_for_the_place_it_is_in(site, tmp_path):
    folder, url = site
    assert open_storage(str(folder / "index.html")).address == str(folder)
    assert open_storage((folder / "index.html").as_uri()).address == str(folder)
    assert open_storage(folder.as_uri()).address == str(folder)
    for page in ("/index.html", "/index.html?x=1#clip=2", "/#top", "/?", ""):
        assert open_storage(url + page).address == url
    assert open_storage("https://host.html").address == "https://host.html"
    assert open_storage("https://host/a.html/index.html").address == "https://host/a.html"
    (tmp_path / "my site.zip").mkdir()
    assert isinstance(open_storage(str(tmp_path / "my site.zip")), Folder)
    to_be_made = open_storage(str(tmp_path / "new.html"))
    assert to_be_made.address == str(tmp_path / "new.html")


@pytest.mark.parametrize(
    ("url", "quoted"),
    [
        ("http://host/my site/", "http://host/my%20site"),
        ("http://host/my%20site", "http://host/my%20site"),
        ("https://host:80/é+(1)~a", "https://host:80/%C3%A9+(1)~a"),
        ("https://host/%E3%81%82/[x]", "https://host/%E3%81%82/%5Bx%5D"),
    ],
)
def test_urls_are_quoted_once(url, quoted):
    assert check_url(url) == quoted == check_url(quoted)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "'' is no place"),
        ("file://other/site", "'file://other/site' is on another computer"),
        ("http://[host/site", "no address of a server"),
        ("ftp://host/a", "give a folder, s3://bucket/prefix, https://site or archive.zip"),
        ("ftp://me:secret@host/a", "'ftp://host/a' is no place"),
        ("s3://", "names no bucket; write s3://bucket/prefix"),
        ("s3:///prefix", "names no bucket"),
        ("s3://Upper/prefix", "names no bucket"),
        ("s3://me:sec/secret@bucket/prefix", "'s3://bucket/prefix' names no bucket"),
        ("s3://bucket/../other", "no name"),
        ("s3://bucket/a//b", "no name"),
        ("http://", "no address of a server"),
        ("https://me:sec/secret@host", "'https://host' is no address of a server"),
    ],
)
def test_what_is_no_address_is_said_to_be_none(address, words):
    with pytest.raises(StoreError, match=words) as caught:
        open_storage(address)
    assert "secret" not in str(caught.value)


def test_an_endpoint_is_a_web_address():
    for wrong in ("localhost:8333", "s3://bucket", "http://host:port", "http://host:0"):
        with pytest.raises(StoreError, match="is no address of a server; write http://host:port"):
            open_storage("s3://bucket/prefix", endpoint_url=wrong)
    assert check_url("http://me:secret@host:8333/") == "http://host:8333"
