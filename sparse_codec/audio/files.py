"""Sound files of any format, in and out, block by block: no file is held in memory whole.

Files come in as libsndfile reads them; from a pipe come WAV, AU or headerless samples. WAV, FLAC,
Ogg Vorbis and MP3 go out, and WAV on standard output.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
import soxr

from sparse_codec.audio.blocks import mix_down, resample
from sparse_codec.outputs import (
    STREAM,
    OutputError,
    check_output,
    is_stream,
    open_output,
    partial_file,
)

SUFFIXES = {".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff", ".opus"}  # of files that are read
KINDS = {  # suffixes of files that are written, with libsndfile's format and subtype
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
RAW_FORMATS = {
    "u8": "PCM_U8",
    "s16le": "PCM_16",
    "s24le": "PCM_24",
    "s32le": "PCM_32",
    "f32le": "FLOAT",
}
UNKNOWN_LENGTH = 2**32 - 1  # in the header of a WAV stream

WriteBlock = Callable[[np.ndarray], object]


class AudioError(ValueError):
    """Audio that cannot be used; the message names the file and the fix."""


# ---- reading


@dataclass(frozen=True)
class RawFormat:
    """The format of samples without a header."""

    samplerate: int  # Hz
    channels: int
    subtype: str  # libsndfile's name of a sample's format

    @classmethod
    def parse(cls, text: str) -> RawFormat:
        """Return the format that a text such as "44100,2,s16le" names. Raises: ValueError."""
        rate, channels, name = text.split(",")
        if int(rate) < 1 or int(channels) < 1 or name not in RAW_FORMATS:
            raise ValueError(text)
        return cls(int(rate), int(channels), RAW_FORMATS[name])


def load_audio(
    path: str | Path, samplerate: int, start: float = 0.0, seconds: float | None = None
) -> np.ndarray:
    """Return mono float32 audio (T,) at `samplerate` Hz; `start` and `seconds` choose a part.

    Raises: AudioError for a missing, unreadable or empty file and for NaN or infinite samples.
    """
    try:
        with sf.SoundFile(path) as file:
            file.seek(min(file.frames, round(start * file.samplerate)))
            frames = -1 if seconds is None else round(seconds * file.samplerate) + 1
            audio, rate = file.read(frames, dtype="float32", always_2d=True), file.samplerate
    except (sf.LibsndfileError, OSError, TypeError) as error:  # TypeError: a file without header
        reason = "no such file" if not Path(path).exists() else f"cannot be read as audio ({error})"
        raise AudioError(f"{path}: {reason}; give a WAV, FLAC, Ogg or MP3 file") from error
    if not len(audio):
        raise AudioError(f"{path}: holds no samples")
    if not np.isfinite(audio).all():
        raise AudioError(f"{path}: holds NaN or infinite samples; export the file again")
    mono = audio.mean(axis=1)
    return mono if rate == samplerate else soxr.resample(mono, rate, samplerate, quality="HQ")


def duration(path: str | Path) -> float:
    """Return the seconds of a sound file, from its header.

    Raises: AudioError for a file that cannot be read, and for a stream or samples without a
    header, whose length is known only at the end.
    """
    if is_stream(path):
        raise AudioError(f"{path}: a stream has no length; store it in a file first")
    try:
        return sf.info(path).duration
    except (sf.LibsndfileError, TypeError) as error:  # TypeError: a file without header
        reason = f"cannot be read as audio ({error}); remove or replace it"
        raise AudioError(f"{path}: {reason}") from error


def read_blocks(
    path: str | Path, samplerate: int, channels: int = 1, raw: RawFormat | None = None
) -> Iterator[np.ndarray]:
    """Yield blocks of about a second, float32, at `samplerate` Hz: (T,), or (T, 2) for 2 channels.

    One channel is the mean of all.
    path: a file, or "-" for standard input, which may stay open.
    raw: the format of samples without a header.
    Raises: AudioError naming the file for one that is missing, empty, damaged or not audio, for
    NaN or infinity and, with two channels, for any other number of them.
    """
    with _open(path, raw) as file:
        blocks = _read(file, path)
        if channels == 1:
            blocks = map(mix_down, blocks)
        elif file.channels != channels:
            raise AudioError(
                f"{path}: has {file.channels} channel(s), not {channels}; leave --stereo out"
            )
        yield from resample(blocks, file.samplerate, samplerate)


def _open(path: str | Path, raw: RawFormat | None) -> sf.SoundFile:
    options: dict[str, Any] = {}
    if raw is not None:
        options = {**asdict(raw), "format": "RAW", "endian": "LITTLE"}
    source = sys.stdin.fileno() if path == STREAM else path
    try:
        return sf.SoundFile(source, closefd=path != STREAM, **options)
    except (sf.LibsndfileError, OSError, TypeError) as error:
        raise AudioError(_explain(path, _reason(error))) from error


def _explain(path: str | Path, reason: str) -> str:
    """Return the message for a file or a stream that libsndfile does not open."""
    if path == STREAM:
        return (
            f"standard input: not a WAV stream ({reason}); send WAV, such as ffmpeg's -f wav -,"
            " or say with --raw what samples without a header are"
        )
    if not Path(path).exists():
        return f"{path}: no such file; check the name"
    suffixes = ", ".join(sorted(SUFFIXES))
    return (
        f"{path}: cannot be read as audio ({reason}); give one of {suffixes},"
        f" or make one with ffmpeg -i {path} sound.wav"
    )


def _reason(error: Exception) -> str:
    return getattr(error, "error_string", str(error)).strip().rstrip(".")


def _read(file: sf.SoundFile, path: str | Path) -> Iterator[np.ndarray]:
    """Yield blocks (T, channels), float32. Raises: AudioError."""
    name, n_read = "standard input" if path == STREAM else path, 0
    try:
        while len(block := file.read(file.samplerate, dtype="float32", always_2d=True)):
            finite = np.isfinite(block).all(axis=1)
            if not finite.all():
                place = (n_read + finite.argmin()) / file.samplerate
                raise AudioError(
                    f"{name}: holds NaN or infinity at {place:.3f} s; export the file again"
                )
            n_read += len(block)
            yield block
    except sf.LibsndfileError as error:
        reason = f"is damaged after {n_read / file.samplerate:.1f} s ({_reason(error)})"
        raise AudioError(f"{name}: {reason}; export the file again") from error
    if not n_read:
        raise AudioError(f"{name}: holds no samples; give a file with sound")
    if file.seekable() and n_read < file.frames:
        end = f"{n_read / file.samplerate:.1f} of {file.frames / file.samplerate:.1f} s"
        raise AudioError(f"{name}: is damaged, for it ends at {end}; export the file again")


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
    Raises: OutputError, also if there is no block.
    """
    check_output(path, KINDS)
    blocks = iter(blocks)
    first = next(blocks, None)
    if first is None:
        raise OutputError(f"{path}: there is no sound to write; give at least one block")
    channels = 1 if first.ndim == 1 else first.shape[1]
    n_samples = n_clipped = 0
    with _open_sound(path, samplerate, channels) as write:
        for block in chain([first], blocks):
            n_samples += len(block)
            n_clipped += int((np.abs(block) > 1).sum())
            write(block.clip(-1, 1))
    return SampleCounts(n_samples, n_clipped)


def _open_sound(
    path: str | Path, samplerate: int, channels: int
) -> AbstractContextManager[WriteBlock]:
    if is_stream(path):
        return _open_stream(path, samplerate, channels)
    return _open_file(path, samplerate, channels)


@contextmanager
def _open_file(path: str | Path, samplerate: int, channels: int) -> Iterator[WriteBlock]:
    """Yield a function that writes a block to a sound file."""
    kind, subtype = KINDS[Path(path).suffix.lower()]
    try:
        with (
            partial_file(path) as partial,
            sf.SoundFile(partial, "w", samplerate, channels, subtype, format=kind) as file,
        ):
            yield file.write
    except sf.LibsndfileError as error:
        reason = f"cannot be written ({_reason(error)}); make room, or give another output"
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
