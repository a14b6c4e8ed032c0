"""The greedy loop: one more event at a time, and what the events found so far know of each other.

Propose candidates, keep the one that removes most energy from the residual, fit the gains, subtract, look again.
Shapes: B segments, F bins, T frames of a segment, K candidates, N events, V vector size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor, nn

from sparse_codec.config import CodecConfig, EncodeOptions
from sparse_codec.model.decoder import around
from sparse_codec.model.encoder import Candidates
from sparse_codec.model.refine import Events, refine
from sparse_codec.model.spectrogram import place

INTERIM_EVENTS = 4  # with `interim` refinement, after every so many


@dataclass
class Decomposition:
    """A batch of segments while they are taken apart. Of room for the most events, `n_found` are filled."""

    original: Tensor  # (B, F, T)
    residual: Tensor  # (B, F, T)
    vectors: Tensor  # (B, N, V)
    frames: Tensor  # (B, N)
    offsets: Tensor  # (B, N)
    gains: Tensor  # (B, N)
    spectra: Tensor  # (B, N, F, horizon) at unit gain
    products: Tensor  # (B, N, N) float64, the events' inner products up to the horizon
    removed: (
        Tensor  # (B, N) float64, the events' inner products with the original up to the horizon
    )
    exhausted: (
        Tensor  # (B,) whether an event removed too little, so that none is looked for any more
    )
    n_found: int = 0


@dataclass(frozen=True)
class GreedyLoop:
    """Takes spectrograms apart with a codec's encoder and decoder."""

    config: CodecConfig
    encoder: nn.Module
    decoder: nn.Module
    options: EncodeOptions

    @torch.no_grad()
    def decompose(self, original: Tensor) -> Decomposition:
        """Take magnitude spectrograms (B, F, T) apart, event by event."""
        options = self.options
        n_events = options.n_events or self.config.n_events
        state = self._start(original, n_events)
        if not original.any():  # silence holds no events
            return state
        while state.n_found < n_events and not (done := self._done(state)).all():
            self._step(state, done)
            if options.interim and state.n_found % INTERIM_EVENTS == 0 and state.n_found < n_events:
                self._refine(state, options.interim)
        if options.merge:
            self._merge(state, options.merge)
        if options.refine:
            self._refine(state, options.refine)
        return state

    def _done(self, state: Decomposition) -> Tensor:
        """Segments (B,) whose residual is low enough in the first half, or whose last event was too small."""
        if self.options.stop >= 0:
            return state.exhausted
        left, had = (energy(x, self.config.half_frames) for x in (state.residual, state.original))
        return state.exhausted | (left <= had * 10 ** (self.options.stop / 10))

    def _merge(self, state: Decomposition, least_cosine: float) -> None:
        """Drop the weaker of two events that are nearly the same, and fit the gains of the others again."""
        found = slice(0, state.n_found)
        products = state.products[:, found, found]
        norms = products.diagonal(dim1=1, dim2=2).clamp(min=1e-12).sqrt()
        alike = products / (norms[:, :, None] * norms[:, None]) >= least_cosine
        strength = state.gains[:, found] * norms
        for b in range(len(products)):
            kept = torch.zeros(state.n_found, dtype=torch.bool, device=products.device)
            for n in strength[b].argsort(descending=True).tolist():
                kept[n] = strength[b, n] > 0 and not (alike[b, n] & kept).any()
            gains = torch.zeros_like(state.gains[b, found])
            if kept.any():
                gains[kept] = joint_gains(
                    products[b, kept][:, kept][None], state.removed[b, found][kept][None]
                )[0]
            state.gains[b, found] = gains
        self._subtract(state)

    def _start(self, original: Tensor, n_events: int) -> Decomposition:
        batch, like = len(original), dict(device=original.device)
        return Decomposition(
            original=original,
            residual=original.clone(),
            vectors=torch.zeros(batch, n_events, self.config.vector_size, **like),
            frames=torch.zeros(batch, n_events, dtype=torch.long, **like),
            offsets=torch.zeros(batch, n_events, **like),
            gains=torch.zeros(batch, n_events, **like),
            spectra=torch.zeros(
                batch, n_events, self.config.n_bins, self.config.horizon_frames, **like
            ),
            products=torch.zeros(batch, n_events, n_events, dtype=torch.double, **like),
            removed=torch.zeros(batch, n_events, dtype=torch.double, **like),
            exhausted=torch.zeros(batch, dtype=torch.bool, **like),
        )

    def _step(self, state: Decomposition, done: Tensor) -> None:
        """Find one more event in each segment that is not done (B,), and take it off the residual."""
        proposed = self.encoder(state.residual, self.options.candidates)
        n, rows = state.n_found, torch.arange(len(state.residual), device=state.residual.device)
        gains, residual = state.gains.clone(), state.residual
        best = self._best(state.residual, proposed)
        for name in ("vectors", "offsets", "frames"):
            vars(state)[name][:, n] = vars(proposed)[name][rows, best]
        state.n_found = n + 1
        self._measure(state, slice(n, n + 1))
        if self.config.gain == "switch":
            state.gains[:, n] = proposed.switches[rows, best]
        elif self.options.joint_gains:
            state.gains[:, : n + 1] = joint_gains(
                state.products[:, : n + 1, : n + 1], state.removed[:, : n + 1]
            )
        else:
            taken = (state.products[:, n, :n] * state.gains[:, :n]).sum(1)
            left = state.removed[:, n] - taken
            state.gains[:, n] = (left / state.products[:, n, n].clamp(min=1e-12)).clamp(min=0)
        state.gains[done] = gains[done]
        self._subtract(state)
        if self.options.smallest_share:
            self._drop_small(state, gains, residual)

    def _drop_small(self, state: Decomposition, gains: Tensor, residual: Tensor) -> None:
        """Where the newest event removed too little, go back to the gains and the residual before it, for good.

        Energy is counted up to the horizon, which gains are fitted on.
        """
        before, after, had = (
            energy(x, self.config.horizon_frames)
            for x in (residual, state.residual, state.original)
        )
        small = before - after < had * self.options.smallest_share
        state.gains[small], state.residual[small] = gains[small], residual[small]
        state.exhausted |= small

    def _best(self, residual: Tensor, proposed: Candidates) -> Tensor:
        """Index (B,) of the candidate that removes most."""
        batch, k = proposed.frames.shape
        if k == 1:
            return torch.zeros(batch, dtype=torch.long, device=residual.device)
        target = around(residual, proposed.frames, self.decoder)
        events = self.decoder.spectrograms(
            proposed.vectors.flatten(0, 1), proposed.offsets.flatten()
        )
        events = events * target.mask[:, None]
        product, size = (target.spectrum * events).sum((1, 2)), events.pow(2).sum((1, 2))
        return (product / (size + 1e-12).sqrt()).unflatten(0, (batch, k)).argmax(1)

    def _refine(self, state: Decomposition, steps: int) -> None:
        """Fit the events found so far together."""
        found, horizon = slice(0, state.n_found), self.config.horizon_frames
        events = Events(
            *(x[:, found] for x in (state.vectors, state.frames, state.offsets, state.gains))
        )
        events = refine(
            self.decoder, state.original[..., :horizon], events, steps, self.config.half_frames - 1
        )
        for name in ("vectors", "frames", "offsets", "gains"):
            vars(state)[name][:, found] = vars(events)[name]
        self._measure(state, found)
        self._keep_useful(state)
        self._subtract(state)

    def _keep_useful(self, state: Decomposition) -> None:
        """Where an event adds energy when the events are taken off in order, take the least-squares gains instead.

        With those every event removes energy up to the horizon, in any order: what is left of the original is
        orthogonal to each event that has a gain, and no two events have a negative inner product.
        """
        found = slice(0, state.n_found)
        gains, products, removed = (
            state.gains[:, found].double(),
            state.products[:, found, found],
            state.removed[:, found],
        )
        before = (
            torch.tril(products, -1) @ gains[:, :, None]
        )  # what the earlier events take of each
        useful = gains * (
            2 * (removed - before[:, :, 0]) - gains * products.diagonal(dim1=1, dim2=2)
        )
        for b in (useful < 0).any(1).nonzero()[:, 0].tolist():
            alive = gains[b] > 0
            state.gains[b, found][alive] = joint_gains(
                products[b, alive][:, alive][None], removed[b, alive][None]
            )[0]

    def _measure(self, state: Decomposition, which: slice) -> None:
        """Spectrograms of some events, and their inner products with the original and with all events so far."""
        horizon, found = self.config.horizon_frames, slice(0, state.n_found)
        vectors, offsets, frames = (
            x[:, which].flatten(0, 1) for x in (state.vectors, state.offsets, state.frames)
        )
        spectra = place(
            self.decoder.spectrograms(vectors, offsets), frames, self.decoder.lead, horizon
        )
        state.spectra[:, which] = spectra.unflatten(0, (len(state.original), -1))
        some, every = (state.spectra[:, events].flatten(2) for events in (which, found))
        products = (some @ every.transpose(1, 2)).double()
        state.products[:, which, found], state.products[:, found, which] = (
            products,
            products.transpose(1, 2),
        )
        original = state.original[:, :, :horizon].flatten(1)[:, :, None]
        state.removed[:, which] = (some @ original)[:, :, 0].double()

    def _subtract(self, state: Decomposition) -> None:
        """The residual: what the events found so far leave of the original, all frames of it."""
        found = slice(0, state.n_found)
        events = (x[:, found] for x in (state.vectors, state.offsets, state.frames, state.gains))
        state.residual = state.original - self.decoder.scene(*events, self.config.n_frames)


