"""The codec's command line: python -m sparse_codec train | freeze | evaluate | words | info."""

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

from sparse_codec.checkpoint import find_checkpoint
from sparse_codec.codec import SparseCodec
from sparse_codec.config import CodecConfig
from sparse_codec.data import Recording, find_recordings
from sparse_codec.evaluate import evaluate, report, write_results
from sparse_codec.manifest import freeze, read_manifest
from sparse_codec.train import train
from sparse_codec.words import count_word_errors


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

    choose = commands.add_parser("freeze", help="write the manifest of an evaluation set: segments of held-out works")
    choose.add_argument("--data", type=Path, nargs="*", default=[], help="folders whose held-out works are taken")
    choose.add_argument("--foreign", type=Path, nargs="*", default=[], help="folders never trained on: all is taken")
    choose.add_argument("--each", type=_positive(int), default=6, help="segments a recording (default: %(default)s)")
    choose.add_argument("--out", type=Path, required=True, help="JSON file to write")
    choose.set_defaults(run=_freeze)

    measure = commands.add_parser("evaluate", help="figures on held-out audio, beside matching pursuit and codecs")
    measure.add_argument("checkpoint", help='a .safetensors file or a shipped name, such as "music"')
    measure.add_argument("--data", type=Path, nargs="+", required=True, help="folders with the manifest's files")
    measure.add_argument("--manifest", type=Path, help="made by freeze (default: the one shipped with the checkpoint)")
    measure.add_argument("--candidates", type=_positive(int), help="tried at each step, instead of the checkpoint's")
    measure.add_argument("--refine", type=_positive(int), help="gradient steps at the end, instead of the checkpoint's")
    measure.add_argument("--jobs", type=_positive(int), default=1, help="processes (default: %(default)s)")
    measure.add_argument("--json", type=Path, help="write the figures to this file too")
    measure.set_defaults(run=_evaluate)

    words = commands.add_parser("words", help="word errors of a recogniser on speech with transcripts (LJ Speech)")
    words.add_argument("checkpoint")
    words.add_argument("--data", type=Path, nargs="+", required=True, help="LJ Speech folders")
    words.add_argument("--json", type=Path, help="write the figures to this file too")
    words.set_defaults(run=_words)

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


def _check_json(path: Path | None) -> None:
    """Before hours of measuring. Raises: ValueError if the file could not be written at the end."""
    if path and not path.parent.is_dir():
        raise ValueError(f"--json {path}: there is no folder {path.parent}; make it first")


def _recordings(folders: list[Path]) -> list[Recording]:
    return [recording for folder in folders for recording in find_recordings(folder)]


def _freeze(args: argparse.Namespace) -> int:
    held_out = [r for r in _recordings(args.data) if r.split == "test"]
    config = CodecConfig()
    values = freeze(held_out, _recordings(args.foreign), config.segment_samples, config.samplerate, args.each)
    args.out.write_text(json.dumps(values, indent=1) + "\n")
    print(f"{sum(len(f['starts']) for f in values['files'])} segments of {len(values['files'])} files in {args.out}")
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    _check_json(args.json)
    codec = SparseCodec.load(args.checkpoint)
    given = {"candidates": args.candidates, "refine": args.refine}
    options = dataclasses.replace(codec.config.encode, **{k: v for k, v in given.items() if v is not None})
    manifest = read_manifest(args.manifest or find_checkpoint(args.checkpoint).with_suffix(".manifest.json"))

    def progress(files):
        return tqdm(files, total=len(manifest.files), unit="file", disable=None)

    results = evaluate(codec, manifest, _recordings(args.data), options, args.jobs, progress)
    print(report(results))
    if args.json:
        write_results(results, args.json)
    return 0


def _words(args: argparse.Namespace) -> int:
    _check_json(args.json)
    torch.set_num_threads(1)
    codec = SparseCodec.load(args.checkpoint)
    recordings = [r for r in _recordings(args.data) if r.text]
    results = count_word_errors(codec, recordings, progress=lambda x: tqdm(x, unit="clip", disable=None))
    print(json.dumps(results, indent=1))
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
