"""The media that a conjured function may return, and their encoding: same media, same bytes.

Levels are true: no sound is normalised, and samples that do not fit into 16 bits are clipped and
counted.
"""

import hashlib
import io
import json
import math
import string
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, Literal

import numpy as np
import soundfile as sf
from PIL import Image

from report.artifacts.arrays import from_npy, from_safetensors, to_npy, to_safetensors

FULL_SCALE = 32768  # a float sample of 1.0; recordings read as floats come back bit for bit
COLUMNS = 400  # of a drawn waveform
HIGHEST = 63  # level of the last letter
LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
LOUDNESS_RATE = 4000  # Hz; below it the filters of BS.1770 are too far from those at 48 kHz
FIGURE_DPI = 160
WEBP_SIDE = 16_383  # pixels

MediaType = Literal[
    "audio/flac", "audio/wav", "image/png", "image/webp", "application/json",
    "application/x-npy", "application/x-safetensors",
]  # fmt: skip
EXTENSIONS: dict[MediaType, str] = {
    "audio/flac": "flac",
    "audio/wav": "wav",
    "image/png": "png",
    "image/webp": "webp",
    "application/json": "json",
    "application/x-npy": "npy",
    "application/x-safetensors": "safetensors",
}


@dataclass(frozen=True, eq=False)
class Sound:
    """Samples that are floats in [-1, 1] or int16, at `samplerate` Hz.

    They are (T,) for one channel, and (T, 2) for left and right; (2, T) will do, too.
    """

    samples: np.ndarray
    samplerate: int

    def __post_init__(self) -> None:
        rate = self.samplerate
        if not isinstance(rate, Real) or rate % 1 != 0 or not 1 <= rate < 2**31:  # as WAV has it
            raise ValueError(
                f"Sound.samplerate is {rate!r}; give a whole number of Hz, such as 44100"
            )


