"""Events that sound otherwise alone

What they add to the mix is one sound, and how they sound by themselves is another.
"""

# %%
import numpy as np

from report import (
    Artifact,
    Compare,
    Data,
    Decomposition,
    EventRoll,
    Film,
    Mark,
    Picture,
    Sound,
    conjure,
    mix,
)

RATE, SECONDS, SLACK = 8000, 3.0, 160
STARTS = [400, 4400, 8400, 12400, 16400]
LEADS = [500, 80, 0, 80, 80]  # the first part begins ahead of the mix


@conjure
def tone(pitch: float, seconds: float, level: float = 0.1) -> Sound:
    time = np.arange(int(RATE * seconds)) / RATE
    return Sound(level * np.sin(2 * np.pi * pitch * time) * np.exp(-time), RATE)


@conjure
def summed(sounds: list[Artifact], begins: list[int]) -> Sound:
    samples = [sound.value.samples for sound in sounds]
    return Sound(mix(samples, begins, [4096] * len(sounds), int(RATE * SECONDS)), RATE)


@conjure
def choices(others: list[Artifact]) -> Data:
    return Data({"sets": {"higher tones": [other.sha256 for other in others]}})


@conjure
def film() -> Film:
    frames = np.arange(6, dtype=np.uint8)[:, None, None].repeat(40, 1).repeat(80, 2) * 25
    return Film(frames, 1.2, "It brightens")


@conjure
def grey(width: int) -> Picture:
    return Picture(np.full((40, width), 128, np.uint8), "grey")


# %%
parts = [tone(200.0 + 50 * i, 0.5 + 0.02 * i) for i in range(5)]
alone = [tone(205.0 + 50 * i, 0.4 + 0.02 * i, 0.2) for i in range(5)]
others = [tone(900.0 + 50 * i, 0.3) for i in range(5)]
marks = [
    # One sound serves for the last event.
    Mark(STARTS[i], i / 4, 0.3, "#4477aa", parts[i], alone[i] if i < 4 else None, LEADS[i])
    for i in range(5)
]
roll = EventRoll(
    "Five events.",
    marks,
    "row",
    summed(parts, [start - lead for start, lead in zip(STARTS, LEADS, strict=True)]),
    grey(5),
    choices(others),
    others,
    slack=SLACK,
)
levels = [0.3, 0.3, 0.3, 0.3, 0.1, 0.1]
versions = [
    (f"Method {i} at 7.0 kb/s", tone(300.0 + i, 1.0, level), grey(200))
    for i, level in enumerate(levels)
]
[
    Decomposition(film(), grey(80), roll, tone(500.0, 3.0), "A film."),
    roll,
    Compare("Six methods.", versions, differences=[versions[5][0]]),
]
