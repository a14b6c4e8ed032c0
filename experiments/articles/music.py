"""Taking music apart into events

A sparse event codec writes down music as a few dozen events: what each sounds like, when it begins
and how loud it is. From nothing but these it plays the music back, and each event can be heard,
moved or changed.
"""

# %% tags=["hide"]
from typing import TYPE_CHECKING

from experiments.sections.about import (
    UNCHECKED,
    about_encoder,
    bibtex,
    decoder_in_full,
    notes,
    previous_work,
    see_also,
    training_facts,
)
from experiments.sections.evaluation import evaluation_section
from experiments.sections.examples import (
    conjure_example,
    cover,
    event_by_event,
    example,
    figures_table,
    nearest_first,
    opening,
    streaming,
)
from experiments.sections.lesson import lesson
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
examples = nearest_first([conjure_example(clip, codec) for clip in clips])
[*cover(examples), *opening(examples, "music"), *(Prose(remark) for remark in build.remarks)]

# %% [markdown]
# ## Listen
#
# {{ long_clip.seconds:.0f }} seconds, and the same from its events. Switch while it plays. What one
# hears is clearly the piece, and clearly not the recording.

# %% tags=["fold"]
[streaming(long_clip, codec), *event_by_event(long_clip, codec)]

# %% [markdown]
# ## How it works
#
# Most audio codecs cut sound into short frames and write something down for each. That reproduces
# sound well, but nobody can read it: a piano note is spread over dozens of frames, and no number in
# them is *the note*. This codec writes down **events** instead, at most {{ config.n_events }} for
# {{ seconds / 2:.2f }} seconds: what each sounds like, as a vector of {{ config.vector_size }}
# numbers, when it happens, and how loud it is. The result can be edited like a score: an event can
# be moved, dropped or changed, and the rest stays as it is.

# %% tags=["hide"]
steps = lesson(examples[0].clip, codec) if examples else []
steps[:1]

# %% [markdown]
# A vector becomes sound with a little physics:

# %% tags=["hide"]
steps[1:]

# %% [markdown]
# The encoder looks at {{ seconds:.2f }} seconds at a time, writes events into the first half only,
# and slides on by half. What these leave sounding in the next window is taken off before that one
# is encoded, so no note is written down twice, and a piece may have any length.
#
# This is a new implementation of the system in John Vinyard's article [Toward a Sparse
# Interpretable Audio Codec](https://blog.cochlea.xyz/sparse-interpretable-audio-codec-paper.html)
# (2025), with a decoder, a way of choosing events and a way of training of its own. Every figure
# quoted here was measured by the code that built the page.

# %% tags=["hide"]
shipped = (
    "They are public-domain scores rendered with a sound font, and the music of a game. Whole works"
    " were held out, and one ensemble altogether: brass was never trained on."
)
[
    Fold("The encoder in full", [about_encoder(config)]),
    Fold("The decoder in full", decoder_in_full(config, build.n_parameters)),
    Fold("How it was trained", [training_facts(codec, shipped if build.shipped else "")]),
    Fold("Previous work", [previous_work()]),
]

# %% [markdown]
# ## Examples
#
# {{ seconds:.2f }} seconds each{{ origin }}, coded by streaming. Those come first whose sound is
# nearest to the original, so the hard ones are last. The first is shown in full, with what to
# listen for.

# %% tags=["hide"]
[example(number, each, card=number > 1) for number, each in enumerate(examples, start=1)]

# %% [markdown]
# ## The verdict

# %% tags=["hide"]
[
    *evaluation_section(build.evaluation, clips, codec, as_shipped),
    Fold("The figures of each example", [figures_table(examples)]),
    Fold(
        "How far an event's part of the sound is from the event alone",
        parts_section([each.demos.roll.compared for each in examples if each.demos]),
    ),
]

# %% [markdown]
# ## What is wrong
#
# - Phases of the original are not kept, so attacks are softer than they were.
# - A wide vibrato blurs the overtones within a frame, and an event's picture does not show that.
# - Noises that are neither harmonic nor steady, such as a bow's scratch, are caught badly.
# - One note may become several events. Fewer and more meaningful ones come next.

# %% tags=["hide"]
[
    see_also("music", build.articles),
    Fold("Cite the article whose system this is", [bibtex()]),
    Fold("Notes on the sounds", [notes(config)]),
]
