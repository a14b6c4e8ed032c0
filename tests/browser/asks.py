"""An article that asks

Listening tests of every kind, of tones that are easy to tell apart.
"""

# %% tags=["hide"]
import numpy as np

from report import Abx, Mushra, Preference, Rating, Sound, conjure

RATE = 16000
ITEMS = {"First": 300.0, "Second": 500.0, "Third": 700.0}


@conjure
def tones(pitch: float, overtones: int, level: float) -> Sound:
    time = np.arange(int(0.8 * RATE)) / RATE
    parts = [np.sin(2 * np.pi * pitch * n * time) / n for n in range(1, overtones + 1)]
    return Sound(level * np.sum(parts, axis=0), RATE)


original = {name: tones(pitch, 24, 0.2) for name, pitch in ITEMS.items()}
coded = {
    name: {"fine": tones(pitch, 9, 0.2), "coarse": tones(pitch, 3, 0.1)}
    for name, pitch in ITEMS.items()
}

# %% [markdown]
# ## Many at a time

# %%
Mushra(
    "Tones by two systems",
    coded,
    reference=original,
    training=["Third"],
    consent="Tests of this page may read my answers.",
    post="https://answers.invalid/tones",
    token="shared",
)

# %% [markdown]
# ## Two at a time

# %%
[
    Preference("Which tones are better", coded, original, each=2, headphones=False),
    Abx("Which tones are X", coded, each=1, trials=2, headphones=False),
]

# %% [markdown]
# ## One at a time

# %%
[
    Rating("How good tones are", coded, each=1, headphones=False),
    Rating("How much worse tones are", coded, original, kind="dcr", each=1, headphones=False),
]
