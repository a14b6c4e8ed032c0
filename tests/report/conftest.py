"""A small site, built for real: three sounds and a picture.

One of the sounds is made from a fourth, which no page shows.
"""

import shutil

import pytest

from report import FolderStore, build

ARTICLE = '''"""Ramps & <slopes>

It says href="x.html" and src="media/{zeros}.flac" in its description."""
import numpy as np
from report import Image, Picture, Player, Sound, conjure

@conjure
def ramp(n: int) -> Sound:
    return Sound(np.linspace(-0.5, 0.5, n), 8000)

@conjure
def half(sound) -> Sound:
    return Sound(sound.value.samples // 2, 8000)

@conjure
def grey(level: int) -> Picture:
    return Picture(np.full((4, 6), level, np.uint8), "grey")

# %%
[Player(ramp(100), "media/{zeros}.flac"), Player(ramp(n=200), "200")]

# %%
Player(half(ramp(300)), "Half")

# %%
Image(grey(100), "Grey.")
'''.replace("{zeros}", "0" * 64)


@pytest.fixture(scope="session")
def built_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    (folder / "ramps.py").write_text(ARTICLE)
    facts = {"source": "a1b2", "date": "2026-02-03T04:05:06+00:00", "license": "CC-BY-4.0"}
    build([folder / "ramps.py"], folder / "site", FolderStore(folder / "store"), facts)
    return folder


@pytest.fixture
def site(built_once, tmp_path):
    """A copy of the site that a test may damage."""
    shutil.copytree(built_once / "site", tmp_path / "site")
    return tmp_path / "site"


@pytest.fixture
def next_site(built_once, tmp_path):
    """The same site after an edit: one sound more, and one less."""
    script = tmp_path / "ramps.py"
    script.write_text(ARTICLE.replace("n=200", "n=250"))
    build([script], tmp_path / "next", FolderStore(built_once / "store"), {"source": "c3d4"})
    return tmp_path / "next"
