"""Decompositions: a walk through the residuals, and the sound of what is taken off or left."""

import re
from hashlib import sha256

import numpy as np
import pytest

from report.artifacts.media import decode, to_wav
from report.mix import UNITY, mix
from tests.browser.conftest import LOAD_ALL, wait_until

RATE, LENGTH = 8000, 24000
TAKEN, EVENT, LEFT = "What was taken off", "The event of this step", "What is left"
STATUS = "document.querySelector('.decomposition .status').textContent"
STARTS = [8000 * (i % 3) + 400 for i in range(9)]

# Keep all that the page plays from now on: its samples, where it began and its loop.
LISTEN = """(() => {
  window.played = [];
  const play = sound.play;
  sound.play = (buffer, options) => {
    const voice = play(buffer, options);
    const samples = Array.from(buffer.getChannelData(0), (value) => value * 32768);
    window.played.push({ samples, from: options.from, loop: options.loop, voice });
    return voice;
  };
})()"""


@pytest.fixture(params=["from a disk", "from a server"])
def page(request, open_page, serve, site):
    page = open_page(site if request.param == "from a disk" else serve(site))
    page.evaluate(LISTEN)
    return page


@pytest.fixture
def disk_page(open_page):
    page = open_page()
    page.evaluate(LISTEN)
    return page


def element(page):
    return page.locator(".decomposition")


def go(page, step):
    element(page).get_by_role("slider", name="Step of").fill(str(step))


def choose(page, text):
    element(page).get_by_role("radio", name=text).check()


def play(page):
    element(page).get_by_role("button", name=re.compile("^Play ")).click()


def hear(page, text):
    choose(page, text)
    if not element(page).get_by_role("button", name=re.compile("^Pause ")).count():
        play(page)


def played(page):
    return page.evaluate("played.length")


def status(page):
    return element(page).locator(".status").text_content()


def begun(page, number=1):
    """Wait until the first, second … sound has begun."""
    wait_until(page, f"played.length >= {number}")


def heard(page, number=1):
    """The samples of the sound that was played as the first, second …"""
    begun(page, number)
    return np.array(page.evaluate(f"played[{number - 1}].samples"), np.int16)


def event(site, page, i):
    """The samples of event i of the roll, counted from 1."""
    address = page.locator(".roll tr[data-start] a").nth(i - 1).get_attribute("href")
    return decode((site / address).read_bytes(), "audio/flac").samples


def summed(site, page, numbers):
    sounds = [event(site, page, i) for i in numbers]
    return mix(sounds, [STARTS[i - 1] for i in numbers], [UNITY] * len(sounds), LENGTH)


def original(site, page):
    address = element(page).locator(".left audio").get_attribute("src")
    return decode((site / address).read_bytes(), "audio/flac").samples


def frames(samples):
    """Hann windows of 2048 samples, 512 apart, that reach over both ends."""
    padded = np.pad(samples.astype(float), (2048 - 512, 2048))
    window = np.hanning(2049)[:-1]
    starts = range(0, samples.size + 2048 - 512, 512)
    return np.array([window * padded[start : start + 2048] for start in starts])


def left(site, page, n):
    """What is left after n events: the original's spectrogram less theirs, with its phases."""
    whole = original(site, page)
    spectrum = np.fft.rfft(frames(whole))
    taken = sum(abs(np.fft.rfft(frames(summed(site, page, [i])))) for i in range(1, n + 1))
    parts = np.fft.irfft(np.maximum(abs(spectrum) - taken, 0) * np.exp(1j * np.angle(spectrum)))
    sound = np.zeros(whole.size + 3 * 2048)
    for k, part in enumerate(parts * np.hanning(2049)[:-1]):
        sound[512 * k : 512 * k + 2048] += part / 1.5  # so much do the squared windows sum to
    return np.floor(sound[2048 - 512 :][: whole.size] + 0.5).astype(np.int16)


def same_but_for_rounding(samples, expected):
    return np.abs(samples.astype(int) - expected).max() <= 1


