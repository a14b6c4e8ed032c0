"""What we tried

Switches of the codec's configuration with their effects, a second decoder, three codes of time, and
the ideas that lost, with the commit that had them.
"""

# %% tags=["hide"]
from experiments.clips import shipped_clips
from experiments.lazy_codec import open_codec
from experiments.measurements.rows import SEGMENTS
from experiments.sections.ablations import (
    ablation_table,
    decoder_table,
    effort_curve,
    encoding_table,
    exchange_table,
    further_table,
    learning_curves,
    paces,
    phase_table,
    precision_table,
    reconstructions,
    recovery_table,
    sound_table,
    speech_table,
)
from experiments.sections.about import UNCHECKED
from experiments.sections.covers import of_versions
from experiments.sections.examples import stages
from experiments.sections.sounds import half_events
from experiments.stored_figures import FigureFile
from report import Image

ALLOW = UNCHECKED
figures, n_segments = FigureFile.of("switches").read(), SEGMENTS
music, recurrent = open_codec("music"), open_codec("recurrent")
decoders_file = FigureFile.of("second_decoder")
decoders = decoders_file.read()
trained = decoders["decoders"]
decoders_file.check(trained["recurrent"], recurrent)
pace = paces(trained)
times = FigureFile.of("compare_time_codes").read_of(music)
rendering = FigureFile.of("consistent_sound").read_of(music)
further = FigureFile.of("looking_further").read_of(music)
clip = shipped_clips()[0][0]

# %% [markdown]
# ## Switches
#
# Each row is a model trained from scratch for {{ figures["minutes"] }} minutes on one core, on the
# same data with the same seed, with one thing changed from `default.toml`; the last row is the
# published configuration, `paper.toml`, given the same time. So short a training says what helps a
# model to learn quickly, not where it ends: most of the differences come from how many steps fitted
# into the time, and those of a few hundredths are noise. Whether the room stage or the tilt earn
# their place, this table cannot tell. The models of the articles were trained for much longer.
# Measured on {{ n_segments }} held-out segments by `python -m experiments.measurements.switches`:
# *greedy* is without refinement, *refined* with the configuration's own options of that time,
# *sound* is the share that the rendered sound keeps, as the first version made it: a sum of events
# with a room that convolves.

# %% tags=["hide"]
ablation_table(figures)

# %% [markdown]
# ## Options of encoding
#
# The shipped model of music with other options, on held-out segments, by
# `python -m experiments.measurements.encoding_options`. Four candidates, or 24, in place of twelve
# change little. Merging finds nothing to merge: refinement has already made the events differ. More
# than half of the time goes into refinement, and much of the quality comes from it; at the end
# alone it removes nearly as much, in two thirds of the time.

# %% tags=["hide"]
encoding_table()

# %% [markdown]
# Three of these have names: `--fast`, the default and `--best` are three points of one curve.

# %% tags=["hide"]
Image(effort_curve(FigureFile.of("encoding_options").read()), "Three efforts of encoding.")

# %% [markdown]
# ## Looking further
#
# Bowed, blown and soft music is where events say least, and their onsets are not those of the
# notes. Tried on one segment of each group of the frozen evaluation, by
# `python -m experiments.measurements.looking_further`:

# %% tags=["hide"]
further_table(further)

# %% [markdown]
# The search puts an event where it removes most energy. In sound that goes on, a few frames hardly
# change that, so events begin anywhere near their note. The spectrum itself says where sounds
# begin: there it rises, in many narrow bands at once. So an event that begins elsewhere has to
# promise e times as much when it is chosen, and times within four frames of a clear rise are moved
# to it before each refinement, unless the event would then remove much less. Onsets agree far
# better with the notes, and about as much is removed.
# A first detector compared roots of magnitudes, bin by bin, and took the waver of bowed and blown
# notes for beginnings; in logarithms of bands, a note that swells rises most where it is first
# heard, so that its rise needs no search for a foot.
#
# Pitches used to stand still, which straightens a vibrato and the scoop of a blown note. Three
# numbers of a vector now say how a pitch moves: candidates stand still, and refinement finds the
# rest. With these numbers held at 0, the same model removes less of bowed and blown music. A wide
# vibrato still costs: overtones blur within a frame, and are drawn as sharp as any other.
#
# More steps remove more, slowly, and are hardly heard. To have a shorter window see half of the
# loss takes twice the time of the same steps, and removes less in the end. More events are heard,
# and cost bits: the points "medium" and "high" of `--quality` have them.
#
# "High" stays below an opinion of 4. Here the magnitudes of its sound, or the phases, are exchanged
# for the original's:

