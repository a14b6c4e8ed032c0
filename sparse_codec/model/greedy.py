"""The greedy loop: one event after another is found and taken off the residual.

Propose candidates, keep the one that removes most energy from the residual, fit the gains of all
events, subtract, choose again; after a few events, propose again. Shapes: B segments, F bins, T
frames of a segment, K candidates, N events.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor

from sparse_codec.config import CodecConfig, EncodeOptions
from sparse_codec.model.decoder import Decoder
from sparse_codec.model.encoder import Encoder
from sparse_codec.model.events import Events
from sparse_codec.model.fast_scene import FittingScene, fitting_scene
from sparse_codec.model.onsets import CLEAR, FAINT, begin_at, handicaps, peaks, rise
from sparse_codec.model.refine import refine
from sparse_codec.model.spectrogram import put

DRAWN_AT_ONCE = 4  # events
GAIN_STEPS = 2  # of `gains_within`, at most: a third changes no digit that counts
NEAR = 0.1  # frames from where a sound begins: such an event need not move
MOVED = 0.8  # of the energy that an event removes, which it must remove where it moves to


@dataclass
class Proposals:
    """Candidates of one look of the encoder, of which a few are taken."""

    events: Events  # (B, K)
    match: Callable[[Tensor], Tensor] | None  # None: there is only one
    taken: list[Tensor] = field(default_factory=list)  # (B,) indices each


@dataclass
class GreedyState:
    """A batch of segments while they are taken apart.

    There is room for N events in each; the first `n_found` are filled.
    """

    original: Tensor  # (B, F, T)
    residual: Tensor  # (B, F, T)
    events: Events  # (B, N)
    spectra: Tensor  # (B, N, F, horizon) of the events at unit gain
    later: Tensor  # (B, N, F, T - horizon) likewise, in the frames after the horizon
    # those that gains were fitted by:
    products: Tensor  # (B, N, N) float64, inner products of the events up to the horizon
    removed: Tensor  # (B, N) float64, inner products of the events with the original, likewise
    exhausted: Tensor  # (B,) whether an event removed too little, which ends the search
    # of events that are drawn to where sounds begin; else there are none:
    rises: list[Tensor]  # times in frames at which a segment's sounds begin
    handicaps: Tensor | None  # (B, T / 2) of candidates that begin in a frame
    n_found: int = 0
    proposals: Proposals | None = None  # by the last look at the residual; None: it looks again

    @property
    def found(self) -> Events:
        """The events found so far, as a view."""
        return self.events[:, : self.n_found]


@dataclass(frozen=True)
class GreedyLoop:
    """Takes spectrograms apart with a codec's encoder and decoder."""

    config: CodecConfig
    encoder: Encoder
    decoder: Decoder
    options: EncodeOptions

    @functools.cached_property
    def scene(self) -> FittingScene:
        """Scenes up to the horizon, to choose and to refine events by."""
        return fitting_scene(self.decoder, self.config.horizon_frames)

    @functools.cached_property
    def whole_scene(self) -> FittingScene:
        """Scenes of all frames, to refine events by at the end."""
        return fitting_scene(self.decoder, self.config.n_frames)

    @torch.no_grad()
    def decompose(self, original: Tensor) -> GreedyState:
        """Take magnitude spectrograms (B, F, T) apart, event by event."""
        options = self.options
        n_events = options.n_events or self.config.n_events
        state = self._start(original, n_events)
        if not original.any():  # silence holds no events
            return state
        while state.n_found < n_events and not (done := self._done(state)).all():
            self._step(state, done)
            if (
                options.interim
                and state.n_found % options.interim_every == 0
                and state.n_found < n_events
            ):
                self._refine(state, options.interim, self.scene)
        if not state.n_found:  # no segment has anything before the second half
            return state
        if options.merge:
            self._merge(state, options.merge)
        if options.refine:
            self._refine(state, options.refine, self.whole_scene)
        elif options.joint_gains and self.config.gain != "switch":
            self._take_no_more_later(state)
        return state

    def _start(self, original: Tensor, n_events: int) -> GreedyState:
        config, batch, device = self.config, len(original), original.device
        size = (config.n_bins, config.horizon_frames)
        n_later = config.n_frames - config.horizon_frames
        original = original.contiguous()  # a transform leaves the frames of a bin far apart
        times, handicap = [], None
        # without refinement, nothing would mend what it costs to begin there
        if self.options.reach and (self.options.interim or self.options.refine):
            rising = rise(original, config.half_frames)
            times = peaks(rising, CLEAR)
            handicap = handicaps(peaks(rising, FAINT), config.half_frames)
        return GreedyState(
            original=original,
            residual=original.clone(),
            events=Events.zeros(batch, n_events, config.vector_size, device),
            spectra=torch.zeros(batch, n_events, *size, device=device),
            later=torch.zeros(batch, n_events, config.n_bins, n_later, device=device),
            products=torch.zeros(batch, n_events, n_events, dtype=torch.double, device=device),
            removed=torch.zeros(batch, n_events, dtype=torch.double, device=device),
            exhausted=torch.zeros(batch, dtype=torch.bool, device=device),
            rises=times,
            handicaps=handicap,
        )

    def _done(self, state: GreedyState) -> Tensor:
        """Segments (B,) that get no more events: the residual of the first half is low enough, or
        the last event was too small.
        """
        if self.options.stop >= 0:
            return state.exhausted
        left = energy(state.residual, self.config.half_frames)
        whole = energy(state.original, self.config.half_frames)
        return state.exhausted | (left <= whole * 10 ** (self.options.stop / 10))

    # ---- one more event

    def _step(self, state: GreedyState, done: Tensor) -> None:
        """Find one more event in each segment that is not `done` (B,), and take it off."""
        n, rows = state.n_found, torch.arange(len(state.residual), device=state.residual.device)
        gains, residual = state.events.gains.clone(), state.residual
        proposals = self._proposals(state)
        best = self._best(state.residual, proposals)
        state.events[:, n] = proposals.events[rows, best]
        proposals.taken.append(best)
        state.n_found = n + 1
        self._draw(state, slice(n, n + 1))
        self._fit_gains(state)
        state.events.gains[done] = gains[done]
        self._subtract(state, newest=not self.options.joint_gains or self.config.gain == "switch")
        if self.options.smallest_share:
            self._drop_small(state, gains, residual)

    def _proposals(self, state: GreedyState) -> Proposals:
        """Candidates: the encoder looks at the residual once for `events_per_pass` events, since a
        look costs as much as all else in a step.
        """
        proposals, options = state.proposals, self.options
        n_used = min(options.events_per_pass, options.candidates)
        if proposals is None or len(proposals.taken) == n_used:
            found = self.encoder(state.residual, options.candidates, handicaps=state.handicaps)
            events = found.events
            match = self.scene.matcher(events) if options.candidates > 1 else None
            proposals = state.proposals = Proposals(events, match)
        return proposals

    # Of an event e taken off a residual r at gain g, |r - g e|^2 is least for g = <r, e> / <e, e>,
    # and then less than |r|^2 by <r, e>^2 / <e, e>. Gains are not negative, so candidates compare
    # by the root of that with the sign of <r, e>.
    # Source: matching pursuit, Mallat and Zhang 1993, doi:10.1109/78.258082.
    def _best(self, residual: Tensor, proposals: Proposals) -> Tensor:
        """Index (B,) of the candidate that removes most; each is taken once."""
        if proposals.match is None:
            return proposals.events.frames.new_zeros(len(residual))
        match = proposals.match(residual)
        for taken in proposals.taken:
            match.scatter_(1, taken[:, None], -torch.inf)
        return match.argmax(1)

    def _fit_gains(self, state: GreedyState) -> None:
        """Fit the gains of all events, or of the newest alone; a switch's gain stays as it is."""
        if self.config.gain == "switch":
            return
        found, n = slice(0, state.n_found), state.n_found - 1
        self._measure(state, slice(n, n + 1))
        gains, products, removed = state.events.gains, state.products, state.removed
        if self.options.joint_gains:
            gains[:, found] = joint_gains(products[:, found, found], removed[:, found])
        else:
            left = removed[:, n] - (products[:, n, :n] * gains[:, :n]).sum(1)
            gains[:, n] = (left / products[:, n, n].clamp(min=1e-12)).clamp(min=0)

    def _drop_small(self, state: GreedyState, gains: Tensor, residual: Tensor) -> None:
        """Where the newest event removed too little, go back to the gains and the residual before
        it, for good.

        Energy is counted up to the horizon, which gains are fitted on.
        """
        horizon = self.config.horizon_frames
        removed = energy(residual, horizon) - energy(state.residual, horizon)
        small = removed < energy(state.original, horizon) * self.options.smallest_share
        state.events.gains[small], state.residual[small] = gains[small], residual[small]
        state.exhausted |= small

    def _draw(self, state: GreedyState, which: slice) -> None:
        """Draw some events, in all frames: a few at a time, which a processor's cache holds."""
        later, lead = self.config.horizon_frames, self.decoder.lead
        for n in range(*which.indices(state.n_found))[::DRAWN_AT_ONCE]:
            few = slice(n, min(n + DRAWN_AT_ONCE, which.stop))
            events = state.events[:, few].flatten()
            spectra = self.decoder.spectrograms(events.vectors, events.offsets)
            for e, frame in enumerate(events.frames.tolist()):
                b, i = divmod(e, few.stop - few.start)
                put(state.spectra[b, n + i], spectra[e], frame - lead)
                put(state.later[b, n + i], spectra[e], frame - lead - later)

    def _measure(self, state: GreedyState, which: slice) -> None:
        """Take inner products of some events with the original and with all events."""
        horizon, found = self.config.horizon_frames, slice(0, state.n_found)
        some, every = state.spectra[:, which].flatten(2), state.spectra[:, found].flatten(2)
        products = (some @ every.transpose(1, 2)).double()
        state.products[:, which, found] = products
        state.products[:, found, which] = products.transpose(1, 2)
        original = state.original[:, :, :horizon].flatten(1)[:, :, None]
        state.removed[:, which] = (some @ original)[:, :, 0].double()

    def _subtract(self, state: GreedyState, newest: bool = False) -> None:
        """Make the residual the original without the events found so far, in all frames.

        newest: the residual is that already, but for the newest event.
        """
        base = state.residual if newest else state.original
        which = slice(state.n_found - 1 if newest else 0, state.n_found)
        gains = state.events.gains[:, None, which]
        parts = [
            (gains @ drawn[:, which].flatten(2)).view(len(drawn), *drawn.shape[2:])
            for drawn in (state.spectra, state.later)
        ]
        state.residual = base - torch.cat(parts, 2)

    # ---- all events so far

    def _merge(self, state: GreedyState, least_cosine: float) -> None:
        """Drop the weaker of two events that are nearly the same, and fit the other gains again."""
        found = slice(0, state.n_found)
        self._measure(state, found)
        products = state.products[:, found, found]
        norms = products.diagonal(dim1=1, dim2=2).clamp(min=1e-12).sqrt()
        alike = products / (norms[:, :, None] * norms[:, None]) >= least_cosine
        strength = state.found.gains * norms
        for b in range(len(products)):
            distinct = _distinct(alike[b], strength[b])
            gains = torch.zeros_like(state.found.gains[b])
            if distinct.any():
                gains[distinct] = _gains_of_some(state, b, distinct)
            state.events.gains[b, found] = gains
        self._subtract(state)

    def _move(self, state: GreedyState) -> None:
        """Let events near where a sound begins begin there, unless one then removes much less of
        what is its own: the residual and itself.
        """
        moved = begin_at(state.found, state.rises, self.options.reach)
        shifts = (moved.frames - state.found.frames) + (moved.offsets - state.found.offsets)
        far = (shifts.abs() > NEAR) & (state.found.gains > 0)
        for b, n in far.nonzero().tolist():
            event, still = moved[b, n : n + 1], state.spectra[b, n]
            own = state.residual[b, :, : still.shape[1]] + state.found.gains[b, n] * still
            drawn = torch.zeros_like(own)
            spectrum = self.decoder.spectrograms(event.vectors, event.offsets)[0]
            put(drawn, spectrum, int(event.frames) - self.decoder.lead)
            if removable(own, drawn) >= MOVED * removable(own, still):
                state.events[b, n : n + 1] = event

    # Frames after the horizon count at the end alone: events that are fitted to them earlier leave
    # more of the first half, where more are still to be found.
    def _refine(self, state: GreedyState, steps: int, scene: FittingScene) -> None:
        """Fit the events found so far together, in the frames of a scene; those near where a sound
        begins from there on.
        """
        found, original = slice(0, state.n_found), state.original[..., : scene.n_frames]
        last_frame = self.config.half_frames - 1
        if self.options.reach:
            self._move(state)
        state.events[:, found] = refine(scene, original, state.found, steps, last_frame)
        self._draw(state, found)
        self._measure(state, found)
        self._keep_useful(state)
        self._subtract(state)
        state.proposals = None

    def _take_no_more_later(self, state: GreedyState) -> None:
        """Fit the gains once more, by what the events take after the horizon too."""
        horizon, gains = self.config.horizon_frames, state.found.gains
        for b in range(len(gains)):
            alive = gains[b].nonzero()[:, 0]
            if not len(alive):
                continue
            gains[b, alive] = gains_within(
                state.products[b, alive][:, alive],
                state.removed[b, alive],
                state.later[b, alive].flatten(1),
                state.original[b, :, horizon:].flatten(),
            )
        self._keep_useful(state)
        self._subtract(state)

    # With G the events' inner products and b those with the original x, event n finds
    # r = x - sum_m<n g_m e_m when the events are taken off in order, and removes
    #   |r|^2 - |r - g_n e_n|^2 = g_n (2 <r, e_n> - g_n G_nn),  <r, e_n> = b_n - sum_m<n G_nm g_m.
    # That is most at g_n = <r, e_n> / G_nn, and below 0 from twice that on.
    def _keep_useful(self, state: GreedyState) -> None:
        """Where an event adds energy up to the horizon when the events are taken off in order, give
        it the gain that removes most.
        """
        gains = state.found.gains.double()
        products, removed = state.products, state.removed
        for n in range(state.n_found):
            left = removed[:, n] - (products[:, n, :n] * gains[:, :n]).sum(1)
            best = (left / products[:, n, n].clamp(min=1e-12)).clamp(min=0)
            gains[:, n] = torch.where(gains[:, n] < 2 * best, gains[:, n], best)
        state.found.gains[:] = gains.float()


