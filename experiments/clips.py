"""The recordings that the articles are about: the shipped ones, or the reader's own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf

from sparse_codec import AudioError, load_audio

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


def shipped_clips() -> tuple[list[Clip], Clip]:
    """The examples and the long clip of the streaming section, from `clips/clips.json`."""
    facts = json.loads((SHIPPED / "clips.json").read_text())
    clips = [Clip(SHIPPED / c.pop("file"), **c) for c in facts["clips"]]
    return clips[:-1], clips[-1]


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
            padded.append(f"{path}: {len(audio) / 22_050:.2f} s is shorter than a segment; padded with silence")
        examples.append(Clip(Path(path), Path(path).stem, source=Path(path).name, licence="not stated"))
    first = examples[0]
    seconds = min(STREAM_SECONDS, max(SEGMENT_SECONDS, sf.info(first.path).duration))
    return examples, Clip(first.path, first.title, first.source, first.licence, seconds=seconds), padded


# ---- how the shipped clips were cut: python -m experiments.clips CORPUS

CUTS = (  # work in the corpus, seconds, title
    ("haydn_opus74no1_movement1", 0.0, "Haydn, string quartet op. 74 no. 1, first movement"),
    ("schumann_clara_polonaise_op1n2", 60.0, "Clara Schumann, polonaise op. 1 no. 2, piano"),
    ("bach_bwv309", 12.0, "Bach, chorale BWV 309, guitar"),
    ("bach_bwv67.7", 6.0, "Bach, chorale BWV 67.7, organ"),
    ("bach_bwv256", 6.0, "Bach, chorale BWV 256, brass"),
    ("mozart_k156_movement1", 9.0, "Mozart, string quartet K. 156, first movement"),
)


def cut_clips(corpus: Path, out: Path = SHIPPED) -> None:
    """Cut the shipped clips from held-out works of a corpus made by `experiments.corpus`; the last is the long one."""
    from experiments.corpus import choose_pieces

    pieces = {p.title: p for p in choose_pieces()}
    described = []
    for title, start, caption in CUTS:
        piece = pieces[title]
        if piece.split != "test":
            raise ValueError(f"{title} was trained on; cut the clips from held-out works")
        seconds = STREAM_SECONDS if title == CUTS[-1][0] else SEGMENT_SECONDS
        audio = load_audio(corpus / "test_data" / f"{piece.number}.wav", 22_050, start, seconds)
        file = f"{title}.flac"
        sf.write(out / file, audio[: round(seconds * 22_050)], 22_050, subtype="PCM_16")
        source = f"{title} in music21's corpus, played by the sound font MuseScore General"
        licence = "public-domain music, MIT sound font"
        described.append({"file": file, "title": caption, "source": source, "licence": licence, "seconds": seconds})
    (out / "clips.json").write_text(json.dumps({"clips": described}, indent=1) + "\n")


if __name__ == "__main__":
    import sys

    cut_clips(Path(sys.argv[1]))
