"""Comparisons: versions of one sound, switched in place."""

import json
import re
import time
from pathlib import Path

import numpy as np
import pytest
from pyloudnorm import Meter
from scipy.signal import butter, sosfilt

from tests.browser.conftest import TWO_FRAMES, limited, open_menu, wait_until

RATE = 22050
LABELS = ["Low", "High", "Short and loud"]
LIST = """
[...document.querySelectorAll('.compare')].slice(0, 1).flatMap(
  (figure) => [...figure.querySelectorAll('.player')].map((player, i) => ({
    address: player.querySelector('audio').getAttribute('src'), rate: Number(player.dataset.rate),
    seconds: Number(player.dataset.seconds), loudness: Number(player.dataset.loudness),
    peak: Number([...figure.querySelectorAll('.version')][i].dataset.peak),
  })))
"""
# Keep what the page makes to play with: all sources, and all gains in the order of the versions.
WATCH = """
() => {
  const kept = (Node, list) => class extends Node {
    constructor(...a) {
      super(...a);
      list.push(this);
    }
  };
  window.sources = [];
  window.gains = [];
  window.GainNode = kept(GainNode, gains);
  window.AudioBufferSourceNode = kept(AudioBufferSourceNode, sources);
}
"""
# Play and switch, many times.
LISTEN_OFTEN = """
async (times) => {
  const button = document.querySelector('.compare .play');
  const slider = document.querySelector('.compare [role=slider]');
  for (let i = 0; i < times; i++) {
    button.click();
    const key = String((i % 3) + 1);
    slider.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    await new Promise((resolve) => setTimeout(resolve, 30));
    button.click();
  }
}
"""
# Choose a version in the first half of the sound; returns the positions before and soon after that.
SWITCH = """
(label) => new Promise((resolve) => {
  const slider = document.querySelector('.compare [role=slider]');
  const position = () => Number(slider.ariaValueNow);
  let before = null;
  new MutationObserver((_, observer) => {
    if (before === null && position() < 0.5) {
      before = position();
      const choices = [...document.querySelectorAll('.compare .choice')];
      choices.find((choice) => choice.innerText.includes(label)).click();
    } else if (before !== null && position() !== before) {
      observer.disconnect();
      resolve([before, position()]);
    }
  }).observe(slider, { attributeFilter: ['aria-valuenow'] });
})
"""
# The samples that `versions.schedule` makes of buffers, with changes of levels at given times.
RENDER = """
async ({ sounds, rate, seconds, options, changes }) => {
  const context = new OfflineAudioContext(1, seconds * rate, rate);
  const buffers = sounds.map((samples) => {
    const buffer = new AudioBuffer({ length: samples.length, sampleRate: rate });
    buffer.getChannelData(0).set(samples);
    return buffer;
  });
  const running = versions.schedule(context, buffers, { at: 0, from: 0, loop: null, ...options });
  changes.forEach(([levels, at]) => running.setLevels(levels, at));
  return Array.from((await context.startRendering()).getChannelData(0));
}
"""


@pytest.fixture
def page(open_page):
    page = open_page()
    page.evaluate(WATCH)
    return page


def compared(page):
    return page.locator(".compare").first


def version(page, label):
    return compared(page).get_by_role("radio", name=label)


def slider(page):
    return compared(page).get_by_role("slider")


def position(page):
    return float(slider(page).get_attribute("aria-valuenow"))


def play(page):
    compared(page).get_by_role("button", name="Play").click()
    wait_until(
        page,
        "document.querySelector('.compare [role=slider]').getAttribute('aria-valuenow') > 0.02",
    )


def loop(page):
    """Select the whole, so that playing it does not come to an end."""
    slider(page).focus()
    page.keyboard.press("Shift+End")


def wait_for_levels(page, levels, gains="gains.slice(-3)"):
    """Wait until the gains of what plays, one for each version, are these for 0.15 s of sound.

    A change is heard some 0.04 s after the press, and may lead through silence.
    """
    wait_until(
        page,
        f"""(() => {{
          const levels = {json.dumps(levels)};
          const now = sound.wake(8000).currentTime;
          const there = {gains}.every((node, i) => Math.abs(node.gain.value - levels[i]) < 1e-6);
          window.since = there ? window.since ?? now : undefined;
          return there && now > window.since + 0.15;
        }})()""",
    )
    page.evaluate("() => { window.since = undefined; }")


