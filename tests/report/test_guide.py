"""The guide is followed, block by block, in an empty folder."""

import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import InvalidRequirement, Requirement

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"# (\w+\.py)\n")


def blocks() -> list[tuple[str, str]]:
    return BLOCK.findall((ROOT / "docs" / "guide.md").read_text())


def run(command: str, folder: Path) -> str:
    """Run a line of a block as it is written, with this Python, a folder in place of a bucket.

    What sets up an environment is here already: for it, only its words are checked.
    """
    words = shlex.split(command)
    if words[:2] == ["pip", "install"]:
        check_installed(words[2:])
        return ""
    if words[0] != "python":
        assert words in (["python3", "-m", "venv", ".venv"], [".", ".venv/bin/activate"])
        return ""
    words = [word.replace("s3://my-bucket", str(folder / "bucket")) for word in words[1:]]
    words.remove("--public") if "--public" in words else None
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def check_installed(packages: list[str]) -> None:
    for package in packages:
        try:
            name = Requirement(package).name
        except InvalidRequirement:
            assert package.partition("[")[0] == "."
        else:
            assert distribution(name)


@pytest.mark.slow
def test_a_reader_who_follows_the_guide_gets_what_it_says(tmp_path):
    for module in ("sklearn", "nbclient", "ipykernel"):
        if find_spec(module) is None:
            pytest.skip(f"needs {module}: pip install '.[test,codec]'")
    said = {}
    for kind, text in blocks():
        if kind == "python":
            name = NAMED.match(text)
            assert name, f"a block without the name of its file: {text[:60]}"
            (tmp_path / name[1]).write_text(text[name.end() :])
            continue
        for line in text.splitlines():
            said[line] = run(line, tmp_path)
    site = tmp_path / "site"
    assert all((site / f"{name}.html").is_file() for name in ("first", "sounds", "have", "voices"))
    assert (site / "voices-heard.html").is_file()
    page = (site / "voices.html").read_text()
    assert page.count('data-channels="2"') >= 3 and "The low voice is found." in page
    assert "artifacts computed: 0" in said["python -m report build voices.py"]
    assert (tmp_path / "voices.ipynb").read_text().count("data:audio/flac") == 3
    assert "computed: 0" in said["python -m report build voices.py --store fresh"]
    assert "/voices.html" in said["python -m report publish published"]
    assert "none wrong" in said["python -m report verify s3://my-bucket/voices"]
