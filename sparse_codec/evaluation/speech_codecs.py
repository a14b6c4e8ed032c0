"""Rivals for speech: Codec2 by Debian's programs, and the vocoder WORLD at 1 kb/s.

WORLD is the plain alternative: no learning, a spectral envelope, pitch and voicing at knots placed
by dynamic programming, between which they are held linearly.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import numpy as np
import soxr
from scipy.fft import dct, idct

from sparse_codec.evaluation.metrics import is_installed
from sparse_codec.evaluation.waveform_codecs import of_length, piped
from sparse_codec.model.knots import segment_costs
from sparse_codec.model.spectrogram import mel_bands

NARROW = 8_000  # Hz, of the audio that Codec2 codes
PADDING = 800  # samples after it, so that the last frame is whole
LATEST = 0.15  # seconds by which a decoder may be late
ENVELOPE_HOP = 22  # samples, about a millisecond, to which a delay is measured


def align(sound: np.ndarray, reference: np.ndarray, samplerate: int) -> np.ndarray:
    """Return a sound moved ahead by its delay, with the length of its reference (T,).

    The delay is the one at which the levels of both, over about 10 ms, correlate best.
    """

    def levels(audio: np.ndarray) -> np.ndarray:
        smooth = np.convolve(np.abs(audio), np.full(220, 1 / 220), "same")[::ENVELOPE_HOP]
        return smooth - smooth.mean()

    late = round(LATEST * samplerate / ENVELOPE_HOP)
    ours, theirs = levels(sound), levels(reference)
    size = 2 ** (len(ours) + len(theirs)).bit_length()
    spectrum = np.fft.rfft(ours, size) * np.conj(np.fft.rfft(theirs, size))
    delay = ENVELOPE_HOP * int(np.argmax(np.fft.irfft(spectrum, size)[:late]))
    return of_length(len(reference), sound[delay:])


@dataclass(frozen=True)
class Codec2:
    """Codec2 in one of its modes, which are named after their bits a second."""

    mode: str

    def missing(self) -> str:
        """Return what to install before this codec can be measured, or nothing."""
        there = shutil.which("c2enc") and shutil.which("c2dec")
        return "" if there else "c2enc and c2dec are not there: apt-get install codec2"

    def code(self, audio: np.ndarray, samplerate: int) -> tuple[np.ndarray, float]:
        """Code and decode audio (T,); return it, (T,), and its rate in bits a second."""
        narrow = np.pad(soxr.resample(audio, samplerate, NARROW), (0, PADDING)) / 2
        samples = np.rint(32_767 * narrow.clip(-1, 1)).astype("<i2").tobytes()
        coded = piped(["c2enc", self.mode, "-", "-"], samples)
        raw = piped(["c2dec", self.mode, "-", "-"], coded)
        decoded = np.frombuffer(raw, "<i2").astype(np.float32) / 16_384
        sound = align(soxr.resample(decoded, NARROW, samplerate), audio, samplerate)
        return sound, 8 * len(coded) * NARROW / len(narrow)


# ---- WORLD

FRAME = 0.01  # seconds
BANDS = 24  # mel bands of the envelope
FLOOR = 18.0  # natural logarithm of power below the loudest band, at which bands are cut off
STEPS = (2.5, 4.0, 0.04)  # in which cosines of the envelope, aperiodicity and log pitch are rounded
WEIGHTS = (1.0, 2.0, 4.0)  # of envelope, pitch and voicing, where knots are placed
LOWEST, HIGHEST = 70.0, 400.0  # Hz, of the pitch
LONGEST = 40  # frames from one knot to the next


@dataclass(frozen=True)
class World:
    """The vocoder WORLD (Morise et al. 2016, package pyworld) with so many knots a second."""

    knots: float

    def missing(self) -> str:
        """Return what to install before this codec can be measured, or nothing."""
        return "" if is_installed("pyworld") else "pyworld is not there: pip install pyworld"

    def code(self, audio: np.ndarray, samplerate: int) -> tuple[np.ndarray, float]:
        """Code and decode audio (T,); return it, (T,), and its rate in bits a second.

        The rate is that of Exp-Golomb codes of what changes from knot to knot, without a table.
        """
        features = _analyse(audio, samplerate)
        seconds = len(audio) / samplerate
        frames = place_knots(_weighted(features), max(2, round(self.knots * seconds)))
        numbers = np.rint(features[frames] / _steps()).astype(int)
        changes = np.diff(np.column_stack([frames, numbers]), axis=0, prepend=0)
        n_bits = golomb_bits(changes[:, 0] // 4) + 2 * len(frames) + golomb_bits(changes[:, 1:])
        held = _hold(numbers * _steps(), frames)
        return of_length(len(audio), _synthesise(held, samplerate)), n_bits / seconds


def golomb_bits(numbers: np.ndarray) -> int:
    """Return the bits of Exp-Golomb codes of integers, signed ones folded."""
    folded = np.where(numbers > 0, 2 * numbers - 1, -2 * numbers)
    return int((2 * np.floor(np.log2(folded + 1)) + 1).sum())


def _analyse(audio: np.ndarray, samplerate: int) -> np.ndarray:
    """Return features (frames, N): cosines of the envelope, aperiodicity, log pitch, voicing."""
    import pyworld

    wave = audio.astype(np.float64)
    pitch, times = pyworld.harvest(wave, samplerate, LOWEST, HIGHEST, frame_period=1000 * FRAME)
    envelope = pyworld.cheaptrick(wave, pitch, times, samplerate)
    aperiodicity = pyworld.d4c(wave, pitch, times, samplerate)
    bands = mel_bands(BANDS, envelope.shape[1], samplerate).numpy().astype(np.float64)
    levels = np.log(np.maximum(envelope @ (bands / bands.sum(1, keepdims=True)).T, 1e-12))
    levels = np.maximum(levels, levels.max() - FLOOR)
    voiced = pitch > 0
    places = np.arange(len(pitch))
    log_pitch = np.full(len(pitch), np.log(150.0))
    if voiced.any():
        log_pitch = np.interp(places, places[voiced], np.log(pitch[voiced]))
    coded = pyworld.code_aperiodicity(aperiodicity, samplerate)
    return np.column_stack([dct(levels, norm="ortho"), coded, log_pitch, voiced])


def _steps() -> np.ndarray:
    """Return the rounding of each feature (N,); pyworld codes two aperiodicities at 22,050 Hz."""
    envelope, aperiodicity, pitch = STEPS
    return np.array([envelope] * BANDS + [aperiodicity] * 2 + [pitch, 1.0])


def _weighted(features: np.ndarray) -> np.ndarray:
    """Return what knots are placed by, (frames, N): envelope, pitch and voicing, weighted."""
    envelope, pitch, voicing = WEIGHTS
    parts = (envelope * features[:, :BANDS], pitch * features[:, -2:-1], voicing * features[:, -1:])
    return np.concatenate(parts, axis=1)


def place_knots(features: np.ndarray, n_knots: int) -> np.ndarray:
    """Return about `n_knots` frames between which lines are nearest to features (frames, N).

    A knot's price is found by bisection; for a price, dynamic programming finds the best knots.
    """
    errors = segment_costs(features, LONGEST)
    low, high = 0.0, float(errors[np.isfinite(errors)].max()) + 1
    frames = _cheapest(errors, high)
    for _ in range(20):
        price = (low + high) / 2
        tried = _cheapest(errors, price)
        if len(tried) > n_knots:
            low = price
        else:
            high, frames = price, tried
    return frames


def _cheapest(errors: np.ndarray, price: float) -> np.ndarray:
    """Return the knots, first and last frame among them, of least error and price."""
    n_frames = errors.shape[1]
    costs, before = np.full(n_frames, np.inf), np.zeros(n_frames, int)
    costs[0] = 0.0
    for frame in range(1, n_frames):
        starts = np.arange(max(0, frame - LONGEST), frame)
        totals = costs[starts] + errors[frame - starts, starts] + price
        best = int(totals.argmin())
        costs[frame], before[frame] = totals[best], starts[best]
    knots = [n_frames - 1]
    while knots[-1] > 0:
        knots.append(int(before[knots[-1]]))
    return np.array(knots[::-1])


def _hold(values: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Return values (knots, N) on the lines between their frames, (frames, N)."""
    places = np.arange(frames[-1] + 1)
    return np.stack([np.interp(places, frames, column) for column in values.T], axis=1)


def _synthesise(features: np.ndarray, samplerate: int) -> np.ndarray:
    """Return the sound (T,) of features, as `_analyse` returns them."""
    import pyworld

    size = pyworld.get_cheaptrick_fft_size(samplerate)
    n_bins = size // 2 + 1
    centres = mel_bands(BANDS, n_bins, samplerate).argmax(1).numpy()
    levels = idct(features[:, :BANDS], norm="ortho")
    envelope = np.exp([np.interp(np.arange(n_bins), centres, row) for row in levels])
    coded = np.ascontiguousarray(features[:, BANDS:-2].clip(max=0.0))
    aperiodicity = pyworld.decode_aperiodicity(coded, samplerate, size)
    pitch = np.where(features[:, -1] > 0.5, np.exp(features[:, -2]), 0.0)
    sound = pyworld.synthesize(pitch, envelope, aperiodicity, samplerate, 1000 * FRAME)
    return sound.astype(np.float32)


SPEECH_CODECS: dict[str, Codec2 | World] = {
    **{f"Codec2, {mode}": Codec2(mode) for mode in ("3200", "2400", "1600", "700C")},
    "WORLD, 1 kb/s": World(16.0),
}
