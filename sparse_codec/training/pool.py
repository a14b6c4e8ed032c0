"""The material of a training step: residuals at all depths, and scenes whose events are fitted.

A greedy step subtracts an event whose gradient goes no further than that step, so each can be
learnt from at once: memory does not grow with the number of events. The pool keeps segments in
every stage of their decomposition; one that has given all its events is replaced by a fresh one.
Scenes are segments with all their events, which are moved a little at every step while the decoder
learns from how well they fit together.

Every draw depends on the seed, the step and its own place alone: an interrupted run goes on
exactly, and ranks that share the places draw what one process alone would.
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
from sparse_codec.model.events import Events
from sparse_codec.model.refine import RATE, FreeEvents

SCENE_ENCODING = EncodeOptions(candidates=4, interim=0, refine=0)
MEANS = (0.9, 0.999)  # of Adam: how much of the mean and of the mean square is kept in a step


@dataclass(frozen=True)
class RankSlice:
    """The places in a batch that belong to this process: every `world`-th, from `rank` on."""

    rank: int = 0
    world: int = 1

    def of(self, n: int) -> range:
        return range(self.rank, n, self.world)


class Segments:
    """Random training segments: number `count` of place `slot` is always the same.

    The next ones are decoded ahead, in a thread.
    """

    def __init__(self, recordings: list[Recording], config: CodecConfig, seed: int):
        self.recordings, self.config, self.seed = recordings, config, seed
        self.ahead: dict[tuple[int, int], Future[np.ndarray]] = {}
        self.worker = ThreadPoolExecutor(1)

    def __call__(self, slot: int, count: int) -> Tensor:
        """Return samples (segment_samples,), peak 1."""
        waiting = self.ahead.pop((slot, count), None)
        audio = waiting.result() if waiting else self._draw(slot, count)
        self.ahead[slot, count + 1] = self.worker.submit(self._draw, slot, count + 1)
        return torch.from_numpy(audio)

    def _draw(self, slot: int, count: int) -> np.ndarray:
        config, rng = self.config, random.Random(f"{self.seed} segment {slot} {count}")
        return random_segment(self.recordings, config.segment_samples, config.samplerate, rng)


@dataclass(frozen=True)
class Draw:
    """The share of one step in the pool. B segments."""

    rows: Tensor  # (B,)
    explore: Tensor  # (B,) uniform, which candidate to try at random
    kept: Tensor  # (B,) whether the discriminator hears this step's event later


class Pool:
    """Segments in flight. P segments, F bins, T frames."""

    def __init__(
        self,
        codec: SparseCodec,
        segments: Segments,
        training: TrainingConfig,
        ranks: RankSlice,
        saved: dict[str, Tensor] | None = None,
    ):
        """Draw a pool, or with `saved`, the `state` of an earlier run, go on with that one."""
        self.codec, self.segments, self.training = codec, segments, training
        self.columns = ranks.of(training.batch)  # a batch takes one segment from each column
        self.column_size = training.pool // training.batch
        self.slots: list[int] = []
        for column in self.columns:
            self.slots += range(column * self.column_size, (column + 1) * self.column_size)
        self.depth = saved["depth"] if saved else self._spread_depths()
        self.counts = saved["counts"] if saved else torch.zeros(len(self.slots), dtype=torch.long)
        self.original = torch.stack([self._magnitudes(i) for i in range(len(self.slots))])
        self.residual = saved["residual"].to(codec.device) if saved else self.original.clone()
        # the sum of the events so far, each kept with a chance of a half
        self.heard = saved["heard"].to(codec.device) if saved else torch.zeros_like(self.original)

    def _spread_depths(self) -> Tensor:
        """Depths (P,) to start from, spread so that segments are not all renewed at once."""
        n_events, depths = self.codec.config.n_events, []
        for slot in self.slots:
            rng = random.Random(f"{self.training.seed} depth {slot}")
            depths.append(rng.randrange(n_events))
        return torch.tensor(depths)

    def draw(self, step: int) -> Draw:
        rows, explore, kept = [], [], []
        for i, column in enumerate(self.columns):
            rng = random.Random(f"{self.training.seed} draw {step} {column}")
            rows.append(i * self.column_size + rng.randrange(self.column_size))
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
        return {
            "residual": self.residual,
            "heard": self.heard,
            "depth": self.depth,
            "counts": self.counts,
        }


class Scenes:
    """Segments with all their events, which Adam fits, each for `scene_visits` steps. S scenes."""

    visits: Tensor  # (S,) steps that each scene has had
    counts: Tensor  # (S,) scenes that each place has had before
    original: Tensor  # (S, F, horizon)
    events: FreeEvents  # (S, N)
    moments: Tensor  # (2, S, N, V + 2) of Adam: means of the gradients and of their squares

    def __init__(
        self,
        codec: SparseCodec,
        segments: Segments,
        training: TrainingConfig,
        ranks: RankSlice,
        saved: dict[str, Tensor] | None = None,
    ):
        """Draw scenes, or with `saved`, the `state` of an earlier run, go on with those."""
        self.codec, self.segments, self.training = codec, segments, training
        self.slots = [training.pool + i for i in ranks.of(training.scenes)]
        if saved:
            self._take_over(saved)
        elif self.slots:
            self._draw()

    def __len__(self) -> int:
        return len(self.slots)

    def _draw(self) -> None:
        # Spread the ages, so that the scenes are not all renewed at once.
        visits, scenes = self.training.scene_visits, self.training.scenes
        places = [slot - self.training.pool for slot in self.slots]
        self.visits = torch.tensor([place * visits // scenes for place in places])
        self.counts = torch.zeros(len(self.slots), dtype=torch.long)
        originals, events = zip(*map(self._encode, range(len(self.slots))), strict=True)
        self.original = torch.stack(originals)
        self.events = FreeEvents(Events.cat(events), self.codec.decoder.pace)
        self.moments = torch.zeros(2, *self.events.free.shape, device=self.original.device)

    def _take_over(self, saved: dict[str, Tensor]) -> None:
        self.visits, self.counts = saved["visits"], saved["counts"]
        names = ("original", "moments", "free", "frames", "alive")
        self.original, self.moments, free, frames, alive = (
            saved[name].to(self.codec.device) for name in names
        )
        self.events = FreeEvents.restored(free, frames, alive, self.codec.decoder.pace)

    # Adam by hand, since scenes start at different steps: each has its own bias correction and its
    # own learning rate. Source: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1.
    def update(self) -> None:
        """Take one step of Adam on the events, by their gradients; renew scenes that are done."""
        free, visits = self.events.free, self.visits
        grad = free.grad
        assert grad is not None  # the learner's loss has all scenes
        for moment, mean, value in zip(self.moments, MEANS, (grad, grad.pow(2)), strict=True):
            moment.mul_(mean).add_(value, alpha=1 - mean)
        age = (visits + 1.0).to(grad.device)[:, None, None]
        mean, square = (m / (1 - k**age) for m, k in zip(self.moments, MEANS, strict=True))
        rate = RATE * (0.5 + 0.5 * torch.cos(math.pi * age / self.training.scene_visits))
        free.data -= rate * mean / (square.sqrt() + 1e-12)
        free.grad = None
        visits += 1
        for i in (visits >= self.training.scene_visits).nonzero()[:, 0].tolist():
            self._renew(i)

    def _renew(self, i: int) -> None:
        self.counts[i] += 1
        self.original[i], encoded = self._encode(i)
        fresh = FreeEvents(encoded, self.codec.decoder.pace)
        self.events.free.data[i] = fresh.free[0]
        self.events.frames[i], self.events.alive[i] = fresh.frames[0], fresh.alive[0]
        self.moments[:, i], self.visits[i] = 0, 0

    def _encode(self, i: int) -> tuple[Tensor, Events]:
        """Magnitudes (F, horizon) of the next segment of a place, and its events, batch 1."""
        audio = self.segments(self.slots[i], int(self.counts[i]))
        state = self.codec.decompose(self.codec.magnitudes(audio[None]), SCENE_ENCODING)
        return state.original[0, :, : self.codec.config.horizon_frames], state.events

    def state(self) -> dict[str, Tensor]:
        if not len(self):
            return {}
        return {
            "free": self.events.free.data,
            "frames": self.events.frames,
            "alive": self.events.alive,
            "visits": self.visits,
            "counts": self.counts,
            "moments": self.moments,
            "original": self.original,
        }
