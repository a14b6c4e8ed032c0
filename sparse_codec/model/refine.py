"""Fit all events of a segment together: gradient steps on their vectors, times and gains.

The greedy loop chooses each event for what is left at that moment; here the events find out about each other.
Only the events are moved, never the model. Shapes: B segments, F bins, T frames, N events, V vector size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparse_codec.model.scene_loss import SceneLoss

REACH = 1.5  # frames: how far a time may move
RATE = 0.1  # of Adam, on the inverse hyperbolic tangent of a vector and on half of the logarithm of a gain


@dataclass(frozen=True)
class Events:
    """Events of a batch of segments. A gain of zero is no event."""

    vectors: Tensor  # (B, N, V) in [-1, 1]
    frames: Tensor  # (B, N)
    offsets: Tensor  # (B, N) in frames
    gains: Tensor  # (B, N)


class FreeEvents:
    """Events as one unbounded tensor (B, N, V + 2) that an optimiser may step on."""

    def __init__(self, events: Events, pace: Tensor):
        # some numbers, such as a pitch, must be moved with care
        self.pace = torch.cat([pace, pace.new_ones(1)])
        inside = torch.cat([events.vectors, events.offsets[:, :, None] / REACH], 2)
        self.alive = (events.gains > 0).float()
        gains = torch.where(events.gains > 0, events.gains, 1.0)
        start = [
            torch.atanh(inside.clamp(-0.98, 0.98)) / self.pace,
            2 * torch.log(gains)[:, :, None],
        ]
        self.free = torch.cat(start, 2).detach().requires_grad_(True)
        self.frames = events.frames

    @classmethod
    def restored(cls, free: Tensor, frames: Tensor, alive: Tensor, pace: Tensor) -> FreeEvents:
        """The same events as those that these tensors were taken from."""
        nothing = Events(torch.zeros_like(free[:, :, :-2]), frames, torch.zeros_like(alive), alive)
        events = cls(nothing, pace)
        events.free.data = free
        return events

    def events(self) -> Events:
        inside = torch.tanh(self.pace * self.free[:, :, :-1])
        gains = self.alive * torch.exp(0.5 * self.free[:, :, -1])
        return Events(inside[:, :, :-1], self.frames, REACH * inside[:, :, -1], gains)


def refine(
    decoder: nn.Module, original: Tensor, events: Events, steps: int, last_frame: int
) -> Events:
    """Events that together come nearer to magnitudes (B, F, T) than the given ones.

    Frames settle where the times have moved, from 0 to `last_frame`, with offsets of at most half a frame.
    """
    loss = SceneLoss(original, decoder.config)
    moved = FreeEvents(events, decoder.pace)
    optimiser = torch.optim.Adam([moved.free], lr=RATE)
    with torch.enable_grad():
        for step in range(steps):
            optimiser.param_groups[0]["lr"] = RATE * (0.5 + 0.5 * math.cos(math.pi * step / steps))
            now = moved.events()
            scene = decoder.scene(
                now.vectors, now.offsets, now.frames, now.gains, original.shape[2]
            )
            (moved.free.grad,) = torch.autograd.grad(loss(scene, now.gains).sum(), moved.free)
            optimiser.step()
    with torch.no_grad():
        return settle(moved.events(), last_frame)


def settle(events: Events, last_frame: int) -> Events:
    """The same times as frames from 0 to `last_frame` and offsets of at most half a frame."""
    frames = (events.frames + events.offsets.round().long()).clamp(0, last_frame)
    offsets = (events.frames - frames + events.offsets).clamp(-0.5, 0.5)
    return Events(events.vectors, frames, offsets, events.gains)
