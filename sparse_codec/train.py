"""Training: one optimiser step for every greedy step, on a pool of segments at all depths.

A greedy step subtracts an event whose gradient goes no further than that step, so each can be learnt from at
once: memory does not grow with the number of events. The pool keeps segments in every stage of their
decomposition; one that has given all its events is replaced by a fresh one.
"""

from __future__ import annotations

import json
import math
import pickle
import random
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sparse_codec.codec import SparseCodec
from sparse_codec.config import CodecConfig, ConfigError, EncodeOptions, TrainingConfig, config_tables, read_config
from sparse_codec.data import Recording, find_recordings, held_out_segments, random_segment
from sparse_codec.discriminator import Discriminator, discriminator_loss, generator_loss
from sparse_codec.losses import greedy_loss, removal
from sparse_codec.spectrogram import shares_removed

LOG_SECONDS = 30  # a line this often
VALIDATE_SECONDS = 300  # and a validation with a checkpoint this often
VALIDATION = EncodeOptions(candidates=6, refine=0, joint_gains=True)
VALIDATION_SEGMENTS = 12


def print_at_once(line: str) -> None:
    """Print also where output is a pipe or a file, so that a run can be followed."""
    print(line, flush=True)


@dataclass
class Pool:
    """Segments in flight. P segments, F bins, T frames."""

    residual: Tensor  # (P, F, T)
    original: Tensor  # (P, F, T), what the discriminator takes for real
    heard: Tensor  # (P, F, T), the sum of the events so far, each kept with a chance of one half
    depth: Tensor  # (P,) events taken so far


