"""Claims and quoted numbers hold, or the build stops; the page says what they rest on."""

import numpy as np
import pytest

from report import CellError, ClaimError, Data, FolderStore, build, claim, conjure, quote
from report.__main__ import PROGRAM
from report.cli.main import run

ARTICLE = '''"""Claims"""
from report import Data, claim, conjure, quote

@conjure
def share(n: int) -> Data:
    return Data(n / 1000)

@conjure
def other() -> Data:
    return Data([1, 2])

found = share(931)

# %% [markdown]
# ## It has {{ quote("93 %", found) }}
#
# So {{ claim(found.value > 0.9, "more than *nine tenths*") }} are there, of {{ 2 }}.

# %%
numbers = other().value
claim(max(numbers) == 2, "The largest is two.")
'''


@conjure
def level(n: float) -> Data:
    return Data(n)


@pytest.fixture
def built(tmp_path):
    def run(text=ARTICLE):
        (tmp_path / "claims.py").write_text(text)
        build([tmp_path / "claims.py"], tmp_path / "site", FolderStore(tmp_path / "store"))
        return (tmp_path / "site" / "claims.html").read_text()

    return run


def test_the_page_says_what_claims_rest_on(built):
    page = built()
    assert '<a class="claim" href="#claim.1">93 %</a></h2>' in page
    assert '<a class="claim" href="#claim.2">more than *nine tenths*</a> are there, of 2.' in page
    assert '<p><a class="claim" href="#claim.3">The largest is two.</a></p>' in page
    assert '<li id="claim.1">93 % (<code>claims/share/1 = 0.931</code>)</li>' in page
    assert '<li id="claim.3">The largest is two. (<code>claims/other/1</code>)</li>' in page
    assert "It has 93 %</a>" in page  # in the table of contents


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("share(931)", "share(936)", r"says 93 in '93 %', but the value is 94 \(share/1\)"),
        (
            'quote("93 %", found)',
            "1",
            r"'more than \*nine tenths\*' does not hold: share/1 = 0.5; all .* `build --draft`",
        ),
    ],
)
def test_a_build_stops_where_the_text_no_longer_holds(built, old, new, words):
    built()
    text = ARTICLE.replace(old, new).replace("share(931)", "share(500)")
    with pytest.raises(CellError, match=rf"claims.py, cell 2, line 1\d: .*{words}"):
        built(text)
    assert "93 %" in built()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("93 %", 0.934),
        ("1.50 s", 1.504),
        ("−3.1 dB", -3.14),
        ("12,000", 12000.3),
        ("1e-3", 0.00104),
        ("about 7", np.float32(7.4)),
    ],
)
def test_a_number_holds_as_far_as_it_is_written(text, value):
    assert quote(text, value).text == text


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: quote("1.50 s", 1.506), ClaimError, "says 1.50 in '1.50 s', but .* is 1.51"),
        (lambda: quote("93 %", 93.1), ClaimError, "is 9310"),
        (lambda: quote("3", float("nan")), ClaimError, "is nan"),
        (lambda: quote("much", 3), ValueError, "no number in the text"),
        (lambda: quote("3", "3"), TypeError, "a str, no number"),
        (lambda: quote("", 3), TypeError, "the text ''"),
        (lambda: claim(1, "so"), TypeError, "give a comparison"),
        (lambda: claim(True, "so", 3), TypeError, "rests on a int; give artifacts"),
        (lambda: claim(level(0.5).value > 1, "so", level(0.5)), ClaimError, "level.* = 0.5"),
        (lambda: claim(np.bool_(False), "so"), ClaimError, "'so' does not hold;"),
    ],
)
def test_what_does_not_hold_or_is_no_claim_is_refused_with_words(call, kind, words):
    with pytest.raises(kind, match=words):
        call()


NUMBERS = """

# %% [markdown]
# Its share is {{ found:.1f }}, or {{ found }}, which is {{ word() }}.
"""
WORD = """
@conjure
def word() -> Data:
    return Data("a *lot*")

found = share(931)
"""


def test_a_number_of_an_artifact_in_prose_leads_to_how_it_was_made(built):
    page = built(ARTICLE.replace("found = share(931)\n", WORD) + NUMBERS)
    assert 'Its share is <a class="claim" href="#claim.4">0.9</a>, or ' in page
    assert ">0.931</a>, which is <a" in page and ">a *lot*</a>." in page
    assert '<li id="claim.4">0.9 (<code>claims/share/1 = 0.931</code>)</li>' in page
    assert '<li id="claim.6">a *lot* (<code>claims/word/1</code>)</li>' in page


@pytest.mark.parametrize("field", ["other()", "other():.1f"])
def test_an_artifact_that_is_no_word_is_refused_in_prose(built, field):
    with pytest.raises(CellError, match=r"TypeError: other\(…\) made data that is neither number"):
        built(f"{ARTICLE}\n# %% [markdown]\n# It has {{{{ {field} }}}}.\n")


def test_the_number_of_an_artifact_is_formatted_anywhere():
    assert f"{level(0.25):.1f} {level(3)} {level('a'):>3}" == "0.2 3   a"
    with pytest.raises(TypeError, match=r"level\(…\) made application/json, which is no number"):
        f"{level([1]):.1f}"


FALSE = ARTICLE.replace("share(931)", "share(500)")


def test_a_draft_shows_what_does_not_hold_and_is_not_published(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "claims.py").write_text(FALSE)
    assert run(PROGRAM, ["build", "claims.py", "--jobs", "1"]) == 1
    assert not (tmp_path / "site").exists()
    assert run(PROGRAM, ["build", "claims.py", "--jobs", "1", "--draft"]) == 0
    assert "computed: 0" not in capsys.readouterr().out  # what follows the claim
    page = (tmp_path / "site" / "claims.html").read_text()
    assert '<aside class="draft"' in page and "<b>Draft.</b>" in page
    assert "<li>the text says 93 in &#39;93 %&#39;, but the value is 50 (share/1)</li>" in page
    assert ">more than *nine tenths* [does not hold]</a> are there" in page
    assert run(PROGRAM, ["publish", "pub"]) == 1
    assert "claims.html is a draft" in capsys.readouterr().err
    assert not (tmp_path / "pub" / "index.html").exists()


@pytest.mark.parametrize("command", [["plan"], ["why", "share"], ["reproduce"]])
def test_what_does_not_hold_is_no_matter_to_commands_that_explain(
    tmp_path, capsys, monkeypatch, command
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "claims.py").write_text(FALSE)
    assert run(PROGRAM, ["build", "claims.py", "--jobs", "1", "--draft"]) == 0
    capsys.readouterr()
    assert run(PROGRAM, [*command, "claims.py"]) == 0
    assert "[does not hold]" not in capsys.readouterr().out
