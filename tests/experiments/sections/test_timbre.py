"""Directions are named by what is heard of them: each test changes one thing of a sound."""

import numpy as np
import pytest

from experiments.sections.sounds import STEPS, packed
from experiments.sections.timbre import directions, ends, measure
from report import Data, MemoryStore, Sound, conjure, use_store

RATE = 22_050


def sound(pitch=440.0, tilt=1.0, decay=4.0, attack=0.005, noise=0.0, level=0.1):
    """Ten harmonics that fall off as `tilt` says, and noise; times in seconds."""
    time = np.arange(RATE) / RATE
    harmonics = sum(np.sin(2 * np.pi * pitch * k * time) / k**tilt for k in range(1, 11))
    hiss = noise * np.random.default_rng(1).normal(size=time.size)
    envelope = np.minimum(1, time / attack) * np.exp(-decay * time)
    return np.rint(32767 * level * envelope * (harmonics + hiss) / 3).astype(np.int16)


CHANGES = {
    "brighter": [{"tilt": 2 - 0.5 * (2 + step)} for step in STEPS],
    "longer": [{"decay": 8 * 2.0 ** (-step / 2)} for step in STEPS],
    "softer attack": [{"attack": 0.02 * 2.0**step, "decay": 1} for step in STEPS],
    "noisier": [{"noise": 0.003 * 3.0 ** (2 + step)} for step in STEPS],
    "louder": [{"level": 0.1 * 2.0 ** (step / 2)} for step in STEPS],
}


@conjure
def made(word: str, way: int) -> dict[str, Sound | Data]:
    """The steps along a direction in one file, but for the event as it is."""
    steps = [sound(**change) for change in CHANGES[word]][::way]
    return packed(steps[:2] + steps[3:], RATE, 10.0)


@conjure
def pitches(keys: list) -> Data:
    return Data(keys)


@pytest.mark.parametrize("word", CHANGES)
@pytest.mark.parametrize("way", [1, -1])
def test_a_direction_is_named_by_what_changes_along_it(word, way):
    with use_store(MemoryStore()):
        keys = pitches({"0": [[69] * 5]})
        low, high = directions(made(word, way), keys).value["0"][0]
    assert (high if way > 0 else low).split(", ")[0] == word


def test_a_change_of_pitch_is_told_first():
    with use_store(MemoryStore()):
        keys = pitches({"0": [[81, 75, 69, 63, 57]]})
        assert directions(made("louder", 1), keys).value["0"][0][0].startswith("higher")
        unknown = pitches({"0": [[81, 75, -1, 63, 57]]})  # has no pitch on the way
        assert directions(made("louder", 1), unknown).value["0"][0] == ["softer", "louder"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"length": 3.0, "noise": -2.0, "level": 1.9}, ["shorter, noisier", "longer, purer"]),
        ({"length": -3.0, "noise": 1.4}, ["longer", "shorter"]),
        ({"length": 0.5, "noise": 0.4}, ["slightly one way", "the other"]),
    ],
)
def test_the_largest_change_is_told_and_the_next_if_it_is_not_much_smaller(changes, words):
    assert ends(changes) == words


@pytest.mark.parametrize("samples", [np.zeros(1, np.int16), np.zeros(5000, np.int16)])
def test_silence_can_be_measured(samples):
    assert all(np.isfinite(value) for value in measure(samples, RATE).values())
