"""Audio as blocks of any sizes: mix channels down, change the samplerate, cut segments.

A block is an array of samples (T,) or (T, channels); T may be 0. The result does not depend on
where the audio was cut into blocks.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator
from numbers import Real

import numpy as np
import soxr

log = logging.getLogger(__name__)

MOST_CHANNELS = 64  # more are samples, of an array that lies on its side
CANCELLED = 0.01  # of the channels' energy: a mean with less is not what one hears


def check_audio(audio: np.ndarray) -> np.ndarray:
    """Return samples as float32.

    Raises: ValueError if they are not floats (T,) or (T, channels), have more than MOST_CHANNELS
    channels, or hold NaN or infinity.
    """
    audio = np.asarray(audio)
    if audio.dtype.kind not in "fiu" or audio.ndim not in (1, 2) or 0 in audio.shape[1:]:
        raise ValueError(
            f"audio of type {audio.dtype} and shape {audio.shape};"
            " give samples (T,) or (T, channels)"
        )
    if audio.ndim == 2 and audio.shape[1] > MOST_CHANNELS:
        raise ValueError(
            f"audio of shape {audio.shape} has {audio.shape[1]} channels;"
            " give samples (T, channels), so transpose it: audio.T"
        )
    if audio.dtype.kind in "iu":
        raise ValueError(f"audio of type {audio.dtype}; give floats, where full scale is 1.0")
    audio = audio.astype(np.float32, copy=False)
    if not np.isfinite(audio).all():
        raise ValueError("audio holds NaN or infinite samples; clean it first")
    return audio


def mix_down(
    blocks: Iterable[np.ndarray], name: str = "audio", remedy: str = "give audio[:, 0]"
) -> Iterator[np.ndarray]:
    """Yield the mean of the channels of blocks, (T,).

    After the last, a warning with `name` and `remedy` is logged if the channels have cancelled out,
    as they do where one is the other turned upside down.
    """
    mixed = apart = 0.0  # energies of the mean, and of a channel
    for block in blocks:
        if block.ndim == 1:
            yield block
            continue
        mean = block.mean(axis=1)
        mixed += float(np.vdot(mean, mean))
        apart += float(np.vdot(block, block)) / block.shape[1]
        yield mean
    if mixed < CANCELLED * apart:
        log.warning(
            "%s: the channels cancel each other out, their mean is nearly silent;"
            " to have the left one alone, %s",
            *(name, remedy),
        )


def resample(blocks: Iterable[np.ndarray], samplerate: int, wanted: int) -> Iterator[np.ndarray]:
    """Yield blocks at the samplerate `wanted`, in Hz; their sizes and number may differ.

    Raises: ValueError for a samplerate below 1, or that is no number.
    """
    for rate in (samplerate, wanted):
        if not isinstance(rate, Real) or not 1 <= rate < math.inf:  # false for NaN too
            raise ValueError(f"samplerate = {rate!r}; give that of the audio, in Hz")
    if samplerate == wanted:
        yield from blocks
        return
    stream = None
    for block in blocks:
        n_channels = 1 if block.ndim == 1 else block.shape[1]
        stream = stream or soxr.ResampleStream(
            samplerate, wanted, n_channels, dtype="float32", quality="HQ"
        )
        yield stream.resample_chunk(block)
    if stream:
        yield stream.resample_chunk(block[:0], last=True)


def cut_segments(blocks: Iterable[np.ndarray], size: int) -> Iterator[tuple[np.ndarray, int]]:
    """Yield segments (size,) of mono blocks, which overlap by half; the last are padded with zeros.

    With each comes the number of samples of the clip up to the end of the segment's first half.
    Memory holds one segment and one block. Raises: ValueError if there are no samples at all.
    """
    half, buffer, start = size // 2, np.zeros(0, np.float32), 0
    for block in blocks:
        buffer = np.concatenate([buffer, block])
        while len(buffer) >= size:
            yield buffer[:size].copy(), start + half
            buffer, start = buffer[half:], start + half
    if not start and not len(buffer):
        raise ValueError("audio without samples; give at least one")
    while len(buffer):
        segment = buffer[:size]
        yield np.pad(segment, (0, size - len(segment))), start + min(half, len(buffer))
        buffer, start = buffer[half:], start + half
