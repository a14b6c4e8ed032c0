"""The loss that refinement and training share."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from sparse_codec.config import CodecConfig
from sparse_codec.model.spectrogram import mel_bands

RESOLUTIONS = (
    (128, 1),
    (40, 4),
)  # mel bands and frames that are averaged: fine in pitch, and coarse in both
MEL_FLOOR = 1e-4  # of the loudest band: what is softer does not count


@dataclass(frozen=True)
class SceneWeights:
    """How much each term of a scene's loss counts; the defaults are what encoding refines events by."""

    l2: float = 2.0
    l1: float = 1.0
    perceptual: float = 0.2
    sparsity: float = 0.0


class SceneLoss:
    """How far scenes (B, F, T) are from originals: shares of energy and of the L1 norm left, and a log-mel distance.

    The shares are what the codec is measured by; the logarithm of mel bands, at several resolutions, is nearer to
    hearing, and counts what is soft. An original may be negative where an earlier window's events took too much:
    there silence is best.
    """

    def __init__(
        self, original: Tensor, config: CodecConfig, weights: SceneWeights = SceneWeights()
    ):
        self.original, self.weights = original, weights
        self.energy, self.norm = (
            original.pow(2).sum((1, 2)) + 1e-9,
            original.abs().sum((1, 2)) + 1e-9,
        )
        self.bands = []
        for n_bands, _ in RESOLUTIONS:
            mel = mel_bands(n_bands, config.n_bins, config.samplerate).to(original.device)
            self.bands.append(mel / mel.sum(1, keepdim=True))
        heard = self._mel(original.clamp(min=0))
        self.floors = [MEL_FLOOR * h.amax((1, 2), keepdim=True) + 1e-9 for h in heard]
        self.log_mel = [torch.log(h + floor) for h, floor in zip(heard, self.floors, strict=True)]

    def __call__(self, scene: Tensor, gains: Tensor) -> Tensor:
        """Scenes (B, F, T), the sum of events at gains (B, N) -> (B,)."""
        left = self.original - scene
        loss = self.weights.l2 * left.pow(2).sum((1, 2)) / self.energy
        loss = loss + self.weights.l1 * left.abs().sum((1, 2)) / self.norm
        if self.weights.perceptual:
            terms = zip(self._mel(scene), self.floors, self.log_mel, strict=True)
            distances = [(torch.log(h + floor) - aim).abs().mean((1, 2)) for h, floor, aim in terms]
            loss = loss + self.weights.perceptual * torch.stack(distances).mean(0)
        return loss + self.weights.sparsity * gains.sum(1) / self.energy.sqrt()

    def _mel(self, spectrogram: Tensor) -> list[Tensor]:
        """Mel bands of spectrograms (B, F, T) at each resolution, (B, bands, T / frames)."""
        pooled = [
            F.avg_pool1d(spectrogram, frames) if frames > 1 else spectrogram
            for _, frames in RESOLUTIONS
        ]
        return [mel @ p for mel, p in zip(self.bands, pooled, strict=True)]