def heard(page):
    return page.evaluate("document.querySelector('.compare .heard .choice span').textContent")


def shown_gains(page):
    texts = compared(page).locator(".gain").all_text_contents()
    return [
        float(text.removeprefix("played ").removesuffix(" dB").replace("−", "-") or 0)
        for text in texts
    ]


def render(page, sounds, seconds, changes, **options):
    sounds = [sound.astype(np.float32).tolist() for sound in sounds]
    options = {"levels": [1.0] + [0.0] * (len(sounds) - 1)} | options
    given = {
        "sounds": sounds,
        "rate": RATE,
        "seconds": seconds,
        "options": options,
        "changes": changes,
    }
    return np.array(page.evaluate(RENDER, given))


def sine(hertz, seconds=1.0, level=0.9):
    return (level * np.sin(2 * np.pi * hertz * np.arange(int(RATE * seconds)) / RATE)).astype(
        np.float32
    )


def click(samples):
    """The peak above 4 kHz, where the tones of these tests have nothing, in dB to their level."""
    above = sosfilt(butter(8, 4000, "high", fs=RATE, output="sos"), samples)[RATE // 4 :]
    return 20 * np.log10(np.abs(above).max() / 0.9)


def test_a_switch_between_loud_tones_does_not_click(scripts):
    low, high = sine(440), sine(587)
    at = 0.5 + 0.7 / 440  # where the tones are far apart
    switched = render(scripts, [low, high], 1, [[[0, 1], at]])
    time = np.arange(RATE) / RATE
    share = (1 - np.cos(np.pi * np.clip((time - at) / 0.01, 0, 1))) / 2
    assert np.abs(switched - ((1 - share) * low + share * high)).max() < 1e-3  # -60 dB
    assert click(switched) < -60
    assert click(np.where(time < at, low, high)) > -40  # a switch without a fade is found


def test_a_switch_takes_at_most_ten_milliseconds_and_is_true_to_the_bit_before_and_after(scripts):
    low, high = sine(440), sine(587)
    switched = render(scripts, [low, high], 1, [[[0, 1], 0.5]])
    assert np.array_equal(switched[: RATE // 2], low[: RATE // 2])
    assert np.array_equal(
        switched[RATE // 2 + RATE // 100 + 1 :], high[RATE // 2 + RATE // 100 + 1 :]
    )


def test_a_switch_keeps_the_position_to_the_sample(scripts):
    same = sine(440)
    switched = render(
        scripts, [same, same, same], 1, [[[0, 1, 0], 0.3], [[0, 0, 1], 0.302], [[1, 0, 0], 0.6]]
    )
    assert np.abs(switched - same).max() < 1e-6


def test_switches_that_come_too_fast_wait_for_each_other(scripts):
    low, high = sine(440), sine(587)
    changes = [[[i % 2, 1 - i % 2], 0.5 + 0.001 * i] for i in range(6)]
    switched = render(scripts, [low, high], 1, changes)
    assert click(switched) < -60
    assert np.array_equal(switched[-RATE // 4 :], low[-RATE // 4 :])


def test_what_is_played_from_the_middle_fades_in_and_a_loop_goes_round(scripts):
    tone = sine(440, 0.5)
    looped = render(scripts, [tone], 2, [])
    assert np.array_equal(looped[: len(tone)], tone) and not looped[len(tone) :].any()
    looped = render(scripts, [tone], 2, [], **{"from": 0.1, "loop": [0.1, 0.3]})
    n = round(0.2 * RATE)
    assert np.allclose(looped[n : 2 * n], tone[n // 2 : n // 2 + n], atol=1e-3)
    assert np.allclose(looped[5 * n : 6 * n], looped[n : 2 * n], atol=1e-3)
    assert abs(looped[0]) < 1e-3 and np.abs(looped[:60]).max() < 0.3


@pytest.mark.parametrize("how", ["file", "http"])
def test_versions_are_switched_while_they_play_and_the_position_stays(open_page, site, serve, how):
    page = open_page(site if how == "file" else serve(site))
    page.evaluate(WATCH)
    loop(page)  # a slow test must not come to the end of the sound
    play(page)
    for label in ("High", "Short and loud"):
        before, after = page.evaluate(limited(SWITCH), label)
        assert heard(page) == label and after > before
    assert page.evaluate("sources.length") == 3  # none was started anew: one clock for all
    assert page.complaints == []


def test_keys_go_on_from_a_press_on_a_picture(page):
    picture = compared(page).locator(".spectrogram").first
    picture.click(position={"x": picture.bounding_box()["width"] / 2, "y": 5})
    page.keyboard.press("ArrowRight")
    assert position(page) == pytest.approx(0.6, abs=0.02)
    page.keyboard.press("2")
    assert heard(page) == "High"


def test_what_is_shown_as_the_position_is_kept_over_switches_to_20_ms(page):
    """Position and the context's clock run at the same pace from the start to the end."""
    page.evaluate("""() => {
      const slider = document.querySelector('.compare [role=slider]');
      window.offsets = [];
      new MutationObserver(() => {
        if (document.querySelector('.compare .playing')) {
          offsets.push(slider.ariaValueNow - sound.wake(8000).currentTime);
        }
      }).observe(slider, { attributeFilter: ['aria-valuenow'] });
    }""")
    play(page)
    medians = []  # single frames may come late on a busy machine
    for key in "2312":
        page.evaluate("offsets.splice(0)")
        page.keyboard.press(key)
        wait_until(page, "offsets.length >= 5")
        medians.append(np.median(page.evaluate("offsets")))
    assert np.ptp(medians) <= 0.02


def test_only_the_version_that_is_chosen_is_heard(page):
    loop(page)
    play(page)
    gains = page.evaluate(f"versions.match({LIST})")
    for i, label in enumerate(LABELS):
        version(page, label).check()
        wait_for_levels(page, [gains[k] if k == i else 0 for k in range(3)])


def test_versions_are_chosen_by_number_anywhere_in_the_element_and_by_arrows(page):
    slider(page).focus()
    page.keyboard.press("2")
    assert version(page, "High").is_checked() and heard(page) == "High"
    compared(page).get_by_role("checkbox", name="Match loudness").focus()
    page.keyboard.press("3")
    assert version(page, "Short and loud").is_checked()
    page.keyboard.press("7")
    page.keyboard.press("Control+1")
    assert version(page, "Short and loud").is_checked()
    version(page, "Short and loud").focus()
    page.keyboard.press("ArrowLeft")
    assert version(page, "High").is_checked()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert version(page, "Low").is_checked()
    page.keyboard.press("3")
    page.keyboard.press("ArrowUp")
    assert version(page, "High").is_checked()
    page.keyboard.press("Space")
    wait_until(page, "document.querySelector('.compare .console').classList.contains('playing')")
    page.keyboard.press("Space")
    wait_until(page, "!document.querySelector('.compare .console').classList.contains('playing')")
    assert page.locator(".compare [role=radiogroup]").first.get_attribute("aria-label") == "Version"


def test_a_press_on_a_picture_chooses_its_version_and_seeks(page):
    picture = compared(page).locator(".spectrogram").nth(1)
    box = picture.bounding_box()
    picture.click(position={"x": box["width"] * 0.5, "y": 40})
    assert heard(page) == "High"
    assert position(page) == pytest.approx(0.5, abs=0.03)
    cursors = compared(page).locator(".cursor")
    assert [cursor.is_visible() for cursor in cursors.all()] == [True, True]
    places = [float(cursor.evaluate("x => parseFloat(x.style.left)")) for cursor in cursors.all()]
    assert places == pytest.approx([50, 50], abs=3)


def test_a_part_is_looped_and_stays_looped_over_a_switch(page):
    slider(page).scroll_into_view_if_needed()
    box = slider(page).bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 20, steps=5)
    page.mouse.up()
    compared(page).get_by_role("button", name="Play").click()
    for key in "123":
        page.keyboard.press(key)
        for _ in range(4):
            page.wait_for_timeout(70)
            assert 0.28 <= position(page) <= 0.52
    slider(page).focus()
    page.keyboard.press("Escape")
    wait_until(page, "!document.querySelector('.compare .console').classList.contains('playing')")
    assert position(page) == 0  # it went on to the end, and back


def test_a_version_that_is_shorter_is_silent_after_its_end_and_goes_on_with_the_others(page):
    version(page, "Short and loud").check()
    assert slider(page).get_attribute("aria-valuemax") == "1.00"
    compared(page).get_by_role("button", name="Play Short and loud").click()
    wait_until(page, "document.querySelector('.compare [role=slider]').ariaValueNow > 0.65")
    assert page.evaluate("sources.every((source) => source.buffer.length === 8000)")
    sounds = "source.buffer.getChannelData(0).subarray(4800).some((x) => x !== 0)"
    assert page.evaluate(f"sources.map((source) => {sounds})") == [True, True, False]


def test_versions_are_equally_loud_to_a_tenth_and_none_passes_full_scale(page):
    list_ = page.evaluate(LIST)
    gains = page.evaluate(f"versions.match({LIST})")
    meter = Meter(8000, "DeMan")
    matched = []
    for item, gain in zip(list_, gains, strict=True):
        samples = np.array(
            page.evaluate(
                f"media.samples({json.dumps(item['address'])}).then((x) => Array.from(x))"
            )
        )
        assert np.abs(gain * samples / 32768).max() <= 1
        matched.append(meter.integrated_loudness(gain * samples / 32768))
    assert np.ptp(matched) < 0.1
    assert shown_gains(page) == pytest.approx(20 * np.log10(gains), abs=0.06)
    assert shown_gains(page)[0] == 0  # it is the first that the others follow


def test_a_difference_is_as_loud_as_it_is_beside_the_first(page, open_page, build_pages):
    sounds = "[{loudness: -20, peak: -6}, {loudness: -30, peak: -3}, {loudness: -40, peak: -25,"
    gains = 20 * np.log10(page.evaluate(f"versions.match({sounds} difference: true}}])"))
    assert gains == pytest.approx([-7, 3, -7], abs=0.01)
    there = open_page(build_pages("alone"), "alone.html")
    soft, difference = shown_gains(there)[4:]
    assert soft == pytest.approx(9.5, abs=0.1) and difference == 0


def test_where_a_gain_would_pass_full_scale_all_are_lowered_alike(page):
    sounds = "[{loudness: -20, peak: -6}, {loudness: -30, peak: -3}, {loudness: null, peak: null}]"
    gains = 20 * np.log10(page.evaluate(f"versions.match({sounds})"))
    assert gains == pytest.approx([-7, 3, -7], abs=0.01)
    assert page.evaluate(
        "versions.match([{loudness: null, peak: -1}, {loudness: null, peak: 0}])"
    ) == [1, 1]


def test_matching_is_switched_off_at_once_and_then_versions_are_true_to_the_bit(page):
    loop(page)
    play(page)
    version(page, "High").check()
    matched = compared(page).get_by_role("checkbox", name="Match loudness")
    assert matched.is_checked() and shown_gains(page)[1] > 10
    matched.uncheck()
    assert shown_gains(page) == [0, 0, 0]
    wait_for_levels(page, [0, 1, 0])
    assert page.evaluate("gains.slice(-3).map((node) => node.gain.value)") == [0, 1, 0]
    same = """async (address) => {
      const played = sources[1].buffer.getChannelData(0);
      return (await media.samples(address)).every((value, i) => value / 32768 === played[i]);
    }"""
    assert page.evaluate(same, page.evaluate(LIST)[1]["address"])
    # The rate of the sounds: nothing is resampled on the way.
    assert page.evaluate("sound.wake(8000).sampleRate") == 8000


def test_gains_are_explained_and_those_that_change_nothing_are_not_shown(page):
    first, second = (compared(page).locator(".choice").nth(i) for i in range(2))
    assert first.get_attribute("title") == first.locator(".gain").text_content() == ""
    gain = second.locator(".gain").inner_text().removeprefix("played").strip()
    assert gain.startswith("+")
    assert second.get_attribute("title") == f"Played {gain}, so that all are equally loud"
    assert f"High played {gain}" in " ".join(second.text_content().split())


def test_a_plain_comparison_leaves_levels_alone(page):
    plain = page.locator(".compare").nth(1)
    assert plain.get_by_role("checkbox").count() == 0
    assert plain.get_by_role("button", name="Blind test").count() == 0
    assert plain.locator(".gain").all_text_contents() == ["", ""]
    plain.get_by_role("button", name="Play Loud").click()
    wait_until(page, "document.querySelectorAll('.compare [role=slider]')[1].ariaValueNow > 0.1")
    page.keyboard.press("2")
    wait_for_levels(page, [0, 1], "gains")
    assert page.evaluate("gains.map((node) => node.gain.value)") == [0, 1]


def test_an_open_menu_goes_on_with_the_version_that_is_heard(open_page):
    page = open_page(viewport={"width": 320, "height": 800})
    open_menu(page, "Two tones")
    link = compared(page).get_by_role("button", name="Link to Two tones")
    link.focus()
    for key, label in zip("321", reversed(LABELS), strict=True):
        page.keyboard.press(key)
        download = compared(page).get_by_role("link", name=f"Download {label}")
        facts = compared(page).locator(".facts:visible").bounding_box()
        assert 0 < download.bounding_box()["y"] - facts["y"] < 300
        assert compared(page).get_by_role("link", name="Download").count() == 1
        assert page.evaluate("document.activeElement.textContent") == "Link"


def test_a_number_that_is_typed_in_the_menu_chooses_no_version(page):
    version(page, "High").check()
    open_menu(page, "Two tones")
    page.locator(".menu[open] select").press("1")
    assert version(page, "High").is_checked()


def test_on_paper_no_version_is_marked_and_those_without_a_picture_are_left_out(page):
    page.emulate_media(media="print")
    choices = compared(page).locator(".choice")
    assert [choice.is_visible() for choice in choices.all()] == [True, True, False]
    assert (
        choices.first.evaluate("(label) => getComputedStyle(label).backgroundColor")
        == "rgba(0, 0, 0, 0)"
    )
    assert compared(page).locator(".gain:visible, .console:visible").count() == 0


def test_the_facts_of_the_version_that_is_heard_can_be_reached(page):
    for label in LABELS:
        version(page, label).check()
        open_menu(page, "Two tones")
        assert compared(page).get_by_role("link", name="Download").all_text_contents() != []
        assert compared(page).get_by_role("link", name=f"Download {label}").is_visible()
        assert compared(page).locator(".facts:visible").count() == 1
        assert compared(page).locator(".made:visible").count() == 1


def test_a_link_restores_the_version_the_gain_and_the_place_and_nothing_plays(open_page, scripts):
    identity = compared(scripts).get_attribute("id")
    page = open_page(hash=f"#clip={identity}&version=2&matched=0&t=0.25,0.50")
    assert heard(page) == "High" and version(page, "High").is_checked()
    assert not compared(page).get_by_role("checkbox", name="Match loudness").is_checked()
    assert position(page) == 0.25
    assert "looping 0.3 to 0.5" in slider(page).get_attribute("aria-valuetext")
    assert not compared(page).locator(".playing").count()
    page.evaluate(f"location.hash = '#clip={identity}&version=nine&t=0.75'")
    wait_until(page, "document.querySelector('.compare [role=slider]').ariaValueNow === '0.75'")
    assert heard(page) == "Low"
    assert compared(page).get_by_role("checkbox", name="Match loudness").is_checked()


def test_the_link_says_what_is_heard(open_page):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    slider(page).focus()
    page.keyboard.press("3")
    page.keyboard.press("ArrowRight")
    compared(page).get_by_role("checkbox", name="Match loudness").uncheck()
    page.evaluate(
        "() => { navigator.clipboard.writeText = async (text) => { window.copied = text; }; }"
    )
    open_menu(page, "Two tones")
    compared(page).get_by_role("button", name="Link to Two tones").click()
    assert page.evaluate("copied").endswith("&version=3&matched=0&t=0.10")
    compared(page).get_by_role("button", name="Cite Two tones").click()
    assert page.evaluate(LIST)[2]["address"][6:70] in page.evaluate("copied")


def test_one_sound_at_a_time(page):
    play(page)
    page.get_by_role("button", name="Play Long tone").click()
    wait_until(page, "document.querySelector('audio').currentTime > 0.05")
    assert compared(page).locator(".playing").count() == 0
    compared(page).get_by_role("button", name="Play").click()
    wait_until(page, "[...document.querySelectorAll('audio')].every((audio) => audio.paused)")
    assert compared(page).get_by_role("button", name="Pause Low").is_visible()


@pytest.mark.parametrize("how", ["file", "http"])
def test_a_missing_version_is_said_in_words_and_can_be_asked_for_again(
    open_page, copied, serve, how
):
    kept = {}
    for path in [*copied.glob("media/*.flac"), *copied.glob("offline/*")]:
        kept[path] = path.read_bytes()
        path.unlink()
    page = open_page(copied if how == "file" else serve(copied))
    compared(page).get_by_role("button", name="Play").click()
    alert = compared(page).locator(".console + [role=alert]")
    alert.wait_for()
    missing = page.evaluate(
        "() => Array.from(document.querySelectorAll('.compare audio'), (audio) =>"
        " media.digest(audio.getAttribute('src')).slice(0, 8))"
    )
    said = alert.text_content()  # of whichever version was found missing first
    assert said in [
        f"This sound can not be loaded: the file {digits}… is missing." for digits in missing
    ]
    assert compared(page).get_by_role("button", name="Play Low").is_visible()
    for path, content in kept.items():
        path.write_bytes(content)
    play(page)
    assert compared(page).get_by_role("alert").count() == 0


def test_while_it_loads_it_says_so_and_a_second_press_takes_the_first_back(page):
    page.evaluate(
        "() => { window.real = media.samples; media.samples = () => new Promise(() => {}); }"
    )
    compared(page).get_by_role("button", name="Play").click()
    assert compared(page).locator(".time").text_content() == "Loading…"
    assert compared(page).locator("[aria-busy=true]").count() == 1
    compared(page).get_by_role("button", name="Pause").click()
    assert compared(page).locator(".time").text_content() == "0:00.0 / 0:01.0"
    page.evaluate("() => { media.samples = window.real; }")
    play(page)


def test_nothing_is_fetched_before_the_first_press(page):
    page.wait_for_timeout(200)
    assert [url for url in page.requested if "offline/" in url or url.endswith(".flac")] == []
    play(page)
    assert len([url for url in page.requested if "offline/" in url]) == 3


def test_without_scripts_each_version_has_its_own_player(open_page):
    page = open_page(java_script_enabled=False)
    assert compared(page).locator("audio[controls]:visible").count() == 3
    assert compared(page).locator("figcaption:visible").all_text_contents()[:3] == LABELS
    assert compared(page).get_by_role("radio").count() == 0
    assert compared(page).get_by_role("button").count() == 0


def test_a_narrow_page_shows_the_picture_of_the_version_that_is_heard(open_page):
    page = open_page(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    for i, label in enumerate(LABELS):
        version(page, label).locator("xpath=..").tap()
        shown = [picture.is_visible() for picture in compared(page).locator(".spectrogram").all()]
        assert shown == [k == i for k in range(2)]
    wide = open_page(viewport={"width": 1280, "height": 800})
    assert compared(wide).locator(".spectrogram:visible").count() == 2


def test_targets_are_large_enough_for_a_thumb(open_page):
    page = open_page(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    sizes = page.evaluate("""() => {
      const targets = document.querySelectorAll('.compare :is(button, label, summary, .wave, a)');
      return [...targets].filter((x) => x.offsetParent)
        .map((x) => [x.className || x.textContent, x.offsetWidth, x.offsetHeight]);
    }""")
    assert len(sizes) > 8 and [size for size in sizes if min(size[1:]) < 44] == []


@pytest.mark.slow
def test_memory_does_not_grow_over_a_hundred_plays_and_switches(open_page):
    def memory():
        for _ in range(3):
            session.send("HeapProfiler.collectGarbage")
        usage = session.send("Runtime.getHeapUsage")
        return usage["usedSize"] + usage["backingStorageSize"], session.send(
            "Memory.getDOMCounters"
        )["nodes"]

    def listen(times):
        page.evaluate(limited(LISTEN_OFTEN, seconds=300), times)
        page.wait_for_timeout(200)  # the last voices fade out

    page = open_page()
    session = page.context.new_cdp_session(page)
    page.locator("h1").click()  # browsers let a page sound once it was pressed
    loop(page)
    listen(10)
    bytes_before, nodes_before = memory()
    listen(100)
    bytes_after, nodes_after = memory()
    assert bytes_after - bytes_before < 200_000
    assert nodes_after <= nodes_before + 5


@pytest.mark.parametrize(
    "text", ['media.take("zz', 'media.take("%s", "@@@");', 'media.take("%s", "UklG");']
)
def test_a_damaged_copy_is_said_in_words(open_page, copied, text):
    sound = re.search(
        r'class="compare.*?<audio[^>]*src="media/(\w+)\.flac"',
        (copied / "small.html").read_text(),
        re.S,
    )[1]
    (copied / "offline" / f"{sound}.js").write_text(text.replace("%s", sound))
    page = open_page(copied)
    page.locator(".compare .play").first.click()
    failure = page.locator(".compare .failure").first
    failure.wait_for()
    assert "can not be loaded" in failure.inner_text() and "undefined" not in failure.inner_text()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_moves_when_scripts_take_over_that_come_late(open_page, site, serve, width):
    def delay(route):
        time.sleep(0.2)
        route.continue_()

    viewport = {"width": width, "height": 1600}  # so that both are seen from the top
    page = open_page(serve(site), "index.html", viewport=viewport)
    page.route("**/assets/*.js", delay)
    page.add_init_script("""
      window.shifts = [];
      new PerformanceObserver((list) => {
        shifts.push(...list.getEntries().map((entry) => entry.value));
      }).observe({ type: 'layout-shift', buffered: true });""")
    page.goto(page.url.replace("index.html", "small.html"))
    wait_until(page, "document.querySelectorAll('.compare.live').length === 2")
    page.evaluate(TWO_FRAMES)
    assert page.locator(".compare").first.bounding_box()["y"] < 1600
    assert sum(page.evaluate("shifts")) < 0.02


def test_the_chosen_version_plays_while_the_others_load(open_page, serve, site):
    page = open_page(serve(site))
    compare = page.locator(".compare").first
    first = Path(compare.locator("audio").first.get_attribute("src")).name
    held = []
    page.route(
        "**/media/*.flac", lambda r: r.continue_() if first in r.request.url else held.append(r)
    )
    compare.get_by_role("button", name="Play Low").click()
    wait_until(page, "/^0:00.[1-9]/.test(document.querySelector('.console .time').textContent)")
    compare.get_by_role("radio", name="High").check()
    wait_until(page, "document.querySelector('.console .time').textContent === 'Loading…'")
    for route in held:
        route.continue_()
    page.unroute("**/media/*.flac")
    wait_until(page, "/^0:0/.test(document.querySelector('.console .time').textContent)")
    assert compare.get_by_role("button", name="Pause High").is_visible()
    assert page.complaints == []


NARROW = """
() => document.querySelectorAll('.compare .choice').forEach((tab) => {
  tab.style.width = '160px';
  tab.querySelector('span:not(.gain)').textContent = 'bass, separated';
  tab.querySelector('.gain').textContent = '−14.4 dB';
})
"""
INSIDE = """
() => [...document.querySelectorAll('.compare .choice')].map((tab) => {
  const gain = tab.querySelector('.gain').getBoundingClientRect();
  const outside = tab.getBoundingClientRect();
  return gain.width > 0 && gain.right <= outside.right && gain.bottom <= outside.bottom;
})
"""


def test_a_gain_stays_in_its_tab_beside_a_long_name(page):
    """As in a comparison of four at the width of a small laptop."""
    page.set_viewport_size({"width": 1000, "height": 800})
    page.evaluate(NARROW)
    inside = page.evaluate(INSIDE)
    assert inside and all(inside)
