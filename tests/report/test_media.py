import io

import numpy as np
import pytest
from matplotlib.figure import Figure as MatplotlibFigure
from PIL import Image

from report.media import Data, Figure, Film, Picture, Sound, decode, encode, to_int16

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
    sound = decode(encode(Sound(0.9 * NOISE, 22050)).data, "audio/wav")
    assert sound.samplerate == 22050 and sound.samples.dtype == np.int16
    assert np.abs(sound.samples / 32768 - 0.9 * NOISE).max() <= 0.5 / 32768
    again = decode(encode(sound).data, "audio/wav")
    assert np.array_equal(again.samples, sound.samples)
    assert np.array_equal(to_int16(sound.samples / 32768)[0], sound.samples)


def test_levels_are_true_and_clipping_is_counted():
    quiet = encode(Sound(NOISE / NOISE.max() / 10, 100)).info
    assert quiet["peak"] == pytest.approx(20 * np.log10(np.abs(NOISE).max() / NOISE.max() / 10), abs=0.01)
    assert quiet["clipped"] == 0
    loud = encode(Sound(np.array([0.5, 1.0, -1.0, 1.2, -7.0]), 100))
    assert loud.info["clipped"] == 2 and loud.info["peak"] == 0.0
    assert decode(loud.data, "audio/wav").samples.tolist() == [16384, 32767, -32768, 32767, -32768]
    assert encode(Sound(np.zeros(10), 100)).info["peak"] is None


@pytest.mark.parametrize("n_samples", [1, 199, 200, 12345])
def test_the_waveform_encloses_every_sample(n_samples):
    sound = Sound(RNG.uniform(-1, 1, n_samples), 8000)
    info = encode(sound).info
    assert (info["n_samples"], info["seconds"]) == (n_samples, n_samples / 8000)
    peaks = np.array(info["peaks"])
    assert peaks.shape == (min(200, n_samples), 2)
    assert peaks.max() == pytest.approx(sound.samples.max() * 127, abs=0.6)
    assert peaks.min() == pytest.approx(sound.samples.min() * 127, abs=0.6)


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros(0), "T > 0"),
        (np.zeros((2, 10)), "mix channels down"),
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


def test_a_picture_keeps_its_pixels_and_a_film_its_frames():
    pixels = RNG.integers(0, 255, (5, 7, 3), np.uint8)
    encoded = encode(Picture(pixels, "noise"))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encoded.data))), pixels)
    assert (encoded.info["width"], encoded.info["height"], encoded.info["alt"]) == (7, 5, "noise")
    frames = np.arange(4, dtype=np.uint8)[:, None, None].repeat(16, 1).repeat(16, 2) * 60
    film = Image.open(io.BytesIO(encode(Film(frames, 2.0, "brighter")).data))
    assert film.n_frames == 4 and film.info["loop"] == 1


@pytest.mark.parametrize("pixels", [np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4), np.uint8)])
def test_pixels_of_another_kind_are_refused(pixels):
    with pytest.raises(ValueError, match="uint8"):
        encode(Picture(pixels, "no"))


def test_what_is_no_media_is_refused():
    with pytest.raises(TypeError, match="ndarray is no media; return Sound"):
        encode(np.zeros(3))
