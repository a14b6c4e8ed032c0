"""What we tried

Switches of the codec's configuration with their effects, and the ideas that lost, with the commit that had them.
"""

# %% tags=["hide"]
from experiments.ablate import FIGURES, PUBLISHED, SEGMENTS, SWITCHES
from experiments.tried import ablation_table, encoding_table, read_figures

figures, n_segments = read_figures(FIGURES), SEGMENTS

# %% [markdown]
# ## Switches
#
# Each row is a model trained from scratch for {{ figures["minutes"] }} minutes on one core, on the same data with the
# same seed, with one thing changed from `default.toml`; the last row is the published configuration, `paper.toml`,
# given the same time. So short a training says what helps a model to learn quickly, not where it ends: most of the
# differences come from how many steps fitted into the time, and those of a few hundredths are noise. Whether the room
# stage or the tilt earn their place, this table cannot tell. The models of the articles were trained for much longer.
# Measured on {{ n_segments }} held-out segments by `python -m experiments.ablate`: *greedy* is without refinement,
# *refined* with the configuration's own options, *sound* is the share that the rendered sound keeps.

# %% tags=["hide"]
ablation_table(figures, SWITCHES, PUBLISHED)

# %% [markdown]
# ## Options of encoding
#
# The shipped model of music with other options, on held-out segments, by `python -m experiments.encoding_options`.
# Four candidates do as well as the article's twelve. Merging finds nothing to merge: refinement has already made the
# events differ. Most of the time goes into refinement, and much of the quality comes from it.

# %% tags=["hide"]
encoding_table()

# %% [markdown]
# ## What lost
#
# - **Refining the newest event alone**, 20 gradient steps each for energy, was what the codec did until commit
#   `f78f1e0`, whose `evaluate` gave 0.87 of L2 and 0.51 of L1 with 32 events at 3.8 seconds a segment, and 0.76 and
#   0.32 in one pass. Moving all events together replaced it; what that gives with today's model stands in the table
#   above.
# - **Inner products without a spectrogram**: a partial touches four bins a frame, so an event's energy can be had
#   from a small Gram matrix. Once the spectrogram itself was drawn by adding those four bins, the shortcut saved
#   little and was twice the code. Last in commit `f78f1e0`.
# - **Refinement for energy only** took too much elsewhere: in commit `f78f1e0` one event removed 0.04 of L1 where one
#   pass without refinement removed 0.11. The refinement's loss now has the L1 norm and a log-mel distance beside the
#   energy.
# - **A perturbation of all 32 numbers** told nothing: the first number is the pitch, and a small common change of
#   pitch moves every partial of every event, which a log-spectral distance takes for a large change and the ear for a
#   slight detuning. The perturbation now leaves the pitch alone.
