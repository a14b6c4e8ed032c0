"""Event sets in files of any kind, and the codec that each goes with.

.events holds them small, .json for people and scripts, .mid for a look in a sequencer; sound files what they sound
like. A set is the events of one channel, or of left and right.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import tee
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sparse_codec.audio.files import KINDS, SampleCounts, write_blocks
from sparse_codec.checkpoint import CHECKPOINTS
from sparse_codec.codec import SparseCodec
from sparse_codec.coding.channels import Window, channels_of, join_windows, windows_of
from sparse_codec.coding.event_file import (
    EventFileError,
    Header,
    read_header,
    read_windows,
    write_events,
)
from sparse_codec.coding.midi import midi_file
from sparse_codec.coding.priors import Priors
from sparse_codec.events import EventSet
from sparse_codec.outputs import STREAM, OutputError, open_output

SET_SUFFIXES = (".events", ".json", ".mid")
DEFAULT_MODEL = "music"
SIDES = ("left", "right")
PCM_BYTES = 2  # of a 16-bit sample


@functools.cache
def load_codec(model: str) -> SparseCodec:
    """A codec by its checkpoint's file or shipped name, loaded once. Raises: CheckpointError."""
    return SparseCodec.load(model)


@functools.cache
def load_priors(model: str) -> Priors:
    """Raises: PriorsError."""
    return Priors.load(model)


def find_model(path: str | Path, digest: str, model: str | None) -> str:
    """The checkpoint that made the events in a file: the one that is given, or the shipped one with this digest.

    digest: SHA-256 in hexadecimal; "" if the file does not tell, and then it is "music".
    Raises: EventFileError if that is another one, or none that is shipped.
    """
    if model is None and digest:
        files = (
            f
            for f in CHECKPOINTS.glob("*.safetensors")
            if hashlib.sha256(f.read_bytes()).hexdigest() == digest
        )
        model = next(map(str, files), None)
        if model is None:
            raise EventFileError(
                f"{path}: its checkpoint {digest[:12]} is not a shipped one; give it with --model"
            )
    model = model or DEFAULT_MODEL
    if digest and (given := load_codec(model).digest) != digest:
        told = f"{path}: made with the checkpoint {digest[:12]}, but {model} is {given[:12]}"
        raise EventFileError(f"{told}; leave --model out, or give the right one")
    return model


@dataclass
class Tally:
    """What windows hold that follow each other."""

    n_events: int = 0
    n_samples: int = 0
    n_channels: int = 0

    def add(self, window: Window) -> None:
        channels = channels_of(window)
        self.n_events += sum(map(len, channels))
        self.n_samples, self.n_channels = channels[0].n_samples, len(channels)

    def facts(self, samplerate: int, n_bytes: int | None = None) -> dict:
        """For people; the ratio is that of 16-bit samples, at the codec's samplerate, to the file."""
        length = self.n_samples / samplerate
        facts = {"seconds": length, "events": self.n_events}
        if n_bytes is None:
            return facts
        ratio = PCM_BYTES * self.n_channels * self.n_samples / n_bytes
        return {**facts, "bytes": n_bytes, "bits_per_second": 8 * n_bytes / length, "ratio": ratio}


# ---- reading


def open_windows(
    file: BinaryIO, path: str, model: str | None
) -> tuple[Header, SparseCodec, Iterator[Window]]:
    """The header, the codec and the windows of a .events file, which are read as they are asked for.

    Raises: EventFileError, PriorsError, CheckpointError.
    """
    header = read_header(file)
    model = find_model(path, header.checkpoint, model)
    codec = load_codec(model)
    header.check_codec(codec, path)
    return (
        header,
        codec,
        read_windows(file, header, load_priors(model) if header.mode == "quantised" else None),
    )


