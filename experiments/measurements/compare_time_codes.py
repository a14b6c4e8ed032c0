"""Compare the codes of time of `time_codes.py`: how exact, how long, and whether a gradient finds a time.

    python -m experiments.measurements.compare_time_codes [--checkpoint music]

Events of the shipped clips are put at wrong times, and Adam moves the code's own parameters to fit the scene again.
The figures go to `time_codes.json` beside this file, from which the article "What we tried" is built.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from experiments.clips import shipped_clips
from experiments.measurements.time_codes import (
    CODES,
    Bits,
    Grid,
    OneHot,
    Seconds,
    TimeCode,
    nearest,
)
from sparse_codec import SparseCodec
from sparse_codec.model.scene_loss import SceneLoss

FIGURES = Path(__file__).parent / "compare_time_codes.json"
EVENTS = 4  # of each clip, the strongest; all are moved at once
ERRORS = (0.25, 1, 4, 16, 64)  # frames that a time is wrong by at the start
STEPS = 60
FOUND = 0.5  # frames from where it belongs
RATES = {
    "one-hot": 1.0,
    "seconds": 0.03,
    "bits": 0.1,
}  # of Adam, in the units of each code's parameters
START = 4.0  # logit of the frame that a soft one-hot starts in; the others' are 0
TEN_HOURS = 36_000  # seconds
TIMES = 200  # drawn to measure the precision
SEED = 0


@dataclass(frozen=True)
class Scene:
    """Events where they belong, N of each of B clips, as decoders take them, and what they add up to."""

    vectors: Tensor  # (B, N, V)
    gains: Tensor  # (B, N)
    positions: Tensor  # (B, N) float64, in frames
    original: Tensor  # (B, F, T)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="experiments.measurements.compare_time_codes", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--checkpoint", default="music")
    parser.add_argument(
        "--out", type=Path, default=FIGURES, help="JSON file (default: %(default)s)"
    )
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    codec = SparseCodec.load(args.checkpoint)
    scene = strongest_events(codec)
    done = {
        "checkpoint": codec.digest,
        "steps": STEPS,
        "events": scene.gains.numel(),
        "errors": ERRORS,
    }
    done["codes"] = {name: measure(name, codec, scene) for name in tqdm(CODES, disable=None)}
    args.out.write_text(json.dumps(done, indent=1) + "\n")
    print(json.dumps(done, indent=1))
    return 0


def measure(name: str, codec: SparseCodec, scene: Scene) -> dict:
    """Precision, bits and trainability of one of CODES."""
    config = codec.config
    grid = Grid(config.segment_samples, config.hop, config.samplerate)
    ten_hours = replace(grid, n_samples=TEN_HOURS * grid.samplerate)
    plain = {
        "one-hot": grid.n_frames + 32,
        "seconds": 32,
        "bits": grid.n_bits,
    }  # a number being a float32
    return {
        "samples_off": {
            where: largest_error(CODES[name], g)
            for where, g in (("segment", grid), ("10 h", ten_hours))
        },
        "bits": {"plain": plain[name], "coded": math.log2(grid.n_samples)},
        "recovery": [recovery(name, codec, scene, grid, error) for error in ERRORS],
    }


def largest_error(kind: type[TimeCode], grid: Grid) -> float:
    """In samples, of times from anywhere between the samples, after all numbers were stored as float32."""
    drawn = torch.from_numpy(np.random.default_rng(SEED).uniform(0, grid.n_samples - 1, TIMES))
    worst = 0.0
    for positions in drawn.split(10):  # a one-hot of ten hours is long
        code = kind.of(nearest(positions, grid), grid)
        if isinstance(code, Seconds):
            code = replace(code, seconds=code.seconds.float().double())
        times = code.times()
        again = (times.frames + times.offsets.double()) * grid.hop
        worst = max(worst, (again - positions).abs().max().item())
    return worst


# ---- trainability


def strongest_events(codec: SparseCodec) -> Scene:
    """The strongest of the first events found in the shipped clips."""
    config, found = codec.config, []
    for clip in shipped_clips()[0]:
        audio = clip.audio(config.samplerate)[: config.segment_samples]
        events = codec.encode_segment(
            audio, replace(config.encode, n_events=2 * EVENTS, interim=0, refine=0)
        )
        found.append(events.select(np.argsort(-events.gains, kind="stable")[:EVENTS]))
    vectors, frames, offsets, gains = (
        torch.from_numpy(np.stack([getattr(events, name) for events in found]))
        for name in ("vectors", "frames", "offsets", "gains")
    )
    with torch.no_grad():
        original = codec.decoder.scene(vectors, offsets, frames, gains, config.horizon_frames)
    return Scene(vectors, gains, frames + offsets.double(), original)


def recovery(name: str, codec: SparseCodec, scene: Scene, grid: Grid, error: float) -> dict:
    """How many events come back from so many frames away, in how many steps, and how far the others end up."""
    free, read = free_code(name, wrong(scene.positions, error, codec.config.half_frames), grid)
    loss = SceneLoss(scene.original, codec.config)
    parameters = [x for x, _ in free]
    optimiser = torch.optim.Adam([{"params": [x], "lr": rate, "full": rate} for x, rate in free])
    away = []
    for step in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = group["full"] * (0.5 + 0.5 * math.cos(math.pi * step / STEPS))
        drawn = read().scene(codec.decoder, scene.vectors, scene.gains, scene.original.shape[2])
        gradients = torch.autograd.grad(
            loss(drawn, scene.gains).sum(), parameters
        )  # the model gets none
        for x, gradient in zip(parameters, gradients, strict=True):
            x.grad = gradient
        optimiser.step()
        with torch.no_grad():
            times = read().times()
            away.append((times.frames + times.offsets.double() - scene.positions).abs().flatten())
    return summary(torch.stack(away).numpy())


def wrong(positions: Tensor, error: float, n_frames: int) -> Tensor:
    """Positions that are `error` frames too early or too late, inside of the frames where events may be."""
    signs = torch.from_numpy(np.random.default_rng(SEED).choice([-1.0, 1.0], positions.shape))
    moved = positions + error * signs
    return torch.where((moved < 0) | (moved > n_frames - 1), positions - error * signs, moved)


def free_code(
    name: str, positions: Tensor, grid: Grid
) -> tuple[list[tuple[Tensor, float]], Callable[[], TimeCode]]:
    """The parameters that Adam moves, each with its rate, and the code that they say."""
    code, rate = CODES[name].of(nearest(positions * grid.hop, grid), grid), RATES[name]
    if isinstance(code, OneHot):
        logits = (START * code.weights).requires_grad_(True)
        offsets = code.offsets.clone().requires_grad_(True)
        return [(logits, rate), (offsets, 0.02)], lambda: OneHot(
            torch.softmax(logits, -1), offsets, grid
        )
    if isinstance(code, Seconds):
        seconds = code.seconds.requires_grad_(True)
        return [(seconds, rate)], lambda: Seconds(seconds, grid)
    logits = code.logits.requires_grad_(True)
    return [(logits, rate)], lambda: Bits(logits, grid)


def summary(away: np.ndarray) -> dict:
    """Of distances (steps, events) in frames; the steps are the median of those after which an event stays near."""
    near = away <= FOUND
    stays = np.logical_and.accumulate(near[::-1])[::-1]  # from this step to the end
    steps = stays.argmax(axis=0)[stays[-1]]
    return {
        "found": round(float(stays[-1].mean()), 3),
        "steps": int(np.median(steps)) + 1 if len(steps) else None,
        "frames_left": round(float(np.median(away[-1])), 3),
    }


if __name__ == "__main__":
    sys.exit(main())
