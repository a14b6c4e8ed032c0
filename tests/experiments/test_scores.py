"""The notes of a recording, in MusicNet's columns or as MIDI, in a file beside it."""

import mido
import pytest

from experiments.clips import Clip
from experiments.scores import Note, cut, read_notes
from sparse_codec import AudioError

HEADER = "start_time,end_time,instrument,note,start_beat,end_beat,note_value\n"
SECOND = 44_100


def test_a_recording_without_a_score_has_no_notes(tmp_path):
    assert read_notes(tmp_path / "a.wav") == []


def test_labels_beside_a_recording_are_its_notes_in_order(tmp_path):
    rows = f"{SECOND},{2 * SECOND},1,60,0,1,Half\n0,{SECOND},1,64,0,1,Half\n"
    (tmp_path / "a.csv").write_text(HEADER + rows)
    assert read_notes(tmp_path / "a.wav") == [Note(0, 1, 64), Note(1, 2, 60)]


def test_midi_beside_a_recording_is_read_by_its_tempo_without_percussion(tmp_path):
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    track += [
        mido.MetaMessage("set_tempo", tempo=1_000_000),  # a beat a second
        mido.Message("note_on", note=60, velocity=9, time=480),
        mido.Message("note_on", note=38, velocity=9, channel=9),
        mido.Message("note_on", note=60, velocity=9, time=240),  # again, before its end
        mido.Message("note_on", note=60, velocity=0, time=240),
        mido.Message("note_on", note=72, velocity=9),
        mido.MetaMessage("end_of_track", time=480),  # without an end
    ]
    file.tracks.append(track)
    file.save(tmp_path / "a.mid")
    assert read_notes(tmp_path / "a.flac") == [Note(1, 1.5, 60), Note(1.5, 2, 60), Note(2, 3, 72)]


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", b"x,y\n1,2\n"), ("a.csv", b"\xff\xfe"), ("a.mid", b"no MIDI"), ("a.mid", b"")],
)
def test_a_file_that_is_no_score_is_named_with_what_to_do(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AudioError, match=rf"^{name}: is no .*(another name)"):
        read_notes(tmp_path / "a.wav")


def test_notes_are_cut_to_a_clip(tmp_path):
    notes = [Note(0, 1, 60), Note(1.5, 3, 62), Note(2.5, 9, 64), Note(4, 5, 65)]
    assert cut(notes, 2.0, 2.0) == [Note(0, 1, 62), Note(0.5, 2, 64)]
    (tmp_path / "a.csv").write_text(HEADER + f"{SECOND},{3 * SECOND},1,60,0,1,Half\n")
    clip = Clip(tmp_path / "a.wav", "A", "", "", start=2.0, seconds=2.0)
    assert clip.notes() == [Note(0, 1, 60)]
