"""Files of a voice: its numbers are expected from other events, and come back."""

import dataclasses

import numpy as np
import pytest

from sparse_codec import EventSet, SparseCodec
from sparse_codec.coding.event_file import read_events, write_events
from sparse_codec.coding.prediction import Prediction
from sparse_codec.coding.priors import Priors, PriorsError
from sparse_codec.coding.quantise import ONE
from sparse_codec.config import parse_config
from sparse_codec.training.fit_priors import tabulate

N_EVENTS = 18  # of a window
TABLES = {
    "codec": {"segment_samples": 2**15, "window": 1024, "hop": 256, "horizon_frames": 80},
    "encoder": {"kind": "voice"},
    "decoder": {"kind": "voice"},
}


@pytest.fixture(scope="module")
def codec(tmp_path_factory) -> SparseCodec:
    path = tmp_path_factory.mktemp("voice") / "voice.safetensors"
    SparseCodec(parse_config(TABLES, "test")[0]).save(path)
    return SparseCodec.load(path)


def window(seed: int, chained: bool = True) -> EventSet:
    """A chain of events: each begins where the one before peaks, and glides to the next."""
    rng = np.random.default_rng(seed)
    gaps = rng.integers(1, 6, N_EVENTS + 2)
    frames = np.cumsum(gaps[:N_EVENTS]) - gaps[0]
    vectors = np.cumsum(rng.normal(size=(N_EVENTS, 32)) * 0.05, 0).clip(-1, 1)
    vectors[:, 3] = 2 * (gaps[1 : N_EVENTS + 1] - 1) / 11 - 1
    vectors[:, 4] = 2 * (gaps[2:] - 1) / 11 - 1
    gains = np.exp(rng.normal(size=N_EVENTS))
    inside = frames < 64
    if not chained:
        vectors = rng.uniform(-1, 1, vectors.shape)
    events = EventSet(vectors, frames, np.zeros(N_EVENTS), gains, 64 * 256, 22_050, 256)
    return events.select(inside)


@pytest.fixture(scope="module")
def priors(codec) -> Priors:
    return tabulate(codec, [window(seed) for seed in range(20)])


@pytest.mark.parametrize("chained", [True, False])
def test_events_come_back_within_half_a_step(codec, priors, tmp_path, chained):
    events, path = window(99, chained), tmp_path / "voice.events"
    write_events(path, events, codec, priors, scale=256)
    back = read_events(path, codec, priors)
    assert np.array_equal(back.frames, events.frames)
    steps = priors.steps[:-1] / ONE
    difference = np.abs(back.vectors - events.vectors)
    if chained:
        assert (difference <= steps / 2 + 1e-5).all()
        assert difference[:, 3:5].max() < 1e-4  # whole frames
    ratio = np.abs(20 * np.log10(back.gains / events.gains))
    assert ratio.max() < 3 * 0.75
    again = tmp_path / "again.events"
    write_events(again, back, codec, priors, scale=256)
    assert abs(again.stat().st_size - path.stat().st_size) <= 8


def test_what_is_expected_takes_fewer_bytes(codec, priors, tmp_path):
    sizes = []
    for chained in (True, False):
        path = tmp_path / f"{chained}.events"
        write_events(path, window(99, chained), codec, priors, scale=256)
        sizes.append(path.stat().st_size)
    assert sizes[0] < sizes[1] - 30


def test_priors_with_a_prediction_come_back(priors, tmp_path, monkeypatch):
    path = tmp_path / "voice.safetensors"
    path.touch()
    priors.save(path.with_suffix(".priors.json"))
    back = Priors.load(path)
    assert back.digest == priors.digest and back.prediction == priors.prediction
    text = path.with_suffix(".priors.json").read_text()
    for right, wrong in (('"spans": [3, 4]', '"spans": [3, 400]'), ("priors 2", "priors 1")):
        assert right in text
        path.with_suffix(".priors.json").write_text(text.replace(right, wrong))
        with pytest.raises(PriorsError, match="fit them again"):
            Priors.load(path)


def test_numbers_are_expected_from_other_events():
    prediction = Prediction((128, 256, 0, 0), spans=(2,), longest=9, slopes=(1, 3), glide=512)
    units = np.array([[1000, 40, 0, 0], [0, 80, 0, 0], [0, 0, 0, 0]])
    frames = np.array([0, 3, 7])
    expected = [prediction.expected(units, frames, 1, number) for number in (0, 1)]
    assert expected == [500, 40]
    # three frames: 2 of 8 steps above -1
    assert prediction.expected(units, frames, 0, 2) == -ONE + 2 * ONE // 4
    # 40 more in the four frames from this event's peak to the next one's, twice as much by glide
    assert prediction.expected(units, frames, 0, 3) == 40 * 2 // 4
    steps = prediction.steps(np.array([4096, 4096, 2 * ONE // 8, 4096]), 512)
    assert steps.tolist() == [8192, 8192, 2 * ONE // 8, 8192]
    assert dataclasses.replace(prediction, slopes=()).expected(units, frames, 0, 3) == 0
