import os

import numpy as np
import pytest
import soundfile as sf

from experiments.clips import SEGMENT_SECONDS, clips_of_folder, own_clips, shipped_clips
from sparse_codec import AudioError


@pytest.mark.parametrize("article", ["music", "speech"])
def test_shipped_clips_are_five_segments_and_a_long_one_with_source_and_licence(article):
    examples, long_clip = shipped_clips(article)
    assert len(examples) >= 5
    for clip in [*examples, long_clip]:
        audio = clip.audio(22_050)
        assert 0.05 < np.abs(audio).max() < 1 and np.isfinite(audio).all()
        assert clip.title and clip.source and clip.licence
    assert all(len(c.audio(22_050)) == 2**17 for c in examples)
    assert long_clip.seconds == pytest.approx(24, abs=0.5)
    assert sum(c.path.stat().st_size for c in [*examples, long_clip]) < 5e6


def test_a_short_file_is_padded_and_said_so(tmp_path):
    path = tmp_path / "short.wav"
    sf.write(path, 0.1 * np.ones(22_050), 22_050)
    (clip,), long_clip, padded = own_clips([path])
    assert len(clip.audio(22_050)) == round(SEGMENT_SECONDS * 22_050)
    assert not clip.audio(22_050)[22_050:].any()
    assert "short.wav" in padded[0] and "1.00 s" in padded[0]
    assert long_clip.seconds == pytest.approx(SEGMENT_SECONDS)


def test_a_long_file_gives_four_segments_for_streaming(tmp_path):
    path = tmp_path / "long.wav"
    sf.write(path, 0.1 * np.sin(np.arange(30 * 8000)), 8000)
    _, long_clip, remarks = own_clips([path])
    assert long_clip.seconds == 4 * SEGMENT_SECONDS
    assert remarks == ["long.wav: the first 5.94 of 30.00 s are taken apart as an example"]


def test_a_file_of_a_segment_is_shown_as_it_is(tmp_path):
    path = tmp_path / "whole.wav"
    sf.write(path, 0.1 * np.ones(round(SEGMENT_SECONDS * 22_050)), 22_050)
    assert own_clips([path])[2] == []


def test_a_name_that_is_no_utf_8_becomes_text(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.wav")
    sf.write(os.fsencode(path), 0.1 * np.ones(22_050), 22_050, format="WAV", subtype="PCM_16")
    (clip,), _, remarks = own_clips([path])
    assert (clip.title, clip.source) == (r"caf\xe9", r"caf\xe9.wav")
    assert remarks[0].startswith(r"caf\xe9.wav: 1.00 s")
    assert len(clip.audio(22_050)) == round(SEGMENT_SECONDS * 22_050)


def test_a_recording_that_can_not_be_read_is_passed_over(tmp_path, caplog):
    for i in range(6):
        sf.write(tmp_path / f"{i}.wav", 0.1 * np.ones(7 * 8_000), 8_000)
    (tmp_path / "00bad.wav").write_text("no sound")
    examples, last = clips_of_folder(tmp_path)
    assert len(examples) == 5 and "00bad.wav" not in [c.source for c in [*examples, last]]
    assert "00bad.wav: cannot be read as audio" in caplog.text


def test_silence_is_refused(tmp_path):
    path = tmp_path / "silent.wav"
    sf.write(path, np.zeros(2**17), 22_050)
    with pytest.raises(AudioError, match="silent"):
        own_clips([path])
