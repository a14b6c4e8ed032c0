"""Three codes of when events start: a one-hot over frames, seconds, and the bits of a sample's number.

All say the same times, to the sample, and a decoder takes each of them. What differs is what a gradient knows. The
published system has the one-hot, and names the other two as possible.

    bits = Bits.of_events(events)
    bits.to(Seconds).onto(events)  # the same event set

Shapes: N events, T frames, K bits, and any axes before these; a scene has one, B segments.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from sparse_codec.events import EventSet


@dataclass(frozen=True)
class Grid:
    """The times that can be coded: samples 0 to n_samples - 1, and frames `hop` samples apart."""

    n_samples: int
    hop: int
    samplerate: int  # Hz

    @property
    def n_frames(self) -> int:
        """Frames are centred on their samples, so there is one at either end."""
        return self.n_samples // self.hop + 1

    @property
    def n_bits(self) -> int:
        return (self.n_samples - 1).bit_length()


@dataclass(frozen=True)
class Times:
    """Times as decoders take them: the event starts at sample (frame + offset) * hop."""

    frames: Tensor  # (..., N) int64, the nearest
    offsets: Tensor  # (..., N) float32, in frames


class TimeCode(ABC):
    """When events start, as one of the codes below."""

    grid: Grid

    @classmethod
    @abstractmethod
    def _of(cls, times: Times, grid: Grid) -> TimeCode:
        """The code of times that are on the grid."""

    @abstractmethod
    def times(self) -> Times:
        """What the code says; the offsets have the gradient."""

    @classmethod
    def of(cls, times: Times, grid: Grid) -> TimeCode:
        """Raises: ValueError for a time that is not on the grid."""
        samples = _samples(times, grid)
        outside = samples[(times.frames < 0) | (samples >= grid.n_samples)]
        if len(outside):
            raise ValueError(
                f"an event at sample {outside[0]}; move it to one from 0 to {grid.n_samples - 1}"
            )
        return cls._of(times, grid)

    @classmethod
    def of_events(cls, events: EventSet) -> TimeCode:
        """Raises: ValueError for an event after the end of the clip."""
        times = Times(torch.from_numpy(events.frames), torch.from_numpy(events.offsets))
        return cls.of(times, Grid(events.n_samples, events.hop, events.samplerate))

    def onto(self, events: EventSet) -> EventSet:
        """The same events at the times of this code."""
        times = self.times()
        frames, offsets = times.frames.numpy(), times.offsets.detach().numpy().astype(np.float32)
        return dataclasses.replace(events, frames=frames, offsets=offsets)

    def to(self, kind: type[TimeCode]) -> TimeCode:
        """The same times in another code."""
        return kind.of(self.times(), self.grid)

    def scene(self, decoder: nn.Module, vectors: Tensor, gains: Tensor, n_frames: int) -> Tensor:
        """The sum (B, F, n_frames) of events (B, N, V) at the coded times and gains (B, N)."""
        times = self.times()
        return decoder.scene(vectors, times.offsets, times.frames, gains, n_frames)


@dataclass(frozen=True)
class OneHot(TimeCode):
    """A dirac over frames, and what is left in frames.

    A scene is the events' convolution with their diracs, so a soft one-hot is the weighted sum of the event at all
    frames, and the gradient of a weight says what the event would do in that frame, however far away.
    """

    weights: Tensor  # (..., N, T)
    offsets: Tensor  # (..., N)
    grid: Grid

    @classmethod
    def _of(cls, times: Times, grid: Grid) -> OneHot:
        return cls(nn.functional.one_hot(times.frames, grid.n_frames).float(), times.offsets, grid)

    def times(self) -> Times:
        """Of a soft one-hot the frame that weighs most."""
        return Times(self.weights.argmax(-1), self.offsets)

    def scene(self, decoder: nn.Module, vectors: Tensor, gains: Tensor, n_frames: int) -> Tensor:
        events = decoder.spectrograms(vectors.flatten(0, 1), self.offsets.flatten()).unflatten(
            0, gains.shape
        )
        length, lead = events.shape[-1], decoder.lead
        reach = (length - 1 - lead, lead + n_frames - self.weights.shape[-1])
        weights = nn.functional.pad(gains[..., None] * self.weights, reach)
        shifted = weights.unfold(-1, n_frames, 1).flip(
            -2
        )  # (B, N, L, T) what each of an event's frames adds to each
        return torch.einsum("bnfl,bnlt->bft", events, shifted)


@dataclass(frozen=True)
class Seconds(TimeCode):
    """One number an event.

    Its gradient is that of the fine offset: it says how the scene changes when the event moves a little, within a
    frame and across frames, and knows nothing of what is further away than the event is long.
    """

    seconds: Tensor  # (..., N)
    grid: Grid

    @classmethod
    def _of(cls, times: Times, grid: Grid) -> Seconds:
        return cls((times.frames + times.offsets.double()) * (grid.hop / grid.samplerate), grid)

    def times(self) -> Times:
        return nearest(self.seconds * self.grid.samplerate, self.grid)


@dataclass(frozen=True)
class Bits(TimeCode):
    """The number of the sample, the highest bit first: log2(n_samples) of them, 17 for a segment of 2^17.

    A bit is 1 where its logit is above 0. The gradient goes straight through that threshold, as if the bit were the
    logit's sigmoid: all bits are pulled the same way, each by as much as it is worth. No bit knows of the others, so
    a small move that would carry, from 0111 to 1000, is out of reach.
    """

    logits: Tensor  # (..., N, K)
    grid: Grid

    @classmethod
    def _of(cls, times: Times, grid: Grid) -> Bits:
        """A time between two samples becomes the nearer; one ahead of the first, the first."""
        samples = _samples(times, grid).clamp(min=0)
        ones = samples[..., None] >> _places(grid, samples.device) & 1
        return cls(2.0 * ones - 1.0, grid)

    @property
    def bits(self) -> Tensor:
        """(..., N, K) bool."""
        return self.logits > 0

    def times(self) -> Times:
        soft = torch.sigmoid(self.logits)
        straight = self.bits + (soft - soft.detach())
        worth = 2.0 ** _places(self.grid, soft.device).double()
        return nearest(straight.double() @ worth, self.grid)


CODES: dict[str, type[TimeCode]] = {"one-hot": OneHot, "seconds": Seconds, "bits": Bits}


def nearest(position: Tensor, grid: Grid) -> Times:
    """Positions in samples as the nearest frames; the gradient goes through the offsets, past the rounding."""
    position = position / grid.hop
    frames = position.detach().round()
    return Times(frames.long(), (position - frames).float())


def _samples(times: Times, grid: Grid) -> Tensor:
    """The numbers of the samples that events start at, int64."""
    return ((times.frames + times.offsets.detach().double()) * grid.hop).round().long()


def _places(grid: Grid, device: torch.device) -> Tensor:
    """What each bit counts, as powers of two, (K,)."""
    return torch.arange(grid.n_bits - 1, -1, -1, device=device)
