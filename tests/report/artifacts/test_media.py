import hashlib
import io
import re
import wave

import numpy as np
import pytest
from matplotlib.figure import Figure as MatplotlibFigure
from PIL import Image

from report.artifacts.media import (
    COLUMNS,
    FULL_SCALE,
    LETTERS,
    Data,
    Figure,
    Film,
    Picture,
    Sound,
    decode,
    encode,
    to_int16,
    to_wav,
)

RNG = np.random.default_rng(0)
NOISE = RNG.uniform(-1, 1, 5000)


def figure():
    drawing = MatplotlibFigure(figsize=(2, 1))
    drawing.add_axes((0.25, 0.2, 0.5, 0.7)).plot([1, 2])
    return Figure(drawing, "a line")


MEDIA = [
    lambda: Sound(NOISE, 22050),
    figure,
    lambda: Picture((NOISE[:600].reshape(20, 30) * 100 + 128).astype(np.uint8), "noise"),
    lambda: Film(RNG.integers(0, 255, (1, 8, 8, 3), np.uint8).repeat(3, 0), 1.0, "still"),
    lambda: Data({"b": [1.5, None], "a": "ü"}),
]


@pytest.mark.parametrize("make", MEDIA)
def test_same_media_same_bytes(make):
    media = make() if make is not figure else None
    assert encode(media or make()) == encode(media or make())


def test_sound_comes_back_within_half_a_step_and_int16_exactly():
    sound = decode(encode(Sound(0.9 * NOISE, 22050)).data, "audio/flac")
    assert sound.samplerate == 22050 and sound.samples.dtype == np.int16
    assert np.abs(sound.samples / 32768 - 0.9 * NOISE).max() <= 0.5 / 32768
    again = decode(encode(sound).data, "audio/flac")
    assert np.array_equal(again.samples, sound.samples)
    assert np.array_equal(to_int16(sound.samples / 32768)[0], sound.samples)


@pytest.mark.parametrize("samplerate", [1, 999, 22_050, 65_535, 65_536, 96_000, 655_350, 655_360])
def test_sounds_are_flac_where_it_keeps_their_rate_and_wav_elsewhere(samplerate):
    samples = np.concatenate([to_int16(NOISE)[0], [-32768, 32767], np.zeros(5000)]).astype(np.int16)
    for part in (samples, samples[-1:], samples[:3] // 16 * 16):
        encoded = encode(Sound(part, samplerate))
        kept = samplerate not in (65_536, 655_360)
        assert encoded.media_type == ("audio/flac" if kept else "audio/wav")
        back = decode(encoded.data, encoded.media_type)
        assert back.samplerate == samplerate and np.array_equal(back.samples, part)
        assert encoded.info["wav"] == hashlib.sha256(to_wav(part, samplerate)).hexdigest()


@pytest.mark.parametrize("samplerate", [22_050, 65_536])
def test_left_and_right_are_stored_each_by_itself_in_any_layout(samplerate):
    samples = to_int16(np.stack([NOISE, NOISE[::-1] / 3], 1))[0]
    encoded = encode(Sound(samples, samplerate))
    assert encode(Sound(samples.T, samplerate)) == encoded
    assert decode(encoded.data, encoded.media_type).samples.tolist() == samples.tolist()
    info = encoded.info
    assert (info["channels"], info["n_samples"]) == (2, len(NOISE))
    assert info["wav"] == hashlib.sha256(to_wav(samples, samplerate)).hexdigest()
    with wave.open(io.BytesIO(to_wav(samples, samplerate))) as file:
        assert (file.getnchannels(), file.getnframes()) == (2, len(NOISE))
    louder = encode(Sound(samples[:, 0], samplerate)).info
    assert (info["peak"], louder["channels"]) == (louder["peak"], 1)


def test_a_second_channel_that_is_the_same_is_twice_the_energy():
    """BS.1770 adds up the energies of left and right: 3.01 dB."""
    one = encode(Sound(NOISE, 8000)).info["loudness"]
    two = encode(Sound(np.stack([NOISE, NOISE], 1), 8000)).info["loudness"]
    assert two - one == pytest.approx(10 * np.log10(2), abs=0.02)


def test_a_flac_file_takes_less_than_half_and_nothing_of_it_is_found_in_floating_point():
    """Bits 1 to 6 of a frame's content tell the kind: 32 and more are linear predictions."""
    data = encode(Sound(sine(440, 1, 22050, 0.3), 22050)).data
    assert len(data) < 22050
    assert data[86:88] == b"\xff\xf8" and 8 <= data[92] >> 1 <= 12


def test_levels_are_true_and_clipping_is_counted():
    quiet = encode(Sound(NOISE / NOISE.max() / 10, 100)).info
    assert quiet["peak"] == pytest.approx(
        20 * np.log10(np.abs(NOISE).max() / NOISE.max() / 10), abs=0.01
    )
    assert quiet["clipped"] == 0
    loud = encode(Sound(np.array([0.5, 1.0, -1.0, 1.2, -7.0]), 100))
    assert loud.info["clipped"] == 2 and loud.info["peak"] == 0.0
    assert decode(loud.data, "audio/flac").samples.tolist() == [16384, 32767, -32768, 32767, -32768]
    assert encode(Sound(np.zeros(10), 100)).info["peak"] is None


@pytest.mark.parametrize("n_samples", [1, COLUMNS - 1, COLUMNS, 12345])
def test_the_waveform_encloses_every_sample(n_samples):
    sound = Sound(RNG.uniform(-1, 1, n_samples), 8000)
    info = encode(sound).info
    assert (info["n_samples"], info["seconds"]) == (n_samples, n_samples / 8000)
    levels = [LETTERS.index(letter) for letter in info["peaks"]]
    parts = np.array_split(np.abs(sound.samples), min(COLUMNS, n_samples))
    assert levels == pytest.approx([63 * part.max() for part in parts], abs=0.51)


def loudness(samples, samplerate):
    return encode(Sound(samples, samplerate)).info["loudness"]


def sine(hertz, seconds, samplerate, level=32767 / FULL_SCALE):
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * samplerate)) / samplerate)


