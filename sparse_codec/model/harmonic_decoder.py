"""The harmonic decoder: an event goes through three physical stages, in this order, for the
spectrogram and for the sound alike:

1. excitation: an envelope (attack, hold, release) over an impulse train at the event's pitch and
   over noise;
2. resonance: each partial and each noise band has its own strength and decay, so the colour
   changes;
3. room: the energy of a part comes back at several reverberation times, and joins its level.

Shapes: E events, V numbers in a vector, H harmonics, N noise bands, P = H + N parts, F bins, L
frames of an event, T samples of an event. The frames of an event are counted from `lead` frames
before its onset: frame `lead` is the one it starts in.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from sparse_codec.config import SYNTHESIS_HOP, CodecConfig, HarmonicDecoderConfig
from sparse_codec.model.decoder import LN_1000, Decoder, Stages, fixed_noise, perceptron
from sparse_codec.model.drawing import LOBE_ENERGY, NoiseBands, Place, draw
from sparse_codec.model.events import Events
from sparse_codec.model.sparse_matrix import SparseMatrix
from sparse_codec.model.spectrogram import hann, mel_bands

FADE_FRAMES = 16  # every event is faded out over its last frames
SILENCE = 1e-30  # added to levels before a logarithm is taken: far below any that is heard
LEAST_LOG = -80.0  # of a level: the exponential of less is a denormal number, which is slow
SYNTHESIS_RUN = 16  # samples that follow one start, where a pitch glides
SYNTHESIS_WINDOW = 512  # samples, for the noise bands: noise sounds ahead of its onset by half
GOLDEN = (math.sqrt(5) - 1) / 2
# Numbers x that are read off a vector as softplus(slope x + shift), which is above 0: slope, shift.
# They come first among those that are read.
POSITIVE = {
    "tone": (2.0, 0.0),
    "tone_decay": (1.0, -2.5),
    "hiss": (2.0, -5.0),
    "hiss_decay": (1.0, 0.0),
    "tone_knots": (1.0, 0.5),
    "stiffness": (1.0, -6.0),
    "attack": (1.0, 1.0),
    "wet": (1.0, -3.0),
    "hiss_knots": (1.0, 0.5),
}
BLOCKS = ("block_ages", "block_knots", "block_ways", "block_fade")  # fields of `Ages`
PITCH_PACE = 0.015  # of refinement, in a pitch: a whole step would be semitones
MOVEMENT_PACE = 0.3  # likewise, in how a pitch moves
VIBRATO_HERTZ = 5.5  # of a vibrato, which may be up to RATE_OCTAVES slower or faster
RATE_OCTAVES = 0.5
VIBRATO_SECONDS = 0.14  # in which a vibrato grows to its depth
SCOOP_SECONDS = 0.07  # in which a scoop falls to 1 / e


@dataclass(frozen=True)
class Ages:
    """Ages of events, and what all stages read off them. E events, L ages."""

    age: Tensor  # (E, L) in frames since the onset
    knot: Tensor  # (E, L) the last knot that is not after it
    on_the_way: Tensor  # (E, L) from that knot, at 0, to the next one, at 1
    fade: Tensor  # (E, L) see `HarmonicDecoder.fade`


class Resonance:
    """The resonances that `HarmonicDecoder.resonate` reads off vectors."""


@dataclass(frozen=True)
class Decays(Resonance):
    """A resonance in which every part falls at its own rate. E events, P parts, K knots."""

    decay: Tensor  # (E, P) per frame
    tilt: Tensor  # (E, K) at the knots: rise of each octave of overtones, as an exponent of e


@dataclass(frozen=True)
class Movement:
    """How pitches move, in octaves. E events, K knots."""

    glide: Tensor  # (E, K) at the knots
    swing: Tensor  # (E, 2) of a vibrato: its sine and its cosine
    rate: Tensor  # (E, 1) of the vibrato, radians a frame
    scoop: Tensor  # (E, 1) at the onset; it falls to 0


@dataclass(frozen=True)
class Sounding:
    """The physical meaning of vectors.

    E events, H harmonics, P parts, K knots, R reverberation times.
    """

    bins: Tensor  # (E, H) where each partial lies at the onset, in bins of the spectrogram
    strength: Tensor  # (E, P) of each harmonic and noise band, magnitude
    envelope: Tensor  # (E, 2, K) at the knots, of the impulse train and of the noise
    attack: Tensor  # (E,) per frame: the higher, the sharper
    resonance: Resonance
    wet: Tensor  # (E, R) energy that the room returns for each reverberation time; dry is 1
    movement: Movement


@dataclass(frozen=True)
class Dry:
    """Events before the room, at the points in time that they are synthesised from."""

    sound: Sounding
    envelopes: Tensor  # (E, 2, blocks + 1) of impulse train and noise
    levels: Tensor  # (E, P, blocks + 1) after the resonance
    wet: Tensor  # (E, P, blocks + 1) energy that the room adds to them
    bins: Tensor  # (E, H, blocks + 1 or 1)


class HarmonicDecoder(Decoder):
    """Partials and noise bands with an envelope, decays and a room; see the module."""

    any_ages = True  # the stages may be computed at any ages, not only at equal steps
    sizes: HarmonicDecoderConfig
    order: Tensor  # (H,) 1, 2, ...
    start_turns: Tensor  # (H,) float64, phases at the onset, in turns
    timbre: Tensor  # (V,) 0 for numbers of a vector that move a pitch, else 1
    knots: Tensor  # (K,) in frames after the onset
    bands: Tensor  # (N, F)
    slopes: Tensor  # of all numbers of `POSITIVE`
    shifts: Tensor  # likewise
    kinds: Tensor  # (P, 3) 1 for a partial, 1 for a noise band, octaves above the first partial
    loudness: Tensor  # (P,) energy of a part's lobe or band at level 1
    rooms: Tensor  # (R, L, L)
    block_ages: Tensor  # (1, blocks + 1) that sound is synthesised from, in frames
    block_fade: Tensor  # (1, blocks + 1) and how loud they are at the end of an event

    def __init__(self, config: CodecConfig):
        super().__init__()
        assert isinstance(config.decoder, HarmonicDecoderConfig)
        self.config, self.sizes = config, config.decoder
        sizes = self.sizes
        self.lead = config.window // 2 // config.hop
        self.event_frames = self.lead + sizes.event_frames + self.lead
        self.n_parts = sizes.harmonics + sizes.noise_bands
        self.counts = self.outputs()
        self.read = perceptron(config.vector_size + 3, sum(self.counts.values()), sizes.hidden)
        self.start_read(*self.read[-1].parameters())
        lines = [
            torch.tensor(POSITIVE[name]).repeat(count, 1)
            for name, count in self.counts.items()
            if name in POSITIVE
        ]
        slopes, shifts = torch.cat(lines).unbind(1)
        self.register_buffer("slopes", slopes.contiguous(), persistent=False)
        self.register_buffer("shifts", shifts.contiguous(), persistent=False)
        first = config.vector_size - sizes.moving_numbers
        self.moving_numbers = range(first, config.vector_size)  # of a vector
        self.pitch_numbers = (0, *self.moving_numbers)
        pace, timbre = torch.ones(2, config.vector_size)
        pace[0], pace[first:], timbre[first:] = PITCH_PACE, MOVEMENT_PACE, 0
        order = torch.arange(1, sizes.harmonics + 1.0)
        knots = torch.tensor(sizes.knots, dtype=torch.float)
        bands = mel_bands(sizes.noise_bands, config.n_bins, config.samplerate)
        self.register_buffer("pace", pace, persistent=False)
        self.register_buffer("timbre", timbre, persistent=False)
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("start_turns", (order.double() * GOLDEN) % 1, persistent=False)
        self.register_buffer("knots", knots, persistent=False)
        self.register_buffer("bands", bands, persistent=False)
        self.noise = NoiseBands(bands)
        kinds = torch.zeros(self.n_parts, 3)
        kinds[: sizes.harmonics, 0] = kinds[sizes.harmonics :, 1] = 1
        kinds[: sizes.harmonics, 2] = torch.log2(order)
        self.register_buffer("kinds", kinds, persistent=False)
        loudness = torch.cat([torch.full_like(order, LOBE_ENERGY), bands.pow(2).sum(1)])
        self.register_buffer("loudness", loudness, persistent=False)
        rooms = self._room_kernels()
        self.register_buffer("rooms", rooms, persistent=False)
        block_ages = torch.arange(sizes.event_frames * config.hop // SYNTHESIS_HOP + 1)[None]
        blocks = self.ages(block_ages * (SYNTHESIS_HOP / config.hop))
        for name, values in zip(BLOCKS, vars(blocks).values(), strict=True):
            self.register_buffer(name, values, persistent=False)
        n_bins = SYNTHESIS_WINDOW // 2 + 1
        self.hiss = SparseMatrix(mel_bands(sizes.noise_bands, n_bins, config.samplerate).T)

    # ---- the meaning of a vector

    def outputs(self) -> dict[str, int]:
        """How many numbers of each kind are read off a vector, in this order."""
        sizes, knots = self.sizes, len(self.sizes.knots)
        parts = {"tone": sizes.harmonics, "tone_decay": sizes.harmonics}
        parts |= {"hiss": sizes.noise_bands, "hiss_decay": sizes.noise_bands}
        rest = {"tone_knots": knots, "stiffness": 1, "attack": 1, "wet": len(sizes.reverberation)}
        rate = {"rate": 1} if sizes.vibrato else {}
        return parts | rest | {"hiss_knots": knots, "tilt": knots, "glide": knots} | rate

    @torch.no_grad()
    def start_read(self, weight: Tensor, bias: Tensor) -> None:
        """Set the last layer so that, before training, an event keeps its colour and its pitch."""
        rows = sum(self.counts.get(name, 0) for name in ("tilt", "glide", "rate"))
        weight[-rows:].zero_()
        bias[-rows:].zero_()

    def sounding(self, vectors: Tensor) -> Sounding:
        """Read the physical quantities off vectors (E, V)."""
        pitch = vectors[:, :1]
        features = torch.cat(
            [vectors * self.timbre, torch.sin(3 * pitch), torch.cos(3 * pitch), pitch**2], 1
        )
        outputs = self.read(features)
        n_positive = self.slopes.shape[0]
        positive = F.softplus(torch.addcmul(self.shifts, outputs[:, :n_positive], self.slopes))
        outputs = torch.cat([positive, outputs[:, n_positive:]], 1)
        read = dict(zip(self.counts, outputs.split(list(self.counts.values()), 1), strict=True))
        bins = self.frequencies(pitch, stiffness=0.01 * read["stiffness"])
        tones = read["tone"] * (bins < self.config.n_bins - 2)
        hiss_knots = read["hiss_knots" if self.sizes.noise_envelope else "tone_knots"]
        return Sounding(
            bins=bins,
            strength=torch.cat([tones, read["hiss"]], 1),
            envelope=torch.stack([read["tone_knots"], hiss_knots], 1),
            attack=read["attack"][:, 0] + 0.05,
            resonance=self.read_resonance(read),
            wet=read["wet"],
            movement=self.read_movement(vectors, read),
        )

    def read_movement(self, vectors: Tensor, read: dict[str, Tensor]) -> Movement:
        """Return what `moving_bins` needs to know, of vectors and of numbers read off them."""
        sizes, none = self.sizes, vectors.new_zeros(len(vectors), 1)
        turns = VIBRATO_HERTZ * self.config.hop / self.config.samplerate  # in a frame
        own = vectors[:, self.moving_numbers.start :] / 12
        vibrato, faster = sizes.vibrato, RATE_OCTAVES * torch.tanh(read.get("rate", none))
        return Movement(
            glide=sizes.glide / 12 * torch.tanh(read["glide"]),
            swing=vibrato * own[:, :2] if vibrato else none.expand(-1, 2),
            rate=2 * math.pi * turns * torch.exp2(faster),
            scoop=sizes.scoop * own[:, -1:] if sizes.scoop else none,
        )

    def read_resonance(self, read: dict[str, Tensor]) -> Resonance:
        """Return what `resonate` needs to know, of numbers read off the vectors."""
        decay = torch.cat([read["tone_decay"], read["hiss_decay"]], 1)
        return Decays(decay, self.sizes.tilt * torch.tanh(read["tilt"]))

    def frequencies(self, pitch: Tensor, stiffness: Tensor | float = 0.0) -> Tensor:
        """Return the bins (E, H) of the harmonics of pitches (E, 1) in [-1, 1].

        The overtones of a stiff string are sharp: f_h = h f_1 sqrt(1 + B h^2), up to a factor.
        Source: Fletcher 1964, J. Acoust. Soc. Am. 36, 203.
        """
        low, high = self.sizes.lowest_pitch, self.sizes.highest_pitch
        midi = low + (pitch + 1) / 2 * (high - low)
        stretch = torch.sqrt(1 + stiffness * self.order**2)
        hertz = 440 * 2 ** ((midi - 69) / 12) * self.order * stretch
        return hertz / (self.config.samplerate / self.config.window)

    # ---- the stages, as levels over time: (E, P, L)

    def ages(self, age: Tensor) -> Ages:
        """Return ages (E, L), in frames since the onset, with what the stages read off them."""
        since = age.clamp(0, self.sizes.event_frames)
        inner = self.knots[1:-1].contiguous()
        knot = torch.searchsorted(inner, since.detach().contiguous(), right=True)
        first = self.knots[knot]
        return Ages(age, knot, (since - first) / (self.knots[knot + 1] - first), self.fade(age))

    def excite(self, sound: Sounding, at: Ages) -> Tensor:
        """Return envelopes (E, 2, L) of impulse train and noise.

        They are 0 before the onset and at the event's end.
        """
        attack = 1 - torch.exp(-(at.age.clamp(min=0) + 0.25) * sound.attack[:, None])
        envelopes = self.between_knots(sound.envelope, at)
        return envelopes * (attack * (at.age >= 0) * at.fade)[:, None]

    def resonate(self, sound: Sounding, envelopes: Tensor, at: Ages) -> Tensor:
        """Return levels (E, P, L) of the parts: each part's strength, decay and change of colour
        over the excitation (E, 2, L).
        """
        return self.log_levels(sound, envelopes, at).clamp_(min=LEAST_LOG).exp_()

    # A level is a product, strength * exp(-decay age) * envelope * exp(tilt octaves), so that its
    # logarithm is a sum of products of a number of the part and a number of the age: a product of
    # matrices (P, 5) and (5, L), of which only the exponential is taken.
    def log_levels(self, sound: Sounding, envelopes: Tensor, at: Ages) -> Tensor:
        """Return the logarithms (E, P, L) of the levels that `resonate` returns."""
        resonance = sound.resonance
        assert isinstance(resonance, Decays)
        strength = torch.log(sound.strength + SILENCE)
        own = torch.stack([strength, -resonance.decay], 2)
        octaves = self.kinds[None].expand(len(own), -1, -1)
        tilt = self.between_knots(resonance.tilt[:, None], at)
        since = at.age.clamp(min=0).expand(len(own), -1)[:, None]
        return torch.cat([own, octaves], 2) @ torch.cat(
            [torch.ones_like(since), since, torch.log(envelopes + SILENCE), tilt], 1
        )

    def reverberate(self, sound: Sounding, levels: Tensor, at: Ages) -> Tensor:
        """Return levels (E, P, L) with the room's answer to them."""
        dry = levels.pow(2)
        return torch.sqrt(dry + dry @ self._room(sound) + 1e-12) * at.fade[:, None]

    def _room(self, sound: Sounding) -> Tensor:
        """Shares (E, L, L) of frame k's energy that the rooms of events return in frame l."""
        return torch.einsum("er,rkl->ekl", sound.wet, self.rooms)

    # A room answers an impulse with noise whose amplitude falls by 60 dB, a factor of 1000, in the
    # reverberation time T: its energy falls as exp(-r t) with r = 2 ln(1000) / T, r per frame
    # below. The phases of that noise are random, so energies add. The share of a frame's energy
    # that comes back within the m-th frame after it, m >= 1, is the integral of r exp(-r t) from
    # m - 1 to m,
    #   exp(-r (m - 1)) (1 - exp(-r)),
    # and over all m these shares add up to 1: `wet` is the whole energy that comes back.
    # Source: Moorer 1979, About this reverberation business, Computer Music Journal 3(2).
    def _room_kernels(self) -> Tensor:
        """Shares (R, L, L) of frame k's energy in a later frame l, for each reverberation time."""
        frames = torch.arange(self.event_frames)
        lag = (frames[None] - frames[:, None]).float()
        seconds = torch.tensor(self.sizes.reverberation)[:, None, None]
        rate = 2 * LN_1000 * self.config.hop / self.config.samplerate / seconds
        shares = torch.exp(-rate * (lag - 1)) * (1 - torch.exp(-rate))
        return torch.where(lag >= 1, shares, 0.0)

    # At the age t, a pitch lies so many octaves from where it stays:
    #   glide(t) + scoop exp(-t / S) + min(t / V, 1) (a sin(w t) + b cos(w t)).
    # Two amplitudes a and b are a depth and a phase, and both have a gradient where there is no
    # vibrato yet. All partials move by one factor.
    def moving_bins(self, sound: Sounding, at: Ages) -> Tensor:
        """Return the bins (E, H, L) of the partials at all ages; (E, H, 1) if no pitch moves."""
        if self.stands_still(sound):
            return sound.bins[:, :, None]
        movement, second = sound.movement, self.config.samplerate / self.config.hop  # in frames
        age = at.age.clamp(min=0)
        octaves = movement.scoop * torch.exp(-age / (SCOOP_SECONDS * second))
        turn, (sine, cosine) = movement.rate * age, movement.swing[:, :, None].unbind(1)
        swing = sine * torch.sin(turn) + cosine * torch.cos(turn)
        octaves = torch.addcmul(octaves, swing, (age / (VIBRATO_SECONDS * second)).clamp(max=1))
        if self.sizes.glide:
            octaves = octaves + self.between_knots(movement.glide[:, None], at)[:, 0]
        bins = sound.bins[:, :, None] * torch.exp2(octaves)[:, None]
        return bins.clamp(max=self.config.n_bins + 1)

    def stands_still(self, sound: Sounding) -> bool:
        """Whether no pitch moves, nor shall learn to."""
        if self.sizes.glide:
            return False
        own = [sound.movement.swing, sound.movement.scoop]
        learns = torch.is_grad_enabled() and any(numbers.requires_grad for numbers in own)
        return not learns and not any(numbers.any() for numbers in own)

    def between_knots(self, values: Tensor, at: Ages) -> Tensor:
        """Interpolate values (E, C, K) at the knots linearly to (E, C, L) at all ages."""
        knot = at.knot[:, None].expand(*values.shape[:2], -1)
        return torch.lerp(
            values.gather(2, knot), values.gather(2, knot + 1), at.on_the_way[:, None]
        )

    def fade(self, age: Tensor) -> Tensor:
        """Return 1, then a cosine down to 0 at the longest age that an event may have."""
        left = ((self.sizes.event_frames - age) / FADE_FRAMES).clamp(0, 1)
        return 0.5 - 0.5 * torch.cos(math.pi * left)

    def fade_slope(self, age: Tensor) -> Tensor:
        """Return the derivative of `fade`."""
        left = ((self.sizes.event_frames - age) / FADE_FRAMES).clamp(0, 1)
        return (-0.5 * math.pi / FADE_FRAMES) * torch.sin(math.pi * left)

    # ---- as a spectrogram

    def parts(self, vectors: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        """Return bins of the partials (E, H, L or 1) and levels of all parts (E, P, L).

        offsets: (E,) fine times, in frames after the centre of the event's own frame. The levels
        are scaled to unit energy.
        """
        sound = self.sounding(vectors)
        at = self.ages_of_frames(offsets)
        levels = self._framed(sound, at)
        return self.moving_bins(sound, at), levels / self._scale(levels)[:, None, None]

    def ages_of_frames(self, offsets: Tensor) -> Ages:
        """Ages (E, L) of events at the centres of their frames."""
        frames = torch.arange(self.event_frames, device=offsets.device)
        return self.ages(frames[None] - self.lead - offsets[:, None])

    # A frame near an onset sees the sound through a part of its window only. With u the time from
    # the frame's centre in windows, a Hann window is 1 + cos(2 pi u) for |u| <= 1/2, scaled to the
    # integral 1. A frame whose centre lies r windows after the onset, |r| <= 1/2, sees the sound
    # from u = -r on:
    #   integral of 1 + cos(2 pi u) from -r to 1/2 = r + 1/2 + sin(2 pi r) / (2 pi),
    # 0 for r = -1/2, and 1 for r = 1/2. The peak of a steady sinusoid is its amplitude times that
    # integral, so a level is multiplied by it. That its lobe is wider there is left out.
    def _framed(self, sound: Sounding, at: Ages) -> Tensor:
        """Levels (E, P, L) after all stages, as the analysis window sees them."""
        levels = self.reverberate(sound, self.resonate(sound, self.excite(sound, at), at), at)
        # a frame centred before the onset sees the level of the first one at or after it
        before = at.age < 0
        onset = levels[torch.arange(len(levels)), :, before.sum(1)][:, :, None]
        return torch.where(before[:, None], onset, levels) * self.seen(at.age)[:, None]

    def seen(self, age: Tensor) -> Tensor:
        """Return how much of a level the window of a frame sees that is centred at an age."""
        reach = (age * self.config.hop / self.config.window).clamp(-0.5, 0.5)
        return reach + 0.5 + torch.sin(2 * math.pi * reach) / (2 * math.pi)

    def _scale(self, levels: Tensor) -> Tensor:
        """Norm (E,) of the event's spectrogram, as if its parts did not overlap."""
        return torch.sqrt(levels.pow(2).sum(2) @ self.loudness + 1e-12)

    def spectrograms(self, vectors: Tensor, offsets: Tensor) -> Tensor:
        bins, levels = self.parts(vectors, offsets)
        return self._shown(levels, bins)

    def _shown(self, levels: Tensor, bins: Tensor) -> Tensor:
        return draw(levels, bins, Place(self.noise, len(levels), self.event_frames))

    def scene(self, events: Events, n_frames: int) -> Tensor:
        batch, device, flat = len(events.gains), events.gains.device, events.flatten()
        bins, levels = self.parts(flat.vectors, flat.offsets)
        own_frames = torch.arange(self.event_frames, device=device)
        at = flat.frames[:, None] - self.lead + own_frames
        inside = (at >= 0) & (at < n_frames)
        levels = levels * (flat.gains[:, None] * inside)[:, None]
        return draw(levels, bins, Place(self.noise, batch, n_frames, at.clamp(0, n_frames - 1)))

    # ---- as sound

    def render(self, vectors: Tensor, offsets: Tensor) -> Stages:
        dry = self.dry(vectors, offsets)
        before = self.colourless(dry)
        excitation = self._synthesise(dry.bins, before)
        resonance = self._synthesise(dry.bins, dry.levels)
        return Stages(excitation, resonance, self._heard(dry))

    def sound(self, vectors: Tensor, offsets: Tensor) -> Tensor:
        return self._heard(self.dry(vectors, offsets))

    def sound_and_spectrograms(self, vectors: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        sound, at = self.sounding(vectors), self.ages_of_frames(offsets)
        levels = self._framed(sound, at)
        scale = self._scale(levels)
        heard = self._heard(self._dry(sound, scale))
        return heard, self._shown(levels / scale[:, None, None], self.moving_bins(sound, at))

    def dry(self, vectors: Tensor, offsets: Tensor) -> Dry:
        """Read off vectors the levels over time that are synthesised, at unit gain."""
        sound = self.sounding(vectors)
        return self._dry(sound, self._scale(self._framed(sound, self.ages_of_frames(offsets))))

    def _dry(self, sound: Sounding, scale: Tensor) -> Dry:
        at = Ages(*(getattr(self, name) for name in BLOCKS))
        envelopes = self.excite(sound, at) / scale[:, None, None]
        levels = self.resonate(sound, envelopes, at)
        every, frames = self.config.hop // SYNTHESIS_HOP, self.sizes.event_frames + 1
        wet = levels[:, :, ::every].pow(2) @ self._room(sound)[:, :frames, :frames]
        wet = F.interpolate(wet, size=levels.shape[2], mode="linear", align_corners=True)
        # The attack rises from silence within the first block: a sine that starts at full height
        # clicks.
        begun = at.age > 0
        return Dry(sound, envelopes * begun, levels * begun, wet, self.moving_bins(sound, at))

    def in_room(self, dry: Dry) -> Tensor:
        """Levels (E, P, blocks + 1) with the room, which adds no phase of its own: what it answers
        sounds on at the partial's frequency, and as the band's noise.
        """
        fade = self.block_fade
        if not self.sizes.reverberation:  # the root of a square is not the same to the last bit
            return dry.levels * fade
        return torch.addcmul(dry.wet, dry.levels, dry.levels).sqrt_() * fade

    def _heard(self, dry: Dry) -> Tensor:
        return self._synthesise(dry.bins, self.in_room(dry))

    def colourless(self, dry: Dry) -> Tensor:
        """Levels (E, P, L) before the resonance: equal impulses and equal noise.

        Impulses, and noise, have the energy that they have after the resonance. A part without
        strength, such as a partial above the highest bin, stays without.
        """
        harmonics, levels, envelopes = self.sizes.harmonics, dry.levels, dry.envelopes
        heard = (dry.sound.strength > 0)[:, :, None]
        # bands are wider at the top, and hold more of an equal noise
        width = self.bands.pow(2).sum(1).sqrt()[:, None]

        def flatten(parts: slice, envelope: Tensor, width: Tensor | float) -> Tensor:
            after, flat = levels[:, parts], envelope[:, None] * heard[:, parts]
            energies = [(x * width).pow(2).sum((1, 2), keepdim=True) for x in (after, flat)]
            return flat * (energies[0] / (energies[1] + 1e-12)).sqrt()

        tones = flatten(slice(0, harmonics), envelopes[:, 0], 1.0)
        return torch.cat([tones, flatten(slice(harmonics, None), envelopes[:, 1], width)], 1)

    def _synthesise(self, bins: Tensor, levels: Tensor) -> Tensor:
        """Partials and filtered noise (E, T) with levels (E, P, blocks + 1) in magnitudes."""
        harmonics = self.sizes.harmonics
        audible = bins < self.config.n_bins - 2  # a partial may glide out at the top
        heard = slice(0, int(audible.any(2).any(0).sum()))
        tones = self._partials(bins[:, heard], levels[:, heard] * audible[:, heard])
        return tones + self._noise(levels[:, harmonics:])

    # A sinusoid of amplitude a, on a bin, shows as a / 2 times the sum of the window, which is half
    # of the window's length W for Hann: magnitude = a W / 4.
    #
    # In a block of S samples the partial h has one frequency w, in radians a sample: the mean of
    # those at the block's edges, so that the phase at the next edge is that of a frequency linear
    # in between (the trapezoidal rule is exact for it). Its phase at the block's start, p, is the
    # sum of the blocks before. At sample s of the block
    #   sin(p + w s) = sin(p) cos(w s) + cos(p) sin(w s).
    # With amplitudes linear between the edges, a (1 - s / S) + a' s / S, the sum over partials is a
    # product of matrices for each edge, (blocks, 2 H) @ (2 H, S), of sines and cosines at starts
    # and within a block. Where pitches stand still the latter are the same in all blocks. Where
    # they move, a block is cut into U runs, each with a start of its own in its middle, and sines
    # and cosines of equally spaced angles are rotated from one to the next: U + S / (2 U) rotations
    # for each block and partial, and not S sines. Phases are summed in float64: they reach 2 * 10^5
    # radians, where float32 goes in steps of 1/64.
    #
    # The phases at the onset are fixed: 2 pi h g for partial h, g being the golden ratio. They are
    # linear in h, and sin(h x + 2 pi h g) = sin(h (x + 2 pi g)): all partials are shifted by one
    # time, 0.618 of a period. So the click where they meet does not fall on the onset; it still
    # comes once in each period, until stiffness makes the partials drift apart. Phases that flatten
    # the wave itself are quadratic in h: Schroeder 1970, IEEE Trans. Information Theory 16, 85.
    def _partials(self, bins: Tensor, levels: Tensor) -> Tensor:
        """Sum (E, T) of sinusoids at bins (E, H, blocks + 1 or 1), levels (E, H, blocks + 1)."""
        moves, n_blocks = bins.shape[2] > 1, levels.shape[2] - 1
        step = (2 * math.pi / self.config.window) * bins.double().transpose(1, 2)  # rad a sample
        step = (step[:, :-1] + step[:, 1:]) / 2 if moves else step  # (E, blocks or 1, H)
        steps = step.expand(-1, n_blocks, -1) * SYNTHESIS_HOP
        start = steps.cumsum(1) - steps + 2 * math.pi * self.start_turns[: bins.shape[1]]
        starts, within = (_in_runs if moves else _in_blocks)(start, step)
        amplitude = (levels / (self.config.window / 4)).transpose(1, 2)  # (E, blocks + 1, H)
        edges = torch.stack([amplitude[:, :-1], amplitude[:, 1:]], 2).repeat(1, 1, 1, 2)
        rows = starts[:, :, :, None] * edges[:, :, None]  # (E, blocks, U, 2, 2 H)
        rows = rows.flatten(2, 3) if moves else rows.flatten(1, 3)[:, None]
        sums = (rows @ within.mT).view(len(bins), n_blocks, -1, 2, within.shape[2])
        before, after = (sums[:, :, :, edge].flatten(2) for edge in (0, 1))
        way = torch.arange(SYNTHESIS_HOP, device=bins.device) / SYNTHESIS_HOP
        return torch.lerp(before, after, way).flatten(1)

    # A frame of white noise of variance 1 under a window w has complex normal bins of mean energy
    # sum(w^2), which is 3/8 W for a Hann window of length W. Their magnitudes are Rayleigh
    # distributed, and the mean of that is sqrt(pi / 4) times the root of the mean energy. So noise
    # whose spectrum is multiplied by level / sqrt(pi / 4 * 3/8 W) shows `level` on average.
    # It is filtered in a separate, short STFT, which shapes it in time and frequency at once; the
    # overlapping blocks are put together by least squares. Source: Griffin and Lim 1984, Signal
    # estimation from modified short-time Fourier transform, IEEE Trans. ASSP 32.
    def _noise(self, levels: Tensor) -> Tensor:
        """White noise shaped in time and frequency: levels (E, N, blocks + 1) -> (E, T)."""
        n_samples, device = (levels.shape[2] - 1) * SYNTHESIS_HOP, levels.device
        mean = math.sqrt(math.pi / 4 * 0.375 * self.config.window)
        heights = self.hiss(levels / mean).mT.contiguous()  # (E, blocks + 1, bins)
        frames = torch.fft.irfft(_white_spectrum(n_samples).to(device) * heights)
        frames *= hann(SYNTHESIS_WINDOW, device)
        n_overlaps, n_frames = SYNTHESIS_WINDOW // SYNTHESIS_HOP, levels.shape[2]
        summed = frames.new_zeros(len(frames), n_frames + n_overlaps - 1, SYNTHESIS_HOP)
        for i, part in enumerate(frames.unflatten(2, (n_overlaps, -1)).unbind(2)):
            summed[:, i : i + n_frames] += part
        inside = slice(SYNTHESIS_WINDOW // 2, SYNTHESIS_WINDOW // 2 + n_samples)
        return summed.flatten(1)[:, inside] * _least_squares_weights(n_samples).to(device)


def _in_blocks(start: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
    """Points (E, B, 1, 2 H) at the starts of blocks, by angles (E, B, H), and cosines, then sines
    (E, 1, S, 2 H) within any of them, by its step (E, 1, H).
    """
    sample = torch.arange(SYNTHESIS_HOP, device=step.device)[:, None]
    within = _points(step[:, :, None] * sample)
    return _points(start)[:, :, None], within.roll(step.shape[2], 3)


def _in_runs(start: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
    """Points (E, B, U, 2 H) in the middles of runs, and cosines, then sines (E, B, S / U, 2 H)
    around these, by starts and steps (E, B, H) of blocks.
    """
    middle, n_runs = SYNTHESIS_RUN // 2, SYNTHESIS_HOP // SYNTHESIS_RUN
    first, by = _points(start + middle * step), _points(SYNTHESIS_RUN * step)
    return _equally_spaced(first, by, n_runs), _around_zero(_points(step), middle)


def _points(angles: Tensor) -> Tensor:
    """Sines, then cosines (..., 2 H), float32, of angles (..., H) in float64."""
    turns = angles / (2 * math.pi)
    near_zero = (2 * math.pi * (turns - turns.round())).float()  # where float32 is fine
    return torch.cat([near_zero.sin(), near_zero.cos()], -1)


def _halves(points: Tensor) -> tuple[Tensor, Tensor]:
    """Sines and cosines of points."""
    sine, cosine = points.chunk(2, -1)
    return sine, cosine


# sin(x + d) = sin(x) cos(d) + cos(x) sin(d), cos(x + d) = cos(x) cos(d) - sin(x) sin(d).
def _rotate(points: tuple[Tensor, Tensor], by: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Sines and cosines of sums of angles."""
    (sine, cosine), (d_sine, d_cosine) = points, by
    return (
        torch.addcmul(sine * d_cosine, cosine, d_sine),
        torch.addcmul(cosine * d_cosine, sine, d_sine, value=-1),
    )


def _equally_spaced(first: Tensor, by: Tensor, n: int) -> Tensor:
    """Points (E, B, n, 2 H) of angles x, x + d, .. x + (n - 1) d, by those (E, B, 2 H) of x and
    of d.
    """
    size, points, step = by.shape[2] // 2, _halves(first), _halves(by)
    every = first.new_empty(*first.shape[:2], n, first.shape[2])
    for k in range(n):
        points = _rotate(points, step) if k else points
        every[:, :, k, :size], every[:, :, k, size:] = points
    return every


def _around_zero(by: Tensor, n: int) -> Tensor:
    """Cosines, then sines (E, B, 2 n, 2 H) of angles from -n d to (n - 1) d, by points (E, B, 2 H)
    of d.
    """
    size, step = by.shape[2] // 2, _halves(by)
    points = torch.zeros_like(step[0]), torch.ones_like(step[0])
    every = by.new_empty(*by.shape[:2], 2 * n, by.shape[2])
    for k in range(n + 1):
        points = _rotate(points, step) if k else points
        for at, sign in ((n + k, 1), (n - k, -1)):
            if at < 2 * n:
                every[:, :, at, :size], every[:, :, at, size:] = points[1], sign * points[0]
    return every


@functools.lru_cache
def _white_spectrum(n_samples: int) -> Tensor:
    """STFT of the noise that events are made of: complex (blocks + 1, bins)."""
    window = hann(SYNTHESIS_WINDOW)
    noise = fixed_noise(n_samples, seed=0)
    white = torch.stft(noise, SYNTHESIS_WINDOW, SYNTHESIS_HOP, window=window, return_complex=True)
    return white.T.contiguous()


@functools.lru_cache
def _least_squares_weights(n_samples: int) -> Tensor:
    """Weights (n_samples,) of the sum of overlapping frames: 1 over the sum of squared windows."""
    squares = hann(SYNTHESIS_WINDOW).pow(2)
    total = torch.zeros(n_samples + SYNTHESIS_WINDOW)
    for start in range(0, n_samples + 1, SYNTHESIS_HOP):
        total[start : start + SYNTHESIS_WINDOW] += squares
    return 1 / total[SYNTHESIS_WINDOW // 2 : SYNTHESIS_WINDOW // 2 + n_samples]
