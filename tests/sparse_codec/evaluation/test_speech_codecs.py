"""Rivals for speech keep the time and pitch of a sound, and count the bits that they take."""

import numpy as np
import pytest

from sparse_codec.evaluation import speech_codecs
from sparse_codec.evaluation.speech_codecs import (
    SPEECH_CODECS,
    Codec2,
    World,
    align,
    golomb_bits,
    place_knots,
)

RATE = 22_050


def vowel(seconds=1.5, pitch=120.0):
    """Pulses through two resonances, in two syllables."""
    time = np.arange(round(seconds * RATE)) / RATE
    partials = np.arange(1, 40)
    levels = 1 / (1 + ((pitch * partials - 700) / 300) ** 2) + 0.3 / (
        1 + ((pitch * partials - 1500) / 300) ** 2
    )
    wave = (levels[:, None] * np.cos(2 * np.pi * pitch * partials[:, None] * time)).sum(0)
    syllables = np.sin(2 * np.pi * time / seconds) ** 2
    return (0.5 * wave * syllables / np.abs(wave).max()).astype(np.float32)


def test_a_late_sound_is_moved_to_its_reference():
    audio = vowel()
    late = np.concatenate([np.zeros(1100, np.float32), audio])
    assert np.allclose(align(late, audio, RATE), audio, atol=1e-6)
    assert np.allclose(align(audio, audio, RATE), audio)


def test_bits_are_those_of_exp_golomb_codes():
    assert golomb_bits(np.array([0])) == 1
    assert golomb_bits(np.array([1, -1])) == 6
    assert golomb_bits(np.array([2, -2, 3, -3])) == 20


def test_knots_lie_where_a_line_bends():
    corners = [0, 12, 30, 37, 60]
    features = np.interp(np.arange(61), corners, [0.0, 5.0, -2.0, 4.0, 4.5])[:, None]
    assert place_knots(features, 5).tolist() == corners
    few = place_knots(features, 3)
    assert len(few) <= 3 and (few[0], few[-1]) == (0, 60)


@pytest.mark.parametrize("name", SPEECH_CODECS)
def test_a_rival_keeps_times_and_says_its_rate(name):
    rival, audio = SPEECH_CODECS[name], vowel()
    if rival.missing():
        pytest.skip(rival.missing())
    sound, rate = rival.code(audio, RATE)
    assert sound.shape == audio.shape and np.isfinite(sound).all()
    levels = [np.sqrt(np.mean(x.reshape(-1, 735) ** 2, axis=1)) for x in (sound, audio)]
    assert np.corrcoef(*levels)[0, 1] > 0.8
    assert 400 < rate < 3500


def test_world_takes_more_bits_for_more_knots():
    if World(20).missing():
        pytest.skip(World(20).missing())
    few, many = (World(knots).code(vowel(), RATE)[1] for knots in (5.0, 30.0))
    assert 0 < few < many


def test_a_missing_program_is_named(monkeypatch):
    monkeypatch.setattr(speech_codecs.shutil, "which", lambda name: None)
    assert "apt-get install codec2" in Codec2("1600").missing()
    monkeypatch.setattr(speech_codecs, "is_installed", lambda name: False)
    assert "pip install pyworld" in World(20).missing()
