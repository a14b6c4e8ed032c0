"""Options that several measurements have, and the recordings that they measure."""

from __future__ import annotations

import argparse
from pathlib import Path

from experiments.stored_figures import FigureFile
from sparse_codec.audio.recordings import Recording, find_recordings


def measurement_parser(figures: FigureFile, description: str) -> argparse.ArgumentParser:
    """Return a parser with `--out`, which is where the figures go unless it is given."""
    program = figures.command.removeprefix("python -m ")
    parser = argparse.ArgumentParser(prog=program, description=description.partition("\n")[0])
    parser.add_argument(
        "--out", type=Path, default=figures.path, help="JSON file (default: %(default)s)"
    )
    return parser


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """Add `--data`."""
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="folders of audio with held-out works"
    )


def recordings_in(folders: list[Path]) -> list[Recording]:
    """Return the recordings of all folders. Raises: AudioError."""
    return [recording for folder in folders for recording in find_recordings(folder)]


def held_out(folders: list[Path]) -> list[Recording]:
    """Return the recordings of the folders' held-out works. Raises: AudioError."""
    return [recording for recording in recordings_in(folders) if recording.split == "test"]
