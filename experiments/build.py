"""Build the articles: load the shipped model, or another, or train one, and write the site."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import experiments
from report.cli.main import run
from report.cli.program import Articles, Program

if TYPE_CHECKING:
    from experiments.inputs import Inputs
    from experiments.lazy_codec import LazyCodec

ROOT = Path(experiments.__file__).parents[1]
SCRIPTS = ROOT / "experiments" / "articles"
ARTICLES = ("music", "speech", "ablations", "listening")
WITH_INPUTS = ("music", "speech")  # the others are about shipped models and clips
RUNS = Path("runs")  # --train keeps checkpoints here, in a folder named after the configuration


def main(argv: list[str] | None = None) -> int:
    """Run a command of the report, `build` if none is given. Returns: the exit code."""
    return run(Program("build_site.py", "experiments.build", __doc__, _add_options, _prepare), argv)


def _add_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--article", nargs="+", choices=ARTICLES, help="only these (default: all)")
    text = "build one article from your own files"
    add("--audio", type=Path, nargs="+", metavar="FILE", help=text)
    text = "the speech article from an LJ Speech folder"
    add("--data-dir", type=Path, metavar="DIR", help=text)
    text = "a .safetensors file, or the name of a shipped model, for one article"
    add("--checkpoint", help=text)
    text = "train a model first, by this TOML file"
    add("--train", type=Path, metavar="CONFIG", help=text)
    text = "what to train on, with --train"
    add("--data", type=Path, nargs="+", metavar="DIR", help=text)
    add("--minutes", type=float, help="how long to train, instead of the configuration's")


def _check(args: argparse.Namespace) -> None:
    """Exit with code 2, for wrong usage, if options do not go together."""
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
    own = args.audio or args.data_dir or args.checkpoint or args.train
    if own and args.article not in (None, ["music"], ["speech"]):
        args.usage_error(
            "your own audio or model is for one article: add --article music or --article speech"
        )


def _articles(args: argparse.Namespace) -> list[str]:
    """Return the articles to build: those that are named, or those that the options are for."""
    if args.article:
        return args.article
    if args.data_dir:
        return ["speech"]
    if args.audio or args.checkpoint or args.train:
        return ["music"]
    return list(ARTICLES)


def _prepare(args: argparse.Namespace) -> Articles:
    _check(args)
    checkpoint, articles = args.checkpoint, _articles(args)
    if args.train:  # an interrupted training goes on
        from sparse_codec.training.trainer import train

        checkpoint = train(args.train, args.data, RUNS / args.train.stem, minutes=args.minutes)
    _set_threads(getattr(args, "threads", 1))
    from experiments.inputs import inputs_of

    inputs = {
        name: inputs_of(name, articles, checkpoint, args.audio, args.data_dir)
        for name in articles
        if name in WITH_INPUTS
    }
    scripts = [SCRIPTS / f"{name}.py" for name in articles]

    def load() -> None:
        for given in inputs.values():
            cast("LazyCodec", given.codec).load()

    return Articles(scripts, _facts(inputs), {"BUILD": inputs}, _sources(), load)


def _set_threads(n_threads: int) -> None:
    """Let PyTorch use so many threads, now or when it is imported.

    The greedy loop is many small operations: one thread is faster than two, and sums come out the
    same whatever number of cores a machine has.
    """
    os.environ["OMP_NUM_THREADS"] = str(n_threads)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(n_threads)


def _facts(inputs: dict[str, Inputs]) -> dict[str, str]:
    """Return what the colophon says of the build."""
    facts = {}
    for name, given in inputs.items():
        facts[f"model of {name}"] = f"{given.codec.config.name}, {given.codec.digest[:16]}"
    facts["source"] = _git("describe", "--always", "--dirty", "--abbrev=12") or "an installed copy"
    if date := _git("log", "-1", "--format=%cI"):
        facts["date"] = date
    return facts


def _sources() -> dict[str, bytes]:
    """Return the project's files by name, for an archive that keeps them with the site."""
    names = _git("ls-files", "-z").split("\0")
    visible = [name for name in names if name and not name.startswith(".")]
    return {name: (ROOT / name).read_bytes() for name in visible}


def _git(*arguments: str) -> str:
    """Return what git prints, without space around it; "" if this is no checkout."""
    if not (ROOT / ".git").exists():  # the project may lie inside of another checkout
        return ""
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


if __name__ == "__main__":
    sys.exit(main())
