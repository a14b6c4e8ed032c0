"""The player: by mouse, by keys, by touch, for many plays, and where things are missing."""

import re
import shutil

import numpy as np
import pytest

from report.artifacts.media import waveform
from tests.browser.conftest import limited, playing, wait_until, wait_until_it_moves

# Of the second player in small.py.
TITLE = 'A {b} \\ "c" % # & _ é $ ^ ~ </script><img src=x onerror=alert(1)>'
PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
AUDIO = "document.querySelector('audio')"
ROUNDS = """(times) => new Promise((resolve) => {
  const slider = document.querySelector('[role=slider]');
  const rounds = [];
  let before = Number(slider.ariaValueNow);
  new MutationObserver((_, observer) => {
    const now = Number(slider.ariaValueNow);
    if (now < before && rounds.push([before, now]) === times) {
      observer.disconnect();
      resolve(rounds);
    }
    before = now;
  }).observe(slider, { attributeFilter: ['aria-valuenow'] });
})"""
# Play the first player, and loop and clear the loop while it plays, many times.
PLAY_OFTEN = """async (times) => {
  const audio = document.querySelector('audio');
  const button = document.querySelector('.play');
  const slider = document.querySelector('[role=slider]');
  const press = (key, shiftKey = false) =>
    slider.dispatchEvent(new KeyboardEvent('keydown', { key, shiftKey, bubbles: true }));
  for (let i = 0; i < times; i++) {
    button.click();
    while (audio.currentTime <= 0.05) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    press('ArrowRight', true);
    press('Escape');
    button.click();
    press('Home');
  }
}"""


def slider(page):
    return page.get_by_role("slider", name="Position in Long tone")


def now(page):
    return float(slider(page).get_attribute("aria-valuenow"))


def drag(page, begin, end):
    """Drag the mouse over the waveform, between shares of its width."""
    box = slider(page).bounding_box()
    page.mouse.move(box["x"] + begin * box["width"], box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], box["y"] + 30, steps=5)
    page.mouse.up()


def rounds(page, times=4):
    """The positions before and after each time that the shown position goes back."""
    return page.evaluate(limited(ROUNDS), times)


def touch(page, kind, x=0.0, y=0.0):
    points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
    page.touch_session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def swipe(page, begin, end, rise=0):
    """Draw a finger over the waveform, between shares of its width, and `rise` pixels upwards."""
    page.touch_session = page.context.new_cdp_session(page)
    box = slider(page).bounding_box()
    xs = np.linspace(begin, end, 12) * box["width"] + box["x"]
    ys = np.linspace(0, -rise, 12) + box["y"] + 40
    touch(page, "touchStart", xs[0], ys[0])
    for x, y in zip(xs[1:], ys[1:], strict=True):
        touch(page, "touchMove", x, y)
        page.wait_for_timeout(16)
    touch(page, "touchEnd")


def test_the_button_plays_and_pauses(open_page):
    page = open_page()
    page.get_by_role("button", name="Play Long tone").click()
    wait_until_it_moves(page)
    page.get_by_role("button", name="Pause Long tone").click()
    assert playing(page) == []
    assert 0 < now(page) < 2
    assert page.locator(".time").first.text_content() == f"0:0{now(page):.1f} / 0:02.0"


def test_one_sound_plays_at_a_time(open_page):
    page = open_page()
    page.get_by_role("button", name="Play Long tone").click()
    wait_until_it_moves(page)
    first = playing(page)
    page.get_by_role("button", name=f"Play {TITLE}", exact=True).click()
    wait_until_it_moves(page, besides=first)
    assert len(first) == len(playing(page)) == 1 and first != playing(page)
    assert page.get_by_role("button", name="Play Long tone").count() == 1


def test_it_starts_over_after_the_end(open_page):
    page = open_page()
    slider(page).press("End")
    assert now(page) == 2
    slider(page).press("ArrowLeft")
    slider(page).press(" ")
    wait_until_it_moves(page)
    wait_until(page, f"{AUDIO}.paused")
    assert now(page) == 0


def test_the_keys_seek(open_page):
    page = open_page()
    for keys, position in [
        ("ArrowRight ArrowUp ArrowLeft", 0.1),
        ("PageUp", 0.5),
        ("ArrowDown", 0.4),
        ("Home", 0),
    ]:
        for key in keys.split():
            slider(page).press(key)
        assert now(page) == pytest.approx(position)
    assert page.evaluate(f"{AUDIO}.currentTime") == 0 and playing(page) == []
    assert slider(page).get_attribute("aria-valuemax") == "2.00"
    assert slider(page).get_attribute("aria-valuetext") == "0.0 of 2.0 seconds"


def test_a_click_seeks_and_does_not_loop(open_page):
    page = open_page()
    box = slider(page).bounding_box()
    slider(page).click(position={"x": box["width"] / 2, "y": 5})
    assert now(page) == pytest.approx(1, abs=0.01)
    assert page.evaluate("document.querySelector('.played').style.clipPath").startswith(
        "inset(0px 50"
    )
    assert page.locator(".loop").first.text_content() == "Loop"


