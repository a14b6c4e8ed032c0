"""The published system in its plainest form, which `sparse_codec` is measured against.

At each step the encoder computes all frames, all events found so far are drawn again, and every
convolution is one multiplication of spectra of twice the length. This project did so at first.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from sparse_codec import SparseCodec
from sparse_codec.model.decoder import LN_1000, fixed_noise
from sparse_codec.model.encoder import FrameEncoder
from sparse_codec.model.events import Events
from sparse_codec.model.resonance_decoder import DECAYS, ResonanceDecoder
from sparse_codec.model.spectrogram import magnitudes, place


class PlainPublished:
    """A codec's published parts, with the same weights."""

    encoder: FrameEncoder
    decoder: ResonanceDecoder

    def __init__(self, codec: SparseCodec):
        assert isinstance(codec.encoder, FrameEncoder)
        assert isinstance(codec.decoder, ResonanceDecoder)
        self.config, self.encoder, self.decoder = codec.config, codec.encoder, codec.decoder
        self.n_samples, sizes = codec.decoder.n_samples, codec.decoder.sizes
        seconds = torch.arange(self.n_samples) / self.config.samplerate
        pitches = sizes.atoms // len(DECAYS)
        hertz = 40 * (self.config.samplerate / 2.2 / 40) ** (torch.arange(pitches) / pitches)
        waves = torch.sin(2 * math.pi * hertz[:, None].double() * seconds).float()
        self.atoms = torch.cat([waves * torch.exp(-LN_1000 * seconds / decay) for decay in DECAYS])
        times = torch.tensor(sizes.reverberation)[:, None]
        noise = torch.stack([fixed_noise(self.n_samples, seed=i + 1) for i in range(len(times))])
        rooms = noise * torch.exp(-LN_1000 * seconds / times)
        self.rooms = rooms / rooms.norm(dim=1, keepdim=True)

    @torch.no_grad()
    def decompose(self, original: Tensor) -> tuple[Events, Tensor]:
        """Return events of magnitudes (1, F, T), and the residual that they leave."""
        config, residual = self.config, original
        events = Events.zeros(1, config.n_events, config.vector_size, original.device)
        for n in range(config.n_events):
            events[:, n : n + 1] = self.loudest(residual)
            found = events[:, : n + 1].flatten()
            spectra = self.spectrograms(found.vectors, found.offsets) * found.gains[:, None, None]
            placed = place(spectra, found.frames, self.decoder.lead, config.n_frames)
            residual = original - placed.sum(0)
        return events, residual

    def loudest(self, residual: Tensor) -> Events:
        """Return the event (1, 1) of the frame with the highest switch."""
        x = self.encoder.project(residual)
        total, stack = torch.zeros_like(x), self.encoder.stack
        for dilation, gate, out in zip(stack.dilations, stack.gates, stack.outs, strict=True):
            signal, opening = gate(F.pad(x, (0, dilation))).chunk(2, 1)
            block = out(torch.tanh(signal) * torch.sigmoid(opening))
            x, total = x + block, total + block
        features = total[:, :, : self.config.half_frames]
        gain, frame = F.relu(self.encoder.switch(features))[:, 0].max(1, keepdim=True)
        vector = torch.tanh(self.encoder.vector(features))[:, :, frame[0, 0]]
        return Events(vector[:, None], frame, torch.zeros_like(gain), gain)

    def spectrograms(self, vectors: Tensor, offsets: Tensor) -> Tensor:
        """Return magnitudes (E, F, L) of unit energy."""
        margin = self.decoder.lead * self.config.hop
        sound = F.pad(self.sound(vectors, offsets), (margin, margin))
        spectra = magnitudes(sound, self.config.window, self.config.hop)
        return spectra / (spectra.pow(2).sum((1, 2), keepdim=True).sqrt() + 1e-6)

    def sound(self, vectors: Tensor, offsets: Tensor) -> Tensor:
        """Return the sound (E, T) of events with fine times (E,) in frames."""
        decoder, sizes = self.decoder, self.decoder.sizes
        attack, taps, fade, room, mix, shift = decoder.read(vectors).split(decoder.counts, 1)
        knots, length = attack.pow(2)[:, None], sizes.attack_samples
        envelope = F.interpolate(knots, length, mode="linear", align_corners=False)[:, 0]
        excitation = self._convolve(envelope * fixed_noise(length, seed=0), taps)
        logits = decoder.select(vectors).unflatten(1, (sizes.selected, -1))
        ringing = torch.softmax(logits, 2) @ decoder.resonances @ self.atoms
        presence = torch.softmax(fade.unflatten(1, (sizes.selected, -1)), 1)
        presence = F.interpolate(presence, self.n_samples, mode="linear", align_corners=False)
        resonance = (self._convolve(excitation[:, None], ringing) * presence).sum(1)
        dry, wet = torch.softmax(mix, 1).split(1, 1)
        impulse = F.one_hot(torch.tensor(0), self.n_samples)
        response = wet * (torch.softmax(room, 1) @ self.rooms) + dry * impulse
        frames = 0.5 * torch.tanh(shift) + offsets[:, None]
        return self._convolve(resonance, response, frames * self.config.hop)

    def _convolve(self, sound: Tensor, response: Tensor, delay: Tensor | None = None) -> Tensor:
        size = 2 * self.n_samples
        spectrum = torch.fft.rfft(sound, size) * torch.fft.rfft(response, size)
        if delay is not None:
            turns = torch.arange(spectrum.shape[-1]) / size
            spectrum = spectrum * torch.exp(-2j * math.pi * turns * delay)
        return torch.fft.irfft(spectrum, size)[..., : self.n_samples]
