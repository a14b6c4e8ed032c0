"""Sound whose spectrogram is the events' own, though events overlap.

Events are found by magnitudes, which add up: the *scene* is the sum of the events' spectrograms.
The sum of their sounds has other magnitudes, because partials of two events that lie side by side
beat. Here the STFT of that sum takes the magnitudes of the scene and keeps its own phases. In
general no sound has such an STFT, so the sound whose STFT is nearest is made, its phases are taken,
and so on, for a few steps.

Source: Griffin and Lim 1984, Signal estimation from modified short-time Fourier transform, IEEE
Trans. ASSP 32; with momentum, Perraudin, Balazs and Sondergaard 2013, A fast Griffin-Lim algorithm,
WASPAA.

A clip is cut into blocks of frames, always at the same places and of the same size, each with
`context` frames on both sides: phases depend on no frame further away. So the result does not
depend on how events come in.

Shapes: F bins, T frames, S samples. Here frame j is centred `lead` frames ahead of sample j * hop,
so that the spectrogram of an event in frame f of its clip begins in frame j = f. Frame j sees the
samples from (j - 2 lead) hop to j hop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sparse_codec.config import CodecConfig
from sparse_codec.model.spectrogram import hann

STEPS = 3  # of the projection
MOMENTUM = 0.99  # of a step, in the step before it


@dataclass(frozen=True)
class Transform:
    """The STFT of a codec, and its inverse by least squares, with frames at both ends that see a
    part of the sound only.
    """

    window: int
    hop: int

    @property
    def overlaps(self) -> int:
        """How many frames see a sample."""
        return self.window // self.hop

    def analyse(self, sound: Tensor) -> Tensor:
        """Return the STFT (T, F) of a sound of (T - 1) hop + window samples."""
        return torch.fft.rfft(sound.unfold(0, self.window, self.hop) * hann(self.window))

    def synthesise(self, spectrum: Tensor) -> Tensor:
        """Return the sound, (T - 1) hop + window samples, of an STFT (T, F).

        It rises at the start and falls at the end, where frames before and after would add to it:
        the sound of two stretches of frames is the sum of their sounds.
        """
        frames = torch.fft.irfft(spectrum, self.window) * hann(self.window) / self._weight()
        n_frames = len(frames)
        sound = frames.new_zeros(n_frames + self.overlaps - 1, self.hop)
        for i, part in enumerate(frames.unflatten(1, (self.overlaps, -1)).unbind(1)):
            sound[i : i + n_frames] += part
        return sound.flatten()

    def _weight(self) -> Tensor:
        """The sum of squared windows over a sample (window,), which repeats with the hop."""
        squares = hann(self.window).pow(2).view(self.overlaps, self.hop)
        return squares.sum(0).repeat(self.overlaps)


class RunningSum:
    """A sum of arrays (..., S) that begin anywhere, whose front is forgotten when it is final.

    Columns before `start` are zeros at first, columns after the last that was added always.
    """

    def __init__(self, start: int, *shape: int):
        self.start = start
        self.columns = np.zeros((*shape, 0), np.float32)

    def add(self, at: int, values: np.ndarray) -> None:
        """Add values (..., n) to the columns from `at` on, which must not be forgotten."""
        begin, n = at - self.start, values.shape[-1]
        missing = begin + n - self.columns.shape[-1]
        if missing > 0:
            self.columns = _with_zeros(self.columns, max(missing, self.columns.shape[-1] // 2))
        self.columns[..., begin : begin + n] += values

    def between(self, start: int, end: int) -> np.ndarray:
        """Return a copy of the columns from `start`, which must not be forgotten, to `end`."""
        columns = self.columns[..., start - self.start : end - self.start]
        return _with_zeros(columns, end - start - columns.shape[-1])

    def forget(self, end: int) -> None:
        """Drop the columns before `end`."""
        self.columns = self.columns[..., max(0, end - self.start) :].copy()
        self.start = max(self.start, end)


def _with_zeros(columns: np.ndarray, n: int) -> np.ndarray:
    zeros = np.zeros((*columns.shape[:-1], n), np.float32)
    return np.concatenate([columns, zeros], axis=-1)


@dataclass(frozen=True)
class Block:
    """A stretch of frames whose magnitudes and phases are final."""

    start: int  # the first frame
    magnitudes: Tensor  # (T, F) of the scene
    phases: Tensor  # (T, F) complex, of modulus 1; 0 where the sum of events is silent


class Projection:
    """The sums of events' sounds and spectrograms, and phases that agree with both.

    Events are added in the order of their frames. Memory does not grow with the clip, as long as
    blocks are taken.
    """

    def __init__(self, config: CodecConfig, steps: int = STEPS):
        self.transform, self.steps = Transform(config.window, config.hop), steps
        self.hop, self.size = config.hop, max(1, config.half_frames // 2)
        # a step carries what a frame has to all frames that see a sample of it
        self.context = steps * (self.transform.overlaps - 1)
        self.next = 0  # the first frame that is not yet taken
        self.scene = RunningSum(-self.context, config.n_bins)
        self.sound = RunningSum(self._first_sample(-self.context))

    def add(self, frame: int, spectrogram: np.ndarray, onset: int, sound: np.ndarray) -> None:
        """Add an event in a frame: its spectrogram (F, L), and its sound (S,) from its onset on."""
        self.scene.add(frame, spectrogram)
        self.sound.add(onset, sound)

    def ready(self, n_frames: int) -> Iterator[Block]:
        """Yield blocks that no event depends on which starts in frame `n_frames` or later."""
        while self.next + self.size + self.context <= n_frames:
            yield self.take()

    def take(self) -> Block:
        """Return the next block, though events may be missing from it."""
        start, context = self.next, self.context
        first, last = start - context, start + self.size + context
        magnitudes = torch.from_numpy(self.scene.between(first, last)).T.contiguous()
        sound = torch.from_numpy(
            self.sound.between(self._first_sample(first), (last - 1) * self.hop)
        )
        phases = project(self.transform, magnitudes, sound, self.steps)
        own = slice(context, context + self.size)
        self.next = start + self.size
        self.scene.forget(self.next - context)
        self.sound.forget(self._first_sample(self.next - context))
        return Block(start, magnitudes[own], phases[own])

    def _first_sample(self, frame: int) -> int:
        """The first sample that a frame sees."""
        return (frame - self.transform.overlaps) * self.hop


def project(transform: Transform, magnitudes: Tensor, sound: Tensor, steps: int) -> Tensor:
    """Return phases (T, F), complex of modulus 1 or 0, that go with magnitudes (T, F).

    They start from those of a sound, of (T - 1) hop + window samples.
    """
    phases = torch.sgn(transform.analyse(sound))
    before: Tensor | None = None
    for _ in range(steps):
        after = transform.analyse(transform.synthesise(magnitudes * phases))
        ahead = after if before is None else after + MOMENTUM * (after - before)
        before, phases = after, torch.sgn(ahead)
    return phases


class Synthesis:
    """The sound of blocks that follow each other, from sample 0 on."""

    def __init__(self, config: CodecConfig):
        self.transform, self.hop = Transform(config.window, config.hop), config.hop
        self.sum, self.end = RunningSum(-config.window), 0

    def add(self, block: Block) -> np.ndarray:
        """Return the samples that are final with this block: those before `end`, and after the ones
        that came with the block before.
        """
        first = (block.start - self.transform.overlaps) * self.hop
        spectrum = block.magnitudes * block.phases
        self.sum.add(first, self.transform.synthesise(spectrum).numpy())
        start, self.end = self.end, max(0, first + len(spectrum) * self.hop)
        sound = self.sum.between(start, self.end)
        self.sum.forget(self.end)
        return sound
