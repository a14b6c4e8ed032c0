"""The recordings that the articles are about: the shipped ones, or the reader's own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from sparse_codec import AudioError, load_audio
from sparse_codec.audio.files import duration
from sparse_codec.audio.recordings import find_recordings

SHIPPED = Path(__file__).parent / "clips"
SEGMENT_SECONDS = 2**17 / 22_050  # an example is one segment long
STREAM_SECONDS = 4 * SEGMENT_SECONDS  # the streaming section, at most


@dataclass(frozen=True)
class Clip:
    """A stretch of one file, fixed: two builds use the same samples."""

    path: Path
    title: str
    source: str
    licence: str
    start: float = 0.0  # seconds
    seconds: float = SEGMENT_SECONDS

    def audio(self, samplerate: int) -> np.ndarray:
        """Mono float32 samples (T,), padded with zeros where the file is shorter."""
        n_samples = round(self.seconds * samplerate)
        audio = load_audio(self.path, samplerate, self.start, self.seconds)[:n_samples]
        return np.pad(audio, (0, n_samples - len(audio)))


def shipped_clips(article: str = "music") -> tuple[list[Clip], Clip]:
    """An article's examples and the long clip of its streaming section, from `clips/ARTICLE/clips.json`."""
    folder = SHIPPED / article
    facts = json.loads((folder / "clips.json").read_text())
    clips = [Clip(folder / c.pop("file"), **c) for c in facts["clips"]]
    return clips[:-1], clips[-1]


def clips_of_folder(folder: Path, n_examples: int = 5) -> tuple[list[Clip], Clip]:
    """Examples from a data set, such as LJ Speech: held-out works first; the last clip is for streaming.

    Raises: AudioError if the folder holds too few recordings of a segment's length.
    """
    recordings = sorted(find_recordings(folder), key=lambda r: (r.split != "test", r.path))
    long_enough = list(
        islice((r for r in recordings if duration(r.path) >= SEGMENT_SECONDS), n_examples + 1)
    )
    if len(long_enough) <= n_examples:
        raise AudioError(
            f"{folder}: {len(long_enough)} recordings of {SEGMENT_SECONDS:.1f} s; give {n_examples + 1}"
        )
    clips = [
        Clip(r.path, r.path.stem, source=r.path.name, licence="not stated") for r in long_enough
    ]
    last = clips[-1]
    seconds = min(STREAM_SECONDS, duration(last.path))
    return clips[:-1], Clip(last.path, last.title, last.source, last.licence, seconds=seconds)


def own_clips(paths: list[Path]) -> tuple[list[Clip], Clip, list[str]]:
    """Clips of the reader's own files: the first segment of each, and the start of the first one for streaming.

    Returns: the examples, the long clip, and a line for each file that had to be padded.
    Raises: AudioError for a file that is missing, unreadable, empty or silent, or that holds NaN.
    """
    examples, padded = [], []
    for path in paths:
        audio = load_audio(path, samplerate=22_050, seconds=SEGMENT_SECONDS)
        if not audio.any():
            raise AudioError(
                f"{path}: its first {SEGMENT_SECONDS:.1f} seconds are silent; there is nothing to take apart"
            )
        if len(audio) / 22_050 < SEGMENT_SECONDS - 0.01:
            padded.append(
                f"{path}: {len(audio) / 22_050:.2f} s is shorter than a segment; padded with silence"
            )
        examples.append(
            Clip(Path(path), Path(path).stem, source=Path(path).name, licence="not stated")
        )
    first = examples[0]
    seconds = min(STREAM_SECONDS, max(SEGMENT_SECONDS, duration(first.path)))
    return (
        examples,
        Clip(first.path, first.title, first.source, first.licence, seconds=seconds),
        padded,
    )
