"""The page itself tells whether its bytes are as published."""

import hashlib
import json
import re

import pytest

from report.number_formats import file_size

FINE = "The bytes are as published."
SECURE_ONLY = "This browser computes hashes only for pages served by https"


def open_card(page):
    """The card of the first sound."""
    card = page.locator(".made").first
    card.locator("xpath=ancestor::details").locator("> summary").click()
    card.locator("summary").click()
    return card


def file_of(card):
    """The file of the sound that a card is about."""
    address = card.locator("xpath=ancestor::figure").locator("audio").first.get_attribute("src")
    assert address.startswith(f"media/{card.locator('.digest').inner_text().removesuffix('…')}")
    return address


def verify_page(page, fetch=True):
    page.get_by_role("button", name="Verify this page").click()
    if fetch:
        page.get_by_role("button", name="Fetch and compare").click()


def verified(place):
    """Return the result, once it is known."""
    status = place.locator("[role=status]")
    status.get_by_text(re.compile("published|loaded|damaged|chosen|browser")).first.wait_for()
    return status.inner_text()


def flip(file):
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def test_a_card_verifies_its_file_and_says_what_else_it_found(open_page, copied, serve):
    page = open_page(serve(copied))
    card = open_card(page)
    card.get_by_role("button", name="Verify").click()
    assert verified(card) == FINE
    found = flip(copied / file_of(card))
    card.get_by_role("button", name="Verify").press("Enter")
    card.get_by_text(found).wait_for()
    assert verified(card) == f"The bytes are not as published: their SHA-256 is {found}."
    assert page.complaints == []


def test_a_file_that_is_gone_is_said_in_words(open_page, copied, serve):
    page = open_page(serve(copied))
    card = open_card(page)
    (copied / file_of(card)).unlink()
    card.get_by_role("button", name="Verify").click()
    assert " is missing." in verified(card)


@pytest.mark.parametrize("name", ["small.html", "parts.html", "parts-first.html"])
def test_the_colophon_verifies_the_page_and_all_that_it_names(open_page, site, serve, name):
    page = open_page(serve(site), name)
    named = set(re.findall(r'(?:src|href)="((?:assets|media)/[^"]+)"', (site / name).read_text()))
    # Scripts that come late too.
    named |= {f"assets/{file.name}" for file in (site / "assets").iterdir()}
    page.requested.clear()
    verify_page(page)
    colophon = page.locator(".colophon")
    assert verified(colophon).startswith(
        f"As published are all {len(named) + 1} files: the page, its scripts"
    )
    read = {url.split("/", 3)[3] for url in page.requested}
    assert read == named | {name, "manifest.json"} and page.complaints == []


def test_how_much_is_fetched_is_said_first_and_how_far_it_came_then(open_page, site, serve):
    page = open_page(serve(site))
    page.requested.clear()
    page.get_by_role("button", name="Verify this page").click()
    colophon = page.locator(".colophon [role=status]")
    colophon.get_by_text("have to be fetched").wait_for()
    fetched = [url.split("/", 3)[3] for url in page.requested if not url.endswith(".png")]
    assert fetched == ["manifest.json", "small.html"]  # lazy pictures come when they are near
    files = json.loads((site / "manifest.json").read_text())["files"]
    named = set(re.findall(r'(?:src|href)="(media/[^"]+)"', (site / "small.html").read_text()))
    named |= {name for name in files if name.startswith("assets/")} | {"small.html"}
    size = file_size(sum(files[name]["bytes"] for name in named))
    assert f"{len(named)} files, {size} in all" in colophon.inner_text()
    page.get_by_role("button", name="Cancel").click()
    assert colophon.inner_text() == ""
    assert not [url for url in page.requested if url.endswith((".flac", ".js"))]
    assert page.evaluate("document.activeElement.textContent") == "Verify this page"
    told = []
    how_far = re.compile(rf"[1-9]\d* of {len(named)} files, \d.* of {size} …")

    def read(route):
        told.append(colophon.inner_text())
        route.continue_()

    page.route("**/media/*.flac", read)
    verify_page(page)
    colophon.get_by_text("As published are all").wait_for()
    assert told and all(map(how_far.fullmatch, told))


