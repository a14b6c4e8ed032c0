"""Recordings to train on and to measure: MusicNet, LJ Speech and any folder, behind one interface.

No file is read into memory whole: a segment is decoded when it is needed.
"""

from __future__ import annotations

import csv
import logging
import os
import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sparse_codec.audio.files import SUFFIXES, AudioError, duration, load_audio
from sparse_codec.audio.folders import find_files, is_broken_link
from sparse_codec.outputs import printable

log = logging.getLogger(__name__)

SILENT_PEAK = 0.02  # a segment that never gets louder counts as silent
HELD_OUT_OF = 10  # one work in ten is held out where a data set has no split


@dataclass(frozen=True)
class Recording:
    """One file of a data set. A split keeps works apart, not files."""

    path: Path
    work: str
    split: str  # "train" or "test"
    group: str  # under which figures are reported: the folder, or MusicNet's ensemble
    labels: Path | None = None  # MusicNet's note labels
    text: str = ""  # the transcript


def find_recordings(folder: str | Path) -> list[Recording]:
    """Return the recordings of a MusicNet or LJ Speech folder, or of any folder of audio, by path.

    Raises: AudioError if the folder does not exist or holds no audio.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise AudioError(f"{folder}: no such folder; give a folder of audio, MusicNet or LJ Speech")
    if (folder / "train_data").is_dir():
        recordings = _musicnet(folder)
    elif (folder / "metadata.csv").is_file() and (folder / "wavs").is_dir():
        recordings = _lj_speech(folder)
    else:
        recordings = [
            Recording(path, printable(path.stem), _hashed_split(path.stem), printable(folder.name))
            for path in _sound_files(folder)
        ]
    if not recordings:
        raise AudioError(f"{folder}: holds no audio ({', '.join(sorted(SUFFIXES))})")
    return recordings


def _sound_files(folder: Path) -> list[Path]:
    """Return the sound files below a folder, without links that lead nowhere."""
    paths = find_files(folder, SUFFIXES) if folder.is_dir() else []
    for path in filter(is_broken_link, paths):
        log.warning("%s: is a link that leads nowhere; it is left out", path)
    return [path for path in paths if not is_broken_link(path)]


def _musicnet(folder: Path) -> list[Recording]:
    works, ensembles = {}, {}
    texts = _transcripts(folder)
    metadata = folder / "musicnet_metadata.csv"
    if metadata.is_file():
        with metadata.open(newline="") as file:
            for row in csv.DictReader(file):
                works[row["id"]] = f"{row['composer']} {row['composition']}"
                ensembles[row["id"]] = row["ensemble"].lower()
    recordings = []
    for split in ("train", "test"):
        files = _sound_files(folder / f"{split}_data")
        for path in sorted(files, key=lambda p: (len(p.stem), p.stem)):
            if works and path.stem not in works:
                continue  # not part of the data set
            work, group = (
                works.get(path.stem, printable(path.stem)),
                ensembles.get(path.stem, printable(folder.name)),
            )
            table = folder / f"{split}_labels" / f"{path.stem}.csv"
            labels = table if table.is_file() else None
            text = texts.get(path.stem, "")
            recordings.append(Recording(path, work, split, group, labels, text))
    return recordings


def _lj_speech(folder: Path) -> list[Recording]:
    texts, recordings = _transcripts(folder), []
    # other speakers come in folders of the same layout
    group = "LJ Speech" if folder.name.startswith("LJSpeech") else printable(folder.name)
    for path in _sound_files(folder / "wavs"):
        chapter, text = path.stem.split("-")[0], texts.get(path.stem, "")  # "LJ001-0001"
        split = _hashed_split(chapter)
        recordings.append(Recording(path, chapter, split, group, text=text))
    return recordings


def _transcripts(folder: Path) -> dict[str, str]:
    """Return the transcripts of a folder's metadata.csv by the names of files; LJ Speech's form."""
    metadata = folder / "metadata.csv"
    if not metadata.is_file():
        return {}
    with metadata.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE)
        return {row[0]: row[-1] for row in rows if row}


def _hashed_split(work: str) -> str:
    """Return the split of a work. It depends on the name alone, so new files move no other."""
    return "test" if zlib.crc32(os.fsencode(work)) % HELD_OUT_OF == 0 else "train"


def read_labels(path: Path) -> list[tuple[float, float, int]]:
    """Return (onset, end, MIDI pitch) of each note in a MusicNet label file; times in seconds."""
    with path.open(newline="") as file:
        return [
            (int(row["start_time"]) / 44_100, int(row["end_time"]) / 44_100, int(row["note"]))
            for row in csv.DictReader(file)
        ]


def random_segment(
    recordings: list[Recording], n_samples: int, samplerate: int, rng: random.Random
) -> np.ndarray:
    """Return a random segment (n_samples,) of a random recording, peak 1.

    Silent segments and bad files are passed over. Raises: AudioError if a hundred draws in a row
    are of this kind.
    """
    seconds = n_samples / samplerate
    for _ in range(100):
        recording = rng.choice(recordings)
        place = rng.random()
        try:
            latest = duration(recording.path) - seconds
            audio = load_audio(recording.path, samplerate, place * max(0.0, latest), seconds)
        except AudioError as error:
            log.warning("skipped %s: %s", recording.path, error)
            continue
        audio = np.pad(audio[:n_samples], (0, max(0, n_samples - len(audio))))
        if (peak := np.abs(audio).max()) > SILENT_PEAK:
            return audio / peak
    raise AudioError("a hundred draws in a row were silent or unreadable; check the data folder")


def spread(recordings: list[Recording], n: int) -> list[Recording]:
    """Return at most n of the recordings, evenly spread over the list."""
    return recordings[:: max(1, len(recordings) // n)][:n]


def segment_starts(path: Path, seconds: float, each: int) -> list[float]:
    """Return the starts of at most `each` segments of `seconds`, spread over a file, in seconds.

    There are fewer where they would lie closer than half a segment.
    """
    spare = max(0.0, duration(path) - seconds)
    n = min(each, 1 + int(spare // (seconds / 2)))
    return [(i + 0.5) / n * spare for i in range(n)]


def held_out_segments(
    recordings: list[Recording], n_samples: int, samplerate: int, each: int
) -> Iterator[np.ndarray]:
    """Yield `each` segments (n_samples,) of every recording, at fixed places spread over it.

    Their peak is 1. A recording shorter than a segment gives one, padded. Silent segments and bad
    files are passed over.
    """
    seconds = n_samples / samplerate
    for recording in recordings:
        try:
            for start in segment_starts(recording.path, seconds, each):
                audio = load_audio(recording.path, samplerate, start, seconds)[:n_samples]
                audio = np.pad(audio, (0, n_samples - len(audio)))
                if (peak := np.abs(audio).max()) > SILENT_PEAK:
                    yield audio / peak
        except AudioError as error:
            log.warning("skipped %s: %s", recording.path, error)
