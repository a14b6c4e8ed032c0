"""`.events` files: events come back, and broken files do no harm."""

import base64
import dataclasses
import io
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparse_codec import EventSet
from sparse_codec.coding.channels import join_windows
from sparse_codec.coding.event_file import (
    SCALE,
    EventFileError,
    EventWriter,
    Header,
    end_block,
    header_for,
    read_events,
    read_header,
    read_windows,
    varint,
    write_events,
)
from sparse_codec.coding.priors import Priors, PriorsError
from sparse_codec.coding.quantise import ONE, gain_levels, step_sizes
from sparse_codec.events import PARTS, join


def written(windows, codec, priors=None, channels=1, **given_scale) -> bytes:
    file = io.BytesIO()
    writer = EventWriter(file, header_for(codec, channels, priors), priors)
    for window in windows:
        writer.write(window, **given_scale)
    writer.close()
    return file.getvalue()


def read(data: bytes, priors=None) -> list:
    file = io.BytesIO(data)
    return list(read_windows(file, read_header(file), priors))


def assert_same(one: EventSet, other: EventSet) -> None:
    for name in PARTS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)
        assert getattr(one, name).dtype == getattr(other, name).dtype, name
    for name in ("n_samples", "samplerate", "hop"):
        assert getattr(one, name) == getattr(other, name), name


# ---- events come back


@pytest.mark.parametrize("n_last", [1, 5_000, 2**14])
def test_a_lossless_file_gives_every_bit_back_in_the_order_found(saved_codec, draw_windows, n_last):
    windows = draw_windows(n_last=n_last)
    back = read(written(windows, saved_codec))
    for one, other in zip(windows, back, strict=True):
        assert_same(one, other)


def test_a_quantised_file_gives_rounded_events_in_the_order_of_time(
    saved_codec, small_priors, draw_windows
):
    windows = draw_windows()
    again = read(written(windows, saved_codec, small_priors), small_priors)
    for window, back in zip(windows, again, strict=True):
        ordered = window.in_time_order()
        np.testing.assert_array_equal(back.frames, ordered.frames)
        # levels are an eighth of an octave apart
        assert np.abs(np.log2(back.gains / ordered.gains)).max() < 0.07
        levels = gain_levels(ordered.gains)
        steps = step_sizes(small_priors.steps, SCALE, levels.max() - levels) / ONE
        assert (np.abs(back.vectors - ordered.vectors) <= steps[:, :-1] / 2 + 1e-6).all()
        assert (np.abs(back.offsets - ordered.offsets) <= steps[:, -1] / 4 + 1e-6).all()


def test_a_finer_scale_is_nearer_and_takes_more_bytes(saved_codec, small_priors, draw_windows):
    windows = draw_windows(n_windows=6)
    files = [written(windows, saved_codec, small_priors, scale=scale) for scale in (16, 128, 1024)]
    ordered = join([window.in_time_order() for window in windows])
    errors = [
        np.abs(join(read(file, small_priors)).vectors - ordered.vectors).mean() for file in files
    ]
    assert len(files[0]) > len(files[1]) > len(files[2]) and errors[0] < errors[1] < errors[2]
    assert len(files[1]) < 0.2 * len(written(windows, saved_codec))


def test_rounded_numbers_are_not_rounded_again(saved_codec, small_priors, draw_windows):
    once = written(draw_windows(), saved_codec, small_priors)
    assert written(read(once, small_priors), saved_codec, small_priors) == once


@pytest.mark.parametrize("quantised", [False, True])
def test_silence_and_empty_windows_are_kept(saved_codec, small_priors, draw_windows, quantised):
    priors = small_priors if quantised else None
    windows = [window.select([]) for window in draw_windows()]
    again = read(written(windows, saved_codec, priors), priors)
    for one, other in zip(windows, again, strict=True):
        assert_same(one, other)


def test_a_quantised_file_leaves_out_inaudible_events_and_those_after_the_end(
    saved_codec, small_priors, draw_windows
):
    (window,) = draw_windows(n_windows=1)
    window.gains[:] = [1, 1e-9, 0, 0.5, 0.5, 0.5]
    window.frames[3] = saved_codec.config.half_frames
    (back,) = read(written([window], saved_codec, small_priors), small_priors)
    assert_same(back.select([]), window.select([]))
    assert sorted(back.frames) == sorted(window.frames[[0, 4, 5]])


