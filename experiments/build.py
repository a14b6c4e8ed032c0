"""Build the articles: load the shipped model, or another, or train one, and write the site."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

import experiments
from experiments.clips import Clip, clips_of_folder, own_clips, shipped_clips
from report.cli.main import run
from report.cli.program import Articles, Program
from sparse_codec import CheckpointError, EncodeOptions, SparseCodec, find_checkpoint
from sparse_codec.evaluation.frozen_set import read_manifest
from sparse_codec.training.trainer import train

ROOT = Path(experiments.__file__).parents[1]
SCRIPTS = ROOT / "experiments" / "articles"
ARTICLES = ("music", "speech", "ablations")
COMMANDS = {
    ".json": "evaluate",
    ".words.json": "words",
}  # which of them writes which file beside a checkpoint
RUNS = Path(
    "runs"
)  # where --train keeps its checkpoints, in a folder named after the configuration


@dataclass(frozen=True)
class Inputs:
    """What an article script finds under its own name in BUILD."""

    codec: SparseCodec
    clips: list[Clip]
    long_clip: Clip
    evaluation: dict | None  # held-out figures of exactly this checkpoint, if there are any
    words: dict | None  # word errors of exactly this checkpoint, likewise
    shipped: (
        bool  # the shipped model, of whose training the article knows more than its checkpoint says
    )
    own_audio: bool  # the reader's files, of which nothing is known
    remarks: list[str]  # such as that a file was padded
    articles: list[str]  # of the site


def main(argv: list[str] | None = None) -> int:
    """Run a command of the report, `build` if none is given, on these articles; returns the exit code."""
    return run(Program("build_site.py", "experiments.build", __doc__, _add_options, _prepare), argv)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--article", nargs="+", choices=ARTICLES, help="only these (default: all)")
    parser.add_argument(
        "--audio",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="build one article from your own files",
    )
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="the speech article from an LJ Speech folder"
    )
    parser.add_argument(
        "--checkpoint", help="a .safetensors file, or the name of a shipped model, for one article"
    )
    parser.add_argument(
        "--train", type=Path, metavar="CONFIG", help="train a model first, by this TOML file"
    )
    parser.add_argument(
        "--data", type=Path, nargs="+", metavar="DIR", help="what to train on, with --train"
    )
    parser.add_argument(
        "--minutes", type=float, help="how long to train, instead of the configuration's"
    )


def _check(args: argparse.Namespace) -> None:
    """Options that do not go together are wrong usage: exit code 2."""
    if bool(args.train) != bool(args.data):
        args.usage_error("--train CONFIG and --data DIR go together")
    if args.minutes is not None and not args.train:
        args.usage_error("--minutes says how long to --train")
    if args.train and args.checkpoint:
        args.usage_error("give either --checkpoint or --train")
    if args.train and args.command != "build":
        args.usage_error(
            f"--train is for build; {args.command} takes the --checkpoint that came out of it"
        )
    if args.audio and args.data_dir:
        args.usage_error("give either --audio or --data-dir")
    if not args.article:  # what is given says for which article
        one = (
            "speech"
            if args.data_dir
            else "music"
            if args.audio or args.checkpoint or args.train
            else None
        )
        args.article = [one] if one else list(ARTICLES)
    if (args.audio or args.data_dir or args.checkpoint or args.train) and args.article not in (
        ["music"],
        ["speech"],
    ):
        args.usage_error(
            "your own audio or model is for one article: add --article music or --article speech"
        )


def _prepare(args: argparse.Namespace) -> Articles:
    _check(args)
    if args.train:  # an interrupted training goes on
        args.checkpoint = train(args.train, args.data, RUNS / args.train.stem, minutes=args.minutes)
    # The greedy loop is many small operations: one thread is faster than two, and sums come out the same whatever
    # number of cores a machine has.
    torch.set_num_threads(getattr(args, "threads", 1))
    inputs = {name: _inputs(name, args) for name in args.article if name != "ablations"}
    facts = {
        f"model of {name}": f"{i.codec.config.name}, {i.codec.digest[:16]}"
        for name, i in inputs.items()
    }
    scripts = [SCRIPTS / f"{name}.py" for name in args.article]
    facts |= {"source": _commit()} | (
        {"date": date} if (date := _git("log", "-1", "--format=%cI").strip()) else {}
    )
    return Articles(scripts, facts, {"BUILD": inputs}, _sources())


def _inputs(article: str, args: argparse.Namespace) -> Inputs:
    """The model and the clips of one article."""
    remarks: list[str] = []
    if args.audio:
        clips, long_clip, remarks = own_clips(args.audio)
        print(*remarks, sep="\n", end="\n" if remarks else "", file=sys.stderr)
    elif args.data_dir:
        clips, long_clip = clips_of_folder(args.data_dir)
    else:
        clips, long_clip = shipped_clips(article)
    checkpoint = args.checkpoint or article
    codec = SparseCodec.load(checkpoint)
    shipped = find_checkpoint(checkpoint).resolve() == find_checkpoint(article).resolve()
    return Inputs(
        codec,
        clips,
        long_clip,
        evaluation=stored_figures(checkpoint, ".json", codec),
        words=stored_figures(checkpoint, ".words.json", codec),
        shipped=shipped,
        own_audio=bool(args.audio or args.data_dir),
        remarks=remarks,
        articles=args.article,
    )


def stored_figures(checkpoint: str | Path, suffix: str, codec: SparseCodec) -> dict | None:
    """The figures that `sparse_codec evaluate --json` or `words --json` wrote beside a checkpoint, if there are any.

    Raises: CheckpointError if they were measured with another checkpoint, with other options than it encodes by, or
    with another manifest than the one beside it.
    """
    file = find_checkpoint(checkpoint).with_suffix(suffix)
    if not file.exists():
        return None
    again = f"run python -m sparse_codec {COMMANDS[suffix]} again"
    try:
        figures = json.loads(file.read_text())
        measured = figures["checkpoint"]
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{file}: not figures of sparse_codec {COMMANDS[suffix]}; move it away"
        ) from error
    if measured != codec.digest:
        raise CheckpointError(f"{file}: measured with another checkpoint; {again}")
    if "manifest" in figures:
        beside = file.with_suffix(".manifest.json")
        if not beside.exists() or read_manifest(beside).digest != figures["manifest"]:
            raise CheckpointError(
                f"{file}: measured with another manifest than {beside.name}; {again}"
            )
        options = (
            asdict(EncodeOptions()) | figures["options"]
        )  # what is new since then had its default
        if options != asdict(codec.config.encode):
            raise CheckpointError(
                f"{file}: measured with other options than the checkpoint's; {again}"
            )
    return figures


def _sources() -> dict[str, bytes]:
    """The project's files, for an archive that keeps them with the site."""
    listed = _git("ls-files", "-z")
    return {
        name: (ROOT / name).read_bytes()
        for name in listed.split("\0")
        if name and not name.startswith(".")
    }


def _commit() -> str:
    """The commit that the project stands at, where it is a git checkout."""
    return _git("describe", "--always", "--dirty", "--abbrev=12").strip() or "an installed copy"


def _git(*arguments: str) -> str:
    """What git prints, or nothing where this is no checkout."""
    if not (ROOT / ".git").exists():  # it may lie inside another one
        return ""
    try:
        return subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


if __name__ == "__main__":
    sys.exit(main())
