"""An article in parts

Of which each has a page of its own.
"""

# %% tags=["hide"]
import numpy as np

from report import BibTeX, Cover, Image, Part, Picture, Player, Prose, Sound, Steps, Table, conjure

AUTHORS = ["Ada Example", "Ben Example"]
RATE = 8000
EVIL = "</script><img src=x onerror=alert(1)>"


@conjure
def noise(seed: int) -> Sound:
    return Sound(np.random.default_rng(seed).uniform(-0.1, 0.1, RATE), RATE)


@conjure
def slope(n: int) -> Picture:
    return Picture(np.linspace(0, 255, 40 * n).reshape(40, n).astype(np.uint8), f"{n} shades")


# %% [markdown]
# ## Formulas
# The energy $E = \sum_i |x_i|^2$ costs nothing, a microphone between $50 and $60.[^1]
#
# $$
# \mathrm{loss} = \frac{\sum_i w_i \left( x_i - \hat{x}_i \right)^2}{\sum_i x_i^2}
# + \lambda_1 \sum_i |g_i| + \lambda_2 \sum_i |g_i - g_{i-1}|
# $$
#
# [^1]: In 2026.

# %% [markdown]
# ## Parts

# %%
[
    Cover(slope(1200), noise(1)),
    Part(
        "first",
        "The first part",
        "A noise & its picture.",
        [
            Player(noise(1), "Noise"),
            Prose(
                "#### A picture\n\n"
                "See [the formulas](#formulas) and [the noise](#the-first-part.noise)."
            ),
            Image(slope(320), "Shades of grey."),
        ],
        slope(320),
    ),
    Part("second", EVIL, EVIL, [Player(noise(2), EVIL, EVIL), Table(["a", "b"], [["x", 1]], EVIL)]),
]

# %%
Steps(
    "A loop.",
    [("Take the best", "Words for it. " * 9, noise(1)), ("Wait", "No sound."), (EVIL[:14], EVIL)],
    again="twice",
)

# %% [markdown]
# ## Citation

# %% tags=["hide"]
BibTeX("""
@misc{example2026,
  author = {Example, Ada and Example, Ben},
  title = {An Article in {P}arts},
  year = {2026}
}
""")
