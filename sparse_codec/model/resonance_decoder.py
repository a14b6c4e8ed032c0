"""Event vectors -> sound -> spectrograms: the published decoder, rebuilt at its published sizes.

Shaped noise is convolved with a mix of learned resonances, which cross-fade over the event's life, then with a
room, all by FFT: there is no up-sampling convolution. Shapes: E events, V numbers in a vector, T samples and L
frames of an event, A atoms, S selected resonances, R rooms.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparse_codec.config import CodecConfig
from sparse_codec.model.decoder import LN_1000, Stages, fixed_noise, perceptron
from sparse_codec.model.spectrogram import magnitudes, place

DECAYS = (
    0.1,
    0.3,
    1.0,
    3.0,
)  # seconds to fall by 60 dB, of the atoms that resonances are mixed from


class ResonanceDecoder(nn.Module):
    """Vectors (E, V) -> sound of each stage (E, T), and spectrograms (E, F, L) of unit energy."""

    pitch_numbers = ()  # none is set apart

    def __init__(self, config: CodecConfig):
        super().__init__()
        self.config, self.sizes = config, config.decoder
        sizes = self.sizes
        self.n_samples = config.segment_samples // 2  # T: an event may sound for half a segment
        self.lead = config.window // 2 // config.hop
        self.event_frames = self.lead + self.n_samples // config.hop + self.lead  # L
        counts = (
            sizes.attack_knots,
            sizes.noise_filter_samples,
            sizes.selected * sizes.resonance_frames,
        )
        self.counts = (*counts, len(sizes.reverberation), 2, 1)
        self.read = perceptron(config.vector_size, sum(self.counts), sizes.hidden)
        self.select = nn.Linear(config.vector_size, sizes.selected * sizes.resonances)
        self.resonances = nn.Parameter(
            torch.randn(sizes.resonances, sizes.atoms) / math.sqrt(sizes.atoms)
        )
        self.register_buffer("pace", torch.ones(config.vector_size), persistent=False)
        self.register_buffer("atoms", self._atoms(), persistent=False)  # (A, T)
        self.register_buffer("rooms", self._rooms(), persistent=False)  # (R, T)

    def _atoms(self) -> Tensor:
        """Damped sinusoids, their pitches equally spaced in octaves, at each of the decays in turn."""
        seconds = torch.arange(self.n_samples) / self.config.samplerate
        pitches = self.sizes.atoms // len(DECAYS)
        hertz = 40 * (self.config.samplerate / 2.2 / 40) ** (torch.arange(pitches) / pitches)
        waves = torch.sin(2 * math.pi * hertz[:, None].double() * seconds).float()
        return torch.cat([waves * torch.exp(-LN_1000 * seconds / decay) for decay in DECAYS])

    def _rooms(self) -> Tensor:
        seconds = torch.arange(self.n_samples) / self.config.samplerate
        times = torch.tensor(self.sizes.reverberation)[:, None]
        noise = torch.stack([fixed_noise(self.n_samples, seed=i + 1) for i in range(len(times))])
        rooms = noise * torch.exp(-LN_1000 * seconds / times)
        return rooms / rooms.norm(dim=1, keepdim=True)

    def render(self, vectors: Tensor, offsets: Tensor) -> Stages:
        """The sound (E, T) of each stage at unit gain; the fine offsets (E,) are left to whoever places it."""
        stages = self._sound(vectors)
        scale = self._spectrum(stages.room).pow(2).sum((1, 2)).sqrt()[:, None] + 1e-6
        return Stages(stages.excitation / scale, stages.resonance / scale, stages.room / scale)

    def spectrograms(self, vectors: Tensor, offsets: Tensor) -> Tensor:
        """Magnitudes (E, F, L) at unit gain; frame `lead` is the one the event starts in."""
        spectra = self._spectrum(self._sound(vectors, offsets).room)
        return spectra / (spectra.pow(2).sum((1, 2), keepdim=True).sqrt() + 1e-6)

    def scene(
        self, vectors: Tensor, offsets: Tensor, frames: Tensor, gains: Tensor, n_frames: int
    ) -> Tensor:
        """The sum (B, F, n_frames) of events (B, N, V) at fine times, frames and gains (B, N)."""
        events = (
            self.spectrograms(vectors.flatten(0, 1), offsets.flatten())
            * gains.flatten()[:, None, None]
        )
        return place(events, frames.flatten(), self.lead, n_frames).unflatten(0, gains.shape).sum(1)

    def _spectrum(self, sound: Tensor) -> Tensor:
        margin = self.lead * self.config.hop
        return magnitudes(F.pad(sound, (margin, margin)), self.config.window, self.config.hop)

    def _sound(self, vectors: Tensor, offsets: Tensor | None = None) -> Stages:
        attack, taps, fade, room, mix, shift = self.read(vectors).split(self.counts, 1)
        excitation = self._excite(attack, taps)
        resonance = self._resonate(vectors, excitation, fade)
        # a fine shift of at most half a frame, as a turn of phases
        frames = 0.5 * torch.tanh(shift) + (0 if offsets is None else offsets[:, None])
        room = torch.softmax(room, 1) @ self.rooms
        dry, wet = torch.softmax(mix, 1).split(1, 1)
        response = wet * room + dry * F.one_hot(torch.tensor(0, device=room.device), self.n_samples)
        return Stages(
            excitation, resonance, self._convolve(resonance, response, frames * self.config.hop)
        )

    def _excite(self, attack: Tensor, taps: Tensor) -> Tensor:
        """Noise under an envelope, filtered: (E, T)."""
        length = self.sizes.attack_samples
        envelope = F.interpolate(
            attack.pow(2)[:, None], length, mode="linear", align_corners=False
        )[:, 0]
        noise = envelope * fixed_noise(length, seed=0).to(attack.device)
        padded = [F.pad(x, (0, self.n_samples - x.shape[1])) for x in (noise, taps)]
        return self._convolve(*padded)

    def _resonate(self, vectors: Tensor, excitation: Tensor, fade: Tensor) -> Tensor:
        """The excitation through each selected resonance, cross-faded over the event's life: (E, T)."""
        selected = self.sizes.selected
        choice = torch.softmax(
            self.select(vectors).unflatten(1, (selected, -1)), 2
        )  # (E, S, resonances)
        ringing = choice @ self.resonances @ self.atoms  # (E, S, T)
        heard = self._convolve(excitation[:, None], ringing)
        presence = torch.softmax(fade.unflatten(1, (selected, -1)), 1)
        return (
            heard * F.interpolate(presence, self.n_samples, mode="linear", align_corners=False)
        ).sum(1)

    def _convolve(self, sound: Tensor, response: Tensor, delay: Tensor | None = None) -> Tensor:
        """Causal convolution along the last axis by FFT, then a delay (E, 1) in samples, which may be a fraction."""
        size = 2 * self.n_samples
        spectrum = torch.fft.rfft(sound, size) * torch.fft.rfft(response, size)
        if delay is not None:
            turns = torch.arange(spectrum.shape[-1], device=sound.device) / size
            spectrum = spectrum * torch.exp(-2j * math.pi * turns * delay)
        return torch.fft.irfft(spectrum, size)[..., : self.n_samples]