def saved(page):
    with page.expect_download() as download:
        element(page).get_by_role("button", name="Save WAV").click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def test_nothing_is_fetched_before_the_first_press(page):
    page.wait_for_timeout(300)
    assert not [
        url for url in page.requested if url.endswith((".flac", ".webp")) or "/offline/" in url
    ]
    assert status(page) == "Step 0 of 9: nothing is taken off yet"
    assert element(page).get_by_role("button", name="Play what was taken off").is_enabled()
    checked = [radio.is_checked() for radio in element(page).get_by_role("radio").all()]
    assert checked == [True, False, False]
    assert not element(page).get_by_role("slider", name="Position in what is heard").is_visible()
    assert not element(page).get_by_role("button", name="Loop a part").is_visible()


@pytest.mark.parametrize("text", [TAKEN, EVENT])
def test_played_at_rest_it_comes_to_the_first_step(page, site, text):
    hear(page, text)
    sounds = {TAKEN: summed(site, page, [1]), EVENT: event(site, page, 1)}
    expected = sounds[text]
    samples = heard(page)
    assert np.array_equal(samples[-expected.size :], expected) and played(page) == 1
    assert status(page).startswith("Step 1 of 9")
    assert element(page).get_by_role("slider", name="Position in what is heard").is_visible()
    assert page.complaints == []


def test_all_events_taken_off_are_the_published_reconstruction(page, site):
    go(page, 9)
    hear(page, TAKEN)
    samples = heard(page)
    roll = page.locator(".roll")
    stored = decode((site / roll.get_attribute("data-mix-src")).read_bytes(), "audio/flac")
    assert np.array_equal(samples, stored.samples)
    wav = to_wav(samples, RATE)
    assert sha256(wav).hexdigest() == roll.get_attribute("data-mix-wav")
    assert saved(page) == ("events-1-to-9.wav", wav)
    assert page.complaints == []


def test_a_step_is_heard_as_the_sum_so_far_as_its_event_and_as_what_is_left(page, site):
    go(page, 5)
    peak = page.locator(".roll tr[data-start]").nth(4).locator("td").nth(3).text_content()
    assert status(page) == f"Step 5 of 9: at 1.05 s, 0.40 s long, peak {peak.strip()} dBFS"
    hear(page, TAKEN)
    assert np.array_equal(heard(page, 1), summed(site, page, range(1, 6)))
    hear(page, EVENT)
    ends = STARTS[4] + event(site, page, 5).size
    assert np.array_equal(heard(page, 2), summed(site, page, [5])[:ends])
    assert page.evaluate("played[1].from") == STARTS[4] / RATE
    hear(page, LEFT)
    assert same_but_for_rounding(heard(page, 3), left(site, page, 5))
    assert page.complaints == []


def test_no_sound_is_fetched_but_the_events_and_the_original(open_page, serve, site):
    page = open_page(serve(site))
    page.evaluate(LISTEN)
    go(page, 4)
    for number, text in enumerate((TAKEN, EVENT, LEFT), 1):
        hear(page, text)
        begun(page, number)
    fetched = {url.rpartition("/")[2] for url in page.requested if url.endswith(".flac")}
    events = [page.locator(".roll tr[data-start] a").nth(i).get_attribute("href") for i in range(4)]
    events.append(element(page).locator(".left audio").get_attribute("src"))
    assert fetched == {address.removeprefix("media/") for address in events}


def test_steps_are_walked_by_buttons_and_by_keys(disk_page):
    page = disk_page
    slider = element(page).get_by_role("slider", name="Step of")
    slider.press("End")
    assert status(page).startswith("Step 9 of 9")
    slider.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == status(page)
    assert status(page).startswith("Step 8 of 9: at 1.05 s")
    element(page).get_by_role("button", name="Next step").press("Enter")
    assert status(page).startswith("Step 9 of 9")
    element(page).get_by_role("button", name="Jump to step 4", exact=True).click()
    assert status(page).startswith("Step 4 of 9")
    picture = "document.querySelector('.decomposition canvas')?.getAttribute('aria-label')"
    wait_until(page, f"/Step 4 of 9/.test({picture})")
    slider.press("Home")
    assert status(page).startswith("Step 0 of 9")


