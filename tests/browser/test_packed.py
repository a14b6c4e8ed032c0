"""A roll whose events are stretches of a few files."""

import json
import re
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from report.artifacts.media import to_wav
from report.sharing.edit import mix_edit, read_edit
from report.site.locate import open_site
from report.storage.addresses import open_storage
from tests.browser.conftest import wait_until
from tests.browser.packed import LEAD, LENGTHS, RATE, STARTS, tone
from tests.browser.test_alone import loaded, move
from tests.browser.test_decomposition import LISTEN, heard
from tests.browser.test_editor import IN_A_BIT, edit_of, exported, press, published
from tests.browser.test_roll import mark


@pytest.fixture(scope="session")
def site(build_pages) -> Path:
    return build_pages("packed")


@pytest.fixture
def page(open_page, site):
    return open_page(site, "packed.html")


def test_the_untouched_mix_is_the_sum_of_stretches(page, site):
    events = edit_of(page)["events"]
    assert [event["start"] for event in events] == [start - LEAD for start in STARTS]
    assert [event["length"] for event in events[:5]] == LENGTHS[:5]
    assert [event["first"] for event in events[:5]] == [0, 1000, 2300, 0, 1900]
    assert "first" not in events[5] and "length" not in events[5]  # it is a whole file
    assert len({event["sound"] for event in events}) == 3
    assert sha256(exported(page, "WAV")).hexdigest() == published(page)
    mark(page, 2).focus()
    press(page, "Mute")
    press(page, "Mute")  # so it is summed up
    wait_until(page, f"{IN_A_BIT}.startsWith('The mix is the published')")
    assert page.complaints == []


def test_the_command_line_makes_the_same_of_an_edit_and_the_page_takes_it_back(
    page, site, tmp_path
):
    move(page, 1, 1.2)
    mark(page, 3).focus()
    page.get_by_role("combobox", name="Sound").select_option("higher tones")
    edit, sound = exported(page, "edit"), exported(page, "WAV")
    place = open_site(open_storage(str(site)))
    assert mix_edit(read_edit(edit), place).tobytes() == sound[44:]
    wait_until(page, f"{IN_A_BIT}.startsWith('Edited: 1 event moved, 1 heard as alone, 1 with')")
    press(page, "As published")
    assert sha256(exported(page, "WAV")).hexdigest() == published(page)
    (tmp_path / "edit.json").write_bytes(edit)
    page.locator("input[type=file]").set_input_files(tmp_path / "edit.json")
    wait_until(page, f"{IN_A_BIT}.startsWith('Edited: 1 event moved')")
    assert exported(page, "edit") == edit and exported(page, "WAV") == sound
    shifted = json.loads(edit)
    shifted["events"][0]["first"] += 1  # no event of this roll sounds so
    (tmp_path / "edit.json").write_text(json.dumps(shifted))
    page.locator("input[type=file]").set_input_files(tmp_path / "edit.json")
    wait_until(page, "document.body.innerText.includes('this roll has no such sound')")


def test_an_event_by_itself_is_its_stretch_of_one_file(page):
    page.evaluate(LISTEN)
    row = page.locator(".roll tr[data-start]").nth(1)
    link = row.locator("a").get_attribute("href")
    (file,) = re.findall(r"media/([0-9a-f]{64})\.flac#t=0\.125,0\.287&samples=1000,1300$", link)
    mark(page, 2).focus()
    page.keyboard.press("Enter")
    assert np.array_equal(heard(page), tone(1, 205.0)) and file in loaded(page)
    assert f"{LENGTHS[1] / RATE:.2f}" == row.locator("td").nth(2).text_content().strip()
    assert page.complaints == []


def test_a_decomposition_sums_stretches(page):
    figure = page.locator(".decomposition")
    page.evaluate(LISTEN)
    figure.get_by_role("button", name="Jump to step 6").click()
    figure.get_by_role("button", name=re.compile("^Play")).first.click()
    assert sha256(to_wav(heard(page), RATE)).hexdigest() == published(page)
