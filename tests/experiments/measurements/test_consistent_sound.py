"""The same events, rendered in every way."""

import numpy as np
import pytest

from experiments.clips import SHIPPED
from experiments.measurements.consistent_sound import (
    DRAWS,
    FIRST,
    NAMES,
    PLAIN,
    STEPS,
    means,
    measure,
    read_segment,
)
from sparse_codec.config import MEASURE
from sparse_codec.evaluation import metrics

CLIP = SHIPPED / "music" / "bach_bwv256.flac"


def test_a_segment_starts_at_its_second_and_has_peak_1(small_codec):
    first, later = (read_segment(f"{CLIP}:{start}", small_codec) for start in ("0", "0.5"))
    assert len(first.audio) == len(later.audio) == MEASURE.segment_samples
    assert np.abs(first.audio).max() == np.abs(later.audio).max() == 1
    assert first.name == "bach_bwv256" and later.name == "bach_bwv256 at 0.5 s"
    shift, same = round(0.5 * small_codec.samplerate), slice(2000, 9000)
    whole = first.audio[shift:][same]
    assert np.corrcoef(whole, later.audio[same])[0, 1] > 0.99


@pytest.mark.skipif(not metrics.is_installed("zimtohrli"), reason="no opinion without zimtohrli")
def test_every_way_is_measured_and_the_codec_stays_as_it_was(small_codec):
    before = small_codec.steps, small_codec.decoder.start_turns.clone()
    figures = measure(small_codec, read_segment(f"{CLIP}:0", small_codec))
    assert list(figures["ways"]) == [FIRST, PLAIN, *(f"consistent, {n} steps" for n in STEPS)]
    assert all(set(row) == set(NAMES) for row in figures["ways"].values())
    assert len({tuple(row.values()) for row in figures["ways"].values()}) == 2 + len(STEPS)
    draws = figures["opinions of other phases"]
    assert len(draws) == DRAWS and min(draws) < max(draws)
    assert small_codec.steps == before[0]
    assert (small_codec.decoder.start_turns == before[1]).all()
    (row, *_) = means({"segments": {"a": figures, "b": figures}}).values()
    assert row == pytest.approx(figures["ways"][FIRST])
