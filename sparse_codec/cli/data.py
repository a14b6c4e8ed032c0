"""Commands that get training audio ready: data, prepare."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from sparse_codec.audio.download import DATA_SETS, fetch_data_set
from sparse_codec.audio.files import SUFFIXES, AudioError, read_blocks, write_blocks
from sparse_codec.audio.folders import find_files
from sparse_codec.audio.recordings import SILENT_PEAK
from sparse_codec.cli.jobs import Job, list_jobs, run_jobs
from sparse_codec.cli.messages import say
from sparse_codec.cli.options import Commands, add_command
from sparse_codec.config import CodecConfig
from sparse_codec.outputs import make_folder


def add_commands(commands: Commands) -> None:
    _add_data(commands)
    _add_prepare(commands)


# ---- data


def _add_data(commands: Commands) -> None:
    text = "download a data set, check and unpack it"
    data = add_command(commands, "data", fetch_data, text, "data musicnet datasets")
    data.add_argument("name", choices=DATA_SETS)
    data.add_argument("folder", type=Path, metavar="DIR", help="the data set comes to DIR/NAME")


def fetch_data(args: argparse.Namespace) -> int:
    """Download a data set."""
    target = fetch_data_set(DATA_SETS[args.name], args.name, args.folder)
    print(f"{target} is there; train on it with --data {target}")
    return 0


# ---- prepare


def _add_prepare(commands: Commands) -> None:
    text = (
        "make mono FLAC files at the codec's samplerate of audio, so that training reads them fast"
    )
    example = "prepare datasets/musicnet -o prepared/musicnet"
    prepare = add_command(commands, "prepare", prepare_audio, text, example)
    prepare.add_argument("inputs", nargs="+", metavar="IN", help="files, folders and patterns")
    prepare.add_argument(
        "-o",
        "--out",
        required=True,
        metavar="DIR",
        help="gets the same tree, tables (.csv) included",
    )
    prepare.add_argument(
        "--left", action="store_true", help="take the left channel; else the mean of all"
    )
    prepare.add_argument("--force", action="store_true", help="make files again that are there")


def prepare_audio(args: argparse.Namespace) -> int:
    """Make mono FLAC files of audio, one after the other, and copy tables; return the exit code."""
    samplerate = CodecConfig().samplerate

    def prepare(job: Job) -> None:
        blocks = _audible(read_blocks(job.source, samplerate, left=args.left), job.source)
        counts = write_blocks(job.target, blocks, samplerate)
        say(job.target, f"{counts.n_samples / samplerate:.1f} s")

    make_folder(Path(args.out))
    code = run_jobs(list_jobs(args.inputs, args.out, SUFFIXES, ".flac"), prepare, args.force)
    for folder in (Path(text) for text in args.inputs if Path(text).is_dir()):
        for table in find_files(folder, {".csv"}):
            target = Path(args.out) / table.relative_to(folder)
            make_folder(target.parent)
            shutil.copyfile(table, target)
    return code


def _audible(blocks: Iterable[np.ndarray], path: str) -> Iterator[np.ndarray]:
    """Yield blocks. Raises: AudioError at their end if nothing was loud enough to learn from."""
    peak = 0.0
    for block in blocks:
        peak = max(peak, np.abs(block).max(initial=0.0))
        yield block
    if peak <= SILENT_PEAK:
        raise AudioError(f"{path}: is silent (its peak is {peak:.4f}); left out")