def test_keys_go_on_from_a_press_on_the_picture(open_page):
    page = open_page()
    picture = page.locator(".player .spectrogram").first
    picture.click(position={"x": picture.bounding_box()["width"] / 2, "y": 5})
    page.keyboard.press("ArrowRight")
    assert now(page) == pytest.approx(1.1, abs=0.02)
    page.keyboard.press(" ")
    wait_until_it_moves(page)


def test_the_waveform_has_a_step_for_each_column_as_high_as_it_is_loud(open_page):
    """The first player's tone of level 0.3 fades by e in a second."""
    shape = open_page().locator(".player .rest").first.get_attribute("d")
    heights = [63 - float(y) for y in re.findall(r"L\d+ ([\d.]+)h1", shape)]
    expected = 63 * 0.3 * np.exp(-np.arange(400) / 200)
    assert len(heights) == 400 and heights == pytest.approx(expected.tolist(), abs=0.7)
    assert shape.count("h-1") == 400


@pytest.mark.parametrize(
    ("before", "loop"), [(None, "0.7 to 1.3"), ("PageUp", "0.1 to 0.7"), ("End", "1.7 to 2.0")]
)
def test_a_button_loops_a_part_around_where_one_is_which_keys_change(open_page, before, loop):
    page = open_page()
    if before:
        slider(page).press(before)
    page.get_by_role("button", name="Loop a part").first.click()
    assert slider(page).get_attribute("aria-valuetext").endswith(f"looping {loop}")
    page.keyboard.press("Shift+ArrowLeft")
    assert not slider(page).get_attribute("aria-valuetext").endswith(loop)


def test_a_drag_loops_what_it_covers(open_page):
    page = open_page()
    drag(page, 0.6, 0.4)
    assert now(page) == pytest.approx(0.8, abs=0.01)
    assert slider(page).get_attribute("aria-valuetext") == "0.8 of 2.0 seconds, looping 0.8 to 1.2"
    page.get_by_role("button", name="Play Long tone").click()
    assert [pytest.approx(1.2, abs=0.15), pytest.approx(0.8, abs=0.1)] in rounds(page)


def test_a_loop_to_the_very_end_goes_round_too(open_page):
    page = open_page()
    page.evaluate(f"window.ends = 0; {AUDIO}.addEventListener('ended', () => window.ends++)")
    drag(page, 0.7, 1.2)
    slider(page).press("Enter")
    wait_until(page, "window.ends >= 2")
    wait_until_it_moves(page)
    assert now(page) >= 1.4


def test_a_hidden_tab_which_draws_no_frames_loops_too(open_page):
    page = open_page()
    page.evaluate("window.requestAnimationFrame = () => 0")
    drag(page, 0.2, 0.4)
    slider(page).press("Enter")
    before, after = min(rounds(page))
    assert before < 1.3 and after < 0.8  # `timeupdate` comes four times a second


def test_shift_and_arrows_loop_and_escape_clears(open_page):
    page = open_page()
    slider(page).press("PageUp")
    for key in ["ArrowRight", "PageUp", "ArrowLeft"]:
        slider(page).press(f"Shift+{key}")
    assert slider(page).get_attribute("aria-valuetext") == "0.4 of 2.0 seconds, looping 0.4 to 0.8"
    part, box = page.locator(".part").first.bounding_box(), slider(page).bounding_box()
    assert part["x"] - box["x"] == pytest.approx(0.2 * box["width"], abs=1)
    assert part["width"] == pytest.approx(0.2 * box["width"], abs=1)
    slider(page).press("Escape")
    assert "looping" not in slider(page).get_attribute("aria-valuetext")
    assert not page.locator(".part").first.is_visible()


@pytest.mark.parametrize("how", ["keys", "click beside it", "click on the button"])
def test_a_loop_is_cleared(open_page, how):
    page = open_page()
    slider(page).press("Shift+End")
    if how == "keys":
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Loop 0.0–2.0 s ✕"
        page.keyboard.press("Enter")
        assert (
            page.evaluate("document.activeElement.getAttribute('aria-label')")
            == "Position in Long tone"
        )
    elif how == "click beside it":
        slider(page).click()
    else:
        page.get_by_role("button", name="Clear the loop 0.0–2.0 s").click()
    assert "looping" not in slider(page).get_attribute("aria-valuetext")
    assert page.locator(".loop").first.text_content() == "Loop"


def test_a_finger_taps_to_seek_and_draws_to_loop(open_page):
    page = open_page(**PHONE)
    slider(page).scroll_into_view_if_needed()
    slider(page).tap()
    assert now(page) == pytest.approx(1, abs=0.02)
    swipe(page, 0.25, 0.75)
    assert slider(page).get_attribute("aria-valuetext").endswith("looping 0.5 to 1.5")
    page.wait_for_timeout(500)  # a tap at once would be taken for a part of the swipe
    page.get_by_role("button", name="Play Long tone").tap()
    wait_until_it_moves(page)


