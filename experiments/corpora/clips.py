"""Cut the shipped clips from the corpora, and the notes of the music beside them.

python -m experiments.corpora.clips music CORPUS
python -m experiments.corpora.clips speech PROMPTS
"""

import csv
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import soundfile as sf

from experiments.clips import SEGMENT_SECONDS, SHIPPED, STREAM_SECONDS
from experiments.corpora.music import LABEL_COLUMNS, LABEL_RATE, choose_scores
from sparse_codec import load_audio, save_audio

MUSIC = (  # work in the corpus, seconds, title; the last is the long one
    ("haydn_opus74no1_movement1", 0.0, "Haydn, string quartet op. 74 no. 1, first movement"),
    ("schumann_clara_polonaise_op1n2", 60.0, "Clara Schumann, polonaise op. 1 no. 2, piano"),
    ("bach_bwv309", 12.0, "Bach, chorale BWV 309, guitar"),
    ("bach_bwv67.7", 6.0, "Bach, chorale BWV 67.7, organ"),
    ("bach_bwv256", 6.0, "Bach, chorale BWV 256, brass"),
    ("mozart_k156_movement1", 9.0, "Mozart, string quartet K. 156, first movement"),
)
SPEECH = (  # prompt, seconds, title
    ("demo-abouttotry", 0.0, "A telephone prompt: about to try"),
    ("demo-moreinfo", 0.0, "A telephone prompt: more information"),
    ("demo-echotest", 0.0, "A telephone prompt: the echo test"),
    ("demo-instruct", 6.0, "A telephone prompt: instructions"),
    ("demo-nogo", 0.0, "A telephone prompt: no go"),
    ("demo-congrats", 0.0, "A telephone prompt: congratulations"),
)


@dataclass(frozen=True)
class Cut:
    """A clip to be cut from a file."""

    name: str
    path: Path
    start: float  # seconds
    title: str
    source: str
    labels: Path | None = None  # of the whole file, in MusicNet's columns


def cut_music(corpus: Path) -> None:
    """Cut the clips of music from held-out works of the corpus that `corpora/music.py` made."""
    scores = {score.title: score for score in choose_scores()}
    cuts = []
    for title, start, caption in MUSIC:
        score = scores[title]
        if score.split != "test":
            raise ValueError(f"{title} was trained on; cut the clips from held-out works")
        source = f"{title} in music21's corpus, played by the sound font MuseScore General"
        path = corpus / "test_data" / f"{score.number}.wav"
        labels = corpus / "test_labels" / f"{score.number}.csv"
        cuts.append(Cut(title, path, start, caption, source, labels))
    _write(cuts, SHIPPED / "music", "public-domain music, MIT sound font")


def cut_speech(prompts: Path) -> None:
    """Cut the clips of speech from the held-out prompts of the corpus of `corpora/speech.py`."""
    cuts = []
    for name, start, caption in SPEECH:
        source = f"{name} in Debian's asterisk-core-sounds-en-g722, read by Allison Smith"
        cuts.append(Cut(name, prompts / "test_data" / f"{name}.wav", start, caption, source))
    _write(cuts, SHIPPED / "speech", "CC BY-SA 3.0")


def _write(cuts: list[Cut], out: Path, licence: str) -> None:
    """Write clips and their description to a folder. The last clip is the long one."""
    out.mkdir(parents=True, exist_ok=True)
    described = []
    for cut in cuts:
        seconds = STREAM_SECONDS if cut is cuts[-1] else SEGMENT_SECONDS
        rate = sf.info(cut.path).samplerate
        audio = load_audio(cut.path, rate, cut.start, seconds)[: round(seconds * rate)]
        save_audio(out / f"{cut.name}.flac", audio, rate)
        if cut.labels:
            write_labels(cut_labels(cut.labels, cut.start, seconds), out / f"{cut.name}.csv")
        described.append(
            {
                "file": f"{cut.name}.flac",
                "title": cut.title,
                "source": cut.source,
                "licence": licence,
                "seconds": seconds,
            }
        )
    (out / "clips.json").write_text(json.dumps({"clips": described}, indent=1) + "\n")


def cut_labels(path: Path, start: float, seconds: float) -> list[dict[str, str]]:
    """Return the rows of a file of labels whose notes sound in `seconds` from `start` on.

    Their times are counted from there, and end where the cut does; beats stay those of the score.
    """
    first, length = round(start * LABEL_RATE), round(seconds * LABEL_RATE)
    rows = []
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            begin, end = (int(row[name]) - first for name in ("start_time", "end_time"))
            if begin < length and end > 0:
                times = {"start_time": str(max(0, begin)), "end_time": str(min(length, end))}
                rows.append(row | times)
    return rows


def write_labels(rows: list[dict[str, str]], target: Path) -> None:
    """Write labels in MusicNet's columns."""
    with target.open("w", newline="") as file:
        writer = csv.DictWriter(file, LABEL_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    {"music": cut_music, "speech": cut_speech}[sys.argv[1]](Path(sys.argv[2]))
