"""How the shipped clips were cut: python -m experiments.corpora.clips music CORPUS, or speech PROMPTS."""

import json
import sys
from pathlib import Path

import soundfile as sf

from experiments.clips import SEGMENT_SECONDS, SHIPPED, STREAM_SECONDS
from sparse_codec import load_audio

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


def cut_music(corpus: Path) -> None:
    """Cut the music article's clips from held-out works of a corpus made by `experiments.corpora.music`."""
    from experiments.corpora.music import choose_pieces

    pieces = {p.title: p for p in choose_pieces()}
    cuts = []
    for title, start, caption in MUSIC:
        piece = pieces[title]
        if piece.split != "test":
            raise ValueError(f"{title} was trained on; cut the clips from held-out works")
        source = f"{title} in music21's corpus, played by the sound font MuseScore General"
        cuts.append((title, corpus / "test_data" / f"{piece.number}.wav", start, caption, source))
    _cut(cuts, SHIPPED / "music", "public-domain music, MIT sound font")


def cut_speech(prompts: Path) -> None:
    """Cut the speech article's clips from the held-out prompts of `experiments.corpora.speech`."""
    source = "{} in Debian's asterisk-core-sounds-en-g722, read by Allison Smith"
    cuts = [
        (name, prompts / "test_data" / f"{name}.wav", start, caption, source.format(name))
        for name, start, caption in SPEECH
    ]
    _cut(cuts, SHIPPED / "speech", "CC BY-SA 3.0")


def _cut(cuts: list[tuple[str, Path, float, str, str]], out: Path, licence: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    described = []
    for name, path, start, caption, source in cuts:
        seconds = STREAM_SECONDS if name == cuts[-1][0] else SEGMENT_SECONDS
        rate = sf.info(path).samplerate
        audio = load_audio(path, rate, start, seconds)[: round(seconds * rate)]
        sf.write(out / f"{name}.flac", audio, rate, subtype="PCM_16")
        described.append(
            {
                "file": f"{name}.flac",
                "title": caption,
                "source": source,
                "licence": licence,
                "seconds": seconds,
            }
        )
    (out / "clips.json").write_text(json.dumps({"clips": described}, indent=1) + "\n")


if __name__ == "__main__":
    {"music": cut_music, "speech": cut_speech}[sys.argv[1]](Path(sys.argv[2]))