def removable(magnitudes: Tensor, event: Tensor) -> Tensor:
    """The energy that an event removes from magnitudes (F, T) at the best gain."""
    return (magnitudes * event).sum().clamp(min=0) ** 2 / event.square().sum().clamp(min=1e-12)


def energy(magnitudes: Tensor, n_frames: int) -> Tensor:
    """Energies (B,) of the first frames of (B, F, T)."""
    return magnitudes[:, :, :n_frames].pow(2).sum((1, 2))


# For spectra A (a column for each event), a target x and gains g,
#   |A g - x|^2 = g' G g - 2 g' b + |x|^2  with G = A' A and b = A' x,
# which is all that the minimum depends on. With the eigenvectors G = V L V', the matrix
# R = L^(1/2) V' is a square root, R' R = G, and c = L^(-1/2) V' b has R' c = b. Hence |R g - c|^2
# differs from |A g - x|^2 by a constant, and has n rows in place of F times T.
# A Cholesky root would do, but events that are nearly the same make G singular. Eigenvalues are
# therefore raised to 1e-6 of the largest: R' c = b still holds, and large gains that cancel cost.
# Sources: gains fitted again after each event are orthogonal matching pursuit, Pati et al. 1993,
# doi:10.1109/ACSSC.1993.342465; non-negative least squares are Lawson and Hanson 1974, chapter 23.
def joint_gains(products: Tensor, removed: Tensor) -> Tensor:
    """Return the gains (B, n) >= 0 that leave least energy.

    products: inner products (B, n, n) of the events with each other, float64. removed: those (B, n)
    with the original, float64.
    """
    values, vectors = torch.linalg.eigh(products)
    root = values.clamp(min=1e-6 * values.amax(1, keepdim=True).clamp(min=1e-12)).sqrt()
    factor = (root[:, :, None] * vectors.transpose(1, 2)).cpu().numpy()
    aim = ((vectors.transpose(1, 2) @ removed[:, :, None])[:, :, 0] / root).cpu().numpy()
    gains = [nnls(factor[b], aim[b])[0] for b in range(len(removed))]
    return torch.from_numpy(np.stack(gains)).to(removed.device).float()


