"""Commands that make models and measure them: train, freeze, evaluate, words, priors."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tqdm import tqdm

from sparse_codec.audio.recordings import Recording, find_recordings
from sparse_codec.checkpoint import find_checkpoint
from sparse_codec.cli.options import Commands, add_command, positive
from sparse_codec.coding.formats import load_codec, load_priors
from sparse_codec.coding.priors import priors_file
from sparse_codec.config import CodecConfig, EncodeOptions
from sparse_codec.evaluation.frozen_set import freeze, read_manifest, write_manifest
from sparse_codec.evaluation.tables import markdown_results
from sparse_codec.outputs import check_output
from workers.cluster import add_options as add_workers

if TYPE_CHECKING:
    from sparse_codec.codec import SparseCodec

Item = TypeVar("Item")
CHECKPOINT = 'a .safetensors file or a shipped name, such as "music"'


def add_commands(commands: Commands) -> None:
    _add_train(commands)
    _add_freeze(commands)
    _add_evaluate(commands)
    _add_words(commands)
    _add_priors(commands)


# ---- train


def _add_train(commands: Commands) -> None:
    text = "train a codec; an interrupted run goes on where it was"
    example = (
        "train --config experiments/configs/default.toml --data prepared/musicnet --out runs/mine"
    )
    parser = add_command(commands, "train", run_train, text, example)
    parser.add_argument(
        "--config",
        type=Path,
        required=True,
        help="TOML file, such as experiments/configs/default.toml",
    )
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        help="folders: MusicNet, LJ Speech, any audio",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="folder for model.safetensors and the state of the run",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=positive(float), help="instead of the configuration's")
    length.add_argument(
        "--steps", type=positive(int), help="instead of the configuration's minutes"
    )
    parser.add_argument(
        "--device", default="", choices=("cpu", "cuda"), help="default: a GPU where there is one"
    )
    parser.add_argument(
        "--start", help="checkpoint to take the first weights from, a file or a shipped name"
    )


def run_train(args: argparse.Namespace) -> int:
    """Train a codec and print the path of its checkpoint."""
    from sparse_codec.training.trainer import train

    print(
        train(args.config, args.data, args.out, args.device, args.minutes, args.steps, args.start)
    )
    return 0


# ---- freeze


def _add_freeze(commands: Commands) -> None:
    text = "write the manifest of an evaluation set: segments of held-out works"
    example = "freeze --data corpus --out mine.manifest.json"
    parser = add_command(commands, "freeze", run_freeze, text, example)
    parser.add_argument(
        "--data", type=Path, nargs="*", default=[], help="folders whose held-out works are taken"
    )
    parser.add_argument(
        "--foreign", type=Path, nargs="*", default=[], help="folders never trained on: all is taken"
    )
    parser.add_argument(
        "--each", type=positive(int), default=6, help="segments a recording (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")


def run_freeze(args: argparse.Namespace) -> int:
    """Write the manifest of an evaluation set."""
    held_out = [r for r in _recordings(args.data) if r.split == "test"]
    foreign, config = _recordings(args.foreign), CodecConfig()
    files = freeze(held_out, foreign, config.segment_samples, config.samplerate, args.each)
    write_manifest(args.out, files)
    n_segments = sum(len(file.starts) for file in files)
    print(f"{n_segments} segments of {len(files)} files in {args.out}")
    return 0


# ---- evaluate


def _add_evaluate(commands: Commands) -> None:
    text = "measure figures on held-out audio, beside matching pursuit and codecs"
    example = "evaluate music --data corpus --json music.json"
    parser = add_command(commands, "evaluate", run_evaluate, text, example)
    parser.add_argument("checkpoint", help=CHECKPOINT)
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="folders with the manifest's files"
    )
    parser.add_argument(
        "--manifest",
        type=Path,
        help="made by freeze (default: the one shipped with the checkpoint)",
    )
    parser.add_argument(
        "--candidates", type=positive(int), help="tried at each step, instead of the checkpoint's"
    )
    parser.add_argument(
        "--refine",
        type=positive(int),
        help="gradient steps at the end, instead of the checkpoint's",
    )
    parser.add_argument(
        "--reach",
        type=float,
        metavar="FRAMES",
        help="how far times move to where sounds begin, instead of the checkpoint's; 0: not",
    )
    parser.add_argument("--speech", action="store_true", help="measure intelligibility (ESTOI) too")
    parser.add_argument(
        "--rivals",
        type=Path,
        metavar="JSON",
        help="take other methods' figures from this file of the same manifest, in half the time",
    )
    parser.add_argument(
        "--limit", type=positive(int), metavar="FILES", help="measure the first files only, to try"
    )
    add_workers(parser)
    parser.add_argument("--json", type=Path, help="write the figures to this file too")


def run_evaluate(args: argparse.Namespace) -> int:
    """Measure figures and print them."""
    from sparse_codec.evaluation.measure import evaluate, read_results, write_results

    if args.json:
        check_output(args.json)
    rivals = read_results(args.rivals) if args.rivals else None
    codec = load_codec(args.checkpoint)
    manifest = find_checkpoint(args.checkpoint).with_suffix(".manifest.json")
    frozen = read_manifest(args.manifest or manifest)
    if args.limit:
        frozen = dataclasses.replace(frozen, files=frozen.files[: args.limit])
    n_files = len(frozen.files)
    results = evaluate(
        codec,
        frozen,
        _recordings(args.data),
        _options(args, codec),
        args.jobs,
        args.dask,
        args.speech,
        rivals,
        progress=lambda files: _with_bar(files, "file", n_files),
    )
    print(markdown_results(results))
    if args.json:
        write_results(results, args.json)
    return 0


def _options(args: argparse.Namespace, codec: SparseCodec) -> EncodeOptions:
    """Return the checkpoint's options, with those of the command in their place."""
    options = {"candidates": args.candidates, "refine": args.refine, "reach": args.reach}
    changes = {name: value for name, value in options.items() if value is not None}
    return dataclasses.replace(codec.config.encode, **changes)


