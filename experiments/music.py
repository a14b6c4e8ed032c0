"""Taking music apart into events

A sparse event codec writes a few seconds of music as at most 32 events, each a vector, a time and a gain, and
plays them back. Every sound and every figure on this page was made by the script that the page was made from.
"""

# %% tags=["hide"]
from experiments.sections import bibtex, evaluation_tables, example, figures_table, streaming

codec, clips, long_clip, evaluation = BUILD.codec, BUILD.clips, BUILD.long_clip, BUILD.evaluation  # noqa: F821
config, card = codec.config, codec.card
half_seconds = config.segment_samples / 2 / config.samplerate
n_parameters = sum(p.numel() for p in codec.parameters())
best = evaluation["all"]["codec"] if evaluation else None
pursuit = evaluation["all"]["matching pursuit"] if evaluation else None

# %% [markdown]
# ## Introduction
#
# Most audio codecs, the classic ones and the neural ones alike, cut sound into short frames of equal length and
# write something down for each. That reproduces sound well, but nobody can read it: a piano note is spread over
# dozens of frames, and no number in them is *the note*.
#
# The codec on this page writes down **events** instead. An event says what a sound is like, as a vector of
# {{ config.vector_size }} numbers; when it happens; and how loud it is. A decoder with a little physics built in
# (something is struck, bowed or blown; something resonates; a room answers) turns the events back into sound. A
# stretch of {{ half_seconds:.2f }} seconds gets at most {{ config.n_events }} of them. What comes out is nearer to a
# score, or to a list of samples to be triggered, than to a compressed file, and it can be edited like one: an event
# can be moved, dropped or changed, and the rest stays as it is.
#
# This is a new implementation of the system in John Vinyard's article
# [Toward a Sparse Interpretable Audio Codec](https://blog.cochlea.xyz/sparse-interpretable-audio-codec-paper.html)
# (2025), with a decoder, a way of choosing events and a way of training of its own. Where it differs from that
# system it says so, and every figure quoted here was measured by the code that built the page.

# %% [markdown]
# ## Listen first
#
# {{ long_clip.seconds:.0f }} seconds of {{ long_clip.title }}, and what the codec makes of them. The encoder looks at
# {{ config.segment_samples / config.samplerate:.2f }} seconds at a time and writes events into the first half only;
# then it slides on by half, so there is no limit to the length of a piece.

# %% tags=["fold"]
streaming(long_clip, codec)

# %% [markdown]
# ## Previous work
#
# Three older ideas meet here. **Symbolic music**, MIDI above all, is sparse and can be edited, but it leaves out what
# the notes sound like. **Matching pursuit** (Mallat and Zhang, 1993) takes a signal apart greedily, one atom from a
# dictionary at a time, subtracting each before it looks for the next: exactly the loop used here, with very plain
# atoms. **Granular synthesis** builds sound from many short grains. An event of this codec is an atom learnt from
# data, long enough to be a note, and chosen by a network that has learnt where to look.

# %% [markdown]
# ## The encoder
#
# The encoder works on magnitude spectrograms (Hann window of {{ config.window }} samples, a frame every
# {{ config.hop }}). It repeats one step up to {{ config.n_events }} times:
#
# 1. **Look.** A stack of gated, dilated convolutions, in which each frame sees itself and the future only, reads the
#    residual; beside it a harmonic-sum salience says for every pitch and frame how much of a harmonic series starts
#    there. Together they score every (pitch, frame). The second half of the frames is looked at, never chosen from.
# 2. **Propose.** For each of the {{ config.encode.candidates }} best places the encoder reads the residual along the
#    harmonics of that pitch and writes down a vector and a fine time inside the frame.
# 3. **Choose.** Each candidate is decoded, and the one that removes the largest share of the residual's energy is kept.
#    It is refined by {{ config.encode.refine }} small gradient steps on its vector.
# 4. **Fit and subtract.** The gains of all events so far are fitted again together, by non-negative least squares,
#    and their sum is subtracted from the original. What is left is the next step's residual.
#
# Because the gains are the least-squares ones, no step can add energy: that holds by construction, not by training.
# The published system chooses the frame with the highest switch and takes its height as the gain; its sizes are kept
# runnable in the configuration `paper.toml`.

# %% [markdown]
# ## The decoder
#
# The decoder is where the physics is. A small network reads an event's vector and sets the controls of three stages,
# and the sound goes through them in this order:
#
# - **Excitation**: an envelope with an attack, a hold and a release, over an impulse train at the event's pitch and
#   over noise.
# - **Resonance**: {{ config.decoder.harmonics }} partials and {{ config.decoder.noise_bands }} noise bands, each with a
#   strength and a decay of its own, so that the colour changes while the event sounds.
# - **Room**: a dry/wet mix with decaying noise, mixed from {{ len(config.decoder.reverberation) }} reverberation
#   times.
#
# Nothing is up-sampled by a network, so there are no up-sampling artifacts. Both the spectrogram that the encoder
# subtracts and the sound that one hears come from the same controls. The examples below let you hear one event after
# each stage. The whole model has {{ n_parameters / 1e6:.2f }} million parameters.

# %% [markdown]
# ## Training
#
# The model was trained for {{ card["hours"]:.2f }} hours ({{ card["steps"] }} steps) on {{ card["train_recordings"] }}
# recordings: scores rendered with a sound font, and game music. {{ card["held_out_recordings"] }} recordings were kept
# out: whole works, and one ensemble altogether.
#
# Each step is one greedy step on a batch of residuals, drawn from a pool of segments at all depths of their
# decomposition. The loss rewards the share of energy that a candidate removes, its cosine with the residual and the
# L1 norm removed; it prices whatever is subtracted below zero; and it teaches the score to predict the share. The
# published system uses the L1 norm together with an adversarial loss, in which a discriminator hears the sum of half
# of the events, so that each must sound real alone. The training script has both.

# %% tags=["hide"]
evaluation_tables(evaluation)

# %% [markdown]
# ## Examples
#
# Each example is {{ config.segment_samples / config.samplerate:.2f }} seconds of music that the model was not trained
# on. The encoder writes events into the first half of it, so the first half is what is compared; the last player of
# the comparison has the whole excerpt, coded window by window.

# %% tags=["hide"]
[example(number, clip, codec) for number, clip in enumerate(clips, start=1)]

# %% [markdown]
# ## All examples in figures
#
# *Energy removed* is the share of the magnitude spectrogram that the events account for. *Distance* is the
# multi-resolution log-spectral distance between the sounds themselves; the column beside it has the same for silence.
# Bits count every event as {{ config.vector_size + 2 }} plain 32-bit numbers, before any compression.

# %% tags=["hide"]
figures_table(clips, codec)

# %% [markdown]
# ## Future work
#
# What one hears is clearly the piece, and clearly not the recording. The phases of the original are not kept, so
# events that overlap add up differently; vibrato and glides are missing, because an event's pitch stands still;
# noises that are neither harmonic nor steady, such as a bow's scratch or a consonant, are caught badly. There are
# still events that a listener would call one note. Fewer and more meaningful events, events that may glide, a loss
# nearer to hearing, and a proper bit stream come next.

# %% [markdown]
# ## Citation
#
# This page is built from code, so it can be rebuilt. The system that it implements is described in:

# %% tags=["hide"]
bibtex()

# %% [markdown]
# ## Notes
#
# - Sounds are 16-bit at {{ config.samplerate }} Hz and are never normalised; each player shows its peak level.
# - A reconstruction is the integer sum of its stored events, in the order in which they were found.
# - Random vectors, random times and perturbations use fixed seeds, so that two builds give the same page.
