"""The evaluation set: frozen, written, found again by hashes, and read as the same segments."""

import os

import numpy as np
import pytest
import soundfile as sf

from sparse_codec.audio.files import AudioError
from sparse_codec.audio.recordings import find_recordings
from sparse_codec.evaluation.frozen_set import (
    ManifestError,
    find_files,
    freeze,
    read_manifest,
    read_segments,
    write_manifest,
)

RATE, N_SAMPLES = 22_050, 2**14


def write(path, seconds, level=0.5):
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * RATE)) / RATE
    sf.write(path, level * np.sin(2 * np.pi * 440 * time) * (0.5 + 0.5 * np.sin(time)), RATE)


@pytest.fixture
def data(tmp_path):
    """MusicNet's layout: one long file with labels, one short, one silent."""
    write(tmp_path / "data" / "train_data" / "1.wav", 1.0)
    for name, seconds, level in (("10", 4.0, 0.5), ("11", 0.3, 0.4), ("12", 2.0, 0.0)):
        write(tmp_path / "data" / "test_data" / f"{name}.wav", seconds, level)
    (tmp_path / "data" / "test_labels").mkdir()
    onsets = "\n".join(
        f"{round(44_100 * s)},{round(44_100 * s) + 100},41,69,1,1,Quarter"
        for s in np.arange(0, 4, 0.25)
    )
    header = "start_time,end_time,instrument,note,start_beat,end_beat,note_value\n"
    (tmp_path / "data" / "test_labels" / "10.csv").write_text(header + onsets + "\n")
    return tmp_path / "data"


@pytest.fixture
def manifest_file(tmp_path, data):
    write(tmp_path / "foreign" / "other.wav", 2.0)
    held_out = [r for r in find_recordings(data) if r.split == "test"]
    files = freeze(held_out, find_recordings(tmp_path / "foreign"), N_SAMPLES, RATE, each=3)
    write_manifest(tmp_path / "manifest.json", files)
    return tmp_path / "manifest.json"


def test_a_frozen_set_is_found_and_read_again(manifest_file, data, tmp_path):
    manifest = read_manifest(manifest_file)
    assert [(f.name, f.foreign, len(f.starts)) for f in manifest.files] == [
        ("10.wav", False, 3),
        ("11.wav", False, 1),  # shorter than a segment
        ("other.wav", True, 3),  # and 12.wav is silent
    ]
    assert manifest.n_segments == 7
    files = find_files(manifest, find_recordings(tmp_path / "foreign") + find_recordings(data))
    assert [recording.path.name for _, recording in files] == ["10.wav", "11.wav", "other.wav"]
    segments = []
    for file, recording in files:
        segments += read_segments(file, recording, N_SAMPLES, RATE)
    assert len(segments) == 7
    for segment in segments:
        assert segment.audio.shape == (N_SAMPLES,)
        assert np.abs(segment.audio).max() == pytest.approx(1.0)
    assert not segments[3].audio[round(0.3 * RATE) :].any()
    assert {s.group for s in segments} == {"data", "foreign"}


def all_files(manifest_file, data):
    recordings = find_recordings(data) + find_recordings(data.parent / "foreign")
    return find_files(read_manifest(manifest_file), recordings)


def test_segments_are_the_file_s_samples_with_the_onsets_of_their_first_half(manifest_file, data):
    (file, recording), *_ = all_files(manifest_file, data)
    whole, _ = sf.read(recording.path, dtype="float32")
    half = N_SAMPLES / RATE / 2
    segments = read_segments(file, recording, N_SAMPLES, RATE)
    for start, segment in zip(file.starts, segments, strict=True):
        part = whole[round(start * RATE) :][:N_SAMPLES]
        np.testing.assert_allclose(segment.audio, part / np.abs(part).max(), atol=1e-6)
        assert len(segment.onsets) and (0 <= segment.onsets).all() and (segment.onsets < half).all()
        np.testing.assert_allclose((segment.onsets + start) % 0.25, 0, atol=1e-9)


def test_a_file_with_one_byte_changed_is_named(manifest_file, data):
    path = data / "test_data" / "11.wav"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ManifestError, match="1 files .* 11.wav"):
        all_files(manifest_file, data)


def test_a_file_that_moved_is_found_by_its_content_and_one_that_is_gone_is_named(
    manifest_file, data
):
    (data / "test_data" / "11.wav").rename(data / "train_data" / "11.wav")
    assert all_files(manifest_file, data)[1][1].path.parent.name == "train_data"
    (data / "train_data" / "11.wav").unlink()
    with pytest.raises(ManifestError, match="11.wav"):
        all_files(manifest_file, data)


def test_a_segment_that_became_silent_is_named(manifest_file, data):
    (file, recording), *_ = all_files(manifest_file, data)
    write(recording.path, 4.0, level=0.0)
    with pytest.raises(AudioError, match="10.wav: silent"):
        list(read_segments(file, recording, N_SAMPLES, RATE))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json", "not an evaluation manifest"),
        ("[]", "not an evaluation manifest"),
        ('{"files": []}', "not an evaluation manifest"),
        (
            '{"format": "evaluation manifest 1", "files": [{"name": "a.wav"}]}',
            r"not an evaluation manifest .*`group` - at `\$.files\[0\]`.*make one with freeze",
        ),
        ('{"format": "evaluation manifest 1", "files": 3}', "not an evaluation manifest"),
        ('{"format": "evaluation manifest 0", "files": []}', "freeze it again"),
        ('{"format": "evaluation manifest 1", "files": []}', "holds no segments"),
    ],
)
def test_a_broken_manifest_is_named(tmp_path, text, message):
    (tmp_path / "broken.json").write_text(text)
    with pytest.raises(ManifestError, match=f"broken.json: .*{message}"):
        read_manifest(tmp_path / "broken.json")


def test_a_missing_manifest_is_named(tmp_path):
    with pytest.raises(ManifestError, match="nowhere.json"):
        read_manifest(tmp_path / "nowhere.json")


def test_the_digest_is_of_the_content(manifest_file, tmp_path):
    (tmp_path / "copy.json").write_bytes(manifest_file.read_bytes())
    (tmp_path / "other.json").write_text(manifest_file.read_text() + "\n")
    digests = [
        read_manifest(p).digest
        for p in (manifest_file, tmp_path / "copy.json", tmp_path / "other.json")
    ]
    assert digests[0] == digests[1] != digests[2]


def test_a_name_that_is_no_utf_8_is_stored_as_text_and_found_again(tmp_path):
    place = tmp_path / os.fsdecode(b"d\xe9") / os.fsdecode(b"caf\xe9.wav")
    place.parent.mkdir()
    sound = 0.5 * np.sin(np.arange(2 * N_SAMPLES))
    sf.write(os.fsencode(place), sound, RATE, format="WAV", subtype="PCM_16")
    recordings = find_recordings(place.parent)
    files = freeze([], recordings, N_SAMPLES, RATE, each=1)
    write_manifest(tmp_path / "set.json", files)
    frozen = read_manifest(tmp_path / "set.json")
    assert (frozen.files[0].name, frozen.files[0].group) == (r"caf\xe9.wav", r"d\xe9")
    assert find_files(frozen, recordings) == [(frozen.files[0], recordings[0])]