def test_a_step_on_while_it_sounds_goes_on_at_the_same_place(disk_page, site):
    page = disk_page
    go(page, 2)
    hear(page, TAKEN)
    begun(page)
    wait_until(page, "played[0].voice.position() > 0.35")
    element(page).get_by_role("button", name="Next step").click()
    begun(page, 2)
    assert element(page).get_by_role("button", name="Pause what was taken off").count() == 1
    go(page, 0)
    assert element(page).locator(".playing").count() == 0
    assert page.evaluate("played[1].from") > 0.3
    assert np.array_equal(heard(page, 2), summed(site, page, [1, 2, 3]))


@pytest.mark.parametrize("step", [0, 1, 7, 9])
def test_what_is_left_is_that_of_the_very_step(disk_page, site, step):
    page = disk_page
    go(page, step)
    hear(page, LEFT)
    assert same_but_for_rounding(heard(page), left(site, page, step))
    assert step or np.array_equal(heard(page), original(site, page))
    assert status(page).startswith(f"Step {step} of 9")
    assert saved(page)[0] == f"left-after-{step}.wav" and page.complaints == []


def test_events_that_are_the_sound_leave_nothing(scripts):
    """An event takes off what it is, whatever its phases: here those of the sound, turned round."""
    samples = np.random.default_rng(1).integers(-9000, 9000, 6000).tolist()
    leave = """async (samples) => Math.max(...(await subtraction.subtract(Int16Array.from(samples),
      [{ samples: Int16Array.from(samples, (value) => -value), start: 0 }])).map(Math.abs))"""
    assert scripts.evaluate(leave, samples) == 0


def test_what_is_asked_for_is_heard_though_the_sound_before_ends_meanwhile(open_page, serve, site):
    page = open_page(serve(site))
    page.evaluate(LISTEN)
    go(page, 1)
    hear(page, EVENT)
    begun(page)
    held = []
    page.route("**/media/*.flac", lambda route: held.append(route))
    choose(page, LEFT)
    wait_until(page, "played[0].voice.position() > 0.39")
    page.wait_for_timeout(200)
    assert played(page) == 1 and len(held) == 1
    held[0].continue_()
    assert same_but_for_rounding(heard(page, 2), left(site, page, 1))


def test_a_step_on_while_what_is_left_sounds_is_heard(disk_page, site):
    page = disk_page
    go(page, 4)
    hear(page, LEFT)
    begun(page)
    go(page, 5)
    assert same_but_for_rounding(heard(page, 2), left(site, page, 5))


def test_a_run_is_heard_from_step_to_step_whatever_was_chosen(disk_page, site):
    page = disk_page
    choose(page, LEFT)
    element(page).get_by_role("button", name="Run through with sound").click()
    assert element(page).get_by_role("radio", name=TAKEN).is_checked()
    element(page).get_by_role("button", name="Stop", exact=True).wait_for()
    assert np.array_equal(heard(page, 1), summed(site, page, [1]))
    wait_until(page, f"/Step 9 of 9/.test({STATUS})")
    element(page).get_by_role("button", name="Run through with sound").wait_for()
    wait_until(page, "played.length > 3")
    element(page).get_by_role("button", name="Pause what was taken off").click()
    assert page.complaints == []


def test_a_run_that_comes_to_the_end_of_the_sound_goes_on_with_its_beginning(disk_page):
    page = disk_page
    width = element(page).locator(".frame").bounding_box()["width"]
    element(page).locator(".frame").click(position={"x": 0.95 * width, "y": 5})
    element(page).get_by_role("button", name="Run through with sound").click()
    wait_until(page, f"/Step 9 of 9/.test({STATUS})")
    begins = page.evaluate("played.map((one) => one.from)")
    assert begins[0] > 2.8 and begins[-1] < 1.5
    assert element(page).get_by_role("button", name="Pause what was taken off").count() == 1


