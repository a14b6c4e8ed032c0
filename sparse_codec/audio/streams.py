"""The streams of sound in a file: where each begins and ends, whatever the header says of lengths.

A header is written before the samples, so a length in it may be a promise, a guess, or a place that
was never filled in. Containers are told by their first bytes; a file of any other kind is one
stream.
"""

from __future__ import annotations

import io
import mmap
import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

ENDLESS = 2**40  # bytes; the size of a stream whose length is not to be guessed from its size
PLACEHOLDER = 2**31 - 2**16  # bytes; such a length in 32 bits, or a longer one, was not filled in
OGG_FIRST, OGG_LAST = 2, 4  # flags of a page
MPEG_FRAME = 2881  # bytes, at most
MPEG_SYNC = re.compile(rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff]")
MPEG_TAG = re.compile(rb"Xing|Info")
ZEROS = re.compile(rb"\0{1,65536}")
WAV_OF_MPEG = (b"\x50\0", b"\x55\0")  # formats of samples in a WAV file
ID3_FOOTER = 16  # a flag of a tag


@dataclass(frozen=True)
class Stream:
    """A stream of sound in the bytes from `start` to `end` of a file."""

    start: int
    end: int
    patch: tuple[int, bytes] = (0, b"")  # place in the file, bytes that are read there instead
    is_guess: bool = False  # a decoder would guess the length from the number of bytes
    is_cut: bool = False  # the header tells of more than there is
    is_plain: bool = False  # libsndfile can be given the file as it is, which is faster

    @property
    def is_patched(self) -> bool:
        """Whether the header is read with another length, that of what is there."""
        return bool(self.patch[1])


def find_streams(file: io.FileIO) -> list[Stream]:
    """Return the streams of an open file, in order. Raises: OSError."""
    if not os.fstat(file.fileno()).st_size:
        return [Stream(0, 0)]
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:4] == b"OggS":
            return list(_ogg_links(data))
        if mpeg := _find_mpeg(data):
            return list(_mpeg_streams(data, *mpeg))
        return [_chunked(data)]


class StreamFile:
    """The bytes of one stream of an open file, as libsndfile asks for them.

    No error can pass through libsndfile: the stream seems to end, and `error` is why.
    """

    def __init__(self, file: io.FileIO, stream: Stream):
        self.error: BaseException | None = None
        self.n_empty_reads = 0
        self._file, self._stream, self._place = file, stream, stream.start
        self._patch_end = stream.patch[0] + len(stream.patch[1])

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> None:
        stream = self._stream
        if whence == io.SEEK_SET:
            self._place = stream.start + offset
        elif whence == io.SEEK_CUR:
            self._place += offset
        elif stream.is_guess and not offset:  # the size is asked for; a tag is sought from the end
            self._place = stream.start + ENDLESS
        else:
            self._place = stream.end + offset

    def tell(self) -> int:
        return self._place - self._stream.start

    def readinto(self, buffer: memoryview) -> int:
        place, end = self._place, self._stream.end
        if place + len(buffer) > end:
            buffer = memoryview(buffer)[: max(0, end - place)]
        try:
            self._file.seek(place)
            n_read = self._file.readinto(buffer) or 0
        except BaseException as error:  # an interrupt, too
            self.error = error
            return 0
        if place < self._patch_end:
            self._apply_patch(buffer, n_read)
        self._place = place + n_read
        self.n_empty_reads += not n_read
        return n_read

    def _apply_patch(self, buffer: memoryview, n_read: int) -> None:
        """Change bytes that were read from the present place on."""
        for place, byte in enumerate(self._stream.patch[1], self._stream.patch[0]):
            if 0 <= place - self._place < n_read:
                memoryview(buffer).cast("B")[place - self._place] = byte


# ---- samples in a chunk that says how long it is: WAV and its relatives, AIFF, CAF, AU