class Trainer:
    """A codec, its discriminator, their optimisers and the pool: all that a training run is."""

    def __init__(
        self, config: CodecConfig, training: TrainingConfig, recordings: list[Recording], device: str, log=print_at_once
    ):
        self.config, self.training, self.log = config, training, log
        self.train_set = [r for r in recordings if r.split == "train"]
        self.test_set = [r for r in recordings if r.split == "test"]
        torch.manual_seed(training.seed)
        self.rng = random.Random(training.seed)
        self.codec = SparseCodec(config).to(device)
        sizes = training.discriminator_channels, training.discriminator_layers
        self.discriminator = Discriminator(config.n_bins, *sizes).to(device)
        options = dict(lr=training.learning_rate, weight_decay=training.weight_decay)
        self.optimiser = torch.optim.AdamW(self.codec.parameters(), **options)
        self.critic_optimiser = torch.optim.AdamW(self.discriminator.parameters(), lr=2e-4, betas=(0.5, 0.9))
        self.step, self.seconds, self.history = 0, 0.0, []
        self.pool: Pool | None = None

    # ---- the loop

    def run(self, out: Path) -> None:
        """Train until the steps or minutes of the configuration are done; checkpoints go to the folder `out`."""
        if not self.train_set:
            raise ValueError("no recordings to train on; every work was held out: give more data")
        if self.progress() >= 1:
            self.log(f"already trained: {out} is done; choose another folder or more steps")
            return
        self.pool = self._fill_pool()
        started, logged, validated = time.monotonic() - self.seconds, time.monotonic(), time.monotonic()
        totals, since = np.zeros(3), self.step
        while self.progress() < 1:
            totals += self.train_step()
            self.seconds = time.monotonic() - started
            if time.monotonic() - logged > LOG_SECONDS:
                self._log_line(totals / (self.step - since), (self.step - since) / (time.monotonic() - logged))
                totals, since, logged = np.zeros(3), self.step, time.monotonic()
            if time.monotonic() - validated > VALIDATE_SECONDS:
                self._checkpoint(out)
                validated = time.monotonic()
        self._checkpoint(out)

    def _checkpoint(self, out: Path) -> None:
        self.save(out)  # first, so that whatever validation meets costs no training
        self.validate()
        self.save(out)

    def progress(self) -> float:
        """Share of the run that is done, from 0 to 1."""
        if self.training.minutes > 0:
            return min(1.0, self.seconds / (60 * self.training.minutes))
        return min(1.0, self.step / self.training.steps)

    def train_step(self) -> tuple[float, float, float]:
        """One greedy step on a batch of the pool; returns the loss, the mean share and the adversarial loss."""
        self._set_learning_rate()
        weights, pool = self.training, self.pool
        picked = torch.randperm(weights.pool)[: weights.batch].to(pool.residual.device)
        proposed = self.codec.encoder(pool.residual[picked], weights.candidates, explore=weights.candidates > 1)
        target = self.codec.around(pool.residual[picked], proposed.frames)
        vectors, offsets = proposed.vectors.flatten(0, 1), proposed.offsets.flatten()
        sample = self._sample_frames()
        removed = removal(
            target,
            *self.codec.decoder.match(target, vectors, offsets),
            self.codec.decoder.spectrograms(vectors, offsets, sample),
            sample,
            gain=proposed.switches.flatten() if self.config.gain == "switch" else None,
        )
        loss = greedy_loss(removed, proposed.scores.flatten(), weights)
        best = removed.share.detach().unflatten(0, proposed.frames.shape).argmax(1)
        best = best + weights.candidates * torch.arange(len(picked), device=best.device)
        frames = proposed.frames.flatten()[best]
        adversarial = self._is_adversarial_step()
        with torch.set_grad_enabled(adversarial):
            events = self.codec.decoder.spectrograms(vectors[best], offsets[best])
            events = events * removed.gain[best, None, None]
        realism = self._realism(picked, events, frames) if adversarial else torch.zeros(())
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss.item()} at step {self.step}; the last checkpoint is kept")
        self.optimiser.zero_grad(set_to_none=True)
        (loss + weights.adversarial * realism).backward()
        nn.utils.clip_grad_norm_(self.codec.parameters(), 1.0)
        self.optimiser.step()
        self._subtract(picked, events.detach(), frames)
        self.step += 1
        return loss.item(), removed.share[best].mean().item(), realism.item()

    def _set_learning_rate(self) -> None:
        peak, done = self.training.learning_rate, self.progress()
        warm = min(1.0, (self.step + 1) / max(1, self.training.warmup_steps))
        for group in self.optimiser.param_groups:
            group["lr"] = peak * (warm * (0.5 + 0.5 * math.cos(math.pi * done)) + 0.01)

    def _sample_frames(self) -> Tensor:
        """One frame in every `frame_stride`, each drawn from its own stretch."""
        stride = self.training.frame_stride
        first = torch.arange(0, self.codec.decoder.event_frames - stride + 1, stride)
        return (first + torch.randint(stride, first.shape)).to(self.codec.device)

    def _is_adversarial_step(self) -> bool:
        return self.training.adversarial > 0 and self.step % self.training.adversarial_every == 0

    def _realism(self, picked: Tensor, events: Tensor, frames: Tensor) -> Tensor:
        """How far the sum of half of the events is from fooling the discriminator, which takes a step of its own."""
        half = self.config.half_frames
        fake = (self.pool.heard[picked] + self.codec.place(events, frames))[:, :, :half]
        real = self.pool.original[picked][:, :, :half]
        critic_loss = discriminator_loss(self.discriminator(real), self.discriminator(fake.detach()))
        self.critic_optimiser.zero_grad(set_to_none=True)
        critic_loss.backward()
        self.critic_optimiser.step()
        return generator_loss(self.discriminator(fake))

    def _subtract(self, picked: Tensor, events: Tensor, frames: Tensor) -> None:
        """Take the chosen events off the pool's residuals, and renew the segments that are done."""
        pool = self.pool
        placed = self.codec.place(events, frames)
        pool.residual[picked] -= placed
        kept = torch.rand(len(picked), device=placed.device) < 0.5
        pool.heard[picked] += placed * kept[:, None, None]
        pool.depth[picked] += 1
        for i in picked[pool.depth[picked] >= self.config.n_events].tolist():
            fresh = self._segment()
            pool.original[i], pool.residual[i], pool.heard[i], pool.depth[i] = fresh, fresh, 0.0, 0

    # ---- data

    def _segment(self) -> Tensor:
        """Magnitudes (F, T) of a random training segment."""
        audio = random_segment(self.train_set, self.config.segment_samples, self.config.samplerate, self.rng)
        return self.codec.magnitudes(torch.from_numpy(audio)[None])[0]

    def _fill_pool(self) -> Pool:
        original = torch.stack([self._segment() for _ in range(self.training.pool)])
        # Spread the depths from the start, so that segments are not all renewed at once.
        depth = torch.randint(0, self.config.n_events, (len(original),), device=original.device)
        return Pool(original.clone(), original, torch.zeros_like(original), depth)

    # ---- what is written down

    @torch.no_grad()
    def validate(self) -> None:
        """Energy removed from a few held-out segments, logged."""
        spread = self.test_set[:: max(1, len(self.test_set) // VALIDATION_SEGMENTS)][:VALIDATION_SEGMENTS]
        options = self.config.encode if self.config.gain == "switch" else VALIDATION
        shares = []
        for audio in held_out_segments(spread, self.config.segment_samples, self.config.samplerate, each=1):
            original = self.codec.magnitudes(torch.from_numpy(audio)[None])
            residual = self.codec.decompose(original, options).residual
            shares.append(shares_removed(residual, original, self.config.half_frames))
        if not shares:
            return
        l2, l1 = np.mean(shares, axis=0).tolist()
        self.history.append({"step": self.step, "seconds": round(self.seconds), "l2": l2, "l1": l1})
        self.log(f"step {self.step}  held-out energy removed: L2 {l2:.3f}  L1 {l1:.3f}")

    def _log_line(self, means: np.ndarray, steps_per_second: float) -> None:
        loss, share, realism = means
        speed = f"{1000 / steps_per_second:.0f} ms/step  {steps_per_second * self.training.batch:.1f} segments/s"
        extra = f"  adversarial {realism:.3f}" if self.training.adversarial else ""
        done = f"{100 * self.progress():.0f} %"
        self.log(f"step {self.step}  {done}  loss {loss:.4f}  share {share:.4f}{extra}  {speed}")

    def card(self) -> dict:
        """Facts about this run, kept in the checkpoint."""
        return {
            "steps": self.step,
            "hours": round(self.seconds / 3600, 3),
            "train_recordings": len(self.train_set),
            "held_out_recordings": len(self.test_set),
            "training": asdict(self.training),
            "history": self.history,
            "torch": torch.__version__,
        }

    def save(self, out: Path) -> None:
        """Write `model.safetensors` and, to go on from, `state.pt`."""
        out.mkdir(parents=True, exist_ok=True)
        self.codec.save(out / "model.safetensors", self.card())
        state = {
            "codec": self.codec.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "critic_optimiser": self.critic_optimiser.state_dict(),
            "config": json.dumps(config_tables(self.config)),
            "recordings": json.dumps(sorted(str(r.path) for r in self.train_set)),
            "progress": json.dumps([self.step, self.seconds, self.history]),
            "random": torch.get_rng_state(),
        }
        torch.save(state, out / "state.part")
        (out / "state.part").replace(out / "state.pt")

    def resume(self, out: Path) -> None:
        """Go on where `save` left off. The pool is drawn anew: only segments in flight are lost.

        Raises: ConfigError if the state is damaged or belongs to another configuration or other recordings.
        """
        try:
            state = torch.load(out / "state.pt", map_location=self.codec.device, weights_only=True)
            mine = json.dumps(config_tables(self.config)), json.dumps(sorted(str(r.path) for r in self.train_set))
            if (state["config"], state["recordings"]) != mine:
                raise ConfigError(f"{out}: holds a run of another configuration or data; choose another folder")
        except (RuntimeError, EOFError, KeyError, pickle.UnpicklingError) as error:
            raise ConfigError(f"{out / 'state.pt'}: damaged ({error}); delete it or choose another folder") from error
        for part in ("codec", "discriminator", "optimiser", "critic_optimiser"):
            getattr(self, part).load_state_dict(state[part])
        self.step, self.seconds, self.history = json.loads(state["progress"])
        torch.set_rng_state(state["random"].cpu())
        self.rng.seed(self.training.seed + self.step)
        self.log(f"going on at step {self.step}, after {self.seconds / 60:.1f} minutes")


def train(
    config: Path, folders: list[Path], out: Path, device: str = "", minutes: float | None = None,
    steps: int | None = None, log=print_at_once,
) -> Path:  # fmt: skip
    """Train by a TOML file on folders of audio; returns the checkpoint, `out`/model.safetensors.

    A run that was interrupted goes on. `device` is "cpu" or "cuda", by default a GPU where there is one; `minutes` or
    `steps` take the place of the configuration's. Raises: ConfigError, AudioError, OSError, and ValueError for
    a device that is not there or a length that is not above 0.
    """
    for name, length in (("minutes", minutes), ("steps", steps)):
        if length is not None and length <= 0:
            raise ValueError(f"{name} = {length}: give more than 0")
    codec_config, training = read_config(config)
    if steps is not None:
        training = replace(training, steps=steps, minutes=0.0)
    if minutes is not None:
        training = replace(training, minutes=minutes)
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda: this machine has no usable GPU; use --device cpu")
    recordings = [recording for folder in folders for recording in find_recordings(folder)]
    out.mkdir(parents=True, exist_ok=True)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    trainer = Trainer(codec_config, training, recordings, device, log)
    log(f"{codec_config}\n{training}")
    n_parameters = sum(p.numel() for p in trainer.codec.parameters())
    log(
        f"{n_parameters} parameters, {len(trainer.train_set)} recordings, {len(trainer.test_set)} held out, on {device}"
    )
    if (out / "state.pt").exists():
        trainer.resume(out)
    trainer.run(out)
    return out / "model.safetensors"
