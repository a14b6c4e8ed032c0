"""Ten clips, side by side

Five held-out clips of music and five of speech by the codec, by matching pursuit with as many
numbers, and by Opus and MP3 at their lowest rates, all matched in loudness. And a listening test
that asks how good they are.
"""

# %% tags=["hide"]
from experiments.clips import shipped_clips
from experiments.lazy_codec import open_codec
from experiments.sections.about import UNCHECKED
from experiments.sections.covers import of_versions
from experiments.sections.listening import mushra, numbers_a_second, side_by_side
from experiments.sections.sounds import begin_encoding
from report import Ratings

ALLOW = UNCHECKED
music, speech = open_codec("music"), open_codec("speech")
music_clips, speech_clips = (shipped_clips(name)[0] for name in ("music", "speech"))
begin_encoding(music_clips, music)
begin_encoding(speech_clips, speech)
numbers = numbers_a_second(music_clips[0], music)

# %% [markdown]
# ## Judge them
#
# Take the test before you look at the tables below. It has clips of music by the codec at three
# rates (`encode --quality` sparse, medium and high: up to {{ music.config.n_events }},
# {{ 2 * music.config.n_events }} and {{ 4 * music.config.n_events }} events in a window), by
# matching pursuit, Opus and MP3, and is held in this page: a clip to train with, the others in an
# order of your own, and one of these again.
#
# **No ratings are in yet.** To give one, take the test, press *Download* at its end, and send the
# file to whoever led you here; nothing is sent by the page itself. With a folder of such files, the
# next build checks them against these sounds and shows what listeners heard, [below](#ratings).

# %% tags=["hide"]
(test := mushra("Music by the codec at three rates, and by others", music_clips[:4], music))

# %% [markdown]
# ## What they are
#
# A table has all clips by all methods: press a cell, or walk with the arrow keys, and the sound
# changes without a gap. Below it the spectrograms of each clip, of the codec's sound and of the
# plain sum stand side by side, with a blind test. No clip was trained on.
#
# - **Codec**: at most {{ music.config.n_events }} events for every
#   {{ music.config.segment_samples / music.samplerate / 2:.2f }} seconds of music, and
#   {{ speech.config.n_events }} for every
#   {{ speech.config.segment_samples / speech.samplerate / 2:.2f }} seconds of speech. They are made
#   into one sound, in which those that overlap fit together.
# - **Codec, plain sum**: the same events, each made into sound by itself, and the sounds added up.
#   Where events overlap they beat.
# - **Matching pursuit**: damped partials, as many as take the same numbers as the events: for the
#   first clip {{ numbers:.0f }} a second, before any coding.
# - **Opus** and **MP3**: the lowest rates that libsndfile writes, at the rates of these files.

# %% [markdown]
# ## Music

# %% tags=["hide"]
shown = side_by_side("Music by all methods.", music_clips, music)
[*shown, of_versions(shown)]

# %% [markdown]
# ## Speech

# %% tags=["hide"]
side_by_side("Speech by all methods.", speech_clips, speech)

# %% [markdown]
# ## What listeners heard {#ratings}

# %% tags=["hide"]
Ratings([], test)
