"""The codec's command line: python -m sparse_codec train | evaluate | info."""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from tqdm import tqdm

from sparse_codec.codec import SparseCodec
from sparse_codec.data import find_recordings
from sparse_codec.evaluate import evaluate, format_table, write_results
from sparse_codec.train import train


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, or 1 after a one-line error, or 2 for wrong usage."""
    args = _parser().parse_args(argv)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    try:
        return args.run(args)
    except (ValueError, ArithmeticError, OSError) as error:  # the project's own errors are ValueErrors
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sparse-codec", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    learn = commands.add_parser("train", help="train a codec; an interrupted run goes on where it was")
    learn.add_argument("--config", type=Path, required=True, help="TOML file, such as experiments/configs/default.toml")
    learn.add_argument("--data", type=Path, nargs="+", required=True, help="folders: MusicNet, LJ Speech, any audio")
    learn.add_argument("--out", type=Path, required=True, help="folder for model.safetensors and the state of the run")
    length = learn.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=_positive(float), help="instead of the configuration's")
    length.add_argument("--steps", type=_positive(int), help="instead of the configuration's minutes")
    learn.add_argument("--device", default="", choices=("cpu", "cuda"), help="default: a GPU where there is one")
    learn.add_argument("--start", help="checkpoint to take the first weights from, a file or a shipped name")
    learn.set_defaults(run=_train)

    measure = commands.add_parser("evaluate", help="energy removed from held-out audio, beside matching pursuit")
    measure.add_argument("checkpoint", help='a .safetensors file or a shipped name, such as "music"')
    measure.add_argument("--data", type=Path, nargs="+", required=True, help="folders with held-out works")
    measure.add_argument("--each", type=_positive(int), default=2, help="segments a recording (default: %(default)s)")
    measure.add_argument("--candidates", type=_positive(int), help="tried at each step, instead of the checkpoint's")
    measure.add_argument("--refine", type=int, help="gradient steps an event, instead of the checkpoint's")
    measure.add_argument("--json", type=Path, help="write the figures to this file too")
    measure.set_defaults(run=_evaluate)

    info = commands.add_parser("info", help="what a checkpoint is and how it was trained")
    info.add_argument("checkpoint")
    info.set_defaults(run=_info)
    return parser


def _positive(kind: type) -> Callable:
    """A number type for argparse that refuses 0 and less."""

    def number(text: str):
        if (value := kind(text)) <= 0:
            raise ValueError
        return value

    number.__name__ = f"positive {kind.__name__}"
    return number


def _train(args: argparse.Namespace) -> int:
    print(train(args.config, args.data, args.out, args.device, args.minutes, args.steps, args.start))
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    torch.set_num_threads(1)  # one segment at a time is many small operations: more threads only wait for each other
    codec = SparseCodec.load(args.checkpoint)
    given = {"candidates": args.candidates, "refine": args.refine}
    options = dataclasses.replace(codec.config.encode, **{k: v for k, v in given.items() if v is not None})
    recordings = [recording for folder in args.data for recording in find_recordings(folder)]
    results = evaluate(codec, recordings, args.each, options, progress=lambda x: tqdm(x, disable=None))
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


if __name__ == "__main__":
    sys.exit(main())