def test_what_differs_and_what_is_missing_is_listed(open_page, copied, serve):
    address = serve(copied)
    page = open_page(address)
    sound = file_of(open_card(page))
    picture = page.locator("img").first.get_attribute("src")
    found = flip(copied / sound)
    (copied / picture).unlink()
    (copied / "assets" / "page.css").write_text("* {}\n")
    verify_page(page)
    told = verified(page.locator(".colophon"))
    assert told.startswith("3 of ") and "are not as published." in told
    listed = page.locator(".colophon li").all_inner_texts()
    assert sorted(line.split(": ")[0] for line in listed) == sorted(
        [sound, picture, "assets/page.css"]
    )
    assert f"{sound}: The bytes are not as published: their SHA-256 is {found}." in listed
    assert [line for line in listed if line.startswith(picture) and "is missing" in line]


def test_a_manifest_that_was_changed_is_found(open_page, copied, serve):
    page = open_page(serve(copied))
    manifest = json.loads((copied / "manifest.json").read_text())
    manifest["files"]["small.html"]["sha256"] = "0" * 64
    (copied / "manifest.json").write_text(
        json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    )
    verify_page(page, fetch=False)
    words = "manifest.json is damaged: it does not hash to what it says."
    assert verified(page.locator(".colophon")) == words


def test_from_a_disk_the_reader_chooses_the_folder(open_page, copied):
    page = open_page(copied)
    card = open_card(page)
    card.get_by_role("button", name="Verify").click()
    chooser = card.get_by_label("A page that was opened from a disk may not read files by itself")
    chooser.set_input_files(copied)
    assert verified(card) == FINE
    verify_page(page, fetch=False)
    assert verified(page.locator(".colophon")).startswith("As published are all ")
    assert page.complaints == []


def test_on_a_disk_the_copies_that_scripts_read_count_too(open_page, copied):
    page = open_page(copied)
    verify_page(page, fetch=False)
    named = (
        page.locator(".compare audio")
        .first.get_attribute("src")
        .removeprefix("media/")
        .removesuffix(".flac")
    )
    copy = copied / "offline" / f"{named}.js"
    copy.write_text(copy.read_text().replace("ZkxhQ", "ZkxhR", 1))
    page.get_by_label("A page that was opened").set_input_files(copied)
    assert verified(page.locator(".colophon")).startswith("1 of ")
    assert f"offline/{named}.js" in page.locator(".colophon li").inner_text()


def test_from_a_disk_the_true_files_count_and_not_their_copies(open_page, copied):
    page = open_page(copied)
    card = open_card(page)
    found = flip(copied / file_of(card))
    card.get_by_role("button", name="Verify").click()
    card.get_by_label("A page that was opened").set_input_files(copied)
    assert found in verified(card)


def test_another_folder_than_the_page_lies_in_is_said_in_words(open_page, site, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"cat")
    page = open_page(site)
    verify_page(page, fetch=False)
    page.get_by_label("A page that was opened").set_input_files(tmp_path / "photos")
    colophon = page.locator(".colophon")
    assert "manifest.json is not in the folder that was chosen" in verified(colophon)
    verify_page(page, fetch=False)
    assert page.get_by_label("A page that was opened").count() == 1


def test_where_hashes_can_not_be_computed_that_is_said(open_page, site, serve):
    page = open_page(serve(site))
    page.evaluate("Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })")
    verify_page(page, fetch=False)
    assert SECURE_ONLY in verified(page.locator(".colophon"))
    card = open_card(page)
    card.get_by_role("button", name="Verify").click()
    assert SECURE_ONLY in verified(card)
