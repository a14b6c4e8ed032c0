"""Taking music apart into events

A sparse event codec writes a few seconds of music as at most 32 events, each a vector, a time and a
gain, and plays them back. Every sound and every picture on this page was made by the script that
the page was made from.
"""

# %% tags=["hide"]
from typing import TYPE_CHECKING

from experiments.sections.about import (
    UNCHECKED,
    about_decoder,
    about_encoder,
    bibtex,
    how_to_listen,
    see_also,
    training_facts,
)
from experiments.sections.evaluation import evaluation_section
from experiments.sections.examples import (
    best_first,
    conjure_example,
    cover,
    example,
    figures_table,
    opening,
    streaming,
)
from experiments.sections.parts import parts_section
from experiments.sections.sounds import begin_encoding
from report import Fold, Prose

if TYPE_CHECKING:
    from experiments.inputs import BUILD  # a global of every script that the site is built from

ALLOW = UNCHECKED
build = BUILD["music"]
codec, clips, long_clip = build.codec, build.clips, build.long_clip
begin_encoding([long_clip, *clips], codec)
config = codec.config
seconds = config.segment_samples / config.samplerate
as_shipped = build.shipped and not build.own_audio
origin = ", from works not trained on" if as_shipped else ""
n_parameters = build.n_parameters
examples = best_first([conjure_example(clip, codec) for clip in clips])
[*opening(examples, "music"), *(Prose(remark) for remark in build.remarks)]

# %% [markdown]
# *Listen first:* [{{ long_clip.seconds:.0f }} seconds of music](#streaming), or [the
# examples](#examples).
#
# ## Introduction
#
# Most audio codecs, the classic ones and the neural ones alike, cut sound into short frames of
# equal length and write something down for each. That reproduces sound well, but nobody can read
# it: a piano note is spread over dozens of frames, and no number in them is *the note*.
#
# The codec on this page writes down **events** instead. An event says what a sound is like, as a
# vector of {{ config.vector_size }} numbers; when it happens; and how loud it is. A decoder with a
# little physics built in (something is struck, bowed or blown; something resonates; a room answers)
# turns the events back into sound. A stretch of {{ seconds / 2:.2f }} seconds gets at most
# {{ config.n_events }} of them. What comes out is nearer to a score, or to a list of samples to be
# triggered, than to a compressed file, and it can be edited like one: an event can be moved,
# dropped or changed, and the rest stays as it is.
#
# This is a new implementation of the system in John Vinyard's article [Toward a Sparse
# Interpretable Audio Codec](https://blog.cochlea.xyz/sparse-interpretable-audio-codec-paper.html)
# (2025), with a decoder, a way of choosing events and a way of training of its own. Where it
# differs from that system it says so, and every figure quoted here was measured by the code that
# built the page.

# %% [markdown]
# ## Streaming
#
# The encoder looks at {{ seconds:.2f }} seconds at a time, but writes events into the first half
# only; then it slides on by half. Whatever the events of one window leave sounding in the next is
# taken off the spectrogram before that window is encoded, so a note that was written down once is
# not written down again. There is no limit to the length of a piece, and no more than one window is
# in memory. Here are {{ long_clip.seconds:.0f }} seconds.

# %% tags=["fold"]
streaming(long_clip, codec)

# %% [markdown]
# ## Previous work
#
# Three older ideas meet here. **Symbolic music**, MIDI above all, is sparse and can be edited, but
# it leaves out what the notes sound like. **Matching pursuit** (Mallat and Zhang, 1993) takes a
# signal apart greedily, one atom from a dictionary at a time, subtracting each before it looks for
# the next: exactly the loop used here, with very plain atoms. **Granular synthesis** builds sound
# from many short grains. An event of this codec is an atom learnt from data, long enough to be a
# note, and chosen by a network that has learnt where to look.

# %% [markdown]
# ## The encoder

# %% tags=["hide"]
about_encoder(config)

# %% [markdown]
# ## The decoder

# %% tags=["hide"]
about_decoder(config)

