import numpy as np
import pytest

from report.mix import UNITY, mix


def slow_mix(sounds, starts, gains, length):
    """The definition, one sample at a time in Python's own integers."""
    total = [0] * length
    for sound, start, gain in zip(sounds, starts, gains, strict=True):
        for i, sample in enumerate(sound.tolist()):
            if 0 <= start + i < length:
                total[start + i] += sample * gain
    return [max(-32768, min(32767, (x + 2048) // 4096)) for x in total]


@pytest.mark.parametrize("seed", range(20))
def test_the_mix_is_the_definition(seed):
    rng = np.random.default_rng(seed)
    sounds = [rng.integers(-32768, 32768, rng.integers(0, 40), np.int16) for _ in range(6)]
    starts = rng.integers(-30, 60, 6).tolist()
    gains = rng.integers(-9000, 9000, 6).tolist()
    assert mix(sounds, starts, gains, 50).tolist() == slow_mix(sounds, starts, gains, 50)


def test_left_and_right_are_mixed_each_by_itself():
    rng = np.random.default_rng(0)
    sounds = [rng.integers(-32768, 32768, (n, 2), np.int16) for n in (30, 40)]
    mixed = mix(sounds, [-5, 20], [5000, 4000], 50)
    for channel in (0, 1):
        one = mix([sound[:, channel] for sound in sounds], [-5, 20], [5000, 4000], 50)
        assert mixed[:, channel].tolist() == one.tolist()
    with pytest.raises(ValueError, match=r"int16 \('T', 2\), not int16 \(9,\)"):
        mix([sounds[0], np.zeros(9, np.int16)], [0, 0], [UNITY, UNITY], 50)


def test_unity_changes_nothing_and_silence_is_silent():
    sound = np.arange(-32768, 32767, 7, np.int16)
    assert np.array_equal(mix([sound], [0], [UNITY], sound.size), sound)
    assert not mix([], [], [], 5).any() and not mix([sound], [0], [0], 9).any()


def test_clipping_comes_once_and_last():
    loud = np.array([30000], np.int16)
    assert mix([loud, loud, -loud], [0, 0, 0], [UNITY] * 3, 1).tolist() == [30000]
    assert mix([loud, loud], [0, 0], [UNITY] * 2, 1).tolist() == [32767]


def test_wrong_calls_are_refused():
    with pytest.raises(ValueError, match="1 sounds, 2 starts, 1 gains"):
        mix([np.zeros(1, np.int16)], [0, 0], [UNITY], 1)
    with pytest.raises(ValueError, match="float64"):
        mix([np.zeros(1)], [0], [UNITY], 1)
