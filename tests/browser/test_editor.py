"""Edits of an event roll: made, undone, heard, exported and imported; their sound to the bit."""

import functools
import json
import shutil
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from report import mix
from report.artifacts.media import decode
from sparse_codec import EventSet
from tests.browser.conftest import LOAD_ALL, wait_until
from tests.browser.test_roll import SOUNDING, centre, mark
from tests.processes import Running

RATE = 8000
IN_A_BIT = "document.querySelector('.verdict').textContent"


@pytest.fixture
def page(open_page):
    return open_page()


def press(page, name: str):
    page.locator(".roll").get_by_role("button", name=name, exact=True).click()


def exported(page, what: str) -> bytes:
    page.wait_for_timeout(110)  # Chromium takes at most ten downloads a second
    with page.expect_download() as download:
        press(page, f"Export {what}")
    return Path(download.value.path()).read_bytes()


def edit_of(page) -> dict:
    return json.loads(exported(page, "edit"))


@functools.cache
def stored(site: Path, digest: str) -> np.ndarray:
    return decode((site / "media" / f"{digest}.flac").read_bytes(), "audio/flac").samples


def summed(site: Path, edit: dict) -> bytes:
    """The samples that report.mix makes of an edit."""
    events = [event for event in edit["events"] if not event["muted"]]
    sounds = [stored(site, event["sound"]) for event in events]
    return mix(
        sounds, [e["start"] for e in events], [e["gain"] for e in events], edit["n_samples"]
    ).tobytes()


def published(page) -> str:
    """The SHA-256 that the reconstruction has as a WAV file, as the page names it."""
    return page.locator(".roll").get_attribute("data-mix-wav")


def change_much(page):
    """One edit of each kind."""
    mark(page, 5).focus()
    page.keyboard.press("Alt+Shift+ArrowRight")
    page.keyboard.press("Alt+ArrowLeft")
    page.get_by_role("slider", name="Gain").fill("-6.5")
    page.get_by_role("slider", name="Direction 2").fill("1")
    mark(page, 2).focus()
    page.get_by_role("combobox", name="Sound").select_option("higher tones")
    page.get_by_role("spinbutton", name="Time in seconds").fill("0.25")
    mark(page, 9).focus()
    press(page, "Mute")


def test_the_untouched_mix_is_the_published_reconstruction(page):
    page.get_by_role("button", name="Play the mix of Nine events.").click()
    wait_until(page, IN_A_BIT)
    words = page.locator(".verdict").text_content()
    named = f"(SHA-256 {published(page)[:12]}…)"
    assert words == f"The mix is the published reconstruction, bit for bit {named}."
    assert sha256(exported(page, "WAV")).hexdigest() == published(page)
    assert edit_of(page)["events"][4]["gain"] == 4096 and page.complaints == []


def test_an_untouched_roll_plays_one_file_and_events_come_with_an_edit(open_page, serve, site):
    page = open_page(serve(site))
    page.get_by_role("button", name="Play the mix of Nine events.").click()
    wait_until(page, IN_A_BIT)
    sounds = [url for url in page.requested if url.endswith(".flac")]
    assert [Path(url).name for url in sounds] == [
        Path(page.locator(".roll").get_attribute("data-mix-src")).name
    ]
    mark(page, 9).focus()
    press(page, "Mute")
    wait_until(page, f"{IN_A_BIT}.startsWith('Edited: 1 event muted')")
    assert len({url for url in page.requested if url.endswith(".flac")}) == 1 + 8
    sound = exported(page, "WAV")
    assert sound[44:] == summed(site, edit_of(page))
    press(page, "Undo")
    wait_until(page, f"{IN_A_BIT}.startsWith('The mix is the published')")


def test_that_is_computed_not_assumed(open_page, scripts, copied):
    text = (copied / "small.html").read_text()
    right, wrong = (f'data-mix-wav="{digest}' for digest in (published(scripts), "0" * 64))
    (copied / "small.html").write_text(text.replace(right, wrong))
    page = open_page(copied)
    page.get_by_role("button", name="Play the mix of Nine events.").click()
    wait_until(page, IN_A_BIT)
    words = page.locator(".verdict").text_content()
    assert words.startswith("The mix is not the published reconstruction (SHA-256")