@pytest.mark.parametrize("quantised", [False, True])
def test_left_and_right_share_events_or_have_their_own(
    saved_codec, small_priors, draw_windows, quantised
):
    priors = small_priors if quantised else None
    left, right = draw_windows(n_windows=2), draw_windows(n_windows=2, seed=5)
    gains = (left[0].gains[::-1] * [0, 1, 1, 1, 1, 1]).astype(np.float32)
    shared = dataclasses.replace(left[0].in_time_order(), gains=gains)
    pairs = [(left[0].in_time_order(), shared), (left[1], right[1])]
    back = read(written(pairs, saved_codec, priors, channels=2), priors)
    np.testing.assert_array_equal(back[0][0].vectors, back[0][1].vectors)
    assert back[0][1].gains[0] == 0 < back[0][0].gains[0]
    np.testing.assert_allclose(back[0][1].gains, shared.gains, rtol=0.05)
    np.testing.assert_allclose(np.sort(back[1][1].gains), np.sort(right[1].gains), rtol=0.05)
    own = written([(left[0], right[0])], saved_codec, priors, channels=2)
    assert len(written(pairs[:1], saved_codec, priors, channels=2)) < 0.8 * len(own)


@pytest.mark.parametrize("quantised", [False, True])
def test_files_are_written_whole_and_read_by_their_own_codec(
    saved_codec, small_priors, draw_windows, tmp_path, quantised
):
    priors, path = small_priors if quantised else None, tmp_path / "clip.events"
    events = join(draw_windows())
    write_events(path, events, saved_codec, priors)
    back = read_events(path, saved_codec, priors)
    assert len(back) == len(events) and back.n_samples == events.n_samples
    if not quantised:
        assert_same(back, events)
    narrow = dataclasses.replace(events, vectors=events.vectors[:, :7])
    with pytest.raises(ValueError, match=r"\[7\] numbers"):
        write_events(path, narrow, saved_codec, priors)
    assert [file.name for file in tmp_path.iterdir()] == ["clip.events"]
    assert_same(read_events(path, saved_codec, priors), back)  # the old file is still there


def test_windows_can_be_read_while_the_file_is_written(saved_codec, small_priors, draw_windows):
    """As from a pipe: a reader needs no byte that is not written yet."""
    windows, file = draw_windows(), io.BytesIO()
    writer = EventWriter(file, header_for(saved_codec, priors=small_priors), small_priors)
    for n_read, window in enumerate(windows):
        writer.write(window)
        so_far = io.BytesIO(file.getvalue())
        readable = read_windows(so_far, read_header(so_far), small_priors)
        *_, last = (next(readable) for _ in range(n_read + 1))
        np.testing.assert_array_equal(last.frames, window.in_time_order().frames)


# ---- the same numbers on every machine

STORED = """
    iUVWRU5UUwoBAQEiVgAAAAIIAAIAq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6tAYQqpKRGGdyhrXGLVcMwmRAk9inYo
    feRUr37zTee+gAjK68IBEgAAAAABTV44AJhTbi4wlT77HW0nw2hNbDgFFgAAAIgDAAAoAU1+OADXuZAu9vCi9vThCx0RQdj8ABAA
    AACIEwAAAAAAAAIAAAAAAAAAXu4WmQ==
"""


def test_a_stored_file_decodes_to_these_numbers():
    """A formula gives the tables, one machine wrote the file, and every machine reads the bits."""
    priors = Priors(
        checkpoint="ab" * 32,
        steps=np.array([700, 90_000, 150_001]),
        numbers=np.array([1 + 37 * (np.arange(256) * (i + 3) % 101) for i in range(3)]),
        drops=1 + np.arange(97)[::-1] ** 2,
        deltas=np.array([40, 9, 5, 3, 2, 1, 1, 1]),
    )
    events = join_windows(read(base64.b64decode(STORED), priors))
    assert events.frames.tolist() == [0, 3, 7, 14, 14, 14]
    units = {
        name: (getattr(events, name).astype(np.float64) * 2**23).tolist()
        for name in ("vectors", "offsets", "gains")
    }
    assert units == {
        "vectors": [
            [2100768.0, 6840000.0],
            [4575200.0, -8388608.0],
            [-3354400.0, 6480000.0],
            [-3719056.0, -3954352.0],
            [-860776.0, 0.0],
            [899608.0, 8324960.0],
        ],
        "offsets": [2850016.0, 0.0, -1800012.0, 1647660.0, 4194304.0, -2081256.0],
        "gains": [8388608.0, 169979.359375, 61539100.0, 16777216.0, 339958.71875, 123078200.0],
    }
    assert (events.n_samples, events.samplerate, events.hop) == (5000, 22_050, 512)


# ---- errors


