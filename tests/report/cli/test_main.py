"""`python -m report` as its users run it."""

import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ARTICLE = '''"""Tones"""
import numpy as np
from report import Player, Sound, conjure

@conjure
def beep(n: int) -> Sound:
    return Sound(np.linspace(-0.5, 0.5, n), 8000)

# %%
[Player(beep(n), f"{n}") for n in (100, 200)]
'''
SLOW = '''"""Slow"""
import time
import zipfile
from pathlib import Path
from report import Data, conjure

@conjure
def number(n: int) -> Data:
    if Path("wait").exists():
        Path("begun").touch()
        time.sleep(60)
    return Data(n)

# %%
[number(n).value for n in (1, 2)]
'''


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mine.py").write_text(ARTICLE)
    return tmp_path


@pytest.fixture
def report(folder):
    def run(*arguments):
        return subprocess.run(
            _command(arguments), cwd=folder, env=_environment(), capture_output=True, text=True
        )

    return run


@pytest.fixture
def built(report):
    process = report("build", "mine.py")
    assert process.returncode == 0, process.stderr
    return report


def _command(arguments):
    return [sys.executable, "-m", "report", *map(str, arguments)]


def _environment():
    return os.environ | {"PYTHONPATH": str(ROOT)}


def error(process):
    """Return the one line that a command fails with."""
    assert process.returncode == 1 and process.stderr.startswith("error: "), process.stderr
    assert process.stderr.count("\n") == 1
    return process.stderr


def usage_error(process):
    assert process.returncode == 2 and "Traceback" not in process.stderr, process.stderr
    return process.stderr


def test_scripts_and_names_stand_in_any_order(built):
    answer = built("why", "mine/beep/1", "mine.py").stdout
    assert "mine/beep/1 is fresh" in answer
    assert built("why", "mine.py", "mine/beep/1").stdout == answer
    assert "give one name, not beep and more" in usage_error(
        built("why", "beep", "mine.py", "more")
    )
    assert "say which artifact" in usage_error(built("why", "mine.py"))


def test_a_script_lists_the_artifacts_of_its_article(built, folder):
    (folder / "other.py").write_text(ARTICLE)
    built("build", "other.py")
    assert "2 of 2 artifacts of 1 articles" in built("ls", "mine.py").stdout
    assert "1 of 2 artifacts of 1 articles" in built("ls", "mine.py", "beep/2").stdout
    assert "4 of 4 artifacts of 2 articles" in built("ls").stdout
    assert "missing.py was not built with the store at .artifacts" in error(
        built("ls", "missing.py")
    )


@pytest.mark.parametrize("command", [["build"], ["plan"], ["why", "beep"], ["reproduce"], []])
def test_a_script_that_does_not_exist_is_named(report, command):
    assert "there is no article script missing.py" in error(report(*command, "missing.py"))


def test_a_folder_and_a_notebook_are_told_from_scripts(report, folder):
    (folder / "scripts").mkdir()
    (folder / "mine.ipynb").write_text("{}")
    assert "scripts is a folder; give article scripts" in error(report("build", "scripts"))
    message = error(report("build", "mine.ipynb"))
    assert "mine.ipynb is a notebook; make a script of it: jupytext --to py:percent" in message
    (folder / "mine.txt").write_text((folder / "mine.py").read_text())
    message = error(report("build", "mine.txt"))
    assert "mine.txt is no Python script by its name; rename it mine.py" in message


def test_a_mistyped_command_is_wrong_usage(report):
    message = usage_error(report("biuld", "mine.py"))
    assert "biuld" in message and all(
        f"'{command}'" in message for command in ("build", "plan", "why", "gc")
    )


def test_build_is_what_is_done_if_nothing_else_is_said(report, folder):
    assert report("mine.py").returncode == 0 and (folder / "site" / "mine.html").exists()
    assert (
        report("--out", "other", "mine.py").returncode == 0
        and (folder / "other" / "mine.html").exists()
    )


def test_forcing_what_does_not_exist_is_an_error_and_leaves_the_site(built, folder):
    before = (folder / "site").stat()
    assert "--force nothing: no artifact is called that" in error(
        built("build", "mine.py", "--force", "nothing")
    )
    assert os.path.samestat((folder / "site").stat(), before)
    assert "artifacts computed: 1 " in built("build", "mine.py", "--force", "beep/2").stdout


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_a_target_keeps_one_release_or_more(report, number):
    assert f"--keep: '{number}' is not 1 or more" in usage_error(
        report("gc", "--target", "public", f"--keep={number}")
    )


