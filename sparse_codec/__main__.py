"""The codec's command line: python -m sparse_codec train | evaluate | info."""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import os
import sys
from pathlib import Path

import torch
from tqdm import tqdm

from sparse_codec.codec import CheckpointError, SparseCodec
from sparse_codec.config import ConfigError, read_config
from sparse_codec.data import AudioError, Recording, find_recordings
from sparse_codec.evaluate import evaluate, format_table, write_results
from sparse_codec.train import Trainer


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, or 1 after a one-line error, or 2 for wrong usage."""
    args = _parser().parse_args(argv)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    try:
        return args.run(args)
    except (AudioError, CheckpointError, ConfigError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sparse-codec", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a codec; an interrupted run goes on where it was")
    train.add_argument("--config", type=Path, required=True, help="TOML file, such as experiments/configs/default.toml")
    train.add_argument("--data", type=Path, nargs="+", required=True, help="folders: MusicNet, LJ Speech, any audio")
    train.add_argument("--out", type=Path, required=True, help="folder for model.safetensors and the state of the run")
    train.add_argument("--minutes", type=float, help="instead of the configuration's")
    train.add_argument("--steps", type=int, help="instead of the configuration's minutes")
    train.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    train.set_defaults(run=_train)

    measure = commands.add_parser("evaluate", help="energy removed from held-out audio, beside matching pursuit")
    measure.add_argument("checkpoint", help='a .safetensors file or a shipped name, such as "music"')
    measure.add_argument("--data", type=Path, nargs="+", required=True, help="folders with held-out works")
    measure.add_argument("--each", type=int, default=2, help="segments a recording (default: %(default)s)")
    measure.add_argument("--candidates", type=int, help="tried at each step, instead of the checkpoint's")
    measure.add_argument("--refine", type=int, help="gradient steps an event, instead of the checkpoint's")
    measure.add_argument("--json", type=Path, help="write the figures to this file too")
    measure.set_defaults(run=_evaluate)

    info = commands.add_parser("info", help="what a checkpoint is and how it was trained")
    info.add_argument("checkpoint")
    info.set_defaults(run=_info)
    return parser


def _train(args: argparse.Namespace) -> int:
    config, training = read_config(args.config)
    if args.steps is not None:
        training = dataclasses.replace(training, steps=args.steps, minutes=0.0)
    if args.minutes is not None:
        training = dataclasses.replace(training, minutes=args.minutes)
    if args.device == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda: this machine has no usable GPU; use --device cpu")
    args.out.mkdir(parents=True, exist_ok=True)
    if not os.access(args.out, os.W_OK):
        raise OSError(f"{args.out}: cannot be written to; choose another --out")
    trainer = Trainer(config, training, _recordings(args.data), args.device, log=lambda line: print(line, flush=True))
    print(f"config {config}\ntraining {training}", flush=True)
    sizes = sum(p.numel() for p in trainer.codec.parameters())
    print(f"{sizes} parameters, {len(trainer.train_set)} recordings to train on, {len(trainer.test_set)} held out")
    if (args.out / "state.pt").exists():
        trainer.resume(args.out)
    trainer.run(args.out)
    print(f"{args.out / 'model.safetensors'}")
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    codec = SparseCodec.load(args.checkpoint)
    given = {"candidates": args.candidates, "refine": args.refine}
    options = dataclasses.replace(codec.config.encode, **{k: v for k, v in given.items() if v is not None})
    results = evaluate(codec, _recordings(args.data), args.each, options, progress=lambda x: tqdm(x, disable=None))
    print(format_table(results))
    if args.json:
        write_results(results, args.json)
    return 0


def _info(args: argparse.Namespace) -> int:
    codec = SparseCodec.load(args.checkpoint)
    parts = {name: sum(p.numel() for p in getattr(codec, name).parameters()) for name in ("encoder", "decoder")}
    facts = {"digest": codec.digest, "parameters": parts, "config": dataclasses.asdict(codec.config), **codec.card}
    print(json.dumps(facts, indent=1))
    return 0


def _recordings(folders: list[Path]) -> list[Recording]:
    return [recording for folder in folders for recording in find_recordings(folder)]


if __name__ == "__main__":
    sys.exit(main())
