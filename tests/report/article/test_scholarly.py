"""Citations, cross references, callouts, lists, anchors and local images in prose."""

import re

import numpy as np
import pytest
from PIL import Image as Pixels

from report import CellError, FolderStore, ReportError, build
from report.article.imports import sources_of
from report.article.prose import markdown

BIB = """
@article{ada, author={Ada van Example and Ben Example}, title={On {DFT} \\& <b>waves</b>},
  journal={Journal of Sound}, year=2020, url={javascript:alert(1)}, doi={10.1/x"y}}
@misc{ben1, author={Cid, Ben}, title={One}, year=2021}
@misc{ben2, author={Cid, Ben}, title={Two}, year=2021}
@misc{many, author={A, A and B, B and C, C}, title={Many}, year=1999}
@misc{unread, author={No, Body}, title={Nobody reads this}, year=2000}
"""
ARTICLE = '''"""Scholarly"""
import numpy as np
from report import Image, Part, Picture, Prose, Row, Table, conjure

BIBLIOGRAPHY = "lit.bib"

@conjure
def grey(level: int) -> Picture:
    return Picture(np.full((4, 6), level, np.uint8), "Grey.")

# %% [markdown]
# ## Methods {#sec-methods}
#
# As in [@ada, p. 3; @ben2] and [@many], mail me@fig-x.org; see @fig-second, @tbl-all and
# @sec-methods. `[@code]` and `@fig-code` stay.
#
# ![A red *square*](pics/red%20one.png "Title") in the text.
# %%
Image(grey(1), "First")
# %%
#| label: fig-second
[Image(grey(2), "Second"), Image(grey(3), "Third")]
# %%
#| label: tbl-all
Table(["a"], [[1]], "All")
# %%
Part("part", "A part", "About it", [Prose("In it, @fig-second is meant, by [@ben1].")])
'''


@pytest.fixture
def built(tmp_path):
    (tmp_path / "lit.bib").write_text(BIB)
    (tmp_path / "pics").mkdir()
    red = np.zeros((5, 7, 4), np.uint8)
    red[:, :4] = (255, 0, 0, 255)
    Pixels.fromarray(red).save(tmp_path / "pics" / "red one.png")

    def run(text=ARTICLE):
        (tmp_path / "lit.py").write_text(text)
        build([tmp_path / "lit.py"], tmp_path / "site", FolderStore(tmp_path / "store"))
        return (tmp_path / "site" / "lit.html").read_text()

    return run


def test_citations_lead_to_the_references_that_are_cited(built):
    page = built()
    assert (
        '(<a class="cite" href="#ref.ada">van Example &amp; Example 2020</a>, p. 3; '
        '<a class="cite" href="#ref.ben2">Cid 2021b</a>)' in page
    )
    assert ">A et al. 1999</a>" in page and "<code>[@code]</code>" in page
    references = page.split('<h2 id="_references">')[1].split("</section>")[0]
    assert re.findall(r'<li id="ref.(\w+)">', references) == ["many", "ben1", "ben2", "ada"]
    assert "On DFT &amp; &lt;b&gt;waves&lt;/b&gt;" in references and "<em>" in references
    assert "javascript:" not in re.findall(r'href="([^"]*)', references) and "<b>" not in references
    assert "Nobody" not in page and "<span" not in references


def test_cross_references_lead_to_figures_tables_and_sections(built, tmp_path):
    page = built()
    for name, text in (("fig-second", "Figure 2"), ("tbl-all", "Table 1")):
        assert f'<a href="#{name}">{text}</a>' in page and f'<span id="{name}"></span>' in page
    assert '<a href="#sec-methods">Methods</a>' in page and '<h2 id="sec-methods">Methods<' in page
    assert "me@fig-x.org" in page and "<code>@fig-code</code>" in page
    part = (tmp_path / "site" / "lit-part.html").read_text()
    assert 'In it, <a href="lit.html#fig-second">Figure 2</a> is meant' in part


