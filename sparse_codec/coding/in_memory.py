"""A clip's `.events` file in memory, as measurements make it: bytes that count, and a way back."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sparse_codec.coding.channels import channels_of, join_windows
from sparse_codec.coding.event_file import (
    SCALE,
    EventWriter,
    header_for,
    joined,
    read_header,
    read_windows,
)
from sparse_codec.coding.priors import Priors
from sparse_codec.coding.rate import scaled
from sparse_codec.events import EventSet

if TYPE_CHECKING:
    from sparse_codec.codec import SparseCodec


def file_of(
    codec: SparseCodec,
    windows: Iterable[EventSet],
    priors: Priors | None,
    scale: int = SCALE,
    rate: float | None = None,
) -> bytes:
    """Return the file of one channel's windows: lossless without priors, else rounded.

    rate: bits a second that the file must not exceed; it replaces the scale. Raises: RateError.
    """
    header, file = header_for(codec, priors=priors), io.BytesIO()
    writer = EventWriter(file, header, priors)
    for block in scaled(joined(windows, header, priors), header, priors, scale, rate):
        writer.write(*block)
    writer.close()
    return file.getvalue()


def events_of(codec: SparseCodec, file: bytes, priors: Priors | None) -> EventSet:
    """Return the events of a file of one channel. Raises: EventFileError."""
    stream = io.BytesIO(file)
    header = read_header(stream)
    header.check_codec(codec)
    (events,) = channels_of(join_windows(read_windows(stream, header, priors)))
    return events
