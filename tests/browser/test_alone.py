"""A roll whose events add one sound to the mix, and have another by themselves."""

import json
import re
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from report import mix
from tests.browser.alone import LEADS, RATE, SLACK, STARTS
from tests.browser.conftest import open_menu, wait_until
from tests.browser.test_decomposition import LISTEN, heard
from tests.browser.test_editor import IN_A_BIT, edit_of, exported, press, published, stored, summed
from tests.browser.test_roll import SOUNDING, mark
from tests.processes import Running

PLAY = "Play the mix of Five events."


@pytest.fixture(scope="session")
def roll(build_pages) -> Path:
    return build_pages("alone")


@pytest.fixture
def page(open_page, roll):
    return open_page(roll, "alone.html")


def sounds_of(page, number: int) -> tuple[str, str]:
    """The hashes of an event's part of the mix, and of how it sounds alone."""
    row = page.locator(".roll tr[data-start]").nth(number - 1)
    alone = row.locator("a").get_attribute("href")
    return Path(row.get_attribute("data-part-src") or alone).stem, Path(alone).stem


def placed(page) -> list[tuple[str, int]]:
    return [(event["sound"], event["start"]) for event in edit_of(page)["events"]]


def loaded(page) -> set[str]:
    """The hashes of the sounds that were fetched."""
    return set(re.findall(r"offline/([0-9a-f]{64})\.js", "\n".join(page.requested)))


def move(page, number: int, seconds: float):
    mark(page, number).focus()
    page.get_by_role("spinbutton", name="Time in seconds").fill(f"{seconds:.5f}")
    page.keyboard.press("Tab")


def test_the_untouched_mix_places_parts_and_loads_the_published_mix_alone(page, roll):
    parts = [sounds_of(page, number)[0] for number in range(1, 6)]
    page.get_by_role("button", name=PLAY).click()
    wait_until(page, f"{IN_A_BIT}.startsWith('The mix is the published')")
    assert placed(page) == [
        (part, start - lead) for part, start, lead in zip(parts, STARTS, LEADS, strict=True)
    ]
    assert sha256(exported(page, "WAV")).hexdigest() == published(page)
    figure = page.locator(".roll")
    mixed, choices = (
        Path(figure.get_attribute(f"data-{name}-src")).stem for name in ("mix", "choices")
    )
    assert loaded(page) - {choices} == {mixed}
    assert page.complaints == []


def test_an_event_by_itself_is_heard_as_it_sounds_alone(page, roll):
    page.evaluate(LISTEN)
    part, alone = sounds_of(page, 2)
    mark(page, 2).focus()
    page.keyboard.press("Enter")
    wait_until(page, SOUNDING)
    assert np.array_equal(heard(page), stored(roll, alone)) and part not in loaded(page)
    assert "0.42 seconds long" in mark(page, 2).get_attribute("aria-label")
    mark(page, 5).focus()  # one sound serves, and begins ahead of the event
    page.keyboard.press("Enter")
    assert np.array_equal(heard(page, 2), stored(roll, sounds_of(page, 5)[1]))
    assert page.complaints == []


def test_an_event_that_is_moved_away_sounds_as_alone_and_one_that_comes_back_is_a_part(
    page, roll, tmp_path
):
    part, alone = sounds_of(page, 1)
    others = placed(page)[1:]
    for samples, sound, start in (
        (SLACK, part, STARTS[0] + SLACK - LEADS[0]),
        (SLACK + 1, alone, STARTS[0] + SLACK + 1),
        (8000, alone, STARTS[0] + 8000),
        (-SLACK, part, STARTS[0] - SLACK - LEADS[0]),
    ):
        move(page, 1, (STARTS[0] + samples) / RATE)
        assert placed(page) == [(sound, start), *others]
        edit = edit_of(page)
        assert exported(page, "WAV")[44:] == summed(roll, edit)
    for expected in (alone, alone, part, part):
        press(page, "Undo")
        assert placed(page)[0][0] == expected
    assert sha256(exported(page, "WAV")).hexdigest() == published(page)


def test_gains_and_muted_others_leave_the_parts(page, roll):
    before = placed(page)
    mark(page, 3).focus()
    page.get_by_role("slider", name="Gain").fill("-6.5")
    press(page, "Mute")
    mark(page, 4).focus()
    press(page, "Solo")
    assert placed(page) == before
    assert exported(page, "WAV")[44:] == summed(roll, edit_of(page))
    assert not loaded(page) & {sounds_of(page, number)[1] for number in range(1, 5)}


