"""Sounds of two channels are heard on both sides, alone, compared, at another speed, and mixed."""

import json
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
    assert edited.shape == (20_000, 2) and len(sounds) == 4
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
