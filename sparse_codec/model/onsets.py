"""Where notes begin: rises of the spectrum, and events whose times move to them.

The search places an event where it removes most energy, and gradients then move its time by a frame
or so. In sound that goes on, such as bowed or blown notes, a few frames make little difference to
the energy, so that events begin anywhere near the note. Shapes: B segments, F bins, T frames.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from sparse_codec.model.events import Events

LEAST = 0.2  # of the highest rise in a segment: smaller ones are no beginnings
APART = 2  # frames from one rise to the next, at least


def rises(original: Tensor, n_frames: int) -> list[Tensor]:
    """Return the times in frames, (n,) for each segment of magnitudes (B, F, T), at which the
    spectrum rises most, of the first `n_frames`.

    What sounds at the start begins there. A rise is what a frame has more than the one two frames
    before it, in roots of magnitudes: loud notes must not hide soft ones.
    Source: for the maximum over bins, in which a vibrato is no rise, Böck and Widmer 2013, Maximum
    filter vibrato suppression for onset detection, Proc. DAFx.
    """
    roots = original[..., : n_frames + 1].clamp(min=0).sqrt()
    before = F.max_pool1d(roots.mT, 3, stride=1, padding=1).mT
    rise = (roots[..., 2:] - before[..., :-2]).clamp(min=0).sum(1)  # of frames 1 and later
    return [_peaks(row) for row in F.pad(rise, (1, 0))]


def _peaks(rise: Tensor) -> Tensor:
    """Return where rises (T,) peak, between frames: at the top of a parabola through three."""
    around = F.pad(rise, (APART, APART)).unfold(0, 2 * APART + 1, 1)
    highest = (rise == around.amax(1)) & (rise > LEAST * rise.max())
    at = highest[1:-1].nonzero()[:, 0] + 1
    left, top, right = rise[at - 1], rise[at], rise[at + 1]
    times = at + 0.5 * (left - right) / (left - 2 * top + right)
    return torch.cat([times.new_zeros(1), times[times > APART]])


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
