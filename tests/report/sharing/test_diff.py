"""The difference of two sites names exactly what changed."""

import math

import pytest

from report import FolderStore, build
from report.errors import SiteError
from report.sharing.diff import Change, diff, write_page
from report.storage.folder import Folder
from tests.processes import Running

ARTICLE = '''"""Levels"""
import numpy as np
from report import Data, Player, Sound, conjure

@conjure
def tone(level: float) -> Sound:
    return Sound(level * np.sin(np.arange(2000) / 10), 8000)

@conjure
def peak(sound) -> Data:
    return Data(round(float(abs(sound.value.samples).max()) / 32768, 3))

low, high = tone(0.1), tone(0.5)

# %% [markdown]
# The higher peak is {{ peak(high).value }}. <script> is text.

# %%
[Player(low, "Low"), Player(high, "High")]
'''
SIX = "the difference is 6.0 dB below what was before"


@pytest.fixture
def sites(tmp_path):
    """Two builds; the level of the second tone is halved in the later one."""
    script, store = tmp_path / "levels.py", FolderStore(tmp_path / "store")
    for name, level in (("before", "0.5"), ("after", "0.25")):
        script.write_text(ARTICLE.replace("tone(0.5)", f"tone({level})"))
        build([script], tmp_path / name, store)
    return tmp_path / "before", tmp_path / "after"


def test_exactly_what_changed_is_named_with_the_level_of_the_difference(sites):
    result = diff(*map(Folder, sites))
    assert [(c.name, c.kind) for c in result.artifacts] == [
        ("levels/peak/1", "changed"),
        ("levels/tone/2", "changed"),
    ]
    assert result.artifacts[1].decibels == pytest.approx(-6, abs=0.1) and result.same == 1
    assert result.texts["levels.html"][:2] == [
        "-The higher peak is 0.5. <script> is text.",
        "+The higher peak is 0.25. <script> is text.",
    ]
    assert f"changed levels/tone/2 (audio/flac, {SIX})" in str(result)


@pytest.mark.parametrize(
    ("decibels", "words"),
    [
        (-6.02, SIX),
        (3.0, "the difference is 3.0 dB above what was before"),
        (math.inf, "silent before"),
        (-math.inf, "the same numbers"),
        (None, ""),
    ],
)
def test_the_level_of_a_difference_is_said_with_one_sign(decibels, words):
    assert Change("a/b/1", None, None, decibels).level == words


def test_a_site_does_not_differ_from_itself(sites):
    result = diff(Folder(sites[0]), Folder(sites[0]))
    assert (result.artifacts, result.texts, result.same) == ([], {}, 3)


def test_artifacts_that_came_and_went_are_named(sites, tmp_path):
    script = tmp_path / "levels.py"
    script.write_text(ARTICLE.replace("low, high = tone(0.1), tone(0.5)", "low = high = tone(0.5)"))
    build([script], tmp_path / "fewer", FolderStore(tmp_path / "store"))
    result = diff(Folder(sites[0]), Folder(tmp_path / "fewer"))
    assert ("levels/tone/2", "gone") in [(c.name, c.kind) for c in result.artifacts]
    back = diff(Folder(tmp_path / "fewer"), Folder(sites[0]))
    assert ("levels/tone/2", "new") in [(c.name, c.kind) for c in back.artifacts]


def test_the_page_has_both_sounds_of_each_change_and_no_markup_from_texts(sites, tmp_path):
    places = [Folder(site) for site in sites]
    page = write_page(diff(*places), *places, tmp_path / "changes")
    html = page.read_text()
    assert f"audio/flac; {SIX}." in html
    assert html.count("<audio") == 2 and "levels/tone/1" not in html
    for change in diff(*places).artifacts[1:]:
        for artifact in (change.before, change.after):
            assert (tmp_path / "changes" / "media" / f"{artifact.sha256}.flac").exists()
    assert "<script>" not in html and "&lt;script&gt; is text" in html
    with pytest.raises(SiteError, match="holds something already"):
        write_page(diff(*places), *places, tmp_path / "changes")


def test_the_command_compares_any_two_places(sites, tmp_path):
    done = Running("report", ["diff", "before", "after", "--page", "changes"], tmp_path).wait()
    assert done.returncode == 0 and "changed 2" in done.stdout
    assert (tmp_path / "changes" / "index.html").exists()
    nothing = Running("report", ["diff", "before", "store"], tmp_path).wait()
    assert nothing.returncode == 1 and nothing.stderr.startswith("error: store: there is no site")