def test_an_image_beside_the_script_is_an_artifact_of_the_site(built, tmp_path):
    page = built()
    found = re.search(r'<img src="media/(\w+\.png)" alt="A red \*?square\*?"[^>]*>', page)
    assert found and 'width="7" height="5"' in found[0]
    with Pixels.open(tmp_path / "site" / "media" / found[1]) as image:
        assert image.getpixel((0, 0)) == (255, 0, 0) and image.getpixel((6, 0)) == (255, 255, 255)
    assert "lit/local_image/1" in (tmp_path / "site" / "manifest.json").read_text()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[@many]", "[@mani]", "lit.py, cell at line 12: .*cites what is in no .*is it @many"),
        ("@fig-second, ", "@fig-secnd, ", "@fig-secnd refers to nothing; is it @fig-second"),
        (
            "#| label: tbl-all",
            "#| label: fig-all",
            "label fig-all shows no figure with a number; a Comp",
        ),
        ("#| label: tbl-all", "#| label: fig-second", "another has the label fig-second"),
        ("red%20one.png", "red.png", "cell 2, line 12: there is no image pics/red.png beside"),
        ("pics/red%20one.png", "lit.bib", "lit.bib is no PNG, JPEG, WebP or GIF"),
        ('"lit.bib"', '"no.bib"', "BIBLIOGRAPHY names 'no.bib', which is not there"),
        ('"lit.bib"', "3", "BIBLIOGRAPHY is 3; give a file"),
        ('"lit.bib"', '"lit.py"', "cannot read the bibliography .*lit.py"),
        ('BIBLIOGRAPHY = "lit.bib"', "", "in no BIBLIOGRAPHY"),
    ],
)
def test_what_leads_nowhere_stops_the_build(built, old, new, words):
    with pytest.raises((CellError, ReportError), match=words):
        built(ARTICLE.replace(old, new))


def test_a_heading_keeps_the_id_that_its_author_gave(built):
    page = built(
        '"""Ids"""\n# %% [markdown]\n# ## One\n# ## Other {#one}\n# ## Third {#one}\n'.replace(
            "# ## Third {#one}\n", ""
        )
    )
    assert '<h2 id="one-2">One</h2>' in page and '<h2 id="one">Other</h2>' in page
    with pytest.raises(ReportError, match="the anchor 'a' is there 2 times"):
        built('"""Ids"""\n# %% [markdown]\n# ## One {#a}\n# ## Other {#a}\n')


@pytest.mark.parametrize("name", ["nota", "{.callout-note}"])
def test_a_callout_of_another_name_is_an_error_that_says_the_names(built, name):
    with pytest.raises(
        CellError, match=rf"cell at line 3: .*no callout ::: {name}; there are note"
    ):
        built(f'"""Callouts"""\n# %% [markdown]\n# ::: {name}\n# Some.\n# :::\n')


def test_the_progress_of_a_build_names_sections_without_their_anchors(built, capfd):
    built('"""Ids"""\n# %% [markdown]\n# ## One {#a}\n')
    assert "lit: One\n" in capfd.readouterr().err


def test_prose_has_callouts_and_lists_and_no_attributes_but_ids():
    html = markdown().render(
        "::: warning Mind <it>\nInside.\n:::\n\n::: tip\nx\n:::\n\nTerm\n: what it is\n\n"
        '- [x] done\n\n{#para style="a" onclick="b"}\nSome [words]{#words .c title="d"}.\n'
    )
    assert '<aside class="callout warning" aria-label="Mind &lt;it&gt;">' in html
    assert "<p><b>Mind &lt;it&gt;</b></p>\n<p>Inside.</p>" in html and "<b>Tip</b>" in html
    assert "<dl>\n<dt>Term</dt>\n<dd>what it is</dd>" in html
    assert '<label><input class="task-list-item-checkbox" checked' in html
    assert '<p id="para">Some <span id="words">words</span>.' in html
    assert not re.search(r"style|onclick|title=|class=.c\W", html)


def test_an_archive_has_the_literature_and_the_pictures(built, tmp_path):
    built()
    assert set(sources_of([tmp_path / "lit.py"])) == {"lit.py", "lit.bib", "pics/red one.png"}


def test_the_policy_of_the_page_stays_strict(built):
    page = built()
    assert "default-src 'self'; img-src 'self' data:; media-src" in page
    assert not re.search(r"<[^>]*\s(style|on\w+)=", page.partition("<main")[2])
