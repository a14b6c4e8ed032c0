"""The page's scripts: typed, formatted, short enough to read, and without circles."""

import re
import shutil
import subprocess
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from rjsmin import jsmin

from report.article.page import SINGLE_SCRIPTS, assets
from report.article.templates import templates_folder

HERE = Path(__file__).parent
FOLDERS = [
    "sound",
    "page",
    "compare",
    "blind",
    "film",
    "roll",
    "listening",
]  # each may use those before
SCRIPTS = sorted((templates_folder() / "scripts").glob("*/*.js"))
LONGEST = 250  # lines
NAME = re.compile(r"^const (\w+) = \(\(\) => \{$", re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
OWN = re.compile(r"\b(?:const|let|function) (\w+)")  # names that hide those of other scripts


@pytest.fixture(scope="session")
def npm():
    """Run one of the scripts in package.json."""
    program = shutil.which("npm")
    if program is None:
        pytest.skip("needs npm: apt install nodejs npm")
    installed = HERE / "node_modules" / ".package-lock.json"
    if (
        not installed.exists()
        or installed.stat().st_mtime < (HERE / "package.json").stat().st_mtime
    ):
        subprocess.run([program, "install", "--no-package-lock"], cwd=HERE, check=True)

    def npm(script: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [program, "run", "--silent", script], cwd=HERE, capture_output=True, text=True
        )

    return npm


@pytest.mark.parametrize("check", ["types", "lint"])
def test_the_scripts_pass(npm, check):
    result = npm(check)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_wrong_type_is_found(npm, tmp_path):
    script = tmp_path / "wrong.js"
    script.write_text("/** @param {number} x */\nconst twice = (x) => 2 * x;\ntwice('3');\n")
    tsc = HERE / "node_modules" / ".bin" / "tsc"
    result = subprocess.run(
        [tsc, "--ignoreConfig", "--noEmit", "--allowJs", "--checkJs", script],
        capture_output=True,
        text=True,
    )
    assert result.returncode != 0 and "wrong.js(3,7)" in result.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_each_is_short_enough_to_read(script):
    assert len(script.read_text().splitlines()) < LONGEST


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_no_template_is_within_another_of_which_jsmin_would_drop_the_spaces(script):
    assert jsmin("x = `a${`b = c`}`") == "x=`a${`b=c`}`"  # otherwise this test can go
    assert not re.search(r"`[^`]*\$\{[^}`]*`", COMMENT.sub("", script.read_text()))


def test_a_folder_becomes_one_file_and_its_last_script_starts_it():
    files = {name: data.decode() for name, data in assets().items() if name.endswith(".js")}
    assert set(files) == {f"{name}.js" for name in [*FOLDERS, *SINGLE_SCRIPTS]}
    for script in SCRIPTS:
        name = script.stem if script.stem in SINGLE_SCRIPTS else script.parent.name
        text = jsmin(script.read_text()).strip() + "\n"
        assert text in files[f"{name}.js"]
        assert files[f"{name}.js"].endswith(text) == (script.stem == name)


def test_scripts_use_each_other_in_one_direction():
    texts = {script.stem: COMMENT.sub("", script.read_text()) for script in SCRIPTS}
    folders = {script.stem: FOLDERS.index(script.parent.name) for script in SCRIPTS}
    shared = {name for text in texts.values() for name in NAME.findall(text)}
    uses = {}
    for name, text in texts.items():
        used = set(re.findall(r"(?<![.\w])(\w+)\.\w", text))
        # It is there once a press has loaded it, and may use what asked for it.
        late = set(re.findall(r"late\.load\('(\w+)'\)", text))
        uses[name] = (used & shared) - set(OWN.findall(text)) - late
    assert uses["late"] == {"elements", "failure"} and "playhead" in uses["timeline"]
    TopologicalSorter(uses).prepare()  # raises CycleError
    back = [(a, b) for a in uses for b in uses[a] if folders[b] > folders[a]]
    assert back == []
