"""The notes of a cut clip, and those that are shipped."""

import csv

import numpy as np
import pytest
import soundfile as sf

from experiments.clips import SHIPPED, shipped_clips
from experiments.corpora.clips import MUSIC, cut_labels, write_labels
from experiments.corpora.music import LABEL_COLUMNS, LABEL_RATE
from sparse_codec.audio.recordings import read_labels


def labels(path, *notes):
    """A file of labels with notes of (start, end) in seconds."""
    rows = [
        dict(
            zip(
                LABEL_COLUMNS,
                [*(round(t * LABEL_RATE) for t in note), 1, 60, 0, 1, "Half"],
                strict=True,
            )
        )
        for note in notes
    ]
    write_labels(rows, path)
    return path


def test_notes_are_counted_from_the_cut_and_end_with_it(tmp_path):
    path = labels(tmp_path / "a.csv", (0, 1), (1.5, 2.5), (3, 4), (4.5, 9), (5, 6), (6, 7))
    rows = cut_labels(path, start=2.0, seconds=3.0)
    times = [[int(row[name]) / LABEL_RATE for name in LABEL_COLUMNS[:2]] for row in rows]
    assert times == [[0, 0.5], [1, 2], [2.5, 3]]


@pytest.mark.parametrize("name", [name for name, _, _ in MUSIC])
def test_each_shipped_clip_of_music_has_its_notes_beside_it(name):
    clips, last = shipped_clips("music")
    [clip] = [clip for clip in [*clips, last] if clip.path.stem == name]
    with clip.path.with_suffix(".csv").open() as file:
        assert file.readline().strip().split(",") == list(LABEL_COLUMNS)
        rows = list(csv.DictReader(file, LABEL_COLUMNS))
    starts = [int(row["start_time"]) / LABEL_RATE for row in rows]
    ends = [int(row["end_time"]) / LABEL_RATE for row in rows]
    assert starts == sorted(starts) and min(starts) >= 0 and len(starts) > 5
    assert max(ends) <= clip.seconds + 1e-4
    assert all(start < end for start, end in zip(starts, ends, strict=True))
    assert all(21 <= int(row["note"]) <= 108 for row in rows)


@pytest.mark.parametrize("name", [name for name, _, _ in MUSIC])
def test_the_notes_are_those_that_sound(name):
    """Where a note begins, the level at its pitch rises; a quarter of a second on, it does not."""
    audio, rate = sf.read(SHIPPED / "music" / f"{name}.flac")

    def level(start, key):
        """Level in dB of 80 ms from `start` at the pitch of a MIDI key."""
        part = audio[round(start * rate) : round((start + 0.08) * rate)]
        turns = 440 * 2 ** ((key - 69) / 12) * np.arange(part.size) / rate
        tone = np.hanning(part.size) @ (part * np.exp(-2j * np.pi * turns))
        return 20 * np.log10(abs(tone) + 1e-6)

    def is_new(note):
        """No note of that pitch ends shortly before it."""
        return not any(n[2] == note[2] and note[0] - 0.3 < n[1] <= note[0] for n in notes)

    notes = read_labels(SHIPPED / "music" / f"{name}.csv")
    inside = [n for n in notes if 0.1 < n[0] < audio.size / rate - 0.4 and is_new(n)]

    def rise(shift):
        changes = [level(n[0] + shift, n[2]) - level(n[0] + shift - 0.08, n[2]) for n in inside]
        return np.median(changes)

    assert rise(0) > 3 and rise(0) > rise(0.25) + 2
