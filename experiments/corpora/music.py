"""Render public-domain scores to the offline chamber-music corpus, in MusicNet's layout.

    python -m experiments.corpora.music OUT [--limit N] [--font FILE.sf3] [--jobs 2]

The scores come with the package music21; FluidSynth plays them through the MuseScore General sound
font (Debian: `fluidsynth musescore-general-soundfont`). OUT gets what musicnet.tar.gz holds:
`train_data/ID.wav`, `train_labels/ID.csv`, the same for `test_`, and `musicnet_metadata.csv`.

The split is by *work*, never by segment: all movements of a quartet, and all chorales of a cantata,
are on one side. One ensemble (brass) is never trained on.
"""

from __future__ import annotations

import argparse
import csv
import random
import shutil
import subprocess
import sys
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path

import mido
import soundfile as sf
from tqdm import tqdm

FONT = Path("/usr/share/sounds/sf3/MuseScore_General.sf3")
SAMPLERATE = 22_050  # Hz
LABEL_RATE = 44_100  # label times are counted in samples at MusicNet's own rate
LONGEST = 150.0  # seconds of each piece
RENDER_TIMEOUT = 120  # seconds; a few scores would render for ever

# General MIDI programs, one for each part (repeated when a score has more parts).
ENSEMBLES = {
    "string quartet": (40, 40, 41, 42),
    "piano": (0,),
    "woodwinds": (73, 68, 71, 70),
    "string orchestra": (48,),
    "harpsichord": (6,),
    "organ": (19,),
    "brass": (56, 60, 57, 58),
    "flute, violin, cello and piano": (73, 40, 42, 0),
    "harp": (46,),
    "guitar": (24,),
    "choir": (52,),
    "recorder and viols": (74, 41, 42, 43),
}
HELD_OUT_ENSEMBLE = "brass"
HELD_OUT_WORKS = (
    "haydn_opus74no1",
    "mozart_k156",
    "schumann_clara_polonaise_op1n2",
    "joplin_maple_leaf_rag",
)
KEYBOARD = ("chopin", "joplin", "schumann_clara", "mozart_k545")
QUARTETS = ("haydn", "mozart", "beethoven", "schumann_robert_opus41")


@dataclass(frozen=True)
class Piece:
    """One score and how it is to be played."""

    number: int
    path: Path
    title: str  # the path in music21's corpus, such as "haydn_opus74no1_movement1"
    work: str  # what the split goes by
    ensemble: str
    split: str  # "train" or "test"


@dataclass(frozen=True)
class Note:
    """One sounding note: times in seconds and in beats, part, MIDI pitch, velocity."""

    start: float
    end: float
    start_beat: float
    end_beat: float
    part: int
    pitch: int
    velocity: int


def choose_pieces(limit: int | None = None) -> list[Piece]:
    """The corpus: quartets, keyboard music, chorales and madrigals; the same list on every machine."""
    import music21

    root = Path(music21.__file__).parent / "corpus"
    files = sorted({p for pattern in ("*.mxl", "*.xml", "*.krn") for p in root.rglob(pattern)})
    by_title = {title_of(p, root): p for p in files}
    chorales = sorted(t for t in by_title if t.startswith("bach_"))
    madrigals = sorted(t for t in by_title if t.startswith("monteverdi_") and "old" not in t)
    random.Random(0).shuffle(chorales)
    random.Random(0).shuffle(madrigals)
    large = sorted(t for t in by_title if t.startswith(QUARTETS + KEYBOARD))
    titles = [t for group in take_turns(chorales[:110], large, madrigals[:30]) for t in group]
    pieces = [describe(n, t, by_title[t]) for n, t in enumerate(titles, start=1)]
    # A chorale for the held-out ensemble is left out where other movements of its work are trained on.
    trained = {p.work for p in pieces if p.split == "train"}
    return [p for p in pieces if p.split == "train" or p.work not in trained][:limit]


def take_turns(*groups: list[str]) -> Iterator[list[str]]:
    """One of each group in turn, so that a corpus cut short is still mixed."""
    for i in range(max(map(len, groups))):
        yield [g[i] for g in groups if i < len(g)]


def title_of(path: Path, root: Path) -> str:
    return "_".join(path.relative_to(root).with_suffix("").parts)