def test_an_edited_mix_is_what_the_command_line_makes_of_the_edit(page, site, tmp_path):
    change_much(page)
    edit, sound = edit_of(page), exported(page, "WAV")
    assert sum(event["gain"] != 4096 for event in edit["events"]) == 1
    assert sum(event["muted"] for event in edit["events"]) == 1
    assert edit["events"][4]["start"] == 8400 + 800 - 80 and edit["events"][1]["start"] == 2000
    assert edit["events"][4]["gain"] == round(4096 * 10 ** (-6.5 / 20))
    assert sound[44:] == summed(site, edit)
    (tmp_path / "edit.json").write_text(json.dumps(edit))
    arguments = ["mix", tmp_path / "edit.json", "--site", site, "-o", tmp_path / "out.wav"]
    assert Running("report", arguments, tmp_path).wait().returncode == 0
    assert (tmp_path / "out.wav").read_bytes() == sound
    words = "Edited: 2 events moved, 1 with another gain, 2 with another sound, 1 muted (SHA-256 "
    wait_until(page, f"{IN_A_BIT} === '{words}{sha256(sound).hexdigest()[:12]}…).'")


def test_an_edit_survives_export_reload_and_import(page, tmp_path):
    change_much(page)
    edit = exported(page, "edit")
    sound = exported(page, "WAV")
    page.reload()
    page.evaluate(LOAD_ALL)
    (tmp_path / "edit.json").write_bytes(edit)
    page.locator("input[type=file]").set_input_files(tmp_path / "edit.json")
    wait_until(page, "document.querySelectorAll('.mark.muted').length === 1")
    assert exported(page, "edit") == edit and exported(page, "WAV") == sound


def test_undo_and_redo_are_exact(page):
    mark(page, 5).focus()
    states = [edit_of(page)]
    for key in ("Alt+ArrowRight", "Alt+ArrowRight", "Alt+Shift+ArrowLeft"):
        mark(page, 5).focus()
        page.keyboard.press(key)
        states.append(edit_of(page))
    press(page, "Random times")
    states.append(edit_of(page))
    for state in states[-2::-1]:
        mark(page, 5).focus()
        page.keyboard.press("Control+z")
        assert edit_of(page) == state
    assert sha256(exported(page, "WAV")).hexdigest() == published(page)
    assert page.get_by_role("button", name="Undo").get_attribute("aria-disabled") == "true"
    for state in states[1:3]:
        mark(page, 5).focus()
        page.keyboard.press("Control+Shift+z")
        assert edit_of(page) == state
    press(page, "Redo")
    press(page, "Redo")
    assert edit_of(page) == states[-1]
    press(page, "As published")
    assert edit_of(page) == states[0]


def test_solo_is_exported_as_muted_others(page, site):
    page.mouse.click(*centre(page, 5))
    press(page, "Solo")
    assert page.get_by_role("button", name="Solo").get_attribute("aria-pressed") == "true"
    edit = edit_of(page)
    assert [event["muted"] for event in edit["events"]] == [i != 4 for i in range(9)]
    assert exported(page, "WAV")[44:] == summed(site, edit)
    assert ", muted" in mark(page, 1).get_attribute("aria-label")
    press(page, "Solo")
    assert sha256(exported(page, "WAV")).hexdigest() == published(page)


def test_a_set_of_sounds_is_applied_to_all_events(page, site):
    press(page, "Higher tones")
    wait_until(page, f"{IN_A_BIT}.startsWith('Edited: 9 events with another sound')")
    edit = edit_of(page)
    file = site / page.locator(".roll").get_attribute("data-choices-src")
    choices = json.loads(file.read_text())
    assert [event["sound"] for event in edit["events"]] == choices["sets"]["higher tones"]
    assert exported(page, "WAV")[44:] == summed(site, edit)
    assert "0.30 seconds long" in mark(page, 3).get_attribute("aria-label")


