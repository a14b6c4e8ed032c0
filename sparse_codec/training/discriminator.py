"""Real or generated? A small down-sampling convolutional discriminator of spectrograms."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Discriminator(nn.Module):
    """Magnitudes (B, F, T) -> judgements (B, T / 2**layers); higher is more real."""

    def __init__(self, n_bins: int, channels: int, layers: int):
        super().__init__()
        steps: list[nn.Module] = [nn.Conv1d(n_bins, channels, 1)]
        for _ in range(layers):
            steps += [nn.LeakyReLU(0.2), nn.Conv1d(channels, channels, 4, stride=2, padding=1)]
        self.judge = nn.Sequential(*steps, nn.LeakyReLU(0.2), nn.Conv1d(channels, 1, 1))

    def forward(self, magnitudes: Tensor) -> Tensor:
        return self.judge(torch.log1p(magnitudes.clamp(min=0)))[:, 0]


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Return the least-squares loss (Mao et al. 2017, arXiv:1611.04076): real is 1, generated 0."""
    return ((real - 1).pow(2).mean() + fake.pow(2).mean()) / 2


def generator_loss(fake: Tensor) -> Tensor:
    """Return a loss that is small where the discriminator takes generated sound for real."""
    return (fake - 1).pow(2).mean()
