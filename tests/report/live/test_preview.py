"""`python -m report serve`: what it builds at an edit, what it sends, and how it ends."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ARTICLE = '''"""TITLE"""
import time
from pathlib import Path
from report import Data, conjure
from helper import number

@conjure
def value() -> Data:
    if number() < 0:
        Path("begun").touch()
        time.sleep(60)
    return Data(number())

# %% [markdown]
# The number is {{ value().value }}.
'''


class Served:
    """The command in a folder, with its output so far."""

    def __init__(self, folder, *arguments):
        self.folder = folder
        self._log = open(folder / "log", "w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "report", "serve", *arguments],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def output(self) -> str:
        return (self.folder / "log").read_text()

    def wait(self, pattern: str, times: int = 1) -> None:
        self.wait_for(lambda: len(re.findall(pattern, self.output())) >= times)

    def wait_for(self, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline and self.process.poll() is None, self.output()
            time.sleep(0.02)

    def get(self, name: str, **headers: str):
        address = re.search(r"open (http://[^/]+)/", self.output())[1]
        return urllib.request.urlopen(urllib.request.Request(f"{address}/{name}", headers=headers))

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._log.close()


@pytest.fixture
def folder(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(ARTICLE.replace("TITLE", name))
    (tmp_path / "two.py").write_text('"""two"""\n# %% [markdown]\n# Nothing.\n')
    (tmp_path / "helper.py").write_text("def number():\n    return 1\n")
    return tmp_path


@pytest.fixture
def serve(folder):
    opened = []

    def serve(*arguments):
        opened.append(Served(folder, *arguments))
        return opened[-1]

    yield serve
    for each in opened:
        each.close()


BUILT = r"site: pages: \d"


def test_an_edit_builds_the_articles_that_it_touches(serve, folder):
    served = serve("one.py", "two.py", "--port", "0")
    served.wait(BUILT)
    (folder / "helper.py").write_text("def number():\n    return 2\n")
    served.wait(r"pages: 1, .* computed: 1 .*\nkept as they were: two", 1)
    assert "The number is 2." in served.get("one.html").read().decode()
    (folder / "two.py").write_text('"""two"""\n# %% [markdown]\n# Some.\n')
    served.wait(r"pages: 1, .* computed: 0 .*\nkept as they were: one", 1)
    assert "Some." in served.get("two.html").read().decode()


def test_a_file_that_no_article_asks_for_builds_nothing(serve, folder):
    served = serve("one.py", "--port", "0")
    served.wait(BUILT)
    (folder / "helper.py").write_text("def number():\n    return 2\n")
    served.wait(BUILT, 2)  # since there is a site now, Python has looked for modules again
    for name in ("notes.txt", "third.py", ".one.py.swp"):
        (folder / name).write_text("")
    (folder / "new folder").mkdir()
    time.sleep(0.5)  # more than the watcher waits
    (folder / "helper.py").write_text("def number():\n    return 3\n")
    served.wait("computed: 1", 3)
    assert len(re.findall(BUILT, served.output())) == 3


def test_an_edit_ends_a_build_of_what_was_before(serve, folder):
    (folder / "helper.py").write_text("def number():\n    return -1\n")
    served = serve("one.py", "--port", "0")
    served.wait_for((folder / "begun").exists)
    (folder / "helper.py").write_text("def number():\n    return 3\n")
    served.wait(BUILT)
    assert "The number is 3." in served.get("one.html").read().decode()


def test_an_article_that_fails_at_first_is_shown_when_it_is_mended(serve, folder):
    (folder / "two.py").write_text('"""two"""\n# %%\nmissing\n')
    served = serve("two.py", "--port", "0")
    served.wait("error: two.py, cell 2, line 3: NameError")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        served.get("two.html")
    (folder / "two.py").write_text('"""two"""\n# %%\n"there"\n')
    served.wait(BUILT)
    assert served.get("two.html").status == 200


def test_a_module_that_was_missing_is_found_when_it_comes(serve, folder):
    (folder / "helper.py").rename(folder / "later")
    served = serve("one.py", "--port", "0")
    served.wait("ModuleNotFoundError: No module named 'helper'")
    (folder / "later").rename(folder / "helper.py")
    served.wait(BUILT)


def test_parts_of_files_are_sent_and_the_script_is_in_pages_only(serve, folder):
    served = serve("two.py", "--port", "0", "--out", "pages")
    served.wait(r"pages: pages: 1")
    part = served.get("assets/page.css", Range="bytes=2-5")
    assert part.status == 206
    assert part.read() == (folder / "pages/assets/page.css").read_bytes()[2:6]
    assert b"/_live/reload.js" in served.get("two.html").read()
    assert b"/_live/reload.js" in served.get("").read()
    for file in (folder / "pages").rglob("*"):
        assert file.is_dir() or b"_live" not in file.read_bytes()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        served.get("%2e%2e/two.py")
    with pytest.raises(urllib.error.HTTPError, match="400"):  # a page elsewhere that asks by DNS
        served.get("two.html", Host="example.org")


@pytest.mark.parametrize("busy", [False, True], ids=["waiting", "building"])
def test_ctrl_c_ends_all_of_it_within_two_seconds(serve, folder, busy):
    if busy:
        (folder / "helper.py").write_text("def number():\n    return -1\n")
    served = serve("one.py", "--port", "0")
    served.wait_for((folder / "begun").exists) if busy else served.wait(BUILT)
    time.sleep(0.2)
    os.killpg(served.process.pid, signal.SIGINT)
    before = time.monotonic()
    assert served.process.wait(30) == 130
    while _members(served.process.pid):
        assert time.monotonic() < before + 30
        time.sleep(0.02)
    assert time.monotonic() - before < 2


def _members(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_is_wrong_at_the_start_ends_it(serve, folder):
    served = serve("missing.py", "--port", "0")
    assert served.process.wait(60) == 1
    assert served.output() == "error: there is no article script missing.py\n"
    served = serve("two.py", "--port", "99999")
    assert served.process.wait(60) == 1
    assert "choose another with --port" in served.output()
    served = serve()
    assert served.process.wait(60) == 2
    assert served.output().endswith("serve: error: give at least one article script\n")