def test_another_checkpoints_file_names_both(saved_codec, small_config, draw_windows, tmp_path):
    path = tmp_path / "clip.events"
    write_events(path, join(draw_windows()), saved_codec)
    data = bytearray(path.read_bytes())
    header = read_header(io.BytesIO(data))
    other = dataclasses.replace(header, checkpoint="ab" * 8)
    path.write_bytes(other.to_bytes() + data[len(header.to_bytes()) :])
    with pytest.raises(EventFileError, match=f"clip.events: .*{'ab' * 8}.*{saved_codec.digest}"):
        read_events(path, saved_codec)


def test_a_quantised_file_asks_for_its_priors(saved_codec, small_priors, draw_windows):
    data = written(draw_windows(), saved_codec, small_priors)
    with pytest.raises(EventFileError, match="none were given"):
        read(data)
    others = dataclasses.replace(small_priors, drops=small_priors.drops + 1)
    with pytest.raises(EventFileError, match=others.digest):
        read(data, others)


def test_priors_of_another_checkpoint_are_refused(saved_codec, small_priors):
    with pytest.raises(PriorsError, match=f"{'ab' * 32}.*{saved_codec.digest}"):
        header_for(saved_codec, priors=dataclasses.replace(small_priors, checkpoint="ab" * 32))


def test_priors_of_other_sizes_are_refused(saved_codec, small_priors):
    """As a forged header may name the right ones."""
    header = dataclasses.replace(header_for(saved_codec, priors=small_priors), vector_size=7)
    with pytest.raises(EventFileError, match="other sizes"):
        read(header.to_bytes() + end_block(0, 0), small_priors)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_samples": 10**6}, "split"),
        ({"vectors": np.zeros((6, 7), np.float32)}, r"\[7\] numbers"),
    ],
)
@pytest.mark.parametrize("quantised", [False, True])
def test_a_window_of_another_codec_is_not_written(
    saved_codec, small_priors, draw_windows, change, message, quantised
):
    window = dataclasses.replace(draw_windows(n_windows=1)[0], **change)
    with pytest.raises(ValueError, match=message):
        written([window], saved_codec, small_priors if quantised else None)


def test_more_events_than_a_window_can_hold_are_refused(saved_codec, small_priors, draw_windows):
    with pytest.raises(ValueError, match="keep at most 4095"):
        written(draw_windows(n_windows=1, n_events=4096), saved_codec, small_priors)


def test_events_before_their_window_are_refused(saved_codec, draw_windows):
    early, late = draw_windows(n_windows=2)
    with pytest.raises(ValueError, match="split"):
        written([early, dataclasses.replace(late, frames=early.frames)], saved_codec)


def test_nothing_follows_a_clips_last_window(saved_codec, draw_windows):
    with pytest.raises(ValueError, match="after the clip's last"):
        written([*draw_windows(n_windows=1), draw_windows(n_windows=2)[1]], saved_codec)


@pytest.fixture(scope="module", params=["lossless", "quantised", "stereo"])
def small_file(request, saved_codec, small_priors, draw_windows):
    """(bytes, priors) of two windows with two events."""
    priors = None if request.param == "lossless" else small_priors
    windows = draw_windows(n_windows=2, n_events=2)
    if request.param == "stereo":
        windows = [(window, window) for window in windows]
    channels = 2 if request.param == "stereo" else 1
    return written(windows, saved_codec, priors, channels), priors


def test_a_file_that_is_cut_off_anywhere_says_so(small_file):
    data, priors = small_file
    for length in range(len(data)):
        with pytest.raises(EventFileError, match="events"):
            read(data[:length], priors)


def test_every_flipped_bit_is_noticed(small_file):
    data, priors = small_file
    rng = np.random.default_rng(0)
    for bit in rng.choice(8 * len(data), 400, replace=False):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(EventFileError):
            read(bytes(damaged), priors)


def test_bytes_after_the_end_are_noticed(small_file):
    data, priors = small_file
    with pytest.raises(EventFileError, match="end"):
        read(data + b"\0", priors)


def with_checksum(data: bytes) -> bytes:
    return data + zlib.crc32(data).to_bytes(4, "little")


def forged(kind: int, payload: bytes) -> bytes:
    return with_checksum(bytes([kind]) + varint(len(payload)) + payload)


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=300))
def test_random_bytes_are_no_file(data):
    with pytest.raises(EventFileError):
        read(data)


