"""Front matter feeds the page, the citation, the RO-Crate and BibTeX."""

import json
import zipfile

import pytest
from pybtex.database import parse_string

from report import Author, FolderStore, ReportError, build
from report.article.front_matter import citation, read_front_matter
from report.sharing.archive import export_zip

ORCID = "0000-0002-1825-0097"
ARTICLE = f'''"""Signs & <waves>"""
from report import Author
AUTHORS = [Author("Ada Maria Example", "{ORCID}", "House <of> Sound"), "Ben"]
DATE = "2026-05-01"
LICENSE = "CC-BY-4.0"
ABSTRACT = """It says
"nothing" & more."""
KEYWORDS = ["sound", "event roll"]
DOI = "https://doi.org/10.5281/zenodo.1234"
# %%
1
'''


@pytest.fixture
def site(tmp_path):
    (tmp_path / "waves.py").write_text(ARTICLE)
    build([tmp_path / "waves.py"], tmp_path / "site", FolderStore(tmp_path / "store"))
    return tmp_path / "site"


def test_the_page_shows_it(site):
    page = (site / "waves.html").read_text()
    assert f'<a href="https://orcid.org/{ORCID}" rel="author">Ada Maria Example</a>' in page
    assert "(House &lt;of&gt; Sound), Ben · <time>2026-05-01</time>" in page
    assert '<a href="https://spdx.org/licenses/CC-BY-4.0.html" rel="license">CC-BY-4.0</a>' in page
    assert '<a href="https://doi.org/10.5281/zenodo.1234">doi:10.5281/zenodo.1234</a>' in page
    assert "<b>Abstract.</b> It says &#34;nothing&#34; &amp; more." in page
    assert "Keywords: sound, event roll" in page
    assert '<meta name="citation_doi" content="10.5281/zenodo.1234">' in page


def test_the_page_has_an_entry_that_bibtex_reads(site):
    page = (site / "waves.html").read_text()
    text = page.split('<pre class="bibtex"><code>')[1].split("</code>")[0]
    (entry,) = parse_string(text.replace("&amp;", "&"), "bibtex").entries.values()
    assert [str(person) for person in entry.persons["author"]] == ["{Ada Maria Example}", "{Ben}"]
    assert entry.fields["year"] == "2026" and entry.fields["doi"] == "10.5281/zenodo.1234"


@pytest.mark.parametrize("title", ["50 % & more_{x}\\", "#1 ~ $2^3"])
def test_an_entry_can_be_read_whatever_the_title_is(title):
    front = read_front_matter({"AUTHORS": [title], "DATE": "2026-05-01"}, "x.py")
    (entry,) = parse_string(citation(front, title, "a-b"), "bibtex").entries.values()
    assert entry.key.endswith("2026ab") and not set("&%#$_") & set(entry.key)


def test_the_crate_and_the_citation_say_it(site, tmp_path):
    crate = json.loads((site / "ro-crate-metadata.json").read_text())["@graph"]
    things = {thing["@id"]: thing for thing in crate}
    page, person = things["waves.html"], things[f"https://orcid.org/{ORCID}"]
    assert page["author"][0] == {"@id": person["@id"]} and page["license"] == "CC-BY-4.0"
    assert page["identifier"] == "https://doi.org/10.5281/zenodo.1234"
    assert page["keywords"] == "sound, event roll" and page["abstract"].startswith("It says")
    assert things[person["affiliation"]["@id"]]["name"] == "House <of> Sound"
    assert things["./"]["license"] == "CC-BY-4.0"
    export_zip(site, tmp_path / "site.zip", {})
    with zipfile.ZipFile(tmp_path / "site.zip") as archive:
        lines = archive.read("CITATION.cff").decode().splitlines()
    fields = {name: json.loads(value) for name, _, value in (x.partition(": ") for x in lines)}
    assert fields["authors"][0] == {
        "family-names": "Example",
        "given-names": "Ada Maria",
        "affiliation": "House <of> Sound",
        "orcid": f"https://orcid.org/{ORCID}",
    }
    assert fields["authors"][1] == {"name": "Ben"} and fields["license"] == "CC-BY-4.0"
    assert fields["doi"] == "10.5281/zenodo.1234" and fields["keywords"] == ["sound", "event roll"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LICENSE", "CC BY", "LICENSE is 'CC BY'; write it as in"),
        ("DOI", "10.5281", "DOI is '10.5281'; write"),
        ("KEYWORDS", "sound", "KEYWORDS is 'sound'; give a list"),
        ("ABSTRACT", ["a"], r"ABSTRACT is \['a'\]; give a text"),
        ("AUTHORS", [3], r"or of Author\(name, orcid, affiliation\)"),
    ],
)
def test_wrong_front_matter_is_refused_by_name(name, value, words):
    with pytest.raises(ReportError, match=words):
        read_front_matter({name: value}, "x.py")


@pytest.mark.parametrize("orcid", ["0000-0002-1825-0098", "0000000218250097", "ada"])
def test_an_orcid_whose_last_digit_is_wrong_is_refused(orcid):
    with pytest.raises(ValueError, match="Author.orcid is .*write it as in '0000-0002-1825-0097'"):
        Author("Ada", orcid)


def test_an_orcid_may_end_in_x_and_be_an_address():
    assert Author("A", "https://orcid.org/0000-0002-1694-233X").orcid == "0000-0002-1694-233X"
