"""Event vectors -> spectrograms (what the encoder subtracts) and sound (what one hears): the harmonic decoder.

An event goes through three physical stages, in this order, for the spectrogram and for the sound alike:

1. excitation: an envelope (attack, hold, release) over an impulse train at the event's pitch and over noise;
2. resonance: each partial and each noise band has a strength and a decay of its own, so the colour changes;
3. room: a dry/wet mix with decaying noise at several reverberation times.

Shapes: E events, V numbers in a vector, P = H + N parts (harmonics and noise bands), F bins, L frames of an
event, T samples of an event. An event's frames are relative to its own: frame `lead` is the one it starts in.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparse_codec.config import CodecConfig
from sparse_codec.model.spectrogram import hann, mel_bands

FADE_FRAMES = 16  # every event is faded out over its last frames
SYNTHESIS_HOP = 128  # samples between two points of an envelope in the rendered sound
SYNTHESIS_WINDOW = (
    512  # samples, for the noise bands: short, so that noise does not sound ahead of its onset
)
LN_1000 = math.log(1000.0)  # 60 dB as an exponent of amplitude


def perceptron(n_in: int, n_out: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(n_in, hidden),
        nn.SiLU(),
        nn.Linear(hidden, hidden),
        nn.SiLU(),
        nn.Linear(hidden, n_out),
    )


@dataclass(frozen=True)
class Decays:
    """A resonance in which every part falls at a rate of its own. E events, P parts, K knots."""

    decay: Tensor  # (E, P) per frame
    tilt: Tensor  # (E, K) at the knots: how much each octave of overtones is raised, as an exponent of e


@dataclass(frozen=True)
class Sounding:
    """What a vector means physically. E events, H harmonics, P parts, K knots, R reverberation times."""

    bins: Tensor  # (E, H) where each partial lies at the onset, in bins of the spectrogram
    strength: Tensor  # (E, P) of each harmonic and noise band, magnitude
    envelope: Tensor  # (E, 2, K) at the knots, of the impulse train and of the noise
    attack: Tensor  # (E,) per frame: the higher, the sharper
    resonance: Any  # what `read_resonance` made
    wet: Tensor  # (E, R) energy that the room returns for each reverberation time, dry energy being 1
    glide: Tensor  # (E, K) at the knots, octaves that the pitch has moved


@dataclass(frozen=True)
class Target:
    """Residuals around events that are to be matched."""

    spectrum: Tensor  # (E, F, L), zero outside the mask
    mask: Tensor  # (E, L), 1 in the frames that count


def around(residual: Tensor, frames: Tensor, decoder: nn.Module) -> Target:
    """What lies of residuals (B, F, T) where a decoder's events at frames (B, K) would: B * K targets.

    Only frames of the segment before the horizon count.
    """
    length, lead, horizon = decoder.event_frames, decoder.lead, decoder.config.horizon_frames
    rows = torch.arange(len(frames), device=frames.device).repeat_interleave(frames.shape[1])
    padded = F.pad(residual[:, :, :horizon], (lead, length))
    cut = padded.unfold(2, length, 1)[rows, :, frames.flatten()]
    at = frames.flatten()[:, None] - lead + torch.arange(length, device=frames.device)
    return Target(cut, ((at >= 0) & (at < horizon)).float())


@dataclass(frozen=True)
class Stages:
    """The sound of events after each stage: (E, T) each, the last being the event itself."""

    excitation: Tensor
    resonance: Tensor
    room: Tensor


class HarmonicDecoder(nn.Module):
    """Vectors (E, V) in [-1, 1] -> spectrograms of unit energy, and sound at the same scale."""

    pitch_numbers = (
        0,
    )  # of a vector: a small change of these is a small change of pitch, not of timbre

    def __init__(self, config: CodecConfig):
        super().__init__()
        self.config, self.sizes = config, config.decoder
        sizes = self.sizes
        self.lead = (
            config.window // 2 // config.hop
        )  # frames before the onset whose window reaches it
        self.event_frames = self.lead + sizes.event_frames + self.lead  # L
        self.n_parts = sizes.harmonics + sizes.noise_bands
        self.counts = self.outputs()
        self.read = perceptron(config.vector_size + 3, sum(self.counts.values()), sizes.hidden)
        self.start_read(self.read[-1])
        pace = torch.ones(config.vector_size)
        pace[list(self.pitch_numbers)] = 0.015  # a whole step would be semitones
        self.register_buffer(
            "pace", pace, persistent=False
        )  # how far refinement moves each number in a step
        self.register_buffer("order", torch.arange(1, sizes.harmonics + 1.0), persistent=False)
        self.register_buffer(
            "knots", torch.tensor(sizes.knots, dtype=torch.float), persistent=False
        )
        bands = mel_bands(sizes.noise_bands, config.n_bins, config.samplerate)
        self.register_buffer("bands", bands, persistent=False)  # (N, F)
        self.register_buffer("rooms", self._room_kernels(), persistent=False)  # (R, L, L)

    # ---- what a vector means

    def outputs(self) -> dict[str, int]:
        """How many numbers of each kind are read off a vector, in this order."""
        sizes, knots = self.sizes, len(self.sizes.knots)
        parts = {"tone": sizes.harmonics, "tone_decay": sizes.harmonics}
        parts |= {"hiss": sizes.noise_bands, "hiss_decay": sizes.noise_bands}
        rest = {"tone_knots": knots, "stiffness": 1, "attack": 1, "wet": len(sizes.reverberation)}
        return parts | rest | {"hiss_knots": knots, "tilt": knots, "glide": knots}

    @torch.no_grad()
    def start_read(self, last: nn.Linear) -> None:
        """Untaught, an event has one colour and one pitch."""
        rows = self.counts["tilt"] + self.counts["glide"]
        last.weight[-rows:].zero_()
        last.bias[-rows:].zero_()

    def sounding(self, vectors: Tensor) -> Sounding:
        """Read the physical quantities off vectors (E, V)."""
        pitch = vectors[:, :1]
        features = torch.cat([vectors, torch.sin(3 * pitch), torch.cos(3 * pitch), pitch**2], 1)
        parts = self.read(features).split(list(self.counts.values()), 1)
        read = dict(zip(self.counts, parts, strict=True))
        bins = self.frequencies(pitch, stiffness=0.01 * F.softplus(read["stiffness"] - 6))
        audible = (bins < self.config.n_bins - 2).float()
        knots = [
            read["tone_knots"],
            read["hiss_knots" if self.sizes.noise_envelope else "tone_knots"],
        ]
        return Sounding(
            bins=bins,
            strength=torch.cat(
                [F.softplus(2 * read["tone"]) * audible, F.softplus(2 * read["hiss"] - 5)], 1
            ),
            envelope=F.softplus(torch.stack(knots, 1) + 0.5),
            attack=F.softplus(read["attack"][:, 0] + 1) + 0.05,
            resonance=self.read_resonance(read),
            wet=F.softplus(read["wet"] - 3),
            glide=self.sizes.glide / 12 * torch.tanh(read["glide"]),
        )

    def read_resonance(self, read: dict[str, Tensor]) -> Any:
        """What `resonate` needs to know, of numbers read off the vectors."""
        decay = torch.cat([F.softplus(read["tone_decay"] - 2.5), F.softplus(read["hiss_decay"])], 1)
        return Decays(decay, self.sizes.tilt * torch.tanh(read["tilt"]))

    def frequencies(self, pitch: Tensor, stiffness: Tensor | float = 0.0) -> Tensor:
        """Bins of the harmonics (E, H) of pitches (E, 1) in [-1, 1]; stiff strings are sharp in their overtones."""
        low, high = self.sizes.lowest_pitch, self.sizes.highest_pitch
        midi = low + (pitch + 1) / 2 * (high - low)
        hertz = (
            440 * 2 ** ((midi - 69) / 12) * self.order * torch.sqrt(1 + stiffness * self.order**2)
        )
        return hertz / (self.config.samplerate / self.config.window)

    # ---- the stages, as levels over time: (E, P, L)

    def excite(self, sound: Sounding, age: Tensor) -> Tensor:
        """Envelopes (E, 2, L) of impulse train and noise at ages (E, L), in frames since the onset.

        They are 0 before it and at the event's end.
        """
        attack = 1 - torch.exp(-(age.clamp(min=0) + 0.25) * sound.attack[:, None])
        return (
            self._between_knots(sound.envelope, age)
            * (attack * (age >= 0) * self.fade(age))[:, None]
        )

    def resonate(self, sound: Sounding, envelopes: Tensor, age: Tensor) -> Tensor:
        """Levels (E, P, L) of the parts: strength, decay and change of colour over the excitation (E, 2, L)."""
        decay, tilt = sound.resonance.decay, sound.resonance.tilt
        fall = sound.strength[:, :, None] * torch.exp(
            -decay[:, :, None] * age.clamp(min=0)[:, None]
        )
        counts = torch.tensor([self.sizes.harmonics, self.sizes.noise_bands], device=age.device)
        levels = fall * envelopes.repeat_interleave(counts, 1)
        if not self.sizes.tilt:
            return levels
        raised = torch.exp(
            self._between_knots(tilt[:, None], age) * torch.log2(self.order)[:, None]
        )
        return torch.cat(
            [levels[:, : self.sizes.harmonics] * raised, levels[:, self.sizes.harmonics :]], 1
        )

    def reverberate(self, sound: Sounding, levels: Tensor, age: Tensor) -> Tensor:
        """Levels (E, P, L) with the room's answer; energies add, since a room's phases are noise."""
        kernel = torch.einsum("er,rkl->ekl", sound.wet, self.rooms)
        energy = levels.pow(2) + levels.pow(2) @ kernel
        return torch.sqrt(energy + 1e-12) * self.fade(age)[:, None]

    def moving_bins(self, sound: Sounding, age: Tensor) -> Tensor:
        """Bins (E, H, L) of the partials at ages (E, L); (E, H, 1) where pitches stand still."""
        if not self.sizes.glide:
            return sound.bins[:, :, None]
        moved = torch.exp2(self._between_knots(sound.glide[:, None], age))
        return (sound.bins[:, :, None] * moved).clamp(max=self.config.n_bins + 1)

    def _between_knots(self, values: Tensor, age: Tensor) -> Tensor:
        """Values (E, C, K) at the knots -> (E, C, L) at ages (E, L), linear in between."""
        since = age.clamp(0, self.sizes.event_frames)
        i = torch.searchsorted(
            self.knots[1:-1].contiguous(), since.detach().contiguous(), right=True
        )
        between = ((since - self.knots[i]) / (self.knots[i + 1] - self.knots[i]))[:, None]
        i = i[:, None].expand(-1, values.shape[1], -1)
        return torch.lerp(values.gather(2, i), values.gather(2, i + 1), between)

    def fade(self, age: Tensor) -> Tensor:
        """1, then a cosine down to 0 at the longest age an event may have."""
        return 0.5 - 0.5 * torch.cos(
            math.pi * ((self.sizes.event_frames - age) / FADE_FRAMES).clamp(0, 1)
        )

    def _room_kernels(self) -> Tensor:
        """For each reverberation time, the energy that frame k leaves in a later frame l: (R, L, L)."""
        frames = torch.arange(self.event_frames)
        lag = (frames[None] - frames[:, None]).float()
        seconds = torch.tensor(self.sizes.reverberation)[:, None, None]
        per_frame = 2 * LN_1000 * self.config.hop / self.config.samplerate / seconds
        return torch.where(
            lag >= 1, torch.exp(-per_frame * (lag - 1)) * (1 - torch.exp(-per_frame)), 0.0
        )

    # ---- as a spectrogram

    def parts(self, vectors: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        """Bins of the partials (E, H, L or 1) and levels of all parts (E, P, L), scaled to unit energy.

        offsets: (E,) fine times, in frames after the centre of the event's own frame.
        """
        sound = self.sounding(vectors)
        age = self._age(offsets)
        levels = self._framed(sound, age)
        return self.moving_bins(sound, age), levels / self._scale(levels)[:, None, None]

    def _age(self, offsets: Tensor) -> Tensor:
        """Ages (E, L) of events at the centres of their frames."""
        return (
            torch.arange(self.event_frames, device=offsets.device)[None]
            - self.lead
            - offsets[:, None]
        )

    def _framed(self, sound: Sounding, age: Tensor) -> Tensor:
        """Levels (E, P, L) after all stages, as the analysis window sees them."""
        levels = self.reverberate(sound, self.resonate(sound, self.excite(sound, age), age), age)
        # What a Hann window sees of a sound that starts inside it: the window's integral from the onset on.
        reach = (age * self.config.hop / self.config.window).clamp(-0.5, 0.5)
        seen = reach + 0.5 + torch.sin(2 * math.pi * reach) / (2 * math.pi)
        return levels * seen[:, None] + (age < 0)[:, None] * self._ahead(levels, seen, age)

    def _ahead(self, levels: Tensor, seen: Tensor, age: Tensor) -> Tensor:
        """Frames centred before the onset that overlap it see the level at the onset."""
        first = torch.where(age >= 0, age, torch.inf).argmin(1)
        onset = levels[torch.arange(len(levels)), :, first]
        return onset[:, :, None] * seen[:, None]

    def _scale(self, levels: Tensor) -> Tensor:
        """Norm (E,) of the event's spectrogram, were its parts not to overlap: a Hann lobe's energy is 1.5."""
        harmonics = self.sizes.harmonics
        energy = 1.5 * levels[:, :harmonics].pow(2).sum((1, 2))
        energy = energy + (levels[:, harmonics:].pow(2).sum(2) * self.bands.pow(2).sum(1)).sum(1)
        return torch.sqrt(energy + 1e-12)

    def spectrograms(self, vectors: Tensor, offsets: Tensor) -> Tensor:
        """Magnitudes (E, F, L) at unit gain; frame `lead` is the one the event starts in."""
        bins, levels = self.parts(vectors, offsets)
        own = torch.arange(len(vectors), device=vectors.device)
        frames = torch.arange(self.event_frames, device=vectors.device).expand(len(vectors), -1)
        return self._draw(bins, levels, own, frames, (len(vectors), self.event_frames))

    def scene(
        self, vectors: Tensor, offsets: Tensor, frames: Tensor, gains: Tensor, n_frames: int
    ) -> Tensor:
        """The sum (B, F, n_frames) of events (B, N, V) at fine times, frames and gains (B, N)."""
        batch, n_events = gains.shape
        bins, levels = self.parts(vectors.flatten(0, 1), offsets.flatten())
        at = (
            frames.flatten()[:, None]
            - self.lead
            + torch.arange(self.event_frames, device=frames.device)
        )
        inside = (at >= 0) & (at < n_frames)
        levels = levels * (gains.flatten()[:, None] * inside)[:, None]
        segment = torch.arange(batch, device=frames.device).repeat_interleave(n_events)
        return self._draw(bins, levels, segment, at.clamp(0, n_frames - 1), (batch, n_frames))

    def _draw(
        self, bins: Tensor, levels: Tensor, image: Tensor, frames: Tensor, shape: tuple[int, int]
    ) -> Tensor:
        """Add parts (E, P, L) to images (B, F, T): event e to image[e], its column l at frames[e, l].

        A partial is the main lobe of a Hann window, four bins wide; a noise band is its mel triangle.
        """
        harmonics, n_bins = self.sizes.harmonics, self.config.n_bins
        (n_images, n_frames), levels = shape, levels.float()
        column = image[:, None] * n_frames + frames  # (E, L) of B * T
        near = (
            bins.detach().floor().long()[:, :, None]
            + torch.arange(-1, 3, device=bins.device)[:, None]
        )
        lobes = torch.cos(math.pi / 4 * (near - bins[:, :, None]).clamp(-2, 2)).pow(
            2
        )  # (E, H, 4, L)
        lobes = lobes * (near < n_bins)  # a partial may glide out at the top
        index = near.clamp(0, n_bins - 1) * (n_images * n_frames) + column[:, None, None]
        heights = levels[:, :harmonics, None] * lobes
        tones = heights.new_zeros(n_bins * n_images * n_frames).index_add(
            0, index.flatten(), heights.flatten()
        )
        hiss = levels[:, harmonics:].transpose(0, 1).flatten(1)  # (N, E * L)
        hiss = hiss.new_zeros(len(hiss), n_images * n_frames).index_add(1, column.flatten(), hiss)
        picture = tones.view(n_bins, -1) + self.bands.T @ hiss
        return picture.view(n_bins, n_images, n_frames).transpose(0, 1)

    # ---- as sound

    def render(self, vectors: Tensor, offsets: Tensor) -> Stages:
        """The sound of each stage, at unit gain: float samples (E, T) from the event's onset on.

        The fine offsets (E,) only say at what scale the event's spectrogram has unit energy.
        """
        sound = self.sounding(vectors)
        n_blocks = self.sizes.event_frames * self.config.hop // SYNTHESIS_HOP
        age = torch.arange(n_blocks + 1, device=vectors.device)[None] * (
            SYNTHESIS_HOP / self.config.hop
        )
        age = age.expand(len(vectors), -1)
        scale = self._scale(self._framed(sound, self._age(offsets)))
        # From silence to the attack's level within a block: a sine that starts at full height clicks.
        envelopes = self.excite(sound, age) * (age > 0)[:, None] / scale[:, None, None]
        levels = self.resonate(sound, envelopes, age)
        bins = self.moving_bins(sound, age)
        excitation = self._synthesise(bins, self._colourless(levels, envelopes))
        resonance = self._synthesise(bins, levels)
        fade = self.fade(
            torch.arange(resonance.shape[1], device=vectors.device)[None] / self.config.hop
        )
        return Stages(excitation, resonance, self._room(sound, resonance) * fade)

    def _colourless(self, levels: Tensor, envelopes: Tensor) -> Tensor:
        """Levels (E, P, L) before the resonance: equal impulses, equal noise, each with the energy it has after it."""
        harmonics = self.sizes.harmonics
        width = (
            self.bands.pow(2).sum(1).sqrt()[:, None]
        )  # bands are wider at the top, and hold more of an equal noise

        def flatten(after: Tensor, envelope: Tensor, width: Tensor | float) -> Tensor:
            flat = envelope[:, None] * (after.amax(2, keepdim=True) > 0)
            energies = [(x * width).pow(2).sum((1, 2), keepdim=True) for x in (after, flat)]
            return flat * (energies[0] / (energies[1] + 1e-12)).sqrt()

        tones = flatten(levels[:, :harmonics], envelopes[:, 0], 1.0)
        return torch.cat([tones, flatten(levels[:, harmonics:], envelopes[:, 1], width)], 1)

    def _synthesise(self, bins: Tensor, levels: Tensor) -> Tensor:
        """Partials and filtered noise (E, T) with levels (E, P, blocks + 1) in spectrogram magnitudes."""
        harmonics = self.sizes.harmonics
        audible = bins < self.config.n_bins - 2  # a partial may glide out at the top
        return self._partials(bins, levels[:, :harmonics] * audible) + self._noise(
            levels[:, harmonics:]
        )

    def _partials(self, bins: Tensor, levels: Tensor) -> Tensor:
        """Sum of sinusoids whose amplitudes are linear between the blocks' edges and whose pitch steps at them.

        Inside a block, sin(a + b) = sin a cos b + cos a sin b, with a at the block's start; where pitches stand still
        b is the same in every block: two small matrix products instead of a sine for every partial and sample.
        """
        amplitude = levels / (
            self.config.window / 4
        )  # a Hann spectrogram shows amplitude times window / 4
        step = (
            2 * math.pi / self.config.window
        ) * bins.double()  # (E, H, blocks + 1 or 1) radians a sample
        step = step if step.shape[2] == 1 else (step[:, :, :-1] + step[:, :, 1:]) / 2
        sample = torch.arange(SYNTHESIS_HOP, device=bins.device, dtype=torch.double)
        # fixed phases, spread by the golden ratio: equal ones would pile up to one click
        phase = 2 * math.pi * ((self.order.double() * 0.618033988749895) % 1)
        steps = step.expand(-1, -1, levels.shape[2] - 1) * SYNTHESIS_HOP
        start = steps.cumsum(2) - steps + phase[None, :, None]  # (E, H, blocks)
        rising = (sample / SYNTHESIS_HOP).float()
        inside = (step[:, :, :, None] * sample).float()  # (E, H, blocks or 1, samples)
        sin_start, cos_start = torch.sin(start).float(), torch.cos(start).float()
        still = inside.shape[2] == 1
        sin_inside, cos_inside = (
            x[:, :, 0] if still else x for x in (torch.sin(inside), torch.cos(inside))
        )

        def at(edge: Tensor) -> Tensor:
            how = "ehb,ehs->ebs" if still else "ehb,ehbs->ebs"
            return torch.einsum(how, edge * sin_start, cos_inside) + torch.einsum(
                how, edge * cos_start, sin_inside
            )

        blocks = (1 - rising) * at(amplitude[:, :, :-1]) + rising * at(amplitude[:, :, 1:])
        return blocks.flatten(1)

    def _noise(self, levels: Tensor) -> Tensor:
        """White noise shaped in time and frequency: levels (E, N, blocks + 1) -> (E, T)."""
        n_samples = (levels.shape[2] - 1) * SYNTHESIS_HOP
        bands = mel_bands(
            self.sizes.noise_bands, SYNTHESIS_WINDOW // 2 + 1, self.config.samplerate
        ).to(levels.device)
        # a Hann spectrogram of white noise of variance 1 is sqrt(pi / 4 * sum of the squared window) on average
        shown = math.sqrt(math.pi / 4 * 0.375 * self.config.window)
        shaped = _white_spectrum(n_samples).to(levels.device) * (bands.T @ (levels / shown))
        window = hann(SYNTHESIS_WINDOW, levels.device)
        return torch.istft(shaped, SYNTHESIS_WINDOW, SYNTHESIS_HOP, window=window, length=n_samples)

    def _room(self, sound: Sounding, dry: Tensor) -> Tensor:
        """Dry sound (E, T) plus its convolution with the room's response, a mix of decaying noises."""
        if not self.sizes.reverberation:
            return dry
        n_samples = dry.shape[1]
        rooms = _room_spectra(self.sizes.reverberation, n_samples, self.config.samplerate).to(
            dry.device
        )
        response = sound.wet.sqrt().to(rooms.dtype) @ rooms
        return (
            dry
            + torch.fft.irfft(torch.fft.rfft(dry, 2 * n_samples) * response, 2 * n_samples)[
                :, :n_samples
            ]
        )


