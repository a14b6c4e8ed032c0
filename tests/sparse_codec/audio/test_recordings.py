"""One interface over MusicNet, LJ Speech and plain folders, on small files in their layouts."""

import random
from collections import defaultdict

import numpy as np
import pytest
import soundfile as sf

from sparse_codec import AudioError, load_audio
from sparse_codec.audio.recordings import (
    find_recordings,
    held_out_segments,
    random_segment,
    read_labels,
)


def write(path, seconds=2.0, samplerate=22_050, channels=1, level=0.5, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * samplerate)) / samplerate
    audio = level * np.sin(2 * np.pi * 440 * time)
    sf.write(path, np.repeat(audio[:, None], channels, axis=1), samplerate, **options)
    return path


def test_musicnet_is_split_by_its_folders_and_has_labels(tmp_path):
    write(tmp_path / "train_data" / "1727.wav", samplerate=44_100)
    write(tmp_path / "test_data" / "1759.wav", samplerate=44_100)
    write(tmp_path / "test_data" / "9.wav", samplerate=44_100)  # not in the metadata: left out
    (tmp_path / "train_labels").mkdir()
    header = "start_time,end_time,instrument,note,start_beat,end_beat,note_value\n"
    labels = "44100,88200,41,69,1.0,1.0,Quarter\n"
    (tmp_path / "train_labels" / "1727.csv").write_text(header + labels)
    (tmp_path / "musicnet_metadata.csv").write_text(
        "id,composer,composition,movement,ensemble\n"
        "1727,Schubert,Piano Quintet,2. Andante,Piano Quintet\n"
        "1759,Schubert,Piano Sonata,1. Molto moderato,Solo Piano\n"
    )
    train, test = find_recordings(tmp_path)
    assert (train.split, test.split) == ("train", "test")
    assert (train.work, train.group) == ("Schubert Piano Quintet", "piano quintet")
    assert read_labels(train.labels) == [(1.0, 2.0, 69)]
    assert test.labels is None


def test_lj_speech_has_transcripts_and_is_split_by_chapter(tmp_path):
    names = [f"LJ{chapter:03}-{clip:04}" for chapter in range(1, 31) for clip in (1, 2)]
    for name in names:
        write(tmp_path / "wavs" / f"{name}.wav", seconds=0.1)
    rows = [f'{name}|raw {name}|said "so, {name}' for name in names]
    (tmp_path / "metadata.csv").write_text("\n".join(rows) + "\n")
    recordings = find_recordings(tmp_path)
    assert len(recordings) == 60 and recordings[0].text == 'said "so, LJ001-0001'
    splits = defaultdict(set)
    for recording in recordings:
        splits[recording.work].add(recording.split)
    assert all(len(each) == 1 for each in splits.values())
    assert {"train"} in splits.values() and {"test"} in splits.values()


def test_a_folder_is_searched_and_its_split_does_not_move_when_files_are_added(tmp_path):
    for i in range(40):
        write(tmp_path / "deep" / f"{i}.flac", seconds=0.1)
    (tmp_path / "notes.txt").write_text("no audio")
    before = {r.path: r.split for r in find_recordings(tmp_path)}
    write(tmp_path / "another.ogg", seconds=0.1)
    after = {r.path: r.split for r in find_recordings(tmp_path)}
    assert len(before) == 40 and len(after) == 41
    assert all(after[path] == split for path, split in before.items())
    assert set(before.values()) == {"train", "test"}


def test_a_missing_or_empty_folder_is_named(tmp_path):
    with pytest.raises(AudioError, match="no such folder"):
        find_recordings(tmp_path / "nowhere")
    with pytest.raises(AudioError, match="holds no audio"):
        find_recordings(tmp_path)


@pytest.mark.parametrize(("samplerate", "channels"), [(8_000, 1), (22_050, 2), (48_000, 6)])
def test_any_rate_and_channels_become_mono_at_the_codecs_rate(tmp_path, samplerate, channels):
    audio = load_audio(write(tmp_path / "a.wav", 1.0, samplerate, channels), 22_050)
    assert audio.dtype == np.float32 and abs(len(audio) - 22_050) <= 2
    spectrum = np.abs(np.fft.rfft(audio[:22_050] * np.hanning(len(audio[:22_050]))))
    assert abs(spectrum.argmax() - 440) <= 1


def test_a_part_is_read_from_where_it_starts(tmp_path):
    path = tmp_path / "ramp.wav"
    sf.write(path, np.arange(22_050) / 22_050, 22_050, subtype="FLOAT")
    part = load_audio(path, 22_050, start=0.5, seconds=0.1)
    assert part[0] == pytest.approx(0.5) and abs(len(part) - 2205) <= 1


def test_bad_files_are_named(tmp_path):
    with pytest.raises(AudioError, match="no such file"):
        load_audio(tmp_path / "gone.wav", 22_050)
    (tmp_path / "nothing.wav").touch()
    with pytest.raises(AudioError, match=r"nothing\.wav: is an empty file; copy or export it ag"):
        load_audio(tmp_path / "nothing.wav", 22_050)
    (tmp_path / "text.wav").write_text("hello")
    with pytest.raises(AudioError, match="cannot be read as audio"):
        load_audio(tmp_path / "text.wav", 22_050)
    sf.write(tmp_path / "nan.wav", np.array([0.0, np.nan]), 22_050, subtype="FLOAT")
    with pytest.raises(AudioError, match="NaN"):
        load_audio(tmp_path / "nan.wav", 22_050)
    sf.write(tmp_path / "empty.wav", np.zeros(0), 22_050)
    with pytest.raises(AudioError, match="no samples"):
        load_audio(tmp_path / "empty.wav", 22_050)


def test_random_segments_are_seeded_and_pass_over_silence_and_bad_files(tmp_path, caplog):
    write(tmp_path / "good.wav", level=0.25)
    write(tmp_path / "silent.wav", level=0.0)
    (tmp_path / "bad.wav").write_text("hello")
    recordings = find_recordings(tmp_path)
    one, other = (random_segment(recordings, 4096, 22_050, random.Random(3)) for _ in range(2))
    assert np.array_equal(one, other) and np.abs(one).max() == pytest.approx(1.0)
    rng = random.Random(0)
    for _ in range(20):
        random_segment(recordings, 4096, 22_050, rng)
    assert "bad.wav" in caplog.text
    with pytest.raises(AudioError, match="hundred draws"):
        random_segment([r for r in recordings if r.path.name == "silent.wav"], 4096, 22_050, rng)


def test_held_out_segments_are_at_fixed_places(tmp_path):
    write(tmp_path / "long.wav", seconds=3.0)
    recordings = find_recordings(tmp_path)
    segments = list(held_out_segments(recordings, 2**14, 22_050, each=3))
    assert len(segments) == 3 and all(s.shape == (2**14,) for s in segments)
    again = list(held_out_segments(recordings, 2**14, 22_050, each=3))
    assert np.array_equal(segments, again)
