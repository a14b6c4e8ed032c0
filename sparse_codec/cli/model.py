"""Commands that make models and measure them: train, freeze, evaluate, words, priors."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import torch
from tqdm import tqdm

from sparse_codec.audio.recordings import Recording, find_recordings
from sparse_codec.checkpoint import find_checkpoint
from sparse_codec.cli.options import Commands, add_command, positive
from sparse_codec.codec import SparseCodec
from sparse_codec.coding.priors import priors_file
from sparse_codec.config import CodecConfig
from sparse_codec.evaluation.frozen_set import freeze, read_manifest
from sparse_codec.evaluation.measure import evaluate, write_results
from sparse_codec.evaluation.tables import report
from sparse_codec.evaluation.words import count_word_errors
from sparse_codec.outputs import check_output
from sparse_codec.training.fit_priors import fit_priors
from sparse_codec.training.trainer import train

CHECKPOINT = 'a .safetensors file or a shipped name, such as "music"'


def add_commands(commands: Commands) -> None:
    _add_train(commands)
    _add_freeze(commands)
    _add_evaluate(commands)

    example = "words music --data LJSpeech-1.1"
    words = add_command(
        commands, "words", run_words, "count a recogniser's word errors on LJ Speech", example
    )
    words.add_argument("checkpoint", help=CHECKPOINT)
    words.add_argument("--data", type=Path, nargs="+", required=True, help="LJ Speech folders")
    words.add_argument("--json", type=Path, help="write the figures to this file too")

    text = "fit the tables beside a checkpoint that .events files are coded with"
    priors = add_command(
        commands, "priors", run_priors, text, "priors runs/mine/model.safetensors --data corpus"
    )
    priors.add_argument("checkpoint", help=CHECKPOINT)
    priors.add_argument(
        "--data", type=Path, nargs="+", required=True, help="folders that the codec was trained on"
    )
    priors.add_argument(
        "--excerpts", type=positive(int), default=30, help="that are encoded (default: %(default)s)"
    )


def _add_train(commands: Commands) -> None:
    example = (
        "train --config experiments/configs/default.toml --data prepared/musicnet --out runs/mine"
    )
    learn = add_command(
        commands,
        "train",
        run_train,
        "train a codec; an interrupted run goes on where it was",
        example,
    )
    learn.add_argument(
        "--config",
        type=Path,
        required=True,
        help="TOML file, such as experiments/configs/default.toml",
    )
    learn.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        help="folders: MusicNet, LJ Speech, any audio",
    )
    learn.add_argument(
        "--out",
        type=Path,
        required=True,
        help="folder for model.safetensors and the state of the run",
    )
    length = learn.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=positive(float), help="instead of the configuration's")
    length.add_argument(
        "--steps", type=positive(int), help="instead of the configuration's minutes"
    )
    learn.add_argument(
        "--device", default="", choices=("cpu", "cuda"), help="default: a GPU where there is one"
    )
    learn.add_argument(
        "--start", help="checkpoint to take the first weights from, a file or a shipped name"
    )


def _add_freeze(commands: Commands) -> None:
    text = "write the manifest of an evaluation set: segments of held-out works"
    choose = add_command(
        commands, "freeze", run_freeze, text, "freeze --data corpus --out mine.manifest.json"
    )
    choose.add_argument(
        "--data", type=Path, nargs="*", default=[], help="folders whose held-out works are taken"
    )
    choose.add_argument(
        "--foreign", type=Path, nargs="*", default=[], help="folders never trained on: all is taken"
    )
    choose.add_argument(
        "--each", type=positive(int), default=6, help="segments a recording (default: %(default)s)"
    )
    choose.add_argument("--out", type=Path, required=True, help="JSON file to write")


def _add_evaluate(commands: Commands) -> None:
    text = "measure figures on held-out audio, beside matching pursuit and codecs"
    measure = add_command(
        commands, "evaluate", run_evaluate, text, "evaluate music --data corpus --json music.json"
    )
    measure.add_argument("checkpoint", help=CHECKPOINT)
    measure.add_argument(
        "--data", type=Path, nargs="+", required=True, help="folders with the manifest's files"
    )
    measure.add_argument(
        "--manifest",
        type=Path,
        help="made by freeze (default: the one shipped with the checkpoint)",
    )
    measure.add_argument(
        "--candidates", type=positive(int), help="tried at each step, instead of the checkpoint's"
    )
    measure.add_argument(
        "--refine",
        type=positive(int),
        help="gradient steps at the end, instead of the checkpoint's",
    )
    measure.add_argument(
        "--jobs", type=positive(int), default=1, help="processes (default: %(default)s)"
    )
    measure.add_argument("--json", type=Path, help="write the figures to this file too")


def run_train(args: argparse.Namespace) -> int:
    print(
        train(args.config, args.data, args.out, args.device, args.minutes, args.steps, args.start)
    )
    return 0


def _recordings(folders: list[Path]) -> list[Recording]:
    return [recording for folder in folders for recording in find_recordings(folder)]


def run_freeze(args: argparse.Namespace) -> int:
    held_out = [r for r in _recordings(args.data) if r.split == "test"]
    config = CodecConfig()
    values = freeze(
        held_out, _recordings(args.foreign), config.segment_samples, config.samplerate, args.each
    )
    args.out.write_text(json.dumps(values, indent=1) + "\n")
    print(
        f"{sum(len(f['starts']) for f in values['files'])} segments of {len(values['files'])} files in {args.out}"
    )
    return 0


def run_evaluate(args: argparse.Namespace) -> int:
    if args.json:
        check_output(args.json)
    codec = SparseCodec.load(args.checkpoint)
    given = {"candidates": args.candidates, "refine": args.refine}
    options = dataclasses.replace(
        codec.config.encode, **{k: v for k, v in given.items() if v is not None}
    )
    manifest = read_manifest(
        args.manifest or find_checkpoint(args.checkpoint).with_suffix(".manifest.json")
    )

    def progress(files):
        return tqdm(files, total=len(manifest.files), unit="file", disable=None)

    results = evaluate(codec, manifest, _recordings(args.data), options, args.jobs, progress)
    print(report(results))
    if args.json:
        write_results(results, args.json)
    return 0


def run_words(args: argparse.Namespace) -> int:
    if args.json:
        check_output(args.json)
    torch.set_num_threads(1)
    codec = SparseCodec.load(args.checkpoint)
    recordings = [r for r in _recordings(args.data) if r.text]
    results = count_word_errors(
        codec, recordings, progress=lambda x: tqdm(x, unit="clip", disable=None)
    )
    print(json.dumps(results, indent=1))
    if args.json:
        write_results(results, args.json)
    return 0


def run_priors(args: argparse.Namespace) -> int:
    target = priors_file(args.checkpoint)
    check_output(target)
    codec = SparseCodec.load(args.checkpoint)

    def progress(excerpts):
        return tqdm(excerpts, unit="excerpt", disable=None)

    fit_priors(codec, _recordings(args.data), args.excerpts, progress=progress).save(target)
    print(target)
    return 0