@dataclass(frozen=True)
class _Layout:
    """How a format made of chunks writes names and sizes of chunks."""

    first: int  # place of the first chunk
    size: str  # the format of a size, for struct
    name: int = 4  # bytes of a name
    align: int = 2  # bytes; a chunk begins at a multiple
    counts_itself: bool = False  # the size counts name and size too

    @property
    def head(self) -> int:
        """Bytes of a chunk before its content."""
        return self.name + struct.calcsize(self.size)


LAYOUTS = {  # by the first bytes of a file
    b"RIFF": _Layout(12, "<I"),
    b"RIFX": _Layout(12, ">I"),
    b"RF64": _Layout(12, "<I"),
    b"FORM": _Layout(12, ">I"),
    b"caff": _Layout(8, ">Q", align=1),
    b"riff": _Layout(40, "<Q", name=16, align=8, counts_itself=True),  # Sony Wave64
}
SOUND_CHUNKS = (b"data", b"SSND", b"BODY")
CHUNK_NAME = re.compile(rb"[ -~]{4}")  # of longer ones, the first bytes


@dataclass(frozen=True)
class _Chunk:
    """A chunk of a file; all places are in the file."""

    name: bytes
    size_at: int
    start: int  # of its content
    stated: int  # bytes, as its header says
    end: int


@dataclass(frozen=True)
class _Size:
    """A size in a header, and that of the bytes which are there."""

    place: int  # in the file
    form: str  # for struct
    stated: int
    there: int

    @property
    def is_open(self) -> bool:
        """Whether it is a placeholder: the file was never closed."""
        largest = PLACEHOLDER if struct.calcsize(self.form) == 4 else 2**62
        return not 0 < self.stated < largest


def _chunked(data: mmap.mmap) -> Stream:
    """Return a file as one stream, with the size of its samples mended if it cannot be true."""
    size = _size_of_samples(data)
    if size is None:
        return Stream(0, len(data), is_plain=data[:4] == b"fLaC")
    most = 256 ** struct.calcsize(size.form) - 1
    if 0 < size.stated <= size.there and size.stated < most or _is_empty(data, size):
        return Stream(0, len(data), is_plain=True)
    patch = (size.place, struct.pack(size.form, min(size.there, most)))
    return Stream(0, len(data), patch, is_cut=not size.is_open or size.there > most)


def _is_empty(data: mmap.mmap, size: _Size) -> bool:
    """Return whether a file truly has no samples: what comes after their chunk are chunks too."""
    ends = [chunk.end for chunk in _chunks(data)]
    return not size.stated and bool(ends) and ends[-1] == len(data)


def _size_of_samples(data: mmap.mmap) -> _Size | None:
    """Return the size that the header gives for the samples; None for a file of another kind."""
    if data[:4] == b".snd" and len(data) >= 24:
        start, stated = struct.unpack(">II", data[4:12])
        return _Size(8, ">I", stated, max(0, len(data) - start))
    wide = None
    for chunk in _chunks(data):
        layout, there = LAYOUTS[data[:4]], len(data) - chunk.start
        if chunk.name == b"ds64" and chunk.stated >= 16:
            wide = chunk.start + 8  # where RF64 has the size of the samples, in 64 bits
        if chunk.name in SOUND_CHUNKS:
            if wide and chunk.stated == 2**32 - 1:
                (stated,) = struct.unpack("<Q", data[wide : wide + 8])
                return _Size(wide, "<Q", stated, there)
            there += layout.head if layout.counts_itself else 0
            return _Size(chunk.size_at, layout.size, chunk.stated, there)
    return None


def _chunks(data: mmap.mmap) -> Iterator[_Chunk]:
    """Yield the chunks of a file, as far as their sizes lead."""
    layout = LAYOUTS.get(data[:4])
    place = layout.first if layout else len(data)
    while layout and place + layout.head <= len(data):
        size_at, start = place + layout.name, place + layout.head
        if not CHUNK_NAME.fullmatch(data[place : place + 4]):
            return
        (stated,) = struct.unpack(layout.size, data[size_at:start])
        end = place + max(layout.head, stated if layout.counts_itself else layout.head + stated)
        yield _Chunk(data[place : place + 4], size_at, start, stated, end)
        place = end + -end % layout.align