def test_a_run_ends_with_its_sound(open_page):
    page = open_page(near=False)
    page.locator(".decomposition .frame").evaluate("frame => { frame.dataset.seconds = '6'; }")
    page.evaluate(LOAD_ALL)  # a slow film, so that its end does not come first
    run = element(page).get_by_role("button", name="Run through with sound")
    for ends in (
        lambda: element(page).get_by_role("button", name="Stop", exact=True).click(),
        lambda: element(page).get_by_role("button", name="Pause what was taken off").click(),
        lambda: page.get_by_role("button", name="Play Long tone").click(),
    ):
        go(page, 1)
        run.click()
        wait_until(page, f"/Step [2-8] of 9/.test({STATUS})")
        ends()
        run.wait_for()
        held = status(page)
        page.wait_for_timeout(400)
        assert status(page) == held and element(page).locator(".playing").count() == 0


def test_a_move_by_hand_ends_the_run_and_its_sound_goes_on(disk_page, site):
    page = disk_page
    element(page).get_by_role("button", name="Run through with sound").click()
    begun(page)
    choose(page, EVENT)
    element(page).get_by_role("button", name="Run through with sound").wait_for()
    held = status(page)
    page.wait_for_timeout(300)
    assert status(page) == held


def test_another_choice_is_heard_at_once_and_space_holds_it(disk_page, site):
    page = disk_page
    go(page, 4)
    hear(page, TAKEN)
    begun(page)
    choose(page, LEFT)
    begun(page, 2)
    element(page).get_by_role("radio", name=LEFT).press(" ")
    assert element(page).get_by_role("button", name="Play what is left").count() == 1
    go(page, 5)
    element(page).get_by_role("slider", name="Step of").press(" ")
    element(page).get_by_role("button", name="Pause what is left").wait_for()


def test_the_waveform_is_that_of_what_the_button_plays_or_not_there(disk_page):
    page = disk_page
    line = element(page).get_by_role("slider", name="Position in what is heard")
    go(page, 4)
    hear(page, TAKEN)
    begun(page)
    element(page).get_by_role("button", name="Pause what was taken off").click()
    assert line.is_visible()
    go(page, 5)
    assert not line.is_visible()
    go(page, 4)
    assert line.is_visible()


def test_the_picture_has_axes_and_says_where_the_event_of_the_step_begins(disk_page):
    page = disk_page
    assert "1 kHz" in element(page).locator(".frame svg").text_content()
    mark = element(page).locator(".onset")
    assert not mark.is_visible()
    go(page, 5)
    assert mark.text_content() == "5"
    frame = element(page).locator(".frame").bounding_box()
    assert (mark.bounding_box()["x"] - frame["x"]) / frame["width"] == pytest.approx(
        STARTS[4] / LENGTH, abs=0.005
    )
    go(page, 0)
    assert not mark.is_visible()


def test_it_plays_from_where_the_waveform_is_pressed_and_loops_a_part(disk_page):
    page = disk_page
    go(page, 9)
    element(page).locator(".frame").click(position={"x": 1, "y": 5})
    hear(page, TAKEN)
    begun(page)
    line = element(page).get_by_role("slider", name="Position in what is heard")
    box = line.bounding_box()
    line.click(position={"x": box["width"] / 2, "y": 10})
    wait_until(page, "played.length === 2")
    assert page.evaluate("played[1].from") == pytest.approx(1.5, abs=0.05)
    line.press("Shift+ArrowRight")
    wait_until(page, "played.length === 3")
    assert page.evaluate("played[2].loop[1] - played[2].loop[0]") == pytest.approx(0.15)
    line.press("Enter")
    assert element(page).locator(".playing").count() == 0


def test_the_line_runs_over_the_picture_and_it_comes_to_an_end(disk_page):
    page = disk_page
    go(page, 1)
    hear(page, EVENT)
    element(page).locator(".cursor:visible").wait_for()
    # After 0.4 s, not after the silence behind it.
    element(page).get_by_role("button", name="Play event 1").wait_for()
    assert page.evaluate("played.length") == 1
    assert element(page).locator(".cursor:visible").count() == 0


def test_keys_go_on_from_a_press_on_the_picture(disk_page):
    page = disk_page
    frame = element(page).locator(".frame")
    go(page, 9)
    frame.click(position={"x": frame.bounding_box()["width"] / 2, "y": 5})
    page.keyboard.press("Enter")  # plays, from there
    begun(page)
    assert page.evaluate("played[0].from") == pytest.approx(1.5, abs=0.02)
    frame.click(position={"x": 10, "y": 5})
    page.keyboard.press("ArrowRight")
    line = element(page).get_by_role("slider", name="Position in what is heard")
    assert line.evaluate("(line) => line === document.activeElement")


