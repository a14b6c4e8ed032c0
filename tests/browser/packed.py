"""Events whose sounds are stretches of a few files

What they add to the mix lies in three files, one of them of one part; how they sound alone, in one.
"""

# %%
import numpy as np

from report import (
    Artifact,
    Data,
    Decomposition,
    EventRoll,
    Film,
    Mark,
    Picture,
    Sound,
    Stretch,
    conjure,
    mix,
)

RATE, SECONDS, N = 8000, 2.0, 6
STARTS = [300, 2300, 4300, 6300, 8300, 10300]
LENGTHS = [1000 + 300 * i for i in range(N)]
LEAD = 60


def tone(i: int, pitch: float) -> np.ndarray:
    time = np.arange(LENGTHS[i]) / RATE
    return np.rint(3000 * np.sin(2 * np.pi * (pitch + 50 * i) * time)).astype(np.int16)


@conjure
def file(members: list[int], pitch: float) -> Sound:
    """Tones one after another."""
    return Sound(np.concatenate([tone(i, pitch) for i in members]), RATE)


@conjure
def summed(pitch: float) -> Sound:
    begins = [start - LEAD for start in STARTS]
    tones = [tone(i, pitch) for i in range(N)]
    return Sound(mix(tones, begins, [4096] * N, int(RATE * SECONDS)), RATE)


@conjure
def choices(others: list[str]) -> Data:
    return Data({"sets": {"higher tones": others}})


@conjure
def film() -> Film:
    frames = np.arange(N + 1, dtype=np.uint8)[:, None, None].repeat(40, 1).repeat(80, 2) * 25
    return Film(frames, 1.2, "It brightens")


@conjure
def grey(width: int) -> Picture:
    return Picture(np.full((40, width), 128, np.uint8), "grey")


def stretches(sound: Artifact, members: list[int]) -> list[Stretch]:
    first = np.cumsum([0, *(LENGTHS[i] for i in members)]).tolist()
    return [Stretch(sound, first[n], LENGTHS[i], -20.8) for n, i in enumerate(members)]


# %%
files = [[0, 1, 2], [3, 4], [5]]
everything = list(range(N))
parts = [stretch for members in files for stretch in stretches(file(members, 200.0), members)]
alone = stretches(file(everything, 205.0), everything)
higher = file(everything, 900.0)
marks = [
    Mark(STARTS[i], i / N, 0.3, "#4477aa", parts[i], alone[i], LEAD, f"tone {i}") for i in range(N)
]
roll = EventRoll(
    "Six events.",
    marks,
    "row",
    summed(200.0),
    choices=choices([stretch.key for stretch in stretches(higher, everything)]),
    sounds=[higher],
    slack=100,
)
[Decomposition(film(), grey(80), roll, summed(300.0), "A film."), roll]
