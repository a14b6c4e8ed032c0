"""`.events` files hold a clip's events; they are written and read window by window.

docs/events.md describes the format. The reader trusts nothing in a file: a damaged one raises
EventFileError, and the reader takes no more memory than the file's bytes justify.
"""

from __future__ import annotations

import dataclasses
import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from sparse_codec.coding.channels import (
    Window,
    channels_of,
    join_windows,
    same_events,
    window_of,
    windows_of,
)
from sparse_codec.coding.entropy import (
    CodingError,
    EventGroup,
    audible,
    decode_exact,
    decode_rounded,
    encode_exact,
    encode_rounded,
    group_of,
)
from sparse_codec.coding.prediction import windows_of_block
from sparse_codec.coding.priors import Priors, PriorsError
from sparse_codec.coding.quantise import SCALES
from sparse_codec.events import EventSet
from sparse_codec.outputs import open_output

if TYPE_CHECKING:
    from sparse_codec.checkpoint import Checkpoint
    from sparse_codec.codec import SparseCodec

MAGIC = b"\x89EVENTS\n"
VERSION = 2  # that is written; version 1 is read too
HEADER_1 = struct.Struct("<8sBBBIHHH32s32s")  # of version 1, before its checksum
DIGITS = 16  # hexadecimal, of a SHA-256, by which a file names its checkpoint and its priors
MODES = ("lossless", "quantised")
SCALE = 160  # default of the rounding: it costs less than 2 % of what the events remove

# Kinds of blocks; the last three are added to WINDOW.
END, WINDOW, SHARED, SHORT, SEVERAL = 0, 1, 2, 4, 8
BLOCK_1 = struct.Struct("<BI")  # of version 1: kind and length of what follows
TOTALS_1 = struct.Struct("<QQ")  # of version 1, the end block: samples and windows of the clip
LONGEST_BLOCK = 2**26  # bytes
CHUNK = 2**16  # bytes that are read at a time


class EventFileError(ValueError):
    """A file that cannot be read; the message names the file, the damage and the fix."""


@dataclass(frozen=True)
class Header:
    """The facts that hold for all windows of a file."""

    checkpoint: str  # the first DIGITS of its SHA-256
    priors: str  # the first DIGITS of the SHA-256 of the priors; zeros in a lossless file
    samplerate: int  # Hz
    hop: int  # samples
    window_frames: int
    vector_size: int
    channels: int  # 1, or 2
    mode: str  # "lossless" or "quantised"
    version: int = VERSION

    @property
    def window_samples(self) -> int:
        """Samples of every window but the last, which may be shorter."""
        return self.window_frames * self.hop

    def to_bytes(self) -> bytes:
        """Return the start of a file."""
        sizes = (self.samplerate, self.hop, self.window_frames, self.vector_size)
        data = MAGIC + bytes([self.version, MODES.index(self.mode), self.channels])
        data += b"".join(map(varint, sizes)) + bytes.fromhex(self.checkpoint)
        data += bytes.fromhex(self.priors) if self.mode == "quantised" else b""
        return data + _checksum(data)

    def check_codec(self, codec: SparseCodec | Checkpoint, name: str = "events") -> None:
        """Raise EventFileError if another checkpoint made the file, or it has other sizes."""
        if not codec.digest.startswith(self.checkpoint):
            raise EventFileError(
                f"{name}: made with the checkpoint {self.checkpoint}, but this one is"
                f" {codec.digest}; give the checkpoint that made it"
            )
        expected = dataclasses.replace(
            header_for(codec, self.channels),
            priors=self.priors,
            mode=self.mode,
            version=self.version,
        )
        if self != expected:
            raise EventFileError(
                f"{name}: has other sizes than the checkpoint that it names; encode it again"
            )