# ---- Ogg: links of a chain


def _ogg_links(data: mmap.mmap) -> Iterator[Stream]:
    """Yield the links of a chain: a link begins with pages that are the first of their streams."""
    start, before, place = 0, OGG_FIRST, 0
    while 0 <= place and place + 27 <= len(data):
        flags, n_lengths = data[place + 5], data[place + 26]
        if flags & OGG_FIRST and not before & OGG_FIRST:
            yield Stream(start, place, is_cut=not before & OGG_LAST)
            start = place
        end = place + 27 + n_lengths + sum(data[place + 27 : place + 27 + n_lengths])
        following = end if data[end : end + 4] == b"OggS" else data.find(b"OggS", place + 4)
        is_cut = end > len(data) or place < following < end
        before, place = 0 if is_cut else flags, following
    yield Stream(start, len(data), is_cut=not before & OGG_LAST, is_plain=not start)


# ---- MPEG audio: frames without a length, but for a tag that an encoder writes at the end


def _find_mpeg(data: mmap.mmap) -> tuple[int, int] | None:
    """Return where MPEG audio begins and ends in a file, if that is what it holds.

    It may stand in a WAV file, and behind zeros, which some cutters leave.
    """
    is_mpeg = False
    for chunk in _chunks(data):
        if chunk.name == b"fmt ":
            is_mpeg = data[chunk.start : chunk.start + 2] in WAV_OF_MPEG
        if chunk.name == b"data" and is_mpeg and _is_mpeg(data, chunk.start):
            end = chunk.end if chunk.start < chunk.end <= len(data) else len(data)
            return chunk.start, end
    zeros = ZEROS.match(data)
    start = zeros.end() if zeros else 0
    return (start, len(data)) if _is_mpeg(data, start) else None


def _mpeg_streams(data: mmap.mmap, start: int, stop: int) -> Iterator[Stream]:
    """Yield the streams between two places; one ends where its tag says, if another begins."""
    while True:
        n_frames, n_bytes, first = _xing(data, start)
        end = first + n_bytes
        if not n_frames or not n_bytes or end > stop:
            cut = bool(n_frames and n_bytes)
            yield Stream(start, stop, is_guess=not n_frames, is_cut=cut)
            return
        following = _after_tags(data, end)
        if stop - following <= MPEG_FRAME or not _is_mpeg(data, following):
            yield Stream(start, stop, is_plain=(start, stop) == (0, len(data)))
            return
        yield Stream(start, following)
        start = following


def _xing(data: mmap.mmap, start: int) -> tuple[int, int, int]:
    """Return how many frames and bytes a stream has by its tag, 0 if unsaid, and where they begin.

    The tag stands in the first frame.
    """
    first = _after_id3(data, start)
    head = data[first : first + 64]
    tag = MPEG_TAG.search(head)
    if not tag or len(head) < tag.end() + 12:
        return 0, 0, first
    flags, *numbers = struct.unpack(">III", head[tag.end() : tag.end() + 12])
    n_frames = numbers.pop(0) if flags & 1 else 0
    return n_frames, numbers[0] if flags & 2 else 0, first


def _is_mpeg(data: mmap.mmap, place: int) -> bool:
    return bool(MPEG_SYNC.match(data[(first := _after_id3(data, place)) : first + 2]))


def _after_id3(data: mmap.mmap, place: int) -> int:
    """Return the place after tags that stand before a stream."""
    while data[place : place + 3] == b"ID3" and place + 10 <= len(data):
        size = 0
        for digit in data[place + 6 : place + 10]:
            size = size << 7 | digit & 127
        place += 10 + size + (10 if data[place + 5] & ID3_FOOTER else 0)
    return place


def _after_tags(data: mmap.mmap, place: int) -> int:
    """Return the place after tags that stand behind a stream."""
    if data[place : place + 8] == b"APETAGEX" and place + 32 <= len(data):
        place += 32 + struct.unpack("<I", data[place + 12 : place + 16])[0]
    return place + 128 if data[place : place + 3] == b"TAG" else place
