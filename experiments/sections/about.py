"""Texts: how a model works and how it was trained, with its own numbers; how to listen and cite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from report import BibTeX, Prose
from sparse_codec import CodecConfig
from sparse_codec.config import (
    FrameEncoderConfig,
    HarmonicDecoderConfig,
    HarmonicEncoderConfig,
    ResonanceDecoderConfig,
    VoiceDecoderConfig,
)

if TYPE_CHECKING:
    from sparse_codec import SparseCodec

# Checks of sounds that the articles leave out, since a reader's own audio may be anything.
UNCHECKED = {
    "clipped": "sounds are at the level at which they were computed; players say where one clips",
    "identical": "where a step changes nothing, that is what readers are to hear",
    "silent": "a decomposition may leave nothing",
}
TITLES = {
    "music": "the codec for music",
    "speech": "the codec for speech",
    "ablations": "what was tried, and what each part is worth",
    "listening": "ten clips by all methods, side by side",
}


# ---- the model


def about_encoder(config: CodecConfig) -> Prose:
    """The steps of the greedy loop."""
    start = (
        f"The encoder works on magnitude spectrograms (Hann window of {config.window} samples,"
        f" a frame every {config.hop}). It repeats one step up to {config.n_events} times:\n\n"
    )
    if isinstance(config.decoder, VoiceDecoderConfig):
        return Prose(_voice_encoder(config, config.decoder))
    harmonic = isinstance(config.decoder, HarmonicDecoderConfig)
    return Prose(start + (_harmonic_encoder(config) if harmonic else _frame_encoder(config)))


def about_decoder(config: CodecConfig) -> Prose:
    """The stages that an event goes through."""
    if isinstance(config.decoder, VoiceDecoderConfig):
        return Prose(_voice_decoder())
    if isinstance(config.decoder, HarmonicDecoderConfig):
        return Prose(_harmonic_decoder(config.decoder))
    return Prose(_resonance_decoder(config.decoder, config.samplerate))


def decoder_in_full(config: CodecConfig, n_parameters: int) -> list[Prose]:
    """The stages of the decoder, and how the sounds of events become one."""
    together = f"""
Event $i$ has a vector $v_i$, a time $n_i$ in samples and a gain $g_i$. Its spectrogram is $g_i
S(v_i)$, and what the encoder fits to the clip is the sum of these magnitudes, the scene

$$M = \\sum_{{i=1}}^{{N}} g_i \\, S(v_i), \\qquad N \\le {config.n_events} .$$

The sound of all events is one that has this spectrogram. It begins as the sum of their sounds,
$\\sum_i g_i \\, d(v_i)[t - n_i]$, in which partials that lie close together beat. The spectrum of
that sum keeps its phases and takes the magnitudes $M$, three times over, each time with the phases
of the nearest sound (Griffin and Lim, 1984). Not one number more is sent for it. The sound splits
into parts again, one for each event, with the magnitudes of that event and the phases of the whole:
**together, events share the sound where they overlap; by itself, moved or with another vector, an
event is heard as it sounds alone.** On this page a reconstruction is the sum of such parts as
integers, rounded once, so that any browser gets the same bytes.

Nothing is up-sampled by a network, so there are no up-sampling artifacts. The spectrogram that the
encoder subtracts and the sound that one hears come from the same controls. The whole model has
{n_parameters / 1e6:.2f} million parameters; the published one has about 14 million.
"""
    return [about_decoder(config), Prose(together)]


def previous_work() -> Prose:
    """The older ideas that meet in the codec."""
    return Prose(
        """
Three older ideas meet here. **Symbolic music**, MIDI above all, is sparse and can be edited, but it
leaves out what the notes sound like. **Matching pursuit** (Mallat and Zhang, 1993) takes a signal
apart greedily, one atom from a dictionary at a time, subtracting each before it looks for the next:
exactly the loop used here, with very plain atoms. **Granular synthesis** builds sound from many
short grains. An event of this codec is an atom learnt from data, long enough to be a note, and
chosen by a network that has learnt where to look.
"""
    )


def notes(config: CodecConfig) -> Prose:
    """What a reader who checks the sounds has to know of them."""
    return Prose(
        f"""
- Sounds are 16-bit at {config.samplerate} Hz and are never normalised; each player shows its peak
  level and its loudness by BS.1770. Only comparisons change levels, to match them, and say by how
  much.
- A reconstruction is the integer sum of its events' stored parts, in the order in which the events
  were found. Of an event alone, another sound is stored.
- Random vectors, random times and perturbations use fixed seeds, so that two builds give the same
  page.
