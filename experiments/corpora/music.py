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
import numpy as np
from tqdm import tqdm

from sparse_codec.audio.files import load_audio, save_audio

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
NOTE_VALUES = {  # by their lengths in beats
    4: "Whole",
    2: "Half",
    1: "Quarter",
    0.5: "Eighth",
    0.25: "Sixteenth",
    0.125: "Thirty Second",
}
LABEL_COLUMNS = (
    *("start_time", "end_time", "instrument", "note"),
    *("start_beat", "end_beat", "note_value"),
)
KEYBOARD = ("chopin", "joplin", "schumann_clara", "mozart_k545")
QUARTETS = ("haydn", "mozart", "beethoven", "schumann_robert_opus41")


@dataclass(frozen=True)
class Score:
    """One score, and the ensemble that plays it."""

    number: int
    path: Path
    title: str  # the path in music21's corpus, such as "haydn_opus74no1_movement1"
    work: str  # all scores of a work have the same split
    ensemble: str
    split: str  # "train" or "test"


@dataclass(frozen=True)
class Note:
    """One sounding note."""

    start: float  # seconds
    end: float
    start_beat: float
    end_beat: float
    part: int
    pitch: int  # of MIDI
    velocity: int


def choose_scores(limit: int | None = None) -> list[Score]:
    """Return quartets, keyboard music, chorales and madrigals: the same on every machine."""
    import music21

    root = Path(music21.__file__).parent / "corpus"
    files = sorted({p for pattern in ("*.mxl", "*.xml", "*.krn") for p in root.rglob(pattern)})
    by_title = {title_of(p, root): p for p in files}
    chorales = sorted(t for t in by_title if t.startswith("bach_"))
    madrigals = sorted(t for t in by_title if t.startswith("monteverdi_") and "old" not in t)
    random.Random(0).shuffle(chorales)
    random.Random(0).shuffle(madrigals)
    large = sorted(t for t in by_title if t.startswith(QUARTETS + KEYBOARD))
    titles = take_turns(chorales[:110], large, madrigals[:30])
    scores = [describe(n, title, by_title[title]) for n, title in enumerate(titles, start=1)]
    # A held-out chorale is left out where other movements of its work are trained on.
    trained = {score.work for score in scores if score.split == "train"}
    return [s for s in scores if s.split == "train" or s.work not in trained][:limit]


def take_turns(*groups: list[str]) -> Iterator[str]:
    """Yield one of each group in turn, so that a corpus that is cut short is still mixed."""
    for i in range(max(map(len, groups))):
        for group in groups:
            if i < len(group):
                yield group[i]


def title_of(path: Path, root: Path) -> str:
    """Return a title such as "haydn_opus74no1_movement1"."""
    return "_".join(path.relative_to(root).with_suffix("").parts)


def describe(number: int, title: str, path: Path) -> Score:
    """Choose a score's ensemble by its title and its split by its work.

    So a longer or shorter corpus changes neither.
    """
    work = title.split(".")[0] if title.startswith("bach_") else title.split("_movement")[0]
    if title.startswith(KEYBOARD):
        ensemble = "piano"
    elif title.startswith(QUARTETS):
        ensemble = "string quartet"
    else:
        names = sorted(set(ENSEMBLES) - {"string quartet"})
        ensemble = names[zlib.crc32(title.encode()) % len(names)]
    one_in_ten = zlib.crc32(work.encode()) % 10 == 0
    held_out = ensemble == HELD_OUT_ENSEMBLE or work in HELD_OUT_WORKS or one_in_ten
    return Score(number, path, title, work, ensemble, "test" if held_out else "train")


