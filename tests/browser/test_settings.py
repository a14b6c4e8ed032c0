"""How loud and how fast a page plays: one setting for all that it plays, at the same pitch."""

import numpy as np
import pytest

from tests.browser.conftest import open_menu, wait_until, wait_until_it_moves

RATE = 22_050
# A sound at another speed, as the page makes it.
STRETCH = """([channels, rate, speed]) => {
  const buffers = channels.map((values) => {
    const buffer = new AudioBuffer({ length: values.length, sampleRate: rate });
    buffer.getChannelData(0).set(values);
    return buffer;
  });
  return stretch.apply(buffers, speed).map((buffer) => Array.from(buffer.getChannelData(0)));
}"""
# Level and rate of all that is heard by way of an AudioContext.
WATCH = """() => {
  window.heard = [];
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function (...at) {
    heard.push(this.buffer.duration);
    start.apply(this, at);
  };
  const add = Set.prototype.add;
  window.outlets = [];
  Set.prototype.add = function (node) {
    node instanceof GainNode && outlets.push(node);
    return add.call(this, node);
  };
}"""


def stretched(scripts, sounds, speed):
    given = [[np.round(sound, 5).tolist() for sound in sounds], RATE, speed]
    return np.array(scripts.evaluate(STRETCH, given))


def set_speed(page, title, value):
    open_menu(page, title)
    page.locator(".menu[open] select").select_option(value)
    page.keyboard.press("Escape")


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.75, 1.25, 1.5, 2])
def test_a_sound_is_longer_or_shorter_and_keeps_its_pitch_and_level(scripts, speed):
    time = np.arange(RATE) / RATE
    tone = 0.3 * np.sin(2 * np.pi * 440 * time) + 0.1 * np.sin(2 * np.pi * 1234 * time)
    [slow] = stretched(scripts, [tone], speed)
    assert slow.size == np.ceil(RATE / speed)
    middle = slow[2000 : slow.size - 3000]
    levels = np.abs(np.fft.rfft(middle * np.hanning(middle.size)))
    hertz = np.fft.rfftfreq(middle.size, 1 / RATE)
    assert hertz[levels.argmax()] == pytest.approx(440, abs=2.5)
    high = levels * (hertz > 800)
    assert hertz[high.argmax()] == pytest.approx(1234, abs=2.5)
    assert np.sqrt((middle**2).mean()) == pytest.approx(np.sqrt((tone**2).mean()), rel=0.06)


def test_it_begins_where_it_began_and_its_events_keep_their_order_in_time(scripts):
    clicks = np.zeros(RATE)
    clicks[[0, 5000, 11_000, 17_000]] = 1
    [slow] = stretched(scripts, [np.convolve(clicks, np.hanning(200))[:RATE]], 0.5)
    loud = np.flatnonzero(slow > 0.5)
    starts = loud[np.diff(loud, prepend=-9999) > 3000]
    # A frame may be taken from 12 ms away, which are 24 here, and it is laid out in steps of 20.
    assert starts == pytest.approx([60, 10_060, 22_060, 34_060], abs=0.044 * RATE)


def test_versions_stay_in_lock_whatever_the_speed(scripts):
    noise = np.random.default_rng(1).normal(0, 0.1, RATE)
    first, second = stretched(scripts, [noise, 0.5 * noise], 0.75)
    assert second == pytest.approx(0.5 * first, abs=1e-4)


def test_speed_and_volume_hold_for_every_player_of_the_page(open_page):
    page = open_page()
    page.evaluate(WATCH)
    set_speed(page, "Long tone", "0.5")
    audios = page.locator("audio").evaluate_all(
        "(all) => all.map((audio) => [audio.playbackRate, audio.preservesPitch])"
    )
    assert audios == [[0.5, True]] * len(audios)
    page.get_by_role("button", name="Play Long tone").click()
    wait_until_it_moves(page)
    page.locator(".compare").first.get_by_role("button", name="Play Low").click()
    wait_until(page, "heard.length >= 3")
    assert page.evaluate("heard[0]") == pytest.approx(2, abs=0.001)  # of a second
    open_menu(page, "Two tones")
    assert page.locator(".menu[open] select").input_value() == "0.5"
    page.locator(".menu[open] input").fill("50")
    wait_until(page, "Math.abs(outlets.at(-1).gain.value - 0.25) < 0.01")
    assert page.locator("audio").first.evaluate("(audio) => audio.volume") == 0.25
    assert page.complaints == []


def test_the_position_goes_on_when_the_speed_changes(open_page):
    page = open_page()
    page.get_by_role("button", name="Play the mix of Nine events.").click()
    now = "Number(document.querySelector('.timeline .wave').ariaValueNow)"
    wait_until(page, f"{now} > 0.3")
    page.evaluate("settings.set('speed', 0.25)")
    before, began = page.evaluate(f"[{now}, performance.now()]")
    wait_until(page, f"{now} > {before + 0.15}")
    after, ended = page.evaluate(f"[{now}, performance.now()]")
    assert (after - before) / ((ended - began) / 1000) == pytest.approx(0.25, rel=0.25)


def test_a_menu_opens_by_key_closes_on_escape_and_when_left(open_page):
    page = open_page()
    summary = page.locator(".menu > summary").first
    summary.press("Enter")
    sheet = page.locator(".menu .sheet").first
    assert sheet.is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert not sheet.is_visible()
    assert summary.evaluate("(summary) => summary === document.activeElement")
    summary.press("Enter")
    page.locator("h1").click()
    assert not sheet.is_visible()
    summary.press("Enter")
    page.keyboard.press("Shift+Tab")
    sheet.wait_for(state="hidden")