def test_an_archive_is_not_written_into_the_site_that_it_holds(built, folder):
    message = error(built("export", "--zip", "site/media/site.zip"))
    assert "site/media/site.zip would lie in the site itself" in message
    assert not list(folder.glob("site/**/*.zip"))
    assert built("export", "--zip", "site.zip").returncode == 0


def test_a_folder_whose_name_is_no_utf_8_is_printed(report, folder):
    done = report("build", "mine.py", "--out", os.fsdecode(b"s\xe9"))
    assert done.returncode == 0, done.stderr
    assert r"s\udce9: pages: 1" in done.stdout and "s%E9/index.html" in done.stdout


def test_an_archive_has_the_modules_that_its_articles_import(report, folder):
    (folder / "helper.py").write_text("LEVEL = 0.5\n")
    (folder / "mine.py").write_text(ARTICLE.replace("import numpy", "import helper\nimport numpy"))
    assert report("build", "mine.py").returncode == 0
    assert report("export", "mine.py", "--zip", "site.zip").returncode == 0
    with zipfile.ZipFile(folder / "site.zip") as archive:
        sources = [name for name in archive.namelist() if name.startswith("source/")]
        assert sources == ["source/helper.py", "source/mine.py"]
        archive.extractall(folder / "unpacked")
    # It can be built from the archive alone.
    out = folder / "again"
    done = report("build", folder / "unpacked" / "source" / "mine.py", "--out", out)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [["ls"], ["gc"], ["gc", "--delete"]])
def test_a_store_that_does_not_exist_is_said_to(report, folder, command):
    (folder / "photos" / "objects").mkdir(parents=True)
    for store in ("nowhere", "photos"):
        message = error(report(*command, "--store", store))
        assert f"no article was built with a store at {store}" in message
    assert not (folder / "nowhere").exists()


def test_the_documented_article_builds(report, folder):
    section = (ROOT / "docs" / "articles.md").read_text().split("## Your own article")[1]
    (folder / "my_article.py").write_text(re.search(r"```python\n(.*?)```", section, re.DOTALL)[1])
    process = report("build", "my_article.py")
    assert "artifacts computed: 2 " in process.stdout, process.stderr
    assert "1.5 times as high" in (folder / "site" / "my_article.html").read_text()


def test_modules_beside_a_script_are_found_and_are_part_of_the_key(report, folder):
    (folder / "articles").mkdir()
    helper = folder / "articles" / "tones_helper.py"
    helper.write_text("def level():\n    return 0.5\n")
    script = ARTICLE.replace("import numpy", "import tones_helper\nimport numpy").replace(
        "0.5, n", "tones_helper.level(), n"
    )
    (folder / "articles" / "mine.py").write_text(script)
    process = report("build", "articles/mine.py")
    assert process.returncode == 0, process.stderr
    helper.write_text("def level():\n    return 0.25\n")
    assert (
        "line 2 of tones_helper.py changed, in level" in report("plan", "articles/mine.py").stdout
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", ["build", "reproduce"])
def test_an_interrupted_command_ends_with_one_line_and_leaves_what_was_there(
    report, folder, command, number, code
):
    (folder / "slow.py").write_text(SLOW)
    assert report("build", "slow.py").returncode == 0
    (folder / "wait").touch()
    # `build` has other calls to compute; `reproduce` takes what was built before.
    (folder / "other.py").write_text(SLOW.replace("(1, 2)", "(3, 4)"))
    before = sorted(folder.glob(".site*")), (folder / "site").stat().st_ino
    script = {"build": "other.py", "reproduce": "slow.py"}[command]
    status, message = interrupted(folder, number, command, script)
    assert status == code
    assert (
        message == "interrupted; what was computed is kept, and the next run goes on from there\n"
    )
    assert (sorted(folder.glob(".site*")), (folder / "site").stat().st_ino) == before


def interrupted(folder, number, *arguments):
    """Return exit code and stderr of a command that gets a signal, as from a terminal, midway."""
    process = subprocess.Popen(
        _command(arguments),
        cwd=folder,
        env=_environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Jobs in the background ignore this signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while (
        not (folder / "begun").exists() and process.poll() is None and time.monotonic() < deadline
    ):
        time.sleep(0.05)
    os.killpg(process.pid, number)
    # This ends when every process that writes there does, and SLOW sleeps for longer.
    _, message = process.communicate(timeout=30)
    return process.returncode, message
