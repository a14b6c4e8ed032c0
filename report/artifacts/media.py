"""What a conjured function may return, and how it becomes bytes: the same media give the same bytes.

Levels are true. No sound is ever normalised; what does not fit into 16 bits is clipped and counted.
"""

import io
import json
import math
import wave
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

FULL_SCALE = 32768  # a float sample of 1.0; recordings read as floats come back bit for bit
PEAK_PAIRS = 100  # columns of a drawn waveform
LOUDNESS_RATE = 4000  # Hz; below it the filters of BS.1770 are too far from what they are at 48 kHz
FIGURE_DPI = 160
WEBP_SIDE = 16_383  # pixels
EXTENSIONS = {
    "audio/wav": "wav",
    "image/png": "png",
    "image/webp": "webp",
    "application/json": "json",
}


@dataclass(frozen=True, eq=False)
class Sound:
    """Mono sound: `samples` (T,) are floats in [-1, 1] or int16, `samplerate` is in Hz."""

    samples: np.ndarray
    samplerate: int


@dataclass(frozen=True, eq=False)
class Figure:
    """A matplotlib figure, and the words for readers who can not see it. Encoding closes the figure."""

    figure: Any
    alt: str


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels, uint8, (H, W) grey or (H, W, 3) RGB, and the words for readers who can not see them.

    `lossy` stores a tenth of the bytes, in which single pixels blur. `across` and `up` are the marks of its axes: what
    is written where, in shares of the width from the left and of the height from the bottom.
    """

    pixels: np.ndarray
    alt: str
    lossy: bool = False
    across: dict[str, float] = field(default_factory=dict)
    up: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Film:
    """Frames, uint8, (N, H, W) grey or (N, H, W, 3) RGB, that play once in `seconds` and can be stepped through.

    Stored as one picture of all frames, row by row in `columns` columns: a browser shows any of them at once.
    """

    frames: np.ndarray
    seconds: float
    alt: str


@dataclass(frozen=True, eq=False)
class Data:
    """Whatever JSON can hold: numbers (finite), strings, lists, dicts with string keys."""

    value: Any


Media = Sound | Figure | Picture | Film | Data


@dataclass(frozen=True)
class Encoded:
    """A media file in memory. `info` is what a page needs to know about it without opening it."""

    data: bytes
    media_type: str  # one of EXTENSIONS
    info: dict


def encode(media: Media) -> Encoded:
    """The media file for `media`.

    Raises: ValueError if it holds nothing or something that can not be stored; TypeError if it is no media.
    """
    for kind, encoder in _ENCODERS.items():
        if isinstance(media, kind):
            return encoder(media)
    raise TypeError(
        f"{type(media).__name__} is no media; return {', '.join(k.__name__ for k in _ENCODERS)}"
    )


def decode(data: bytes, media_type: str) -> Sound | Data:
    """The sound (int16 samples) or data that `encode` stored. Raises: TypeError for pictures and films."""
    if media_type == "audio/wav":
        with wave.open(io.BytesIO(data)) as file:
            return Sound(
                np.frombuffer(file.readframes(file.getnframes()), "<i2"), file.getframerate()
            )
    if media_type == "application/json":
        return Data(json.loads(data))
    raise TypeError(f"{media_type} has no value to compute with; only sounds and data have one")


def to_int16(samples: np.ndarray) -> tuple[np.ndarray, int]:
    """Samples (T,) as int16, and how many of them were clipped.

    Raises: ValueError if there are none, if they are not one channel, or if one is not a finite number.
    """
    samples = np.asarray(samples)
    if samples.ndim != 1 or samples.size == 0:
        raise ValueError(
            f"a sound is samples (T,) with T > 0, not {samples.shape}; mix channels down first"
        )
    if samples.dtype == np.int16:
        return samples, 0
    if samples.dtype.kind != "f":
        raise ValueError(f"samples are {samples.dtype}; give floats in [-1, 1] or int16")
    if not np.isfinite(samples).all():
        raise ValueError(
            f"{np.count_nonzero(~np.isfinite(samples))} of {samples.size} samples are NaN or infinite"
        )
    scaled = np.rint(samples.astype(np.float64) * FULL_SCALE)
    clipped = int(np.count_nonzero(np.abs(samples) > 1))
    return np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16), clipped


def waveform(samples: np.ndarray) -> list[list[int]]:
    """Smallest and largest of int16 samples (T,) in up to PEAK_PAIRS equal stretches, each in -127..127."""
    stretches = np.array_split(samples.astype(np.int32), min(PEAK_PAIRS, samples.size))
    return [
        [round(int(x) * 127 / FULL_SCALE) for x in (part.min(), part.max())] for part in stretches
    ]


def loudness(samples: np.ndarray, samplerate: int) -> float | None:
    """Integrated loudness of int16 samples (T,) in LUFS, by ITU-R BS.1770.

    None where there is none: silence, less than a block of 0.4 seconds, or a rate too low for the standard's filters.
    """
    from pyloudnorm import Meter  # here, because it brings SciPy's filters along

    steps = (
        samples.size * 10 // samplerate
    )  # tenths of a second: a block is four of them, and one begins at each
    if steps < 4 or samplerate < LOUDNESS_RATE:
        return None
    whole = samples[: math.ceil(steps * samplerate / 10)] / FULL_SCALE
    level = float(
        Meter(samplerate, "DeMan").integrated_loudness(whole)
    )  # its filters are the standard's at 48 kHz
    return round(level, 2) if math.isfinite(level) else None


def encode_sound(sound: Sound) -> Encoded:
    samples, clipped = to_int16(sound.samples)
    loudest = int(np.abs(samples.astype(np.int32)).max())
    info = {
        "samplerate": int(sound.samplerate),
        "n_samples": samples.size,
        "seconds": samples.size / int(sound.samplerate),
        "peak": round(20 * float(np.log10(loudest / FULL_SCALE)), 2)
        if loudest
        else None,  # dBFS; None is silence
        "loudness": loudness(samples, int(sound.samplerate)),
        "clipped": clipped,
        "peaks": waveform(samples),
    }
    return Encoded(to_wav(samples, int(sound.samplerate)), "audio/wav", info)


def to_wav(samples: np.ndarray, samplerate: int) -> bytes:
    """A WAV file of int16 samples (T,), byte for byte as a page writes it (templates/scripts/mix.js)."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, samplerate, samples.size, "NONE", ""))
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def encode_figure(figure: Figure) -> Encoded:
    import matplotlib.pyplot as plt  # here, so that articles without figures do not wait for it

    file = io.BytesIO()
    figure.figure.savefig(file, format="png", dpi=FIGURE_DPI, metadata={"Software": None})
    # Where the first plot's time axis starts and ends, as shares of the width: a playback cursor runs between them.
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
    file = io.BytesIO()
    if picture.lossy:
        return Encoded(_webp(pixels), "image/webp", info)
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
            f"{n_frames} frames of {width} x {height} pixels do not fit into one picture; make them smaller"
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
    Image.fromarray(pixels).convert("RGB").save(file, "WEBP", quality=50, method=6)
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


def _pixels(pixels: np.ndarray, axes: int) -> np.ndarray:
    pixels = np.ascontiguousarray(pixels)
    grey_or_rgb = pixels.ndim == axes or (pixels.ndim == axes + 1 and pixels.shape[-1] == 3)
    if pixels.dtype != np.uint8 or not grey_or_rgb or pixels.size == 0:
        raise ValueError(
            f"pixels are {pixels.dtype} {pixels.shape}; give uint8, rows x columns, grey or with 3 colours"
        )
    return pixels


_ENCODERS = {
    Sound: encode_sound,
    Figure: encode_figure,
    Picture: encode_picture,
    Film: encode_film,
    Data: encode_data,
}