"""
    )


def about_speech(config: CodecConfig) -> Prose:
    """The settings that are not those of music."""
    sizes = config.decoder
    if isinstance(sizes, VoiceDecoderConfig):
        return Prose(_voice_encoder(config, sizes) + _voice_decoder())
    if not isinstance(sizes, HarmonicDecoderConfig):
        return Prose(
            "The model of this page has another decoder than the one that the article on music"
            " describes."
        )
    seconds = sizes.event_frames * config.hop / config.samplerate
    return Prose(
        "The model differs in its decoder's settings. An event sounds for at most"
        f" {seconds:.2f} seconds, about a syllable, with its envelope drawn more finely; its pitch"
        f" may glide by up to {sizes.glide:.0f} semitones either way while it sounds; pitches and"
        " rooms have smaller ranges. Encoder, loop, losses and demos are the same code."
    )


def _voice_encoder(config: CodecConfig, sizes: VoiceDecoderConfig) -> str:
    slope = sizes.slope_frames * config.hop / config.samplerate
    return f"""
The model of speech has a time scale of its own: a window of {config.window} samples, a frame every
{config.hop}, and at most {config.n_events} events for every {config.half_frames} frames. Events are
not searched for one by one. They are read off the voice:

1. **Listen.** In every frame the encoder finds the pitch, how far up the spectrum is periodic, and
   the envelope of the spectrum in {sizes.bands} mel bands.
2. **Place knots.** A polyline through these numbers bends at knots. Dynamic programming finds those
   for which the polyline is nearest to the voice, with as few knots as are allowed.
3. **Write events.** An event peaks at each knot: it rises from the knot before and falls to the
   knot after, each in at most {slope:.2f} seconds. Between two knots one event fades into the next.
"""


def _voice_decoder() -> str:
    return """
A vector holds the pitch and its glide, the border between pulses and noise, the lengths of rise and
fall, and the envelope. The envelope's axes are those on which the training speech varies most, and
nothing else was learnt. The **excitation** is pulses below that border and noise above it, the
**resonance** the envelope; there is no room. When events are mixed, the pulses of one go on where
those of the event before it were, so overlapping events do not beat.
"""


def _harmonic_encoder(config: CodecConfig) -> str:
    return f"""
1. **Look.** A stack of gated, dilated convolutions reads the residual, each frame with what comes
   after it; beside it a harmonic-sum salience says for every pitch and frame how much of a harmonic
   series starts there. Together they score every (pitch, frame). The second half of the frames is
   looked at, never chosen from.
2. **Propose.** For each of the {config.encode.candidates} best places the encoder reads the
   residual along the harmonics of that pitch and writes down a vector and a fine time inside the
   frame.{_drawn_to_onsets(config.encode.reach)}
3. **Choose.** The candidate that removes the largest share of the residual's energy is kept.
4. **Fit and subtract.** The gains of all events so far are fitted again together, by non-negative
   least squares, and the events are subtracted from the original. What is left is the next step's
   residual. One look proposes for {config.encode.events_per_pass} events: each is chosen for the
   residual of its own step.

After every {config.encode.interim_every}th event, and once more at the end, all events found so far
are **refined together**: {config.encode.interim} and {config.encode.refine} gradient steps on their
vectors, times and gains, towards less energy and less L1 norm left in the {config.horizon_frames}
frames that they are fitted on, and a nearer log-mel spectrogram. At the end events also pay for
what they take in the frames after these where it is not: later windows add, but never take off.
Only the events move, not the model: the event found first was chosen for a residual that no other
event had touched yet, and here it learns of the others. The published system takes the frame with
the highest switch, and the height of the switch as the gain, and leaves it at that.
"""


def _drawn_to_onsets(reach: float) -> str:
    """The rest of a step: how events are drawn to the beginnings of notes, if they are."""
    if not reach:
        return ""
    return f""" Notes begin where the spectrum rises in many bands at once. At other places an
   event has to promise e times as much, and times within {reach:g} frames of a clear rise move to
   it before they are refined, unless the event would then remove much less."""


def _frame_encoder(config: CodecConfig) -> str:
    assert isinstance(config.encoder, (HarmonicEncoderConfig, FrameEncoderConfig))
    dilations = ", ".join(map(str, config.encoder.dilations))
    return f"""
1. **Look.** Gated convolutions with dilations {dilations} read the residual; each frame sees itself
   and the future only. Two heads give every frame an event vector and a switch.
2. **Choose.** The second half of the frames is masked. The frame with the highest switch wins: its
   vector is the event, its switch the gain.
3. **Subtract.** The event is decoded, and its magnitude spectrogram is subtracted from the
   residual.
"""


def _harmonic_decoder(sizes: HarmonicDecoderConfig) -> str:
    return f"""
