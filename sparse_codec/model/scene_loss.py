"""The loss that refinement and training share."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from sparse_codec.config import CodecConfig
from sparse_codec.model.spectrogram import mel_bands

# Mel bands, and frames that are averaged: fine in pitch, and coarse in both.
RESOLUTIONS = ((128, 1), (40, 4))
MEL_FLOOR = 1e-4  # of the loudest band: softer sound does not count


@dataclass(frozen=True)
class SceneWeights:
    """How much each term of a scene's loss counts; encoding refines events by the defaults."""

    l2: float = 2.0
    l1: float = 1.0
    perceptual: float = 0.2
    sparsity: float = 0.0


class SceneLoss:
    """The distance of scenes (B, F, T) from originals.

    It adds up the shares of energy and of the L1 norm that are left, and a log-mel distance. The
    codec is measured by the shares. The logarithm of mel bands, at several resolutions, is
    nearer to hearing, and counts soft sound too. An original may be negative where an earlier
    window's events took too much: there silence is best.
    """

    def __init__(
        self, original: Tensor, config: CodecConfig, weights: SceneWeights = SceneWeights()
    ):
        self.original, self.weights = original, weights
        self.energy = original.pow(2).sum((1, 2)) + 1e-9
        self.norm = original.abs().sum((1, 2)) + 1e-9
        self.bands = []
        for n_bands, _ in RESOLUTIONS:
            mel = mel_bands(n_bands, config.n_bins, config.samplerate).to(original.device)
            self.bands.append(mel / mel.sum(1, keepdim=True))
        self.floors, self.log_mel = [], []
        for mel in self._mel(original.clamp(min=0)):
            floor = MEL_FLOOR * mel.amax((1, 2), keepdim=True) + 1e-9
            self.floors.append(floor)
            self.log_mel.append(torch.log(mel + floor))

    def __call__(self, scene: Tensor, gains: Tensor) -> Tensor:
        """Return the loss (B,) of scenes (B, F, T), sums of events at gains (B, N)."""
        left = self.original - scene
        loss = self.weights.l2 * left.pow(2).sum((1, 2)) / self.energy
        loss = loss + self.weights.l1 * left.abs().sum((1, 2)) / self.norm
        if self.weights.perceptual:
            loss = loss + self.weights.perceptual * self._log_mel_distance(scene)
        return loss + self.weights.sparsity * gains.sum(1) / self.energy.sqrt()

    def _log_mel_distance(self, scene: Tensor) -> Tensor:
        distances = []
        for mel, floor, aim in zip(self._mel(scene), self.floors, self.log_mel, strict=True):
            distances.append((torch.log(mel + floor) - aim).abs().mean((1, 2)))
        return torch.stack(distances).mean(0)

    def _mel(self, spectrogram: Tensor) -> list[Tensor]:
        """Mel bands of spectrograms (B, F, T) at each resolution, (B, bands, T / frames)."""
        pooled = [
            F.avg_pool1d(spectrogram, frames) if frames > 1 else spectrogram
            for _, frames in RESOLUTIONS
        ]
        return [bands @ average for bands, average in zip(self.bands, pooled, strict=True)]
