"""`.events` files hold a clip's events; they are written and read window by window.

docs/events.md describes the format. The reader trusts nothing in a file: a damaged one raises
EventFileError, and the reader takes no more memory than the file's bytes justify.
"""

from __future__ import annotations

import dataclasses
import itertools
import struct
import zlib
from collections.abc import Iterator
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
from sparse_codec.coding.priors import Priors, PriorsError
from sparse_codec.coding.quantise import SCALES
from sparse_codec.events import EventSet
from sparse_codec.outputs import open_output

if TYPE_CHECKING:
    from sparse_codec.checkpoint import Checkpoint
    from sparse_codec.codec import SparseCodec

MAGIC = b"\x89EVENTS\n"
VERSION = 1
HEADER = struct.Struct("<8sBBBIHHH32s32s")
MODES = ("lossless", "quantised")
SCALE = 160  # default of the rounding: it costs less than 2 % of what the events remove

END, WINDOW, SHARED, SHORT = 0, 1, 2, 4  # kinds of blocks; the last two are added to WINDOW
BLOCK = struct.Struct("<BI")  # kind and length of what follows
TOTALS = struct.Struct("<QQ")  # the end block: samples and windows of the clip
LONGEST_BLOCK = 2**26  # bytes
CHUNK = 2**16  # bytes that are read at a time


class EventFileError(ValueError):
    """A file that cannot be read; the message names the file, the damage and the fix."""


@dataclass(frozen=True)
class Header:
    """The facts that hold for all windows of a file."""

    checkpoint: str  # SHA-256, 64 hexadecimal digits
    priors: str  # SHA-256 of the priors; 64 zeros in a lossless file
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
        data = HEADER.pack(
            MAGIC,
            self.version,
            MODES.index(self.mode),
            self.channels,
            self.samplerate,
            self.hop,
            self.window_frames,
            self.vector_size,
            bytes.fromhex(self.checkpoint),
            bytes.fromhex(self.priors),
        )
        return data + _checksum(data)

    def check_codec(self, codec: SparseCodec | Checkpoint, name: str = "events") -> None:
        """Raise EventFileError if another checkpoint made the file, or it has other sizes."""
        if self.checkpoint != codec.digest:
            raise EventFileError(
                f"{name}: made with the checkpoint {self.checkpoint}, but this one is"
                f" {codec.digest}; give the checkpoint that made it"
            )
        expected = dataclasses.replace(
            header_for(codec, self.channels), priors=self.priors, mode=self.mode
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
        checkpoint=codec.digest,
        priors=priors.digest if priors else "0" * 64,
        samplerate=config.samplerate,
        hop=config.hop,
        window_frames=config.half_frames,
        vector_size=config.vector_size,
        channels=channels,
        mode="quantised" if priors else "lossless",
    )


# ---- writing


class EventWriter:
    """Writes windows one by one, so that a reader can follow at once.

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
        self.n_samples = channels_of(window)[0].n_samples
        self.n_events += _count_events(window, self.n_windows, self.header)
        self.n_windows += 1

    def close(self) -> None:
        """Write the end block; the file itself stays open."""
        self.file.write(end_block(self.n_samples, self.n_windows))
        self.file.flush()


def window_block(
    window: Window, index: int, header: Header, priors: Priors | None, scale: int = SCALE
) -> bytes:
    """Return the block of window number `index` of a clip.

    Raises: ValueError as `EventWriter.write`.
    """
    channels = channels_of(window)
    _check_window(channels, index, header)
    if not SCALES[0] <= scale <= SCALES[1]:
        raise ValueError(f"scale {scale}; choose one from {SCALES[0]} to {SCALES[1]}")
    kind, groups = _groups(channels, index, header)
    if priors:
        data = encode_rounded(groups, header.window_frames, priors, scale)
    else:
        data = encode_exact(groups)
    n_samples = channels[0].n_samples - index * header.window_samples
    if n_samples < header.window_samples:
        kind, data = kind | SHORT, n_samples.to_bytes(4, "little") + data
    return _block(kind, data)


def _count_events(window: Window, index: int, header: Header) -> int:
    """Return how many events of all channels the block of a window holds.

    Rounding leaves out the faintest.
    """
    _, groups = _groups(channels_of(window), index, header)
    if header.mode == "quantised":
        groups = [audible(group, header.window_frames) for group in groups]
    return sum(group.gains.size for group in groups)


def _groups(
    channels: tuple[EventSet, ...], index: int, header: Header
) -> tuple[int, list[EventGroup]]:
    """Return the kind of a window's block, and the groups of events that are coded together."""
    first = index * header.window_frames
    if len(channels) == 2 and same_events(*channels):
        return WINDOW | SHARED, [group_of(first, *channels)]
    return WINDOW, [group_of(first, channel) for channel in channels]


