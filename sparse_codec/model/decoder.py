"""The interface of every decoder: event vectors become spectrograms, which the encoder subtracts,
and sound.

Shapes: E events, V numbers in a vector, F bins, L frames of an event, T samples of an event. The
frames of an event are counted from `lead` frames before its onset: frame `lead` is the one it
starts in.
"""

from __future__ import annotations

import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparse_codec.config import CodecConfig
from sparse_codec.model.events import Events

LN_1000 = math.log(1000.0)  # 60 dB as an exponent of amplitude


def perceptron(n_in: int, n_out: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(n_in, hidden),
        nn.SiLU(),
        nn.Linear(hidden, hidden),
        nn.SiLU(),
        nn.Linear(hidden, n_out),
    )


@dataclass(frozen=True)
class Stages:
    """The sound of events after each stage, (E, T) each; the last is the event itself."""

    excitation: Tensor
    resonance: Tensor
    room: Tensor


@dataclass(frozen=True)
class Rounding:
    """How numbers of events are rounded in files, and expected from the event before."""

    steps: tuple[float, ...]  # (V + 1,) of vectors, and of twice the fine time
    # numbers that count frames from 1, at -1, to `longest`, at 1: to the next onset, and from there
    # to the one after
    spans: tuple[int, ...]
    longest: int
    coarseness: int  # levels of gain, 0.75 dB apart, that are rounded to one
    # a number, and another that is how fast it changes towards the next event's: `glide` for a
    # change by 1 in a frame
    slopes: tuple[int, ...]
    glide: float
    # a number, and others that are not heard where it is below `muted`
    mute: tuple[int, ...]
    muted: float


# The vector (1, V), the fine time (1,) and the onset in samples of an event -> its sound (1, T).
Mixing: TypeAlias = Callable[[Tensor, Tensor, int], Tensor]


class Decoder(nn.Module, ABC):
    """Vectors (E, V) in [-1, 1] -> spectrograms of unit energy, and sound at the same scale.

    This is all that the codec, refinement and training use of a decoder.
    """

    pitch_numbers: tuple[int, ...]  # of a vector; a small change of these changes no timbre
    config: CodecConfig
    lead: int  # frames before the onset whose window reaches it
    event_frames: int  # L
    pace: Tensor  # (V,) how far refinement moves each number of a vector in a step
    # sounds of `mixing` beat where events overlap, unless their sum is made consistent
    beats: bool = True

    @abstractmethod
    def spectrograms(self, vectors: Tensor, offsets: Tensor) -> Tensor:
        """Return magnitudes (E, F, L) at unit gain of events with fine times (E,) in frames."""

    @abstractmethod
    def scene(self, events: Events, n_frames: int) -> Tensor:
        """Return the sum (B, F, n_frames) of the events of each segment."""

    @abstractmethod
    def render(self, vectors: Tensor, offsets: Tensor) -> Stages:
        """Return the sound of each stage at unit gain, from the onset on.

        The fine times (E,) only say at which scale the event's spectrogram has unit energy: the
        caller puts the sound in its place.
        """

    @abstractmethod
    def sound(self, vectors: Tensor, offsets: Tensor) -> Tensor:
        """Return the last stage (E, T) of `render`, the same bits, and compute no other."""

    def sound_and_spectrograms(self, vectors: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        """Return `sound` and `spectrograms`, the same bits. For decoders that share work in it."""
        return self.sound(vectors, offsets), self.spectrograms(vectors, offsets)

    def rounding(self) -> Rounding | None:
        """Return how numbers are rounded in files; None: by how much they change spectrograms."""
        return None

    def mixing(self) -> Mixing:
        """Return what gives event after event, in the order of time, the sound that it has in the
        mix: by default the one that it has alone.
        """
        return lambda vectors, offsets, onset: self.sound(vectors, offsets)


@dataclass(frozen=True)
class Target:
    """Residuals around events that are to be matched."""

    spectrum: Tensor  # (E, F, L), zero outside the mask
    mask: Tensor  # (E, L), 1 in the frames that count


def around(residual: Tensor, frames: Tensor, decoder: Decoder) -> Target:
    """Cut residuals (B, F, T) to the frames of events that start at frames (B, K): B * K targets.

    Only frames of the segment before the horizon count.
    """
    length, lead, horizon = decoder.event_frames, decoder.lead, decoder.config.horizon_frames
    rows = torch.arange(len(frames), device=frames.device).repeat_interleave(frames.shape[1])
    padded = F.pad(residual[:, :, :horizon], (lead, length))
    spectrum = padded.unfold(2, length, 1)[rows, :, frames.flatten()]
    at = frames.flatten()[:, None] - lead + torch.arange(length, device=frames.device)
    return Target(spectrum, ((at >= 0) & (at < horizon)).float())


@functools.lru_cache
def fixed_noise(n_samples: int, seed: int) -> Tensor:
    """White noise (n_samples,) of variance 1, the same on every machine and in every call."""
    return torch.randn(n_samples, generator=torch.Generator().manual_seed(seed))
