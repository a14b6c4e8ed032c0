"""Residual spectrogram -> candidate events.

Both encoders see a residual and propose candidates in the first half of its frames; the second half is
looked at, never chosen from. Shapes: B batch, F bins, T frames, C channels, K candidates, V vector size.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparse_codec.config import CodecConfig
from sparse_codec.model.decoder import HarmonicDecoder, perceptron
from sparse_codec.model.spectrogram import mel_bands

LOUD = 100.0  # a switch's gain, of an event of unit energy, relative to a residual's mean magnitude


@dataclass(frozen=True)
class Candidates:
    """Proposed events: (B, K, V) vectors, (B, K) frames, fine offsets in frames, scores and switches."""

    vectors: Tensor
    frames: Tensor
    offsets: Tensor
    scores: Tensor  # predicted logarithm of the share of energy that the event removes; here the switches, if any
    switches: Tensor | None = None  # the gain that the published encoder gives itself


class AntiCausalStack(nn.Module):
    """Gated dilated convolutions in which each frame sees itself and the future: (B, C, T) -> (B, C, T).

    With `normalise`, each block's input is brought to one level first, over all frames: through that one number,
    and nothing else, the past is seen too.
    """

    def __init__(self, channels: int, dilations: tuple[int, ...], normalise: bool):
        super().__init__()
        self.dilations = dilations
        self.norms = nn.ModuleList(
            nn.GroupNorm(1, channels) if normalise else nn.Identity() for _ in dilations
        )
        self.gates = nn.ModuleList(
            nn.Conv1d(channels, 2 * channels, 2, dilation=d) for d in dilations
        )
        self.outs = nn.ModuleList(nn.Conv1d(channels, channels, 1) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        total = torch.zeros_like(x)
        for dilation, norm, gate, out in zip(
            self.dilations, self.norms, self.gates, self.outs, strict=True
        ):
            signal, opening = gate(F.pad(norm(x), (0, dilation))).chunk(2, 1)
            block = out(torch.tanh(signal) * torch.sigmoid(opening))
            x, total = x + block, total + block
        return total


class HarmonicEncoder(nn.Module):
    """Salience of harmonic series proposes (pitch, frame); the residual at a candidate's harmonics says the rest."""

    def __init__(self, config: CodecConfig, decoder: HarmonicDecoder):
        super().__init__()
        self.config, self.sizes = config, config.encoder
        channels, pitches = self.sizes.channels, self.sizes.pitches
        harmonics = config.decoder.harmonics
        mel = mel_bands(self.sizes.mel_bands, config.n_bins, config.samplerate)
        self.register_buffer("mel", mel / mel.sum(1, keepdim=True), persistent=False)
        grid = torch.linspace(-1, 1, pitches + 1)[:-1]
        self.register_buffer(
            "pitch_grid", grid, persistent=False
        )  # (P,) as the vector's first number
        bins = decoder.frequencies(grid[:, None])
        self.register_buffer(
            "audible", (bins < config.n_bins - 3).float(), persistent=False
        )  # (P, H)
        self.register_buffer(
            "bins", bins.round().long().clamp(1, config.n_bins - 2), persistent=False
        )  # (P, H)
        self.register_buffer("salience", self._salience(), persistent=False)  # (P, F)
        fade = torch.exp(-0.1 * torch.arange(float(self.sizes.salience_frames)))
        self.register_buffer("fade", fade / fade.norm(), persistent=False)
        self.project = nn.Conv1d(2 * self.sizes.mel_bands, channels, 1)
        self.stack = AntiCausalStack(channels, self.sizes.dilations, normalise=True)
        self.score = nn.Conv1d(channels, pitches, 1)
        nn.init.zeros_(self.score.weight), nn.init.zeros_(self.score.bias)
        self.prior_scale = nn.Parameter(torch.tensor([2.0, 0.0]))
        # features of the frame, the harmonics at each look, their slopes across bins, pitch and level
        n_features = channels + harmonics * (len(self.sizes.look) + 1) + 2
        n_switches = int(config.gain == "switch")
        self.write = perceptron(n_features, config.vector_size + 1 + n_switches, self.sizes.hidden)

    def _salience(self) -> Tensor:
        rows = torch.zeros(self.sizes.pitches, self.config.n_bins)
        weights = 0.85 ** torch.arange(self.bins.shape[1]) * self.audible
        rows.scatter_add_(1, self.bins, weights)
        return rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-6)

    def forward(
        self, residual: Tensor, n_candidates: int, explore: Tensor | None = None
    ) -> Candidates:
        """Propose candidates for a residual (B, F, T).

        With `explore`, uniform numbers (B,), the last candidate is drawn by them, likely places more often.
        """
        # one factor for the whole residual: twice as loud is the same event at twice the gain
        level = residual.abs().mean((1, 2), keepdim=True).clamp(min=1e-12)
        residual = residual / level
        features, scores = self.analyse(residual)
        pitches, frames = self.choose(scores.detach(), n_candidates, explore)
        vectors, offsets, switches = self.describe(residual, features, pitches, frames)
        if switches is not None:
            switches = LOUD * level[:, :, 0] * F.softplus(switches)
        rows = torch.arange(len(residual), device=residual.device)[:, None]
        return Candidates(vectors, frames, offsets, scores[rows, pitches, frames], switches)

    def analyse(self, residual: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, C, T) and the score (B, P, T / 2) of every pitch in every frame of the first half."""
        half = self.config.half_frames
        mel = self.mel @ residual
        if self.config.input == "linear":
            seen = torch.cat([mel, mel.clamp(min=0)], 1)
        else:  # the residual may be negative, so the root keeps its sign
            seen = torch.cat(
                [mel.sign() * (mel.abs() + 1e-4).sqrt(), torch.log1p(mel.clamp(min=0))], 1
            )
        x = self.project(seen)
        features = x + self.stack(x)
        ahead = (
            self.salience @ residual[:, :, : half + self.sizes.salience_frames].clamp(min=0)
        ).flatten(0, 1)[:, None]
        ahead = F.conv1d(ahead, self.fade[None, None])[:, 0, :half].unflatten(
            0, (len(residual), -1)
        )
        norm = residual.pow(2).sum((1, 2)).sqrt()[:, None, None]
        prior = torch.log(ahead / (norm + 1e-6) + 1e-4)
        return features, self.prior_scale[0] * prior + self.prior_scale[1] + self.score(
            features[:, :, :half]
        )

    def choose(
        self, scores: Tensor, n_candidates: int, explore: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The highest local maxima of the scores (B, P, T / 2): pitches and frames (B, K)."""
        n_frames = scores.shape[2]
        peak = F.max_pool2d(scores[:, None], (3, 5), 1, (1, 2))[:, 0] == scores
        best = torch.where(peak, scores, scores - 20).flatten(1).topk(n_candidates, 1).indices
        if explore is not None:
            chances = scores.flatten(1).softmax(1).cumsum(1)
            best[:, -1] = torch.searchsorted(chances, explore[:, None])[:, 0].clamp(
                max=chances.shape[1] - 1
            )
        return best // n_frames, best % n_frames

    def describe(
        self, residual: Tensor, features: Tensor, pitches: Tensor, frames: Tensor
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Vectors (B, K, V) in [-1, 1], fine offsets (B, K) in frames, and switches, if any, of candidates (B, K)."""
        batch = torch.arange(len(residual), device=residual.device)[:, None, None]
        bins, audible = self.bins[pitches], self.audible[pitches]  # (B, K, H)
        last = residual.shape[2] - 1
        reads = [
            residual[batch, bins, (frames + k).clamp(0, last)[:, :, None]] * audible
            for k in self.sizes.look
        ]
        at = (frames + 3).clamp(0, last)[:, :, None]
        slopes = (residual[batch, bins + 1, at] - residual[batch, bins - 1, at]) * audible
        levels = torch.cat([*reads, slopes], 2)
        peak = levels.abs().amax(2, keepdim=True) + 1e-6
        levels = levels.sign() * (levels.abs() / peak).sqrt()
        pitch = self.pitch_grid[pitches][:, :, None]
        here = features.transpose(1, 2)[batch[:, :, 0], frames]
        out = self.write(torch.cat([here, levels, pitch, 0.1 * torch.log(peak)], 2))
        fine_pitch = pitch + torch.tanh(out[:, :, :1]) * (2 / self.sizes.pitches)
        size = self.config.vector_size
        vectors = torch.cat([fine_pitch.clamp(-1, 1), torch.tanh(out[:, :, 1:size])], 2)
        switches = out[:, :, size + 1] if self.config.gain == "switch" else None
        return vectors, 0.5 * torch.tanh(out[:, :, size]), switches


class FrameEncoder(nn.Module):
    """The published encoder: one vector and one switch a frame; the highest switches are the candidates."""

    def __init__(self, config: CodecConfig):
        super().__init__()
        self.config = config
        channels = config.encoder.channels
        self.project = nn.Conv1d(config.n_bins, channels, 1)
        self.stack = AntiCausalStack(channels, config.encoder.dilations, normalise=False)
        self.vector = nn.Conv1d(channels, config.vector_size, 1)
        self.switch = nn.Conv1d(channels, 1, 1)
        nn.init.ones_(
            self.switch.bias
        )  # a switch that starts below zero is dead: the ReLU passes no gradient

    def forward(
        self, residual: Tensor, n_candidates: int, explore: Tensor | None = None
    ) -> Candidates:
        """Propose candidates for a residual (B, F, T); `explore`, uniform numbers (B,), draws the last one."""
        seen = residual
        if self.config.input == "compressed":
            seen = residual.sign() * (residual.abs() + 1e-4).sqrt()
        features = self.stack(self.project(seen))[:, :, : self.config.half_frames]
        switches = F.relu(self.switch(features))[:, 0]  # (B, T / 2)
        frames = switches.topk(n_candidates, 1).indices
        if explore is not None:
            frames[:, -1] = (explore * switches.shape[1]).long()
        rows = torch.arange(len(residual), device=residual.device)[:, None]
        vectors = torch.tanh(self.vector(features)).transpose(1, 2)[rows, frames]
        switches = switches[rows, frames]
        return Candidates(vectors, frames, torch.zeros_like(switches), switches, switches)
