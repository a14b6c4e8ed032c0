"""Links to what one hears, and citations of it."""

import re

import bibtexparser
import pytest
from pybtex.database import parse_string

from tests.browser.conftest import open_menu, playing, wait_until
from tests.browser.test_player import AUDIO, TITLE, slider

CLIPBOARD = ["clipboard-read", "clipboard-write"]
COMMANDS = {
    "textbackslash": "\\",
    "textbraceleft": "{",
    "textbraceright": "}",
    "textless": "<",
    "textgreater": ">",
    "textasciicircum": "^",
    "textasciitilde": "~",
}
CLIP = "one.long-tone"


def press_and_read(page, name):
    """The text in the clipboard after a press of that button."""
    open_menu(page, re.sub("^(Link to|Cite) ", "", name))
    page.get_by_role("button", name=name, exact=True).click()
    page.get_by_role("status").filter(has_text="Copied").wait_for()
    return page.evaluate("navigator.clipboard.readText()")


def entry_of(text):
    """The only entry in BibTeX, in which two parsers see the same."""
    library = bibtexparser.parse_string(text)
    [(key, entry)] = parse_string(text, "bibtex").entries.items()
    [other] = library.entries
    assert library.failed_blocks == []
    assert (key, entry.type) == (other.key, other.entry_type)
    assert dict(entry.fields) == {
        field.key: field.value for field in other.fields if field.key != "author"
    }
    return entry


def typeset(tex):
    """Return the text that TeX prints."""
    return re.sub(
        r"\\(text[a-z]+)\{\}|\\([%#&_$])", lambda match: COMMANDS.get(match[1]) or match[2], tex
    )


def test_a_link_leads_back_to_the_part_that_was_heard(open_page):
    page = open_page(permissions=CLIPBOARD)
    slider(page).press("PageUp")
    slider(page).press("Shift+PageUp")
    link = press_and_read(page, "Link to Long tone")
    assert link.endswith(f"small.html#clip={CLIP}&t=0.40,0.80")

    there = open_page(hash=link[link.index("#") :], viewport={"width": 390, "height": 300})
    assert slider(there).get_attribute("aria-valuetext") == "0.4 of 2.0 seconds, looping 0.4 to 0.8"
    assert there.evaluate("document.activeElement.id") == CLIP
    assert slider(there).is_visible() and there.evaluate("scrollY") > 0
    assert playing(there) == [] and not [url for url in there.requested if url.endswith(".flac")]


def test_a_link_holds_a_position_or_nothing_but_the_clip(open_page):
    page = open_page(permissions=CLIPBOARD)
    assert press_and_read(page, "Link to Long tone").endswith(f"#clip={CLIP}")
    slider(page).press("ArrowRight")
    assert press_and_read(page, "Link to Long tone").endswith(f"#clip={CLIP}&t=0.10")


def test_a_link_works_on_the_page_that_is_open_already(open_page):
    page = open_page()
    page.evaluate(f"location.hash = 'clip={CLIP}&t=1.5'")
    wait_until(page, f"{AUDIO}.currentTime === 1.5")
    assert slider(page).get_attribute("aria-valuenow") == "1.50"


@pytest.mark.parametrize(
    "hash", ["#clip=nothing&t=1", f"#clip={CLIP}&t=no,where", f"#clip={CLIP}&t=-3,99", "#%%"]
)
def test_a_damaged_link_does_no_harm(open_page, hash):
    page = open_page(hash=hash)
    assert page.complaints == []
    assert slider(page).get_attribute("aria-valuenow") == "0.00"


def test_a_citation_names_the_bytes_and_both_parsers_read_it(open_page):
    page = open_page(permissions=CLIPBOARD)
    sha256 = page.evaluate("media.digest(document.querySelector('audio').src)")
    entry = entry_of(press_and_read(page, "Cite Long tone"))
    assert entry.key == f"sound-{sha256[:12]}"
    assert entry.fields["title"] == "Long tone"
    assert sha256 in entry.fields["note"] and "A small article" in entry.fields["note"]
    assert entry.fields["howpublished"] == f"\\url{{{page.url}#clip={CLIP}}}"


def test_a_citation_survives_any_title_and_author(open_page):
    page = open_page(permissions=CLIPBOARD)
    page.evaluate("""() => {
      const add = (name, content) =>
        document.head.append(Object.assign(document.createElement('meta'), { name, content }));
      document.querySelectorAll('meta[name]').forEach((meta) => meta.remove());
      add('author', 'Ada {L}');
      add('author', 'Sons and % Co.');
      add('date', '2024-02-03');
    }""")
    entry = entry_of(press_and_read(page, f"Cite {TITLE}"))
    assert typeset(entry.fields["title"]) == TITLE
    assert entry.fields["year"] == "2024"
    authors = [typeset(str(author)) for author in entry.persons["author"]]
    assert authors == ["{L}, Ada", "{Sons and % Co.}"]


def test_long_captions_make_short_names(open_page):
    page = open_page(permissions=CLIPBOARD)
    number = page.locator(".decomposition figcaption b").text_content().rstrip(".")
    name = f"{number}: What is left of it, step by step"
    assert entry_of(press_and_read(page, f"Cite {name}")).fields["title"] == name
    assert page.get_by_role("button", name=f"Link to {name}", exact=True).count() == 1


def test_a_citation_of_a_comparison_names_the_version(open_page):
    page = open_page(permissions=CLIPBOARD)
    page.get_by_role("radio", name="High").check()
    entry = entry_of(press_and_read(page, "Cite Two tones"))
    high = page.locator(".compare audio").nth(1).get_attribute("src")
    assert entry.fields["title"] == "Two tones, High" and high[6:-5] in entry.fields["note"]


def test_pages_that_came_by_plain_http_copy_too(open_page):
    page = open_page()
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.evaluate("document.body.append(document.createElement('textarea'))")
    open_menu(page, "Long tone")
    page.get_by_role("button", name="Link to Long tone").press("Enter")
    page.get_by_role("status").filter(has_text="Copied").wait_for()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Link to Long tone"
    page.locator("textarea").press("Control+v")
    assert page.locator("textarea").input_value().endswith(f"#clip={CLIP}")
