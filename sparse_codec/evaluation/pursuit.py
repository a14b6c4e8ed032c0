"""Matching pursuit with damped partials: the rival that the codec has to beat with as many events.

An atom is one partial: the Hann window's main lobe in frequency, one of eight exponential decays in
time, any onset in the first half. Each step takes the atom that removes most energy (Mallat and
Zhang 1993). `joint_gains` fits all gains again at the end (orthogonal matching pursuit).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from sparse_codec.config import CodecConfig
from sparse_codec.model.greedy import joint_gains

DECAYS = (0.003, 0.01, 0.03, 0.06, 0.12, 0.25, 0.5, 1.0)  # per frame
LOBE = (0.5 / 1.5**0.5, 1 / 1.5**0.5, 0.5 / 1.5**0.5)  # a Hann window's main lobe, unit energy


@dataclass(frozen=True)
class Atoms:
    """N atoms of one segment, in the order in which they were found."""

    bins: Tensor  # (N,)
    frames: Tensor  # (N,)
    decays: Tensor  # (N,) per frame
    gains: Tensor  # (N,) of the atoms at unit energy

    def first(self, n: int, gains: Tensor) -> Atoms:
        """Return the first n, at these gains."""
        return Atoms(self.bins[:n], self.frames[:n], self.decays[:n], gains)


class MatchingPursuit:
    """The dictionary of a codec's transform."""

    def __init__(self, config: CodecConfig):
        self.config = config
        horizon, half = config.horizon_frames, config.half_frames
        age = torch.arange(horizon)[:, None] - torch.arange(half)[None]  # (horizon, half)
        tails = torch.stack(
            [torch.where(age >= 0, torch.exp(-d * age.clamp(min=0)), 0.0) for d in DECAYS]
        )
        # (D, horizon, half): unit energy down each column
        self.tails = tails / tails.norm(dim=1, keepdim=True)

    def decompose(self, original: Tensor, n_atoms: int) -> Atoms:
        """Take a magnitude spectrogram (F, T) apart into atoms."""
        residual = original[:, : self.config.horizon_frames].clone()
        columns = self.tails.permute(1, 0, 2).flatten(1)  # (horizon, D * half)
        products = self._smooth(residual) @ columns  # (F, D * half) of every atom with the residual
        atoms = []
        for _ in range(n_atoms):
            best = int(products.argmax())
            bin_, column = divmod(best, columns.shape[1])
            gain = products.flatten()[best].clamp(min=0)
            atoms.append((bin_, column, gain.item()))
            near = slice(max(0, bin_ - 1), min(len(residual), bin_ + 2))
            lobe = torch.tensor(LOBE[near.start - bin_ + 1 : near.stop - bin_ + 1])
            residual[near] -= gain * lobe[:, None] * columns[:, column]
            # The atom has energy in three bins, so only five rows of products can have changed.
            rows = slice(max(0, bin_ - 2), min(len(residual), bin_ + 3))
            products[rows] = self._smooth(residual)[rows] @ columns
        bins, numbers, gains = (torch.tensor(values) for values in zip(*atoms, strict=True))
        half = self.config.half_frames
        return Atoms(bins, numbers % half, torch.tensor(DECAYS)[numbers // half], gains)

    def _smooth(self, residual: Tensor) -> Tensor:
        """Return inner products (F, T) of the lobe with every bin's neighbourhood."""
        smooth = torch.zeros_like(residual)
        smooth[1:-1] = LOBE[0] * residual[:-2] + LOBE[1] * residual[1:-1] + LOBE[2] * residual[2:]
        return smooth

    def spectrograms(self, atoms: Atoms) -> Tensor:
        """Return magnitudes (N, F, horizon) of the atoms at unit energy."""
        spectra = torch.zeros(len(atoms.bins), self.config.n_bins, self.config.horizon_frames)
        for n, bin_ in enumerate(atoms.bins.tolist()):
            tail = self._tail(atoms, n)
            for i, height in zip((bin_ - 1, bin_, bin_ + 1), LOBE, strict=True):
                if 0 <= i < self.config.n_bins:
                    spectra[n, i] = height * tail
        return spectra

    def joint_gains(self, original: Tensor, spectra: Tensor) -> Tensor:
        """Return gains (N,), none negative, that leave least energy of the original (F, T)."""
        flat = spectra.flatten(1).double()
        target = original[:, : self.config.horizon_frames].flatten().double()
        return joint_gains((flat @ flat.T)[None], (flat @ target)[None])[0]

    def render(self, atoms: Atoms, n_samples: int) -> Tensor:
        """Return the sound (n_samples,) of atoms: damped sinusoids of the levels they have."""
        config, audio = self.config, torch.zeros(n_samples)
        time = torch.arange(n_samples, dtype=torch.double)
        for n in range(len(atoms.bins)):
            start = int(atoms.frames[n]) * config.hop
            since = time[: n_samples - start]
            norm = self._tail(atoms, n)[atoms.frames[n]]
            level = atoms.gains[n] * LOBE[1] * norm / (config.window / 4)
            phase = 2 * math.pi * ((n * 0.618033988749895) % 1)
            wave = torch.sin(2 * math.pi * atoms.bins[n] / config.window * since + phase)
            decay = torch.exp(-atoms.decays[n] * since / config.hop)
            audio[start:] += (level * wave * decay).float()
        return audio

    def _tail(self, atoms: Atoms, n: int) -> Tensor:
        """Return the magnitudes (horizon,) of an atom in its middle bin, at unit energy."""
        return self.tails[DECAYS.index(round(atoms.decays[n].item(), 4)), :, atoms.frames[n]]
