"""The pitch of a voice over time: the best path through the autocorrelation of short windows.

Shapes: T frames, P pitches of the grid, W samples of a window.
"""

from __future__ import annotations

import functools

import numpy as np
import scipy.fft

STEPS = 48  # pitches of the grid in an octave
WINDOW = 1024  # samples
# Costs of Boersma's method, for frames 10 ms apart.
UNVOICED = 0.45  # periodicity below which a frame is rather noise
OCTAVE = 0.02  # periodicity that an octave lower must have more
JUMP = 0.35  # of a change by an octave from frame to frame
SWITCH = 0.14  # from voice to noise, or back
SILENT = 0.03  # amplitude, as a share of the loudest frame's, below which noise is likelier


def pitch_grid(lowest: float, highest: float) -> np.ndarray:
    """Return pitches (P,) in Hz, from the lowest to the highest."""
    n_steps = int(np.floor(STEPS * np.log2(highest / lowest)))
    return lowest * 2 ** (np.arange(n_steps + 1) / STEPS)


# The autocorrelation of a windowed sound is that of the sound times that of the window, which is
# divided out: 1 at the period of a steady voice.
# Source: Boersma 1993, Accurate short-term analysis of the fundamental frequency and the
# harmonics-to-noise ratio of a sampled sound, Proc. Institute of Phonetic Sciences 17.
def periodicity(
    audio: np.ndarray, centres: np.ndarray, grid: np.ndarray, samplerate: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the periodicity (T, P), at most 1, of audio around samples (T,) at pitches of a grid,
    and the amplitude (T,) there.
    """
    frames = windows_at(audio, centres, WINDOW)
    frames = frames - frames.mean(1, keepdims=True)
    window = np.hanning(WINDOW + 1)[:-1]
    lags, own = autocorrelation(frames * window), autocorrelation(window)
    energy = lags[:, :1]
    shares = lags / np.maximum(energy, 1e-12) / (own / own[0]).clip(1e-3)
    period = samplerate / grid
    below = period.astype(int)
    within = period - below
    strength = (1 - within) * shares[:, below] + within * shares[:, below + 1]
    return np.minimum(strength, 1.0), np.sqrt(energy[:, 0] / own[0])


def autocorrelation(windows: np.ndarray) -> np.ndarray:
    """Return the autocorrelation (..., W) of windows (..., W), at lags from 0 on."""
    size = windows.shape[-1]
    power = np.abs(scipy.fft.rfft(windows, 2 * size)) ** 2
    return scipy.fft.irfft(power, 2 * size)[..., :size]


def windows_at(audio: np.ndarray, centres: np.ndarray, size: int) -> np.ndarray:
    """Return stretches (T, size) of audio around samples (T,), with zeros beyond its ends."""
    padded = np.pad(audio, (size // 2, size // 2 + 1))
    return np.lib.stride_tricks.sliding_window_view(padded, size)[centres]


def track_pitch(
    audio: np.ndarray, centres: np.ndarray, grid: np.ndarray, samplerate: int
) -> np.ndarray:
    """Return the pitch (T,) in Hz of audio around samples (T,) of equal distances, 0 where there is
    no voice.
    """
    strength, amplitude = periodicity(audio, centres, grid, samplerate)
    loud = amplitude / max(amplitude.max(initial=0), 1e-9)
    seconds = (centres[1] - centres[0]) / samplerate if len(centres) > 1 else 0.01
    noise = UNVOICED + np.maximum(0, 2 - loud / SILENT)
    path = _best_path(strength + OCTAVE * np.log2(grid / grid[0]), noise, 0.01 / seconds)
    return np.where(path >= 0, grid[path], 0.0)


@functools.lru_cache
def _jumps(n_pitches: int, pace: float) -> np.ndarray:
    """Cost (P, P) of going from one pitch to another in a frame."""
    places = np.arange(n_pitches)
    return JUMP * pace * np.abs(places[:, None] - places) / STEPS


# A path is worth the strengths of its states less the cost of its steps. Viterbi's algorithm keeps
# the best path to each state, frame by frame.
def _best_path(strength: np.ndarray, noise: np.ndarray, pace: float) -> np.ndarray:
    """Return the pitch number (T,) of each frame, -1 where it is rather noise.

    strength: (T, P) of each pitch. noise: (T,) strength of having none. pace: 10 ms over the time
    between two frames.
    """
    n_frames, n_pitches = strength.shape
    jumps, switch = _jumps(n_pitches, pace), SWITCH * pace
    back = np.zeros((n_frames, n_pitches + 1), dtype=np.int64)  # the last state is noise
    best, silent = strength[0], noise[0]
    for t in range(1, n_frames):
        loudest = int(best.argmax())
        reach = best[:, None] - jumps
        came = reach.argmax(0)
        voiced = np.maximum(reach[came, np.arange(n_pitches)], silent - switch)
        back[t, :-1] = np.where(voiced > silent - switch, came, n_pitches)
        ends = best[loudest] - switch > silent
        back[t, -1] = loudest if ends else n_pitches
        silent = noise[t] + max(silent, best[loudest] - switch)
        best = strength[t] + voiced
    state, path = int(best.argmax()) if best.max() > silent else n_pitches, []
    for t in range(n_frames - 1, -1, -1):
        path.append(state)
        state = back[t, state]
    states = np.array(path[::-1])
    return np.where(states < n_pitches, states, -1)