def read_notes(path: Path, seed: int) -> list[Note]:
    """Return the notes of a score by their onsets, repeats played, levels varied a little.

    Raises: music21's own exceptions for a score that it cannot expand.
    """
    import music21

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        target = Path(folder) / "score.mid"
        music21.converter.parse(path).write("midi", fp=target)
        midi = mido.MidiFile(target)
    tempo = Tempo(midi)
    rng = random.Random(seed)
    tracks = [track for track in midi.tracks if any(m.type == "note_on" for m in track)]
    notes = []
    for part, track in enumerate(tracks):
        loudness = rng.randint(64, 100)
        for start, end, pitch in _notes_of_track(track):
            velocity = max(20, min(127, loudness + rng.randint(-14, 14)))
            notes.append(
                Note(
                    tempo.seconds(start),
                    tempo.seconds(end),
                    start / midi.ticks_per_beat,
                    end / midi.ticks_per_beat,
                    part,
                    pitch,
                    velocity,
                )
            )
    return sorted((n for n in notes if n.end <= LONGEST), key=lambda n: (n.start, n.pitch))


def _notes_of_track(track: mido.MidiTrack) -> Iterator[tuple[int, int, int]]:
    """Yield start, end (in ticks) and pitch of the notes, in the order in which they end."""
    tick = 0
    starts: dict[int, int] = {}  # by pitch, of the notes that sound
    for message in track:
        tick += message.time
        if message.type == "note_on" and message.velocity:
            starts[message.note] = tick
        elif message.type in ("note_on", "note_off") and message.note in starts:
            yield starts.pop(message.note), tick, message.note


class Tempo:
    """The tempo of a MIDI file, with its changes."""

    def __init__(self, midi: mido.MidiFile):
        self._ticks_per_beat = midi.ticks_per_beat
        self._changes: list[tuple[int, int]] = []  # tick, and microseconds of a beat from there on
        tick = 0
        for message in midi.tracks[0]:
            tick += message.time
            if message.type == "set_tempo":
                self._changes.append((tick, message.tempo))

    def seconds(self, at: int) -> float:
        """Return the time of a tick."""
        total, last, tempo = 0.0, 0, 500_000
        for tick, new_tempo in self._changes:
            if tick >= at:
                break
            total, last, tempo = total + (tick - last) * tempo, tick, new_tempo
        return (total + (at - last) * tempo) / self._ticks_per_beat / 1e6


def write_midi(notes: list[Note], programs: tuple[int, ...], target: Path) -> None:
    """Write a MIDI file with one tick a millisecond, so that it plays exactly the labels."""
    midi = mido.MidiFile(ticks_per_beat=500)  # at the default tempo a beat is 500 ms
    for part in sorted({n.part for n in notes}):
        own = [n for n in notes if n.part == part]
        midi.tracks.append(_track(own, part, programs[part % len(programs)]))
    midi.save(target)


def _track(notes: list[Note], part: int, program: int) -> mido.MidiTrack:
    channel = part % 15 + (part % 15 >= 9)  # channel 9 is drums
    track = mido.MidiTrack([mido.Message("program_change", channel=channel, program=program)])
    events = []  # tick, whether the note starts, note
    for note in notes:
        start, end = round(1000 * note.start), round(1000 * note.end)
        events += [(start, True, note), (max(end, start + 1), False, note)]
    now = 0
    for tick, is_start, note in sorted(events, key=lambda e: e[:2]):
        track.append(
            mido.Message(
                "note_on" if is_start else "note_off",
                channel=channel,
                note=note.pitch,
                velocity=note.velocity if is_start else 0,
                time=tick - now,
            )
        )
        now = tick
    return track


def render(notes: list[Note], programs: tuple[int, ...], font: Path, seed: int) -> np.ndarray:
    """Return mono audio (T,) at SAMPLERATE, peak 0.95, played in one of three rooms."""
    room = random.Random(seed).choice((0.2, 0.5, 0.8))
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder) / "piece.mid", Path(folder) / "piece.wav"
        write_midi(notes, programs, midi)
        command = ["fluidsynth", "-ni", "-q", "-g", "0.5", "-r", str(SAMPLERATE), "-F", str(wav)]
        command += ["-o", f"synth.reverb.room-size={room}"]
        command += ["-o", "synth.dynamic-sample-loading=1"]  # only the instruments that play
        command += [str(font), str(midi)]
        subprocess.run(command, check=True, timeout=RENDER_TIMEOUT, capture_output=True)
        mono = load_audio(wav, SAMPLERATE)
    return 0.95 * mono / max(1e-6, abs(mono).max())


