"""Build the articles: load the shipped model, or another, or train one, and write the site."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

import experiments
from experiments.clips import Clip, own_clips, shipped_clips
from report import BuildSummary, FolderStore, ReportError, build
from report.site import check_target
from sparse_codec import CheckpointError, SparseCodec, find_checkpoint
from sparse_codec.codec import CHECKPOINTS
from sparse_codec.train import train

ARTICLES = (Path(experiments.__file__).parent / "music.py",)
RUNS = Path("runs")  # where --train keeps its checkpoints, in a folder named after the configuration


@dataclass(frozen=True)
class Inputs:
    """What the article scripts find under the name BUILD."""

    codec: SparseCodec
    clips: list[Clip]
    long_clip: Clip
    evaluation: dict | None  # held-out figures of exactly this checkpoint, if there are any
    shipped: bool  # the shipped model, of whose training the article knows more than its checkpoint says
    own_audio: bool  # the reader's files, of which nothing is known
    remarks: list[str]  # such as that a file was padded


def main(argv: list[str] | None = None) -> int:
    """Build the site; returns the exit code: 0, 1 after a one-line error, 2 for wrong usage."""
    args = _parser().parse_args(argv)
    if bool(args.train) != bool(args.data):
        _parser().error("--train CONFIG and --data DIR go together")
    if args.minutes is not None and not args.train:
        _parser().error("--minutes says how long to --train")
    if args.train and args.checkpoint:
        _parser().error("give either --checkpoint or --train")
    try:
        summary = _build(args)
    except (ReportError, ValueError, ArithmeticError, OSError) as error:  # the codec's errors are ValueErrors
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(summary)
    print(f"open {(summary.out / 'index.html').as_uri()}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="build_site.py", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("site"), help="folder of the site (default: %(default)s)")
    parser.add_argument(
        "--store", type=Path, default=Path(".artifacts"), help="folder that keeps artifacts between builds"
    )
    parser.add_argument("--audio", type=Path, nargs="+", metavar="FILE", help="build the article from your own files")
    parser.add_argument("--checkpoint", help="a .safetensors file, or the name of a shipped model (default: music)")
    parser.add_argument("--train", type=Path, metavar="CONFIG", help="train a model first, by this TOML file")
    parser.add_argument("--data", type=Path, nargs="+", metavar="DIR", help="what to train on, with --train")
    parser.add_argument("--minutes", type=float, help="how long to train, instead of the configuration's")
    return parser


def _build(args: argparse.Namespace) -> BuildSummary:
    check_target(args.out)  # before hours of training
    if args.audio:
        clips, long_clip, remarks = own_clips(args.audio)
        print(*remarks, sep="\n", end="\n" if remarks else "", file=sys.stderr)
    else:
        clips, long_clip, remarks = *shipped_clips(), []
    checkpoint = args.checkpoint or "music"
    if args.train:  # an interrupted training goes on
        folder = RUNS / args.train.stem
        checkpoint = train(args.train, args.data, folder, minutes=args.minutes)
    # The greedy loop is many small operations: one thread is faster than two, and sums come out the same whatever
    # number of cores a machine has.
    torch.set_num_threads(1)
    codec = SparseCodec.load(checkpoint)
    inputs = Inputs(
        codec,
        clips,
        long_clip,
        evaluation=held_out_figures(checkpoint, codec.digest),
        shipped=find_checkpoint(checkpoint).parent == CHECKPOINTS,
        own_audio=bool(args.audio),
        remarks=remarks,
    )
    facts = {"model": f"{codec.config.name}, {codec.digest[:16]}", "source": _commit()}
    return build(ARTICLES, args.out, FolderStore(args.store), facts, {"BUILD": inputs})


def held_out_figures(checkpoint: str | Path, digest: str) -> dict | None:
    """The figures that `sparse_codec evaluate --json` wrote beside a checkpoint.

    Raises: CheckpointError if they were measured with another checkpoint.
    """
    file = find_checkpoint(checkpoint).with_suffix(".json")
    if not file.exists():
        return None
    try:
        figures = json.loads(file.read_text())
        measured = figures["checkpoint"]
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{file}: not written by sparse_codec evaluate --json; move it away") from error
    if measured != digest:
        raise CheckpointError(f"{file}: measured with another checkpoint; run python -m sparse_codec evaluate again")
    return figures


def _commit() -> str:
    """The commit that the project stands at, where it is a git checkout."""
    root = Path(__file__).parent.parent
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    if not (root / ".git").exists():
        return "an installed copy"
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
