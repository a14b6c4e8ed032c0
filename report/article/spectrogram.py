"""Spectrograms of sounds, as pictures that run along them."""

import math
from typing import Any

import numpy as np

from report.article.given import taken
from report.artifacts.media import FULL_SCALE, Picture
from report.artifacts.session import Artifact, conjure
from report.number_formats import tick_step

WINDOW = 2048  # samples of a frame
WIDTH, HEIGHT = 800, 256  # pixels
FRAMES = 2  # of a column, whose mean it shows
LOWEST = 50  # Hz, at the bottom
RANGE = 80  # dB, from the darkest to the brightest pixel
# From quiet to loud, each brighter than the one before, so that they are told apart in grey.
COLOURS = ((8, 10, 30), (60, 25, 110), (160, 40, 110), (240, 110, 60), (255, 240, 190))
TICKS = (100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)  # Hz


def spectrogram(sound: Any, samplerate: int | None = None) -> Artifact:
    """Return the picture of a sound's spectrogram, for `Player(sound, picture=...)`.

    The sound may be all that a Player takes. Left and right are added up in energy. Frequencies are
    on a logarithmic axis, levels in dB, down to 80 below the loudest.
    Raises: TypeError or ValueError if it is no sound.
    """
    return spectrogram_of(taken("the sound of a spectrogram", sound, "a sound", samplerate))


@conjure
def spectrogram_of(sound: Artifact) -> Picture:
    """Return the picture of a sound's spectrogram."""
    samples, rate = sound.value.samples / FULL_SCALE, sound.value.samplerate
    power = _band_powers(samples.reshape(len(samples), -1), rate)
    levels = 10 * np.log10(np.maximum(power, 1e-20))
    brightness = np.clip(1 + (levels - levels.max()) / RANGE, 0, 1)
    if not power.any():
        brightness[:] = 0
    anchors = np.linspace(0, 1, len(COLOURS))
    channels = [np.interp(brightness, anchors, colours) for colours in zip(*COLOURS, strict=True)]
    pixels = np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
    seconds = len(samples) / rate
    alt = f"Spectrogram of {seconds:.1f} seconds, from {LOWEST} Hz to {_hertz(rate / 2)}"
    return Picture(pixels[::-1], alt, lossy=True, across=_times(seconds), up=_pitches(rate))


def _band_powers(samples: np.ndarray, rate: int) -> np.ndarray:
    """Return the power in each row's band and each column's time, (HEIGHT, WIDTH).

    samples: (T, channels). Bands are a constant ratio wide; their powers are per Hz.
    """
    centres = (np.arange(WIDTH * FRAMES) + 0.5) / (WIDTH * FRAMES) * len(samples)
    padded = np.pad(samples, ((WINDOW // 2, WINDOW // 2), (0, 0)))
    frames = padded[centres.astype(int)[:, None] + np.arange(WINDOW)]  # (frames, WINDOW, channels)
    spectra = np.fft.rfft(frames * np.hanning(WINDOW)[None, :, None], axis=1)
    power = (np.abs(spectra) ** 2).sum(axis=2)
    sums = np.cumsum(power.reshape(WIDTH, FRAMES, -1).mean(axis=1), axis=1)
    edges = LOWEST * (_highest(rate) / LOWEST) ** (np.arange(HEIGHT + 1) / HEIGHT)
    ends = (np.arange(sums.shape[1]) + 0.5) * rate / WINDOW  # of each bin, Hz
    below = np.stack([np.interp(edges, ends, each) for each in sums], axis=1)
    return np.diff(below, axis=0) / np.diff(edges)[:, None]


def _highest(rate: int) -> float:
    return max(rate / 2, 2 * LOWEST)


def _pitches(rate: int) -> dict[str, float]:
    """Return the marks of the frequencies, each with its share of the height."""
    octaves = math.log(_highest(rate) / LOWEST)
    shares = {_hertz(hertz): math.log(hertz / LOWEST) / octaves for hertz in TICKS}
    return {text: share for text, share in shares.items() if share < 0.97}


def _times(seconds: float) -> dict[str, float]:
    """Return the marks of round times, each with its share of the width."""
    step = tick_step(seconds)
    return {f"{i * step:g} s": i * step / seconds for i in range(1, math.ceil(seconds / step))}


def _hertz(hertz: float) -> str:
    return f"{hertz / 1000:g} kHz" if hertz >= 1000 else f"{hertz:g} Hz"
