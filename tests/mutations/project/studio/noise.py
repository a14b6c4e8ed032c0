"""Noise."""

import random

HISS_SEED = 11


def hiss(n):
    return [random.Random(HISS_SEED).random() for _ in range(n)]


def rumble(seed):
    return random.Random(seed + 1).random()
