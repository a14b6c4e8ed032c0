"""A page with a sound that says nothing, a dead link or a missing text is no site."""

import pytest

from report import FolderStore, ReportError, build

START = '''"""Checked"""
import numpy as np
from report import Compare, Image, Picture, Player, Row, Sound, Table, conjure

@conjure
def tone(gain: float, offset: float = 0.0, n: int = 4000) -> Sound:
    return Sound(offset + gain * np.sin(np.arange(n)), 8000)

@conjure
def grey(alt: str) -> Picture:
    return Picture(np.full((4, 6), 9, np.uint8), alt)

'''
FINE = """
# %% [markdown]
# ## First
# [Here](#first), [this page](checked.html#first), [far](https://example.org/x#y),
# [data](manifest.json)
# %%
[Player(tone(0.5), "Fine"), Image(grey("Grey."), "Grey")]
"""
WRONG = {
    "silent": ('# %%\nPlayer(tone(0), "Nothing")', "'Nothing' is silent"),
    "clipped": ('# %%\nRow([Player(tone(1.5), "Loud")])', r"'Loud' has \d+ clipped samples"),
    "constant": ('# %%\nTable(["a"], [[Player(tone(0, 0.2), "Flat")]], "")', "'Flat' is one value"),
    "identical": (
        '# %%\nCompare("Two", [("a", tone(0.5), None), ("b", tone(gain=0.5), None)])',
        "'Two': 'a' and 'b' are the same sound",
    ),
    "alt": ('# %%\nImage(grey(" "), "Grey")', "has no text for those who can not see it"),
    "link": ("# %% [markdown]\n# [There](#frist)", "#frist leads to no place there; is it #first"),
    "link elsewhere": ("# %% [markdown]\n# [x](cheked.html)", "no file of the site; is it checked"),
    "link to a file": ("# %% [markdown]\n# [x](media/no.wav)", "media/no.wav leads to no file"),
}


@pytest.fixture
def built(tmp_path):
    def run(text):
        (tmp_path / "checked.py").write_text(START + text)
        build([tmp_path / "checked.py"], tmp_path / "site", FolderStore(tmp_path / "store"))
        return (tmp_path / "site" / "checked.html").read_text()

    return run


def test_a_page_without_faults_is_built(built):
    assert "left unchecked" not in built(FINE)


@pytest.mark.parametrize("kind", WRONG)
def test_a_fault_stops_the_build_unless_there_is_a_reason(built, tmp_path, kind):
    text, words = WRONG[kind]
    with pytest.raises(ReportError, match=words) as error:
        built(FINE + text)
    name = kind.partition(" ")[0]
    assert f'ALLOW = {{"{name}": "the reason"}}' in str(error.value)
    assert not (tmp_path / "site").exists()
    page = built(f'ALLOW = {{"{name}": "It is <meant> so."}}\n' + FINE + text)
    if name != "link":  # of which a page can not know
        assert f"<dt>left unchecked</dt><dd>{name}: It is &lt;meant&gt; so.</dd>" in page


def test_a_reason_may_be_for_one_sound_alone(built):
    allowed = 'ALLOW = {"silent Nothing": "nothing is left"}\n'
    assert "silent Nothing: nothing is left" in built(allowed + FINE + WRONG["silent"][0])
    with pytest.raises(ReportError, match="'Other' is silent"):
        built(allowed + FINE + '# %%\nPlayer(tone(0), "Other")')


def test_a_component_that_is_shown_twice_has_two_places(built):
    page = built('one = Player(tone(0.5), "One")\n' + FINE + "# %%\n[one, one]")
    assert 'id="first.one"' in page and 'id="first.one-2"' in page


def test_all_faults_of_a_page_are_said_at_once(built):
    with pytest.raises(ReportError, match="2 things to mend\n.*silent\n.*clipped"):
        built(FINE + WRONG["silent"][0] + "\n" + WRONG["clipped"][0])


@pytest.mark.parametrize(
    ("allowed", "words"),
    [
        ('["silent"]', r"ALLOW is \['silent'\]; give"),
        ('{"silnet": "x"}', "'silnet', which is no check; is it 'silent'?"),
        ('{"silent": ""}', r"ALLOW\['silent'\] is ''; give the reason"),
    ],
)
def test_a_wrong_opt_out_is_refused(built, allowed, words):
    with pytest.raises(ReportError, match=words):
        built(f"ALLOW = {allowed}\n" + FINE)
