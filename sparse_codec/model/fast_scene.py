"""The scene of a harmonic decoder, fast enough to be fitted step by step.

Refinement and training take the gradient of a scene hundreds of times. `HarmonicDecoder.scene`
computes the level of each part of an event in each of its frames, but levels change slowly. Here
the decoder's own stages run at few ages, frames see levels interpolated between these, and the
steps that cost most have their gradients in closed form. With every age it is the same scene.
Encoding still measures and subtracts events by the exact one.

Shapes: B segments, N events of each, E = B N events in one row, H harmonics, M noise bands, P = H +
M parts, G ages, L frames of an event, T frames of a segment, C columns that an event is drawn in (L
or T), O frames around an onset, R reverberation times, F bins.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from sparse_codec.config import HarmonicDecoderConfig
from sparse_codec.model.decoder import Decoder, around
from sparse_codec.model.drawing import LOBE_ENERGY, LobeRows, Place, draw
from sparse_codec.model.events import Events
from sparse_codec.model.harmonic_decoder import (
    LEAST_LOG,
    SILENCE,
    Decays,
    HarmonicDecoder,
    Sounding,
)
from sparse_codec.model.sparse_matrix import weighted_rows

FINE_AGES = 16  # every age up to this one, then steps that grow with the age
LONGEST_STEP = 1 / 16  # of an event
FARTHEST = 2  # frames that a time may lie from its event's frame


# Residuals (B, F, T) -> their inner products (B, K) with the spectrograms of candidates, scaled to
# unit energy within the T frames.
Matcher: TypeAlias = Callable[[Tensor], Tensor]


class FittingScene(Protocol):
    """Draws events as a scene (B, F, T), under autograd, and compares them with residuals."""

    @property
    def decoder(self) -> Decoder: ...

    @property
    def n_frames(self) -> int: ...

    def __call__(self, events: Events) -> Tensor: ...

    def matcher(self, candidates: Events) -> Matcher:
        """Return a function that matches candidates (B, K) with one residual after another."""
        ...


def fitting_scene(decoder: Decoder, n_frames: int) -> FittingScene:
    """Return scenes of `n_frames` to fit events by: the fast one, if the decoder has one."""
    if isinstance(decoder, HarmonicDecoder) and decoder.any_ages:
        return FastScene(decoder, n_frames)
    return ExactScene(decoder, n_frames)


@dataclass(frozen=True)
class ExactScene:
    """Scenes of any decoder."""

    decoder: Decoder
    n_frames: int

    def __call__(self, events: Events) -> Tensor:
        return self.decoder.scene(events, self.n_frames)

    def matcher(self, candidates: Events) -> Matcher:
        flat = candidates.flatten()
        drawn = self.decoder.spectrograms(flat.vectors, flat.offsets)

        def match(residual: Tensor) -> Tensor:
            target = around(residual, candidates.frames, self.decoder)
            seen = drawn * target.mask[:, None]
            product, size = (target.spectrum * seen).sum((1, 2)), seen.pow(2).sum((1, 2))
            return (product / (size + 1e-12).sqrt()).view_as(candidates.gains)

        return match


def few_ages(sizes: HarmonicDecoderConfig) -> tuple[int, ...]:
    """Return the ages in frames, from 0 to an event's end, that levels are computed at.

    Knots are among them, where envelopes bend.
    """
    ages = [*range(min(FINE_AGES, sizes.event_frames) + 1)]
    while ages[-1] < sizes.event_frames:
        step = max(1, min(int(LONGEST_STEP * sizes.event_frames), ages[-1] // 5))
        ages.append(min(ages[-1] + step, sizes.event_frames))
    return tuple(sorted({*ages, *sizes.knots}))


class FastScene:
    """Scenes (B, F, T) of a decoder's events, near those of `decoder.scene`, under autograd.

    An event in frame f with offset o is delayed by d = ceil(o) frames: frame f + d is the first
    whose centre lies at or after the onset, at an age of d - o, and frame f + d + q sees the age
    d - o + q. Levels are computed at the ages d - o + g for each g of `ages`, and interpolated
    for every other q.
    """

    def __init__(
        self, decoder: HarmonicDecoder, n_frames: int, ages: tuple[int, ...] | None = None
    ):
        device, lead = decoder.knots.device, decoder.lead
        self.decoder, self.n_frames = decoder, n_frames
        self.ages = torch.tensor(ages or few_ages(decoder.sizes), device=device)
        between = _between(self.ages, decoder.sizes.event_frames).to(decoder.knots)
        lags = slice(0, between.shape[1])
        self.rooms = (between @ decoder.rooms[:, lags, lags])[:, :, self.ages].flatten(1)
        self.room_kernel = torch.eye(len(self.ages)).to(decoder.knots).flatten()
        self.knots = _between_knots(decoder, self.ages)
        self.frames = torch.arange(n_frames, device=device)
        self.own_frames = torch.arange(decoder.event_frames, device=device) - lead
        # all frames of an event that see its onset; later ones see all of its levels
        self.onset_frames = self.own_frames[: 2 * lead + FARTHEST + 1]
        delays = torch.arange(-FARTHEST, FARTHEST + 1, device=device)
        starts = torch.arange(-FARTHEST, n_frames + FARTHEST, device=device)
        # for each delay, and for each first whole frame: (S, G, L) and (S, G, T)
        self.own_shares = _shares(between, self.own_frames - delays[:, None])
        self.shares = _shares(between, self.frames - starts[:, None])
        self.onset_shares = self.own_shares[:, :, : len(self.onset_frames)].contiguous()
        self.later_shares = self.own_shares[:, :, len(self.onset_frames) :].sum(2)  # (S, G)
        self.bands_by_bin = decoder.bands.T.contiguous()  # (F, M)
        self.bands_products = decoder.bands @ decoder.bands.T

    def __call__(self, events: Events) -> Tensor:
        flat = events.flatten()
        sound = self.decoder.sounding(flat.vectors)
        return self.draw(flat, len(events.frames), sound, self.levels(sound, flat))

    def draw(self, events: Events, batch: int, sound: Sounding, levels: Tensor) -> Tensor:
        """Return the scenes (B, F, T) of events in one row, with levels (E, P, G)."""
        if self.decoder.stands_still(sound):
            place = Place(self.decoder.noise, batch, self.n_frames)
            columns = self._segment_columns(events)
            picture: Tensor = _Picture.apply(levels, events.offsets, sound.bins, columns, place)
            return picture
        parts = _Shown.apply(levels, events.offsets, self._own_columns(events))
        bins = self.decoder.moving_bins(sound, self.decoder.ages_of_frames(events.offsets))
        frames = (events.frames[:, None] + self.own_frames).clamp(0, self.n_frames - 1)
        return draw(parts, bins, Place(self.decoder.noise, batch, self.n_frames, frames))

    # For an event e that is a sum of tones and of noise bands, <r, e> is the sum over parts of
    # their levels times what r has at their lobes and in their bands, and
    #   |e|^2 = |tones|^2 + |bands|^2 + 2 <tones, bands>.
    # Lobes that overlap each other are left out of |tones|^2.
    def matcher(self, candidates: Events) -> Matcher:
        flat, batch = candidates.flatten(), len(candidates.frames)
        flat = replace(flat, gains=torch.ones_like(flat.gains))
        sound = self.decoder.sounding(flat.vectors)
        if not self.decoder.stands_still(sound):
            return ExactScene(self.decoder, self.n_frames).matcher(candidates)
        columns = self._segment_columns(flat)
        parts = self.levels(sound, flat) @ (columns.shares * columns.seen[:, None])
        tones, noise = parts.split([sound.bins.shape[1], len(self.bands_products)], 1)
        place = Place(self.decoder.noise, batch, self.n_frames)
        lobes, pictures = LobeRows.of(sound.bins, place), place.pictures(tones)
        bins = lobes.rows % place.bands.n_bins
        beside = weighted_rows(self.bands_by_bin, bins, None, lobes.height)  # bands at the lobes
        tones_in_bands = beside.view(*tones.shape[:2], -1).mT @ tones
        size = LOBE_ENERGY * tones.square().sum((1, 2))
        size += (self.bands_products @ noise).add_(tones_in_bands, alpha=2).mul_(noise).sum((1, 2))
        norm = (size + 1e-12).sqrt()

        def match(residual: Tensor) -> Tensor:
            residual = residual[..., : self.n_frames].contiguous()
            at_lobes = weighted_rows(residual.flatten(0, 1), lobes.rows, None, lobes.height)
            in_bands = place.bands.read(residual)[pictures]
            product = at_lobes.view_as(tones).mul_(tones).sum((1, 2))
            product += in_bands.mul_(noise).sum((1, 2))
            return (product / norm).view_as(candidates.gains)

        return match

    def levels(self, sound: Sounding, events: Events) -> Tensor:
        """Levels (E, P, G) of events in one row, each at its gain if it has unit energy in L
        frames.
        """
        decays = sound.resonance
        assert isinstance(decays, Decays)
        levels: Tensor = _Levels.apply(
            *(sound.strength, sound.envelope, sound.attack, decays.decay, decays.tilt, sound.wet),
            *(events.offsets, events.gains, self),
        )
        return levels

    def _segment_columns(self, events: Events) -> _Columns:
        """All T frames of a segment, for partials that stay in their rows."""
        shares = self.shares[events.frames + _delays(events.offsets) + FARTHEST]
        onset = (events.frames[:, None] + self.onset_frames).clamp(0, self.n_frames - 1)
        return self._columns(self.frames.expand(len(onset), -1), events, shares, onset)

    def _own_columns(self, events: Events) -> _Columns:
        """The L frames of each event."""
        shares = self.own_shares[_delays(events.offsets) + FARTHEST]
        frames = events.frames[:, None] + self.own_frames
        onset = torch.arange(len(self.onset_frames), device=frames.device)
        return self._columns(frames, events, shares, onset.expand(len(frames), -1))

    @torch.no_grad()
    def _columns(self, frames: Tensor, events: Events, shares: Tensor, onset: Tensor) -> _Columns:
        first, last = self.own_frames[0], self.own_frames[-1]
        after = frames - events.frames[:, None]
        inside = (after >= first) & (after <= last) & (frames >= 0) & (frames < self.n_frames)
        seen = self.decoder.seen(after - events.offsets[:, None]) * inside
        at = events.frames[:, None] + self.onset_frames
        slope = self.onset_slope(events.offsets) * ((at >= 0) & (at < self.n_frames))
        onset_shares = self.onset_shares[_delays(events.offsets) + FARTHEST]
        return _Columns(shares, seen, onset, onset_shares, slope)

    def onset_slope(self, offsets: Tensor) -> Tensor:
        """The derivative by the offsets of what the O frames around the onset see; see
        `HarmonicDecoder.seen`.
        """
        frame = self.decoder.config.hop / self.decoder.config.window
        reach = (self.onset_frames - offsets[:, None]) * frame
        return (1 + torch.cos(2 * math.pi * reach)) * (reach.abs() < 0.5) * -frame


@dataclass(frozen=True)
class _Columns:
    """The C columns that each of E events is drawn in."""

    shares: Tensor  # (E, G, C) of each age in what a column shows
    seen: Tensor  # (E, C) how much of the levels it shows; 0 outside the event and the segment
    onset: Tensor  # (E, O) the columns around the onset
    onset_shares: Tensor  # (E, G, O) of each age in what they show, where they are in the segment
    slope: Tensor  # (E, O) the derivative of what these show by the event's time

    def d_offsets(self, levels: Tensor, onset: Tensor) -> Tensor:
        """The gradient (E,) of times, by that of the parts in the columns around the onset, (E, P,
        O).
        """
        d_seen = onset.mul_(levels @ self.onset_shares).sum(1)
        return (d_seen * self.slope).sum(1)


def _delays(offsets: Tensor) -> Tensor:
    return offsets.detach().ceil().long().clamp(-FARTHEST, FARTHEST)


def _between(ages: Tensor, event_frames: int) -> Tensor:
    """Weights (G, event_frames + 1) that interpolate values at ages linearly to every frame."""
    frame = torch.arange(event_frames + 1, device=ages.device)
    i = torch.searchsorted(ages, frame, right=True).sub(1).clamp(0, len(ages) - 2)
    part = (frame - ages[i]) / (ages[i + 1] - ages[i])
    weights = torch.zeros(len(ages), len(frame), device=ages.device)
    weights[i, frame] = 1 - part
    weights[i + 1, frame] = part
    return weights


def _between_knots(decoder: HarmonicDecoder, ages: Tensor) -> Tensor:
    """A table (K, 2 G) to interpolate values (.., K) at the knots.

    The product with the first half is their values at the ages, with the second half their slopes
    there: knots are whole frames, so a curve is straight for a frame after each age.
    """
    each = torch.eye(len(decoder.knots)).to(decoder.knots)[None]
    start = decoder.between_knots(each, decoder.ages(ages[None].to(decoder.knots)))[0]  # (K, G)
    slope = 2 * (decoder.between_knots(each, decoder.ages(ages[None] + 0.5))[0] - start)
    return torch.cat([start, slope], 1)


def _shares(between: Tensor, after: Tensor) -> Tensor:
    """How much of each age frames show, (S, G, C) for frames (S, C) counted from the first one
    after the onset: frames before see that first one, and frames after the end see nothing.
    """
    first, end = between[:, :1], torch.zeros_like(between[:, :1])
    columns = torch.cat([first, between[:, :-1], end], 1)
    index = after.clamp(-1, between.shape[1] - 1) + 1
    return columns[:, index].transpose(0, 1).contiguous()


# ---- steps with their gradients


# The stages of `HarmonicDecoder`, and back. For levels y with the gradient y':
#
#   log dry = 2 (log s - decay a + log x + tilt octaves)       a: age, s: strength
#   x = envelope o,  o = (1 - c) f,  c = exp(-(a + 1/4) attack)  f: fade
#   e = dry (1 + room) + 1e-12
#   n^2 = sum over ages of f^2 h l + 1e-12,  l = sum over parts of loudness e
#   y = g / n f sqrt(e)                                        g: gain, h: share heard
#
# h is how much of each age the event's frames see, squared, so that n is the event's norm. With
# b = sum over parts of y' sqrt(e), and k = g / n:
#
#   k' = sum over ages of b f,  g' = k' / n,  q = d/d(n^2) = -k' k / (2 n^2)
#   e' = y' k f / (2 sqrt(e)) + q f^2 h loudness,  h' = q f^2 l,  f' = b k + 2 q f h l
#
# and the rest follows by the chain rule. Curves between knots are V (A + p B) at the ages of the
# table plus p, so that p also has the derivative V B.
class _Levels(torch.autograd.Function):
    """What sounds, times and gains -> levels (E, P, G); see `Sounding` and `Decays`."""

    @staticmethod
    def forward(
        ctx: Any,
        strength: Tensor,
        envelope: Tensor,
        attack: Tensor,
        decay: Tensor,
        tilt: Tensor,
        wet: Tensor,
        offsets: Tensor,
        gains: Tensor,
        scene: FastScene,
    ) -> Tensor:
        decoder, n_ages = scene.decoder, len(scene.ages)
        delays = _delays(offsets)
        first = (delays - offsets)[:, None]
        age = scene.ages + first
        at_ages = torch.cat([envelope, tilt[:, None]], 1) @ scene.knots  # (E, 3, 2 G)
        rates = at_ages[:, :, n_ages:]
        curves = torch.addcmul(at_ages[:, :, :n_ages], first[:, None], rates)
        closed = torch.exp((age + 0.25) * -attack[:, None])
        fade = decoder.fade(age)
        opening = (1 - closed) * fade
        excitation = (curves[:, :2] * opening[:, None]).add_(SILENCE)
        left = strength.new_empty(*strength.shape, 5)
        left[:, :, 0] = torch.log(strength + SILENCE)
        left[:, :, 1] = -decay
        left[:, :, 2:] = decoder.kinds
        left *= 2
        right = age.new_ones(len(age), 5, n_ages)
        right[:, 1], right[:, 2:4], right[:, 4] = age, torch.log(excitation), curves[:, 2]
        dry = (left @ right).clamp_(min=LEAST_LOG).exp_()
        kernel = torch.addmm(scene.room_kernel, wet, scene.rooms).view(-1, n_ages, n_ages)
        energy = (dry @ kernel).add_(1e-12)
        seen = decoder.seen(scene.onset_frames - offsets[:, None])
        onset_shares = scene.onset_shares[delays + FARTHEST]
        heard = (onset_shares @ seen.square()[:, :, None])[:, :, 0]
        heard += scene.later_shares[delays + FARTHEST]
        loud = (energy * decoder.loudness[:, None]).sum(1)  # (E, G)
        norm = (loud * fade.square() * heard).sum(1).add_(1e-12).sqrt_()
        factor, root = gains / norm, energy.sqrt_()
        ctx.save_for_backward(
            *(strength, attack, offsets, first, age, rates, curves, closed, fade, opening),
            *(excitation, left, right, dry, kernel, seen, onset_shares, heard, loud, norm, factor),
            root,
        )
        ctx.scene = scene
        return root * (fade * factor[:, None])[:, None]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        strength, attack, offsets, first, age, rates, curves, closed, fade, opening = (
            ctx.saved_tensors[:10]
        )
        (
            excitation,
            left,
            right,
            dry,
            kernel,
            seen,
            onset_shares,
            heard,
            loud,
            norm,
            factor,
            root,
        ) = ctx.saved_tensors[10:]
        scene, decoder = ctx.scene, ctx.scene.decoder
        by_age = (grad * root).sum(1)  # (E, G)
        d_factor = (by_age * fade).sum(1)
        d_square = (-0.5 * d_factor * factor / norm.square())[:, None]
        audible = d_square * fade * heard
        d_energy = (grad * (0.5 * fade * factor[:, None])[:, None]).div_(root)
        d_energy.addcmul_(decoder.loudness[:, None], (audible * fade)[:, None])
        d_log = (d_energy @ kernel.mT).mul_(dry)
        d_wet = (dry.mT @ d_energy).flatten(1) @ scene.rooms.T
        d_own = d_log @ right[:, :2].mT
        d_right = left[:, :, 1:].mT @ d_log  # of age, of both excitations, of tilt
        d_excitation = d_right[:, 1:3] / excitation
        d_opening = (d_excitation * curves[:, :2]).sum(1)
        d_curves = torch.cat([d_excitation * opening[:, None], d_right[:, 3:]], 1)
        d_values = torch.cat([d_curves, d_curves * first[:, None]], 2) @ scene.knots.T
        rising = d_opening * fade * closed
        d_fade = by_age * factor[:, None] + 2 * audible * loud + d_opening * (1 - closed)
        d_age = d_right[:, 0] + rising * attack[:, None] + d_fade * decoder.fade_slope(age)
        d_first = d_age.sum(1) + (d_curves * rates).sum((1, 2))
        d_heard = (d_square * fade.square() * loud)[:, None]
        d_seen = (d_heard @ onset_shares)[:, 0] * 2 * seen
        d_offsets = (d_seen * scene.onset_slope(offsets)).sum(1) - d_first
        return (
            *(2 * d_own[:, :, 0] / (strength + SILENCE), d_values[:, :2]),
            *((rising * (age + 0.25)).sum(1), -2 * d_own[:, :, 1], d_values[:, 2], d_wet),
            *(d_offsets, d_factor / norm, None),
        )


# A frame after the onset shows all of its event's levels, whatever the time: only the frames around
# the onset have a derivative by it.
class _Shown(torch.autograd.Function):
    """Levels (E, P, G) and times (E,) -> what columns show of the parts, (E, P, C)."""

    @staticmethod
    def forward(ctx: Any, levels: Tensor, offsets: Tensor, columns: _Columns) -> Tensor:
        weights = columns.shares * columns.seen[:, None]
        ctx.save_for_backward(levels, weights)
        ctx.columns = columns
        return levels @ weights

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        (levels, weights), columns = ctx.saved_tensors, ctx.columns
        onset = grad.gather(2, columns.onset[:, None].expand(-1, levels.shape[1], -1))
        return grad @ weights.mT, columns.d_offsets(levels, onset), None


class _Picture(torch.autograd.Function):
    """Levels (E, P, G), times (E,) and bins (E, H) of partials that stay there -> (B, F, T).

    `_Shown` and `draw` in one: the noise of all events of a segment is one product of matrices.
    """

    @staticmethod
    def forward(
        ctx: Any, levels: Tensor, offsets: Tensor, bins: Tensor, columns: _Columns, place: Place
    ) -> Tensor:
        n_harmonics = bins.shape[1]
        weights = columns.shares * columns.seen[:, None]  # (E, G, T)
        tones = levels[:, :n_harmonics] @ weights
        noise = _by_segment(levels[:, n_harmonics:], place.batch)  # (B, M, N G)
        noise = noise @ weights.view(place.batch, -1, place.n_frames)
        rows = LobeRows.of(bins, place)
        ctx.save_for_backward(levels, weights, tones)
        ctx.rows, ctx.columns, ctx.place = rows, columns, place
        return rows.draw(tones, noise)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (levels, weights, tones), columns, place = ctx.saved_tensors, ctx.columns, ctx.place
        n_events, n_harmonics, _ = tones.shape
        d_tones, d_bins, d_noise = ctx.rows.read(grad.contiguous(), tones)
        by_segment = weights.view(place.batch, -1, place.n_frames)
        d_levels = torch.empty_like(levels)
        d_levels[:, :n_harmonics] = d_tones @ weights.mT
        d_levels[:, n_harmonics:] = _of_events(d_noise @ by_segment.mT, n_events)
        at = columns.onset
        d_onset = levels.new_empty(n_events, levels.shape[1], at.shape[1])
        d_onset[:, :n_harmonics] = d_tones.gather(2, at[:, None].expand(-1, n_harmonics, -1))
        segments = place.pictures(levels)[:, None]
        d_onset[:, n_harmonics:] = d_noise.mT[segments, at].mT
        return d_levels, columns.d_offsets(levels, d_onset), d_bins, None, None


def _by_segment(parts: Tensor, batch: int) -> Tensor:
    """Parts (E, M, G) of events as those of segments, (B, M, N G)."""
    return parts.unflatten(0, (batch, -1)).transpose(1, 2).flatten(2)


def _of_events(parts: Tensor, n_events: int) -> Tensor:
    """The inverse of `_by_segment`."""
    parts = parts.unflatten(2, (n_events // len(parts), -1))
    return parts.transpose(1, 2).flatten(0, 1)