The decoder is where the physics is. A small network reads an event's vector and sets the controls
of three stages, and the sound goes through them in this order:

- **Excitation**: envelopes with an attack, a hold and a release, one over an impulse train at the
  event's pitch and one over noise. {_pitch(sizes)}
- **Resonance**: {sizes.harmonics} partials and {sizes.noise_bands} noise bands, each with a
  strength and a decay of its own, and a tilt that makes the overtones brighter or duller while the
  event sounds.
- **Room**: what comes back of each partial and each noise band, mixed from
  {len(sizes.reverberation)} reverberation times.
"""


def _pitch(sizes: HarmonicDecoderConfig) -> str:
    ways = [
        (sizes.vibrato, "swing around it by up to {}, as in a vibrato"),
        (sizes.scoop, "begin up to {} away and come to it at once"),
        (sizes.glide, "glide by up to {}"),
    ]
    moves = [way.format(f"{far:g} semitone{'s' * (far > 1)}") for far, way in ways if far]
    return f"The pitch may {', and '.join(moves)}." if moves else "The pitch stands still."


def _resonance_decoder(sizes: ResonanceDecoderConfig, samplerate: int) -> str:
    return f"""
A small network reads an event's vector and sets the controls of three stages, and the sound goes
through them in this order:

- **Excitation**: noise under an envelope, over the first {sizes.attack_samples / samplerate:.2f}
  seconds, through a filter of {sizes.noise_filter_samples} taps.
- **Resonance**: convolution with {sizes.selected} mixtures of {sizes.resonances:,} learned
  resonances, which cross-fade over the event's life.
- **Room**: a dry/wet mix with decaying noise, mixed from {len(sizes.reverberation)} reverberation
  times.
"""


# ---- its training


def training_facts(codec: SparseCodec, shipped: str) -> Prose:
    """The training of a model, from its checkpoint; `shipped` says more of a shipped one."""
    card = codec.card
    if not card:
        return Prose("How this model was trained is not said in its checkpoint.")
    if "training" not in card:
        return Prose(
            f"The model was fitted in {3600 * card['hours']:.0f} seconds by the clock, in closed"
            f" form, on {card['frames']:,} frames of {card['train_recordings']} recordings: the"
            f" mean of their envelopes and the axes on which these vary most. {shipped}"
        )
    weights = card["training"]
    text = (
        f"The model was trained for {card['hours']:.1f} hours ({card['steps']:,} steps) on"
        f" {card['train_recordings']} recordings. {shipped}\n\n"
        "Each step learns from two things. One is a greedy step on a batch of residuals, drawn from"
        " a pool of segments at all depths of their decomposition: its loss rewards the share of"
        " energy that a candidate removes, its cosine with the residual and the L1 norm removed,"
        " prices whatever is subtracted below zero, and teaches the score to predict the share. The"
        f" other is {weights.get('scenes', 0)} scenes, segments with all their events: the events"
        " are moved a little at every step, as they are when a clip is encoded, and the decoder"
        " learns from how near they come together. The published system uses the L1 norm together"
        " with an adversarial loss, in which a discriminator hears the sum of half of the events."
        " The training script has that too, and a price on the number of events;"
        f" {_extras(weights)}. Of the checkpoints of a run the one is kept that does best on a"
        " dozen held-out segments: no weight was learnt from held-out works, but this choice saw"
        " some of them."
    )
    return Prose(text)


def _extras(weights: dict[str, Any]) -> str:
    names = {"an adversarial": weights["adversarial"], "a sparsity": weights.get("sparsity", 0.0)}
    used = " and ".join(f"{name} weight of {weight:g}" for name, weight in names.items() if weight)
    return f"this model was trained with {used}" if used else "for this model neither was used"


# ---- for the reader


def see_also(article: str, articles: list[str]) -> Prose:
    """Links to the other articles of the site, if there are any."""
    names = [name for name in TITLES if name in articles and name != article]
    links = [f"[{TITLES[name]}]({name}.html)" for name in names]
    listed = " and ".join([", ".join(links[:-1]), *links[-1:]] if links[1:] else links)
    return Prose(f"On this site too: {listed}." if links else "")


def bibtex() -> BibTeX:
    """The entry of the article whose system this is."""
    return BibTeX(
        """@misc{vinyard2025sparse,
  author = {Vinyard, John},
  title = {Toward a Sparse Interpretable Audio Codec},
  year = {2025},
  eprint = {2505.05654},
  archivePrefix = {arXiv},
  url = {https://blog.cochlea.xyz/sparse-interpretable-audio-codec-paper.html}
}"""
    )