@pytest.mark.parametrize(
    ("samplerate", "within"), [(48000, 0.01), (44100, 0.01), (22050, 0.05), (8000, 0.05)]
)
@pytest.mark.parametrize("seconds", [0.4, 0.46, 3.07])
def test_loudness_is_that_of_the_standard(samplerate, within, seconds):
    """BS.1770: "if a 0 dB FS, 1 kHz (997 Hz to be exact) sine wave is applied …, the indicated
    loudness will equal -3.01 LKFS"."""
    assert loudness(sine(997, seconds, samplerate), samplerate) == pytest.approx(-3.01, abs=within)
    assert loudness(sine(997, seconds, samplerate, 0.1), samplerate) == pytest.approx(
        -23.01, abs=within
    )


def test_loudness_weighs_low_and_high_tones_as_the_standard_does():
    """The filters' gains out of the standard's tables of coefficients, which are for 48 kHz."""

    def gain(hertz):
        z = np.exp(-2j * np.pi * hertz / 48000)
        shelf = np.polyval([1.19839281085285, -2.69169618940638, 1.53512485958697], z)
        shelf /= np.polyval([0.73248077421585, -1.69065929318241, 1], z)
        pass_high = np.polyval([1, -2, 1], z) / np.polyval(
            [0.99007225036621, -1.99004745483398, 1], z
        )
        return 20 * np.log10(abs(shelf * pass_high))

    for hertz in (60, 250, 2500, 8000):
        expected = -0.691 + 20 * np.log10(0.5 / np.sqrt(2)) + gain(hertz)
        assert loudness(sine(hertz, 5, 48000, 0.5), 48000) == pytest.approx(expected, abs=0.02)


def test_pauses_and_quiet_passages_do_not_count_for_loudness():
    tone = sine(997, 10, 48000, 0.1)
    assert loudness(np.concatenate([tone, np.zeros(480_000)]), 48000) == pytest.approx(
        -23.01, abs=0.1
    )
    assert loudness(np.concatenate([tone, 0.1 * tone]), 48000) == pytest.approx(-23.01, abs=0.1)
    assert loudness(np.concatenate([tone, 0.5 * tone]), 48000) == pytest.approx(
        -23.01 - 2.04, abs=0.1
    )


@pytest.mark.parametrize(
    ("samples", "samplerate"),
    [
        (sine(997, 0.39, 48000), 48000),
        (np.zeros(48000), 48000),
        (sine(997, 1, 48000, 1 / FULL_SCALE), 48000),
        (sine(50, 2, 1000), 1000),
    ],
    ids=["shorter than a block", "silent", "quieter than the gate", "of a rate too low"],
)
def test_what_has_no_loudness_has_none(samples, samplerate):
    assert loudness(samples, samplerate) is None


@pytest.mark.parametrize("samplerate", [0, -1, 44_100.5, float("nan"), "44100", None, 2**31])
def test_a_samplerate_that_can_not_be_is_named(samplerate):
    message = f"Sound.samplerate is {samplerate!r}; give a whole number of Hz"
    with pytest.raises(ValueError, match=re.escape(message)):
        Sound(np.zeros(100), samplerate)


