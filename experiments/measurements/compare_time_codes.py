"""Compare the codes in `time_codes.py`: how exact, how long, and whether a gradient finds a time.

    python -m experiments.measurements.compare_time_codes [--checkpoint music]

Events of the shipped clips are put at wrong times, and Adam moves the code's own parameters to fit
the scene again. The figures go to `compare_time_codes.json` beside this file; the article "What we
tried" shows them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from experiments.clips import shipped_clips
from experiments.measurements.command_line import measurement_parser
from experiments.measurements.time_codes import (
    CODES,
    Bits,
    Grid,
    OneHot,
    Seconds,
    TimeCode,
    nearest,
)
from experiments.stored_figures import FigureFile, Figures, as_json
from sparse_codec import SparseCodec
from sparse_codec.model.events import Events
from sparse_codec.model.scene_loss import SceneLoss

FIGURES = FigureFile.beside(__file__)
EVENTS = 4  # of each clip, the strongest; all are moved at once
ERRORS = (0.25, 1, 4, 16, 64)  # frames that a time is wrong by at the start
STEPS = 60
FOUND = 0.5  # frames from where it belongs
RATES = {"one-hot": 1.0, "seconds": 0.03, "bits": 0.1}  # of Adam, in each code's own units
START = 4.0  # logit of the frame that a soft one-hot starts in; the others' are 0
TEN_HOURS = 36_000  # seconds
TIMES = 200  # drawn to measure the precision
SEED = 0


@dataclass(frozen=True)
class Scene:
    """N events of each of B clips where they belong, and the sum of their spectrograms."""

    vectors: Tensor  # (B, N, V)
    gains: Tensor  # (B, N)
    positions: Tensor  # (B, N) float64, in frames
    original: Tensor  # (B, F, T)


def main(argv: list[str] | None = None) -> int:
    """Measure every code. Returns: the exit code."""
    parser = measurement_parser(FIGURES, __doc__)
    parser.add_argument("--checkpoint", default="music")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    codec = SparseCodec.load(args.checkpoint)
    scene = strongest_events(codec)
    figures = {
        "checkpoint": codec.digest,
        "steps": STEPS,
        "events": scene.gains.numel(),
        "errors": ERRORS,
        "codes": {name: measure(name, codec, scene) for name in tqdm(CODES, disable=None)},
    }
    replace(FIGURES, path=args.out).write(figures)
    print(as_json(figures))
    return 0


def measure(name: str, codec: SparseCodec, scene: Scene) -> Figures:
    """Return precision, bits and trainability of one of CODES."""
    config = codec.config
    grid = Grid(config.segment_samples, config.hop, config.samplerate)
    ten_hours = replace(grid, n_samples=TEN_HOURS * grid.samplerate)
    plain = {"one-hot": grid.n_frames + 32, "seconds": 32, "bits": grid.n_bits}  # floats have 32
    return {
        "samples_off": {
            "segment": largest_error(CODES[name], grid),
            "10 h": largest_error(CODES[name], ten_hours),
        },
        "bits": {"plain": plain[name], "coded": math.log2(grid.n_samples)},
        "recovery": [recovery(name, codec, scene, grid, error) for error in ERRORS],
    }


def largest_error(kind: type[TimeCode], grid: Grid) -> float:
    """Return the largest error, in samples, of times that were stored as float32.

    The times are drawn from anywhere between the samples.
    """
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
    """Return the strongest of the first events of the shipped clips."""
    config = codec.config
    options = replace(config.encode, n_events=2 * EVENTS, interim=0, refine=0)
    sets = []
    for clip in shipped_clips()[0]:
        audio = clip.audio(config.samplerate)[: config.segment_samples]
        first = codec.encode_segment(audio, options)
        strongest = first.select(np.argsort(-first.gains, kind="stable")[:EVENTS])
        sets.append(Events.of(strongest, codec.device))
    events = Events.cat(sets)
    with torch.no_grad():
        original = codec.decoder.scene(events, config.horizon_frames)
    return Scene(events.vectors, events.gains, events.frames + events.offsets.double(), original)


def recovery(name: str, codec: SparseCodec, scene: Scene, grid: Grid, error: float) -> Figures:
    """Put events `error` frames off and fit them again. Returns: a `summary`."""
    start = wrong(scene.positions, error, codec.config.half_frames)
    free, read = free_code(name, start, grid)
    loss = SceneLoss(scene.original, codec.config)
    parameters = [x for x, _ in free]
    optimiser = torch.optim.Adam([{"params": [x], "lr": rate, "full": rate} for x, rate in free])
    away = []
    for step in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = group["full"] * (0.5 + 0.5 * math.cos(math.pi * step / STEPS))
        drawn = read().scene(codec.decoder, scene.vectors, scene.gains, scene.original.shape[2])
        # `grad` and not `backward`: the model's parameters get no gradient.
        gradients = torch.autograd.grad(loss(drawn, scene.gains).sum(), parameters)
        for x, gradient in zip(parameters, gradients, strict=True):
            x.grad = gradient
        optimiser.step()
        with torch.no_grad():
            times = read().times()
            away.append((times.frames + times.offsets.double() - scene.positions).abs().flatten())
    return summary(torch.stack(away).numpy())


def wrong(positions: Tensor, error: float, n_frames: int) -> Tensor:
    """Return positions that are `error` frames too early or too late, inside of `n_frames`."""
    signs = torch.from_numpy(np.random.default_rng(SEED).choice([-1.0, 1.0], positions.shape))
    moved = positions + error * signs
    return torch.where((moved < 0) | (moved > n_frames - 1), positions - error * signs, moved)


def free_code(
    name: str, positions: Tensor, grid: Grid
) -> tuple[list[tuple[Tensor, float]], Callable[[], TimeCode]]:
    """Return the parameters that Adam moves, each with its rate, and a reader of their code."""
    times, rate = nearest(positions * grid.hop, grid), RATES[name]
    if name == "one-hot":
        one_hot = OneHot.of(times, grid)
        logits = (START * one_hot.weights).requires_grad_(True)
        offsets = one_hot.offsets.clone().requires_grad_(True)
        return (
            [(logits, rate), (offsets, 0.02)],
            lambda: OneHot(torch.softmax(logits, -1), offsets, grid),
        )
    if name == "seconds":
        seconds = Seconds.of(times, grid).seconds.requires_grad_(True)
        return [(seconds, rate)], lambda: Seconds(seconds, grid)
    bits = Bits.of(times, grid).logits.requires_grad_(True)
    return [(bits, rate)], lambda: Bits(bits, grid)


def summary(away: np.ndarray) -> Figures:
    """Summarise distances (steps, events) in frames, of which FOUND is near.

    Returns: `found`, the share of events that are near in the end; `steps`, the median of those
    after which they stay near; `frames_left`, the median distance in the end.
    """
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
