"""Windows as bytes: rare windows come back, and bytes that no encoder wrote are refused."""

import dataclasses
import io

import numpy as np
import pytest

from sparse_codec.coding.entropy import (
    CodingError,
    EventGroup,
    decode_exact,
    decode_rounded,
    encode_exact,
    encode_rounded,
    group_of,
)
from sparse_codec.coding.event_file import (
    EventFileError,
    Header,
    end_block,
    header_for,
    read_header,
    read_windows,
    varint,
)
from sparse_codec.coding.event_file import _block as block_of
from sparse_codec.coding.priors import CELLS, Priors
from sparse_codec.coding.quantise import ONE, SCALES, SILENT

N_FRAMES = 8


@pytest.fixture(scope="module")
def sure() -> Priors:
    """Priors of numbers that are nearly always 0: an event takes less than a byte."""
    counts = np.ones((3, CELLS), int)
    counts[:, CELLS // 2 - 8 : CELLS // 2 + 8] = 60_000
    drops, deltas = np.ones(SILENT + 1, int), np.ones(N_FRAMES, int)
    drops[0] = deltas[0] = 10**6
    return Priors("ab" * 32, np.full(3, ONE), counts, drops, deltas)


def group(frames: list[int]) -> EventGroup:
    n_events = len(frames)
    numbers = np.zeros((n_events, 2), np.float32)
    return EventGroup(
        numbers,
        np.array(frames),
        np.zeros(n_events, np.float32),
        np.ones((n_events, 1), np.float32),
    )


def test_events_that_take_less_than_a_byte_are_not_more_than_the_reader_trusts(sure):
    data = encode_rounded([group([0] * 1000)], N_FRAMES, sure, 256)
    assert len(data) < 1100
    (back,) = decode_rounded(data, 1, 1, N_FRAMES, sure)
    assert back.frames.tolist() == [0] * 1000 and not back.vectors.any()


def test_an_event_after_its_window_is_refused(sure):
    data = encode_rounded([group([6, 12])], 100, sure, 256)
    with pytest.raises(CodingError, match="frame 12 of 8"):
        decode_rounded(data, 1, 1, N_FRAMES, sure)


@pytest.mark.parametrize("scale", [0, SCALES[0] - 1, SCALES[1] + 1])
def test_a_scale_that_no_writer_uses_is_refused(sure, scale):
    data = encode_rounded([group([1])], N_FRAMES, sure, 256)
    with pytest.raises(CodingError, match=f"scale is {scale}"):
        decode_rounded(scale.to_bytes(2, "little") + data[2:], 1, 1, N_FRAMES, sure)


def test_bytes_after_the_last_event_are_refused():
    data = encode_exact([group([1, 2])])
    assert len(decode_exact(data, 1, 1, 2)[0].frames) == 2
    with pytest.raises(CodingError, match="3 bytes are left over"):
        decode_exact(data + b"abc", 1, 1, 2)


def test_words_that_no_range_coder_wrote_are_refused(sure):
    """Not all can be told from words of events, but none does worse than to be refused."""
    rng, refused = np.random.default_rng(0), set()
    for _ in range(300):
        words = rng.choice([0, 2**31, 2**32 - 1], rng.integers(0, 40)).astype("<u4")
        try:
            decode_rounded((256).to_bytes(2, "little") + words.tobytes(), 2, 1, N_FRAMES, sure)
        except CodingError as error:
            refused.add(str(error))
    assert "no range coder wrote these words" in refused


# ---- blocks


@pytest.fixture(scope="module")
def header(saved_codec) -> Header:
    return header_for(saved_codec)


def read(header: Header, *blocks: bytes) -> list:
    file = io.BytesIO(header.to_bytes() + b"".join(blocks))
    return list(read_windows(file, read_header(file)))


EMPTY = bytes(4)  # no events


def short(n_samples: int) -> bytes:
    return block_of(5, varint(n_samples) + EMPTY)


def test_only_the_last_window_may_be_short(header):
    size = header.window_samples
    assert len(read(header, block_of(1, EMPTY), short(100), end_block(size + 100, 2))) == 2
    with pytest.raises(EventFileError, match="goes on after its last window"):
        read(header, short(100), block_of(1, EMPTY), end_block(2 * size, 2))


@pytest.mark.parametrize("windows", [0, 1, 1.5])
def test_a_short_window_is_neither_empty_nor_long(header, windows):
    n_samples = int(windows * header.window_samples)
    end = end_block(header.window_samples + n_samples, 2)
    with pytest.raises(EventFileError, match=f"it has {n_samples} samples"):
        read(header, block_of(1, EMPTY), short(n_samples), end)


def test_a_block_that_never_ends_is_not_waited_for(header):
    class Endless(io.BytesIO):
        n_read = 0

        def read(self, size=-1):
            data = super().read(size) or bytes(size)
            self.n_read += len(data)
            return data

    file = Endless(header.to_bytes() + bytes([1]) + varint(2**32 - 1))
    with pytest.raises(EventFileError, match="window 1"):
        list(read_windows(file, read_header(file)))
    assert file.n_read < 1000


def test_an_event_that_one_channel_lacks_stays_in_the_other(
    saved_codec, small_priors, draw_windows
):
    (left,) = draw_windows(n_windows=1, n_events=2)
    right = dataclasses.replace(left, gains=np.array([0, 1], np.float32))
    data = encode_rounded(
        [group_of(0, left, right)], saved_codec.config.half_frames, small_priors, 16
    )
    (back,) = decode_rounded(data, 1, 2, saved_codec.config.half_frames, small_priors)
    assert sorted((back.gains > 0).sum(1).tolist()) == [1, 2]
