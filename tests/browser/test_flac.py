"""The page reads stored sounds as the integers that were stored, wherever it was opened."""

import base64

import numpy as np
import pytest

from report.artifacts.media import decode, to_flac

RNG = np.random.default_rng(3)
DECODE = """(text) => {
  const values = flac.decode(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  return values && Array.from(values);
}"""
MANY = f"(texts) => texts.map({DECODE})"
# Every sound of the page that scripts read, by its address.
ALL = """async () => {
  const found = document.querySelectorAll('.compare audio, .left audio, .roll a[href$=".flac"]');
  const addressOf = (each) => each.getAttribute('src') || each.getAttribute('href');
  const read = async (each) => [each, Array.from(await media.samples(each))];
  return Object.fromEntries(await Promise.all(Array.from(found, addressOf).map(read)));
}"""
SOUNDS = {
    "silence": np.zeros(3000),
    "a constant": np.full(5000, -7),
    "all values": np.arange(-32768, 32768),
    "full scale": np.tile([32767, -32768], 3000),
    "noise": RNG.integers(-32768, 32768, 10_001),
    "low bits that are 0": 16 * RNG.integers(-300, 300, 5000),
    "a tone": 20_000 * np.sin(np.arange(30_000) / 30),
    "a slow tone": 32_000 * np.sin(np.arange(30_000) / 900),
    "a parabola": np.arange(1200) ** 2 / 50,
    "rare jumps": np.repeat(RNG.integers(-32768, 32768, 60), 50),
    "quiet, then loud": np.concatenate([RNG.integers(-2, 3, 2000), RNG.integers(-9999, 9999, 999)]),
    "rare spikes": np.where(RNG.random(9000) < 0.002, 30_000, RNG.integers(-1, 2, 9000)),
    **{f"{n} samples": RNG.normal(0, 500, n) for n in (1, 2, 5, 1151, 1152, 1153, 4609)},
}


def as_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("kind", SOUNDS)
def test_what_was_stored_comes_back(scripts, kind):
    samples = SOUNDS[kind].astype(np.int16)
    rates = (100, 8000, 22_050, 44_100, 48_000, 65_535, 192_000, 655_350)
    files = [as_text(to_flac(samples, rate)) for rate in rates]
    assert scripts.evaluate(MANY, files) == [samples.tolist()] * len(rates)


@pytest.mark.parametrize("kind", ["noise", "a tone", "quiet, then loud", "1153 samples"])
def test_left_and_right_come_back_in_turn(scripts, kind):
    samples = np.stack([SOUNDS[kind], SOUNDS[kind][::-1] // 2], 1).astype(np.int16)
    file = as_text(to_flac(samples, 44_100))
    assert scripts.evaluate(DECODE, file) == samples.ravel().tolist()


def test_a_file_that_is_damaged_cut_short_or_of_another_kind_is_found(scripts):
    samples = SOUNDS["a tone"][:4000].astype(np.int16)
    whole = to_flac(samples, 22_050)
    header = 42 + 44  # of the file; nothing depends on most of it
    damaged = []
    for bit in RNG.integers(8 * header, 8 * len(whole), 300):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        damaged.append(bytes(flipped))
    damaged += [whole[:n] for n in (0, 3, 4, 20, 41, 42, 60, header, header + 3, len(whole) - 1)]
    damaged += [b"RIFF" + whole[4:], b"x" * 500, bytes(500), b"\xff" * 500]
    assert scripts.evaluate(MANY, [as_text(data) for data in damaged]) == [None] * len(damaged)


@pytest.mark.parametrize("how", ["file", "http"])
def test_every_sound_of_a_page_is_read_as_it_was_stored(open_page, serve, site, how):
    page = open_page(site if how == "file" else serve(site))
    read = page.evaluate(ALL)
    assert len(read) > 10
    for address, values in read.items():
        stored = decode((site / address).read_bytes(), "audio/flac")
        assert values == stored.samples.tolist()
    assert page.complaints == []
