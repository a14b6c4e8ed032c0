"""Residual spectrogram -> candidate events.

Both encoders see a residual and propose candidates in the first half of its frames. They look at
the second half too, but choose nothing from it. Shapes: B batch, F bins, T frames, C channels, P
pitches, K candidates, V vector size.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparse_codec.config import CodecConfig, FrameEncoderConfig, HarmonicEncoderConfig
from sparse_codec.model.decoder import perceptron
from sparse_codec.model.events import Events
from sparse_codec.model.harmonic_decoder import HarmonicDecoder
from sparse_codec.model.sparse_matrix import SparseMatrix
from sparse_codec.model.spectrogram import mel_bands

LOUD = 100.0  # a switch's gain, for an event of unit energy, relative to a residual's mean


@dataclass(frozen=True)
class Candidates:
    """Proposed events, K for each segment, with scores (B, K).

    The gains of the events are the encoder's switches, or 1 if it has none. The score predicts the
    logarithm of the share of energy that the event removes; the published encoder gives its
    switches instead.
    """

    events: Events
    scores: Tensor


class Encoder(nn.Module, ABC):
    """A residual (B, F, T) -> candidates. This is all that the codec and training use of it."""

    config: CodecConfig

    @abstractmethod
    def forward(
        self,
        residual: Tensor,
        n_candidates: int,
        explore: Tensor | None = None,
        handicaps: Tensor | None = None,
    ) -> Candidates:
        """Propose candidates.

        With `explore`, uniform numbers (B,), the last candidate is drawn by them. handicaps:
        (B, T / 2), taken off the scores of candidates that begin in a frame before the best are
        chosen; the published encoder knows none.
        """


class AntiCausalStack(nn.Module):
    """Gated dilated convolutions in which each frame sees itself and the future: (B, C, T) -> same.

    With `normalise`, each block's input is brought to one level first, over all frames. Through
    that one number alone the past is seen too.
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

    def forward(self, x: Tensor, n_frames: int | None = None) -> Tensor:
        """Return all frames, or the first `n_frames`.

        For these, each block is computed, and its input normalised, only in the frames that they
        see through later blocks.
        """
        total, n_seen = torch.zeros_like(x), x.shape[2]
        blocks = zip(self.dilations, self.norms, self.gates, self.outs, strict=True)
        for i, (dilation, norm, gate, out) in enumerate(blocks):
            if n_frames is not None:
                n_seen = min(n_seen, n_frames + sum(self.dilations[i + 1 :]))
            missing = n_seen + dilation - x.shape[2]  # below 0: frames that are not needed
            signal, opening = gate(F.pad(norm(x), (0, missing))).chunk(2, 1)
            # tanh(x) = 2 sigmoid(2 x) - 1: PyTorch's own takes five times as long as its sigmoid
            block = out((2 * torch.sigmoid(2 * signal) - 1) * torch.sigmoid(opening))
            x, total = x[..., :n_seen] + block, total[..., :n_seen] + block
        return total


