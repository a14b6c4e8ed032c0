"""The main job: build the articles. `python build_site.py` loads the shipped model and writes `site/`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import experiments
from experiments.clips import Clip, own_clips, shipped_clips
from report import FolderStore, ReportError, build
from sparse_codec import AudioError, CheckpointError, ConfigError, SparseCodec, find_checkpoint
from sparse_codec.train import train

ARTICLES = (Path(experiments.__file__).parent / "music.py",)
TRAINED = Path("runs/trained")


@dataclass(frozen=True)
class Inputs:
    """What the article scripts find under the name BUILD."""

    codec: SparseCodec
    clips: list[Clip]
    long_clip: Clip
    evaluation: dict | None  # held-out figures of exactly this checkpoint, if there are any


def main(argv: list[str] | None = None) -> int:
    """Build the site; returns the exit code: 0, 1 after a one-line error, 2 for wrong usage."""
    args = _parser().parse_args(argv)
    if bool(args.train) != bool(args.data):
        _parser().error("--train CONFIG and --data DIR go together")
    try:
        summary = _build(args)
    except (AudioError, CheckpointError, ConfigError, ReportError, OSError) as error:
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
    parser.add_argument("--checkpoint", default="music", help="a .safetensors file or a shipped name (default: music)")
    parser.add_argument("--train", type=Path, metavar="CONFIG", help="train a model first, by this TOML file")
    parser.add_argument("--data", type=Path, nargs="+", metavar="DIR", help="what to train on, with --train")
    parser.add_argument("--minutes", type=float, help="how long to train, instead of the configuration's")
    return parser


def _build(args: argparse.Namespace):
    if args.audio:
        clips, long_clip, padded = own_clips(args.audio)
        print(*padded, sep="\n", end="\n" if padded else "", file=sys.stderr)
    else:
        clips, long_clip = shipped_clips()
    checkpoint = args.checkpoint
    if args.train:  # in a folder of its own, where an interrupted training goes on
        checkpoint = train(args.train, args.data, TRAINED, minutes=args.minutes, log=_print_at_once)
    codec = SparseCodec.load(checkpoint)
    inputs = Inputs(codec, clips, long_clip, held_out_figures(checkpoint, codec.digest))
    facts = {"model": f"{codec.config.name}, {codec.digest[:16]}", "source": _commit()}
    return build(ARTICLES, args.out, FolderStore(args.store), facts, {"BUILD": inputs})


def held_out_figures(checkpoint: str | Path, digest: str) -> dict | None:
    """The figures that `sparse_codec evaluate --json` wrote beside a checkpoint.

    Raises: CheckpointError if they were measured with another checkpoint.
    """
    file = find_checkpoint(checkpoint).with_suffix(".json")
    if not file.exists():
        return None
    figures = json.loads(file.read_text())
    if figures["checkpoint"] != digest:
        raise CheckpointError(f"{file}: measured with another checkpoint; run python -m sparse_codec evaluate again")
    return figures


def _print_at_once(line: str) -> None:
    print(line, flush=True)


def _commit() -> str:
    """The commit that the project stands at, where it is a git checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "not a git checkout"


if __name__ == "__main__":
    sys.exit(main())