# %% tags=["hide"]
exchange_table(further["high"])

# %% [markdown]
# Both hold it down, by about as much. Events have no phases of their own, which would cost bits;
# and with the phases that `decode` finds, the mean is hardly more than 4 even where the magnitudes
# are the original's own, which no number of events reaches. To refine the 128 events twice as often
# removes more, takes longer, and is little heard.
#
# A file of speech at {{ further["speech"]["rate"] }} bits a second has no room for all of its
# events, and leaves out the weakest: the voice then has holes. With fewer from the start, the
# polyline of the voice is coarser, and every event of it is there. Too few say too little.

# %% tags=["hide"]
speech_table(further["speech"])

# %% [markdown]
# ## From events to sound
#
# Events are found by magnitudes, which add up. Their sounds do not: partials of two events side by
# side beat, and what one hears is another spectrogram than the one that was fitted. Below are the
# shipped clips and four other recordings (two places of an orchestra with a celesta, a vibraphone
# with rhythm, a solo trumpet), each encoded once; only the way from events to sound differs.
# Measured by `python -m experiments.measurements.consistent_sound`.
#
# The first version convolved every event with a noise that decays, the room. The spectrogram that
# is fitted knows the room as energy that comes back, so the sound now has that too: higher levels,
# at the partial's own frequency. Then the STFT of the sum takes the magnitudes of the events' own
# spectrograms and keeps its phases, which alone brings most; a few steps of the fast Griffin-Lim
# algorithm ([Perraudin et al., 2013](https://doi.org/10.1109/WASPAA.2013.6701851)) make it an STFT
# that a sound can have. After three, magnitudes and the opinion still gain a little with every
# step, which takes its time, so three it is. An STFT cannot tell where in a window a sound begins,
# and attacks became soft: each event is made silent before its onset again, which costs nothing in
# shares and raises the opinion of piano, vibraphone and trumpet.

# %% tags=["hide"]
sound_table(rendering)

# %% [markdown]
# By the opinion every clip gains, a trumpet alone among the least. Other phases at the onsets of
# partials do not help; those drawn at random give the same figures. To leave faint bins, where
# noise is, as they are in the sum was tried with the model before: it gave the trumpet a little,
# and cost the others more.

# %% tags=["hide"]
phase_table(rendering)

# %% [markdown]
# ## A second decoder
#
# The published text names simple recurrent networks as other generators of events. Here is one. The
# decoder of the articles lets every part of an event, partial or band of noise, fall at a rate of
# its own. This one has the excitation drive a linear recurrence of
# {{ recurrent.config.decoder.states }} damped modes, a diagonal state-space model ([Gu et al.,
# 2022](https://arxiv.org/abs/2206.11893)), and hears each part in it:
#
# $$x_k[t] = r_k \, x_k[t - 1] + (1 - |r_k|) \, e[t]$$
#
# $$y_p[t] = s_p \, \Bigl| \sum_k c_{pk} \, x_k[t] \Bigr|$$
#
# Here $e$ is the excitation's envelope. Read off the event's vector are the complex $r_k$, whose
# size says how fast mode $k$ falls and whose angle how fast it turns; how it is heard in each part,
# $c_{pk}$; and each part's strength, $s_p$. Modes that fall at several rates make a decay with more
# than one slope, modes that turn against each other beat, and slow ones are bowed rather than
# struck. Everything else is the same: excitation, room, encoder, losses and the training script,
# with `recurrent.toml`. A linear recurrence is a convolution, so no loop over time is needed.
#
# Both decoders were trained from scratch for {{ f"{trained['recurrent']['minutes']:.0f}" }} minutes
# on one core each, side by side, on the same data; of each run the checkpoint is kept that did best
# on a few held-out segments. Measured by `python -m experiments.measurements.second_decoder`, with
# sounds as the first version made them:

