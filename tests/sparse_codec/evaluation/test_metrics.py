"""Figures of sounds and onsets, on inputs with known figures."""

import numpy as np
import pytest

from experiments.clips import SHIPPED
from sparse_codec import load_audio
from sparse_codec.evaluation.metrics import (
    intelligibility,
    is_installed,
    onset_f_measure,
    opinion_score,
    plain_words,
    recognise,
    redundancy,
    unique_onsets,
    word_errors,
)

RATE = 22_050


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(size=2 * RATE).astype(np.float32) * 0.1


def test_onsets_soon_after_another_are_left_out():
    onsets = unique_onsets(np.array([0.5, 0.02, 0.0, 0.04, 0.06, 0.52]))
    np.testing.assert_array_equal(onsets, [0.0, 0.06, 0.5])
    assert len(unique_onsets(np.array([]))) == 0


def test_redundancy_is_the_share_of_events_that_start_with_another():
    assert redundancy(np.array([0.0, 0.01, 0.5, 0.51])) == pytest.approx(0.5)
    assert redundancy(np.array([0.0, 1.0])) == 0 == redundancy(np.array([]))


def test_onsets_that_agree_count_once_and_others_cost():
    pytest.importorskip("mir_eval")
    labelled = np.array([0.0, 0.01, 0.5, 1.0])
    assert onset_f_measure(np.array([0.02, 0.52, 1.01]), labelled) == pytest.approx(1.0)
    assert onset_f_measure(np.array([0.02, 0.03, 0.52, 1.01]), labelled) == pytest.approx(1.0)
    # precision 1, recall a third
    assert onset_f_measure(np.array([0.0]), labelled) == pytest.approx(0.5)
    assert onset_f_measure(np.array([0.25, 0.75]), labelled) == 0


def test_the_same_sound_has_the_best_opinion_score_and_noise_a_low_one(music, noise):
    pytest.importorskip("zimtohrli")
    music = music[: len(noise)]
    same, noisy, other = (
        opinion_score(sound, music, RATE) for sound in (music, music + 0.1 * noise, noise)
    )
    assert 4.9 < same <= 5 and same > noisy > other and other < 2.5


def test_noise_makes_speech_less_intelligible(music, noise):
    pytest.importorskip("pystoi")
    music = music[: len(noise)]
    same, noisy = (intelligibility(sound, music, RATE) for sound in (music, music + 3 * noise))
    assert same == pytest.approx(1.0, abs=1e-3) and noisy < 0.6


def test_wrong_missing_and_added_words_count():
    pytest.importorskip("jiwer")
    assert word_errors("Say it, again!", "say it again") == (0, 3)
    assert word_errors("one two three four", "one too three") == (2, 4)
    assert word_errors("one two", "one and two") == (1, 2)
    assert word_errors("one two", "") == (2, 2)


def test_words_are_compared_without_case_and_punctuation():
    assert plain_words('  Don\'t "stop" -- NOW.\n') == "don't stop now"


def test_words_are_recognised_in_speech_and_silence_is_no_error():
    pytest.importorskip("pocketsphinx")
    speech = load_audio(SHIPPED / "speech" / "demo-nogo.flac", RATE)
    text = recognise(speech, RATE)
    assert {"asterisk", "server"} <= set(text.split())
    assert recognise(0.01 * speech, RATE) == text  # the level does not matter
    assert isinstance(recognise(np.zeros(RATE, np.float32), RATE), str)


def test_only_installed_packages_count_as_installed():
    assert is_installed("numpy") and not is_installed("no_such_package")