# ---- words


def _add_words(commands: Commands) -> None:
    text = "count a recogniser's word errors on speech with transcripts, beside other codecs"
    parser = add_command(commands, "words", run_words, text, "words speech --data LJSpeech-1.1")
    parser.add_argument("checkpoint", help=CHECKPOINT)
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        help="folders with a metadata.csv, as LJ Speech has it; works that were trained on have"
        " no place in it",
    )
    parser.add_argument(
        "--words",
        type=positive(int),
        default=500,
        help="of each folder, about (default: %(default)s)",
    )
    parser.add_argument(
        "--rates",
        type=positive(float),
        nargs="*",
        default=[],
        metavar="BITS",
        help="a second, to which files are limited, beside files as they are",
    )
    add_workers(parser)
    parser.add_argument("--json", type=Path, help="write the figures to this file too")


def run_words(args: argparse.Namespace) -> int:
    """Count word errors and print them."""
    from sparse_codec.evaluation.measure import write_results
    from sparse_codec.evaluation.tables import markdown_words
    from sparse_codec.evaluation.words import choose_clips, count_word_errors

    if args.json:
        check_output(args.json)
    codec = load_codec(args.checkpoint)
    rounded = bool(args.rates) or priors_file(args.checkpoint).exists()
    priors = load_priors(args.checkpoint) if rounded else None
    recordings = _recordings(args.data)
    n_clips = len(choose_clips(recordings, args.words))
    results = count_word_errors(
        codec,
        recordings,
        priors,
        args.rates,
        args.words,
        args.jobs,
        args.dask,
        progress=lambda clips: _with_bar(clips, "clip", n_clips),
    )
    print(markdown_words(results))
    if args.json:
        write_results(results, args.json)
    return 0


# ---- priors


def _add_priors(commands: Commands) -> None:
    text = "fit the tables beside a checkpoint that .events files are coded with"
    example = "priors runs/mine/model.safetensors --data corpus"
    parser = add_command(commands, "priors", run_priors, text, example)
    parser.add_argument("checkpoint", help=CHECKPOINT)
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="folders that the codec was trained on"
    )
    parser.add_argument(
        "--excerpts", type=positive(int), default=30, help="that are encoded (default: %(default)s)"
    )


def run_priors(args: argparse.Namespace) -> int:
    """Fit priors, write them beside the checkpoint and print their path."""
    from sparse_codec.training.fit_priors import fit_priors

    target = priors_file(args.checkpoint)
    check_output(target)
    codec = load_codec(args.checkpoint)
    priors = fit_priors(
        codec,
        _recordings(args.data),
        args.excerpts,
        progress=lambda excerpts: _with_bar(excerpts, "excerpt"),
    )
    priors.save(target)
    print(target)
    return 0


# ---- shared


def _recordings(folders: list[Path]) -> list[Recording]:
    return [recording for folder in folders for recording in find_recordings(folder)]


def _with_bar(items: Iterable[Item], unit: str, total: int | None = None) -> Iterable[Item]:
    """Return items with a progress bar, on a terminal."""
    return tqdm(items, total=total, unit=unit, disable=None)
