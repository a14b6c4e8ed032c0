"""The files that builds read, by article."""

import json
import os

import pytest

from report.live.reads import Reads, note_reads


def noted(work, tmp_path) -> list[list[str]]:
    """What a copy of this process notes while it does some work."""
    log = os.open(tmp_path / "log", os.O_RDWR | os.O_CREAT)
    if (child := os.fork()) == 0:
        note_reads(log)
        work()
        os._exit(0)
    os.waitpid(child, 0)
    return [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]


def test_what_is_read_written_and_listed_is_noted_once(tmp_path):
    (tmp_path / "data.txt").write_text("1")

    def work():
        for _ in range(2):
            (tmp_path / "data.txt").read_text()
        (tmp_path / "missing.txt").exists() or (tmp_path / "new.txt").write_text("2")
        os.listdir(tmp_path)

    assert noted(work, tmp_path) == [
        ["", "read", str(tmp_path / "data.txt")],
        ["", "written", str(tmp_path / "new.txt")],
        ["", "listed", str(tmp_path)],
    ]


@pytest.mark.parametrize("look", [os.listdir, os.walk, lambda folder: folder.glob("*")])
def test_a_folder_that_an_author_lists_is_noted_however_that_is_done(tmp_path, look):
    assert noted(lambda: [*look(tmp_path)], tmp_path) == [["", "listed", str(tmp_path)]]


def test_of_a_search_for_modules_their_names_are_noted(tmp_path, monkeypatch):
    (tmp_path / "there.py").write_text("import missing_module")
    monkeypatch.syspath_prepend(tmp_path)

    def work():
        with pytest.raises(ImportError):
            import there  # noqa: F401

    lines = noted(work, tmp_path)
    assert ["", "sought", "there"] in lines and ["", "sought", "missing_module"] in lines
    assert ["", "searched", str(tmp_path)] in lines
    assert not [line for line in lines if line[1] == "listed"]


def test_what_is_installed_is_not_noted(tmp_path):
    def work():
        with open(pytest.__file__) as file:
            file.read()

    assert noted(work, tmp_path) == []


@pytest.fixture
def reads():
    lines = [
        ["a.py", "read", "/work/helper.py"],
        ["a.py", "listed", "/work/sounds"],
        ["b.py", "read", "/work/__pycache__/other.cpython-311.pyc"],
        ["", "read", "/work/page.html"],
        ["a.py", "searched", "/work/package"],
        ["a.py", "sought", "helper"],
        ["b.py", "sought", "absent"],
        ["", "read", "/work/a.py"],
        ["b.py", "written", "/work/sounds/own.wav"],
        ["b.py", "read", "/work/site/manifest.json"],
    ]
    reads = Reads({"/work/a.py": "a.py"}, ("/work/site",))
    reads.add("\n".join(map(json.dumps, lines)).encode())
    return reads


@pytest.mark.parametrize(
    ("path", "came", "touched"),
    [
        ("/work/helper.py", False, {"a.py"}),
        ("/work/other.py", False, {"b.py"}),
        ("/work/page.html", False, {""}),
        ("/work/a.py", False, {"a.py"}),
        ("/work/sounds/new.wav", True, {"a.py"}),
        ("/work/sounds/new.wav", False, set()),  # its name alone was read
        ("/work/sounds/own.wav", True, set()),  # a build made it
        ("/work/site/manifest.json", False, set()),
        ("/work/unread.py", False, set()),
        ("/work/notes.txt", True, set()),
        ("/work/package/absent.py", True, {"b.py"}),
        ("/work/absent", True, {"b.py"}),  # a package
        ("/work/absent.cpython-311-x86_64-linux-gnu.so", True, {"b.py"}),
        ("/work/package/unasked.py", True, set()),
    ],
)
def test_an_edit_touches_the_articles_that_have_read_the_file(reads, path, came, touched):
    assert reads.touched(path, came) == touched


def test_the_folders_of_all_that_is_read_and_no_output(reads):
    assert reads.folders() == {"/work", "/work/sounds", "/work/package"}
