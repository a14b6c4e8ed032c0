"""Train one model for every switch of the configuration, and measure it.

    python -m experiments.measurements.switches --data DIR... --minutes 3 [--only NAME...]

All train for the same time on the same data. The figures go to `switches.json` beside this file;
the article "What we tried" shows them. The shipped ones are of `--minutes 0.75`. Runs that are in
the file stay there, so an interrupted round goes on.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from experiments.measurements.command_line import add_data_option, measurement_parser, recordings_in
from experiments.measurements.rows import PUBLISHED, SEGMENTS, SWITCHES, Tables
from experiments.stored_figures import FigureFile, Figures
from sparse_codec import SparseCodec
from sparse_codec.audio.recordings import Recording, held_out_segments, spread
from sparse_codec.config import parse_config
from sparse_codec.model.spectrogram import log_mel_distance, magnitudes, shares_removed
from sparse_codec.training.trainer import Trainer

FIGURES = FigureFile.beside(__file__)
CONFIGS = Path(__file__).parents[1] / "configs"


def main(argv: list[str] | None = None) -> int:
    """Train and measure the switches that are not measured yet. Returns: the exit code."""
    parser = measurement_parser(FIGURES, __doc__)
    add_data_option(parser)
    parser.add_argument(
        "--minutes", type=float, default=3.0, help="of training for each (default: %(default)s)"
    )
    parser.add_argument(
        "--only", nargs="+", choices=[*SWITCHES, PUBLISHED], help="these switches, measured anew"
    )
    args = parser.parse_args(argv)
    torch.set_num_threads(1)  # so that two rounds on two cores do not slow each other down
    file = replace(FIGURES, path=args.out)
    figures = file.read() if file.path.exists() else {"minutes": args.minutes, "runs": {}}
    if figures["minutes"] != args.minutes:
        print(
            f"error: {file.path} has runs of {figures['minutes']} minutes; "
            "give the same or delete it",
            file=sys.stderr,
        )
        return 2
    recordings = recordings_in(args.data)
    for name in args.only or [n for n in (*SWITCHES, PUBLISHED) if n not in figures["runs"]]:
        print(f"{name}: {args.minutes} minutes", flush=True)
        figures["runs"][name] = run(name, recordings, args.minutes)
        file.write(figures)
        print(json.dumps(figures["runs"][name]), flush=True)
    return 0


class _Trainer(Trainer):
    """A trainer that spends no time on validation."""

    def validate(self) -> None:
        pass


def run(name: str, recordings: list[Recording], minutes: float) -> Figures:
    """Train a variant for so many minutes, and measure it on held-out segments."""
    config, training = parse_config(tables_of(name, minutes), name)
    trainer = _Trainer(config, training, recordings, "cpu", log=lambda line: None)
    with tempfile.TemporaryDirectory() as folder:
        trainer.run(Path(folder))
        codec = SparseCodec.load(Path(folder) / "model.safetensors")
    return {"steps": trainer.step} | measure(codec, trainer.test_set)


def tables_of(name: str, minutes: float) -> Tables:
    """Return the configuration of a variant: default.toml with its changes, or paper.toml."""
    file = "paper.toml" if name == PUBLISHED else "default.toml"
    tables = tomllib.loads((CONFIGS / file).read_text())
    changes = {} if name == PUBLISHED else SWITCHES[name][1]
    for table, values in changes.items():
        tables.setdefault(table, {}).update(values)
    tables["training"]["minutes"] = minutes
    return tables


def measure(codec: SparseCodec, test_set: list[Recording], n_segments: int = SEGMENTS) -> Figures:
    """Return shares removed, in the configuration's own transform, and distances of the sound.

    "greedy" is without refinement, "refined" with the configuration's own options, and "sound" of
    the rendered sound.
    """
    config, few = codec.config, spread(test_set, n_segments)
    half = config.segment_samples // 2
    names = ("greedy", "refined", "sound", "log_mel", "seconds")
    figures: dict[str, list[Any]] = {name: [] for name in names}
    for audio in held_out_segments(few, config.segment_samples, config.samplerate, each=1):
        original = codec.magnitudes(torch.from_numpy(audio)[None])
        greedy = codec.decompose(original, replace(config.encode, interim=0, refine=0))
        started = time.perf_counter()
        refined = codec.decompose(original, config.encode)
        figures["seconds"].append(time.perf_counter() - started)
        for name, result in (("greedy", greedy), ("refined", refined)):
            figures[name].append(shares_removed(result.residual, original, config.half_frames))
        sound = torch.from_numpy(codec.decode(codec.event_set(refined.events, half)))[None]
        reference = torch.from_numpy(audio[:half])[None]
        coded, aim = magnitudes(sound, 2048, 512), magnitudes(reference, 2048, 512)
        figures["sound"].append(shares_removed(aim - coded, aim, half // 512))
        figures["log_mel"].append(log_mel_distance(sound, reference, config.samplerate).item())
    return {name: np.round(np.mean(values, axis=0), 3).tolist() for name, values in figures.items()}


if __name__ == "__main__":
    sys.exit(main())