def write_labels(notes: list[Note], programs: tuple[int, ...], target: Path) -> None:
    """Write labels in MusicNet's columns.

    Times are in samples at 44.1 kHz, programs count from 1, and positions are in beats.
    """
    with target.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(LABEL_COLUMNS)
        for n in notes:
            beats = n.end_beat - n.start_beat
            value = NOTE_VALUES[min(NOTE_VALUES, key=lambda b: abs(b - beats))]
            times = round(n.start * LABEL_RATE), round(n.end * LABEL_RATE)
            program = programs[n.part % len(programs)] + 1
            rows.writerow(
                [*times, program, n.pitch, round(n.start_beat, 4), round(n.end_beat, 4), value]
            )


def render_score(job: tuple[Score, Path, Path]) -> tuple[Score, str]:
    """Render a score into OUT with a sound font, unless it is there.

    Returns: the score, and "" or the reason why it was skipped.
    """
    score, out, font = job
    wav = out / f"{score.split}_data" / f"{score.number}.wav"
    labels = out / f"{score.split}_labels" / f"{score.number}.csv"
    if wav.exists() and labels.exists():
        return score, ""
    try:
        notes = read_notes(score.path, seed=score.number)
        if not notes:
            return score, "no notes"
        audio = render(notes, ENSEMBLES[score.ensemble], font, seed=score.number)
        write_labels(notes, ENSEMBLES[score.ensemble], labels)
        save_audio(wav, audio, SAMPLERATE)
    except Exception as error:  # music21 fails on a few scores, each in its own way
        return score, f"{type(error).__name__}: {str(error)[:80]}"
    return score, ""


def write_metadata(scores: list[Score], out: Path) -> None:
    """Write MusicNet's table of recordings, with the split beside it."""
    with (out / "musicnet_metadata.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "composer", "composition", "movement", "ensemble", "source", "split"])
        for s in scores:
            composer, _, rest = s.title.partition("_")
            source = "music21, MuseScore General"
            rows.writerow([s.number, composer, s.work, rest, s.ensemble, source, s.split])


def main(argv: list[str] | None = None) -> int:
    """Make the corpus. Returns: the exit code."""
    parser = argparse.ArgumentParser(
        prog="experiments.corpora.music", description=__doc__.split("\n")[0]
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--limit", type=int, help="only the first N pieces")
    parser.add_argument("--font", type=Path, default=FONT, help="sound font (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="pieces rendered at a time")
    args = parser.parse_args(argv)
    if problem := _missing(args.font):
        print(f"error: {problem}", file=sys.stderr)
        return 2
    for folder in ("train_data", "train_labels", "test_data", "test_labels"):
        (args.out / folder).mkdir(parents=True, exist_ok=True)
    scores = choose_scores(args.limit)
    rendered = []
    with Pool(args.jobs) as pool:
        jobs = pool.imap_unordered(render_score, [(s, args.out, args.font) for s in scores])
        for score, problem in tqdm(jobs, total=len(scores), unit="piece", disable=None):
            if problem:
                print(f"skipped {score.title}: {problem}", file=sys.stderr)
            else:
                rendered.append(score)
    write_metadata(sorted(rendered, key=lambda s: s.number), args.out)
    print(f"{len(rendered)} of {len(scores)} pieces in {args.out}")
    return 0


def _missing(font: Path) -> str:
    """Return the program or font that is missing, with what to install; "" if all are there."""
    if not font.exists():
        return f"no sound font at {font}; install musescore-general-soundfont or give --font"
    if not shutil.which("fluidsynth"):
        return "fluidsynth is not installed; install Debian's package fluidsynth"
    return ""


if __name__ == "__main__":
    sys.exit(main())
