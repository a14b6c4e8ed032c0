"""Fit all events of a segment together: gradient steps on their vectors, times and gains.

The greedy loop chooses each event for the residual of that moment; here all events are fitted to
the original at once. Only the events are moved, never the model. Shapes: B segments, F bins, T
frames, N events, V vector size.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from sparse_codec.model.events import Events
from sparse_codec.model.fast_scene import FittingScene
from sparse_codec.model.scene_loss import SceneLoss

REACH = 1.5  # frames: how far a time may move
# Adam in the units of `FreeEvents`: the large steps and short memories that come nearest to real
# music in 10 to 30 steps.
RATE, BETAS = 0.3, (0.7, 0.9)
EPSILON = 1e-8  # of Adam: keeps numbers without a gradient where they are
RISE = 5  # steps in which the rate rises to that


class FreeEvents:
    """Events as one unbounded tensor (B, N, V + 2) that an optimiser may step on.

    Vectors are hyperbolic tangents of it, times are within REACH of the frame, gains are
    exponentials of a half of it. Frames stay, and an event without gain stays without.
    """

    def __init__(self, events: Events, pace: Tensor):
        # some numbers, such as a pitch, must be moved with care
        self.pace = torch.cat([pace, pace.new_ones(1)])
        inside = torch.cat([events.vectors, events.offsets[:, :, None] / REACH], 2)
        self.alive = (events.gains > 0).float()
        gains = torch.where(events.gains > 0, events.gains, 1.0)
        numbers = torch.atanh(inside.clamp(-0.98, 0.98)) / self.pace
        free = torch.cat([numbers, 2 * torch.log(gains)[:, :, None]], 2)
        self.free = free.detach().requires_grad_(True)
        self.frames = events.frames

    @classmethod
    def restored(cls, free: Tensor, frames: Tensor, alive: Tensor, pace: Tensor) -> FreeEvents:
        """Return the free events that these tensors were taken from."""
        still = Events(torch.zeros_like(free[:, :, :-2]), frames, torch.zeros_like(alive), alive)
        events = cls(still, pace)
        events.free.data = free
        return events

    def events(self) -> Events:
        inside = torch.tanh(self.pace * self.free[:, :, :-1])
        gains = self.alive * torch.exp(0.5 * self.free[:, :, -1])
        return Events(inside[:, :, :-1], self.frames, REACH * inside[:, :, -1], gains)


def refine(
    scene: FittingScene, original: Tensor, events: Events, steps: int, last_frame: int
) -> Events:
    """Return events that together come nearer to magnitudes (B, F, T) than the given ones.

    Frames settle where the times have moved, from 0 to `last_frame`, with offsets of at most half a
    frame.
    """
    loss = SceneLoss(original, scene.decoder.config)
    moving = FreeEvents(events, scene.decoder.pace)
    adam = Adam(moving.free.detach())
    for step in range(steps):
        with torch.enable_grad():
            picture = scene(moving.events())
            # not backward(): that would leave gradients on the decoder
            slope = loss.gradient(picture.detach())
            (gradient,) = torch.autograd.grad(picture, moving.free, slope)
        adam.step(gradient, RATE * schedule(step, steps))
    with torch.no_grad():
        return settle(moving.events(), last_frame)


class Adam:
    """Steps of gradients over the root of their mean square, both averaged over recent steps.

    `torch.optim` has it too, and takes longer to import than to encode a window.
    Source: Kingma and Ba 2014, arXiv:1412.6980.
    """

    def __init__(self, numbers: Tensor):
        self.numbers = numbers  # changed in place
        self.mean, self.square = torch.zeros_like(numbers), torch.zeros_like(numbers)
        self.steps = 0

    def step(self, gradient: Tensor, rate: float) -> None:
        """Move the numbers against a gradient of them."""
        self.steps += 1
        first, second = BETAS
        self.mean.lerp_(gradient, 1 - first)
        self.square.lerp_(gradient.square(), 1 - second)
        # the averages begin at 0, and are too small by these factors
        size = (self.square / (1 - second**self.steps)).sqrt_().add_(EPSILON)
        self.numbers.addcdiv_(self.mean, size, value=-rate / (1 - first**self.steps))


def schedule(step: int, steps: int) -> float:
    """Return the share of the learning rate at a step: it rises over the first few, then falls as
    a cosine.
    """
    return min(1.0, (step + 1) / RISE) * (0.5 + 0.5 * math.cos(math.pi * step / steps))


def settle(events: Events, last_frame: int) -> Events:
    """Return the same times as frames from 0 to `last_frame`, with offsets within half a frame."""
    frames = (events.frames + events.offsets.round().long()).clamp(0, last_frame)
    offsets = (events.frames - frames + events.offsets).clamp(-0.5, 0.5)
    return replace(events, frames=frames, offsets=offsets)