def energy(magnitudes: Tensor, n_frames: int) -> Tensor:
    """Energies (B,) of the first frames of (B, F, T)."""
    return magnitudes[:, :, :n_frames].pow(2).sum((1, 2))


def joint_gains(products: Tensor, removed: Tensor) -> Tensor:
    """The gains (B, n) >= 0 that leave least energy, given the events' inner products (B, n, n) with each other
    and (B, n) with the original, float64.

    Non-negative least squares on a square root of `products`: |A g - x|^2 and |R g - R^-1' A'x|^2, with
    R'R = A'A, differ by a constant. Near-duplicate events make the products singular, so R comes from their
    eigenvectors. Source: orthogonal matching pursuit, Pati et al. 1993; Lawson and Hanson 1974.
    """
    values, vectors = torch.linalg.eigh(products)
    root = values.clamp(min=1e-6 * values.amax(1, keepdim=True).clamp(min=1e-12)).sqrt()
    factor = (root[:, :, None] * vectors.transpose(1, 2)).cpu().numpy()
    aim = ((vectors.transpose(1, 2) @ removed[:, :, None])[:, :, 0] / root).cpu().numpy()
    gains = [nnls(factor[b], aim[b])[0] for b in range(len(removed))]
    return torch.from_numpy(np.stack(gains)).to(removed.device).float()