def test_a_finger_that_scrolls_the_page_selects_nothing(open_page):
    page = open_page(**PHONE)
    slider(page).scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    swipe(page, 0.5, 0.55, rise=200)
    assert page.evaluate("scrollY") > before + 50
    assert now(page) == 0
    assert page.locator(".loop").first.text_content() == "Loop"


def test_targets_are_large_enough_for_a_thumb(open_page):
    page = open_page(**PHONE)
    slider(page).press("Shift+End")
    sizes = page.evaluate("""() => {
      const player = document.querySelector('.player');
      player.querySelector('.menu').open = true;
      return [...player.querySelectorAll('button, summary, label, .wave, .facts a')]
        .map(x => [x.className || x.textContent, x.getBoundingClientRect()])
        .map(([name, box]) => [name, box.width, box.height]);
    }""")
    assert len(sizes) >= 7
    assert [x for x in sizes if min(x[1:]) < 43.5] == []


def test_a_line_runs_over_the_picture_where_one_hears(open_page):
    page = open_page()
    picture = page.locator(".player .spectrogram").first
    cursor = picture.locator(".cursor")
    assert not cursor.is_visible()
    width = picture.bounding_box()["width"]
    picture.click(position={"x": width / 4, "y": 30})
    assert now(page) == pytest.approx(0.5, abs=0.01)
    slider(page).press("Enter")
    wait_until(page, f"{AUDIO}.currentTime > 0.8")
    page.get_by_role("button", name="Pause Long tone").click()
    share = (cursor.bounding_box()["x"] + 1 - picture.bounding_box()["x"]) / width
    assert share == pytest.approx(page.evaluate(f"{AUDIO}.currentTime") / 2, abs=0.01)
    assert picture.bounding_box()["width"] == pytest.approx(
        slider(page).bounding_box()["width"], abs=1
    )


def test_a_missing_sound_is_said_in_words_and_can_be_asked_for_again(open_page, copied, serve):
    media = copied / "media"
    media.rename(copied / "elsewhere")
    page = open_page(serve(copied))
    slider(page).press("PageUp")
    page.get_by_role("button", name="Play Long tone").click()
    alert = page.get_by_role("alert")
    alert.wait_for()
    digits = page.evaluate(f"media.digest({AUDIO}.src)")
    assert f"can not be played: the file {digits[:8]}… is missing" in alert.text_content()
    assert 0 < alert.bounding_box()["y"] - slider(page).bounding_box()["y"] < 100
    shutil.move(copied / "elsewhere", media)
    page.get_by_role("button", name="Play Long tone").click()
    wait_until(page, f"{AUDIO}.currentTime > 0.5")  # it was at 0.4
    assert alert.count() == 0


def test_sounds_from_a_server_that_sends_only_whole_files_can_be_sought_in(open_page, site, serve):
    page = open_page(serve(site))  # Python's server is one
    drag(page, 0.5, 0.6)
    slider(page).press("Enter")
    wait_until(page, f"{AUDIO}.currentTime > 1.05")
    assert [pytest.approx(1.2, abs=0.15), pytest.approx(1, abs=0.1)] in rounds(page)
    assert page.complaints == []


@pytest.mark.slow
def test_a_hundred_plays_leave_nothing_behind(open_page):
    page = open_page()
    session = page.context.new_cdp_session(page)
    page.locator("h1").click()  # browsers let a page sound once it was pressed

    def play(times):
        page.evaluate(limited(PLAY_OFTEN, seconds=300), times)
        session.send("HeapProfiler.collectGarbage")
        counters = session.send("Memory.getDOMCounters")
        return counters | {"heap": session.send("Runtime.getHeapUsage")["usedSize"]}

    first, last = play(10), play(100)
    assert (
        last["nodes"] < first["nodes"] + 50
    )  # some text may wait for its removal, but not one a play
    assert last["jsEventListeners"] <= first["jsEventListeners"]
    assert last["heap"] < first["heap"] + 500_000


def test_without_scripts_the_browser_plays(open_page):
    page = open_page(java_script_enabled=False)
    audio = page.locator(".player audio[controls]").first
    assert audio.is_visible() and audio.get_attribute("preload") == "none"
    assert page.locator(".player button, .player [role=slider]").count() == 0
    assert page.locator(".player .facts a[download]").first.is_visible()


def test_a_title_that_is_markup_stays_text(open_page):
    page = open_page()
    page.get_by_role("button", name=f"Play {TITLE}", exact=True).click()
    wait_until_it_moves(page)
    assert page.locator("figcaption", has_text=TITLE).count() == 1
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize("length", [1, 7, 160, 1001])
def test_the_page_draws_a_sum_as_the_report_would(scripts, length):
    samples = np.random.default_rng(3).integers(-32768, 32768, length).astype(np.int16)
    samples[:1] = 16384  # 63.5 of 127, where roundings differ
    drawn = scripts.evaluate("values => wave.peaksOf(Int16Array.from(values))", samples.tolist())
    assert drawn == waveform(samples)
