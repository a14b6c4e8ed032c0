"""Two samplerates

On one page: a roll at 8 kHz first, then sounds at 48 kHz.
"""

# %%
import numpy as np

from report import Compare, EventRoll, Mark, Player, Sound, conjure

ALLOW = {"identical": "levels are compared with one that is the same"}


@conjure
def tone(pitch: float, rate: int) -> Sound:
    return Sound(0.3 * np.sin(2 * np.pi * pitch * np.arange(2 * rate) / rate), rate)


# %%
slow, fast = tone(3000.0, 8000), tone(10000.0, 48000)
[
    EventRoll("Slow.", [Mark(0, 0.5, 0.5, "#4477aa", slow)], "row", slow),
    Compare("Fast.", [("Fast", fast, None), ("Same", fast, None)]),
    Compare("Both.", [("Slow", slow, None), ("Fast", fast, None)]),
    Player(fast, "Fast by itself"),
]
