"""Word errors of a recogniser on speech through the codec and through matching pursuit."""

import dataclasses

import numpy as np
import pytest
import torch

from experiments.clips import SHIPPED
from sparse_codec import EncodeOptions, SparseCodec
from sparse_codec.audio.recordings import Recording
from sparse_codec.evaluation.words import count_word_errors, pursue

TRANSCRIPT = (
    "I'm afraid I was unable to create a connection to the Digium demonstration Asterisk server."
)


def test_matching_pursuit_goes_through_a_clip_of_any_length(small_codec, music):
    half = small_codec.config.segment_samples // 2
    audio = music[: 2 * half + 1000]
    sound = pursue(small_codec, audio)
    assert sound.shape == audio.shape and np.isfinite(sound).all()
    for start in (0, half):  # each half holds about what the original does
        part = slice(start, start + half)
        level = np.linalg.norm(sound[part]) / np.linalg.norm(audio[part])
        assert 0.5 < level < 1.5


def test_without_transcripts_there_is_nothing_to_count(small_codec):
    with pytest.raises(ValueError, match="no transcripts"):
        count_word_errors(small_codec, [])


@pytest.mark.slow
def test_the_original_has_the_fewest_word_errors(small_config, tmp_path):
    for package in ("pocketsphinx", "jiwer", "pystoi"):
        pytest.importorskip(package)
    torch.manual_seed(0)
    options = EncodeOptions(candidates=2, interim=0, refine=0)
    codec = SparseCodec(dataclasses.replace(small_config, encode=options))
    codec.save(tmp_path / "small.safetensors")
    file = SHIPPED / "speech" / "demo-nogo.flac"
    clip = Recording(file, "prompts", "test", "speech", text=TRANSCRIPT)
    figures = count_word_errors(SparseCodec.load(tmp_path / "small.safetensors"), [clip])
    assert (figures["clips"], figures["words"]) == (1, 15)
    rates = figures["word error rate"]
    assert rates.keys() == figures["estoi"].keys() and rates["original"] < min(rates["codec"], 0.5)
    assert figures["estoi"]["original"] == pytest.approx(1.0, abs=1e-3)
