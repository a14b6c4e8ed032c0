"""The recordings that the articles are about: the shipped ones, or the reader's own."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from experiments.scores import Note, cut, read_notes
from sparse_codec import AudioError, load_audio
from sparse_codec.audio.files import duration
from sparse_codec.audio.recordings import find_recordings
from sparse_codec.outputs import printable

log = logging.getLogger(__name__)

SHIPPED = Path(__file__).parent / "clips"
SEGMENT_SECONDS = 2**17 / 22_050  # an example is one segment long
STREAM_SECONDS = 4 * SEGMENT_SECONDS  # the streaming section, at most


@dataclass(frozen=True)
class Clip:
    """A stretch of one file: every build uses the same samples of it."""

    path: Path
    title: str
    source: str
    licence: str
    start: float = 0.0  # seconds
    seconds: float = SEGMENT_SECONDS

    def audio(self, samplerate: int) -> np.ndarray:
        """Return mono float32 samples (T,), padded with zeros where the file is shorter."""
        n_samples = round(self.seconds * samplerate)
        audio = load_audio(self.path, samplerate, self.start, self.seconds)[:n_samples]
        return np.pad(audio, (0, n_samples - len(audio)))

    def notes(self) -> list[Note]:
        """Return the notes of the clip, if a score lies beside its file. Raises: AudioError."""
        return cut(read_notes(self.path), self.start, self.seconds)


def shipped_clips(article: str = "music") -> tuple[list[Clip], Clip]:
    """Return an article's examples, and the long clip of its streaming section.

    They are described in `clips/ARTICLE/clips.json`.
    """
    folder = SHIPPED / article
    facts = json.loads((folder / "clips.json").read_text())
    clips = [Clip(folder / c.pop("file"), **c) for c in facts["clips"]]
    return clips[:-1], clips[-1]


def clips_of_folder(folder: Path, n_examples: int = 5) -> tuple[list[Clip], Clip]:
    """Return examples from a data set such as LJ Speech, held-out works first, and a long clip.

    Raises: AudioError if the folder holds too few recordings of a segment's length.
    """
    recordings = sorted(find_recordings(folder), key=lambda r: (r.split != "test", r.path))
    long_enough = (r.path for r in recordings if _seconds(r.path) >= SEGMENT_SECONDS)
    paths = list(islice(long_enough, n_examples + 1))
    if len(paths) <= n_examples:
        raise AudioError(
            f"{folder}: {len(paths)} recordings of {SEGMENT_SECONDS:.1f} s; give {n_examples + 1}"
        )
    *examples, last = paths
    seconds = min(STREAM_SECONDS, duration(last))
    return [_own_clip(path) for path in examples], _own_clip(last, seconds)


def _seconds(path: Path) -> float:
    """Return the seconds of a recording; 0 with a warning for one that cannot be read."""
    try:
        return duration(path)
    except AudioError as error:
        log.warning("skipped %s", error)
        return 0.0


def own_clips(paths: list[Path]) -> tuple[list[Clip], Clip, list[str]]:
    """Return the first segment of each of the reader's files, and a long clip of the first file.

    Returns: the examples, the long clip, and a line for each file that is not shown as it is: one
    that had to be padded, or of which there is more.
    Raises: AudioError for a file that is missing, unreadable, empty or silent, or that holds NaN.
    """
    remarks = []
    for path in paths:
        audio = load_audio(path, samplerate=22_050, seconds=SEGMENT_SECONDS)
        if not audio.any():
            raise AudioError(
                f"{path}: its first {SEGMENT_SECONDS:.1f} seconds are silent; "
                "there is nothing to take apart"
            )
        name, seconds = printable(path.name), len(audio) / 22_050
        if seconds < SEGMENT_SECONDS - 0.01:
            remarks.append(
                f"{name}: {seconds:.2f} s is shorter than a segment; padded with silence"
            )
        elif duration(path) > SEGMENT_SECONDS + 0.01:
            shown = f"the first {SEGMENT_SECONDS:.2f} of {duration(path):.2f} s"
            remarks.append(f"{name}: {shown} are taken apart as an example")
    seconds = min(STREAM_SECONDS, max(SEGMENT_SECONDS, duration(paths[0])))
    return [_own_clip(path) for path in paths], _own_clip(paths[0], seconds), remarks


def _own_clip(path: Path, seconds: float = SEGMENT_SECONDS) -> Clip:
    title, source = printable(path.stem), printable(path.name)
    return Clip(path, title, source, licence="not stated", seconds=seconds)