def test_an_edit_is_what_the_command_line_makes_of_it_and_survives_an_import(page, roll, tmp_path):
    move(page, 1, 1.7)
    move(page, 5, 0.4)
    mark(page, 2).focus()
    page.get_by_role("combobox", name="Sound").select_option("higher tones")
    edit, sound = exported(page, "edit"), exported(page, "WAV")
    assert sound[44:] == summed(roll, json.loads(edit))
    words = "Edited: 2 events moved, 1 heard as alone, 1 with another sound (SHA-256 "
    wait_until(page, f"{IN_A_BIT}.startsWith('{words}')")
    (tmp_path / "edit.json").write_bytes(edit)
    arguments = ["mix", tmp_path / "edit.json", "--site", roll, "-o", tmp_path / "out.wav"]
    assert Running("report", arguments, tmp_path).wait().returncode == 0
    assert (tmp_path / "out.wav").read_bytes() == sound
    page.get_by_role("combobox", name="Sound").select_option("as stored")
    assert placed(page)[1] == (sounds_of(page, 2)[0], STARTS[1] - LEADS[1])
    press(page, "As published")
    assert sha256(exported(page, "WAV")).hexdigest() == published(page)
    page.locator("input[type=file]").set_input_files(tmp_path / "edit.json")
    wait_until(page, f"{IN_A_BIT}.startsWith('Edited: 2 events moved')")
    assert exported(page, "edit") == edit and exported(page, "WAV") == sound


def test_an_imported_edit_is_taken_at_its_word(page, roll, tmp_path):
    """A part far off and a lone sound in its own place are heard as the file says."""
    edit = edit_of(page)
    edit["events"][1]["start"] += 4000
    edit["events"][2]["sound"] = sounds_of(page, 3)[1]
    edit["events"][3]["sound"] = sounds_of(page, 1)[0]  # that of another, with its lead
    (tmp_path / "edit.json").write_text(json.dumps(edit))
    page.locator("input[type=file]").set_input_files(tmp_path / "edit.json")
    wait_until(page, f"{IN_A_BIT}.startsWith('Edited: 2 events moved, 1 heard as alone, 1 with')")
    assert edit_of(page) == edit and exported(page, "WAV")[44:] == summed(roll, edit)


def test_a_link_to_a_moved_event_loads_the_lone_sound_of_that_one_only(open_page, roll):
    anchor = "events"
    page = open_page(roll, "alone.html", hash=f"#clip={anchor}&event=2&moved=2:12000")
    assert loaded(page) == set()
    assert page.get_by_role("spinbutton", name="Time in seconds").input_value() == "1.500"
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    open_menu(page, "Five events")
    page.get_by_role("button", name="Link to Five events").click()
    wait_until(page, "window.copied")
    assert page.evaluate("window.copied").endswith(f"#clip={anchor}&event=2&moved=2:12000")
    mark(page, 2).focus()
    page.keyboard.press("Shift+Enter")
    wait_until(page, f"{IN_A_BIT}.startsWith('Edited: 1 event moved, 1 heard as alone')")
    parts = {sounds_of(page, number)[0] for number in (1, 3, 4, 5)}
    choices = Path(page.locator(".roll").get_attribute("data-choices-src")).stem
    assert loaded(page) == {*parts, sounds_of(page, 2)[1], choices}


def test_random_times_are_those_of_events_as_they_sound_alone(page, roll):
    press(page, "Random times")
    wait_until(page, f"{IN_A_BIT}.includes('of seed 1, 4 heard as alone')")
    assert [sound for sound, _ in placed(page)] == [sounds_of(page, n)[1] for n in range(1, 6)]
    assert exported(page, "WAV")[44:] == summed(roll, edit_of(page))


def test_a_decomposition_takes_off_parts_and_lets_an_event_be_heard_alone(page, roll):
    page.evaluate(LISTEN)
    film = page.locator(".decomposition")
    film.get_by_role("slider", name="Step of").fill("2")
    film.get_by_role("button", name=re.compile("^Play ")).click()
    parts = [stored(roll, sounds_of(page, number)[0]) for number in (1, 2)]
    begins = [start - lead for start, lead in zip(STARTS, LEADS, strict=True)][:2]
    assert np.array_equal(heard(page), mix(parts, begins, [4096] * 2, 24000))
    film.get_by_role("radio", name="The event of this step").check()
    alone = stored(roll, sounds_of(page, 2)[1])
    assert np.array_equal(heard(page, 2), mix([alone], [STARTS[1]], [4096], STARTS[1] + alone.size))


def test_a_page_without_scripts_links_to_events_as_they_sound_alone(open_page, roll):
    page = open_page(roll, "alone.html", java_script_enabled=False)
    names = [Path(link.get_attribute("href")).name for link in page.locator(".roll td a").all()]
    assert [stored(roll, Path(name).stem).size for name in names] == [3200, 3360, 3520, 3680, 4640]
    assert page.get_by_text("an event is heard as it sounds alone").is_visible()


@pytest.mark.parametrize("width", [1280, 720])
def test_many_pictures_of_a_comparison_stand_in_rows_in_which_labels_fit(open_page, roll, width):
    page = open_page(roll, "alone.html", viewport={"width": width, "height": 900})
    boxes = [box.bounding_box() for box in page.locator(".compare .version .spectrogram").all()]
    assert [boxes.index(box) for box in boxes if box["x"] == boxes[0]["x"]] == [0, 3]
    assert {box["y"] for box in boxes[:3]} == {boxes[0]["y"]}
    sticking_out = """() => [...document.querySelectorAll('.compare .choice')]
      .filter((label) => label.scrollWidth > label.clientWidth).length"""
    assert page.evaluate(sticking_out) == 0
