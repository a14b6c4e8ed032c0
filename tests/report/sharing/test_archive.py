"""One zip file that opens by double click and checks itself."""

import json
import random
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from report import MemoryStore, build
from report.errors import SiteError, StoreError
from report.sharing.archive import EARLIEST, export_zip
from report.site import selfcheck

SOURCES = {"experiments/ramps.py": b"print(1)\n", "LICENSE": b"MIT"}


@pytest.fixture
def archive(site, tmp_path):
    export_zip(site, tmp_path / "out" / "ramps.zip", SOURCES)
    return tmp_path / "out" / "ramps.zip"


def flip(data: bytes, place: int, dice: random.Random) -> bytes:
    """Change one bit of the byte at `place`."""
    return data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]


def run(archive: Path) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-I", str(archive)], capture_output=True, text=True)


def test_the_archive_holds_the_site_its_sources_and_how_to_cite_it(site, archive):
    with zipfile.ZipFile(archive) as file:
        members = {name: file.read(name) for name in file.namelist()}
        assert file.namelist() == sorted(members)
    pages = {
        f"site/{path.relative_to(site).as_posix()}": path.read_bytes()
        for path in site.rglob("*")
        if path.is_file()
    }
    sources = {f"source/{name}": data for name, data in SOURCES.items()}
    assert set(members) == {*pages, *sources, "__main__.py", "CITATION.cff", "SHA256SUMS"}
    assert {**members, **pages, **sources} == members
    citation = dict(line.split(": ", 1) for line in members["CITATION.cff"].decode().splitlines())
    assert json.loads(citation["title"]) == "Ramps & <slopes>"
    assert json.loads(citation["cff-version"]) == "1.2.0"
    sha256 = json.loads((site / "manifest.json").read_bytes())["sha256"]
    assert json.loads(citation["identifiers"])[0]["value"] == f"sha256:{sha256}"


def test_the_citation_names_the_authors_and_the_date_that_the_articles_say(tmp_path):
    for name, authors in (("a", '["Ada Example", "Ben: #1"]'), ("b", '"Ada Example"')):
        (tmp_path / f"{name}.py").write_text(
            f'"""{name}"""\nAUTHORS = {authors}\nDATE = "2026-05-01"\n# %%\n1\n'
        )
    build([tmp_path / "a.py", tmp_path / "b.py"], tmp_path / "site", MemoryStore())
    export_zip(tmp_path / "site", tmp_path / "a.zip", {})
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        lines = file.read("CITATION.cff").decode().splitlines()
        page = file.read("site/a.html").decode()
    citation = {name: json.loads(value) for name, value in (line.split(": ", 1) for line in lines)}
    assert citation["authors"] == [{"name": "Ada Example"}, {"name": "Ben: #1"}]
    assert citation["date-released"] == "2026-05-01"
    assert "<time>2026-05-01</time>" in page


def test_unpacked_every_link_leads_to_a_file(archive, tmp_path):
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "unpacked")
    unpacked = tmp_path / "unpacked" / "site"
    for page in ("index.html", "ramps.html"):
        for address in re.findall(r'\b(?:src|href)="([^"#]+)"', (unpacked / page).read_text()):
            assert address == "data:," or (unpacked / address).is_file(), address
    assert run(tmp_path / "unpacked" / "__main__.py").returncode == 0


def test_the_same_site_gives_the_same_bytes(site, archive, tmp_path):
    for path in site.rglob("*"):
        path.touch()
    export_zip(site, tmp_path / "again.zip", dict(reversed(SOURCES.items())))
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()
    with zipfile.ZipFile(archive) as file:
        dates_and_types = {(x.date_time, x.compress_type) for x in file.infolist()}
        assert dates_and_types == {(EARLIEST, zipfile.ZIP_STORED)}


def test_the_archive_checks_itself(site, archive):
    done = run(archive)
    n_files = len([path for path in site.rglob("*") if path.is_file()]) + len(SOURCES) + 3
    assert (done.returncode, done.stdout) == (0, f"{archive}: files checked: {n_files}, wrong: 0\n")


def test_a_changed_byte_in_any_file_is_found_and_named(archive, capsys):
    dice, whole = random.Random(6), archive.read_bytes()
    with zipfile.ZipFile(archive) as file:
        members = file.infolist()
    for member in members:
        start = member.header_offset + 30 + len(member.filename)
        archive.write_bytes(flip(whole, start + dice.randrange(member.file_size), dice))
        assert selfcheck.main([str(archive)]) == 1
        assert f"{member.filename.removeprefix('site/')}: damaged" in capsys.readouterr().out
    archive.write_bytes(whole)
    assert selfcheck.main([str(archive)]) == 0


def test_any_other_changed_byte_makes_no_traceback_and_nothing_wrong_passes(archive, capsys):
    dice, whole = random.Random(7), archive.read_bytes()
    with zipfile.ZipFile(archive) as file:
        contents = {name: file.read(name) for name in file.namelist()}
    start = whole.rindex(b"source/experiments/ramps.py") - 1500
    for place in dice.sample(range(start, len(whole)), 200):
        archive.write_bytes(flip(whole, place, dice))
        if selfcheck.main([str(archive)]) == 0:  # a time or a permission
            with zipfile.ZipFile(archive) as file:
                assert contents == {name: file.read(name) for name in file.namelist()}


def test_a_source_that_is_changed_added_or_taken_away_is_found(archive, tmp_path, capsys):
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        for name in whole.namelist():  # the zip file's own checksums are right
            if name != "CITATION.cff":
                other.writestr(name, whole.read(name).replace(b"print(1)", b"print(2)"))
        other.writestr("source/more.py", b"")
    assert selfcheck.main([str(tmp_path / "other.zip")]) == 1
    problems = dict(line.split(": ")[:2] for line in capsys.readouterr().out.splitlines()[:-1])
    assert problems == {
        "CITATION.cff": "missing",
        "source/experiments/ramps.py": "damaged",
        "source/more.py": "not named by SHA256SUMS",
    }


def test_a_cut_archive_is_found(archive):
    whole = archive.read_bytes()
    for length in (0, 100, len(whole) // 2, len(whole) - 1):
        archive.write_bytes(whole[:length])
        assert selfcheck.main([str(archive)]) == 1


def test_it_is_written_whole_or_not_at_all(site, archive, monkeypatch):
    before = archive.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(
        SiteError, match="cannot write the archive .*ramps.zip: No space left on device"
    ):
        export_zip(site, archive, {})
    assert archive.read_bytes() == before and list(archive.parent.iterdir()) == [archive]


def test_a_site_that_is_not_what_was_built_is_refused(site, tmp_path):
    (site / "ramps.html").unlink()
    with pytest.raises(SiteError, match="is not what was built: ramps.html: missing"):
        export_zip(site, tmp_path / "ramps.zip", {})
    assert not (tmp_path / "ramps.zip").exists()


@pytest.mark.parametrize("name", ["../x", "/x", "a\\..\\x", "a//x", ""])
def test_a_source_can_not_leave_its_folder(site, tmp_path, name):
    with pytest.raises(StoreError, match="is no name"):
        export_zip(site, tmp_path / "ramps.zip", {name: b""})
    assert not (tmp_path / "ramps.zip").exists()
