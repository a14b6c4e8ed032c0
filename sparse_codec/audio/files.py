"""Sound files of any format, in and out, block by block: no file is held in memory whole.

Files come in as libsndfile reads them; from a pipe come WAV, AU or headerless samples. WAV, FLAC,
Ogg Vorbis and MP3 go out, and WAV on standard output.
"""

from __future__ import annotations

import logging
import math
import os
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, groupby
from numbers import Real
from operator import itemgetter
from pathlib import Path

import numpy as np
import soundfile as sf

from sparse_codec.audio.blocks import MOST_CHANNELS, check_audio, mix_down, resample
from sparse_codec.audio.decoder import RAW_FORMATS as RAW_FORMATS
from sparse_codec.audio.decoder import SUFFIXES as SUFFIXES
from sparse_codec.audio.decoder import AudioError as AudioError
from sparse_codec.audio.decoder import RawFormat as RawFormat
from sparse_codec.audio.decoder import Sound, name_of, open_sounds, reason_of
from sparse_codec.outputs import (
    STREAM,
    OutputError,
    check_output,
    is_stream,
    open_output,
    partial_file,
)

log = logging.getLogger(__name__)

UNKNOWN_LENGTH = 2**32 - 1  # in the header of a WAV stream
WRITTEN = 2**16  # samples of a channel at once; libsndfile's Ogg crashes at some millions

LEFT = "give --left to encode or prepare, or left=True to load_audio or read_blocks"


@dataclass(frozen=True)
class Kind:
    """A format that is written, in libsndfile's names, and the sound that it can hold."""

    name: str
    subtype: str
    most_channels: int
    samplerates: range | tuple[int, ...]  # Hz


