"""The evaluation set, frozen: which segments of which files, by the hashes of the files.

A manifest is JSON, so that figures measured on two machines, or a year apart, can be compared: whoever has files with
these hashes measures the same segments.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sparse_codec.audio.files import AudioError, load_audio
from sparse_codec.audio.recordings import SILENT_PEAK, Recording, read_labels, segment_starts

FORMAT = "evaluation manifest 1"
KEYS = ("name", "group", "work", "foreign", "sha256", "starts")  # of each file


class ManifestError(ValueError):
    """A manifest that cannot be used; the message names the file and the fix."""


@dataclass(frozen=True)
class Segment:
    """One segment that is measured."""

    audio: np.ndarray  # (segment_samples,), peak 1
    group: str
    name: str
    onsets: np.ndarray | None = None  # seconds of the labelled notes' onsets in the first half


@dataclass(frozen=True)
class Manifest:
    """Files, each with its group, hash and the places (seconds) of its segments."""

    files: list[dict]
    digest: str

    @property
    def n_segments(self) -> int:
        return sum(len(file["starts"]) for file in self.files)


def freeze(
    held_out: list[Recording], foreign: list[Recording], n_samples: int, samplerate: int, each: int
) -> dict:
    """Choose `each` segments of every recording; a short one gives as many as it holds. Silent ones are left out.

    held_out: of the kind that was trained on, from other works. foreign: of another kind; reported by group only.
    """
    files = []
    for recording in [*held_out, *foreign]:
        starts = []
        for start in segment_starts(recording.path, n_samples / samplerate, each):
            audio = load_audio(recording.path, samplerate, start, n_samples / samplerate)
            if np.abs(audio[: n_samples // 2]).max() > SILENT_PEAK:
                starts.append(round(start, 3))
        facts = {"name": recording.path.name, "group": recording.group, "work": recording.work}
        facts |= {"foreign": recording in foreign, "sha256": hash_file(recording.path)}
        if starts:
            files.append(facts | {"starts": starts})
    if not files:
        raise ManifestError(
            "no segment was found: give folders with held-out works, or with any audio as foreign"
        )
    both = {f["group"] for f in files if f["foreign"]} & {
        f["group"] for f in files if not f["foreign"]
    }
    if both:
        raise ManifestError(
            f"{sorted(both)}: held out and foreign at once; rename one of the folders"
        )
    return {"format": FORMAT, "files": files}


def read_manifest(path: Path) -> Manifest:
    """Raises: ManifestError for a file that is missing, is no manifest, or holds no segments."""
    try:
        data = Path(path).read_bytes()
        values = json.loads(data)
        written, files = (
            values["format"],
            [{key: file[key] for key in KEYS} for file in values["files"]],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ManifestError(f"{path}: not an evaluation manifest ({error})") from error
    if written != FORMAT:
        raise ManifestError(f"{path}: format {written!r}, expected {FORMAT!r}; freeze it again")
    manifest = Manifest(files, hashlib.sha256(data).hexdigest())
    if not manifest.n_segments:
        raise ManifestError(
            f"{path}: holds no segments; freeze it from folders with held-out works"
        )
    return manifest


def find_files(manifest: Manifest, recordings: list[Recording]) -> list[tuple[dict, Recording]]:
    """The recording of each file of the manifest, by hash.

    Raises: ManifestError if some are not there, which names them.
    """
    by_hash = {
        hash_file(r.path): r
        for r in recordings
        if any(r.path.name == f["name"] for f in manifest.files)
    }
    missing = [file["name"] for file in manifest.files if file["sha256"] not in by_hash]
    if missing:
        some = ", ".join(missing[:5])
        raise ManifestError(
            f"{len(missing)} files of the manifest are not in --data, or differ: {some}"
        )
    return [(file, by_hash[file["sha256"]]) for file in manifest.files]


def read_segments(
    file: dict, recording: Recording, n_samples: int, samplerate: int
) -> Iterator[Segment]:
    """The segments of one file, peak 1, padded with zeros at its end."""
    labels = (
        np.array([onset for onset, _, _ in read_labels(recording.labels)])
        if recording.labels
        else None
    )
    half = n_samples / samplerate / 2
    for start in file["starts"]:
        audio = load_audio(recording.path, samplerate, start, n_samples / samplerate)[:n_samples]
        if not np.abs(audio).max() > 0:
            raise AudioError(
                f"{recording.path}: silent at {start} s, where the manifest has a segment"
            )
        audio = np.pad(audio, (0, n_samples - len(audio))) / np.abs(audio).max()
        onsets = None
        if labels is not None:
            onsets = labels[(labels >= start) & (labels < start + half)] - start
        yield Segment(audio, file["group"], f"{file['name']} at {start:.1f} s", onsets)


def hash_file(path: Path) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
