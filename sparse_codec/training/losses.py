"""The loss of one greedy step. The loss of a scene, of all events together, is in
`model/scene_loss.py`.

Shapes: E events, F bins, L frames around each event.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from sparse_codec.config import TrainingConfig
from sparse_codec.model.decoder import Target


@dataclass(frozen=True)
class Removal:
    """The effect of subtracting each of E events from its residual."""

    gain: Tensor  # (E,)
    share: Tensor  # (E,) of the residual's energy that goes
    cosine: Tensor  # (E,) between event and residual
    l1: Tensor  # (E,) share of the L1 norm that goes; below 0 where the event adds more
    over: Tensor  # (E,) energy subtracted below zero, as a share of the residual's


def removal(target: Target, events: Tensor, gain: Tensor | None = None) -> Removal:
    """Measure the removal of events (E, F, L) from the residuals of `target`.

    Without a gain it is the least-squares one, <residual, event> / <event, event>, never negative:
    with it each step removes energy by construction.
    Source: Mallat and Zhang 1993, doi:10.1109/78.258082.
    """
    residual, events = target.spectrum, events * target.mask[:, None]
    product, size = (residual * events).sum((1, 2)), events.pow(2).sum((1, 2))
    energy = residual.pow(2).sum((1, 2)) + 1e-6
    gain = (product / (size + 1e-9)).clamp(min=0) if gain is None else gain
    taken = gain[:, None, None] * events
    return Removal(
        gain=gain,
        share=gain * (2 * product - gain * size) / energy,
        cosine=product / (energy * (size + 1e-9)).sqrt(),
        l1=1 - (residual - taken).abs().sum((1, 2)) / (residual.abs().sum((1, 2)) + 1e-6),
        over=F.relu(taken - residual.clamp(min=0)).pow(2).sum((1, 2)) / energy,
    )


def greedy_loss(removed: Removal, scores: Tensor, weights: TrainingConfig) -> Tensor:
    """Return the greedy loss (scalar): take as much as there is, price energy below zero, predict
    the share.

    The share alone has no gradient where the gain is clamped; the cosine keeps such candidates
    alive.
    """
    price = weights.over * removed.over - weights.removed_l1 * removed.l1
    price = price - weights.share * removed.share - weights.cosine * removed.cosine
    aim = torch.log(removed.share.detach().clamp(min=0) + 1e-4)
    return price.mean() + weights.score * F.mse_loss(scores, aim)