def header_for(
    codec: SparseCodec | Checkpoint, channels: int = 1, priors: Priors | None = None
) -> Header:
    """Return the header of a codec's files: quantised with priors, lossless without.

    Raises: PriorsError if the priors are another checkpoint's.
    """
    config = codec.config
    if priors and priors.checkpoint != codec.digest:
        raise PriorsError(
            f"priors of the checkpoint {priors.checkpoint}, but this one is {codec.digest};"
            " fit its own"
        )
    return Header(
        checkpoint=codec.digest[:DIGITS],
        priors=priors.digest[:DIGITS] if priors else "0" * DIGITS,
        samplerate=config.samplerate,
        hop=config.hop,
        window_frames=config.half_frames,
        vector_size=config.vector_size,
        channels=channels,
        mode="quantised" if priors else "lossless",
    )


# ---- writing


def joined(windows: Iterable[Window], header: Header, priors: Priors | None) -> Iterator[Window]:
    """Yield windows as `EventWriter.write` takes them, as many in one as may share a block.

    That takes fewer bytes, but a reader has none of them before the last. Left and right that share
    their events do not share a block with others.
    """
    most, shared = _most_windows(header, priors), False
    waiting: list[Window] = []
    for window in windows:
        channels = channels_of(window)
        shares = len(channels) == 2 and same_events(*channels)
        if waiting and (len(waiting) == most or shares != shared):
            yield join_windows(waiting)
            waiting = []
        waiting.append(window)
        shared = shares
    if waiting:
        yield join_windows(waiting)


def _most_windows(header: Header, priors: Priors | None) -> int:
    """Return how many windows may share a block: several where events are expected from others."""
    if priors is None or priors.prediction is None:
        return 1
    return windows_of_block(header.window_samples / header.samplerate)


class EventWriter:
    """Writes windows one by one, so that a reader can follow at once, or those of `joined`.

    priors: of the checkpoint, for the mode "quantised". A file without `close` counts as cut off.
    """

    def __init__(self, file: BinaryIO, header: Header, priors: Priors | None = None):
        _check_priors(header, priors, "events")
        self.file, self.header, self.priors = file, header, priors
        self.n_windows = self.n_samples = self.n_events = 0
        file.write(header.to_bytes())

    def write(self, window: Window, scale: int = SCALE) -> None:
        """Write the next window.

        scale: of the rounding, in 256ths; smaller is finer. Lossless files have none.
        Raises: ValueError for a window that does not follow the last, or is not of this codec.
        """
        if self.n_samples != self.n_windows * self.header.window_samples:
            raise ValueError("a window after the clip's last; give windows in the order of time")
        self.file.write(window_block(window, self.n_windows, self.header, self.priors, scale))
        self.n_events += _count_events(window, self.n_windows, self.header)
        self.n_windows += count_windows(window, self.n_windows, self.header)
        self.n_samples = channels_of(window)[0].n_samples

    def close(self) -> None:
        """Write the end block; the file itself stays open."""
        self.file.write(end_block(self.n_samples, self.n_windows))
        self.file.flush()


