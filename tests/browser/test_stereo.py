"""Sounds of two channels are heard on both sides, alone, compared, at another speed, and mixed."""

import json
import re
from hashlib import sha256

import numpy as np
import pytest

from report.artifacts.media import decode, to_wav
from report.sharing.edit import mix_edit, read_edit
from report.site.locate import open_site
from report.storage.addresses import open_storage

# Give each side an ear of its own, before anything is heard.
LISTEN = """() => {
  window.ears = [];
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode) {
      const split = new ChannelSplitterNode(this.context, { numberOfOutputs: 2 });
      const pair = [0, 1].map(() => new AnalyserNode(this.context, { fftSize: 4096 }));
      connect.call(this, split);
      pair.forEach((ear, side) => connect.call(split, ear, side));
      ears.push(pair);
    }
    return connect.call(this, target, ...rest);
  };
}"""
# The loudest frequencies on the left and on the right, in Hz, of what was begun last.
PITCHES = """() => ears[ears.length - 1].map((ear) => {
  const levels = new Float32Array(ear.frequencyBinCount);
  ear.getFloatFrequencyData(levels);
  const most = Math.max(...levels);
  return most > -60 ? levels.indexOf(most) * ear.context.sampleRate / ear.fftSize : 0;
})"""


@pytest.fixture
def site_of_two(build_pages):
    return build_pages("stereo")


@pytest.fixture
def page(open_page, site_of_two):
    page = open_page(site_of_two, "stereo.html")
    page.evaluate(LISTEN)
    return page


def hears(page, left, right):
    for _ in range(100):
        page.wait_for_timeout(50)
        if page.evaluate("ears.length") and page.evaluate(PITCHES) == pytest.approx(
            [left, right], abs=15
        ):
            return True
    return False


@pytest.mark.parametrize("speed", [1, 0.75])
def test_versions_of_two_channels_and_of_one_are_switched(page, speed):
    page.evaluate("(speed) => settings.set('speed', speed)", speed)
    page.locator(".compare").get_by_role("button", name="Play two").click()
    assert hears(page, 1000, 2000)
    page.keyboard.press("2")
    one = 8000 / 10 / np.pi
    assert hears(page, one, one)
    assert page.complaints == []


def test_an_opening_plays_left_and_right_and_takes_the_events_apart(page):
    figure = page.locator(".opening")
    figure.get_by_role("button", name="Play Two events").click()
    assert hears(page, 1000, 2000)
    figure.get_by_role("button", name="Run through with sound").click()
    assert hears(page, 500, 3000)
    assert page.complaints == []


def test_an_event_is_taken_off_left_and_right(page):
    figure = page.locator(".decomposition")
    figure.get_by_role("button", name="Jump to step 1").click()
    for choice, left, right in (
        ("The event of this step", 1000, 2000),
        ("What is left", 500, 3000),
    ):
        figure.get_by_role("radio", name=choice).check()
        button = figure.get_by_role("button", name=re.compile("^Play (event|what)"))
        if button.count():  # else it plays on
            button.click()
        assert hears(page, left, right)
    assert page.complaints == []


def test_what_is_taken_off_one_side_leaves_the_other_as_it_is(page):
    left, right, event = np.random.default_rng(1).integers(-9000, 9000, (3, 6000))
    subtract = """async ([samples, event, channels]) => {
      const taken = [{ samples: Int16Array.from(event), start: 0 }];
      const rest = subtraction.subtract(Int16Array.from(samples), taken, undefined, channels);
      return Array.from(await rest);
    }"""
    both, silent = np.stack([left, right], axis=1), np.stack([event, 0 * event], axis=1)
    rest = page.evaluate(subtract, [both.ravel().tolist(), silent.ravel().tolist(), 2])
    alone = page.evaluate(subtract, [left.tolist(), event.tolist(), 1])
    assert rest[::2] == alone and np.abs(np.subtract(rest[1::2], right))[2048:-2048].max() <= 1


def test_a_run_through_both_sides_is_that_of_each(page):
    sounds, whole = (
        np.random.default_rng(2).integers(-9000, 9000, (2, 900, 2)),
        np.full((200, 2), 7),
    )
    run = """([sounds, whole, channels]) => Array.from(opening.inARow(
      sounds.map((x) => Int16Array.from(x)), Int16Array.from(whole), 1000, channels))"""
    flat = [sounds.reshape(2, -1).tolist(), whole.ravel().tolist()]
    both = page.evaluate(run, [*flat, 2])
    for side in (0, 1):
        one = [sounds[:, :, side].tolist(), whole[:, side].tolist()]
        assert both[side::2] == page.evaluate(run, [*one, 1])


def test_a_mix_of_two_channels_is_the_published_one_and_its_edit_that_of_python(page, site_of_two):
    page.get_by_role("button", name="Play the mix of Mixed.").click()
    assert hears(page, 1000, 2000)
    measures = "{ title: 'Mixed.', rate: 8000, channels: 2, length: 20000 }"
    text = page.evaluate(
        f"""() => {{
          const rows = mix.read(document.querySelector('.roll'));
          const events = rows.map(edits.published);
          events[1] = {{ ...events[1], start: 100 }};
          return edits.toJson(events, {measures});
        }}"""
    )
    assert json.loads(text)["channels"] == 2
    edited = mix_edit(read_edit(text.encode()), open_site(open_storage(str(site_of_two))))
    sounds = [
        decode(file.read_bytes(), "audio/flac").samples
        for file in sorted((site_of_two / "media").glob("*.flac"))
    ]
    assert edited.shape == (20_000, 2) and len(sounds) == 5
    wav = page.evaluate(
        """async (text) => {
          const { events } = JSON.parse(text);
          const named = events.map((event) => ({ ...event, sound: `media/${event.sound}.flac` }));
          const whole = mix.toWav(await mix.render(named, 20000, 2), 8000, 2);
          return media.sha256(whole);
        }""",
        text,
    )
    assert wav == sha256(to_wav(edited, 8000)).hexdigest()
    assert page.complaints == []
