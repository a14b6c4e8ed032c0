"""Oscillators: one function for each shape of wave."""

import math

import numpy as np

PERIOD = 8  # samples


def sine(n):
    """n samples of a sine."""
    phase = np.arange(n) / PERIOD
    return np.sin(2 * np.pi * phase)


def square(n):
    """n samples, half of them up."""
    up = PERIOD // 2
    return [1 if i % PERIOD < up else -1 for i in range(n)]


def saw(n, rise=1.0):
    # Rises and falls back.
    wave = [rise * (i % PERIOD) for i in range(n)]
    return wave


def triangle(i):
    phase = i % 16
    return abs(phase - 8) / 8


def unused(n):
    return n - 1


def bell(n: int, damping: float = 0.5) -> list[float]:
    """A decaying sine."""

    def decay(i):
        seconds = i / 1000
        return math.exp(-damping * seconds)

    total = 0.0
    samples = []
    for i in range(n):
        total += decay(i)
        samples.append(round(total * math.sin(i), 6))
    return samples
