"""A changed byte is found and its file is named, in a folder, an archive or at an address."""

import ast
import dataclasses
import functools
import http.server
import json
import random
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from report.cli.main import run
from report.cli.program import Articles, Program
from report.errors import SiteError, StoreError
from report.sharing.archive import export_zip
from report.sharing.publish import publish
from report.site import selfcheck
from report.site.manifest import describe, read
from report.site.verify import Verification, verify
from report.storage.addresses import open_storage
from report.storage.folder import Folder, Memory


def names(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def flip(data: bytes, dice: random.Random) -> bytes:
    """Change one bit."""
    place = dice.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]


def write_manifest(site: Path, manifest: dict) -> None:
    """Write a manifest with the right hash of itself."""
    whole = manifest | {"sha256": selfcheck.digest(manifest)}
    (site / "manifest.json").write_bytes(selfcheck.serialise(whole))


def problems_at(place) -> dict[str, str]:
    return {finding.name: finding.wrong for finding in verify(place).findings}


@pytest.fixture
def serve():
    """Serve a folder by HTTP on this machine; returns the address."""
    servers = []

    def serve(folder: Path, types: dict[str, str] | None = None) -> str:
        class Handler(http.server.SimpleHTTPRequestHandler):
            extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | (types or {})

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 64

        servers.append(Server(("127.0.0.1", 0), functools.partial(Handler, directory=folder)))
        threading.Thread(target=servers[-1].serve_forever, args=[0.02], daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def published(site, tmp_path):
    publish(site, Folder(tmp_path / "published"))
    return tmp_path / "published"


def test_a_site_as_it_was_built_has_nothing_wrong(site):
    progress = []
    result = verify(Folder(site), lambda done, total: progress.append((done, total)))
    assert result == Verification(files=len(names(site)))
    assert progress == [(n + 1, result.files - 1) for n in range(result.files - 1)]


def test_a_changed_byte_in_any_file_is_found_and_named(site):
    dice = random.Random(1)
    for name in names(site):
        whole = (site / name).read_bytes()
        for _ in range(4):
            (site / name).write_bytes(flip(whole, dice))
            assert list(problems_at(Folder(site))) == [name]
        (site / name).write_bytes(whole)
    assert problems_at(Folder(site)) == {}


def test_a_changed_byte_in_any_published_file_is_found_and_named(published):
    dice = random.Random(2)
    for name in names(published):
        whole = (published / name).read_bytes()
        for _ in range(4):
            (published / name).write_bytes(flip(whole, dice))
            # No page or file depends on the date of a release.
            is_date = name.count("/") == 1 and name.endswith(".json")
            assert is_date or name in problems_at(Folder(published)), name
        (published / name).write_bytes(whole)
    assert problems_at(Folder(published)) == {}


def test_a_changed_byte_anywhere_in_the_entry_page_is_found(published):
    dice, whole = random.Random(3), (published / "index.html").read_bytes()
    for _ in range(60):
        (published / "index.html").write_bytes(flip(whole, dice))
        assert list(problems_at(Folder(published))) == ["index.html"]


def test_a_release_that_was_changed_and_hashed_anew_is_not_the_one_that_was_published(published):
    (release,) = (path for path in (published / "releases").iterdir() if path.is_dir())
    (release / "assets" / "page.js").write_text("alert(1)")
    manifest = read((release / "manifest.json").read_bytes())
    files = manifest.files | {"assets/page.js": describe("assets/page.js", b"alert(1)")}
    (release / "manifest.json").write_bytes(dataclasses.replace(manifest, files=files).encode())
    assert list(problems_at(Folder(published))) == [f"releases/{release.name}/manifest.json"]


def test_what_is_missing_and_what_does_not_belong_is_named(site, published):
    (site / "assets" / "page.css").unlink()
    (site / "extra.html").write_text("<!doctype html>")
    assert problems_at(Folder(site)) == {
        "assets/page.css": "missing",
        "extra.html": "not named by manifest.json",
    }
    media = sorted((published / "media").iterdir())[0]
    media.unlink()
    (release,) = (path for path in (published / "releases").iterdir() if path.is_dir())
    (release / "extra.js").write_text("")
    assert problems_at(Folder(published)) == {
        f"media/{media.name}": "missing",
        f"releases/{release.name}/extra.js": "not named by manifest.json",
    }


def test_a_file_that_is_not_of_its_type_is_named_even_if_its_hash_is_right(site):
    manifest = json.loads((site / "manifest.json").read_bytes())
    files = manifest["files"]
    picture = next(name for name in files if name.endswith(".png"))
    files[picture]["media_type"] = "audio/flac"
    files["ramps.html"]["media_type"] = "application/json"
    write_manifest(site, manifest)
    findings = problems_at(Folder(site)).items()
    of_another_type = {n for n, wrong in findings if "which the manifest says it is" in wrong}
    assert of_another_type == {picture, "ramps.html"}


def test_a_damaged_manifest_is_named_and_nothing_is_judged_by_it(site):
    (site / "manifest.json").write_text("{}")
    (finding,) = verify(Folder(site)).findings
    message = "manifest.json: manifest.json can not be used: its schema is None"
    assert str(finding).startswith(message)
    (site / "manifest.json").unlink()
    assert list(problems_at(Folder(site))) == ["index.html"]


def test_a_place_without_a_site_is_an_error(tmp_path):
    for place in (Folder(tmp_path / "none"), Memory()):
        with pytest.raises(SiteError, match="there is no site, build one first"):
            verify(place)


def test_a_place_that_fails_is_an_error_and_no_finding(site):
    class Failing(Folder):
        def get(self, name):
            if name.startswith("media/"):
                raise StoreError(f"no permission to read {name}")
            return super().get(name)

    with pytest.raises(StoreError, match="no permission to read media/"):
        verify(Failing(site))


def test_an_archive_is_checked_like_a_folder(site, tmp_path):
    export_zip(site, tmp_path / "site.zip", {"a.py": b"1"})
    assert verify(open_storage(str(tmp_path / "site.zip"))) == verify(Folder(site))
    with (
        zipfile.ZipFile(tmp_path / "site.zip") as whole,
        zipfile.ZipFile(tmp_path / "other.zip", "w") as other,
    ):
        for name in whole.namelist():  # the zip file's own checksums are right
            other.writestr(name, whole.read(name).replace(b"<", b"[", name.endswith("ramps.html")))
    assert list(problems_at(open_storage(str(tmp_path / "other.zip")))) == ["site/ramps.html"]


def test_a_changed_byte_in_an_archive_is_found_and_the_rest_is_checked(site, tmp_path):
    export_zip(site, tmp_path / "site.zip", {})
    whole = (tmp_path / "site.zip").read_bytes()
    dice = random.Random(6)
    with zipfile.ZipFile(tmp_path / "site.zip") as archive:
        members = {x.filename: x for x in archive.infolist() if x.filename.startswith("site/")}
    names = dice.sample([name for name in members if name.endswith((".flac", ".html"))], 2)
    damaged = bytearray(whole)
    for name in names:
        damaged[members[name].header_offset + 30 + len(name) + 25] ^= 1
    (tmp_path / "site.zip").write_bytes(damaged)
    problems = problems_at(open_storage(str(tmp_path / "site.zip")))
    assert set(problems) == set(names)
    assert all(wrong.startswith("damaged: ") for wrong in problems.values())
    damaged[members["site/manifest.json"].header_offset + 60] ^= 1
    (tmp_path / "site.zip").write_bytes(damaged)
    assert list(problems_at(open_storage(str(tmp_path / "site.zip")))) == ["site/manifest.json"]


def test_a_published_address_is_checked_as_readers_see_it(published, serve):
    address = serve(published)
    result = verify(open_storage(address))
    assert result.findings == [] and result.files == verify(Folder(published)).files
    assert "can not be listed" in result.unlisted
    media = sorted((published / "media").glob("*.flac"))[0]
    media.write_bytes(flip(media.read_bytes(), random.Random(4)))
    assert list(problems_at(open_storage(address))) == [f"media/{media.name}"]


def test_a_file_that_is_served_as_another_type_is_named(published, serve):
    place = open_storage(serve(published, {".flac": "application/octet-stream"}))
    assert set(problems_at(place).values()) == {
        "served as application/octet-stream, not audio/flac"
    }
    assert all(name.endswith(".flac") for name in problems_at(place))


def test_media_at_an_address_of_their_own_are_checked_there(site, tmp_path, serve, monkeypatch):
    # The server here can not send parts of files.
    monkeypatch.setattr("report.sharing.publish._check_reading", lambda *_: None)
    target = tmp_path / "published"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    publish(site, Folder(target), media_url=serve(elsewhere))
    shutil.copytree(target / "media", elsewhere, dirs_exist_ok=True)
    assert problems_at(Folder(target)) == {}
    name = sorted(path.name for path in elsewhere.iterdir())[0]
    (elsewhere / name).unlink()
    assert problems_at(Folder(target)) == {name: "missing"}


def test_the_self_check_finds_the_same_with_nothing_but_python(site):
    def run():
        command = [sys.executable, "-I", selfcheck.__file__, str(site)]
        return subprocess.run(command, capture_output=True, text=True)

    done = run()
    assert done.returncode == 0
    assert done.stdout == f"{site}: files checked: {len(names(site))}, wrong: 0\n"
    (site / "assets" / "page.js").unlink()
    (site / "extra.txt").write_text("x")
    (site / "ramps.html").write_bytes(flip((site / "ramps.html").read_bytes(), random.Random(5)))
    done = run()
    assert done.returncode == 1
    problems = [line.partition(": ")[::2] for line in done.stdout.splitlines()[:-1]]
    assert [(name, wrong.partition(":")[0]) for name, wrong in problems] == [
        ("assets/page.js", "missing"),
        ("extra.txt", "not named by manifest.json"),
        ("ramps.html", "damaged"),
    ]
    assert dict(problems) == problems_at(Folder(site))


def test_the_self_check_imports_nothing_but_the_standard_library():
    tree = ast.parse(Path(selfcheck.__file__).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    roots = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    roots |= {node.module.partition(".")[0] for node in imports if isinstance(node, ast.ImportFrom)}
    assert roots <= sys.stdlib_module_names


def test_a_hostile_manifest_makes_nobody_read_outside_the_site(site, capsys):
    secret = site.parent / "secret.html"
    secret.write_text("<!doctype html>")
    manifest = json.loads((site / "manifest.json").read_bytes())
    manifest["files"]["../secret.html"] = manifest["files"]["ramps.html"]
    write_manifest(site, manifest)
    (finding,) = verify(Folder(site)).findings
    assert "'../secret.html' is no name" in finding.wrong
    assert selfcheck.main([str(site)]) == 1
    assert "../secret.html: missing" in capsys.readouterr().out


@pytest.mark.parametrize("text", [b"", b"{}", b"[" * 100_000, b'{"schema":2}'])
def test_the_self_check_says_of_anything_else_that_it_is_no_site(tmp_path, text, capsys):
    assert selfcheck.main([str(tmp_path)]) == 1
    (tmp_path / "manifest.json").write_bytes(text)
    assert selfcheck.main([str(tmp_path)]) == 1
    assert "manifest.json: damaged" in capsys.readouterr().out
    (tmp_path / "a.zip").write_bytes(text)
    assert selfcheck.main([str(tmp_path / "a.zip")]) == 1


def test_the_address_of_a_site_is_printed_as_a_browser_takes_it(published, serve, capsys):
    published.rename(published.parent / "my site")
    address = serve(published.parent)
    program = Program("report", "report", "", lambda parser: None, lambda args: Articles([]))
    assert run(program, ["verify", f"{address}/my site"]) == 0
    assert capsys.readouterr().out.startswith(f"{address}/my%20site: ")