def read_set(path: str, model: str | None) -> tuple[Window, SparseCodec]:
    """The events in a .events or .json file and their codec.

    Raises: EventFileError, or another ValueError that names the file.
    """
    if Path(path).suffix.lower() == ".events":
        with open_file(path) as file:
            _, codec, windows = open_windows(file, path, model)
            return join_windows(windows), codec
    values = _read_json(path)
    codec = load_codec(find_model(path, str(values.get("checkpoint", "")), model))
    if all(side in values for side in SIDES):
        left, right = (_from_json(path, values[side], codec) for side in SIDES)
        return (left, right), codec
    return _from_json(path, values, codec), codec


def open_file(path: str) -> BinaryIO:
    try:
        return open(path, "rb")
    except OSError as error:
        raise EventFileError(
            f"{path}: cannot be read ({error.strerror}); check the name"
        ) from error


def _read_json(path: str) -> dict:
    """Raises: EventFileError for a file that is no JSON object, or is a page's edit."""
    with open_file(path) as file:
        try:
            values = json.load(file)
        except (ValueError, RecursionError) as error:
            raise EventFileError(
                f"{path}: neither .events nor JSON ({error}); give an event set"
            ) from error
    if not isinstance(values, dict):
        raise EventFileError(
            f"{path}: JSON, but no event set; give one that `encode` or EventSet.to_json made"
        )
    if "schema" in values and "events" in values:
        fix = f"to hear it run python -m report mix {path}"
        raise EventFileError(
            f"{path}: an edit that a page exported, of sounds instead of events; {fix}"
        )
    return values


def _from_json(path: str, values: dict, codec: SparseCodec) -> EventSet:
    try:
        events = EventSet.from_json(values)
        codec.check_events(events)
    except ValueError as error:
        raise EventFileError(f"{path}: {error}") from error
    return events


# ---- playing, writing


def play(codec: SparseCodec, windows: Iterable[Window], n_channels: int) -> Iterator[np.ndarray]:
    """Blocks of sound of windows that follow each other: (T,), or (T, 2) of left and right."""
    if n_channels == 1:
        return codec.play(windows)
    copies = tee(windows)
    sides = codec.play(left for left, _ in copies[0]), codec.play(right for _, right in copies[1])
    return (np.stack(blocks, axis=1) for blocks in zip(*sides, strict=True))


def write_set(path: str, events: Window, codec: SparseCodec) -> SampleCounts | None:
    """Write events as the suffix says, without loss, or their sound, and then return what `write_blocks` does.

    Raises: OutputError.
    """
    suffix, n_channels = Path(path).suffix.lower(), len(channels_of(events))
    if suffix in KINDS or path == STREAM:
        return write_blocks(
            path, play(codec, windows_of(events, codec), n_channels), codec.samplerate
        )
    if suffix == ".events":
        write_events(path, events, codec)
    else:
        with open_output(path) as file:
            file.write(to_bytes(path, events, codec))
    return None


def to_bytes(path: str, events: Window, codec: SparseCodec) -> bytes:
    """Events as MIDI or as JSON, which names the checkpoint, as the suffix says. Raises: OutputError."""
    channels = channels_of(events)
    if Path(path).suffix.lower() == ".mid":
        if len(channels) == 2:
            raise OutputError(f"{path}: MIDI has no left and right; encode without --stereo")
        return midi_file(events, codec)
    values = [channel.to_json() for channel in channels]
    values = values[0] if len(values) == 1 else dict(zip(SIDES, values, strict=True))
    return (_layout({"checkpoint": codec.digest, **values}) + "\n").encode()


def _layout(value: object, name: str = "") -> str:
    """JSON to be edited by hand: a line for each key, and one for each event's vector."""
    if isinstance(value, dict):
        return (
            "{\n"
            + ",\n".join(f"{json.dumps(key)}: {_layout(item, key)}" for key, item in value.items())
            + "\n}"
        )
    if name == "vectors":
        return "[\n" + ",\n".join(map(json.dumps, value)) + "\n]"
    return json.dumps(value)
