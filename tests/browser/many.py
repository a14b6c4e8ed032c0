"""Two hundred events

One roll that holds far more than an article's example does.
"""

# %%
import colorsys

import numpy as np

from report import Artifact, EventRoll, Mark, Picture, Sound, conjure, mix

RATE, SECONDS, N = 8000, 6.0, 200
RNG = np.random.default_rng(11)


@conjure
def pluck(pitch: float, seconds: float) -> Sound:
    time = np.arange(int(RATE * seconds)) / RATE
    return Sound(0.03 * np.sin(2 * np.pi * pitch * time) * np.exp(-4 * time / seconds), RATE)


@conjure
def summed(sounds: list[Artifact], starts: list[int]) -> Sound:
    return Sound(
        mix([s.value.samples for s in sounds], starts, [4096] * len(sounds), int(RATE * SECONDS)),
        RATE,
    )


@conjure
def vectors(n: int) -> Picture:
    return Picture(
        np.random.default_rng(3).integers(0, 255, (n, 32, 3)).astype(np.uint8), f"{n} vectors"
    )


def colour(share: float) -> str:
    return "#" + "".join(f"{round(255 * x):02x}" for x in colorsys.hls_to_rgb(share, 0.55, 0.35))


# %%
sounds = [pluck(110.0 * 2 ** (i / 60), float(RNG.uniform(0.1, 0.9))) for i in range(N)]
starts = [int(x) for x in RNG.integers(0, int(RATE * (SECONDS - 1)), N)]
heights = RNG.permutation(N) / (N - 1)
marks = [
    Mark(starts[i], heights[i], RNG.uniform() ** 3, colour(heights[i]), sounds[i]) for i in range(N)
]
EventRoll(
    "Two hundred events.",
    marks,
    "similar sounds lie near each other",
    summed(sounds, starts),
    vectors(N),
)
