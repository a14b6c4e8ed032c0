"""The loss that refinement and training share."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from sparse_codec.config import CodecConfig
from sparse_codec.model.sparse_matrix import SparseMatrix
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

    In frames after the horizon a scene counts only where it is above its original, in the first
    two terms: later windows add what is missing there, but none takes off what is too much. Such
    frames may be left out.
    """

    def __init__(
        self, original: Tensor, config: CodecConfig, weights: SceneWeights = SceneWeights()
    ):
        self.original, self.weights = original.contiguous(), weights
        self.horizon = config.horizon_frames
        fitted = original[..., : self.horizon]
        self.energy = fitted.pow(2).sum((1, 2)) + 1e-9
        self.norm = fitted.abs().sum((1, 2)) + 1e-9
        audible = fitted.clamp(min=0).contiguous()
        self.perceptual = weights.perceptual / len(RESOLUTIONS)  # of each resolution
        self.hearings = [
            _Hearing.of(audible, *_mel(n_bands, config, original.device, original.dtype), frames)
            for n_bands, frames in (RESOLUTIONS if weights.perceptual else ())
        ]

    def __call__(self, scene: Tensor, gains: Tensor) -> Tensor:
        """Return the loss (B,) of scenes (B, F, T), sums of events at gains (B, N)."""
        distance: Tensor = _Distance.apply(scene, self)
        if not self.weights.sparsity:
            return distance
        return distance + self.weights.sparsity * gains.sum(1) / self.energy.sqrt()

    def distance(self, scene: Tensor) -> Tensor:
        """Return the distances (B,) of scenes (B, F, T)."""
        left = self._left(scene)
        distance = self.weights.l2 / self.energy * left.pow(2).sum((1, 2))
        distance += self.weights.l1 / self.norm * left.abs().sum((1, 2))
        fitted = scene[..., : self.horizon].contiguous()
        for hearing in self.hearings:
            distance += self.perceptual * hearing.distance(fitted)
        return distance

    def _left(self, scene: Tensor) -> Tensor:
        """Return what counts as left of the original when scenes (B, F, T) are taken off."""
        left = self.original - scene
        left[..., self.horizon :].clamp_(max=0)
        return left

    # With r = original - scene, the derivative of sum(r^2) is -2 r, that of sum(|r|) is -sign(r).
    def gradient(self, scene: Tensor) -> Tensor:
        """Return the gradients (B, F, T) of the distances of scenes (B, F, T)."""
        left = self._left(scene)
        l2 = self.weights.l2 / self.energy[:, None, None]
        l1 = self.weights.l1 / self.norm[:, None, None]
        gradient = left.sign().mul_(-l1).addcmul_(left, l2, value=-2)
        fitted = scene[..., : self.horizon].contiguous()
        for hearing in self.hearings:
            slope = hearing.gradient(fitted, self.perceptual)
            gradient[..., : slope.shape[2]] += hearing.mel_of_bins(slope)
        return gradient


class _Distance(torch.autograd.Function):
    """The distance, with its gradient in closed form."""

    @staticmethod
    def forward(ctx: Any, scene: Tensor, loss: SceneLoss) -> Tensor:
        ctx.save_for_backward(loss.gradient(scene))
        return loss.distance(scene)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * grad[:, None, None], None


@dataclass(frozen=True)
class _Hearing:
    """The log-mel distance from an original at one resolution: M bands, of the mean of frames."""

    mel: SparseMatrix  # (M, F)
    mel_of_bins: SparseMatrix  # (F, M)
    frames: int  # that are averaged
    floor: Tensor  # (B, 1, 1)
    original: Tensor  # (B, M, T / frames) bands above the floor

    @classmethod
    def of(
        cls, original: Tensor, mel: SparseMatrix, mel_of_bins: SparseMatrix, frames: int
    ) -> _Hearing:
        bands = _pool(mel(original), frames)
        floor = MEL_FLOOR * bands.amax((1, 2), keepdim=True) + 1e-9
        return cls(mel, mel_of_bins, frames, floor, bands + floor)

    def distance(self, scene: Tensor) -> Tensor:
        """Return the mean distances (B,) of scenes."""
        return (self._bands(scene) / self.original).log_().abs_().mean((1, 2))

    def gradient(self, scene: Tensor, weight: float) -> Tensor:
        """Return `weight` times the gradients (B, M, T) of the distances by the bands."""
        bands = self._bands(scene)
        slope = (bands - self.original).sign_().div_(bands)
        slope *= weight / (self.frames * bands[0].numel())
        return slope.repeat_interleave(self.frames, 2) if self.frames > 1 else slope

    def _bands(self, scene: Tensor) -> Tensor:
        return _pool(self.mel(scene), self.frames).add_(self.floor)


@functools.lru_cache
def _mel(
    n_bands: int, config: CodecConfig, device: torch.device, dtype: torch.dtype
) -> tuple[SparseMatrix, SparseMatrix]:
    """Mel bands (n_bands, F), each with weights that add up to 1, and their transpose."""
    mel = mel_bands(n_bands, config.n_bins, config.samplerate).to(device, dtype)
    mel = mel / mel.sum(1, keepdim=True)
    return SparseMatrix(mel), SparseMatrix(mel.T)


def _pool(bands: Tensor, frames: int) -> Tensor:
    """The mean of each `frames` frames; those that are left at the end are dropped."""
    return F.avg_pool1d(bands, frames) if frames > 1 else bands