def look_of(page, number):
    """Where a mark is, its colour, that of its line, and a new one of its row of vectors."""
    return page.evaluate(
        """(number) => {
          const mark = document.querySelector(`.roll .mark[aria-posinset='${number}']`);
          const canvas = document.querySelector('.roll .vectors canvas');
          const pixel = canvas.getContext('2d').getImageData(8, number - 1, 1, 1).data;
          return [mark.getAttribute('y'), mark.lastElementChild.getAttribute('fill'),
            mark.querySelector('line').getAttribute('stroke'), Array.from(pixel)];
        }""",
        number,
    )


def test_marks_and_vectors_follow_the_sounds_and_go_back_with_them(page):
    published = [look_of(page, number) for number in (1, 5)]
    assert published[1] == ["50.0%", "#4477aa", "#4477aa", [0, 0, 0, 0]]
    press(page, "Higher tones")
    wait_until(page, f"{IN_A_BIT}.startsWith('Edited: 9 events with another sound')")
    assert look_of(page, 1) == ["0.0%", "#000080", "#000080", [128, 0, 0, 255]]
    assert look_of(page, 5) == ["50.0%", "#640080", "#640080", [128, 0, 0, 255]]
    assert ", most like event 4" in mark(page, 5).get_attribute("aria-label")
    press(page, "Undo")
    assert look_of(page, 1)[1:] == published[0][1:] and look_of(page, 5)[3] == [0, 0, 0, 0]
    mark(page, 5).focus()
    page.get_by_role("slider", name="Direction 1").fill("-2")
    assert look_of(page, 5) == ["10.0%", "#123456", "#123456", [0, 0, 128, 255]]
    page.get_by_role("slider", name="Direction 1").fill("-1")  # a sound without a look
    assert look_of(page, 5)[1:] == published[1][1:]


def test_an_event_with_the_sound_of_another_looks_like_that(page, tmp_path):
    edit = edit_of(page)
    edit["events"][4]["sound"] = edit["events"][8]["sound"]
    (tmp_path / "edit.json").write_text(json.dumps(edit))
    page.locator("input[type=file]").set_input_files(tmp_path / "edit.json")
    wait_until(page, f"{IN_A_BIT}.startsWith('Edited: 1 event with another sound')")
    assert float(mark(page, 5).get_attribute("y")[:-1]) == float(
        mark(page, 9).get_attribute("y")[:-1]
    )


def test_one_direction_at_a_time_is_off_centre(page):
    mark(page, 5).focus()
    page.keyboard.press("Enter")
    first, second = (page.get_by_role("slider", name=f"Direction {i}") for i in (1, 2))
    first.focus()
    page.keyboard.press("ArrowRight")
    assert first.get_attribute("aria-valuetext") == "+1"
    wait_until(page, SOUNDING + ".startsWith('Event 5,')")
    second.focus()
    page.keyboard.press("End")
    assert (first.input_value(), second.input_value()) == ("0", "2")
    second.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert second.get_attribute("aria-valuetext") == "as it is"
    assert sha256(exported(page, "WAV")).hexdigest() == published(page)


def test_an_edit_is_heard_at_once_and_playing_goes_on_where_it_was(page):
    slider = page.get_by_role("slider", name="Position in the mix")
    slider.focus()
    page.keyboard.press("PageDown")
    page.keyboard.press("Enter")
    now = "Number(document.querySelector('.timeline .wave').ariaValueNow)"
    wait_until(page, f"{now} > 0.7")
    mark(page, 9).focus()
    page.keyboard.press("Alt+Shift+ArrowLeft")
    wait_until(page, f"{IN_A_BIT}.startsWith('Edited')")
    assert page.locator(".desk.playing").count() == 1
    assert 0.7 <= page.evaluate(now) < 2.0
    press(page, "Pause the mix of Nine events.")
    stopped = page.evaluate(now)
    page.wait_for_timeout(200)
    assert page.evaluate(now) == stopped


