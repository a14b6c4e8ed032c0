"""What a training step learns from: residuals at all depths, and scenes whose events are being fitted.

A greedy step subtracts an event whose gradient goes no further than that step, so each can be learnt from at
once: memory does not grow with the number of events. The pool keeps segments in every stage of their decomposition;
one that has given all its events is replaced by a fresh one. Scenes are segments with all their events, which are
moved a little at every step while the decoder learns from how well they fit together.

Every draw depends on the seed, the step and its own place alone: an interrupted run goes on exactly, and ranks that
share the places draw what one process alone would.
"""

from __future__ import annotations

import math
import random
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sparse_codec.audio.recordings import Recording, random_segment
from sparse_codec.codec import SparseCodec
from sparse_codec.config import CodecConfig, EncodeOptions, TrainingConfig
from sparse_codec.model.refine import RATE, Events, FreeEvents

SCENE_ENCODING = EncodeOptions(candidates=4, interim=0, refine=0)


@dataclass(frozen=True)
class Share:
    """Which of the places in a batch are this process's: every `world`-th, from `rank` on."""

    rank: int = 0
    world: int = 1

    def of(self, n: int) -> range:
        return range(self.rank, n, self.world)


class Segments:
    """Random training segments: number `count` of place `slot` is always the same. The next ones are decoded ahead."""

    def __init__(self, recordings: list[Recording], config: CodecConfig, seed: int):
        self.recordings, self.config, self.seed = recordings, config, seed
        self.ahead: dict[tuple[int, int], Future] = {}
        self.worker = ThreadPoolExecutor(1)

    def __call__(self, slot: int, count: int) -> Tensor:
        """Samples (segment_samples,), peak 1."""
        waiting = self.ahead.pop((slot, count), None)
        audio = waiting.result() if waiting else self._draw(slot, count)
        self.ahead[slot, count + 1] = self.worker.submit(self._draw, slot, count + 1)
        return torch.from_numpy(audio)

    def _draw(self, slot: int, count: int) -> np.ndarray:
        rng = random.Random(f"{self.seed} segment {slot} {count}")
        return random_segment(
            self.recordings, self.config.segment_samples, self.config.samplerate, rng
        )


@dataclass(frozen=True)
class Draw:
    """What one step takes from the pool. B segments."""

    rows: Tensor  # (B,)
    explore: Tensor  # (B,) uniform, which candidate to try at random
    kept: Tensor  # (B,) whether the discriminator hears this step's event later


class Pool:
    """Segments in flight. P segments, F bins, T frames. `saved` is what `state` gave in an earlier run."""

    def __init__(
        self,
        codec: SparseCodec,
        segments: Segments,
        training: TrainingConfig,
        share: Share,
        saved: dict | None = None,
    ):
        self.codec, self.segments, self.training = codec, segments, training
        self.columns = share.of(training.batch)  # a batch takes one segment from each column
        self.depth_of_column = training.pool // training.batch
        self.slots = [
            column * self.depth_of_column + i
            for column in self.columns
            for i in range(self.depth_of_column)
        ]
        # Spread the depths from the start, so that segments are not all renewed at once.
        depths = [
            random.Random(f"{training.seed} depth {s}").randrange(codec.config.n_events)
            for s in self.slots
        ]
        self.depth = saved["depth"] if saved else torch.tensor(depths)
        self.counts = saved["counts"] if saved else torch.zeros(len(self.slots), dtype=torch.long)
        self.original = torch.stack([self._magnitudes(i) for i in range(len(self.slots))])
        self.residual = saved["residual"].to(codec.device) if saved else self.original.clone()
        # the sum of the events so far, each kept with a chance of a half
        self.heard = saved["heard"].to(codec.device) if saved else torch.zeros_like(self.original)

    def draw(self, step: int) -> Draw:
        rows, explore, kept = [], [], []
        for i, column in enumerate(self.columns):
            rng = random.Random(f"{self.training.seed} draw {step} {column}")
            rows.append(i * self.depth_of_column + rng.randrange(self.depth_of_column))
            explore.append(rng.random())
            kept.append(rng.random() < 0.5)
        device = self.residual.device
        return Draw(
            torch.tensor(rows),
            torch.tensor(explore, device=device),
            torch.tensor(kept, device=device),
        )

    def subtract(self, draw: Draw, events: Tensor) -> None:
        """Take events (B, F, T) off the residuals, and renew the segments that are done."""
        self.residual[draw.rows] -= events
        self.heard[draw.rows] += events * draw.kept[:, None, None]
        self.depth[draw.rows] += 1
        for i in draw.rows[self.depth[draw.rows] >= self.codec.config.n_events].tolist():
            self.counts[i] += 1
            fresh = self._magnitudes(i)
            self.original[i], self.residual[i], self.heard[i], self.depth[i] = fresh, fresh, 0.0, 0

    def _magnitudes(self, i: int) -> Tensor:
        return self.codec.magnitudes(self.segments(self.slots[i], int(self.counts[i]))[None])[0]

    def state(self) -> dict[str, Tensor]:
        names = ("residual", "heard", "depth", "counts")
        return {name: getattr(self, name) for name in names}


