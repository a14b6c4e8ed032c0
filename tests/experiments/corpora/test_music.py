"""The corpus: its plan, its labels, and one real score rendered by the real synthesiser."""

import shutil

import numpy as np
import pytest
import soundfile as sf

from experiments.corpora.music import (
    ENSEMBLES,
    FONT,
    HELD_OUT_ENSEMBLE,
    LABEL_RATE,
    Note,
    choose_scores,
    render_score,
    write_labels,
    write_midi,
)
from sparse_codec.audio.recordings import find_recordings, read_labels

pytest.importorskip("music21", reason="needs music21: pip install '.[data]'")
needs_synthesiser = pytest.mark.skipif(
    not shutil.which("fluidsynth") or not FONT.exists(),
    reason="needs FluidSynth and its font: apt-get install fluidsynth musescore-general-soundfont",
)
NOTES = [Note(0.0, 1.0, 0.0, 2.0, 0, 69, 90), Note(0.5, 1.5, 1.0, 3.0, 1, 57, 70)]


@pytest.fixture(scope="module")
def scores():
    return choose_scores()


def test_the_split_is_by_work_and_one_ensemble_is_never_trained_on(scores):
    trained, held_out = (
        {p.work for p in scores if p.split == split} for split in ("train", "test")
    )
    assert not trained & held_out
    assert all(p.split == "test" for p in scores if p.ensemble == HELD_OUT_ENSEMBLE)
    assert (
        sum(p.split == "test" for p in scores) >= 20
        and sum(p.split == "train" for p in scores) >= 150
    )


def test_a_shorter_corpus_is_the_start_of_the_longer_one(scores):
    assert choose_scores(limit=12) == scores[:12]


def test_labels_are_musicnets(tmp_path):
    write_labels(NOTES, ENSEMBLES["piano"], tmp_path / "1.csv")
    header, first, _ = (tmp_path / "1.csv").read_text().splitlines()
    assert header == "start_time,end_time,instrument,note,start_beat,end_beat,note_value"
    assert first == f"0,{LABEL_RATE},1,69,0.0,2.0,Half"
    assert read_labels(tmp_path / "1.csv") == [(0.0, 1.0, 69), (0.5, 1.5, 57)]


def test_midi_plays_what_the_labels_say(tmp_path):
    import mido

    write_midi(NOTES, (40, 42), tmp_path / "a.mid")
    now, played = 0.0, []
    for message in mido.MidiFile(tmp_path / "a.mid"):
        now += message.time
        if message.type in ("note_on", "note_off"):
            played.append((message.type, round(now, 3), message.note))
    assert played == [
        ("note_on", 0.0, 69),
        ("note_on", 0.5, 57),
        ("note_off", 1.0, 69),
        ("note_off", 1.5, 57),
    ]


@needs_synthesiser
@pytest.mark.slow
def test_a_score_becomes_sound_whose_onsets_are_its_labels(scores, tmp_path):
    for folder in ("train_data", "train_labels", "test_data", "test_labels"):
        (tmp_path / folder).mkdir()
    score = next(s for s in scores if s.title == "bach_bwv309")
    assert render_score((score, tmp_path, FONT)) == (score, "")
    (recording,) = find_recordings(tmp_path)
    audio, samplerate = sf.read(recording.path)
    notes = read_labels(recording.labels)
    assert samplerate == 22_050 and len(notes) > 50
    assert np.abs(audio).max() == pytest.approx(0.95, abs=0.01)
    assert notes[-1][1] <= len(audio) / samplerate
    # a guitar is loudest just after an onset: the level rises across nearly every labelled one
    onsets = sorted({round(start, 3) for start, _, _ in notes})[1:-1]
    level = [
        np.sqrt(np.mean(audio[round((t + d) * samplerate) :][:1100] ** 2))
        for t in onsets
        for d in (-0.06, 0.02)
    ]
    before, after = np.array(level).reshape(-1, 2).T
    assert np.mean(after > before) > 0.9
