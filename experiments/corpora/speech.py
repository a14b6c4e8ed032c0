"""Make the offline speech corpus: one speaker's telephone prompts, put together into readings.

    python -m experiments.corpora.speech OUT [--sounds FOLDER]

Debian's `asterisk-core-sounds-en-g722` holds some 550 prompts, 16 kHz, read by Allison Smith
(CC BY-SA 3.0). Most are shorter than the codec's segment, so the prompts of each family (the name
up to the first dash) follow each other in readings of half a minute. OUT gets `train_data` and
`test_data`, as MusicNet has them. The family "demo" is never trained on: its prompts are whole
paragraphs, and the speech article's examples are cut from them. `asterisk-core-sounds-en` has their
words: where it is installed, OUT gets a `metadata.csv` with transcripts of the prompts held out, in
the form of LJ Speech.
"""

from __future__ import annotations

import argparse
import gzip
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from sparse_codec.audio.files import save_audio

SOUNDS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
TEXTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
DIGITS = "zero one two three four five six seven eight nine".split()
SPOKEN = {  # what is not read letter by letter or digit by digit
    "28.8": "twenty eight point eight",
    "*": "star",
    "www.asterisk.org": "double u double u double u dot asterisk dot org",
}
SAMPLERATE = 16_000  # Hz
BATCH = 50  # files
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
    """Return the prompts of each family, sorted by path."""
    families: dict[str, list[Path]] = {}
    for path in sorted(sounds.rglob("*.g722")):
        if not name_of(path, sounds).startswith(NOT_SPEECH):
            families.setdefault(family_of(path, sounds), []).append(path)
    return families


def name_of(path: Path, sounds: Path) -> str:
    """Return a prompt's name, such as "digits-1" for "digits/1.g722"."""
    return "-".join(path.relative_to(sounds).with_suffix("").parts)


def family_of(path: Path, sounds: Path) -> str:
    """Return a prompt's name up to the first dash."""
    return name_of(path, sounds).split("-")[0]


def decode(paths: list[Path]) -> Iterator[np.ndarray]:
    """Yield samples (T,) float32 of G.722 files, by FFmpeg: libsndfile reads no raw G.722.

    FFmpeg takes BATCH files at a time, since it takes longer to start than to decode one of them.
    """
    for first in range(0, len(paths), BATCH):
        batch = paths[first : first + BATCH]
        with tempfile.TemporaryDirectory() as folder:
            command = ["ffmpeg", "-loglevel", "error"]
            for path in batch:
                command += ["-f", "g722", "-i", str(path)]
            for number in range(len(batch)):
                command += ["-map", str(number), "-f", "f32le", "-ac", "1", f"{folder}/{number}"]
            subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
            for number in range(len(batch)):
                yield np.fromfile(f"{folder}/{number}", np.float32)


def readings(prompts: list[Path]) -> list[np.ndarray]:
    """Join prompts, with gaps between them, into readings of READING seconds or a little more."""
    finished: list[np.ndarray] = []
    pieces: list[np.ndarray] = []  # of the reading that is not long enough yet
    for audio in tqdm(decode(prompts), total=len(prompts), unit="prompt", disable=None):
        pieces += [audio, np.zeros(round(GAP * SAMPLERATE), np.float32)]
        if sum(map(len, pieces)) > READING * SAMPLERATE:
            finished.append(np.concatenate(pieces))
            pieces = []
    if pieces:
        finished.append(np.concatenate(pieces))
    return finished


def transcripts(texts: Path) -> dict[str, str]:
    """Return the words of prompts by name, as they are spoken; none where the file is missing."""
    if not texts.is_file():
        return {}
    with gzip.open(texts, "rt", encoding="utf-8") as file:
        pairs = (line.rstrip().partition(": ") for line in file if ": " in line)
        return {name.replace("/", "-"): spoken(text) for name, _, text in pairs}


def spoken(text: str) -> str:
    """Return a text with abbreviations, numbers and signs as they are spoken."""
    words = []
    for word in text.split():
        bare = word.rstrip(".,")
        if bare in SPOKEN:
            word = SPOKEN[bare]
        elif bare.isdecimal():
            word = " ".join(DIGITS[int(digit)] for digit in bare)
        elif re.fullmatch("[A-Z]{3}", bare):  # IP is a word of the recogniser, PBX is not
            word = " ".join(bare)
        words.append(word)
    return " ".join(words)


def main(argv: list[str] | None = None) -> int:
    """Make the corpus. Returns: the exit code."""
    parser = argparse.ArgumentParser(
        prog="experiments.corpora.speech", description=__doc__.split("\n")[0]
    )
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--sounds", type=Path, default=SOUNDS, help="folder of prompts (default: %(default)s)"
    )
    parser.add_argument(
        "--texts", type=Path, default=TEXTS, help="what the prompts say (default: %(default)s)"
    )
    args = parser.parse_args(argv)
    families = find_prompts(args.sounds) if args.sounds.is_dir() else {}
    if HELD_OUT_FAMILY not in families or not shutil.which("ffmpeg"):
        print(
            "error: install Debian's asterisk-core-sounds-en-g722 and ffmpeg, or give --sounds",
            file=sys.stderr,
        )
        return 2
    held_out = families.pop(HELD_OUT_FAMILY)
    trained = [prompt for prompts in families.values() for prompt in prompts]
    parts = {f"reading-{i:02d}": audio for i, audio in enumerate(readings(trained), start=1)}
    write(parts, args.out / "train_data")
    names = [name_of(path, args.sounds) for path in held_out]
    write(dict(zip(names, decode(held_out), strict=True)), args.out / "test_data")
    texts = transcripts(args.texts)
    rows = [f"{name}|{texts[name]}" for name in names if name in texts]
    if rows:
        (args.out / "metadata.csv").write_text("\n".join(rows) + "\n")
    minutes = sum(map(len, parts.values())) / SAMPLERATE / 60
    print(
        f"{len(parts)} readings ({minutes:.0f} minutes) of {len(trained)} prompts, "
        f"{len(held_out)} prompts held out, {len(rows)} with transcripts"
    )
    return 0


def write(sounds: dict[str, np.ndarray], folder: Path) -> None:
    """Write each sound as a WAV file of its name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, audio in sounds.items():
        save_audio(folder / f"{name}.wav", audio, SAMPLERATE)


if __name__ == "__main__":
    sys.exit(main())
