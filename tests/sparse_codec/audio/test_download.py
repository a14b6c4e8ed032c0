"""Downloads from a server that breaks off, starts again, or sends wrong bytes."""

import hashlib
import io
import re
import tarfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from sparse_codec.__main__ import main
from sparse_codec.audio import download
from sparse_codec.audio.download import DataSet, DownloadError, RemoteFile


class Server(ThreadingHTTPServer):
    """A server of `files`, which notes the range of each request in `ranges`.

    Its first `breaks` answers end after `until` bytes. It heeds ranges if `resumes` is set.
    """

    def __init__(self, files: dict[str, bytes]):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.breaks, self.until, self.resumes = files, 0, 1000, True
        self.ranges = []

    def remote(self, name: str, algorithm: str = "sha256") -> RemoteFile:
        digest = hashlib.new(algorithm, self.files[name]).hexdigest()
        return RemoteFile(f"http://127.0.0.1:{self.server_port}/{name}", algorithm, digest)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        wanted = self.headers.get("Range")
        self.server.ranges.append(wanted)
        data = self.server.files.get(self.path[1:])
        if data is None:
            return self.send_error(404)
        start = 0
        if wanted and self.server.resumes:
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
        if start and start >= len(data):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        end = len(data)
        if self.server.breaks:
            self.server.breaks -= 1
            end = start + self.server.until
        self.wfile.write(data[start:end])

    def log_message(self, *_):
        pass


def archive(**files: bytes) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return data.getvalue()


@pytest.fixture
def server():
    inside = {
        "musicnet/train_data/1.wav": bytes(range(256)) * 20,
        "musicnet/train_labels/1.csv": b"a,b",
    }
    server = Server({"set.tar.gz": archive(**inside), "table.csv": b"id,composer\n"})
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def data_set(server, monkeypatch):
    """The server's archive under MusicNet's name."""
    data_set = DataSet(server.remote("set.tar.gz", "md5"), (server.remote("table.csv"),))
    monkeypatch.setitem(download.DATA_SETS, "musicnet", data_set)
    return data_set


def test_a_data_set_is_downloaded_checked_and_unpacked(tmp_path, data_set, capsys):
    assert main(["data", "musicnet", str(tmp_path / "sets")]) == 0
    there = tmp_path / "sets" / "musicnet"
    assert capsys.readouterr().out == f"{there} is there; train on it with --data {there}\n"
    files = {str(p.relative_to(there)) for p in there.rglob("*") if p.is_file()}
    assert files == {"train_data/1.wav", "train_labels/1.csv", "table.csv"}
    names = [p.name for p in (tmp_path / "sets").iterdir()]
    assert names == ["musicnet"]  # no archive, nothing half done


def test_what_is_there_is_not_downloaded_again(tmp_path, server, data_set):
    for _ in range(2):
        assert main(["data", "musicnet", str(tmp_path)]) == 0
    assert len(server.ranges) == 2  # archive and table, once each


def test_a_download_goes_on_where_the_server_broke_off(tmp_path, server):
    server.files["long"] = bytes(range(256)) * 20
    server.breaks = 3
    download.download(server.remote("long"), tmp_path / "long")
    assert (tmp_path / "long").read_bytes() == server.files["long"]
    assert server.ranges == [None, "bytes=1000-", "bytes=2000-", "bytes=3000-"]


def test_a_later_run_goes_on_where_an_earlier_one_was_killed(tmp_path, server):
    server.files["long"] = bytes(range(256)) * 20
    (tmp_path / "long.part").write_bytes(server.files["long"][:4000])
    download.download(server.remote("long"), tmp_path / "long")
    assert (tmp_path / "long").read_bytes() == server.files["long"]
    assert server.ranges == ["bytes=4000-"]


def test_a_run_killed_after_the_last_byte_has_nothing_to_get(tmp_path, server):
    (tmp_path / "table.csv.part").write_bytes(server.files["table.csv"])
    download.download(server.remote("table.csv"), tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_bytes() == server.files["table.csv"]


def test_a_server_that_can_not_go_on_sends_all_again(tmp_path, server):
    server.files["long"] = bytes(range(256)) * 20
    server.resumes, server.breaks = False, 1
    download.download(server.remote("long"), tmp_path / "long")
    assert (tmp_path / "long").read_bytes() == server.files["long"]


def test_a_server_that_only_breaks_off_is_given_up_and_what_came_is_kept(tmp_path, server):
    server.files["long"] = bytes(5000)
    server.breaks, server.until = 100, 0
    (tmp_path / "long.part").write_bytes(bytes(10))
    with pytest.raises(DownloadError, match="/long: broke off .*; run again, it goes on"):
        download.download(server.remote("long"), tmp_path / "long")
    assert (tmp_path / "long.part").stat().st_size == 10 and not (tmp_path / "long").exists()


def test_wrong_bytes_are_deleted_and_said(tmp_path, server, data_set, capsys):
    server.files["set.tar.gz"] = server.files["set.tar.gz"][::-1]
    assert main(["data", "musicnet", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "set.tar.gz: has the md5" in error and data_set.archive.digest in error
    assert error.count("\n") == 1 and not list(tmp_path.iterdir())


def test_a_file_that_is_not_there_is_said(tmp_path, server, data_set, capsys):
    del server.files["set.tar.gz"]
    assert main(["data", "musicnet", str(tmp_path)]) == 1
    assert "set.tar.gz: the server says 404" in capsys.readouterr().err


def test_a_file_in_the_place_of_the_folder_is_said(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["data", "musicnet", str(tmp_path / "file")]) == 1
    error = capsys.readouterr().err
    assert "file: no folder can be made there (File exists); give another output" in error


def test_no_server_is_said(tmp_path):
    with pytest.raises(DownloadError, match="nothing: broke off"):
        download.download(RemoteFile("http://127.0.0.1:9/nothing", "md5", ""), tmp_path / "nothing")


@pytest.mark.parametrize(
    "content",
    [
        archive(**{"../escaped": b"x"}),
        archive(**{"/escaped": b"x"}),
        archive(a=b"x", b=b"y"),
        b"no archive",
    ],
    ids=["climbs out", "absolute", "two files", "no archive"],
)
def test_an_archive_that_is_not_one_folder_is_refused(tmp_path, content):
    (tmp_path / "place").mkdir()
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises(DownloadError, match="a.tar.gz: .*delete it and run again"):
        download.unpack(tmp_path / "a.tar.gz", tmp_path / "place")
    assert not (tmp_path / "escaped").exists()


def test_the_published_addresses_have_checksums():
    for data_set in download.DATA_SETS.values():
        for file in (data_set.archive, *data_set.others):
            assert file.url.startswith("https://") and re.fullmatch("[0-9a-f]+", file.digest)
            assert len(file.digest) == {"md5": 32, "sha256": 64}[file.algorithm]