def test_the_first_press_meets_its_button_though_more_controls_come(page):
    mark(page, 5).focus()
    page.get_by_role("button", name="Random times").hover()
    page.mouse.down()
    page.wait_for_timeout(500)  # nothing comes before the button is released
    page.mouse.up()
    page.locator(".roll fieldset").wait_for()
    assert page.get_by_role("button", name="Undo").get_attribute("aria-disabled") == "false"


def library_times(seed: int, n: int, until: int) -> list[int]:
    """The times that the library and the command line draw."""
    columns = np.zeros((n, 4)), np.arange(n), np.zeros(n), np.ones(n)
    return EventSet(*columns, until, RATE, hop=193).randomise_times(seed).onsets.tolist()


@pytest.mark.parametrize(
    ("seed", "n", "until"), [(0, 9, 24000), (1, 1, 1), (3, 500, 65536), (2**31 - 1, 40, 2**36)]
)
def test_the_page_draws_the_times_that_the_library_draws(scripts, seed, n, until):
    drawn = scripts.evaluate("(given) => draws.times(...given)", [seed, n, until])
    assert drawn == library_times(seed, n, until)


def test_random_times_are_those_of_a_seed_that_is_named_and_the_mix_plays(page):
    for seed in (1, 2):
        press(page, "Random times")
        words = f"Edited: 9 events moved to the random times of seed {seed} (SHA-256 "
        wait_until(page, f"{IN_A_BIT}.startsWith('{words}')")
        wait_until(page, "document.querySelector('.desk.playing')")
        assert [e["start"] for e in edit_of(page)["events"]] == library_times(seed, 9, 24000)
    press(page, "Undo")
    wait_until(page, f"{IN_A_BIT}.includes('of seed 1')")
    mark(page, 5).focus()
    page.keyboard.press("Alt+ArrowLeft")
    wait_until(page, f"{IN_A_BIT}.startsWith('Edited: 9 events moved (SHA')")


@pytest.mark.parametrize("button", ["Higher tones", "As published"])
def test_what_changes_all_events_is_heard(page, button):
    mark(page, 5).focus()
    page.keyboard.press("Alt+ArrowLeft")
    press(page, button)
    wait_until(page, "document.querySelector('.desk.playing')")


def test_a_start_stays_inside_the_roll(page):
    for _ in range(4):
        mark(page, 1).focus()
        page.get_by_role("spinbutton", name="Time in seconds").fill("99")
    assert edit_of(page)["events"][0]["start"] == 23999


def test_an_edit_may_begin_before_the_roll_and_after_it(page, site, tmp_path):
    edit = edit_of(page)
    edit["events"][2]["start"], edit["events"][4]["start"] = -1600, 30000
    (tmp_path / "edit.json").write_text(json.dumps(edit))
    page.locator("input[type=file]").set_input_files(tmp_path / "edit.json")
    wait_until(page, f"{IN_A_BIT}.startsWith('Edited: 2 events moved')")
    assert [mark(page, i).get_attribute("x") for i in (3, 5)] == ["0%", "100%"]
    assert ", at −0.20 seconds," in mark(page, 3).get_attribute("aria-label")
    assert edit_of(page) == edit and exported(page, "WAV")[44:] == summed(site, edit)
    mark(page, 3).focus()
    page.keyboard.press("Alt+ArrowRight")
    assert edit_of(page)["events"][2]["start"] == -1520
    mark(page, 3).focus()
    page.keyboard.press("Shift+Enter")
    wait_until(page, SOUNDING)
    now, plot = (page.locator(f".roll {name}").bounding_box() for name in (".now", ".plot"))
    assert now["x"] >= plot["x"] - 2
    assert page.complaints == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": 2}, '"schema" is 2; this page reads 1'),
        ({"title": 3}, '"title" is 3; it has to be text'),
        ({"samplerate": 44100}, '"samplerate" is 44100; this roll has 8000'),
        ({"n_samples": "long"}, '"n_samples" is "long"; this roll has 24000'),
        ({"events": []}, '"events" has to be a list of 9 events'),
        ({"sound": "0" * 64}, "this roll has no such sound"),
        (
            {"start": 1.5},
            'event 3: "start" is 1.5; it has to be a whole number from -268435456 to 268435456',
        ),
        ({"gain": -1}, 'event 3: "gain" is -1; it has to be a whole number from 0 to 65536'),
        ({"muted": None}, 'event 3: "muted" is null; it has to be true or false'),
    ],
)
def test_a_wrong_edit_is_refused_in_words(page, tmp_path, change, words):
    edit = edit_of(page)
    (edit if set(change) <= set(edit) else edit["events"][2]).update(change)
    (tmp_path / "edit.json").write_text(json.dumps(edit))
    page.locator("input[type=file]").set_input_files(tmp_path / "edit.json")
    page.locator(".roll .failure").wait_for()
    assert words in page.locator(".roll .failure").text_content()
    assert page.get_by_role("button", name="Undo").get_attribute("aria-disabled") == "true"