def count_windows(window: Window, index: int, header: Header) -> int:
    """Return how many windows, from number `index` on, are joined in one."""
    n_samples = channels_of(window)[0].n_samples - index * header.window_samples
    return -(-n_samples // header.window_samples)


def window_block(
    window: Window, index: int, header: Header, priors: Priors | None, scale: int = SCALE
) -> bytes:
    """Return the block of a clip's windows from number `index` on, which are joined in one.

    Raises: ValueError as `EventWriter.write`.
    """
    channels = channels_of(window)
    _check_window(channels, index, header, _most_windows(header, priors))
    if not SCALES[0] <= scale <= SCALES[1]:
        raise ValueError(f"scale {scale}; choose one from {SCALES[0]} to {SCALES[1]}")
    kind, groups = _groups(channels, index, header)
    n_windows = count_windows(window, index, header)
    if priors:
        data = encode_rounded(groups, n_windows * header.window_frames, priors, scale)
    else:
        data = encode_exact(groups)
    n_samples = channels[0].n_samples - (index + n_windows - 1) * header.window_samples
    if n_samples < header.window_samples:
        kind, data = kind | SHORT, varint(n_samples) + data
    if n_windows > 1:
        kind, data = kind | SEVERAL, bytes([n_windows]) + data
    return _block(kind, data)


def _count_events(window: Window, index: int, header: Header) -> int:
    """Return how many events of all channels the block of a window holds.

    Rounding leaves out the faintest.
    """
    _, groups = _groups(channels_of(window), index, header)
    if header.mode == "quantised":
        n_frames = count_windows(window, index, header) * header.window_frames
        groups = [audible(group, n_frames) for group in groups]
    return sum(group.gains.size for group in groups)


def _groups(
    channels: tuple[EventSet, ...], index: int, header: Header
) -> tuple[int, list[EventGroup]]:
    """Return the kind of a window's block, and the groups of events that are coded together."""
    first = index * header.window_frames
    if len(channels) == 2 and same_events(*channels):
        return WINDOW | SHARED, [group_of(first, *channels)]
    return WINDOW, [group_of(first, channel) for channel in channels]


def _check_window(channels: tuple[EventSet, ...], index: int, header: Header, most: int) -> None:
    """Raise ValueError for a window of other sizes, or of another place in the clip, or for more
    than `most` windows.
    """
    sizes = [channel.vectors.shape[1] for channel in channels]
    expected = [header.vector_size] * header.channels
    if sizes != expected:
        raise ValueError(
            f"a window with vectors of {sizes} numbers, channel by channel;"
            f" this file has {expected}"
        )
    for channel in channels:
        early = (channel.frames < index * header.window_frames).any()
        n_samples = channel.n_samples - index * header.window_samples
        if early or not 1 <= n_samples <= most * header.window_samples:
            raise ValueError(
                f"window {index} of a clip up to sample {channel.n_samples};"
                " give windows of split()"
            )


def end_block(n_samples: int, n_windows: int) -> bytes:
    """Return the last block of a file."""
    return _block(END, _totals(n_samples, n_windows, VERSION))


def write_events(
    path: str | Path,
    events: Window,
    codec: SparseCodec,
    priors: Priors | None = None,
    scale: int = SCALE,
) -> None:
    """Write an event set, or left and right, as a whole file or not at all.

    Numbers are rounded if the checkpoint's priors are given, and exact if not.
    Raises: OutputError; ValueError for events of another codec.
    """
    with open_output(path) as file:
        writer = EventWriter(file, header_for(codec, len(channels_of(events)), priors), priors)
        for window in joined(windows_of(events, codec), writer.header, priors):
            writer.write(window, scale)
        writer.close()


# ---- reading


def read_header(file: BinaryIO) -> Header:
    """Return the header at the start of a file. Raises: EventFileError."""
    name = _name(file)
    start = _read(file, len(MAGIC) + 1)
    if start[: len(MAGIC)] != MAGIC:
        raise EventFileError(f"{name}: not an .events file; give one, or JSON to `render`")
    version = start[-1] if len(start) > len(MAGIC) else VERSION
    if not 1 <= version <= VERSION:
        raise EventFileError(
            f"{name}: version {version} of the format, but this reads {VERSION}; update it"
        )
    try:
        header = _read_header_1(file, start) if version == 1 else _read_header_2(file, start)
    except _Cut as error:
        raise EventFileError(
            f"{name}: its header is cut off or damaged; encode it again"
        ) from error
    sizes = (header.samplerate, header.hop, header.window_frames, header.vector_size)
    if header.channels not in (1, 2) or not header.mode or not all(1 <= n < 2**32 for n in sizes):
        raise EventFileError(f"{name}: its header holds sizes that no codec has; encode it again")
    return header


class _Cut(ValueError):
    """Bytes that end too early, or whose checksum is wrong."""


def _read_header_1(file: BinaryIO, start: bytes) -> Header:
    reader = _Bytes(file, start)
    reader.take(HEADER_1.size - len(start))
    _, _, mode, channels, *sizes, checkpoint, priors = HEADER_1.unpack(reader.data)
    reader.check()
    return _header(1, mode, channels, sizes, checkpoint, priors)


def _read_header_2(file: BinaryIO, start: bytes) -> Header:
    reader = _Bytes(file, start)
    mode, channels = reader.take(2)
    sizes = [reader.varint() for _ in range(4)]
    checkpoint = reader.take(DIGITS // 2)
    priors = reader.take(DIGITS // 2) if mode else bytes(DIGITS // 2)
    reader.check()
    return _header(2, mode, channels, sizes, checkpoint, priors)


def _header(
    version: int, mode: int, channels: int, sizes: list[int], checkpoint: bytes, priors: bytes
) -> Header:
    """Return the header with these numbers and digests; its mode is "" for a number of none."""
    samplerate, hop, window_frames, vector_size = sizes
    return Header(
        checkpoint=checkpoint.hex()[:DIGITS],
        priors=priors.hex()[:DIGITS],
        samplerate=samplerate,
        hop=hop,
        window_frames=window_frames,
        vector_size=vector_size,
        channels=channels,
        mode=MODES[mode] if mode < len(MODES) else "",
        version=version,
    )


def read_windows(file: BinaryIO, header: Header, priors: Priors | None = None) -> Iterator[Window]:
    """Yield the windows of a file whose header was just read, each as soon as its block is there.

    priors: of the checkpoint; lossless files need none. Raises: EventFileError.
    """
    name, n_samples = _name(file), 0
    _check_priors(header, priors, name)
    index = 0
    while True:
        kind, data = _read_block(file, header.version, f"{name}: window {index + 1}")
        if kind == END:
            totals = _totals(n_samples, index, header.version)
            if not index or data != totals or _read(file, 1):
                raise EventFileError(
                    f"{name}: its end does not fit its {index} windows; encode it again"
                )
            return
        if n_samples != index * header.window_samples:
            raise EventFileError(f"{name}: goes on after its last window; encode it again")
        try:
            windows = _decode_block(kind, data, index, header, priors)
        except ValueError as error:  # CodingError, or one of EventSet
            raise EventFileError(
                f"{name}: window {index + 1} holds no events: {error}; encode it again"
            ) from error
        n_samples = channels_of(windows[-1])[0].n_samples
        index += len(windows)
        yield from windows


def _totals(n_samples: int, n_windows: int, version: int) -> bytes:
    """Return what the end block holds."""
    if version == 1:
        return TOTALS_1.pack(n_samples, n_windows)
    return varint(n_samples) + varint(n_windows)


def read_events(path: str | Path, codec: SparseCodec, priors: Priors | None = None) -> Window:
    """Return the events of a file, or left and right.

    Raises: EventFileError, also for another checkpoint's file.
    """
    with Path(path).open("rb") as file:
        header = read_header(file)
        header.check_codec(codec, str(path))
        return join_windows(read_windows(file, header, priors))


def _decode_block(
    kind: int, data: bytes, index: int, header: Header, priors: Priors | None
) -> list[Window]:
    """Return the windows of a block, the first of which has the number `index`."""
    extras = (
        SHORT | (SHARED if header.channels == 2 else 0) | (SEVERAL if header.version > 1 else 0)
    )
    if kind & ~extras != WINDOW:
        raise CodingError(f"a block of kind {kind}")
    n_windows, n_samples = 1, header.window_samples
    if kind & SEVERAL:
        n_windows, data = int.from_bytes(data[:1], "little"), data[1:]
        if n_windows < 2:
            raise CodingError(f"a block of {n_windows} windows, said to be several")
    if kind & SHORT:
        n_samples, data = _short_samples(data, header.version)
        if not 1 <= n_samples < header.window_samples:
            raise CodingError(f"it has {n_samples} samples of {header.window_samples}")
    n_frames = n_windows * header.window_frames
    n_groups, n_gains = (1, 2) if kind & SHARED else (header.channels, 1)
    if priors and header.mode == "quantised":
        groups = decode_rounded(data, n_groups, n_gains, n_frames, priors)
    else:
        groups = decode_exact(data, n_groups, n_gains, header.vector_size)
    end = (index + n_windows - 1) * header.window_samples + n_samples
    block = [
        _event_set(group, gains, index, end, header) for group in groups for gains in group.gains.T
    ]
    return [
        window_of([_window(channel, number, header) for channel in block])
        for number in range(index, index + n_windows)
    ]


def _short_samples(data: bytes, version: int) -> tuple[int, bytes]:
    """Return the samples of a short window, and the bytes after them."""
    if version == 1:
        return int.from_bytes(data[:4], "little"), data[4:]
    reader = _Bytes(io.BytesIO(data), b"")
    try:
        return reader.varint(), data[len(reader.data) :]
    except _Cut as error:
        raise CodingError("it ends too early") from error


def _window(events: EventSet, number: int, header: Header) -> EventSet:
    """Return the events of window `number` of those of a block."""
    last = (number + 1) * header.window_samples
    inside = events.frames // header.window_frames == number
    return dataclasses.replace(events.select(inside), n_samples=min(last, events.n_samples))


def _event_set(
    group: EventGroup, gains: np.ndarray, index: int, n_samples: int, header: Header
) -> EventSet:
    """Return a channel of a group, at its place in the clip. The inverse of `group_of`."""
    return EventSet(
        vectors=np.array(group.vectors, np.float32),
        frames=group.frames + index * header.window_frames,
        offsets=np.array(group.offsets, np.float32),
        gains=np.array(gains, np.float32),
        n_samples=n_samples,
        samplerate=header.samplerate,
        hop=header.hop,
    )


def _check_priors(header: Header, priors: Priors | None, name: str) -> None:
    """Raise EventFileError unless these are the priors that a quantised file was written with."""
    if header.mode == "lossless":
        return
    if priors is None or not priors.digest.startswith(header.priors):
        given = f"these are {priors.digest}" if priors else "none were given"
        raise EventFileError(
            f"{name}: written with the priors {header.priors}, but {given}; give those"
        )
    if (len(priors.steps) - 1, len(priors.deltas)) != (header.vector_size, header.window_frames):
        raise EventFileError(
            f"{name}: its priors are of other sizes than its windows; encode it again"
        )


# ---- blocks


def _block(kind: int, data: bytes) -> bytes:
    if len(data) > LONGEST_BLOCK:
        raise CodingError(
            f"{len(data)} bytes of events in a window; keep fewer, such as with strongest()"
        )
    block = bytes([kind]) + varint(len(data)) + data
    return block + _checksum(block)


def _read_block(file: BinaryIO, version: int, where: str) -> tuple[int, bytes]:
    """Return the kind of the next block and its bytes. Raises: EventFileError naming `where`."""
    reader = _Bytes(file, b"")
    try:
        if version == 1:
            kind, length = BLOCK_1.unpack(reader.take(BLOCK_1.size))
        else:
            kind, length = reader.take(1)[0], reader.varint()
        if length > LONGEST_BLOCK:
            raise _Cut
        data = reader.take(length)
        checksum = reader.take(4)
    except _Cut as error:
        raise EventFileError(f"{where} is missing or cut off; encode it again") from error
    if _checksum(reader.data[:-4]) != checksum:
        raise EventFileError(f"{where} is damaged: its checksum is wrong; encode it again")
    return kind, data


def varint(number: int) -> bytes:
    """Return a whole number in bytes of 7 bits, the lowest first; all but the last have bit 8."""
    data = b""
    while number >= 128:
        data += bytes([number & 127 | 128])
        number >>= 7
    return data + bytes([number])


class _Bytes:
    """Takes bytes of a file, and keeps them for a checksum."""

    def __init__(self, file: BinaryIO, data: bytes):
        self.file, self.data = file, data

    def take(self, size: int) -> bytes:
        """Return the next bytes. Raises: _Cut if there are fewer."""
        data = _read(self.file, size)
        self.data += data
        if len(data) < size:
            raise _Cut
        return data

    def varint(self) -> int:
        """Return the next whole number below 2^63. Raises: _Cut if there is none."""
        number = 0
        for place in range(9):
            byte = self.take(1)[0]
            number |= (byte & 127) << 7 * place
            if byte < 128:
                return number
        raise _Cut

    def check(self) -> None:
        """Take the checksum of all bytes so far. Raises: _Cut if it is wrong."""
        if _checksum(self.data) != self.take(4):
            raise _Cut


def _read(file: BinaryIO, size: int) -> bytes:
    """Return at most `size` bytes, fewer at the end of the file, read chunk by chunk."""
    chunks = []
    while size and (chunk := file.read(min(size, CHUNK))):
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)


def _checksum(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "little")


def _name(file: BinaryIO) -> str:
    return str(getattr(file, "name", "events"))
