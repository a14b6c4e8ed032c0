"""Speech through the codec and through matching pursuit, and what a recogniser makes of it."""

import numpy as np
import pytest

from experiments.clips import SHIPPED
from sparse_codec import SparseCodec
from sparse_codec.audio.recordings import Recording
from sparse_codec.evaluation.words import count_word_errors, pursue


def test_matching_pursuit_goes_through_a_clip_of_any_length(small_codec, music):
    half = small_codec.config.segment_samples // 2
    audio = music[: 2 * half + 1000]
    sound = pursue(small_codec, audio)
    assert sound.shape == audio.shape and np.isfinite(sound).all()
    for start in (0, half):  # each half holds about what the original does
        level = np.linalg.norm(sound[start : start + half]) / np.linalg.norm(
            audio[start : start + half]
        )
        assert 0.5 < level < 1.5


def test_without_transcripts_there_is_nothing_to_count(small_codec):
    with pytest.raises(ValueError, match="no transcripts"):
        count_word_errors(small_codec, [])


@pytest.mark.slow
def test_the_original_has_the_fewest_word_errors(small_codec, tmp_path):
    for package in ("pocketsphinx", "jiwer", "pystoi"):
        pytest.importorskip(package)
    small_codec.save(tmp_path / "small.safetensors")
    said = "I'm afraid I was unable to create a connection to the Digium demonstration Asterisk server."
    clip = Recording(SHIPPED / "speech" / "demo-nogo.flac", "prompts", "test", "speech", text=said)
    figures = count_word_errors(SparseCodec.load(tmp_path / "small.safetensors"), [clip])
    assert (figures["clips"], figures["words"]) == (1, 15)
    rates = figures["word error rate"]
    assert rates.keys() == figures["estoi"].keys() and rates["original"] < min(rates["codec"], 0.5)
    assert figures["estoi"]["original"] == pytest.approx(1.0, abs=1e-3)
