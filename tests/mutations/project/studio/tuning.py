"""Pitches, in Hz."""

from pathlib import Path

A4 = 440.0
SEMITONE = 2 ** (1 / 12)
FIFTH = SEMITONE**7
LOW, HIGH = 110, 880
NAMES = {"a": A4, "e": A4 * FIFTH}
LIMIT = 10
LIMIT += 2
VOICES: int = 4
if VOICES > 3:
    ENSEMBLE = "choir"
else:
    ENSEMBLE = "solo"
FLOOR = float((Path(__file__).parent.parent / "data" / "floor.txt").read_text())
UNUSED = 3


def fifth(pitch):
    return pitch * FIFTH


def limited(pitches):
    return pitches[:LIMIT]


def span():
    return HIGH - LOW


def ensemble():
    return ENSEMBLE


def floored(level):
    return max(level, FLOOR)