def describe(number: int, title: str, path: Path) -> Piece:
    """Fix a score's ensemble by its title and its split by its work, so that neither depends on the others."""
    work = title.split(".")[0] if title.startswith("bach_") else title.split("_movement")[0]
    if title.startswith(KEYBOARD):
        ensemble = "piano"
    elif title.startswith(QUARTETS):
        ensemble = "string quartet"
    else:
        names = sorted(set(ENSEMBLES) - {"string quartet"})
        ensemble = names[zlib.crc32(title.encode()) % len(names)]
    held_out = (
        ensemble == HELD_OUT_ENSEMBLE
        or work in HELD_OUT_WORKS
        or zlib.crc32(work.encode()) % 10 == 0
    )
    return Piece(number, path, title, work, ensemble, "test" if held_out else "train")


def read_notes(path: Path, seed: int) -> list[Note]:
    """The notes of a score in the order of their onsets, repeats played, levels varied a little.

    Raises: music21's own exceptions for a score that it cannot expand.
    """
    import music21

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        target = Path(folder) / "score.mid"
        music21.converter.parse(path).write("midi", fp=target)
        midi = mido.MidiFile(target)
    seconds = tempo_map(midi)
    rng = random.Random(seed)
    notes, part = [], -1
    for track in midi.tracks:
        if not any(m.type == "note_on" for m in track):
            continue
        part, tick, open_notes = part + 1, 0, {}
        loudness = rng.randint(64, 100)
        for message in track:
            tick += message.time
            if message.type == "note_on" and message.velocity:
                open_notes[message.note] = tick
            elif message.type in ("note_on", "note_off") and message.note in open_notes:
                start = open_notes.pop(message.note)
                velocity = max(20, min(127, loudness + rng.randint(-14, 14)))
                beats = start / midi.ticks_per_beat, tick / midi.ticks_per_beat
                notes.append(
                    Note(seconds(start), seconds(tick), *beats, part, message.note, velocity)
                )
    return sorted((n for n in notes if n.end <= LONGEST), key=lambda n: (n.start, n.pitch))


def tempo_map(midi):
    """A function from ticks to seconds, tempo changes included."""
    changes, tick = [], 0
    for message in midi.tracks[0]:
        tick += message.time
        if message.type == "set_tempo":
            changes.append((tick, message.tempo))

    def seconds(at: int) -> float:
        total, last, tempo = 0.0, 0, 500_000
        for tick, new_tempo in changes:
            if tick >= at:
                break
            total, last, tempo = total + (tick - last) * tempo, tick, new_tempo
        return (total + (at - last) * tempo) / midi.ticks_per_beat / 1e6

    return seconds


def write_midi(notes: list[Note], programs: tuple[int, ...], target: Path) -> None:
    """A MIDI file with one tick a millisecond, so that the labels are exactly what is played."""
    midi = mido.MidiFile(ticks_per_beat=500)  # at the default tempo a beat is 500 ms
    for part in sorted({n.part for n in notes}):
        channel = part % 15 + (part % 15 >= 9)  # channel 9 is drums
        track = mido.MidiTrack(
            [
                mido.Message(
                    "program_change", channel=channel, program=programs[part % len(programs)]
                )
            ]
        )
        events = [(round(1000 * n.start), 1, n) for n in notes if n.part == part]
        events += [
            (max(round(1000 * n.end), round(1000 * n.start) + 1), 0, n)
            for n in notes
            if n.part == part
        ]
        now = 0
        for tick, is_on, note in sorted(events, key=lambda e: e[:2]):
            kind, velocity = ("note_on", note.velocity) if is_on else ("note_off", 0)
            track.append(
                mido.Message(
                    kind, channel=channel, note=note.pitch, velocity=velocity, time=tick - now
                )
            )
            now = tick
        midi.tracks.append(track)
    midi.save(target)


