"""Left and right

Sounds of two channels, by themselves, beside one of one channel, and as events that are mixed.
"""

# %%
import numpy as np

from report import (
    Compare,
    Decomposition,
    EventRoll,
    Film,
    Mark,
    Opening,
    Picture,
    Player,
    Sound,
    conjure,
    mix,
)

RATE = 8000


@conjure
def tones(left: float, right: float) -> Sound:
    time = np.arange(2 * RATE) / RATE
    both = [0.2 * np.sin(2 * np.pi * hertz * time) for hertz in (left, right)]
    return Sound(np.stack(both, axis=1), RATE)


@conjure
def both(sounds, starts: tuple[int, ...], length: int) -> Sound:
    gains = [4096] * len(sounds)
    return Sound(mix([sound.value.samples for sound in sounds], starts, gains, length), RATE)


@conjure
def softer(sound) -> Sound:
    return Sound(sound.value.samples // 2, RATE)


@conjure
def film() -> Film:
    return Film(np.zeros((3, 32, 64), np.uint8), 1.0, "It darkens")


@conjure
def poster() -> Picture:
    return Picture(np.tile(np.arange(64, dtype=np.uint8) * 4, (32, 1)), "A slope")


# %%
sounds = [tones(1000.0, 2000.0), tones(500.0, 3000.0)]
whole = both(sounds, (0, 4000), 20_000)
marks = [Mark(i * 4000, 0.5, 0.5, "#4477aa", sound) for i, sound in enumerate(sounds)]
roll = EventRoll("Mixed.", marks, "row", whole)
[
    Player(sounds[0], "By itself"),
    Compare(
        "Compared.",
        {"two": sounds[0], "one": 0.2 * np.sin(np.arange(2 * RATE) / 5)},
        samplerate=RATE,
    ),
    roll,
    Decomposition(film(), poster(), roll, softer(whole), "Taken off."),
    Opening("Two events", roll, softer(whole)),
]