# %% [markdown]
# Event $i$ has a vector $v_i$, a time $n_i$ in samples and a gain $g_i$. Its spectrogram is $g_i
# S(v_i)$, and what the encoder fits to the clip is the sum of these magnitudes, the scene
#
# $$M = \sum_{i=1}^{N} g_i \, S(v_i), \qquad N \le 32 .$$
#
# The sound of all events is one that has this spectrogram. It begins as the sum of their sounds,
# $\sum_i g_i \, d(v_i)[t - n_i]$, in which partials that lie close together beat. The spectrum of
# that sum keeps its phases and takes the magnitudes $M$, three times over, each time with the
# phases of the nearest sound (Griffin and Lim, 1984). Not one number more is sent for it. The sound
# splits into parts again, one for each event, with the magnitudes of that event and the phases of
# the whole: **together, events share the sound where they overlap; by itself, moved or with another
# vector, an event is heard as it sounds alone.** On this page a reconstruction is the sum of such
# parts as integers, rounded once, so that any browser gets the same bytes.
#
# Nothing is up-sampled by a network, so there are no up-sampling artifacts. The spectrogram that
# the encoder subtracts and the sound that one hears come from the same controls. The examples below
# let you hear one event after each stage. The whole model has {{ n_parameters / 1e6:.2f }} million
# parameters; the published one has about 14 million.

# %% [markdown]
# ## Training

# %% tags=["hide"]
shipped = (
    "They are public-domain scores rendered with a sound font, and the music of a game. Whole works"
    " were held out, and one ensemble altogether: brass was never trained on."
)
training_facts(codec, shipped if build.shipped else "")

# %% [markdown]
# ## Evaluation
#
# All figures are of recordings that were not trained on; a manifest names their files by hash, and
# the places of the segments. Removed is the share that is gone from the magnitude spectrogram $X$
# of the coded half, with $R_N$ what is left after $N$ events:
#
# $$L_p(N) = 1 - \frac{\lVert R_N \rVert_p^p}{\lVert X \rVert_p^p}, \qquad p = 1, 2 .$$
#
# Every segment is brought to peak 1, written as events, stored, read back and decoded. Beside the
# codec stand matching pursuit, in the same transform with damped partials as atoms, and plain
# codecs at their lowest rates.

# %% tags=["hide"]
evaluation_section(build.evaluation, clips, codec, as_shipped)

# %% [markdown]
# ## Examples
#
# Each example is {{ seconds:.2f }} seconds long{{ origin }}. The encoder writes events into the
# first half of it, so the first half is what is compared, with its residual: what the events leave,
# and with plain codecs. Below it the whole excerpt is coded by streaming. Those come first of which
# the events remove most energy, and each has a page of its own.

# %% tags=["hide"]
shown = [example(number, each, card=number > 1) for number, each in enumerate(examples, start=1)]
[*cover(examples), how_to_listen(), *shown]

# %% [markdown]
# ## All examples in figures
#
# *Energy removed* is the share of the magnitude spectrogram that the events account for. *Distance*
# is the multi-resolution log-spectral distance between the sounds themselves; the column beside it
# has the same for silence. Bits count every event as {{ config.vector_size + 2 }} plain 32-bit
# numbers, before any compression.

# %% tags=["hide"]
Fold("The figures of each example", [figures_table(examples)])

# %% [markdown]
# ## Events together and alone

# %% tags=["hide"]
compared = parts_section([each.demos.roll.compared for each in examples if each.demos])
Fold("How far an event's part of the sound is from the event alone", compared)

# %% [markdown]
# ## Future work
#
# What one hears is clearly the piece, and clearly not the recording. The phases of the original are
# not kept, so that attacks are softer than they were; vibrato is missing, because an event's pitch
# stands still; noises that are neither harmonic nor steady, such as a bow's scratch, are caught
# badly. The refinement that makes the spectrogram nearer is free to use several events for one
# note, and does. Fewer and more meaningful events come next.

# %% tags=["hide"]
see_also("music", build.articles)

# %% [markdown]
# ## Citation
#
# This page is built from code, so it can be rebuilt. The system that it implements is described in:

# %% tags=["hide"]
bibtex()

# %% [markdown]
# ## Notes
#
# - Sounds are 16-bit at {{ config.samplerate }} Hz and are never normalised; each player shows its
#   peak level and its loudness by BS.1770. Only comparisons change levels, to match them, and say
#   by how much.
# - A reconstruction is the integer sum of its events' stored parts, in the order in which the
#   events were found. Of an event alone, another sound is stored.
# - Random vectors, random times and perturbations use fixed seeds, so that two builds give the same
#   page.
