"""Measure steps of training and what they are made of: python -m benchmarks.training_time

Trains a configuration of `experiments/configs` on the shipped clips for a few steps, in one thread.
With a harmonic decoder, steps in the plainest form take turns with them: scenes are drawn number by
number at all ages, autograd takes their gradients, and products with nearly empty matrices are
dense.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.pairs import HEADER, interleaved, peak_megabytes, report, shares, timed_parts
from benchmarks.plain_encode import make_plain
from experiments.clips import SHIPPED
from sparse_codec import read_config
from sparse_codec.audio.recordings import Recording
from sparse_codec.model.fast_scene import ExactScene
from sparse_codec.model.harmonic_decoder import HarmonicDecoder
from sparse_codec.training.trainer import Trainer

CONFIGS = Path(__file__).parent.parent / "experiments" / "configs"


def small_trainer(name: str) -> Trainer:
    """Return a trainer with the smallest pool, since only steps are measured."""
    config, training = read_config(CONFIGS / f"{name}.toml")
    training = dataclasses.replace(training, pool=training.batch)
    files = sorted((SHIPPED / "music").glob("*.flac"))
    recordings = [Recording(file, file.stem, "train", "clips") for file in files]
    trainer = Trainer(config, training, recordings, "cpu", log=lambda line: None)
    trainer.prepare()
    return trainer


def plain_trainer(name: str) -> Trainer:
    """Return a trainer whose steps take the plainest form."""
    trainer = small_trainer(name)
    make_plain(trainer.codec)
    scene = ExactScene(trainer.codec.decoder, trainer.config.horizon_frames)
    vars(trainer.learner)["_fitting_scene"] = scene  # in place of the cached property
    return trainer


def parts_of(trainer: Trainer) -> dict[str, list[tuple[Any, str]]]:
    """Return the parts of a step's forward pass, for `timed_parts`."""
    codec = trainer.codec
    return {
        "encoder": [(codec.encoder, "forward")],
        "events": [(codec.decoder, "spectrograms")],
        # with its loss; the decoder draws some scenes, others not
        "scenes": [(trainer.learner, "_scene")],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("configs", nargs="*", default=["default", "paper"], help="by name")
    parser.add_argument("--steps", type=int, default=8, help="default: 8")
    parser.add_argument("--pairs", type=int, default=5, help="of plain and fast (default: 5)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in args.configs:
        trainer = small_trainer(name)
        trainer.train_step()  # fills caches
        steps = []
        with timed_parts(parts_of(trainer)) as parts:
            for _ in range(args.steps):
                started = time.process_time()
                trainer.train_step()
                steps.append(time.process_time() - started)
        step, batch = statistics.median(steps), trainer.training.batch
        print(f"{name}: {step:.2f} CPU s a step, {batch / step:.1f} segments a second;", end=" ")
        print(f"forward: {shares(parts, sum(steps))}; peak {peak_megabytes():.0f} MB", flush=True)
        if isinstance(trainer.codec.decoder, HarmonicDecoder):
            plain = plain_trainer(name)
            pairs = list(interleaved(plain.train_step, trainer.train_step, args.pairs))
            print(f"{HEADER}\n{report(f'a step, {name}', pairs)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