@settings(max_examples=300, deadline=None)
@given(
    kind=st.integers(0, 18),
    several=st.integers(0, 20),
    payload=st.binary(max_size=400),
    scale=st.integers(0, 2100),
    stereo=st.booleans(),
    quantised=st.booleans(),
)
def test_forged_blocks_with_right_checksums_give_events_or_an_error(
    saved_codec, small_priors, kind, several, payload, scale, stereo, quantised
):
    """Memory too is bounded: no more events than bytes."""
    priors = small_priors if quantised else None
    header = header_for(saved_codec, 1 + stereo, priors)
    first = payload[:2]
    samples = varint(int.from_bytes(payload[:2], "little")) if kind & 4 else b""
    samples = bytes([several]) + samples if kind & 8 else samples
    payload = samples + scale.to_bytes(2, "little") + payload[: len(payload) // 4 * 4]
    n_windows = several if kind & 8 else 1
    n_samples = n_windows * header.window_samples
    if kind & 4:
        n_samples += int.from_bytes(first, "little") - header.window_samples
    try:
        end = end_block(max(n_samples, 0), n_windows)
        windows = read(header.to_bytes() + forged(kind, payload) + end, priors)
    except EventFileError:
        return
    assert len(windows) == n_windows
    channels = windows if not stereo else [each for window in windows for each in window]
    assert sum(map(len, channels)) <= (1 + stereo) * len(payload)
    for channel in channels:
        assert np.isfinite(channel.vectors).all() and (channel.gains >= 0).all()
        assert channel.frames.max(initial=0) < 2**32 and np.abs(channel.vectors).max(initial=0) <= 1


@pytest.mark.parametrize("quantised", [False, True])
def test_a_number_of_events_that_the_file_is_too_short_for_is_refused(
    saved_codec, small_priors, quantised
):
    lossless = b"\xff\xff\xff\x7f" + bytes(200)
    rounded = (192).to_bytes(2, "little") + b"\xff\xff\xff\x7f" * 4
    priors = small_priors if quantised else None
    header = header_for(saved_codec, priors=priors)
    data = header.to_bytes() + forged(1, rounded if quantised else lossless)
    with pytest.raises(EventFileError, match="are said to be in"):
        read(data, priors)


def test_a_block_that_claims_gigabytes_takes_no_memory(saved_codec):
    class Counting(io.BytesIO):
        most = 0

        def read(self, size=-1):
            self.most = max(self.most, size)
            return super().read(size)

    file = Counting(header_for(saved_codec).to_bytes() + b"\x01" + varint(2**26) + bytes(100))
    with pytest.raises(EventFileError, match="window 1 is missing or cut off"):
        list(read_windows(file, read_header(file)))
    assert file.most <= 2**16


@pytest.mark.parametrize(
    ("n_samples", "n_windows"), [(2**14, 2), (2**14 + 1, 1), (2**14 - 1, 1), (2**63, 1), (0, 0)]
)
def test_the_length_must_agree_with_the_windows(saved_codec, draw_windows, n_samples, n_windows):
    data = written(draw_windows(n_windows=1, n_last=2**14), saved_codec)
    good = end_block(2**14, 1)
    assert data.endswith(good)
    with pytest.raises(EventFileError, match="its end does not fit"):
        read(data[: -len(good)] + end_block(n_samples, n_windows))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"channels": 3}, "sizes"),
        ({"hop": 0}, "sizes"),
        ({"version": 3}, "version 3"),
        ({"samplerate": 0}, "sizes"),
    ],
)
def test_headers_of_no_codec_are_refused(saved_codec, change, message):
    header: Header = dataclasses.replace(header_for(saved_codec), **change)
    with pytest.raises(EventFileError, match=message):
        read(header.to_bytes())


def test_sizes_that_are_not_the_codecs_are_refused(saved_codec):
    """A file may not ask for seconds of sound in a window of a millisecond, nor for hours."""
    header = dataclasses.replace(header_for(saved_codec), window_frames=60_000)
    with pytest.raises(EventFileError, match="other sizes"):
        header.check_codec(saved_codec)


def test_joined_windows_are_the_clip(saved_codec, draw_windows):
    windows = draw_windows()
    assert_same(join_windows(windows), join(windows))
    left, right = join_windows([(window, window) for window in windows])
    assert_same(left, right)


def test_a_window_of_more_bytes_than_a_reader_takes_is_not_written(saved_codec, draw_windows):
    (window,) = draw_windows(n_windows=1, n_events=1)
    many = window.select(np.zeros(2**19, int))
    with pytest.raises(ValueError, match="keep fewer"):
        written([many], saved_codec)


def test_a_writer_knows_how_many_events_rounding_kept(saved_codec, small_priors, draw_windows):
    (window,) = draw_windows(n_windows=1)
    gains = window.gains.copy()
    gains[0] = 1e-6 * gains.max()
    file = io.BytesIO()
    writer = EventWriter(file, header_for(saved_codec, priors=small_priors), small_priors)
    writer.write(dataclasses.replace(window, gains=gains))
    assert writer.n_events == len(window) - 1
