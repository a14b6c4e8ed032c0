"""`new` writes an article that builds, and refuses what would not."""

import subprocess
import sys

import pytest


@pytest.fixture
def report(tmp_path):
    """Run a command of python -m report in a folder of its own."""

    def run(*words):
        command = [sys.executable, "-m", "report", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    return run


def test_a_new_article_builds_at_once_and_takes_parameters(report, tmp_path):
    made = report("new", "first", "--title", "My <first> page")
    assert made.returncode == 0 and made.stdout.endswith("python -m report build first.py\n")
    assert (tmp_path / "first.py").read_text().startswith('"""My <first> page\n')
    built = report("build", "first.py", "--set", "SECONDS=0.1", "--jobs", "1")
    assert built.returncode == 0, built.stderr
    page = (tmp_path / "site" / "first.html").read_text()
    assert "My &lt;first&gt; page" in page and "SECONDS = 0.1" in page
    assert page.count('class="player') >= 2
    wrong = report("build", "first.py", "--set", "SECOND=1")
    assert wrong.returncode == 1 and "is it SECONDS (float)?" in wrong.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["there"], "there.py is there already"),
        (["my article"], "'my article' is no name for an article"),
        (["index.py"], "'index' is no name"),
        (["fine", "--title", 'a "b"'], "can not stand in a docstring"),
        (["no/folder/fine"], "No such file"),
    ],
)
def test_what_can_be_no_article_is_refused(report, tmp_path, words, message):
    (tmp_path / "there.py").write_text("")
    done = report("new", *words)
    assert done.returncode == 1 and message in done.stderr and done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["there.py"]