def render(notes: list[Note], programs: tuple[int, ...], font: Path, seed: int):
    """Mono audio (T,) at SAMPLERATE, peak 0.95, played in one of three rooms."""
    room = random.Random(seed).choice((0.2, 0.5, 0.8))
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder) / "piece.mid", Path(folder) / "piece.wav"
        write_midi(notes, programs, midi)
        command = ["fluidsynth", "-ni", "-q", "-g", "0.5", "-r", str(SAMPLERATE), "-F", str(wav)]
        command += ["-o", f"synth.reverb.room-size={room}", str(font), str(midi)]
        subprocess.run(command, check=True, timeout=RENDER_TIMEOUT, capture_output=True)
        audio, _ = sf.read(wav, dtype="float32", always_2d=True)
    audio = audio.mean(axis=1)
    return 0.95 * audio / max(1e-6, abs(audio).max())


def write_labels(notes: list[Note], programs: tuple[int, ...], target: Path) -> None:
    """MusicNet's columns: times in samples at 44.1 kHz, the program counted from 1, positions in beats."""
    lengths = {
        4: "Whole",
        2: "Half",
        1: "Quarter",
        0.5: "Eighth",
        0.25: "Sixteenth",
        0.125: "Thirty Second",
    }
    with target.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(
            ["start_time", "end_time", "instrument", "note", "start_beat", "end_beat", "note_value"]
        )
        for n in notes:
            beats = n.end_beat - n.start_beat
            value = lengths[min(lengths, key=lambda b: abs(b - beats))]
            times = round(n.start * LABEL_RATE), round(n.end * LABEL_RATE)
            program = programs[n.part % len(programs)] + 1
            rows.writerow(
                [*times, program, n.pitch, round(n.start_beat, 4), round(n.end_beat, 4), value]
            )


def make_piece(job: tuple[Piece, Path, Path]) -> tuple[Piece, str]:
    """Render one piece into OUT; returns the piece and "" or the reason why it was skipped."""
    piece, out, font = job
    wav = out / f"{piece.split}_data" / f"{piece.number}.wav"
    labels = out / f"{piece.split}_labels" / f"{piece.number}.csv"
    if wav.exists() and labels.exists():
        return piece, ""
    try:
        notes = read_notes(piece.path, seed=piece.number)
        if not notes:
            return piece, "no notes"
        audio = render(notes, ENSEMBLES[piece.ensemble], font, seed=piece.number)
        write_labels(notes, ENSEMBLES[piece.ensemble], labels)
        partial = wav.with_suffix(".part")
        sf.write(partial, audio, SAMPLERATE, format="WAV", subtype="PCM_16")
        partial.replace(wav)
    except (
        Exception
    ) as error:  # music21 fails on a few scores in many ways: name the score and go on
        return piece, f"{type(error).__name__}: {str(error)[:80]}"
    return piece, ""


def write_metadata(pieces: list[Piece], out: Path) -> None:
    with (out / "musicnet_metadata.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "composer", "composition", "movement", "ensemble", "source", "split"])
        for p in pieces:
            composer, _, rest = p.title.partition("_")
            rows.writerow(
                [
                    p.number,
                    composer,
                    p.work,
                    rest,
                    p.ensemble,
                    "music21, MuseScore General",
                    p.split,
                ]
            )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="experiments.corpora.music", description=__doc__.split("\n")[0]
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--limit", type=int, help="only the first N pieces")
    parser.add_argument("--font", type=Path, default=FONT, help="sound font (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="pieces rendered at a time")
    args = parser.parse_args(argv)
    if not args.font.exists():
        print(
            f"error: no sound font at {args.font}; install musescore-general-soundfont or give --font",
            file=sys.stderr,
        )
        return 2
    if not shutil.which("fluidsynth"):
        print(
            "error: fluidsynth is not installed; install Debian's package fluidsynth",
            file=sys.stderr,
        )
        return 2
    for folder in ("train_data", "train_labels", "test_data", "test_labels"):
        (args.out / folder).mkdir(parents=True, exist_ok=True)
    pieces = choose_pieces(args.limit)
    made = []
    with Pool(args.jobs) as pool:
        jobs = pool.imap_unordered(make_piece, [(p, args.out, args.font) for p in pieces])
        for piece, problem in tqdm(jobs, total=len(pieces), unit="piece", disable=None):
            if problem:
                print(f"skipped {piece.title}: {problem}", file=sys.stderr)
            else:
                made.append(piece)
    write_metadata(sorted(made, key=lambda p: p.number), args.out)
    print(f"{len(made)} of {len(pieces)} pieces in {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
