"""Sound whose spectrogram is the events' own, though events overlap.

Events are found by magnitudes, which add up: the *scene* is the sum of the events' spectrograms.
The sum of their sounds has other magnitudes, because partials of two events that lie side by side
beat. Here the STFT of that sum takes the magnitudes of the scene and keeps its own phases. In
general no sound has such an STFT, so the sound whose STFT is nearest is made, its phases are taken,
and so on, for a few steps. At the end each event is made silent before its onset.

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

import functools
import math
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
        frames = torch.fft.irfft(spectrum, self.window) * _least_squares(self.window, self.hop)
        n_frames = len(frames)
        sound = frames.new_zeros(n_frames + self.overlaps - 1, self.hop)
        for i, part in enumerate(frames.unflatten(1, (self.overlaps, -1)).unbind(1)):
            sound[i : i + n_frames] += part
        return sound.flatten()

    def first_sample(self, frame: int) -> int:
        """The first sample that a frame sees."""
        return (frame - self.overlaps) * self.hop

    # An STFT cannot tell where in a window a sound begins, so the projection lets an event begin
    # softly, up to a window ahead of its onset. That is taken off, but for the last half hop.
    def early(self, frame: int, onset: int) -> Tensor:
        """Return the share that is taken off of each sample of an event before its onset: from the
        first sample that its first frame sees.
        """
        share = torch.ones(onset - self.first_sample(frame))
        fall = torch.arange(self.hop // 2) / (self.hop // 2)
        share[-len(fall) :] = torch.cos(math.pi / 2 * fall).square()
        return share


@functools.lru_cache
def _least_squares(window: int, hop: int) -> Tensor:
    """The window (window,) of frames that are added up, over the sum of squared windows, which
    repeats with the hop.
    """
    squares = hann(window).pow(2).view(-1, hop).sum(0)
    return hann(window) / squares.repeat(window // hop)


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
class Start:
    """The frames of an event that see samples before its onset."""

    frame: int  # the first
    onset: int  # in samples
    magnitudes: Tensor  # (overlaps + 1, F)


@dataclass(frozen=True)
class Block:
    """A stretch of frames whose magnitudes and phases are final."""

    start: int  # the first frame
    magnitudes: Tensor  # (T, F) of the scene
    phases: Tensor  # (T, F) complex, of modulus 1; 0 where the sum of events is silent
    starts: list[Start]  # of events, that end in this block and not before


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
        self.starts: list[Start] = []
        self.scene = RunningSum(-self.context, config.n_bins)
        self.sound = RunningSum(self.transform.first_sample(-self.context))

    def add(self, frame: int, spectrogram: np.ndarray, onset: int, sound: np.ndarray) -> None:
        """Add an event in a frame: its spectrogram (F, L), and its sound (S,) from its onset on."""
        self.scene.add(frame, spectrogram)
        self.sound.add(onset, sound)
        first = spectrogram[:, : self.transform.overlaps + 1].T.copy()
        self.starts.append(Start(frame, onset, torch.from_numpy(first)))

    def ready(self, n_frames: int) -> Iterator[Block]:
        """Yield blocks that no event depends on which starts in frame `n_frames` or later."""
        while self.next + self.size + self.context <= n_frames:
            yield self.take()

    def take(self) -> Block:
        """Return the next block, though events may be missing from it."""
        start, context = self.next, self.context
        first, last = start - context, start + self.size + context
        magnitudes = torch.from_numpy(self.scene.between(first, last)).T.contiguous()
        first_sample = self.transform.first_sample
        sound = self.sound.between(first_sample(first), (last - 1) * self.hop)
        phases = project(self.transform, magnitudes, torch.from_numpy(sound), self.steps)
        own = slice(context, context + self.size)
        self.next = start + self.size
        self.scene.forget(self.next - context)
        self.sound.forget(first_sample(self.next - context))
        final = [s.frame + len(s.magnitudes) <= self.next for s in self.starts]
        starts = [s for s, is_final in zip(self.starts, final, strict=True) if is_final]
        self.starts = [s for s, is_final in zip(self.starts, final, strict=True) if not is_final]
        return Block(start, magnitudes[own], phases[own], starts)


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
        # of the frames before a block, which an event at its start has too
        self.phases = torch.zeros(self.transform.overlaps, config.n_bins, dtype=torch.cfloat)

    def add(self, block: Block) -> np.ndarray:
        """Return the samples that are final with this block: those before `end`, and after the ones
        that came with the block before.
        """
        overlaps, n_frames = self.transform.overlaps, len(block.phases)
        spectrum = block.magnitudes * block.phases
        self._add(block.start, self.transform.synthesise(spectrum))
        phases = torch.cat([self.phases, block.phases])
        for start in block.starts:
            begin = start.frame - block.start + overlaps
            around = start.magnitudes * phases[begin : begin + len(start.magnitudes)]
            sound = self.transform.synthesise(around)
            early = self.transform.early(start.frame, start.onset)
            self._add(start.frame, -early * sound[: len(early)])
        self.phases = phases[n_frames:]
        # events that start in the last frames are still to be taken care of
        before, self.end = self.end, max(0, (block.start + n_frames - 2 * overlaps) * self.hop)
        final = self.sum.between(before, self.end)
        self.sum.forget(self.end)
        return final

    def _add(self, frame: int, sound: Tensor) -> None:
        self.sum.add(self.transform.first_sample(frame), sound.numpy())