# Where the sum A g of the later frames' spectra is above what is there, y, its distance counts, and
# nowhere else. For any set of these frames and bins that is a least-squares problem like the one
# above, with the set's inner products added; its gains give another set, and so on. (Newton's
# method, for a convex function that consists of quadratic pieces.)
def gains_within(products: Tensor, removed: Tensor, later: Tensor, most: Tensor) -> Tensor:
    """Return the gains (n,) >= 0 that leave least energy, where energy also counts that they take
    from the frames after the horizon beyond what is there.

    products (n, n) and removed (n,): see `joint_gains`. later: the events (n, F T) in the frames
    after the horizon; most: the original (F T) there.
    """
    gains = joint_gains(products[None], removed[None])[0]
    for _ in range(GAIN_STEPS):
        over = gains @ later > most
        if not over.any():
            break
        above = later * over
        own, with_original = (above @ above.T).double(), (above @ most).double()
        gains = joint_gains((products + own)[None], (removed + with_original)[None])[0]
    return gains


def _gains_of_some(state: GreedyState, segment: int, some: Tensor) -> Tensor:
    """Least-squares gains of some (n_found,) of the events found in a segment, on their own."""
    which = some.nonzero()[:, 0]
    products = state.products[segment, which][:, which]
    return joint_gains(products[None], state.removed[segment, which][None])[0]


def _distinct(alike: Tensor, strength: Tensor) -> Tensor:
    """Events (n,) without those like a stronger one, by pairs (n, n) and strengths (n,)."""
    distinct = torch.zeros(len(strength), dtype=torch.bool, device=strength.device)
    for n in strength.argsort(descending=True).tolist():
        distinct[n] = strength[n] > 0 and not (alike[n] & distinct).any()
    return distinct