class HarmonicEncoder(Encoder):
    """Salience of harmonic series proposes pairs of pitch and frame; the residual at a candidate's
    harmonics says the rest.
    """

    sizes: HarmonicEncoderConfig
    pitch_grid: Tensor  # (P,) as the vector's first number
    audible: Tensor  # (P, H)
    bins: Tensor  # (P, H)
    timbre: Tensor  # (V,) 0 for numbers of a vector that move its pitch, else 1
    fade: Tensor  # (T / 2 + salience frames, T / 2) the weight of each frame for an onset

    def __init__(self, config: CodecConfig, decoder: HarmonicDecoder):
        super().__init__()
        assert isinstance(config.encoder, HarmonicEncoderConfig)
        self.config, self.sizes = config, config.encoder
        channels, pitches = self.sizes.channels, self.sizes.pitches
        harmonics = decoder.sizes.harmonics
        mel = mel_bands(self.sizes.mel_bands, config.n_bins, config.samplerate)
        grid = torch.linspace(-1, 1, pitches + 1)[:-1]
        bins = decoder.frequencies(grid[:, None])
        audible = (bins < config.n_bins - 3).float()
        nearest = bins.round().long().clamp(1, config.n_bins - 2)
        self.mel = SparseMatrix(mel / mel.sum(1, keepdim=True))  # (mel bands, F)
        self.register_buffer("pitch_grid", grid, persistent=False)
        self.register_buffer("audible", audible, persistent=False)
        self.register_buffer("bins", nearest, persistent=False)
        self.register_buffer("timbre", decoder.timbre.clone(), persistent=False)
        self.salience = SparseMatrix(self._salience())  # (P, F)
        self.register_buffer("fade", self._fade(), persistent=False)
        self.project = nn.Conv1d(2 * self.sizes.mel_bands, channels, 1)
        self.stack = AntiCausalStack(channels, self.sizes.dilations, normalise=True)
        self.score = nn.Conv1d(channels, pitches, 1)
        for weights in self.score.parameters():
            nn.init.zeros_(weights)
        self.prior_scale = nn.Parameter(torch.tensor([2.0, 0.0]))
        # features of the frame, the harmonics at each look, their slopes across bins, pitch, level
        n_features = channels + harmonics * (len(self.sizes.look) + 1) + 2
        n_switches = int(config.gain == "switch")
        self.write = perceptron(n_features, config.vector_size + 1 + n_switches, self.sizes.hidden)

    # The salience of a pitch in a frame is a matched filter: the inner product of the residual from
    # the frame on with a harmonic series of norm 1 that starts there, its h-th overtone weaker by
    # 0.85^h, and fades by exp(-0.1) a frame, divided by the norm of the whole residual. It is 1 for
    # a residual that is such a series and nothing else. Subharmonic summation has such weights,
    # with 0.84: Hermes 1988, J. Acoust. Soc. Am. 83, 257.
    def _salience(self) -> Tensor:
        """Harmonic series of norm 1 for each pitch of the grid, (P, F)."""
        rows = torch.zeros(self.sizes.pitches, self.config.n_bins)
        weights = 0.85 ** torch.arange(self.bins.shape[1]) * self.audible
        rows.scatter_add_(1, self.bins, weights)
        return rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-6)

    def _fade(self) -> Tensor:
        """How much of a series' norm lies in each frame after its onset, for each onset."""
        half, length = self.config.half_frames, self.sizes.salience_frames
        fade = torch.exp(-0.1 * torch.arange(float(length)))
        after = torch.arange(half + length)[:, None] - torch.arange(half)
        inside = (after >= 0) & (after < length)
        return (fade / fade.norm())[after.clamp(0, length - 1)] * inside

    def forward(
        self,
        residual: Tensor,
        n_candidates: int,
        explore: Tensor | None = None,
        handicaps: Tensor | None = None,
    ) -> Candidates:
        # one factor for the whole residual: twice as loud is the same event at twice the gain
        level = residual.abs().mean((1, 2), keepdim=True).clamp(min=1e-12)
        residual = residual / level
        features, scores = self.analyse(residual)
        judged = scores.detach() - (0 if handicaps is None else handicaps[:, None])
        pitches, frames = self.choose(judged, n_candidates, explore)
        vectors, offsets, switches = self.describe(residual, features, pitches, frames)
        if switches is None:
            gains = torch.ones_like(offsets)
        else:
            gains = LOUD * level[:, :, 0] * F.softplus(switches)
        rows = torch.arange(len(residual), device=residual.device)[:, None]
        events = Events(vectors, frames, offsets, gains)
        return Candidates(events, scores[rows, pitches, frames])

    def analyse(self, residual: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (B, C, T / 2) of the frames of the first half, and scores (B, P, T / 2)
        of every pitch in each.
        """
        half = self.config.half_frames
        mel = self.mel(residual[:, :, : half + sum(self.stack.dilations)])
        if self.config.input == "linear":
            x = torch.cat([mel, mel.clamp(min=0)], 1)
        else:  # the residual may be negative, so the root keeps its sign
            root = mel.sign() * (mel.abs() + 1e-4).sqrt()
            x = torch.cat([root, torch.log1p(mel.clamp(min=0))], 1)
        x = self.project(x)
        features = x[:, :, :half] + self.stack(x, half)
        prior = self.prior_scale[0] * self._prior(residual) + self.prior_scale[1]
        return features, prior + self.score(features)

    def _prior(self, residual: Tensor) -> Tensor:
        """Logarithm of the salience (B, P, T / 2) of pitches in the frames of the first half."""
        half = self.config.half_frames
        stretch = residual[:, :, : half + self.sizes.salience_frames]
        ahead = self.salience(stretch.clamp(min=0)) @ self.fade
        norm = residual.pow(2).sum((1, 2)).sqrt()[:, None, None]
        return torch.log(ahead / (norm + 1e-6) + 1e-4)

    def choose(
        self, scores: Tensor, n_candidates: int, explore: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return pitches and frames (B, K) of the highest local maxima of scores (B, P, T / 2).

        With `explore`, uniform numbers (B,), the last is drawn: likely places more often.
        """
        n_frames = scores.shape[2]
        peak = _neighbours_maximum(_neighbours_maximum(scores, 1, 1), 2, 2) == scores
        best = torch.where(peak, scores, scores - 20).flatten(1).topk(n_candidates, 1).indices
        if explore is not None:
            chances = scores.flatten(1).softmax(1).cumsum(1)
            drawn = torch.searchsorted(chances, explore[:, None])[:, 0]
            best[:, -1] = drawn.clamp(max=chances.shape[1] - 1)
        return best // n_frames, best % n_frames

    def describe(
        self, residual: Tensor, features: Tensor, pitches: Tensor, frames: Tensor
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return vectors (B, K, V) in [-1, 1], fine offsets (B, K) in frames, and switches (B, K),
        if any, of candidates at pitches and frames (B, K).

        Their pitches stand still: it takes refinement to say how they move.
        """
        batch = torch.arange(len(residual), device=residual.device)[:, None]
        levels, peak = self._harmonics(residual, pitches, frames)
        pitch = self.pitch_grid[pitches][:, :, None]
        here = features.transpose(1, 2)[batch, frames]
        out = self.write(torch.cat([here, levels, pitch, 0.1 * torch.log(peak)], 2))
        fine_pitch = pitch + torch.tanh(out[:, :, :1]) * (2 / self.sizes.pitches)
        size = self.config.vector_size
        others = torch.tanh(out[:, :, 1:size]) * self.timbre[1:]
        vectors = torch.cat([fine_pitch.clamp(-1, 1), others], 2)
        switches = out[:, :, size + 1] if self.config.gain == "switch" else None
        return vectors, 0.5 * torch.tanh(out[:, :, size]), switches

    def _harmonics(
        self, residual: Tensor, pitches: Tensor, frames: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The residual at a candidate's harmonics, in the frames of each look and as slopes across
        bins, as signed roots relative to the highest: (B, K, H * (looks + 1)); and the highest,
        (B, K, 1).
        """
        batch = torch.arange(len(residual), device=residual.device)[:, None, None]
        bins, audible = self.bins[pitches], self.audible[pitches]  # (B, K, H)
        last = residual.shape[2] - 1
        reads = []
        for look in self.sizes.look:
            at = (frames + look).clamp(0, last)[:, :, None]
            reads.append(residual[batch, bins, at] * audible)
        at = (frames + 3).clamp(0, last)[:, :, None]
        slopes = (residual[batch, bins + 1, at] - residual[batch, bins - 1, at]) * audible
        levels = torch.cat([*reads, slopes], 2)
        peak = levels.abs().amax(2, keepdim=True) + 1e-6
        return levels.sign() * (levels.abs() / peak).sqrt(), peak


def _neighbours_maximum(x: Tensor, dim: int, reach: int) -> Tensor:
    """The maximum of each number and those up to `reach` places away along a dimension.

    A maximum over rows at a time is several times as fast as `max_pool2d` on a CPU.
    """
    highest, size = x.clone(), x.shape[dim]
    for step in range(1, reach + 1):
        later, earlier = x.narrow(dim, step, size - step), x.narrow(dim, 0, size - step)
        for place, other in ((0, later), (step, earlier)):
            view = highest.narrow(dim, place, size - step)
            torch.maximum(view, other, out=view)
    return highest


class FrameEncoder(Encoder):
    """The published encoder: one vector and one switch a frame; the highest switches are the
    candidates.
    """

    def __init__(self, config: CodecConfig):
        super().__init__()
        assert isinstance(config.encoder, FrameEncoderConfig)
        self.config = config
        channels = config.encoder.channels
        self.project = nn.Conv1d(config.n_bins, channels, 1)
        self.stack = AntiCausalStack(channels, config.encoder.dilations, normalise=False)
        self.vector = nn.Conv1d(channels, config.vector_size, 1)
        self.switch = nn.Conv1d(channels, 1, 1)
        # a switch that starts below zero is dead: the ReLU passes no gradient
        nn.init.ones_(self.switch.get_parameter("bias"))

    def forward(
        self,
        residual: Tensor,
        n_candidates: int,
        explore: Tensor | None = None,
        handicaps: Tensor | None = None,
    ) -> Candidates:
        x = residual
        if self.config.input == "compressed":
            x = residual.sign() * (residual.abs() + 1e-4).sqrt()
        half = self.config.half_frames
        x = x[:, :, : half + sum(self.stack.dilations)]  # all that the first half sees
        features = self.stack(self.project(x), half)
        switches = F.relu(self.switch(features))[:, 0]  # (B, T / 2)
        frames = switches.topk(n_candidates, 1).indices
        if explore is not None:
            frames[:, -1] = (explore * switches.shape[1]).long()
        rows = torch.arange(len(residual), device=residual.device)[:, None]
        vectors = torch.tanh(self.vector(features)).transpose(1, 2)[rows, frames]
        switches = switches[rows, frames]
        return Candidates(
            Events(vectors, frames, torch.zeros_like(switches), switches), scores=switches
        )
