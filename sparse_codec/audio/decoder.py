"""Open the streams of a sound file for libsndfile, which decodes each from front to back.

libsndfile believes what a header says of lengths; `streams` sees to it that this is true.
"""

from __future__ import annotations

import io
import os
import shlex
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf

from sparse_codec.audio.streams import Stream, StreamFile, find_streams
from sparse_codec.outputs import STREAM, is_stream

SUFFIXES = {".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff", ".opus"}  # of files that are read
FORMATS = SUFFIXES | {f".{name.lower()}" for name in sf.available_formats()}
RAW_FORMATS = {
    "u8": "PCM_U8",
    "s16le": "PCM_16",
    "s24le": "PCM_24",
    "s32le": "PCM_32",
    "f32le": "FLOAT",
}
TWO_FILES = ".sd2"  # a format whose header is in another file, which libsndfile finds by the name
UNKNOWN = 2**38  # frames; libsndfile has more where it knows no length
# Samples of all channels; the header of a stream whose writer knew no length tells of more.
UNKNOWN_IN_STREAM = 2**28 - 2**16
RUN_UP = 0.25  # seconds that are decoded after a seek: a frame of MP3 needs some before it
MOST_EMPTY_READS = 32  # behind the end of a stream: one that is whole takes half as many


class AudioError(ValueError):
    """Audio that cannot be used; the message names the file and the fix."""


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


class Decoder(sf.SoundFile):
    """A decoder that is read from front to back.

    soundfile seeks after each block that it reads from a file in which it can. This takes time,
    and some formats have a seek that fails.
    """

    def seekable(self) -> bool:
        return False


@dataclass(frozen=True)
class Sound:
    """An open stream of sound."""

    name: str  # of its file
    decoder: Decoder
    stream: Stream | None = None  # None for a pipe
    source: StreamFile | None = None  # None if libsndfile reads the file itself

    @property
    def samplerate(self) -> int:
        """Frames of a second."""
        return self.decoder.samplerate

    @property
    def n_frames(self) -> int | None:
        """How many frames there are; None if only decoding tells."""
        stream = self.stream
        if stream is None or stream.is_guess or self._is_shorter:
            return None
        return self.decoder.frames if self.decoder.frames < UNKNOWN else None

    @property
    def is_cut(self) -> bool:
        """Whether its header, or its last page, tells that there was more."""
        return self.stream is not None and self.stream.is_cut

    @property
    def _is_shorter(self) -> bool:
        """Whether the decoder may believe in more frames than there are."""
        return self.stream is not None and self.stream.is_cut and not self.stream.is_patched

    @property
    def n_promised(self) -> int:
        """How many frames the header of a file or of a stream tells of; 0 if it tells of none."""
        if self.stream is not None:
            return self.n_frames or 0
        n_frames = self.decoder.frames
        return n_frames if n_frames * self.decoder.channels < UNKNOWN_IN_STREAM else 0

    def skip(self, n_frames: int) -> int:
        """Pass over the first frames, by a seek where the format has one that is to be believed.

        Returns: how many these were, fewer at the end. Raises: AudioError.
        """
        place, n_skipped = n_frames - int(RUN_UP * self.samplerate), 0
        can_seek = sf.SoundFile.seekable(self.decoder) and self.decoder.frames < sys.maxsize
        if place > 0 and can_seek and not self._is_shorter:
            n_skipped = self._seek(place)
        while n_read := len(self.read(min(n_frames - n_skipped, self.samplerate))):
            n_skipped += n_read
        return n_skipped

    def _seek(self, place: int) -> int:
        """Go to a place, or to the beginning in a format whose seek fails; return where it is."""
        try:
            return self.decoder.seek(place)
        except sf.LibsndfileError:
            try:
                return self.decoder.seek(0)
            except sf.LibsndfileError as error:
                raise self._damaged(reason_of(error), 0) from error

    def read(self, n_frames: int, n_before: int = 0) -> np.ndarray:
        """Return the next frames, (T, channels) float32, fewer at the end.

        n_before: how many came before, for a message.
        Raises: AudioError for a stream that is damaged or breaks off, and for a disk that fails.
        """
        try:
            block = self.decoder.read(n_frames, dtype="float32", always_2d=True)
            if self.source and self.source.error:
                raise self.source.error
        except (sf.LibsndfileError, OSError) as error:
            raise self._damaged(reason_of(error), n_before) from error
        if self.source and self.source.n_empty_reads > MOST_EMPTY_READS:
            raise self._damaged("it breaks off", n_before)
        return block

    def _damaged(self, reason: str, n_before: int) -> AudioError:
        place = f"{n_before / self.samplerate:.1f} s"
        return AudioError(
            f"{self.name}: is damaged after {place} ({reason}); export the file again"
        )

    def count(self) -> int:
        """Return how many frames there are, and decode all if need be. Raises: AudioError."""
        if self.n_frames is not None:
            return self.n_frames
        n_frames = 0
        while n_read := len(self.read(self.samplerate, n_frames)):
            n_frames += n_read
        return n_frames


