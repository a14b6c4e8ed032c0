"""Each sound of a page is heard at its own samplerate, whatever was heard before it."""

import pytest

from tests.browser.conftest import wait_until

# Listen to all that goes to the loudspeakers.
LISTEN = """() => {
  window.ears = [];
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode) {
      const ear = new AnalyserNode(this.context, { fftSize: 4096, smoothingTimeConstant: 0 });
      connect.call(this, ear);
      ears.push(ear);
    }
    return connect.call(this, target, ...rest);
  };
}"""
# The loudest frequency of what was begun last, and its loudest one far from there, in Hz and dB.
SPECTRUM = """() => {
  const ear = ears.map((each) => {
    const levels = new Float32Array(each.frequencyBinCount);
    each.getFloatFrequencyData(levels);
    return { each, levels, most: levels.indexOf(Math.max(...levels)) };
  }).sort((a, b) => b.levels[b.most] - a.levels[a.most])[0];
  const far = ear.levels.filter((_, k) => Math.abs(k - ear.most) > 20);
  const step = ear.each.context.sampleRate / ear.each.fftSize;
  return [ear.most * step, ear.levels[ear.most], Math.max(...far)];
}"""
# A steady tone, with nothing else 60 dB below it, fills all that the analyser holds.
PURE = f"((heard) => heard[1] > -30 && heard[2] < heard[1] - 60)(({SPECTRUM})())"


@pytest.fixture
def page(open_page, build_pages):
    page = open_page(build_pages("rates"), "rates.html")
    page.evaluate(LISTEN)
    return page


def compared(page, number):
    return page.locator(".compare").nth(number)


def pitch(page):
    """The frequency of what is heard, which has to be a pure tone, in Hz."""
    wait_until(page, f"ears.length && {PURE}", seconds=5)
    return page.evaluate(SPECTRUM)[0]


def forget(page):
    page.evaluate("ears.splice(0)")


def test_a_sound_after_one_of_a_lower_rate_keeps_its_pitch(page):
    page.get_by_role("button", name="Play the mix of Slow.").click()
    assert pitch(page) == pytest.approx(3000, abs=10)
    forget(page)
    compared(page, 0).get_by_role("button", name="Play Fast").click()
    assert pitch(page) == pytest.approx(10000, abs=20)
    assert page.locator(".desk.playing").count() == 0  # one sound at a time, in all contexts
    forget(page)
    page.get_by_role("button", name="Play the mix of Slow.").click()
    assert pitch(page) == pytest.approx(3000, abs=10)
    assert compared(page, 0).locator(".playing").count() == 0 and page.complaints == []


def test_versions_of_two_rates_are_switched_and_nothing_of_them_is_lost(page):
    compared(page, 1).get_by_role("slider").press("Shift+End")
    compared(page, 1).get_by_role("button", name="Play Slow").click()
    assert pitch(page) == pytest.approx(3000, abs=20)  # with no image at 5 kHz
    compared(page, 1).get_by_role("radio", name="Fast").check()
    wait_until(page, f"({SPECTRUM})()[0] > 5000")
    assert pitch(page) == pytest.approx(10000, abs=20)
    assert page.complaints == []


def test_contexts_of_other_rates_sleep(page):
    page.get_by_role("button", name="Play the mix of Slow.").click()
    wait_until(page, "sound.wake(8000).currentTime > 0.1")
    compared(page, 0).get_by_role("button", name="Play Fast").click()
    page.evaluate("window.slow = ears[0].context")
    loop = compared(page, 0).get_by_role("slider")
    loop.press("Shift+End")  # so that it plays on
    wait_until(page, "slow.state === 'suspended'")
    assert page.locator(".compare .playing").count() == 1