@pytest.mark.parametrize("samplerate", [8000, 8000.0, np.int64(8000), np.float32(8000)])
def test_a_samplerate_is_a_whole_number_of_any_type(samplerate):
    assert encode(Sound(np.zeros(100), samplerate)).info["samplerate"] == 8000


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros(0), "T > 0"),
        (np.zeros((3, 10)), "mix other channels down"),
        (np.zeros((2, 2, 10)), "mix other channels down"),
        (np.zeros((0, 2)), "T > 0"),
        (np.array([0.0, np.nan]), "1 of 2 samples are NaN"),
        (np.array([np.inf]), "infinite"),
        (np.zeros(3, np.int32), "int32"),
    ],
)
def test_sounds_that_can_not_be_stored_are_refused(samples, words):
    with pytest.raises(ValueError, match=words):
        encode(Sound(samples, 100))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), {1, 2}, np.float32(1)])
def test_data_is_finite_json_or_refused(bad):
    with pytest.raises(ValueError, match="JSON"):
        encode(Data([bad]))


def test_data_does_not_depend_on_the_order_of_keys():
    assert encode(Data({"a": 1, "b": 2})).data == encode(Data({"b": 2, "a": 1})).data
    assert decode(encode(Data({"a": [1, "x"]})).data, "application/json").value == {"a": [1, "x"]}


def test_a_figure_says_where_its_plot_is_and_carries_no_version():
    encoded = encode(figure())
    assert encoded.info["plot"] == [0.25, 0.75]
    assert encoded.info["width"] == 2 * encoded.info["height"]
    assert "Software" not in Image.open(io.BytesIO(encoded.data)).info


def test_a_picture_keeps_its_pixels():
    pixels = RNG.integers(0, 255, (5, 7, 3), np.uint8)
    encoded = encode(Picture(pixels, "noise"))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encoded.data))), pixels)
    assert (encoded.info["width"], encoded.info["height"], encoded.info["alt"]) == (7, 5, "noise")


def test_a_lossy_picture_is_close_and_much_smaller_and_both_keep_the_marks_of_their_axes():
    time = np.linspace(0, 6, 300)
    pixels = np.rint(
        127 + 60 * np.sin(time)[:, None] * np.cos(time) + RNG.normal(0, 3, (300, 300))
    ).astype(np.uint8)
    exact, lossy = (
        encode(Picture(pixels, "hills", lossy, {"1 s": 0.5}, {"1 kHz": 0.25}))
        for lossy in (False, True)
    )
    assert (exact.media_type, lossy.media_type) == ("image/png", "image/webp")
    assert exact.info == lossy.info
    assert (lossy.info["across"], lossy.info["up"]) == ({"1 s": 0.5}, {"1 kHz": 0.25})
    assert len(lossy.data) < len(exact.data) / 10
    seen = np.asarray(Image.open(io.BytesIO(lossy.data)).convert("L"), float)
    assert np.abs(seen - pixels).mean() < 4


def test_a_film_is_one_picture_of_all_its_frames_row_by_row():
    frames = np.arange(10, dtype=np.uint8)[:, None, None].repeat(16, 1).repeat(32, 2) * 25
    encoded = encode(Film(frames, 2.0, "brighter"))
    info = encoded.info
    assert (info["n_frames"], info["columns"], info["seconds"], info["alt"]) == (
        10,
        3,
        2.0,
        "brighter",
    )
    assert (info["width"], info["height"]) == (32, 16)  # of one frame
    sheet = np.asarray(Image.open(io.BytesIO(encoded.data)).convert("L"), int)
    assert sheet.shape == (4 * 16, 3 * 32)
    for i, frame in enumerate(frames):
        row, column = divmod(i, info["columns"])
        middle = sheet[16 * row + 4 : 16 * row + 12, 32 * column + 4 : 32 * column + 28]
        assert np.abs(middle - frame[0, 0]).max() <= 8


def test_a_film_too_large_for_one_picture_is_refused():
    with pytest.raises(
        ValueError,
        match="2 frames of 17000 x 1 pixels do not fit into one picture; make them smaller",
    ):
        encode(Film(np.zeros((2, 1, 17000), np.uint8), 1.0, "wide"))
    with pytest.raises(ValueError, match="lasts 0.0 s"):
        encode(Film(np.zeros((3, 8, 8), np.uint8), 0.0, "no time"))


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4), np.uint8)]
)
def test_pixels_of_another_kind_are_refused(pixels):
    with pytest.raises(ValueError, match="uint8"):
        encode(Picture(pixels, "no"))


def test_what_is_no_media_is_refused():
    with pytest.raises(TypeError, match="ndarray is no media; return Sound"):
        encode(np.zeros(3))
