"""Claims and quoted numbers hold, or the build stops; the page says what they rest on."""

import numpy as np
import pytest

from report import CellError, ClaimError, Data, FolderStore, build, claim, conjure, quote

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
    assert '<li id="claim.1">93 %: <code>claims/share/1 = 0.931</code></li>' in page
    assert '<li id="claim.3">The largest is two.: <code>claims/other/1</code></li>' in page
    assert "It has 93 %</a>" in page  # in the table of contents


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("share(931)", "share(936)", "says 93 in '93 %', but the value is now 94, by share"),
        (
            'quote("93 %", found)',
            "1",
            r"'more than \*nine tenths\*' does not hold any more; it rests on share\(…\) is 0.5",
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
        (lambda: quote("1.50 s", 1.506), ClaimError, "says 1.50 in '1.50 s', but .* now 1.51"),
        (lambda: quote("93 %", 93.1), ClaimError, "now 9310"),
        (lambda: quote("3", float("nan")), ClaimError, "now nan"),
        (lambda: quote("much", 3), ValueError, "no number in the text"),
        (lambda: quote("3", "3"), TypeError, "a str, no number"),
        (lambda: quote("", 3), TypeError, "the text ''"),
        (lambda: claim(1, "so"), TypeError, "give a comparison"),
        (lambda: claim(True, "so", 3), TypeError, "rests on a int; give artifacts"),
        (lambda: claim(level(0.5).value > 1, "so", level(0.5)), ClaimError, "level.* is 0.5"),
        (lambda: claim(np.bool_(False), "so"), ClaimError, "'so' does not hold any more$"),
    ],
)
def test_what_does_not_hold_or_is_no_claim_is_refused_with_words(call, kind, words):
    with pytest.raises(kind, match=words):
        call()