class Scenes:
    """Segments with all their events, which are fitted by Adam, each for `scene_visits` steps. S scenes.

    `saved` is what `state` gave in an earlier run.
    """

    def __init__(
        self,
        codec: SparseCodec,
        segments: Segments,
        training: TrainingConfig,
        share: Share,
        saved: dict | None = None,
    ):
        self.codec, self.segments, self.training = codec, segments, training
        self.slots = [training.pool + i for i in share.of(training.scenes)]
        if saved:
            self._take_over(saved)
        elif self.slots:
            self._draw()

    def __len__(self) -> int:
        return len(self.slots)

    def _draw(self) -> None:
        # Spread the ages, so that the scenes are not all renewed at once.
        places = [slot - self.training.pool for slot in self.slots]
        self.visits = torch.tensor(
            [i * self.training.scene_visits // self.training.scenes for i in places]
        )
        self.counts = torch.zeros(len(self.slots), dtype=torch.long)
        fitted = [self._encode(i) for i in range(len(self.slots))]
        self.original = torch.stack([original for original, _ in fitted])
        parts = [
            [getattr(e, n) for _, e in fitted] for n in ("vectors", "frames", "offsets", "gains")
        ]
        self.events = FreeEvents(
            Events(*(torch.cat(part) for part in parts)), self.codec.decoder.pace
        )
        self.moments = torch.zeros(2, *self.events.free.shape, device=self.original.device)

    def _take_over(self, saved: dict[str, Tensor]) -> None:
        self.visits, self.counts = saved["visits"], saved["counts"]
        names = ("original", "moments", "free", "frames", "alive")
        self.original, self.moments, free, frames, alive = (
            saved[name].to(self.codec.device) for name in names
        )
        self.events = FreeEvents.restored(free, frames, alive, self.codec.decoder.pace)

    def update(self) -> None:
        """One step of Adam on the events, by their gradients; scenes that are done are renewed."""
        events, grad, visits = self.events, self.events.free.grad, self.visits
        for moment, kept, value in zip(
            self.moments, (0.9, 0.999), (grad, grad.pow(2)), strict=True
        ):
            moment.mul_(kept).add_(value, alpha=1 - kept)
        age = (visits + 1.0).to(grad.device)[:, None, None]
        mean, square = self.moments[0] / (1 - 0.9**age), self.moments[1] / (1 - 0.999**age)
        rate = RATE * (0.5 + 0.5 * torch.cos(math.pi * age / self.training.scene_visits))
        events.free.data -= rate * mean / (square.sqrt() + 1e-12)
        events.free.grad = None
        visits += 1
        for i in (visits >= self.training.scene_visits).nonzero()[:, 0].tolist():
            self.counts[i] += 1
            self.original[i], fresh = self._encode(i)
            fresh = FreeEvents(fresh, self.codec.decoder.pace)
            events.free.data[i], events.frames[i], events.alive[i] = (
                fresh.free[0],
                fresh.frames[0],
                fresh.alive[0],
            )
            self.moments[:, i], visits[i] = 0, 0

    def _encode(self, i: int) -> tuple[Tensor, Events]:
        """Magnitudes (F, horizon) of the next segment of a place, and its events, batch 1."""
        audio = self.segments(self.slots[i], int(self.counts[i]))
        found = self.codec.decompose(self.codec.magnitudes(audio[None]), SCENE_ENCODING)
        events = Events(found.vectors, found.frames, found.offsets, found.gains)
        return found.original[0, :, : self.codec.config.horizon_frames], events

    def state(self) -> dict[str, Tensor]:
        if not len(self):
            return {}
        events = {
            "free": self.events.free.data,
            "frames": self.events.frames,
            "alive": self.events.alive,
        }
        return events | {
            name: getattr(self, name) for name in ("visits", "counts", "moments", "original")
        }