def _check_window(channels: tuple[EventSet, ...], index: int, header: Header) -> None:
    """Raise ValueError for a window of other sizes, or of another place in the clip."""
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
        if early or not 1 <= n_samples <= header.window_samples:
            raise ValueError(
                f"window {index} of a clip up to sample {channel.n_samples};"
                " give windows of split()"
            )


def end_block(n_samples: int, n_windows: int) -> bytes:
    """Return the last block of a file."""
    return _block(END, TOTALS.pack(n_samples, n_windows))


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
        for window in windows_of(events, codec):
            writer.write(window, scale)
        writer.close()


# ---- reading


def read_header(file: BinaryIO) -> Header:
    """Return the header at the start of a file. Raises: EventFileError."""
    name = _name(file)
    data = _read(file, HEADER.size + 4)
    if data[: len(MAGIC)] != MAGIC:
        raise EventFileError(f"{name}: not an .events file; give one, or JSON to `render`")
    if len(data) > len(MAGIC) and data[len(MAGIC)] != VERSION:
        raise EventFileError(
            f"{name}: version {data[len(MAGIC)]} of the format, but this reads {VERSION}; update it"
        )
    if len(data) < HEADER.size + 4 or _checksum(data[:-4]) != data[-4:]:
        raise EventFileError(f"{name}: its header is cut off or damaged; encode it again")
    values = HEADER.unpack(data[:-4])
    _, version, mode, channels, samplerate, hop, frames, size, checkpoint, priors = values
    if mode >= len(MODES) or channels not in (1, 2) or 0 in (samplerate, hop, frames, size):
        raise EventFileError(f"{name}: its header holds sizes that no codec has; encode it again")
    return Header(
        checkpoint=checkpoint.hex(),
        priors=priors.hex(),
        samplerate=samplerate,
        hop=hop,
        window_frames=frames,
        vector_size=size,
        channels=channels,
        mode=MODES[mode],
        version=version,
    )


def read_windows(file: BinaryIO, header: Header, priors: Priors | None = None) -> Iterator[Window]:
    """Yield the windows of a file whose header was just read, each as soon as its block is there.

    priors: of the checkpoint; lossless files need none. Raises: EventFileError.
    """
    name, n_samples = _name(file), 0
    _check_priors(header, priors, name)
    for index in itertools.count():
        kind, data = _read_block(file, f"{name}: window {index + 1}")
        if kind == END:
            if not index or data != TOTALS.pack(n_samples, index) or _read(file, 1):
                raise EventFileError(
                    f"{name}: its end does not fit its {index} windows; encode it again"
                )
            return
        if n_samples != index * header.window_samples:
            raise EventFileError(f"{name}: goes on after its last window; encode it again")
        try:
            window = _decode_block(kind, data, index, header, priors)
        except ValueError as error:  # CodingError, or one of EventSet
            raise EventFileError(
                f"{name}: window {index + 1} holds no events: {error}; encode it again"
            ) from error
        n_samples = channels_of(window)[0].n_samples
        yield window


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
) -> Window:
    extras = SHARED | SHORT if header.channels == 2 else SHORT
    if kind & ~extras != WINDOW:
        raise CodingError(f"a block of kind {kind}")
    n_samples = header.window_samples
    if kind & SHORT:
        n_samples, data = int.from_bytes(data[:4], "little"), data[4:]
        if not 1 <= n_samples < header.window_samples:
            raise CodingError(f"it has {n_samples} samples of {header.window_samples}")
    n_groups, n_gains = (1, 2) if kind & SHARED else (header.channels, 1)
    if priors and header.mode == "quantised":
        groups = decode_rounded(data, n_groups, n_gains, header.window_frames, priors)
    else:
        groups = decode_exact(data, n_groups, n_gains, header.vector_size)
    end = index * header.window_samples + n_samples
    return window_of(
        [
            _event_set(group, gains, index, end, header)
            for group in groups
            for gains in group.gains.T
        ]
    )


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
    if priors is None or priors.digest != header.priors:
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
    block = BLOCK.pack(kind, len(data)) + data
    return block + _checksum(block)


def _read_block(file: BinaryIO, where: str) -> tuple[int, bytes]:
    """Return the kind of the next block and its bytes. Raises: EventFileError naming `where`."""
    start = _read(file, BLOCK.size)
    if len(start) == BLOCK.size:
        kind, length = BLOCK.unpack(start)
        data = _read(file, length + 4) if length <= LONGEST_BLOCK else b""
        if len(data) == length + 4:
            if _checksum(start + data[:-4]) != data[-4:]:
                raise EventFileError(f"{where} is damaged: its checksum is wrong; encode it again")
            return kind, data[:-4]
    raise EventFileError(f"{where} is missing or cut off; encode it again")


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