def test_a_file_that_is_no_json_is_refused_in_words(page, tmp_path):
    (tmp_path / "edit.json").write_text("<p>")
    page.locator("input[type=file]").set_input_files(tmp_path / "edit.json")
    page.locator(".roll .failure").wait_for()
    assert page.locator(".roll .failure").text_content() == "This file is no edit: it is not JSON."


def test_a_missing_sound_is_said_in_words_and_may_come_back(open_page, copied):
    shutil.move(copied / "offline", copied / "elsewhere")
    page = open_page(copied)
    page.mouse.click(*centre(page, 5))
    failure = page.locator(".roll .field + .failure")
    failure.wait_for()
    digest = Path(page.locator(".roll td a").nth(4).get_attribute("href")).stem
    wait_until(page, f"document.querySelector('.failure').textContent.includes('{digest[:8]}')")
    why = f"the file {digest[:8]}… is missing. Press again to try again."
    assert failure.text_content() == f"This sound can not be loaded: {why}"
    press(page, "Higher tones")
    below = page.locator(".roll .tools + .failure")
    below.wait_for()
    assert below.text_content().endswith("… is missing. Press again to try again.")
    shutil.move(copied / "elsewhere", copied / "offline")
    page.mouse.click(*centre(page, 5))
    wait_until(page, SOUNDING)
    assert page.locator(".roll .failure").count() == 0


def test_missing_choices_are_said_in_words_and_asked_for_again(open_page, copied):
    page = open_page(copied)
    digest = Path(page.locator(".roll").get_attribute("data-choices-src")).stem
    file = copied / "offline" / f"{digest}.js"
    file.rename(file.with_suffix(".away"))
    page.mouse.click(*centre(page, 5))
    page.locator(".roll .failure").wait_for()
    why = f"the file {digest[:8]}… is missing. Press again to try again."
    assert page.locator(".roll .failure").text_content() == f"This file can not be loaded: {why}"
    file.with_suffix(".away").rename(file)
    page.mouse.click(*centre(page, 5))
    page.locator(".roll fieldset").wait_for()
    wait_until(page, "!document.querySelector('.roll .failure')")


def test_it_works_from_a_server_whose_media_lie_elsewhere(open_page, scripts, copied, serve):
    digest = published(scripts)
    (copied / "far").mkdir()
    shutil.move(copied / "media", copied / "far" / "media")
    text = (copied / "small.html").read_text()
    text = text.replace('src="media/', 'src="far/media/').replace(
        'href="media/', 'href="far/media/'
    )
    (copied / "small.html").write_text(text)
    page = open_page(serve(copied))
    assert not [url for url in page.requested if url.endswith((".flac", ".json"))]
    assert sha256(exported(page, "WAV")).hexdigest() == digest
    press(page, "Higher tones")
    wait_until(page, f"{IN_A_BIT}.startsWith('Edited: 9 events with another sound')")
    assert page.complaints == []
