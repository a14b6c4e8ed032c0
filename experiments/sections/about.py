"""How a model works, in words: one text for each kind of encoder and decoder, its numbers from the configuration."""

from __future__ import annotations

from report import Prose
from sparse_codec import CodecConfig
from sparse_codec.config import HarmonicDecoderConfig
from sparse_codec.model.greedy import INTERIM_EVENTS


def is_harmonic(config: CodecConfig) -> bool:
    """Whether this is the project's own design, and not the published one."""
    return isinstance(config.decoder, HarmonicDecoderConfig)


def about_encoder(config: CodecConfig) -> Prose:
    """The steps of the greedy loop."""
    start = (
        f"The encoder works on magnitude spectrograms (Hann window of {config.window} samples, a frame every"
        f" {config.hop}). It repeats one step up to {config.n_events} times:\n\n"
    )
    return Prose(
        start + (_harmonic_encoder(config) if is_harmonic(config) else _frame_encoder(config))
    )


def about_decoder(config: CodecConfig) -> Prose:
    """The stages that an event goes through."""
    return Prose(_harmonic_decoder(config) if is_harmonic(config) else _resonance_decoder(config))


def about_speech(config: CodecConfig) -> Prose:
    """What is set otherwise than for music."""
    if not is_harmonic(config):
        return Prose(
            "The model of this page has another decoder than the one that the article on music describes."
        )
    sizes = config.decoder
    return Prose(
        f"The model differs in its decoder's settings. An event sounds for at most"
        f" {sizes.event_frames * config.hop / config.samplerate:.2f} seconds, about a syllable, with its envelope drawn"
        f" more finely; its pitch may glide by up to {sizes.glide:.0f} semitones either way while it sounds; pitches"
        " and rooms have smaller ranges. Encoder, loop, losses and demos are the same code."
    )


def _harmonic_encoder(config: CodecConfig) -> str:
    return f"""
1. **Look.** A stack of gated, dilated convolutions reads the residual, each frame with what comes after it; beside it
   a harmonic-sum salience says for every pitch and frame how much of a harmonic series starts there. Together they
   score every (pitch, frame). The second half of the frames is looked at, never chosen from.
2. **Propose.** For each of the {config.encode.candidates} best places the encoder reads the residual along the
   harmonics of that pitch and writes down a vector and a fine time inside the frame.
3. **Choose.** The candidate that removes the largest share of the residual's energy is kept.
4. **Fit and subtract.** The gains of all events so far are fitted again together, by non-negative least squares,
   and the events are subtracted from the original. What is left is the next step's residual.

After every {INTERIM_EVENTS}th event, and once more at the end, all events found so far are **refined together**:
{config.encode.interim} and {config.encode.refine} gradient steps on their vectors, times and gains, towards less
energy and less L1 norm left in the {config.horizon_frames} frames that they are fitted on, and a nearer log-mel
spectrogram. Only the events move, not the model: the event found first was chosen for a residual that no other event
had touched yet, and here it learns of the others. The published system takes the frame with the highest switch, and
the height of the switch as the gain, and leaves it at that.
"""


def _frame_encoder(config: CodecConfig) -> str:
    return f"""
1. **Look.** Gated convolutions with dilations {", ".join(map(str, config.encoder.dilations))} read the residual; each
   frame sees itself and the future only. Two heads give every frame an event vector and a switch.
2. **Choose.** The second half of the frames is masked. The frame with the highest switch wins: its vector is the event,
   its switch the gain.
3. **Subtract.** The event is decoded, and its magnitude spectrogram is subtracted from the residual.
"""


def _harmonic_decoder(config: CodecConfig) -> str:
    sizes = config.decoder
    return f"""
The decoder is where the physics is. A small network reads an event's vector and sets the controls of three stages, and
the sound goes through them in this order:

- **Excitation**: envelopes with an attack, a hold and a release, one over an impulse train at the event's pitch and
  one over noise{_glide(sizes.glide)}.
- **Resonance**: {sizes.harmonics} partials and {sizes.noise_bands} noise bands, each with a strength and a decay of its
  own, and a tilt that makes the overtones brighter or duller while the event sounds.
- **Room**: a dry/wet mix with decaying noise, mixed from {len(sizes.reverberation)} reverberation times.
"""


def _glide(semitones: float) -> str:
    return f"; the pitch may glide by {semitones:.0f} semitones" if semitones else ""


def _resonance_decoder(config: CodecConfig) -> str:
    sizes = config.decoder
    return f"""
A small network reads an event's vector and sets the controls of three stages, and the sound goes through them in this
order:

- **Excitation**: noise under an envelope, over the first {sizes.attack_samples / config.samplerate:.2f} seconds,
  through a filter of {sizes.noise_filter_samples} taps.
- **Resonance**: convolution with {sizes.selected} mixtures of {sizes.resonances:,} learned resonances, which cross-fade
  over the event's life.
- **Room**: a dry/wet mix with decaying noise, mixed from {len(sizes.reverberation)} reverberation times.
"""