def test_one_sound_at_a_time(disk_page):
    page = disk_page
    go(page, 9)
    hear(page, TAKEN)
    begun(page)
    page.get_by_role("button", name="Play Long tone").click()
    element(page).get_by_role("button", name="Play what was taken off").wait_for()
    hear(page, TAKEN)
    wait_until(page, "[...document.querySelectorAll('audio')].every(a => a.paused)")


def test_the_roll_hears_which_event_the_reader_comes_to(disk_page):
    page = disk_page
    page.evaluate(
        "window.selected = []; document.querySelector('.roll')"
        ".addEventListener('select', (event) => selected.push(event.detail.index))"
    )
    go(page, 3)
    go(page, 0)
    element(page).get_by_role("button", name="Jump to step 9", exact=True).click()
    assert page.evaluate("selected") == [2, 8]


def test_a_link_leads_to_the_step_and_plays_nothing(open_page, scripts):
    name = scripts.locator(".decomposition").get_attribute("id")
    page = open_page(hash=f"#clip={name}&step=4&hear=left&t=1.00,2.00")
    assert status(page).startswith("Step 4 of 9: at 0.05 s")
    assert element(page).get_by_role("button", name="Clear the loop 1.0–2.0 s").is_visible()
    assert element(page).get_by_role("radio", name=LEFT).is_checked()
    assert element(page).locator(".playing").count() == 0
    assert not [url for url in page.requested if url.endswith(".flac") or "/offline/" in url]


@pytest.mark.parametrize("step", ["-7", "1000", "x", "4.7", "NaN", ""])
def test_a_link_to_no_step_leads_to_one_that_exists(open_page, scripts, step):
    name = scripts.locator(".decomposition").get_attribute("id")
    page = open_page(hash=f"#clip={name}&step={step}")
    assert status(page).split(":")[0] in {f"Step {k} of 9" for k in (0, 4, 9)}
    assert page.complaints == []


@pytest.mark.parametrize("kind", [TAKEN, EVENT, LEFT])
def test_a_missing_sound_is_said_in_words_below_the_button_and_may_be_asked_for_again(
    open_page, copied, kind
):
    hidden = copied.with_name("hidden")
    (copied / "offline").rename(hidden)
    page = open_page(copied)
    page.evaluate(LISTEN)
    go(page, 2)
    hear(page, kind)
    alert = element(page).get_by_role("alert")
    alert.wait_for()
    assert alert.text_content() == "This sound can not be loaded. Press again to try again."
    button = element(page).get_by_role("button", name=re.compile("^Play "))
    gap = alert.bounding_box()["y"] - button.bounding_box()["y"] - button.bounding_box()["height"]
    assert 0 <= gap < 30
    hidden.rename(copied / "offline")
    button.click()
    begun(page)
    assert alert.count() == 0


def test_without_scripts_there_are_poster_link_and_native_players(open_page):
    page = open_page(java_script_enabled=False)
    assert element(page).get_by_role("img").is_visible()
    assert element(page).get_by_role("link", name="All 10 frames").is_visible()
    players = element(page).locator("audio[controls][preload=none]:visible")
    names = [player.get_attribute("aria-label") for player in players.all()]
    assert names == ["The sound before any event is taken off"]


@pytest.mark.parametrize("width", [320, 390])
def test_buttons_are_large_enough_for_a_thumb_and_nothing_sticks_out(open_page, width):
    page = open_page(viewport={"width": width, "height": 800}, has_touch=True, is_mobile=True)
    go(page, 9)
    sizes = page.evaluate("""() => {
      const targets = document.querySelectorAll('.film button, .film .choice, .film [type=range]');
      return [...targets].filter((x) => x.offsetParent)
        .map((x) => [x.textContent, x.getBoundingClientRect()])
        .map(([text, box]) => [text, box.width, box.height]);
    }""")
    assert sizes and [x for x in sizes if min(x[1:]) < 43.5] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
