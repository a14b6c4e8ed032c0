"""Where notes begin: rises of the spectrum, which events are drawn to.

Left alone, the search places an event where it removes most energy, and gradients then move its
time by a frame or so. In sound that goes on, such as bowed or blown notes, a few frames make little
difference to the energy, and events begin anywhere near a note, or within it. So candidates that
begin elsewhere have a handicap, and times near a rise move to it before they are refined. Shapes: B
segments, F bins, T frames.
"""

from __future__ import annotations

import functools
import math
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from sparse_codec.model.events import Events

# Bands at which levels are compared: narrow, but no narrower than a bin. A vibrato moves in cents,
# and a new partial lies between those of other notes. Below the lowest band, basses waver.
LOWEST, PER_OCTAVE = 15.0, 96  # bins; bands
LOUD = 500.0  # levels are log(1 + LOUD x) of magnitudes x relative to the loudest
AROUND = 8  # frames on each side, whose mean a rise must stand out of
CLEAR = 0.1  # by this share of the highest rise in a segment, for events to be moved there
FAINT = 0.03  # by this share, for events to be proposed there without a handicap
APART = 2  # frames from one rise to the next, at least
HANDICAP = 1.0  # an event that begins where nothing rises must remove e times as much energy


def rise(original: Tensor, n_frames: int) -> Tensor:
    """Return how far the spectrum of magnitudes (B, F, T) rises in each of the first frames, (B,
    n_frames).

    A rise is what a frame has more than the one two frames before it, in logarithms of bands: loud
    notes must not hide soft ones, and a note that swells rises most where it is first heard.
    Source: for the maximum over bands, in which a vibrato is no rise, Böck and Widmer 2013, Maximum
    filter vibrato suppression for onset detection, Proc. DAFx.
    """
    first = original[..., : n_frames + 1].clamp(min=0)
    loudest = first.amax((1, 2), keepdim=True).clamp(min=1e-12)
    levels = torch.log1p(LOUD * _bands(first.shape[1]).to(first) @ (first / loudest))
    before = F.max_pool1d(levels.mT, 3, stride=1, padding=1).mT
    later = (levels[..., 2:] - before[..., :-2]).clamp(min=0).sum(1)  # of frames 1 and later
    return F.pad(later, (1, 0))


def peaks(rises: Tensor, least: float) -> list[Tensor]:
    """Return the times in frames, (n,) for each row of rises (B, T), at which it peaks and stands
    out by `least` of the highest one.

    What sounds at the start begins there.
    """
    return [_peaks(row, least) for row in rises]


@functools.lru_cache
def _bands(n_bins: int) -> Tensor:
    """Return triangles (M, F) at centres that are equally far apart in pitch."""
    octaves = math.log2(max(1.0, (n_bins - 2) / LOWEST))
    centres = LOWEST * 2 ** (torch.arange(1 + int(octaves * PER_OCTAVE)) / PER_OCTAVE)[:, None]
    width = (centres * (2 ** (1 / PER_OCTAVE) - 1)).clamp(min=1)
    return (1 - (torch.arange(n_bins) - centres).abs() / width).clamp(min=0)


def _peaks(rise: Tensor, least: float) -> Tensor:
    """Return where rises (T,) peak, between frames: at the top of a parabola through three."""
    size = 2 * AROUND + 1
    mean = F.avg_pool1d(rise[None], size, stride=1, padding=AROUND, count_include_pad=False)[0]
    around = F.pad(rise, (APART, APART)).unfold(0, 2 * APART + 1, 1)
    highest = (rise == around.amax(1)) & (rise > mean + least * rise.max())
    at = highest[1:-1].nonzero()[:, 0] + 1
    left, top, right = rise[at - 1], rise[at], rise[at + 1]
    times = at + 0.5 * (left - right) / (left - 2 * top + right)
    return torch.cat([times.new_zeros(1), times[times > APART]])


def handicaps(times: list[Tensor], n_frames: int) -> Tensor:
    """Return by how much the logarithm of what an event removes must be larger, (B, T), for it to
    begin in a frame: nothing within a frame of its segment's times, else HANDICAP.
    """
    frames = torch.arange(n_frames, device=times[0].device)
    near = [(frames[:, None] - row).abs().amin(1) <= 1 for row in times]
    return HANDICAP * (~torch.stack(near)).float()


def begin_at(events: Events, times: list[Tensor], reach: float) -> Events:
    """Return events (B, N) whose times are the nearest of their segment's, where one is within
    `reach` frames. Others stay.
    """
    onsets = events.frames + events.offsets
    moved = torch.stack([_nearest(*row, reach) for row in zip(onsets, times, strict=True)])
    frames = moved.round()
    return replace(events, frames=frames.long(), offsets=moved - frames)


def _nearest(onsets: Tensor, times: Tensor, reach: float) -> Tensor:
    distances, nearest = (onsets[:, None] - times).abs().min(1)
    return torch.where(distances <= reach, times[nearest], onsets)
