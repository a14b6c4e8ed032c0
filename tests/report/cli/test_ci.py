"""The files of `ci` build, verify and publish, and take back a release, with a folder as bucket."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

ARTICLE = '''"""Beeps"""
import numpy as np
from report import Player, Sound, conjure

@conjure
def beep(n: int) -> Sound:
    return Sound(np.linspace(-0.5, 0.5, n), 8000)

# %%
[Player(beep(n), f"Beep {n}") for n in (100, 200)]
'''


@pytest.fixture
def project(tmp_path):
    """A folder with an article and the files of `ci`."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "beeps.py").write_text(ARTICLE)
    (folder / "record.py").write_text("raise SystemExit('this is no article')\n")
    command = [sys.executable, "-m", "report", "ci", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def run(folder, expected=0, **environment):
    done = subprocess.run(
        [str(folder / "publish.sh")],
        cwd=folder.parent,
        env=os.environ | {"PYTHON": sys.executable} | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_the_script_builds_verifies_publishes_and_takes_back(project, tmp_path):
    bucket = tmp_path / "bucket"
    first = run(project, BUCKET=str(bucket))
    assert "artifacts computed: 2" in first and first.count("none wrong") == 2
    index = (bucket / "site" / "index.html").read_text()
    # Another machine, after an edit: what is in the bucket is not computed again.
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(project / "publish.sh", other)
    (other / "beeps.py").write_text(ARTICLE.replace("(100, 200)", "(100, 200, 300)"))
    second = run(other, BUCKET=str(bucket), ARTICLES="beeps.py")
    assert "artifacts computed: 1" in second
    assert (bucket / "site" / "index.html").read_text() != index
    release = re.search(r"release (\w{16})", first)[1]
    assert "again" in run(other, BUCKET=str(bucket), RELEASE=release)
    assert (bucket / "site" / "index.html").read_text() == index


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_without_a_bucket_the_script_builds_and_verifies(project):
    assert "none wrong" in run(project, BUCKET="", RELEASE="", ENDPOINT_URL="")
    (project / "beeps.py").unlink()
    said = run(project, 1, BUCKET="", RELEASE="", ENDPOINT_URL="")
    assert said == "no *.py file here has cells (# %%); name the articles in ARTICLES\n"
    assert (project / "site" / "beeps.html").exists()


def test_the_workflow_runs_the_script_with_what_it_reads(project):
    workflow = yaml.safe_load((project / ".github" / "workflows" / "publish.yml").read_text())
    steps = workflow["jobs"]["publish"]["steps"]
    (step,) = [step for step in steps if step.get("run") == "./publish.sh"]
    script = (project / "publish.sh").read_text()
    read = set(re.findall(r"\$\{(\w+):[-?]", script))
    ours = {name for name in step["env"] if not name.startswith("AWS_")}
    assert ours <= read and read - ours == {"ARTICLES", "PYTHON"}
    assert "pull_request" in step["env"]["BUCKET"] and os.access(project / "publish.sh", os.X_OK)


def test_what_is_there_is_not_replaced(project):
    command = [sys.executable, "-m", "report", "ci"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 1 and "publish.sh and " in done.stderr
    assert "is there already; move it away" in done.stderr