def open_sounds(path: str | Path, raw: RawFormat | None = None) -> Iterator[Sound]:
    """Yield the streams of a file one after the other, each open until the next is asked for.

    path: a file, or "-" for standard input, which may stay open.
    raw: the format of samples without a header.
    Raises: AudioError for a file that is missing or not audio.
    """
    try:
        file = None if raw is not None else _file_on_disk(path)
        if file is None:
            yield from _open_by_name(path, raw)
        elif Path(path).suffix.lower() == TWO_FILES:
            file.close()
            yield from _open_by_name(path, None, Stream(0, Path(path).stat().st_size))
        else:
            with file:
                for stream in find_streams(file):
                    source = None if stream.is_plain else StreamFile(file, stream)
                    with Decoder(source or file.fileno(), closefd=False) as decoder:
                        yield Sound(name_of(path), decoder, stream, source)
    except (sf.LibsndfileError, OSError, TypeError) as error:  # TypeError: a file without header
        raise AudioError(_explain(path, reason_of(error))) from error


def _file_on_disk(path: str | Path) -> io.FileIO | None:
    """Return a file, or the one that standard input is redirected from; None for a pipe."""
    if path != STREAM:
        return None if is_stream(path) else open(path, "rb", buffering=0)
    number = sys.stdin.fileno()
    if stat.S_ISREG(os.fstat(number).st_mode) and not os.lseek(number, 0, os.SEEK_CUR):
        return open(number, "rb", buffering=0, closefd=False)
    return None


def _open_by_name(
    path: str | Path, raw: RawFormat | None, stream: Stream | None = None
) -> Iterator[Sound]:
    """Yield what libsndfile opens by itself: a pipe, samples without a header, two files in one."""
    is_input = path == STREAM
    options: dict[str, Any] = {}
    if raw is not None:
        options = {**asdict(raw), "format": "RAW", "endian": "LITTLE"}
    source = sys.stdin.fileno() if is_input else os.fsencode(path)
    with Decoder(source, closefd=not is_input, **options) as decoder:
        yield Sound(name_of(path), decoder, stream)


def name_of(path: str | Path) -> str:
    """Return the name of an input for messages."""
    return "standard input" if path == STREAM else str(path)


def _explain(path: str | Path, reason: str) -> str:
    """Return the message for a file or a stream that libsndfile does not open."""
    if path == STREAM:
        return (
            f"standard input: not a WAV stream ({reason}); send WAV, such as ffmpeg's -f wav -,"
            " or say with --raw what samples without a header are"
        )
    if os.path.islink(path) and not os.path.exists(path):
        return f"{path}: is a link that leads nowhere (to {os.readlink(path)}); mend or remove it"
    if not os.path.exists(path):
        return f"{path}: no such file; check the name"
    if os.path.isfile(path) and not os.path.getsize(path):
        return f"{path}: is an empty file; copy or export it again"
    suffixes = ", ".join(sorted(SUFFIXES))
    return (
        f"{path}: cannot be read as audio ({reason}); give one of {suffixes},"
        f" or make one with ffmpeg -i {shlex.quote(str(path))} sound.wav"
    )


def reason_of(error: Exception) -> str:
    """Return what libsndfile or the system says of an error."""
    reason = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return reason.strip().rstrip(".")
