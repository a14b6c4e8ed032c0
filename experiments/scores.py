"""The notes of a recording: a file of the same name beside it, in MusicNet's columns or MIDI."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from sparse_codec import AudioError
from sparse_codec.audio.recordings import read_labels
from sparse_codec.outputs import printable

SUFFIXES = (".csv", ".mid", ".midi")
COLUMNS = "start_time, end_time and note, in 44100ths of a second and MIDI pitches"
PERCUSSION = 9  # the channel whose keys are no pitches


@dataclass(frozen=True)
class Note:
    """A note of a score."""

    start: float  # seconds
    end: float
    key: int  # MIDI pitch


def read_notes(recording: Path) -> list[Note]:
    """Return the notes of a recording, in order of time; none without a score beside it.

    Raises: AudioError for a score that can not be read.
    """
    candidates = (recording.with_suffix(suffix) for suffix in SUFFIXES)
    score = next((path for path in candidates if path.is_file()), None)
    if score is None:
        return []
    notes = _from_labels(score) if score.suffix == ".csv" else _from_midi(score)
    return sorted(notes, key=lambda note: (note.start, note.key))


def cut(notes: list[Note], start: float, seconds: float) -> list[Note]:
    """Return the notes that sound in `seconds` from `start` on, counted from there, cut to it."""
    return [
        Note(max(0.0, note.start - start), min(seconds, note.end - start), note.key)
        for note in notes
        if note.start < start + seconds and note.end > max(start, note.start)
    ]


def _from_labels(path: Path) -> list[Note]:
    try:
        notes = [Note(*row) for row in read_labels(path)]
    except (KeyError, TypeError, ValueError, csv.Error, UnicodeError) as error:
        raise AudioError(
            f"{printable(path.name)}: is no score of the recording beside it ({error}); "
            f"it needs the columns {COLUMNS}, or another name"
        ) from error
    return notes


def _from_midi(path: Path) -> list[Note]:
    import mido

    try:
        messages = list(mido.MidiFile(path))  # times in seconds, by the file's tempo
    except (OSError, EOFError, ValueError, KeyError, IndexError, TypeError) as error:
        raise AudioError(
            f"{printable(path.name)}: is no MIDI file that can be read ({error}); "
            "mend it, or give it another name than the recording beside it"
        ) from error
    notes: list[Note] = []
    begun: dict[tuple[int, int], float] = {}
    now = 0.0
    for message in messages:
        now += message.time
        if message.type not in ("note_on", "note_off") or message.channel == PERCUSSION:
            continue
        place = (message.channel, message.note)
        if (start := begun.pop(place, now)) < now:
            notes.append(Note(start, now, message.note))
        if message.type == "note_on" and message.velocity:
            begun[place] = now
    return notes + [Note(start, now, key) for (_, key), start in begun.items() if start < now]