@dataclass(frozen=True, eq=False)
class Figure:
    """A matplotlib figure, and a text for readers who can not see it. Encoding closes it."""

    figure: Any
    alt: str


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels, uint8, (H, W) grey or (H, W, 3) RGB, and a text for readers who can not see them.

    `lossy` stores a tenth of the bytes, and single pixels blur. `across` and `up` are the labels of
    its axes with their places, in shares of the width from the left and of the height from the
    bottom. `plot` is where time runs along it, from one share of the width to the other.
    """

    pixels: np.ndarray
    alt: str
    lossy: bool = False
    across: dict[str, float] = field(default_factory=dict)
    up: dict[str, float] = field(default_factory=dict)
    plot: tuple[float, float] | None = None  # None: from edge to edge


@dataclass(frozen=True, eq=False)
class Film:
    """Frames, uint8, (N, H, W) grey or (N, H, W, 3) RGB, that play once in `seconds`.

    Readers can step through them. They are stored as one picture, row by row in `columns` columns,
    of which a browser shows any frame at once.
    """

    frames: np.ndarray
    seconds: float
    alt: str


@dataclass(frozen=True, eq=False)
class Data:
    """A JSON value: numbers (finite), strings, lists, dicts with string keys."""

    value: Any


@dataclass(frozen=True, eq=False)
class Array:
    """Numbers or texts of any shape, stored exactly, for other functions to go on with.

    A tensor of PyTorch is stored as an array too.
    """

    values: Any


@dataclass(frozen=True, eq=False)
class Weights:
    """Arrays or PyTorch's tensors by name, such as a model's `state_dict()`, stored exactly."""

    tensors: Any


Media = Sound | Figure | Picture | Film | Data | Array | Weights


@dataclass(frozen=True)
class Encoded:
    """A media file in memory. `info` tells a page about it, so that it need not be opened."""

    data: bytes
    media_type: MediaType
    info: dict[str, Any]


def encode(media: Media) -> Encoded:
    """Return the media file for `media`.

    Raises: ValueError if it is empty or holds values that can not be stored; TypeError if it is
    no media.
    """
    for kind, encoder in _ENCODERS.items():
        if isinstance(media, kind):
            return encoder(media)
    kinds = ", ".join(kind.__name__ for kind in _ENCODERS)
    raise TypeError(f"{type(media).__name__} is no media; return {kinds}")


def decode(data: bytes, media_type: str) -> Sound | Data | Array | Weights:
    """Return the sound (int16 samples), data, array or weights that `encode` stored.

    Raises: TypeError for pictures and films; sf.LibsndfileError for a file that is no sound.
    """
    if media_type in ("audio/flac", "audio/wav"):
        samples, samplerate = sf.read(io.BytesIO(data), dtype="int16")
        samples.flags.writeable = False  # all who ask for the value have the same array
        return Sound(samples, samplerate)
    if media_type == "application/json":
        return Data(json.loads(data))
    if media_type == "application/x-npy":
        return Array(from_npy(data))
    if media_type == "application/x-safetensors":
        return Weights(from_safetensors(data))
    raise TypeError(
        f"{media_type} has no value to compute with; sounds, data, arrays and weights have one"
    )


def to_int16(samples: np.ndarray) -> tuple[np.ndarray, int]:
    """Return samples as int16, (T,) or (T, 2), and how many of them were clipped.

    Raises: ValueError if there are none, if they are more than two channels, or if one is not
    finite.
    """
    samples = _time_first(np.asarray(samples))
    if samples.dtype == np.int16:
        return samples, 0
    if samples.dtype.kind != "f":
        raise ValueError(f"samples are {samples.dtype}; give floats in [-1, 1] or int16")
    if not np.isfinite(samples).all():
        n_wrong = np.count_nonzero(~np.isfinite(samples))
        raise ValueError(f"{n_wrong} of {samples.size} samples are NaN or infinite")
    scaled = np.rint(samples.astype(np.float64) * FULL_SCALE)
    clipped = int(np.count_nonzero(np.abs(samples) > 1))
    return np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16), clipped


def _time_first(samples: np.ndarray) -> np.ndarray:
    """Return samples (T,) or (T, 2), which may come as (T, 1), (1, T) or (2, T) as well."""
    if samples.ndim == 2 and samples.shape[0] <= 2 < samples.shape[1]:
        samples = samples.T
    if samples.ndim == 2 and samples.shape[1] == 1:
        samples = samples[:, 0]
    if samples.size == 0 or not (samples.ndim == 1 or samples.shape[1:] == (2,)):
        raise ValueError(
            f"a sound is samples (T,), or (T, 2) for left and right, with T > 0, not "
            f"{samples.shape}; mix other channels down first"
        )
    return np.ascontiguousarray(samples)


def waveform(samples: np.ndarray) -> str:
    """Return the largest level of int16 samples in each of up to COLUMNS equal stretches.

    That of (T, 2) is the larger one of left and right.

    Each is a letter, from "A" for silence to "/" for full scale, as templates/scripts/sound/wave.js
    draws and computes them.
    """
    levels = np.abs(samples.astype(np.int32))
    stretches = np.array_split(levels, min(COLUMNS, len(samples)))
    most = np.array([stretch.max() for stretch in stretches])
    return "".join(LETTERS[i] for i in (HIGHEST * most + FULL_SCALE // 2) // FULL_SCALE)


def loudness(samples: np.ndarray, samplerate: int) -> float | None:
    """Integrated loudness of int16 samples, (T,) or (T, 2), in LUFS, by ITU-R BS.1770.

    None if it is not defined: for silence, for less than a block of 0.4 seconds, and for a rate too
    low for the standard's filters.
    """
    from pyloudnorm import Meter  # here, because it imports SciPy's filters

    # The standard's blocks are four tenths of a second long, and one begins at each tenth.
    tenths = len(samples) * 10 // samplerate
    if tenths < 4 or samplerate < LOUDNESS_RATE:
        return None
    whole = samples[: math.ceil(tenths * samplerate / 10)] / FULL_SCALE
    meter = Meter(samplerate, "DeMan")  # at 48 kHz its filters are those of the standard
    level = float(meter.integrated_loudness(whole))
    return round(level, 2) if math.isfinite(level) else None


def peak_level(samples: np.ndarray) -> float | None:
    """Return the level of the loudest of int16 samples, in dBFS; None for silence."""
    loudest = int(np.abs(samples.astype(np.int32)).max())
    return round(20 * float(np.log10(loudest / FULL_SCALE)), 2) if loudest else None


def encode_sound(sound: Sound) -> Encoded:
    samples, clipped = to_int16(sound.samples)
    rate = int(sound.samplerate)
    wav = to_wav(samples, rate)
    info = {
        "samplerate": rate,
        "channels": channels_of(samples),
        "n_samples": len(samples),
        "seconds": len(samples) / rate,
        "wav": hashlib.sha256(wav).hexdigest(),  # of the WAV file, whatever is stored
        "peak": peak_level(samples),
        "loudness": loudness(samples, rate),
        "clipped": clipped,
        "peaks": waveform(samples),
    }
    if keeps_rate(rate):
        return Encoded(to_flac(samples, rate), "audio/flac", info)
    return Encoded(wav, "audio/wav", info)


def channels_of(samples: np.ndarray) -> int:
    """Return the number of channels of samples, (T,) or (T, 2)."""
    return 1 if samples.ndim == 1 else samples.shape[1]


def keeps_rate(samplerate: int) -> bool:
    """Tell whether a FLAC file can have this rate in Hz. All sounds of a rate are of one type."""
    return samplerate < 2**16 or (samplerate % 10 == 0 and samplerate < 10 * 2**16)


def to_flac(samples: np.ndarray, samplerate: int) -> bytes:
    """Return a FLAC file of int16 samples, (T,) or (T, 2), at a rate that `keeps_rate`.

    It has no linear prediction. That would save another tenth of the bytes, but coefficients are
    found in floating point, so that they depend on the processor. Left and right are stored each
    by itself.
    """
    file = io.BytesIO()
    sf.write(file, samples, samplerate, "PCM_16", format="FLAC", compression_level=0)
    return file.getvalue()


def to_wav(samples: np.ndarray, samplerate: int) -> bytes:
    """A WAV file of int16 samples, the same bytes as those of the page's script mix.js.

    Samples are (T,) or (T, 2).
    """
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((channels_of(samples), 2, samplerate, len(samples), "NONE", ""))
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def encode_figure(figure: Figure) -> Encoded:
    import matplotlib.pyplot as plt  # here, so that articles without figures do not wait for it

    file = io.BytesIO()
    figure.figure.savefig(file, format="png", dpi=FIGURE_DPI, metadata={"Software": None})
    # The first plot's time axis, along which a playback cursor runs, in shares of the width.
    box = figure.figure.axes[0].get_position() if figure.figure.axes else None
    plt.close(figure.figure)
    width, height = Image.open(file).size
    info = {"width": width, "height": height, "alt": figure.alt}
    if box is not None:
        info["plot"] = [round(float(box.x0), 4), round(float(box.x1), 4)]
    return Encoded(file.getvalue(), "image/png", info)


def encode_picture(picture: Picture) -> Encoded:
    pixels = _pixels(picture.pixels, axes=2)
    height, width = pixels.shape[:2]
    info = {
        "width": width,
        "height": height,
        "alt": picture.alt,
        "across": picture.across,
        "up": picture.up,
    }
    if picture.plot is not None:
        info["plot"] = [round(float(share), 4) for share in picture.plot]
    if picture.lossy:
        return Encoded(_webp(pixels), "image/webp", info)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return Encoded(file.getvalue(), "image/png", info)


def encode_film(film: Film) -> Encoded:
    frames = _pixels(film.frames, axes=3)
    if not film.seconds > 0:
        raise ValueError(f"a film lasts {film.seconds} s; give it more than 0")
    n_frames, height, width = frames.shape[:3]
    columns = math.ceil(math.sqrt(n_frames * height / width))  # about as wide as high
    rows = math.ceil(n_frames / columns)
    if max(columns * width, rows * height) > WEBP_SIDE:
        raise ValueError(
            f"{n_frames} frames of {width} x {height} pixels do not fit into one picture; "
            "make them smaller"
        )
    sheet = np.zeros((rows, height, columns, width, *frames.shape[3:]), np.uint8)
    for i, frame in enumerate(frames):
        sheet[i // columns, :, i % columns] = frame
    info = {
        "width": width,
        "height": height,
        "alt": film.alt,
        "n_frames": n_frames,
        "columns": columns,
    }
    pixels = sheet.reshape(rows * height, columns * width, *frames.shape[3:])
    return Encoded(_webp(pixels), "image/webp", info | {"seconds": float(film.seconds)})


def _webp(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).convert("RGB").save(file, "WEBP", quality=50, method=4)
    return file.getvalue()


def encode_data(data: Data) -> Encoded:
    try:
        text = json.dumps(
            data.value, sort_keys=True, allow_nan=False, ensure_ascii=False, separators=(",", ":")
        )
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"data can not be stored as JSON: {error}; use finite numbers, strings, lists, dicts"
        ) from error
    return Encoded(text.encode(), "application/json", {})


def encode_array(array: Array) -> Encoded:
    data, values = to_npy(array.values)
    info = {"dtype": str(values.dtype), "shape": list(values.shape)}
    return Encoded(data, "application/x-npy", info)


def encode_weights(weights: Weights) -> Encoded:
    data = to_safetensors(weights.tensors)
    numbers = sum(math.prod(tensor.shape) for tensor in weights.tensors.values())
    info = {"tensors": len(weights.tensors), "numbers": numbers}
    return Encoded(data, "application/x-safetensors", info)


def _pixels(pixels: np.ndarray, axes: int) -> np.ndarray:
    pixels = np.ascontiguousarray(pixels)
    grey_or_rgb = pixels.ndim == axes or (pixels.ndim == axes + 1 and pixels.shape[-1] == 3)
    if pixels.dtype != np.uint8 or not grey_or_rgb or pixels.size == 0:
        raise ValueError(
            f"pixels are {pixels.dtype} {pixels.shape}; "
            "give uint8, rows x columns, grey or with 3 colours"
        )
    return pixels


_ENCODERS: dict[type, Callable[[Any], Encoded]] = {
    Sound: encode_sound,
    Figure: encode_figure,
    Picture: encode_picture,
    Film: encode_film,
    Data: encode_data,
    Array: encode_array,
    Weights: encode_weights,
}