@functools.lru_cache
def fixed_noise(n_samples: int, seed: int) -> Tensor:
    """White noise (n_samples,) of variance 1, the same on every machine and in every call."""
    return torch.randn(n_samples, generator=torch.Generator().manual_seed(seed))


@functools.lru_cache
def _white_spectrum(n_samples: int) -> Tensor:
    """STFT of the noise that events are made of: complex (bins, blocks + 1)."""
    window = hann(SYNTHESIS_WINDOW)
    noise = fixed_noise(n_samples, seed=0)
    return torch.stft(noise, SYNTHESIS_WINDOW, SYNTHESIS_HOP, window=window, return_complex=True)


@functools.lru_cache
def _room_spectra(reverberation: tuple[float, ...], n_samples: int, samplerate: int) -> Tensor:
    """Spectra (R, n_samples + 1) of decaying noises of unit energy, one for each reverberation time in seconds."""
    seconds = torch.arange(n_samples) / samplerate
    decays = torch.exp(-LN_1000 * seconds / torch.tensor(reverberation)[:, None])
    noises = (
        torch.stack([fixed_noise(n_samples, seed=i + 1) for i in range(len(reverberation))])
        * decays
    )
    return torch.fft.rfft(noises / noises.norm(dim=1, keepdim=True), 2 * n_samples)
