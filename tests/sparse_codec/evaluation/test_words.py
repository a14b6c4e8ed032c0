"""Word errors of a recogniser on speech through the codec and its rivals."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from experiments.clips import SHIPPED
from sparse_codec import EncodeOptions, SparseCodec
from sparse_codec.audio.recordings import Recording
from sparse_codec.config import CodecConfig
from sparse_codec.evaluation.tables import markdown_words
from sparse_codec.evaluation.words import (
    RIVALS,
    choose_clips,
    count_word_errors,
    interval,
    pursue,
    share_high_band,
)

TRANSCRIPT = (
    "I'm afraid I was unable to create a connection to the Digium demonstration Asterisk server."
)


def test_matching_pursuit_goes_through_a_clip_of_any_length(music):
    half = CodecConfig().segment_samples // 2
    audio = np.tile(music, 2)[: 2 * half + 1000]
    sound = pursue(audio)
    assert sound.shape == audio.shape and np.isfinite(sound).all()
    for start in (0, half):  # each half holds about what the original does
        part = slice(start, start + half)
        level = np.linalg.norm(sound[part]) / np.linalg.norm(audio[part])
        assert 0.5 < level < 1.5


def test_the_high_band_is_the_originals_and_the_low_band_the_sounds():
    time = np.arange(22_050) / 22_050
    low, high, other = (np.sin(2 * np.pi * hz * time) for hz in (500, 6000, 8000))
    shared = share_high_band(low + other, 0.5 * low + high, 22_050)
    middle = slice(1000, -1000)
    assert np.allclose(shared[middle], (low + high)[middle], atol=0.01)


def test_clips_are_chosen_until_each_group_has_its_words():
    clips = [
        Recording(Path(f"{group}{n}.wav"), "work", "test", group, text="one two " * (n + 1))
        for group in ("a", "b")
        for n in range(4)
    ]
    silent = Recording(Path("silent.wav"), "work", "test", "a")
    chosen = choose_clips([silent, *clips], words=5)
    assert sorted(clip.path.stem for clip in chosen) == ["a0", "a1", "b0", "b1"]
    assert len(choose_clips(clips, words=500)) == 8


def test_an_interval_holds_the_rate_and_narrows_with_clips():
    errors, words = np.array([1, 5, 0, 3] * 4), np.full(16, 10)
    low, high = interval(errors, words)
    assert low < errors.sum() / words.sum() < high
    more = interval(np.tile(errors, 16), np.tile(words, 16))
    assert more[1] - more[0] < (high - low) / 2
    assert interval(errors, words) == [low, high]  # drawn with a seed


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
    group = figures["groups"]["speech"]
    assert (group["clips"], group["words"]) == (1, 15)
    heard = group["methods"]
    rivals = {"matching pursuit, 128", *RIVALS} - figures["skipped"].keys()
    assert {"original", "codec", "codec, plain sum", *rivals} == heard.keys()
    assert heard["original"]["plain"] < min(heard["codec"]["plain"], 0.5)
    assert heard["original"]["plain"] == heard["original"]["shared"]
    assert heard["original"]["estoi"] == pytest.approx(1.0, abs=1e-3)
    assert heard["codec"]["bits_per_second"] > 0
    assert "speech: 1 clips, 15 words" in markdown_words(figures)
