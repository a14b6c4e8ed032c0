"""Training: greedy steps on a pool of residuals, and scenes whose events are fitted while the
decoder learns.

One process, or several by torchrun: each takes its slice of every batch, and
DistributedDataParallel averages their gradients, so that they do together what one process does
with the whole batch.
"""

from __future__ import annotations

import json
import math
import os
import pickle
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from sparse_codec.audio.recordings import Recording, find_recordings, held_out_segments, spread
from sparse_codec.checkpoint import find_checkpoint, read_checkpoint
from sparse_codec.codec import SparseCodec
from sparse_codec.config import (
    CodecConfig,
    ConfigError,
    EncodeOptions,
    TrainingConfig,
    VoiceDecoderConfig,
    config_tables,
    read_config,
)
from sparse_codec.model.spectrogram import shares_removed
from sparse_codec.model.threads import denormals_flushed
from sparse_codec.training.discriminator import Discriminator, discriminator_loss
from sparse_codec.training.fit_voice import fit_voice
from sparse_codec.training.learner import Learner, Outcome
from sparse_codec.training.pool import Draw, Pool, RankSlice, Scenes, Segments

LOG_SECONDS = 30  # a line this often
VALIDATE_SECONDS = 300  # and a validation with a checkpoint this often
VALIDATION = EncodeOptions(candidates=6, interim=0, refine=20)
VALIDATION_SEGMENTS = 12

Log = Callable[[str], None]


def print_at_once(line: str) -> None:
    """Print also where output is a pipe or a file, so that a run can be followed."""
    print(line, flush=True)


