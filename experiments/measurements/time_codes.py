"""Three codes of an event's start: a one-hot over frames, seconds, and a sample's number in bits.

All say the same times, to the sample, and a decoder takes each of them. Their gradients differ. The
published system has the one-hot, and names the other two as possible.

    bits = Bits.of_events(events)
    bits.to(Seconds).onto(events)  # the same event set

Shapes: N events, T frames, K bits, and any axes before these; a scene has one, B segments.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from sparse_codec.events import EventSet
from sparse_codec.model.decoder import Decoder
from sparse_codec.model.events import Events


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
    """The starts of events, in one of the codes below."""

    grid: Grid

    @classmethod
    @abstractmethod
    def _of(cls, times: Times, grid: Grid) -> Self:
        """Return the code of times that are on the grid."""

    @abstractmethod
    def times(self) -> Times:
        """Return the times that the code says; the offsets have the gradient."""

    @classmethod
    def of(cls, times: Times, grid: Grid) -> Self:
        """Return the code of times. Raises: ValueError for a time that is not on the grid."""
        samples = _samples(times, grid)
        outside = samples[(times.frames < 0) | (samples >= grid.n_samples)]
        if len(outside):
            raise ValueError(
                f"an event at sample {outside[0]}; move it to one from 0 to {grid.n_samples - 1}"
            )
        return cls._of(times, grid)

    @classmethod
    def of_events(cls, events: EventSet) -> Self:
        """Return the code of a clip. Raises: ValueError for an event after the clip's end."""
        times = Times(torch.from_numpy(events.frames), torch.from_numpy(events.offsets))
        return cls.of(times, Grid(events.n_samples, events.hop, events.samplerate))

    def onto(self, events: EventSet) -> EventSet:
        """Return the same events at the times of this code."""
        times = self.times()
        frames, offsets = times.frames.numpy(), times.offsets.detach().numpy().astype(np.float32)
        return dataclasses.replace(events, frames=frames, offsets=offsets)

    def to(self, kind: type[TimeCode]) -> TimeCode:
        """Return the same times in another code."""
        return kind.of(self.times(), self.grid)

    def scene(self, decoder: Decoder, vectors: Tensor, gains: Tensor, n_frames: int) -> Tensor:
        """Return the sum (B, F, n_frames) of events (B, N, V) with gains (B, N) at these times."""
        times = self.times()
        return decoder.scene(Events(vectors, times.frames, times.offsets, gains), n_frames)


@dataclass(frozen=True)
class OneHot(TimeCode):
    """A dirac over frames, and the rest of the time in frames.

    A scene is the events' convolution with their diracs, so a soft one-hot is the weighted sum of
    the event at all frames, and the gradient of a weight says what the event would do in that
    frame, however far away.
    """

    weights: Tensor  # (..., N, T)
    offsets: Tensor  # (..., N)
    grid: Grid

    @classmethod
    def _of(cls, times: Times, grid: Grid) -> Self:
        return cls(nn.functional.one_hot(times.frames, grid.n_frames).float(), times.offsets, grid)

    def times(self) -> Times:
        """Return the times; of a soft one-hot, the frame that weighs most."""
        return Times(self.weights.argmax(-1), self.offsets)

    def scene(self, decoder: Decoder, vectors: Tensor, gains: Tensor, n_frames: int) -> Tensor:
        spectrograms = decoder.spectrograms(vectors.flatten(0, 1), self.offsets.flatten())
        spectrograms = spectrograms.unflatten(0, gains.shape)
        length, lead = spectrograms.shape[-1], decoder.lead
        reach = (length - 1 - lead, lead + n_frames - self.weights.shape[-1])
        weights = nn.functional.pad(gains[..., None] * self.weights, reach)
        # (B, N, L, T): how much each frame of an event adds to each frame of the scene.
        shifted = weights.unfold(-1, n_frames, 1).flip(-2)
        return torch.einsum("bnfl,bnlt->bft", spectrograms, shifted)


@dataclass(frozen=True)
class Seconds(TimeCode):
    """One number an event.

    Its gradient is that of the fine offset: it says how the scene changes when the event moves a
    little, within a frame and across frames. It knows nothing of sound that is further away than
    the event is long.
    """

    seconds: Tensor  # (..., N)
    grid: Grid

    @classmethod
    def _of(cls, times: Times, grid: Grid) -> Self:
        return cls((times.frames + times.offsets.double()) * (grid.hop / grid.samplerate), grid)

    def times(self) -> Times:
        return nearest(self.seconds * self.grid.samplerate, self.grid)


@dataclass(frozen=True)
class Bits(TimeCode):
    """The number of the sample, the highest bit first: 17 bits for a segment of 2^17 samples.

    A bit is 1 where its logit is above 0. The gradient goes straight through that threshold, as if
    the bit were the logit's sigmoid: all bits are pulled the same way, each by as much as it is
    worth. No bit knows of the others, so a small move that would carry, from 0111 to 1000, is out
    of reach.
    """

    logits: Tensor  # (..., N, K)
    grid: Grid

    @classmethod
    def _of(cls, times: Times, grid: Grid) -> Self:
        """Return the bits of the nearest samples; a time before the first counts as the first."""
        samples = _samples(times, grid).clamp(min=0)
        ones = samples[..., None] >> _places(grid, samples.device) & 1
        return cls(2.0 * ones - 1.0, grid)

    @property
    def bits(self) -> Tensor:
        """The bits (..., N, K) as bool."""
        return self.logits > 0

    def times(self) -> Times:
        soft = torch.sigmoid(self.logits)
        straight = self.bits + (soft - soft.detach())
        worth = 2.0 ** _places(self.grid, soft.device).double()
        return nearest(straight.double() @ worth, self.grid)


CODES: dict[str, type[TimeCode]] = {"one-hot": OneHot, "seconds": Seconds, "bits": Bits}


def nearest(position: Tensor, grid: Grid) -> Times:
    """Return positions in samples as the nearest frames, with offsets that have the gradient.

    A clip's first event may start half a frame ahead of it. A position rounded to a little less
    belongs to the first frame too: there is none before.
    """
    position = position / grid.hop
    frames = position.detach().round().clamp(min=0)
    return Times(frames.long(), (position - frames).float())


def _samples(times: Times, grid: Grid) -> Tensor:
    """Return the numbers of the samples that events start at, int64."""
    return ((times.frames + times.offsets.detach().double()) * grid.hop).round().long()


def _places(grid: Grid, device: torch.device) -> Tensor:
    """Return the exponents (K,) of two that the bits count, the highest first."""
    return torch.arange(grid.n_bits - 1, -1, -1, device=device)
