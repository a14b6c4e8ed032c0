"""Event vectors -> sound -> spectrograms: the published decoder, rebuilt at its published sizes.

Shaped noise is convolved with a mix of learned resonances, which cross-fade over the event's life,
then with a room, all by FFT: there is no up-sampling convolution. Shapes: E events, V numbers in a
vector, F bins, T samples and L frames of an event, A atoms, S selected resonances, R rooms.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparse_codec.config import CodecConfig, ResonanceDecoderConfig
from sparse_codec.model.convolution import block_spectra, convolve, long_irfft, long_rfft
from sparse_codec.model.decoder import LN_1000, Decoder, Stages, fixed_noise, perceptron
from sparse_codec.model.events import Events
from sparse_codec.model.spectrogram import magnitudes, place

# Seconds to fall by 60 dB, of the atoms that resonances are mixed from.
DECAYS = (0.1, 0.3, 1.0, 3.0)
ATOM_BLOCK = 1024  # samples


class ResonanceDecoder(Decoder):
    """Vectors (E, V) -> sound of each stage (E, T), and spectrograms (E, F, L) of unit energy."""

    pitch_numbers = ()
    sizes: ResonanceDecoderConfig
    waves: Tensor  # (blocks, P, ATOM_BLOCK)
    fades: Tensor  # (blocks, D, ATOM_BLOCK)
    room_spectra: Tensor  # (R, T + 1, 2)

    def __init__(self, config: CodecConfig):
        super().__init__()
        assert isinstance(config.decoder, ResonanceDecoderConfig)
        self.config, self.sizes = config, config.decoder
        sizes = self.sizes
        self.n_samples = config.segment_samples // 2  # T: an event may sound for half a segment
        self.lead = config.window // 2 // config.hop
        self.event_frames = self.lead + self.n_samples // config.hop + self.lead
        n_fades = sizes.selected * sizes.resonance_frames
        excitation = (sizes.attack_knots, sizes.noise_filter_samples)
        self.counts = (*excitation, n_fades, len(sizes.reverberation), 2, 1)
        self.read = perceptron(config.vector_size, sum(self.counts), sizes.hidden)
        self.select = nn.Linear(config.vector_size, sizes.selected * sizes.resonances)
        mixes = torch.randn(sizes.resonances, sizes.atoms) / math.sqrt(sizes.atoms)
        self.resonances = nn.Parameter(mixes)
        self.register_buffer("pace", torch.ones(config.vector_size), persistent=False)
        self.register_buffer("waves", self._waves(), persistent=False)
        self.register_buffer("fades", self._fades(), persistent=False)
        self.register_buffer("room_spectra", self._room_spectra(), persistent=False)

    # An atom is a damped sinusoid: atom d P + p is wave p under fade d. So a mix of atoms is a mix
    # of waves for each fade, which reads a quarter of the numbers. They are kept in blocks, since a
    # processor multiplies by those faster than by rows of 2^16 samples.
    def _waves(self) -> Tensor:
        """Sinusoids (blocks, P, ATOM_BLOCK) at pitches equally spaced in octaves."""
        pitches = self.sizes.atoms // len(DECAYS)
        hertz = 40 * (self.config.samplerate / 2.2 / 40) ** (torch.arange(pitches) / pitches)
        waves = torch.sin(2 * math.pi * hertz[:, None].double() * self._seconds()[:, None])
        return waves.float()

    def _fades(self) -> Tensor:
        """Exponential decays (blocks, D, ATOM_BLOCK)."""
        return torch.exp(-LN_1000 * self._seconds()[:, None] / torch.tensor(DECAYS)[:, None])

    def _seconds(self) -> Tensor:
        """Times (blocks, ATOM_BLOCK) of all samples, and as many after these as fill a block."""
        n_blocks = math.ceil(self.n_samples / ATOM_BLOCK)
        return torch.arange(n_blocks * ATOM_BLOCK).view(n_blocks, -1) / self.config.samplerate

    def _room_spectra(self) -> Tensor:
        """Spectra (R, T + 1, 2), real and imaginary parts, of decaying noises of unit energy, one
        for each reverberation time.
        """
        seconds = torch.arange(self.n_samples) / self.config.samplerate
        times = torch.tensor(self.sizes.reverberation)[:, None]
        noise = torch.stack([fixed_noise(self.n_samples, seed=i + 1) for i in range(len(times))])
        rooms = noise * torch.exp(-LN_1000 * seconds / times)
        rooms = rooms / rooms.norm(dim=1, keepdim=True)
        return torch.view_as_real(long_rfft(rooms, 2 * self.n_samples))

    def render(self, vectors: Tensor, offsets: Tensor) -> Stages:
        stages = self._sound(vectors)
        scale = self._scale(stages.room)
        return Stages(stages.excitation / scale, stages.resonance / scale, stages.room / scale)

    def sound(self, vectors: Tensor, offsets: Tensor) -> Tensor:
        room = self._sound(vectors).room
        return room / self._scale(room)

    def _scale(self, sound: Tensor) -> Tensor:
        """Norm (E, 1) of the spectrogram of a sound (E, T)."""
        return self._spectrum(sound).pow(2).sum((1, 2)).sqrt()[:, None] + 1e-6

    def spectrograms(self, vectors: Tensor, offsets: Tensor) -> Tensor:
        spectra = self._spectrum(self._sound(vectors, offsets).room)
        return spectra / (spectra.pow(2).sum((1, 2), keepdim=True).sqrt() + 1e-6)

    def scene(self, events: Events, n_frames: int) -> Tensor:
        flat = events.flatten()
        spectra = self.spectrograms(flat.vectors, flat.offsets) * flat.gains[:, None, None]
        placed = place(spectra, flat.frames, self.lead, n_frames)
        return placed.unflatten(0, events.gains.shape).sum(1)

    def _spectrum(self, sound: Tensor) -> Tensor:
        margin = self.lead * self.config.hop
        return magnitudes(F.pad(sound, (margin, margin)), self.config.window, self.config.hop)

    def _sound(self, vectors: Tensor, offsets: Tensor | None = None) -> Stages:
        attack, taps, fade, room, mix, shift = self.read(vectors).split(self.counts, 1)
        excitation = self._excite(attack, taps)
        resonance = self._resonate(vectors, excitation, fade)
        frames = 0.5 * torch.tanh(shift) + (0 if offsets is None else offsets[:, None])
        room = self._answer(resonance, room, mix, delay=frames * self.config.hop)
        missing = self.n_samples - excitation.shape[1]
        return Stages(F.pad(excitation, (0, missing)), resonance, room)

    def _excite(self, attack: Tensor, taps: Tensor) -> Tensor:
        """Noise under an envelope, filtered: (E, attack + filter - 1), or T if that is less."""
        length, knots = self.sizes.attack_samples, attack.pow(2)[:, None]
        envelope = F.interpolate(knots, length, mode="linear", align_corners=False)[:, 0]
        noise = envelope * fixed_noise(length, seed=0).to(attack.device)
        n_samples = length + taps.shape[1] - 1
        size = 2 ** math.ceil(math.log2(n_samples))
        padded = torch.stack([F.pad(x, (0, size - x.shape[1])) for x in (noise, taps)])
        one, other = torch.fft.rfft(padded)
        return long_irfft(one * other, size)[:, : min(n_samples, self.n_samples)]

    def _resonate(self, vectors: Tensor, excitation: Tensor, fade: Tensor) -> Tensor:
        """The excitation through the selected resonances, which cross-fade as it ages: (E, T)."""
        selected = self.sizes.selected
        logits = self.select(vectors).unflatten(1, (selected, -1))  # (E, S, resonances)
        mixes = torch.softmax(logits, 2) @ self.resonances  # (E, S, A)
        sounds = convolve(self._mix(mixes), block_spectra(excitation[:, None]))  # (E, S, T)
        presence = torch.softmax(fade.unflatten(1, (selected, -1)), 1)
        presence = F.interpolate(presence, self.n_samples, mode="linear", align_corners=False)
        return (sounds * presence).sum(1)

    def _mix(self, shares: Tensor) -> Tensor:
        """Mixes (E, S, T) of atoms by their shares (E, S, A)."""
        rows = shares.flatten(0, 1).unflatten(1, (len(DECAYS), -1))
        waves = rows.flatten(0, 1) @ self.waves  # (blocks, E S D, ATOM_BLOCK)
        mixes = (waves.unflatten(1, rows.shape[:2]) * self.fades[:, None]).sum(2)
        return mixes.transpose(0, 1).flatten(1)[:, : self.n_samples].view(*shares.shape[:2], -1)

    # Sound and response have length T, so that with transforms of 2 T nothing wraps around. The
    # spectrum of an impulse is 1. A delay of d samples, of which there may be a fraction, is a turn
    # of phases: its spectrum is exp(-2 pi i f d), with f in turns a sample.
    def _answer(self, dry: Tensor, room: Tensor, mix: Tensor, delay: Tensor) -> Tensor:
        """Dry sound (E, T) with the room's answer to it, delayed by (E, 1) samples."""
        size = 2 * self.n_samples
        wet = torch.softmax(room, 1) @ self.room_spectra.flatten(1)
        dry_share, wet_share = torch.softmax(mix, 1).split(1, 1)
        response = wet_share * torch.view_as_complex(wet.unflatten(1, (-1, 2))) + dry_share
        turns = torch.arange(self.n_samples + 1, device=dry.device) / size
        turned = torch.polar(torch.ones_like(delay), -2 * math.pi * turns * delay)
        spectrum = long_rfft(dry, size) * response * turned
        return long_irfft(spectrum, size)[:, : self.n_samples]
