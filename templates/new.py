"""A first page: three tones

One sentence that says what the page is about. It is shown below the title and where others link to
the page."""

import numpy as np

from report import Compare, Player, Sound, claim, conjure

# A page with an author can be cited; Author(name, orcid, affiliation) says more of one.
# AUTHORS = ["Ada Example"]
# DATE = "2026-05-01"
# LICENSE = "CC-BY-4.0"
# KEYWORDS = ["tones"]
# BIBLIOGRAPHY = "references.bib"  # then [@key] in prose cites

# Parameters: annotated defaults. `build ... --set SECONDS=2` sets one, and everything that reads it
# is computed again.
SAMPLERATE: int = 22050
SECONDS: float = 1.0


# A function with @conjure runs once. Later builds find its sound as long as the code that it
# reaches, its arguments, and the versions of its libraries stay the same. Try it: build twice, then
# change a number and build again.
@conjure
def tone(hertz: float, partials: int) -> Sound:
    time = np.arange(int(SECONDS * SAMPLERATE)) / SAMPLERATE
    wave = sum(np.sin(2 * np.pi * hertz * k * time) / k for k in range(1, partials + 1))
    fade = np.minimum(1, np.minimum(time, SECONDS - time) / 0.02)  # 20 ms, against clicks
    return Sound(0.3 * fade * wave, SAMPLERATE)


# %% [markdown]
# ## What one hears
#
# Prose is Markdown. It quotes values: an upper tone is {{ 660 / 440:.1f }} times as high, and
# formulas are set, as in $f_k = k f_1$.

# %%
# The value of the last line of a cell is what the page shows: a list is shown one by one.
[Player(tone(hertz, 1), f"{hertz} Hz") for hertz in (440, 660)]

# %%
# A claim stops the build when it no longer holds, and the page says what it rests on.
claim(tone(440, 1).info["clipped"] == 0, "No sample of the lower tone is clipped.", tone(440, 1))

# %% [markdown]
# ## What changes
#
# Readers switch between versions while they play, matched in loudness, and can test themselves.

# %% tags=["show"]
Compare(
    "A tone with more and more partials",
    [(f"{partials} partials", tone(220, partials), None) for partials in (1, 3, 9)],
)
