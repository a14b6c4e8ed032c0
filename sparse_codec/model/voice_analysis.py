"""What a voice does over time: pitch, how much of it is periodic, and the envelope of its spectrum.

Shapes: T frames, K bins of a spectrum, B mel bands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft

from sparse_codec.model.spectrogram import mel_bands
from sparse_codec.model.voice_pitch import autocorrelation, pitch_grid, track_pitch, windows_at

LENGTH = 1024  # samples of a spectrum
UNVOICED_PITCH = 220.0  # Hz: sets window and smoothing where there is no pitch
RANGE = 1e-8  # of the loudest band's energy: softer sound does not count
PERIODIC_BANDS = 8  # in which the periodic share is measured


@dataclass(frozen=True)
class Voice:
    """The features of a voice in T frames."""

    envelope: np.ndarray  # (T, B) natural logarithm of the amplitude density in mel bands
    pitch: np.ndarray  # (T,) Hz, interpolated where there is no voice
    voicing: np.ndarray  # (T,) share of the mel axis, from 0 Hz on, that is periodic


def analyse(
    audio: np.ndarray, centres: np.ndarray, n_bands: int, pitches: tuple[float, float], rate: int
) -> Voice:
    """Return the features of audio around samples (T,) of equal distances.

    pitches: the lowest and the highest in Hz. rate: samples a second.
    """
    audio = audio.astype(np.float64)
    pitch = track_pitch(audio, centres, pitch_grid(*pitches), rate)
    voiced = pitch > 0
    spectra = smooth_spectra(audio, centres, np.where(voiced, pitch, UNVOICED_PITCH), rate)
    bands = mel_bands(n_bands, LENGTH // 2 + 1, rate).numpy().astype(np.float64)
    energies = spectra @ (bands / bands.sum(1, keepdims=True)).T
    energies = np.maximum(energies, max(RANGE * energies.max(initial=0), 1e-14))
    voicing = np.where(voiced, periodic_share(audio, centres, pitch, rate), 0.0)
    return Voice(0.5 * np.log(energies), _continued(pitch), voicing)


# The window is three periods long, so its spectrum hardly depends on where in a period it lies. A
# box of two thirds of the pitch takes away what is left of that, and a lifter the harmonics: it is
# 0 at their spacing in the cepstrum, and its second factor undoes the blur of the box.
# Source: Morise 2015, CheapTrick, a spectral envelope estimator for high-quality speech synthesis,
# Speech Communication 67.
def smooth_spectra(
    audio: np.ndarray, centres: np.ndarray, pitch: np.ndarray, rate: int
) -> np.ndarray:
    """Return spectra (T, K) of audio without its harmonics: the variance density of samples, which
    is 1 at all frequencies for white noise of variance 1.
    """
    frames = windows_at(audio, centres, LENGTH)
    half = np.minimum(1.5 * rate / pitch, LENGTH // 2 - 1)[:, None]
    place = (np.arange(LENGTH) - LENGTH // 2)[None]
    window = np.where(np.abs(place) <= half, 0.5 + 0.5 * np.cos(np.pi * place / half), 0.0)
    window /= np.sqrt((window**2).sum(1, keepdims=True))
    cut = frames * window
    cut -= window * (cut.sum(1, keepdims=True) / window.sum(1, keepdims=True))
    power = np.abs(scipy.fft.rfft(cut)) ** 2
    power = _box(power, pitch * 2 / 3 * LENGTH / rate)
    cepstrum = scipy.fft.irfft(np.log(power + 1e-14), LENGTH)
    quefrency = np.minimum(np.arange(LENGTH), LENGTH - np.arange(LENGTH))[None] / rate
    turns = quefrency * pitch[:, None]
    lifter = np.sinc(turns) * (1.18 - 0.18 * np.cos(2 * np.pi * turns))
    return np.exp(scipy.fft.rfft(cepstrum * lifter).real)


def _box(power: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Return the mean of spectra (T, K) over a width in bins (T,) around each bin."""
    n_bins, pad = power.shape[1], int(np.ceil(width.max() / 2)) + 1
    mirrored = np.pad(power, ((0, 0), (pad, pad)), mode="reflect")
    sums = np.pad(mirrored.cumsum(1), ((0, 0), (1, 0)))
    rows = np.arange(len(power))[:, None]

    def below(at: np.ndarray) -> np.ndarray:
        whole = at.astype(int)
        return sums[rows, whole] + (at - whole) * mirrored[rows, whole]

    centre = np.arange(n_bins)[None] + pad + 0.5
    reach = width[:, None] / 2
    return (below(centre + reach) - below(centre - reach)) / width[:, None]


def periodic_share(
    audio: np.ndarray, centres: np.ndarray, pitch: np.ndarray, rate: int
) -> np.ndarray:
    """Return the share (T,) of the mel axis in which audio is periodic at pitches (T,)."""
    window = np.hanning(LENGTH + 1)[:-1]
    power = np.abs(scipy.fft.rfft(windows_at(audio, centres, LENGTH) * window)) ** 2
    period = np.where(pitch > 0, rate / np.maximum(pitch, 1.0), 0.0)
    lags = autocorrelation(window)
    own = np.interp(period, np.arange(LENGTH), lags / lags[0])
    bins = np.arange(LENGTH // 2 + 1)
    turned = power * np.cos(2 * np.pi * period[:, None] * bins / LENGTH)
    bands = mel_bands(PERIODIC_BANDS, LENGTH // 2 + 1, rate).numpy()
    shares = (
        (turned @ bands.T) / np.maximum(power @ bands.T, 1e-12) / np.maximum(own, 0.05)[:, None]
    )
    return shares.clip(0, 1).mean(1)


def _continued(pitch: np.ndarray) -> np.ndarray:
    """Return pitches (T,) with those between voices interpolated, in octaves."""
    voiced = np.flatnonzero(pitch)
    if not len(voiced):
        return np.full(len(pitch), UNVOICED_PITCH)
    return np.exp(np.interp(np.arange(len(pitch)), voiced, np.log(pitch[voiced])))