KINDS = {  # by suffix
    # The bytes of a second are in the header, in 32 bits.
    ".wav": Kind("WAV", "PCM_16", MOST_CHANNELS, range(1, 2**32 // (2 * MOST_CHANNELS))),
    ".flac": Kind("FLAC", "PCM_16", 8, range(1, 655_351)),
    # libsndfile crashes above.
    ".ogg": Kind("OGG", "VORBIS", MOST_CHANNELS, range(1, 200_001)),
    ".mp3": Kind(
        *("MP3", "MPEG_LAYER_III", 2),
        (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
    ),
}

WriteBlock = Callable[[np.ndarray], object]


# ---- reading


def load_audio(
    path: str | Path,
    samplerate: int,
    start: float = 0.0,
    seconds: float | None = None,
    left: bool = False,
) -> np.ndarray:
    """Return mono float32 audio (T,) at `samplerate` Hz; `start` and `seconds` choose a part.

    It is the mean of all channels, or the left one alone.
    Raises: AudioError as `read_blocks`, and for a file that ends before `start`; ValueError for a
    samplerate or a part that can not be.
    """
    if not math.isfinite(start) or not 0 <= (seconds or 0.0) < math.inf:
        raise ValueError(
            f"start = {start} and seconds = {seconds} are no part of a sound;"
            " give seconds from 0 on, or None for all that follows"
        )
    return np.concatenate(list(_read(path, samplerate, 1, None, left, start, seconds)))


def read_blocks(
    path: str | Path,
    samplerate: int,
    channels: int = 1,
    raw: RawFormat | None = None,
    left: bool = False,
) -> Iterator[np.ndarray]:
    """Yield blocks of about a second, float32, at `samplerate` Hz: (T,), or (T, 2) for 2 channels.

    One channel is the mean of all, or the left one alone. If all cancel each other out, a warning
    is logged. A file is read to its end, whatever its header says of lengths;
    if that says more than there is, a warning is logged too.
    path: a file, or "-" for standard input, which may stay open.
    raw: the format of samples without a header.
    Raises: AudioError naming the file for one that is missing, empty, damaged or not audio, for
    NaN or infinity and, with two channels, for any other number of them.
    """
    yield from _read(path, samplerate, channels, raw, left)


def duration(path: str | Path) -> float:
    """Return the seconds of a sound file, which is decoded if its header does not say.

    Raises: AudioError for a file that cannot be read, and for a stream or samples without a
    header, whose length is known only at the end.
    """
    if is_stream(path):
        raise AudioError(f"{path}: a stream has no length; store it in a file first")
    status = Path(path).stat() if Path(path).exists() else None
    return _duration(path, (status.st_mtime_ns, status.st_size) if status else None)


@lru_cache(2**14)
def _duration(path: str | Path, version: object) -> float:
    """Return the seconds of a file; `version` is another once the file is another."""
    return sum(sound.count() / sound.samplerate for sound in open_sounds(path))


def _read(
    path: str | Path,
    samplerate: int,
    channels: int,
    raw: RawFormat | None,
    left: bool,
    start: float = 0.0,
    seconds: float | None = None,
) -> Iterator[np.ndarray]:
    """Yield blocks as `read_blocks`, from `start` on and for `seconds` or a sample more."""
    for sound, pairs in groupby(_frames(path, raw, start, seconds), key=itemgetter(0)):
        if channels not in (1, sound.decoder.channels):
            raise AudioError(
                f"{sound.name}: has {sound.decoder.channels} channel(s), not {channels};"
                " leave --stereo out"
            )
        blocks: Iterator[np.ndarray] = map(itemgetter(1), pairs)
        if left:
            blocks = (np.ascontiguousarray(block[:, 0]) for block in blocks)
        elif channels == 1:
            blocks = mix_down(blocks, sound.name, LEFT)
        is_empty = True
        for block in resample(blocks, sound.samplerate, samplerate):
            is_empty = is_empty and not len(block)
            yield block
        if is_empty:
            raise AudioError(
                f"{sound.name}: is shorter than a sample at {samplerate} Hz, since its header says"
                f" {sound.samplerate} Hz; correct that, or give a longer file"
            )


def _frames(
    path: str | Path, raw: RawFormat | None, start: float, seconds: float | None
) -> Iterator[tuple[Sound, np.ndarray]]:
    """Yield the streams of a file with their blocks (T, channels). Raises: AudioError."""
    name, asked, is_empty = name_of(path), start, True
    for sound in open_sounds(path, raw):
        first, n_frames = max(0, round(start * sound.samplerate)), sound.n_frames
        if n_frames is not None and 0 < n_frames <= first:  # the part begins in another stream
            start -= n_frames / sound.samplerate
            continue
        if (n_skipped := sound.skip(first)) < first:  # likewise, but the stream had to be decoded
            _tell_cut(sound, n_skipped)
            start -= n_skipped / sound.samplerate
            continue
        wanted = sys.maxsize if seconds is None else round(seconds * sound.samplerate) + 1
        n_read = 0
        while len(block := sound.read(min(sound.samplerate, wanted - n_read), first + n_read)):
            _check_finite(sound, block, first + n_read)
            n_read += len(block)
            yield sound, block
        is_empty = is_empty and not n_read
        if n_read < wanted:
            _tell_cut(sound, first + n_read)
        if seconds is not None and (seconds := seconds - n_read / sound.samplerate) <= 0:
            return
        start = 0.0
    if is_empty and asked:
        raise AudioError(f"{name}: ends before {asked:.1f} s; begin earlier")
    if is_empty and path == STREAM:
        raise AudioError(
            f"{name}: holds no samples, or its header says so; store it in a file, and give that"
        )
    if is_empty:
        raise AudioError(f"{name}: holds no samples; give a file with sound")


def _check_finite(sound: Sound, block: np.ndarray, n_before: int) -> None:
    """Raise AudioError for NaN or infinity in a block that has `n_before` frames before it."""
    finite = np.isfinite(block).all(axis=1)
    if not finite.all():
        place = (n_before + finite.argmin()) / sound.samplerate
        raise AudioError(
            f"{sound.name}: holds NaN or infinity at {place:.3f} s; export the file again"
        )


def _tell_cut(sound: Sound, n_frames: int) -> None:
    """Log a warning if a stream ended after fewer frames than its header tells of."""
    if sound.is_cut or n_frames < sound.n_promised:
        end = n_frames / sound.samplerate
        log.warning(
            "%s: ends after %.1f s, before its header says; the rest is missing", sound.name, end
        )


# ---- writing


@dataclass(frozen=True)
class SampleCounts:
    """Numbers of samples that were written to a sound file."""

    n_samples: int  # of each channel
    n_clipped: int  # of all channels: samples over full scale


def save_audio(path: str | Path, audio: np.ndarray, samplerate: int) -> SampleCounts:
    """Write audio (T,) or (T, channels), as `write_blocks` does. Raises: OutputError."""
    return write_blocks(path, [audio], samplerate)


def write_blocks(path: str | Path, blocks: Iterable[np.ndarray], samplerate: int) -> SampleCounts:
    """Write blocks (T,) or (T, channels) in the format that the suffix names.

    "-", a pipe or a device gets a WAV stream. Samples over full scale are clipped, and counted.
    Raises: OutputError, also if there is no block, or if the format can not hold the sound;
    ValueError for a block that is no audio, as `check_audio`.
    """
    check_output(path, KINDS)
    kind = KINDS[".wav" if is_stream(path) else Path(path).suffix.lower()]
    _check_samplerate(path, kind, samplerate)
    blocks = iter(blocks)
    first = next(blocks, None)
    if first is None:
        raise OutputError(f"{path}: there is no sound to write; give at least one block")
    channels = 1 if check_audio(first).ndim == 1 else first.shape[1]
    if channels > kind.most_channels:
        raise OutputError(
            f"{path}: {kind.name} holds at most {kind.most_channels} channels, not {channels};"
            " give fewer, or another format"
        )
    n_samples = n_clipped = 0
    with _open_sound(path, kind, int(samplerate), channels) as write:
        for block in chain([first], blocks):
            check_audio(block)
            for part in np.split(block, range(WRITTEN, len(block), WRITTEN)):
                n_samples += len(part)
                n_clipped += int((np.abs(part) > 1).sum())
                write(part.clip(-1, 1))
    return SampleCounts(n_samples, n_clipped)


def _check_samplerate(path: str | Path, kind: Kind, samplerate: float) -> None:
    rates = kind.samplerates
    is_whole = isinstance(samplerate, Real) and samplerate % 1 == 0
    if not is_whole or int(samplerate) not in rates:
        known = f"{rates[0]} to {rates[-1]}" if isinstance(rates, range) else f"one of {rates}"
        raise OutputError(
            f"{path}: {kind.name} can not be written at {samplerate!r} Hz;"
            f" give {known}, or another format"
        )


def _open_sound(
    path: str | Path, kind: Kind, samplerate: int, channels: int
) -> AbstractContextManager[WriteBlock]:
    if is_stream(path):
        return _open_stream(path, samplerate, channels)
    return _open_file(path, kind, samplerate, channels)


@contextmanager
def _open_file(
    path: str | Path, kind: Kind, samplerate: int, channels: int
) -> Iterator[WriteBlock]:
    """Yield a function that writes a block to a sound file."""
    try:
        with (
            partial_file(path) as partial,
            sf.SoundFile(
                os.fsencode(partial), "w", samplerate, channels, kind.subtype, format=kind.name
            ) as file,
        ):
            yield file.write
    except sf.LibsndfileError as error:
        reason = f"cannot be written ({reason_of(error)}); make room, or give another output"
        raise OutputError(f"{path}: {reason}") from error


@contextmanager
def _open_stream(path: str | Path, samplerate: int, channels: int) -> Iterator[WriteBlock]:
    """Yield a function that sends a block off at once, as WAV of 16 bits and of unknown length."""
    frame = 2 * channels
    layout = struct.pack(
        "<4sIHHIIHH", b"fmt ", 16, 1, channels, samplerate, samplerate * frame, frame, 16
    )
    riff, data = (struct.pack("<4sI", name, UNKNOWN_LENGTH) for name in (b"RIFF", b"data"))

    with open_output(path) as file:
        file.write(riff + b"WAVE" + layout + data)

        def write(block: np.ndarray) -> None:
            file.write(np.rint(block * 32767).astype("<i2").tobytes())
            file.flush()

        yield write
