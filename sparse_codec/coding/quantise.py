"""Numbers of events <-> whole numbers, by whole-number arithmetic: the same bits on every machine.

Shapes: N events, V vector size. A window's *numbers* (N, V + 1) are its vectors and, last, twice
the fine offsets: all in [-1, 1]. They are counted in units of 2^-20, which a float32 holds exactly.
"""

from __future__ import annotations

import numpy as np

ONE = 2**20  # units in 1
SCALES = (16, 2048)  # finest and coarsest; a scale multiplies all steps, in 256ths
FINEST_STEP = 32  # units

LEVELS = 1024  # of gain, 8 to an octave: 0.75 dB apart; 2^-64 is level 0
UNIT_LEVEL = LEVELS // 2  # gain 1
SILENT = 96  # levels below the loudest event of a window, 72 dB: no event
# 2^23 2^(i/8) and 2^8 2^(i/4), rounded. They are constants because `pow` may differ from machine
# to machine.
EIGHTHS = np.array([8388608, 9147842, 9975792, 10878679, 11863283, 12937002, 14107901, 15384775])
QUARTERS = np.array([256, 304, 362, 431])


def event_numbers(vectors: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return numbers (N, V + 1) float64 of vectors (N, V) and fine offsets (N,)."""
    return np.concatenate([vectors, 2 * offsets[:, None]], 1).astype(np.float64)


def quantise(numbers: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return the nearest multiples (N, V + 1) int64 of the steps."""
    return np.rint(numbers.astype(np.float64) * ONE / steps).astype(np.int64)


def dequantise(multiples: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return numbers (N, V + 1) float32 in [-1, 1]."""
    return (multiples * steps).clip(-ONE, ONE).astype(np.float32) / np.float32(ONE)


def highest_multiple(step: int) -> int:
    """Return the highest multiple of a step that numbers from -1 to 1 can have."""
    return (ONE + step // 2) // step


def step_sizes(base: np.ndarray, scale: int, drops: np.ndarray) -> np.ndarray:
    """Return steps (N, V + 1) in units.

    base: steps (V + 1,) of the loudest event. drops: levels (N,) of each event below the loudest.
    The cost of rounding an event grows with its gain, so weak events take larger steps: 1.5 dB for
    every 3 dB, between equal steps and equal costs.
    """
    octave, quarter = np.divmod(drops // 4, 4)
    steps = (base * scale >> 8)[None] * (QUARTERS[quarter] << octave)[:, None] >> 8
    return steps.clip(FINEST_STEP, ONE)


def gain_levels(gains: np.ndarray) -> np.ndarray:
    """Return the nearest level (N,) of each gain; -SILENT for a gain of 0."""
    levels = UNIT_LEVEL + np.rint(8 * np.log2(np.where(gains > 0, gains, 1.0))).astype(np.int64)
    return np.where(gains > 0, levels.clip(0, LEVELS - 1), -SILENT)


def level_gains(levels: np.ndarray) -> np.ndarray:
    """Return gains (N,) float32 of levels (N,); `gain_levels` maps them back."""
    octave, eighth = np.divmod(levels - UNIT_LEVEL, 8)
    return np.ldexp(EIGHTHS[eighth].astype(np.float32), (octave - 23).astype(np.int32))
