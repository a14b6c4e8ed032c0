"""The sum that the page computes is the one that the command line computes, bit for bit."""

from hashlib import sha256

import numpy as np
import pytest

from report.artifacts.media import to_wav, waveform
from report.mix import UNITY, mix

# The samples of a mix in the page, whose sounds are given.
RENDER = """async ({ sounds, events, length }) => {
  const { samples } = media;
  media.samples = async (address) => Int16Array.from(sounds[address]);
  const mixed = await mix.render(events, length);
  media.samples = samples;
  return mixed;
}"""
HASH = f"""async (given) =>
  media.sha256(mix.toWav(await ({RENDER})(given), given.rate))"""


def random_events(seed, n, length):
    """Sounds and events: gains up to both ends, starts before the beginning, ends after the end."""
    rng = np.random.default_rng(seed)
    sounds = [
        rng.integers(-peak, peak, rng.integers(1, length), np.int16) for peak in 4 * [100, 3000]
    ]
    gains = rng.choice([0, 1, UNITY, 65536, *rng.integers(0, 65537, 12)], n)
    starts = rng.integers(-length, length + 1, n)
    which, muted = rng.integers(0, 8, n), rng.random(n) < 0.2
    return sounds, [
        {
            "sound": str(which[i]),
            "start": int(starts[i]),
            "gain": int(gains[i]),
            "muted": bool(muted[i]),
        }
        for i in range(n)
    ]


@pytest.mark.parametrize(("seed", "n"), [(1, 0), (2, 1), (3, 2), (4, 5), (5, 200), (6, 200)])
def test_random_edits_have_the_same_bytes_in_the_page_as_in_python(scripts, seed, n):
    length, rate = 700, 22050
    sounds, events = random_events(seed, n, length)
    audible = [event for event in events if not event["muted"]]
    expected = mix(
        [sounds[int(event["sound"])] for event in audible],
        [event["start"] for event in audible],
        [event["gain"] for event in audible],
        length,
    )
    if n == 200:
        assert (expected.min(), expected.max()) == (-32768, 32767)
        assert np.unique(expected).size > 20
    data = {str(i): sound.tolist() for i, sound in enumerate(sounds)}
    given = {"sounds": data, "events": events, "length": length, "rate": rate}
    hashed = scripts.evaluate(HASH, given)
    assert hashed == sha256(to_wav(expected, rate)).hexdigest()


def test_left_and_right_have_the_same_bytes_in_the_page_as_in_python(scripts):
    sound = np.random.default_rng(5).integers(-20_000, 20_000, (300, 2), np.int16)
    expected = mix([sound, sound], [-3, 50], [UNITY, 3000], 310)
    events = [
        {"sound": "0", "start": start, "gain": gain, "muted": False}
        for start, gain in ((-3, UNITY), (50, 3000))
    ]
    made = scripts.evaluate(
        """async ({ values, events }) => {
          const { toBuffer } = sound;
          const { samples } = media;
          media.samples = async () => Int16Array.from(values);
          const mixed = await mix.render(events, 310, 2);
          media.samples = samples;
          const { length, numberOfChannels } = toBuffer(mixed, 8000, 2);
          const hash = await media.sha256(mix.toWav(mixed, 8000, 2));
          return [hash, wave.peaksOf(mixed, 2), [length, numberOfChannels]];
        }""",
        {"values": sound.ravel().tolist(), "events": events},
    )
    assert made == [sha256(to_wav(expected, 8000)).hexdigest(), waveform(expected), [310, 2]]


@pytest.mark.parametrize("gain", [1, 2047, 2048, 2049, UNITY - 1, UNITY, UNITY + 1, 65535])
def test_rounding_is_the_same_at_every_half(scripts, gain):
    sound = np.arange(-40, 41, dtype=np.int16)
    event = {"sound": "0", "start": 0, "gain": gain, "muted": False}
    given = {"sounds": {"0": sound.tolist()}, "events": [event], "length": sound.size}
    values = scripts.evaluate(f"async (given) => Array.from(await ({RENDER})(given))", given)
    assert values == mix([sound], [0], [gain], sound.size).tolist()


@pytest.mark.parametrize(
    ("n", "rate"), [(1, 8000), (2, 16000), (1001, 22050), (1000, 44100), (3, 192000)]
)
def test_a_wav_file_has_the_same_bytes_in_the_page_as_in_python(scripts, n, rate):
    samples = np.random.default_rng(n).integers(-32768, 32768, n, np.int16)
    data = scripts.evaluate(
        "([values, rate]) => Array.from(new Uint8Array(mix.toWav(Int16Array.from(values), rate)))",
        [samples.tolist(), rate],
    )
    assert bytes(data) == to_wav(samples, rate)
