"""The page's scripts: typed, formatted, free of what linters find, and short enough to read."""

import shutil
import subprocess
from pathlib import Path

import pytest

from report.article.templates import templates_folder

HERE = Path(__file__).parent
SCRIPTS = sorted((templates_folder() / "scripts").glob("*/*.js"))
LONGEST = 250  # lines


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
