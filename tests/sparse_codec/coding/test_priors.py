"""Priors: whole-number tables of what is likely, at any step."""

import dataclasses
import re

import numpy as np
import pytest

from sparse_codec import EncodeOptions, SparseCodec
from sparse_codec.coding.priors import CELLS, TOTAL, Priors, PriorsError
from sparse_codec.coding.quantise import (
    EIGHTHS,
    FINEST_STEP,
    ONE,
    QUARTERS,
    dequantise,
    gain_levels,
    highest_multiple,
    level_gains,
    quantise,
    step_sizes,
)
from sparse_codec.training.fit_priors import equal_steps, fit_priors, sensitivities, tabulate


def test_every_multiple_of_every_step_can_come_and_the_likely_ones_have_more(small_priors):
    for step in (FINEST_STEP, 1000, 123_457, ONE // 2, ONE):
        counts = small_priors.multiples(3, step, 256)
        assert len(counts) == 2 * highest_multiple(step) + 1 and counts.min() >= 1
        # no count is lost between cells
        assert counts.sum() == small_priors.numbers[3].sum() + len(counts)
    counts = small_priors.multiples(0, ONE // 2, 256)
    assert counts.argmin() in (0, 4)  # -1 and 1 have half of a step only


@pytest.mark.parametrize("step", [FINEST_STEP, 999, 400_000, ONE])
def test_rounding_errs_by_half_a_step_and_is_exact_in_float32(step):
    numbers = np.random.default_rng(0).uniform(-1, 1, (50, 3))
    steps = np.full(numbers.shape, step)
    multiples = quantise(numbers, steps)
    assert np.abs(multiples).max() <= highest_multiple(step)
    back = dequantise(multiples, steps)
    assert back.dtype == np.float32 and np.abs(back - numbers).max() <= step / ONE / 2
    np.testing.assert_array_equal(
        back.astype(np.float64) * ONE, np.clip(multiples * step, -ONE, ONE)
    )


def test_gains_are_rounded_to_an_eighth_of_an_octave_and_stay_there():
    gains = np.exp(np.random.default_rng(0).normal(scale=5, size=200)).astype(np.float32)
    back = level_gains(gain_levels(gains))
    assert np.abs(np.log2(back / gains)).max() <= 1 / 16 + 1e-6
    np.testing.assert_array_equal(level_gains(gain_levels(back)), back)
    assert level_gains(np.array([512, 513, 504])).tolist() == [1.0, 9147842 / 2**23, 0.5]


def test_the_written_down_roots_are_the_nearest_whole_numbers():
    np.testing.assert_array_equal(EIGHTHS, np.rint(2**23 * 2 ** (np.arange(8) / 8)))
    np.testing.assert_array_equal(QUARTERS, np.rint(2**8 * 2 ** (np.arange(4) / 4)))


def test_weak_events_take_larger_steps():
    levels = np.array([0, 16, 32, 48])  # 0, 12, 24 and 36 dB down
    steps = step_sizes(np.array([1000, 30_000]), 256, levels)
    assert steps.tolist() == [[1000, 30_000], [2000, 60_000], [4000, 120_000], [8000, 240_000]]
    assert (step_sizes(np.array([1000]), 128, np.array([0])) == 500).all()


def test_the_numbers_that_matter_have_the_finest_steps(saved_codec):
    """A pitch matters most: its step is the smallest, far below a semitone, 2/80 of its range."""
    sensitivity = sensitivities(saved_codec, np.random.default_rng(0).uniform(-1, 1, (8, 33)))
    assert sensitivity.argmax() == 0
    steps = equal_steps(sensitivity)
    assert steps[0] < ONE / 80 and steps[0] == steps.min()
    costs = sensitivity * (steps / ONE) ** 2 / 12
    unclipped = steps < ONE
    assert costs[unclipped].max() < 1.1 * costs[unclipped].min()


def test_priors_come_back_from_their_file(small_priors, saved_codec, tmp_path):
    (tmp_path / "small.safetensors").touch()
    small_priors.save(tmp_path / "small.priors.json")
    back = Priors.load(tmp_path / "small.safetensors")
    assert back.digest == small_priors.digest and back.checkpoint == saved_codec.digest
    np.testing.assert_array_equal(back.numbers, small_priors.numbers)
    assert not list(tmp_path.glob("*.part"))


def test_tables_follow_the_events_and_leave_room_for_others(saved_codec, draw_windows):
    windows = draw_windows(n_windows=8)
    for window in windows:
        window.vectors[:, 5] = -0.75
    table = tabulate(saved_codec, windows).numbers[5]
    assert table[CELLS // 16 : 3 * CELLS // 16].sum() > 0.95 * TOTAL
    assert table.min() >= 1 and table[CELLS // 2 :].sum() < 0.02 * TOTAL


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "sparse_codec priors"),
        ("{", "fit them again"),
        ("[]", "fit them again"),
        ("[" * 100_000, "fit them again"),
        ('{"format": "sparse-codec priors 1"}', "fit them again"),
        ("a count of 0", r"Expected `int` >= 1 - at `\$.drops\[0\]`.*fit them again"),
        ("other tables", "fit them again"),
    ],
)
def test_missing_or_damaged_priors_say_how_to_make_them(small_priors, tmp_path, text, message):
    (tmp_path / "small.safetensors").touch()
    file = tmp_path / "small.priors.json"
    small_priors.save(file)
    if text == "other tables":
        file.write_text(file.read_text().replace('"drops": [', '"drops": [0,'))
    elif text == "a count of 0":
        file.write_text(re.sub(r'"drops": \[\d+', '"drops": [0', file.read_text()))
    elif text is None:
        file.unlink()
    else:
        file.write_text(text)
    with pytest.raises(PriorsError, match=message) as error:
        Priors.load(tmp_path / "small.safetensors")
    assert "small.priors.json" in str(error.value) and "\n" not in str(error.value)


def test_only_training_works_are_fitted_on(small_config, recordings, tmp_path):
    quick = EncodeOptions(n_events=2, candidates=2, interim=0, refine=0)
    path = tmp_path / "quick.safetensors"
    SparseCodec(dataclasses.replace(small_config, encode=quick)).save(path)
    codec = SparseCodec.load(path)
    training = [r for r in recordings if r.split == "train"]
    assert len(training) < len(recordings)
    fitted = fit_priors(codec, recordings, n_excerpts=2)
    assert fitted.checkpoint == codec.digest
    assert fitted.digest == fit_priors(codec, training, n_excerpts=2).digest
    with pytest.raises(PriorsError, match="training works"):
        fit_priors(codec, [r for r in recordings if r.split == "test"])
