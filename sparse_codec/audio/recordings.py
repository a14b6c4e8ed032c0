"""Audio for training and evaluation: MusicNet, LJ Speech and any folder, behind one interface.

Nothing is read into memory whole: a segment is decoded when it is asked for.
"""

from __future__ import annotations

import csv
import logging
import random
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sparse_codec.audio.files import SUFFIXES, AudioError, duration, load_audio

log = logging.getLogger(__name__)

SILENT_PEAK = 0.02  # a segment that never gets louder teaches nothing
HELD_OUT_OF = 10  # where a data set has no split of its own, one work in ten is held out


@dataclass(frozen=True)
class Recording:
    """One file of a data set. Works, not files, are what a split keeps apart."""

    path: Path
    work: str
    split: str  # "train" or "test"
    group: str  # what it is reported under: the folder, or MusicNet's ensemble
    labels: Path | None = None  # MusicNet's note labels
    text: str = ""  # LJ Speech's transcript


def find_recordings(folder: str | Path) -> list[Recording]:
    """The recordings of a MusicNet or LJ Speech folder, or of any folder of audio, sorted by path.

    Raises: AudioError if the folder does not exist or holds no audio.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise AudioError(f"{folder}: no such folder; give a folder of audio, MusicNet or LJ Speech")
    if (folder / "train_data").is_dir():
        found = _musicnet(folder)
    elif (folder / "metadata.csv").is_file() and (folder / "wavs").is_dir():
        found = _lj_speech(folder)
    else:
        files = sorted(_audio(folder.rglob("*")))
        found = [Recording(p, p.stem, _hashed_split(p.stem), folder.name) for p in files]
    if not found:
        raise AudioError(f"{folder}: holds no audio ({', '.join(sorted(SUFFIXES))})")
    return found


def _audio(paths: Iterable[Path]) -> Iterator[Path]:
    return (p for p in paths if p.suffix.lower() in SUFFIXES)


def _musicnet(folder: Path) -> list[Recording]:
    works, ensembles = {}, {}
    metadata = folder / "musicnet_metadata.csv"
    if metadata.is_file():
        with metadata.open(newline="") as file:
            for row in csv.DictReader(file):
                works[row["id"]] = f"{row['composer']} {row['composition']}"
                ensembles[row["id"]] = row["ensemble"].lower()
    found = []
    for split in ("train", "test"):
        for path in sorted(
            _audio((folder / f"{split}_data").glob("*")), key=lambda p: (len(p.stem), p.stem)
        ):
            if works and path.stem not in works:
                continue  # not part of the data set
            labels = folder / f"{split}_labels" / f"{path.stem}.csv"
            work, group = works.get(path.stem, path.stem), ensembles.get(path.stem, folder.name)
            found.append(Recording(path, work, split, group, labels if labels.is_file() else None))
    return found


def _lj_speech(folder: Path) -> list[Recording]:
    with (folder / "metadata.csv").open(newline="", encoding="utf-8") as file:
        texts = {
            row[0]: row[-1]
            for row in csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE)
            if row
        }
    files = sorted(_audio((folder / "wavs").glob("*")))
    # "LJ001-0001": the part before the dash is the chapter that was read
    chapters = {p: p.stem.split("-")[0] for p in files}
    return [
        Recording(p, c, _hashed_split(c), "LJ Speech", None, texts.get(p.stem, ""))
        for p, c in chapters.items()
    ]


def _hashed_split(work: str) -> str:
    """A work's side depends on its name alone, so that adding files moves no other."""
    return "test" if zlib.crc32(work.encode()) % HELD_OUT_OF == 0 else "train"


def read_labels(path: Path) -> list[tuple[float, float, int]]:
    """(onset, end, MIDI pitch) of each note in a MusicNet label file; times in seconds."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        (int(r["start_time"]) / 44_100, int(r["end_time"]) / 44_100, int(r["note"])) for r in rows
    ]


def random_segment(
    recordings: list[Recording], n_samples: int, samplerate: int, rng: random.Random
) -> np.ndarray:
    """A random segment (n_samples,) of a random recording, peak 1; silent ones and bad files are passed over.

    Raises: AudioError if a hundred draws in a row find nothing.
    """
    for _ in range(100):
        recording = rng.choice(recordings)
        place = rng.random()
        try:
            latest = duration(recording.path) - n_samples / samplerate
            audio = load_audio(
                recording.path, samplerate, place * max(0.0, latest), n_samples / samplerate
            )
        except AudioError as error:
            log.warning("skipped %s: %s", recording.path, error)
            continue
        audio = np.pad(audio[:n_samples], (0, max(0, n_samples - len(audio))))
        if (peak := np.abs(audio).max()) > SILENT_PEAK:
            return audio / peak
    raise AudioError("a hundred draws in a row were silent or unreadable; check the data folder")


def spread(recordings: list[Recording], n: int) -> list[Recording]:
    """At most n of the recordings, evenly spread over the list."""
    return recordings[:: max(1, len(recordings) // n)][:n]


def segment_starts(path: Path, seconds: float, each: int) -> list[float]:
    """Starts, in seconds, of at most `each` segments spread over a file; of fewer where they would lie too close."""
    spare = max(0.0, duration(path) - seconds)
    n = min(each, 1 + int(spare // (seconds / 2)))
    return [(i + 0.5) / n * spare for i in range(n)]


def held_out_segments(
    recordings: list[Recording], n_samples: int, samplerate: int, each: int
) -> Iterator[np.ndarray]:
    """`each` segments of every recording, at fixed places spread over it, peak 1.

    A recording shorter than a segment gives one, padded. Silent segments and bad files are passed over.
    """
    for recording in recordings:
        try:
            for start in segment_starts(recording.path, n_samples / samplerate, each):
                audio = load_audio(recording.path, samplerate, start, n_samples / samplerate)[
                    :n_samples
                ]
                audio = np.pad(audio, (0, n_samples - len(audio)))
                if (peak := np.abs(audio).max()) > SILENT_PEAK:
                    yield audio / peak
        except AudioError as error:
            log.warning("skipped %s: %s", recording.path, error)