class Trainer:
    """A training run: a codec, its discriminator, their optimisers, the pool and the scenes."""

    pool: Pool  # this and `scenes` are there after `prepare` or `resume`
    scenes: Scenes

    def __init__(
        self,
        config: CodecConfig,
        training: TrainingConfig,
        recordings: list[Recording],
        device: str,
        log: Log = print_at_once,
    ):
        self.config, self.training, self.log = config, training, log
        self.ranks = RankSlice()
        if dist.is_initialized():
            self.ranks = RankSlice(dist.get_rank(), dist.get_world_size())
        for name, size in (("batch", training.batch), ("scenes", training.scenes)):
            if size % self.ranks.world:
                raise ConfigError(
                    f"{name} = {size} must be a multiple of {self.ranks.world} processes"
                )
        self.train_set = [r for r in recordings if r.split == "train"]
        self.test_set = [r for r in recordings if r.split == "test"]
        torch.manual_seed(training.seed)
        self.codec = SparseCodec(config).to(device)
        sizes = training.discriminator_channels, training.discriminator_layers
        self.discriminator = Discriminator(config.n_bins, *sizes).to(device)
        self.learner: nn.Module = Learner(self.codec, training)
        self.critic: nn.Module = self.discriminator
        if dist.is_initialized():
            self.learner = DistributedDataParallel(self.learner, find_unused_parameters=True)
            self.critic = DistributedDataParallel(self.critic)
        self.optimiser = torch.optim.AdamW(
            self.codec.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
        )
        self.critic_optimiser = torch.optim.AdamW(
            self.discriminator.parameters(), lr=2e-4, betas=(0.5, 0.9)
        )
        self.step, self.seconds = 0, 0.0
        self.history: list[dict[str, float]] = []  # of validations
        self.part_seconds: defaultdict[str, float] = defaultdict(float)  # where the time goes
        self.prepared = False

    # ---- the loop

    def run(self, out: Path) -> None:
        """Train until the steps or minutes of the configuration are done.

        Checkpoints go to the folder `out`.
        """
        if self.progress() >= 1:
            self.log(f"already trained: {out} is done; choose another folder or more steps")
            return
        self.prepare()
        now = time.monotonic()
        started, logged, validated = now - self.seconds, now, now
        totals, since = np.zeros(4), self.step
        while self.progress() < 1:
            totals += self.train_step()
            now = time.monotonic()
            self.seconds = self._agree(now - started)
            if now - logged > LOG_SECONDS:
                n_steps = self.step - since
                self._log_line(totals / n_steps, n_steps / (now - logged))
                totals, since, logged = np.zeros(4), self.step, now
            if self._agree(now - validated) > VALIDATE_SECONDS:
                self._checkpoint(out)
                validated = time.monotonic()
        self._checkpoint(out)

    def prepare(self, saved: dict[str, Any] | None = None) -> None:
        """Draw the pool and the scenes, or take over those of a `saved` state; once."""
        if not self.train_set:
            raise ValueError("no recordings to train on; every work was held out: give more data")
        if self.prepared:
            return
        segments = Segments(self.train_set, self.config, self.training.seed)
        parts = self.codec, segments, self.training, self.ranks
        self.pool = Pool(*parts, saved=saved and saved["pool"])
        self.scenes = Scenes(*parts, saved=saved and saved["scenes"])
        self.prepared = True

    def progress(self) -> float:
        """Return the share of the run that is done, from 0 to 1."""
        if self.training.minutes > 0:
            return min(1.0, self.seconds / (60 * self.training.minutes))
        return min(1.0, self.step / self.training.steps)

    @denormals_flushed()
    def train_step(self) -> tuple[float, float, float, float]:
        """Take one optimiser step.

        Returns the loss, the mean share of energy removed, the scenes' loss and the adversarial
        loss. Raises: FloatingPointError if the loss is not finite.
        """
        self._set_learning_rate()
        draw = self.pool.draw(self.step)
        every = self.training.adversarial_every
        adversarial = self.training.adversarial > 0 and self.step % every == 0
        with self._timed("forward"):
            discriminator = self.discriminator if adversarial else None
            outcome: Outcome = self.learner(self.pool, draw, self.scenes, discriminator)
        loss = outcome.loss.item()
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"the loss is {loss} at step {self.step}; the last checkpoint is kept"
            )
        self._descend(outcome.loss)
        events = outcome.events.detach()
        if adversarial:
            with self._timed("discriminator"):
                self._teach_discriminator(draw, events)
        with self._timed("pool"):
            self.pool.subtract(draw, events)
        if len(self.scenes):
            with self._timed("scenes"):
                self.scenes.update()
        self.step += 1
        return loss, outcome.share.item(), outcome.scene.item(), outcome.realism.item()

    def _descend(self, loss: Tensor) -> None:
        with self._timed("backward"):
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
        with self._timed("optimiser"):
            nn.utils.clip_grad_norm_(self.codec.parameters(), 1.0)
            self.optimiser.step()

    def _set_learning_rate(self) -> None:
        peak, done = self.training.learning_rate, self.progress()
        warm = min(1.0, (self.step + 1) / max(1, self.training.warmup_steps))
        for group in self.optimiser.param_groups:
            group["lr"] = peak * (warm * (0.5 + 0.5 * math.cos(math.pi * done)) + 0.01)

    def _teach_discriminator(self, draw: Draw, events: Tensor) -> None:
        """Take a step of the discriminator, on originals as real, and as generated on the newest
        events with half of those before them.
        """
        half = self.config.half_frames
        real = self.pool.original[draw.rows][:, :, :half]
        fake = (self.pool.heard[draw.rows] + events)[:, :, :half]
        judged = self.critic(torch.cat([real, fake]))
        self.critic_optimiser.zero_grad(set_to_none=True)
        discriminator_loss(*judged.chunk(2)).backward()
        self.critic_optimiser.step()

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.part_seconds[part] += time.perf_counter() - started

    def _agree(self, seconds: float) -> float:
        """The first process's clock, so that all processes stop and validate at the same step."""
        if not dist.is_initialized():
            return seconds
        # on the codec's device: NCCL sends from a GPU alone
        clock = torch.tensor(seconds, dtype=torch.double, device=self.codec.device)
        dist.broadcast(clock, 0)
        return clock.item()

    # ---- records

    def _checkpoint(self, out: Path) -> None:
        self.save(out)  # first, so that an error in validation costs no training
        if self.ranks.rank == 0:
            best = max((h["l2"] + h["l1"] for h in self.history), default=-math.inf)
            figures = self.validate()
            if figures is None or sum(figures) >= best:
                self.codec.save(out / "model.safetensors", self.card())
        self.save(out)

    @torch.no_grad()
    def validate(self) -> tuple[float, float] | None:
        """Measure the energy removed (L2, L1) from a few held-out segments, and log it.

        Returns None without held-out recordings.
        """
        config, few = self.config, spread(self.test_set, VALIDATION_SEGMENTS)
        options = config.encode if config.gain == "switch" else VALIDATION
        shares = []
        for audio in held_out_segments(few, config.segment_samples, config.samplerate, each=1):
            original = self.codec.magnitudes(torch.from_numpy(audio)[None])
            residual = self.codec.decompose(original, options).residual
            shares.append(shares_removed(residual, original, config.half_frames))
        if not shares:
            return None
        l2, l1 = np.mean(shares, axis=0).tolist()
        self.history.append({"step": self.step, "seconds": round(self.seconds), "l2": l2, "l1": l1})
        self.log(f"step {self.step}  held-out energy removed: L2 {l2:.3f}  L1 {l1:.3f}")
        return l2, l1

    def _log_line(self, means: np.ndarray, steps_per_second: float) -> None:
        loss, share, scene, realism = means
        fields = [f"step {self.step}", f"{100 * self.progress():.0f} %"]
        fields += [f"loss {loss:.4f}", f"share {share:.4f}"]
        if self.training.scenes:
            fields.append(f"scenes {scene:.4f}")
        if self.training.adversarial:
            fields.append(f"adversarial {realism:.3f}")
        fields.append(f"{1000 / steps_per_second:.0f} ms/step")
        fields.append(f"{steps_per_second * self.training.batch:.1f} segments/s")
        self.log("  ".join([*fields, self._parts()]))

    def _parts(self) -> str:
        """Where the time goes, in percent, the largest first."""
        total = sum(self.part_seconds.values())
        parts = sorted(self.part_seconds.items(), key=lambda part: part[1], reverse=True)
        return " ".join(f"{part} {100 * seconds / total:.0f}%" for part, seconds in parts)

    def card(self) -> dict[str, Any]:
        """Return facts about this run, which the checkpoint keeps."""
        total = sum(self.part_seconds.values()) or 1.0
        speed = self.step * self.training.batch / max(self.seconds, 1e-9)
        parts = {part: round(seconds / total, 3) for part, seconds in self.part_seconds.items()}
        return {
            "steps": self.step,
            "hours": round(self.seconds / 3600, 3),
            "train_recordings": len(self.train_set),
            "held_out_recordings": len(self.test_set),
            "training": asdict(self.training),
            "history": self.history,
            "segments_per_second": round(speed, 2),
            "share_of_time": parts,
            "torch": torch.__version__,
        }

    # ---- going on

    def save(self, out: Path) -> None:
        """Write the state that a run goes on from, `state.pt`; a file for each process."""
        out.mkdir(parents=True, exist_ok=True)
        progress = [self.step, self.seconds, self.history, dict(self.part_seconds)]
        state = {
            "codec": self.codec.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "critic_optimiser": self.critic_optimiser.state_dict(),
            "run": self._identity(),
            "progress": json.dumps(progress),
            "pool": self.pool.state(),
            "scenes": self.scenes.state(),
        }
        file = self.state_file(out)
        torch.save(state, file.with_suffix(".part"))
        file.with_suffix(".part").replace(file)

    def resume(self, out: Path) -> None:
        """Go on where `save` left off, exactly.

        Raises: ConfigError if the state is damaged or belongs to another configuration or other
        recordings.
        """
        file = self.state_file(out)
        try:
            # to the CPU: each part knows its own device
            state = torch.load(file, map_location="cpu", weights_only=True)
            if state["run"] != self._identity():
                raise ConfigError(
                    f"{out}: holds a run of another configuration or data; choose another folder"
                )
        except (RuntimeError, EOFError, KeyError, pickle.UnpicklingError) as error:
            raise ConfigError(
                f"{file}: damaged ({error}); delete it or choose another folder"
            ) from error
        self.codec.load_state_dict(state["codec"])
        self.discriminator.load_state_dict(state["discriminator"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.critic_optimiser.load_state_dict(state["critic_optimiser"])
        self.step, self.seconds, self.history, parts = json.loads(state["progress"])
        self.part_seconds.clear()
        self.part_seconds.update(parts)
        self.prepare(state)
        self.log(f"going on at step {self.step}, after {self.seconds / 60:.1f} minutes")

    def state_file(self, out: Path) -> Path:
        if self.ranks.world == 1:
            return out / "state.pt"
        return out / f"state-{self.ranks.rank}-of-{self.ranks.world}.pt"

    def _identity(self) -> str:
        """The things that must be the same for a run to go on: sizes, weights of the losses, and
        recordings. A run may be made longer.
        """
        training = replace(self.training, steps=0, minutes=0.0)
        paths = sorted(str(r.path) for r in self.train_set)
        return json.dumps([config_tables(self.config, training), paths])

    def start_from(self, path: str | Path) -> None:
        """Take over the weights of another checkpoint.

        Outputs that it lacks at the end keep their fresh weights. Raises: CheckpointError if it is
        damaged, ConfigError if its sizes do not fit.
        """
        weights, facts, _ = read_checkpoint(find_checkpoint(path))
        if _output_sizes(json.loads(facts["config"])) != _output_sizes(config_tables(self.config)):
            raise ConfigError(
                f"{path}: its decoder has other parts than this configuration's; give one that fits"
            )
        for name, value in self.codec.state_dict().items():
            given = weights.get(name)
            if given is None or given.shape[1:] != value.shape[1:] or len(given) > len(value):
                raise ConfigError(
                    f"{path}: {name} does not fit this configuration; start from another checkpoint"
                )
            value[: len(given)] = given


def _output_sizes(tables: dict[str, Any]) -> list[Any]:
    """The sizes that say where each output of the harmonic decoder lies, but for the last ones."""
    sizes = []
    for name in ("harmonics", "noise_bands", "knots", "reverberation"):
        size = tables["decoder"].get(name)
        sizes.append(len(size) if isinstance(size, (list, tuple)) else size)
    return sizes


def train(
    config: Path,
    folders: list[Path],
    out: Path,
    device: str = "",
    minutes: float | None = None,
    steps: int | None = None,
    start: str | Path | None = None,
    log: Log = print_at_once,
) -> Path:
    """Train by a TOML file on folders of audio.

    Returns the best checkpoint, `out`/model.safetensors. A run that was interrupted goes on.
    `device` is "cpu" or "cuda", by default a GPU where there is one; `minutes` or `steps` take the
    place of the configuration's; `start` is a checkpoint to take the first weights from. Under
    torchrun each process takes its slice. Raises: ConfigError, AudioError, OSError, and ValueError
    for a device that is not there or a length that is not above 0.
    """
    codec_config, training = _read_config(config, minutes, steps)
    if isinstance(codec_config.decoder, VoiceDecoderConfig):
        if minutes or steps or start:
            raise ConfigError(
                f"{config}: a voice is fitted at once, not by steps;"
                " leave --minutes, --steps and --start out"
            )
        recordings = [recording for folder in folders for recording in find_recordings(folder)]
        out.mkdir(parents=True, exist_ok=True)
        return fit_voice(codec_config, recordings, out, log)
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda: this machine has no usable GPU; use --device cpu")
    recordings = [recording for folder in folders for recording in find_recordings(folder)]
    out.mkdir(parents=True, exist_ok=True)
    with processes(device or ("cuda" if torch.cuda.is_available() else "cpu")) as here:
        if dist.is_initialized() and dist.get_rank():
            log = _silent  # the first process speaks for all
        trainer = Trainer(codec_config, training, recordings, here, log)
        log(f"{codec_config}\n{training}")
        n_parameters = sum(p.numel() for p in trainer.codec.parameters())
        counts = f"{len(trainer.train_set)} recordings, {len(trainer.test_set)} held out"
        log(f"{n_parameters} parameters, {counts}, {trainer.ranks.world} processes, on {here}")
        _start(trainer, out, start)
        trainer.run(out)
    return out / "model.safetensors"


def _read_config(
    file: Path, minutes: float | None, steps: int | None
) -> tuple[CodecConfig, TrainingConfig]:
    """Read a TOML file; `minutes` or `steps` take the place of its own."""
    for name, length in (("minutes", minutes), ("steps", steps)):
        if length is not None and length <= 0:
            raise ValueError(f"{name} = {length}: give more than 0")
    config, training = read_config(file)
    if steps is not None:
        training = replace(training, steps=steps, minutes=0.0)
    if minutes is not None:
        training = replace(training, minutes=minutes)
    return config, training


def _silent(line: str) -> None:
    pass


def _start(trainer: Trainer, out: Path, start: str | Path | None) -> None:
    """Go on with the run in the folder `out`, or start from a checkpoint, or from nothing."""
    if trainer.state_file(out).exists():
        trainer.log("the run goes on; --start is for new ones" if start else "the run goes on")
        trainer.resume(out)
    elif others := sorted(out.glob("state*.pt")):
        raise ConfigError(
            f"{others[0]}: a run of another number of processes; start as many,"
            " or choose another folder"
        )
    elif start:
        trainer.start_from(start)


@contextmanager
def processes(device: str) -> Iterator[str]:
    """Join the processes that torchrun started, if it did; yields the device of this one."""
    if "WORLD_SIZE" not in os.environ:
        yield device
        return
    if device == "cuda":
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield device
    finally:
        dist.destroy_process_group()
