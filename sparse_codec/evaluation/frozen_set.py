"""The evaluation set, frozen in a manifest: segments of files, which are known by their hashes.

A manifest is JSON. It makes figures comparable that were measured on two machines, or a year
apart: files with the same hashes give the same segments.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from sparse_codec.audio.files import AudioError, load_audio
from sparse_codec.audio.recordings import SILENT_PEAK, Recording, read_labels, segment_starts
from sparse_codec.outputs import printable

FORMAT = "evaluation manifest 1"


class ManifestError(ValueError):
    """A manifest that cannot be used; the message names the file and the fix."""


@dataclass(frozen=True)
class FrozenFile:
    """A file of the evaluation set."""

    name: str
    group: str  # under which its figures are reported
    work: str
    foreign: bool  # of another kind than the audio that the model was trained on
    sha256: str
    starts: list[Annotated[float, Meta(ge=0)]]  # seconds, of its segments


@dataclass(frozen=True)
class Manifest:
    """The JSON object in a manifest."""

    format: str
    files: list[FrozenFile]


@dataclass(frozen=True)
class FrozenSet:
    """The files of an evaluation set, and the SHA-256 of its manifest."""

    files: list[FrozenFile]
    digest: str

    @property
    def n_segments(self) -> int:
        """Segments of all files."""
        return sum(len(file.starts) for file in self.files)


@dataclass(frozen=True)
class Segment:
    """A segment that is measured."""

    audio: np.ndarray  # (segment_samples,), peak 1
    group: str
    name: str
    onsets: np.ndarray | None = None  # seconds of the labelled notes' onsets in the first half


# ---- choosing segments


def freeze(
    held_out: list[Recording], foreign: list[Recording], n_samples: int, samplerate: int, each: int
) -> list[FrozenFile]:
    """Choose `each` segments of every recording, or as many as a short one holds; no silent ones.

    held_out: of the kind that was trained on, from other works.
    foreign: of another kind; it counts in its group's figures only.
    Raises: ManifestError if there is no segment, or if a group is of both kinds.
    """
    files = []
    for recording in [*held_out, *foreign]:
        starts = _loud_starts(recording.path, n_samples, samplerate, each)
        if starts:
            files.append(
                FrozenFile(
                    name=printable(recording.path.name),
                    group=recording.group,
                    work=recording.work,
                    foreign=recording in foreign,
                    sha256=hash_file(recording.path),
                    starts=starts,
                )
            )
    if not files:
        raise ManifestError(
            "no segment was found: give folders with held-out works, or with any audio as foreign"
        )
    both = foreign_groups(files) & {file.group for file in files if not file.foreign}
    if both:
        raise ManifestError(
            f"{sorted(both)}: held out and foreign at once; rename one of the folders"
        )
    return files


def _loud_starts(path: Path, n_samples: int, samplerate: int, each: int) -> list[float]:
    """Return the starts (seconds) of segments whose first half is not silent."""
    seconds = n_samples / samplerate
    starts = []
    for start in segment_starts(path, seconds, each):
        audio = load_audio(path, samplerate, start, seconds)
        if np.abs(audio[: n_samples // 2]).max() > SILENT_PEAK:
            starts.append(round(start, 3))
    return starts


def foreign_groups(files: list[FrozenFile]) -> set[str]:
    """Return the groups of foreign files."""
    return {file.group for file in files if file.foreign}


def write_manifest(path: Path, files: list[FrozenFile]) -> None:
    """Write the manifest of an evaluation set."""
    path.write_text(json.dumps(asdict(Manifest(FORMAT, files)), indent=1) + "\n")


# ---- finding them again


def read_manifest(path: str | Path) -> FrozenSet:
    """Return the evaluation set of a manifest.

    Raises: ManifestError for a file that is missing, is no manifest, or holds no segments.
    """
    try:
        data = Path(path).read_bytes()
        manifest = msgspec.json.decode(data, type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise ManifestError(
            f"{path}: not an evaluation manifest ({error}); make one with freeze"
        ) from error
    if manifest.format != FORMAT:
        raise ManifestError(
            f"{path}: format {manifest.format!r}, expected {FORMAT!r}; freeze it again"
        )
    frozen = FrozenSet(manifest.files, hashlib.sha256(data).hexdigest())
    if not frozen.n_segments:
        raise ManifestError(
            f"{path}: holds no segments; freeze it from folders with held-out works"
        )
    return frozen


def find_files(
    frozen: FrozenSet, recordings: list[Recording]
) -> list[tuple[FrozenFile, Recording]]:
    """Return each file of the set with the recording that has its hash.

    Raises: ManifestError naming files that are not there.
    """
    names = {file.name for file in frozen.files}
    by_hash = {hash_file(r.path): r for r in recordings if printable(r.path.name) in names}
    missing = [file.name for file in frozen.files if file.sha256 not in by_hash]
    if missing:
        some = ", ".join(missing[:5])
        raise ManifestError(
            f"{len(missing)} files of the manifest are not in --data, or differ: {some}"
        )
    return [(file, by_hash[file.sha256]) for file in frozen.files]


def read_segments(
    file: FrozenFile, recording: Recording, n_samples: int, samplerate: int
) -> Iterator[Segment]:
    """Yield the segments of one file, peak 1, padded with zeros at its end.

    Raises: AudioError for a segment that is silent.
    """
    labels = None
    if recording.labels:
        labels = np.array([onset for onset, _, _ in read_labels(recording.labels)])
    seconds = n_samples / samplerate
    for start in file.starts:
        audio = load_audio(recording.path, samplerate, start, seconds)[:n_samples]
        if not np.abs(audio).max() > 0:
            raise AudioError(
                f"{recording.path}: silent at {start} s, where the manifest has a segment"
            )
        audio = np.pad(audio, (0, n_samples - len(audio))) / np.abs(audio).max()
        onsets = None
        if labels is not None:
            onsets = labels[(labels >= start) & (labels < start + seconds / 2)] - start
        yield Segment(audio, file.group, f"{file.name} at {start:.1f} s", onsets)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
