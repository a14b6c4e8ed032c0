"""A roll with a scale

By which its events are shown first.
"""

# %% tags=["hide"]
import numpy as np

from report import (
    Artifact,
    Data,
    Decomposition,
    EventRoll,
    Film,
    Mark,
    Opening,
    Picture,
    Scale,
    Sound,
    conjure,
    mix,
)

RATE = 8000
KEYS = [69, 72, None, 76]
NAMES = ["A4", "C5", "No pitch", "E5"]


@conjure
def tone(hertz: float, level: float = 0.1, seconds: float = 0.4) -> Sound:
    time = np.arange(int(seconds * RATE)) / RATE
    return Sound(level * np.sin(2 * np.pi * hertz * time) * np.exp(-time), RATE)


@conjure
def summed(sounds: list[Artifact], starts: list[int]) -> Sound:
    samples = [sound.value.samples for sound in sounds]
    return Sound(mix(samples, starts, [4096] * len(sounds), 2 * RATE), RATE)


@conjure
def grey() -> Picture:
    return Picture(np.tile(np.arange(64, dtype=np.uint8) * 4, (32, 1)), "A slope")


@conjure
def film() -> Film:
    return Film(np.zeros((5, 32, 64), np.uint8), 1.0, "It darkens")


@conjure
def choices(other: Artifact, steps: list[Artifact | None]) -> Data:
    row = "gAAA"
    names = [step and step.sha256 for step in steps]
    return Data(
        {
            "sets": {"another tone": [other.sha256] * 4},
            "steps": {"0": [names]},
            "directions": {"0": [["darker", "brighter"]]},
            "looks": {
                other.sha256: {"y": 0.0, "colour": "#123456", "row": row, "height": None},
                names[0]: {"y": 0.1, "colour": "#123456", "row": row, "height": 1, "value": "G5"},
            },
        }
    )


# %%
sounds = [tone(440.0), tone(523.0), tone(1111.0, 0.02), tone(659.0)]
starts = [0, 4000, 6000, 9000]
other, step = tone(200.0), tone(784.0)
roll = EventRoll(
    "Four events",
    [
        Mark(starts[i], i / 3, 0.3, "#4477aa", sounds[i], name=f"{NAMES[i]}, at {starts[i]}")
        for i in range(4)
    ],
    "likeness",
    summed(sounds, starts),
    choices=choices(other, [step, None]),
    sounds=[other, step],
    scale=Scale(
        "pitch",
        [None if key is None else (key - 68) / 12 for key in KEYS],
        NAMES,
        {"A4": 1 / 12, "C5": 4 / 12, "E5": 8 / 12},
        "no pitch",
        grey(),
        [(0.0, 0.5, 0.0, 1 / 6), (0.5, 9.0, 0.3, 0.4)],
    ),
)
original = tone(330.0, 0.3, 2.0)
boxes = [(0.1 * i, 0.1 * i + 0.2, 0.2 * i, 0.2 * i + 0.4) for i in range(4)]
[
    Decomposition(film(), grey(), roll, original, "Film.", [0.25, 0.5, 0.5, 0.9], boxes),
    roll,
    Opening("This is four events", roll, original),
]
