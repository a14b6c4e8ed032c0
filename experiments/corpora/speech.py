"""Make the offline speech corpus: one speaker's telephone prompts, from a Debian package, as longer readings.

    python -m experiments.corpora.speech OUT [--sounds FOLDER]

Debian's `asterisk-core-sounds-en-g722` holds some 550 prompts, 16 kHz, read by Allison Smith (CC BY-SA 3.0). Most are
shorter than the codec's segment, so prompts of one family (the name up to the first dash) are read one after the
other. OUT gets `train_data` and `test_data`, as MusicNet has them. The family "demo" is never trained on: its prompts
are whole paragraphs, and the speech article's examples are cut from them.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import numpy as np
import soundfile as sf
from tqdm import tqdm

SOUNDS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
SAMPLERATE = 16_000  # Hz
GAP = 0.2  # seconds between two prompts
READING = 30.0  # seconds, about
HELD_OUT_FAMILY = "demo"
NOT_SPEECH = (
    "silence",
    "beep",
    "beeperr",
    "ascending-2tone",
    "descending-2tone",
    "tt-monkeys",
    "tt-weasels",
)


def find_prompts(sounds: Path) -> dict[str, list[Path]]:
    """The prompts of each family, sorted by name."""
    files = sorted(
        p for p in sounds.rglob("*.g722") if not name_of(p, sounds).startswith(NOT_SPEECH)
    )
    return {
        family: list(group) for family, group in groupby(files, key=lambda p: family_of(p, sounds))
    }


def name_of(path: Path, sounds: Path) -> str:
    return "-".join(path.relative_to(sounds).with_suffix("").parts)


def family_of(path: Path, sounds: Path) -> str:
    return name_of(path, sounds).split("-")[0]


def decode(path: Path) -> np.ndarray:
    """Samples (T,) float32 of a G.722 file, by FFmpeg; libsndfile does not read raw G.722."""
    command = [
        "ffmpeg",
        "-loglevel",
        "error",
        "-f",
        "g722",
        "-i",
        str(path),
        "-f",
        "f32le",
        "-ac",
        "1",
        "-",
    ]
    done = subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return np.frombuffer(done.stdout, np.float32)


def readings(prompts: list[Path]) -> list[np.ndarray]:
    """The prompts one after the other, cut between two of them when a reading is long enough."""
    done, now = [], []
    for prompt in tqdm(prompts, unit="prompt", disable=None):
        now += [decode(prompt), np.zeros(round(GAP * SAMPLERATE), np.float32)]
        if sum(map(len, now)) > READING * SAMPLERATE:
            done, now = [*done, np.concatenate(now)], []
    return [*done, np.concatenate(now)] if now else done


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="experiments.corpora.speech", description=__doc__.split("\n")[0]
    )
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--sounds", type=Path, default=SOUNDS, help="folder of prompts (default: %(default)s)"
    )
    args = parser.parse_args(argv)
    families = find_prompts(args.sounds) if args.sounds.is_dir() else {}
    if HELD_OUT_FAMILY not in families or not shutil.which("ffmpeg"):
        print(
            "error: install Debian's asterisk-core-sounds-en-g722 and ffmpeg, or give --sounds",
            file=sys.stderr,
        )
        return 2
    trained = [
        p for family, prompts in families.items() if family != HELD_OUT_FAMILY for p in prompts
    ]
    parts = {f"reading-{i:02d}": audio for i, audio in enumerate(readings(trained), start=1)}
    write(parts, args.out / "train_data")
    write(
        {name_of(p, args.sounds): decode(p) for p in families[HELD_OUT_FAMILY]},
        args.out / "test_data",
    )
    minutes = sum(map(len, parts.values())) / SAMPLERATE / 60
    n_held_out = len(families[HELD_OUT_FAMILY])
    print(
        f"{len(parts)} readings ({minutes:.0f} minutes) of {len(trained)} prompts, {n_held_out} prompts held out"
    )
    return 0


def write(sounds: dict[str, np.ndarray], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, audio in sounds.items():
        sf.write(folder / f"{name}.wav", audio, SAMPLERATE, subtype="PCM_16")


if __name__ == "__main__":
    sys.exit(main())
