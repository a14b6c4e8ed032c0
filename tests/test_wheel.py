"""The wheel without extras builds an article, and without PyTorch the codec says how to get it."""

import os
import subprocess
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow
ARTICLE = '''"""A plain install"""
import numpy as np
from report import Player

# %%
Player(0.5 * np.sin(np.arange(8000) / 9), 8000)
'''


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A folder as `pip install WHEEL` fills it: the wheel, and what it requires without extras.

    The latter are links to what is installed here, so that nothing is downloaded.
    """
    if find_spec("pip") is None or find_spec("hatchling") is None:
        pytest.skip("needs pip and hatchling to make a wheel: pip install '.[test]'")
    folder = tmp_path_factory.mktemp("plain")
    pip = [sys.executable, "-m", "pip", "--no-input", "--disable-pip-version-check", "--quiet"]
    made = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*made, "--wheel-dir", str(folder / "wheel"), str(ROOT)], check=True)
    (wheel,) = (folder / "wheel").glob("*.whl")
    place = folder / "installed"
    into = ["--no-deps", "--no-index", "--target", str(place)]
    subprocess.run([*pip, "install", *into, str(wheel)], check=True)
    (info,) = place.glob("*.dist-info")
    for each in required_by(Distribution.at(info)):
        link_files(each, place)
    return place


def required_by(whole: Distribution) -> list[Distribution]:
    """All that a distribution requires here without extras, and what that requires."""
    found: dict[str, Distribution] = {}
    left = needs(whole, set())
    while left:
        requirement = left.pop()
        if requirement.name in found:
            continue
        try:
            found[requirement.name] = distribution(requirement.name)
        except PackageNotFoundError:
            pytest.skip(f"needs {requirement.name}, which is not installed here")
        left += needs(found[requirement.name], requirement.extras)
    return list(found.values())


def needs(installed: Distribution, extras: set[str]) -> list[Requirement]:
    requirements = map(Requirement, installed.requires or [])
    return [
        requirement
        for requirement in requirements
        if requirement.marker is None
        or any(requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras))
    ]


def link_files(installed: Distribution, place: Path) -> None:
    for top in {file.parts[0] for file in installed.files or []} - {"..", "__pycache__"}:
        if not (place / top).exists():
            (place / top).symlink_to(Path(str(installed.locate_file(top))))


def python(place: Path, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run Python that finds its own library and this folder, and nothing else."""
    environment = os.environ | {"PYTHONPATH": str(place), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-S", *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def test_a_plain_install_has_no_pytorch_and_builds_an_article(plain, tmp_path):
    assert not (plain / "torch").exists() and not (plain / "sklearn").exists()
    (tmp_path / "plain.py").write_text(ARTICLE)
    built = python(plain, "-m", "report", "build", "plain.py", cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    assert 'class="player"' in (tmp_path / "site" / "plain.html").read_text()
    made = python(plain, "-m", "report", "verify", "site", cwd=tmp_path)
    assert made.returncode == 0 and "none wrong" in made.stdout


def test_a_plain_install_has_every_command_and_the_files_of_new_articles(plain, tmp_path):
    made = python(plain, "-m", "report", "new", "first", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    built = python(plain, "-m", "report", "build", "first.py", cwd=tmp_path)
    assert built.returncode == 0, built.stderr


@pytest.mark.parametrize(
    "module", ["sparse_codec", "sparse_codec.model.decoder", "sparse_codec.cli"]
)
def test_the_codec_without_its_extra_says_the_command(plain, tmp_path, module):
    done = python(plain, "-c", f"import {module}", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("pip install 'sparse-audio-report[codec]'")
