"""Files of a voice: its numbers are expected from other events, and come back."""

import dataclasses
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparse_codec import EventSet, SparseCodec
from sparse_codec.coding.event_file import (
    EventFileError,
    EventWriter,
    end_block,
    header_for,
    joined,
    read_events,
    read_header,
    read_windows,
    write_events,
)
from sparse_codec.coding.event_file import _block as block_of
from sparse_codec.coding.in_memory import file_of
from sparse_codec.coding.prediction import Prediction
from sparse_codec.coding.priors import Priors, PriorsError
from sparse_codec.coding.quantise import ONE
from sparse_codec.config import parse_config
from sparse_codec.events import join
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
def test_events_come_back_within_a_step(codec, priors, tmp_path, chained):
    events, path = window(99, chained), tmp_path / "voice.events"
    write_events(path, events, codec, priors, scale=256)
    back = read_events(path, codec, priors)
    assert np.array_equal(back.frames, events.frames)
    steps = priors.steps[:-1] / ONE
    difference = np.abs(back.vectors - events.vectors)
    if chained:
        heard = events.vectors[:, 2] > priors.prediction.muted / ONE + steps[2]
        assert heard.any()
        assert (difference[heard] <= steps + 1e-5).all()
        assert (difference[:, 2:] <= steps[2:] + 1e-5).all()
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
    for right, wrong in (('"spans": [3, 4]', '"spans": [3, 400]'), ("priors 3", "priors 2")):
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


# ---- blocks of several windows


def clip(n_windows: int) -> EventSet:
    """Windows that follow each other, of which the second and third are silent."""
    windows = []
    for number in range(n_windows):
        events = window(number)
        if number in (1, 2):
            events = events.select([])
        shifted = dataclasses.replace(
            events, frames=events.frames + 64 * number, n_samples=64 * 256 * (number + 1)
        )
        windows.append(shifted)
    return join(windows)


def blocks(events: EventSet, codec, priors, share: bool) -> bytes:
    header, file = header_for(codec, priors=priors), io.BytesIO()
    writer = EventWriter(file, header, priors)
    windows = events.split(64)
    for block in joined(windows, header, priors) if share else windows:
        writer.write(block, 256)
    writer.close()
    assert writer.n_events == len(events)
    return file.getvalue()


def test_windows_share_a_block_and_come_back_one_by_one(codec, priors):
    """A gap may be longer than a window, and the last window shorter."""
    events = dataclasses.replace(clip(10), n_samples=64 * 256 * 10 - 100)
    together, alone = (blocks(events, codec, priors, share) for share in (True, False))
    # eight blocks fewer, of 8 bytes each around their numbers
    assert len(together) < len(alone) - 8 * 8
    file = io.BytesIO(together)
    back = list(read_windows(file, read_header(file), priors))
    split = list(events.split(64))
    assert len(back) == len(split) == 10
    for one, other in zip(back, split, strict=True):
        np.testing.assert_array_equal(one.frames, other.frames)
        assert one.n_samples == other.n_samples
        assert np.abs(one.vectors[:, 3:5] - other.vectors[:, 3:5]).max(initial=0) < 1e-4
    assert blocks(join(back), codec, priors, share=True) == together


def test_a_damaged_block_of_several_windows_is_noticed(codec, priors):
    data = blocks(clip(3), codec, priors, share=True)
    for length in range(len(data)):
        with pytest.raises(EventFileError):
            list(read(data[:length], priors))
    for bit in np.random.default_rng(0).choice(8 * len(data), 200, replace=False):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(EventFileError):
            list(read(bytes(damaged), priors))


@settings(max_examples=60, deadline=None)
@given(payload=st.binary(max_size=200), n_windows=st.integers(0, 255))
def test_forged_blocks_of_several_windows_give_events_or_an_error(
    codec, priors, payload, n_windows
):
    words = payload[: len(payload) // 4 * 4]
    forged = bytes([n_windows]) + (256).to_bytes(2, "little") + words
    header = header_for(codec, priors=priors)
    end = end_block(header.window_samples * n_windows, n_windows)
    try:
        windows = read(header.to_bytes() + block_of(9, forged) + end, priors)
    except EventFileError:
        return
    assert len(windows) == n_windows and sum(map(len, windows)) <= len(payload)


@pytest.mark.parametrize("n_windows", [2, 10])
def test_a_short_clip_keeps_to_its_rate(codec, priors, n_windows):
    """The header is paid for by the first block of several windows, for there may be no second."""
    events = clip(n_windows)
    seconds = events.n_samples / events.samplerate
    file = file_of(codec, events.split(64), priors, rate=600)
    assert 0.8 * 600 < 8 * len(file) / seconds <= 600


def read(data: bytes, priors: Priors) -> list:
    file = io.BytesIO(data)
    return list(read_windows(file, read_header(file), priors))


def test_a_pitch_that_is_not_heard_takes_no_bytes(codec, priors):
    """Where there is noise alone, pitch and glide are as expected, whatever they were."""
    events = window(5)
    vectors = events.vectors.copy()
    vectors[:, 2] = -0.9
    quiet = dataclasses.replace(events, vectors=vectors)
    wild = vectors.copy()
    wild[:, :2] = np.random.default_rng(0).uniform(-1, 1, (len(events), 2))
    files = [
        blocks(each, codec, priors, share=True)
        for each in (quiet, dataclasses.replace(quiet, vectors=wild))
    ]
    assert files[0] == files[1]


def test_tables_are_of_the_nearest_scale():
    prediction = Prediction((0, 0), scales=(100, 200, 400))
    assert [prediction.fitted(scale) for scale in (16, 141, 142, 282, 283, 2048)] == [
        0,
        0,
        1,
        1,
        2,
        2,
    ]
