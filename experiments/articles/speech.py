"""Taking speech apart into events

A sentence as some thirty events a second, each a short stretch of a voice with its pitch and
colour. Played back from nothing but these, most of it is understood.
"""

# %% tags=["hide"]
from typing import TYPE_CHECKING

from experiments.sections.about import (
    UNCHECKED,
    about_speech,
    bibtex,
    see_also,
    training_facts,
)
from experiments.sections.evaluation import evaluation_section, word_tables
from experiments.sections.examples import (
    conjure_example,
    cover,
    example,
    figures_table,
    opening,
    streaming,
)
from experiments.sections.sounds import begin_encoding
from report import Prose

if TYPE_CHECKING:
    from experiments.inputs import BUILD  # a global of every script that the site is built from

ALLOW = UNCHECKED
build = BUILD["speech"]
codec, clips, long_clip = build.codec, build.clips, build.long_clip
begin_encoding([long_clip, *clips], codec)
config = codec.config
seconds = config.segment_samples / config.samplerate
examples = [conjure_example(clip, codec) for clip in clips]
[*opening(examples, "sentence"), *(Prose(remark) for remark in build.remarks)]

# %% [markdown]
# *Listen first:* [{{ long_clip.seconds:.0f }} seconds of speech](#streaming), or [the
# examples](#examples).
#
# ## Introduction
#
# The article on music describes a codec that writes {{ seconds / 2:.2f }} seconds of sound as at
# most {{ config.n_events }} **events**, each a vector of {{ config.vector_size }} numbers, a time
# and a gain. A note is such an event by nature. Speech is harder: its pitch never stands still, its
# consonants are noise of a few milliseconds, and one syllable runs into the next. So the model of
# this page has a time scale of its own, and reads its events off the voice instead of searching
# for them. Its words are understood, though not as well as the original's: the
# [evaluation](#evaluation) has the errors of a recogniser.

# %% tags=["hide"]
about_speech(config)

# %% [markdown]
# ## Streaming
#
# {{ long_clip.seconds:.0f }} seconds, window by window.

# %% tags=["fold"]
streaming(long_clip, codec)

# %% [markdown]
# ## Training

# %% tags=["hide"]
shipped = (
    "They are the telephone prompts of one speaker, Allison Smith, from a Debian package, put"
    " together into readings of half a minute, 23 minutes altogether, and some clips of LJ Speech."
    " The longest prompts, one family of them, were held out; the examples below are cut from"
    " those."
)
training_facts(codec, shipped if build.shipped else "")

# %% [markdown]
# ## Evaluation
#
# The same figures as for music. The groups in brackets are other speakers, and the examples of this
# page, cut from the held-out prompts. Half of the segments of LJ Speech are of clips that were
# trained on; those of LibriSpeech are not.

# %% tags=["hide"]
evaluation_section(build.evaluation, clips, codec, build.shipped and not build.own_audio)

# %% tags=["hide"]
word_tables(build.words)

# %% [markdown]
# ## Examples

# %% tags=["hide"]
shown = [example(number, each, number > 1) for number, each in enumerate(examples, start=1)]
[*cover(examples), *shown]

# %% [markdown]
# ## All examples in figures

# %% tags=["hide"]
figures_table(examples)

# %% [markdown]
# ## What is wrong
#
# - The voice sounds like a vocoder's: all pulses have the same shape, and between pulses and noise
#   there is one border on the mel axis.
# - Pitch is one path, so two speakers at once, or music behind a voice, are beyond the model.
# - Consonants are soft: knots lie {{ 1000 * config.hop / config.samplerate:.0f}} ms apart at least,
#   and a plosive's burst is shorter.
# - An event is a stretch of some {{ 1000 * seconds / 2 / config.n_events:.0f}} ms, not a phone.
# - In files, envelopes are rounded coarsely: at 0.6 kilobits a second about twice as many words are
#   wrong as at the usual rounding.

# %% tags=["hide"]
see_also("speech", build.articles)

# %% [markdown]
# ## Citation

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
