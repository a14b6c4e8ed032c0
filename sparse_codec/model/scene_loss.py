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
    """

    def __init__(
        self, original: Tensor, config: CodecConfig, weights: SceneWeights = SceneWeights()
    ):
        self.original, self.weights = original.contiguous(), weights
        self.energy = original.pow(2).sum((1, 2)) + 1e-9
        self.norm = original.abs().sum((1, 2)) + 1e-9
        audible = self.original.clamp(min=0)
        self.hearings = [
            _Hearing.of(audible, *_mel(n_bands, config, original.device, original.dtype), frames)
            for n_bands, frames in RESOLUTIONS
        ]

    def __call__(self, scene: Tensor, gains: Tensor) -> Tensor:
        """Return the loss (B,) of scenes (B, F, T), sums of events at gains (B, N)."""
        distance: Tensor = _Distance.apply(scene, self)
        if not self.weights.sparsity:
            return distance
        return distance + self.weights.sparsity * gains.sum(1) / self.energy.sqrt()

    def measure(self, scene: Tensor) -> tuple[Tensor, Tensor]:
        """Return the distances (B,) of scenes (B, F, T), and their gradients (B, F, T).

        With r = original - scene, the derivative of sum(r^2) is -2 r, that of sum(|r|) is -sign(r).
        """
        left = self.original - scene
        l2 = self.weights.l2 / self.energy
        l1 = self.weights.l1 / self.norm
        distance = l2 * left.pow(2).sum((1, 2)) + l1 * left.abs().sum((1, 2))
        gradient = left.sign().mul_(-l1[:, None, None])
        gradient.sub_(left.mul_((2 * l2)[:, None, None]))
        if self.weights.perceptual:
            weight = self.weights.perceptual / len(self.hearings)
            for hearing in self.hearings:
                distance = distance + hearing.measure(scene, weight, gradient)
        return distance, gradient


class _Distance(torch.autograd.Function):
    """Takes the gradient along with the distance, since both need the same differences."""

    @staticmethod
    def forward(ctx: Any, scene: Tensor, loss: SceneLoss) -> Tensor:
        distance, gradient = loss.measure(scene)
        ctx.save_for_backward(gradient)
        return distance

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
    log_mel: Tensor  # (B, M, T / frames), of the original

    @classmethod
    def of(
        cls, original: Tensor, mel: SparseMatrix, mel_of_bins: SparseMatrix, frames: int
    ) -> _Hearing:
        bands = _pool(mel(original), frames)
        floor = MEL_FLOOR * bands.amax((1, 2), keepdim=True) + 1e-9
        return cls(mel, mel_of_bins, frames, floor, torch.log(bands + floor))

    def measure(self, scene: Tensor, weight: float, gradient: Tensor) -> Tensor:
        """Return `weight` times the mean distances (B,) of scenes, and add their gradients to one
        (B, F, T).
        """
        bands = _pool(self.mel(scene), self.frames).add_(self.floor)
        difference = torch.log(bands).sub_(self.log_mel)
        weight /= difference[0].numel()
        slope = difference.sign().div_(bands).mul_(weight / self.frames)
        if self.frames > 1:
            slope = slope.repeat_interleave(self.frames, 2)
        gradient[..., : slope.shape[2]] += self.mel_of_bins(slope)
        return difference.abs_().sum((1, 2)).mul_(weight)


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