# %% tags=["hide"]
decoder_table(decoders)

# %% tags=["hide"]
Image(
    learning_curves(decoders),
    "What is gone from a few held-out segments after a short refinement, until each was best.",
)

# %% [markdown]
# The recurrent decoder is slower, with {{ f"{pace['recurrent']:.0f}" }} steps a minute where the
# harmonic one has {{ f"{pace['harmonic']:.0f}" }}. It came about as far: refined, it removes
# {{ f"{trained['recurrent']['refined'][0]:.2f}" }} of L2 where the other removes
# {{ f"{trained['harmonic']['refined'][0]:.2f}" }}, and its sound keeps
# {{ f"{trained['recurrent']['sound'][0]:.2f}" }} where the other's keeps
# {{ f"{trained['harmonic']['sound'][0]:.2f}" }}. One run of each tells no more: differences of a
# few hundredths are noise. What speaks for the harmonic decoder is that a decay is one number for
# each part, and easier to read.
#
# For the ear, the recurrent decoder stands here beside the shipped model of music, which was
# trained for longer.

# %% tags=["hide"]
compared = reconstructions(clip, {"Harmonic, trained for longer": music, "Recurrent": recurrent})
[compared, of_versions([compared])]

# %% tags=["hide"]
stages(half_events(clip, recurrent), recurrent)

# %% [markdown]
# ## When an event starts, in three codes
#
# The published codec says the time of an event as a one-hot over frames, a dirac that the event is
# convolved with. It names two others as possible: seconds, and the number of the sample in bits.
# `experiments/measurements/time_codes.py` has all three. Each becomes any other, exact to the
# sample, and a decoder takes each; they differ in room, and in what a gradient knows. Measured by
# `python -m experiments.measurements.compare_time_codes`:

# %% tags=["hide"]
precision_table(times)

# %% [markdown]
# Beside the one-hot stands what is left inside the frame, as a float. Seconds, as one float, lose
# precision in a long recording. Bits say whole samples, however late. *Coded* is what entropy
# coding leaves where every sample of a segment is as likely as another: the same for all three,
# since they say the same.
#
# A code that is learnt needs a gradient. The strongest events of the clips were put at wrong times,
# all of a clip at once, and Adam moved nothing but the parameters of the code to fit the scene
# again:

# %% tags=["hide"]
recovery_table(times)

# %% [markdown]
# The one-hot weighs every frame at once, so it finds an event wherever it belongs. Seconds feel
# only the slope where the event is now, and their step is a compromise: one that gets anywhere in
# {{ times["steps"] }} steps is too long for an event that is nearly right. Bits are not for
# learning: the gradient pulls all of them the same way, so the high ones flip with the low ones and
# throw the event across the segment. This codec goes the way of the one-hot: it chooses a frame by
# scores, one for each, and only the fine time follows a gradient.

# %% [markdown]
# ## What lost
#
# - **Refining the newest event alone**, 20 gradient steps each for energy, was what the codec did
#   until commit `f78f1e0`, whose `evaluate` gave 0.87 of L2 and 0.51 of L1 with 32 events at 3.8
#   seconds a segment, and 0.76 and 0.32 in one pass. Moving all events together replaced it; what
#   that gives with today's model stands in the table above.
# - **Inner products without a spectrogram**: a partial touches four bins a frame, so an event's
#   energy can be had from a small Gram matrix. Once the spectrogram itself was drawn by adding
#   those four bins, the shortcut saved little and was twice the code. Last in commit `f78f1e0`.
# - **Refinement for energy only** took too much elsewhere: in commit `f78f1e0` one event removed
#   0.04 of L1 where one pass without refinement removed 0.11. The refinement's loss now has the L1
#   norm and a log-mel distance beside the energy.
# - **A perturbation of all 32 numbers** told nothing: the first number is the pitch, and a small
#   common change of pitch moves every partial of every event, which a log-spectral distance takes
#   for a large change and the ear for a slight detuning. The perturbation now leaves the pitch
#   alone.
