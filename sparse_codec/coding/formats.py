"""Event sets in files of any kind, and the codec that made them.

.events files hold them small, .json for people and scripts, .mid for a look in a sequencer; sound
files hold their sound. A set is the events of one channel, or of left and right.
"""

from __future__ import annotations

import functools
import hashlib
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from sparse_codec.audio.files import KINDS, SampleCounts, write_blocks
from sparse_codec.checkpoint import CHECKPOINTS, Checkpoint, describe_checkpoint
from sparse_codec.coding.channels import Window, channels_of, join_windows, play_windows, windows_of
from sparse_codec.coding.event_file import (
    DIGITS,
    EventFileError,
    Header,
    read_header,
    read_windows,
    write_events,
)
from sparse_codec.coding.priors import Priors
from sparse_codec.events import EventSet
from sparse_codec.outputs import STREAM, OutputError, open_output

if TYPE_CHECKING:
    from sparse_codec.codec import SparseCodec

SET_SUFFIXES = (".events", ".json", ".mid")
DEFAULT_MODEL = "music"
SIDES = ("left", "right")


# ---- the codec of a file


@functools.cache
def load_codec(model: str) -> SparseCodec:
    """Return a codec by its checkpoint's file or shipped name, loaded once.

    Raises: CheckpointError.
    """
    from sparse_codec.codec import SparseCodec

    return SparseCodec.load(model)


@functools.cache
def load_facts(model: str) -> Checkpoint:
    """Return the facts of a checkpoint, read once, without PyTorch. Raises: CheckpointError."""
    return describe_checkpoint(model)


@functools.cache
def load_priors(model: str) -> Priors:
    """Return a checkpoint's priors, loaded once. Raises: PriorsError."""
    return Priors.load(model)


def find_model(path: str | Path, digest: str, model: str | None) -> Checkpoint:
    """Return the facts of the checkpoint that made the events in a file.

    model: a checkpoint that is given for them, or None; then it is the shipped one with this
    digest. digest: SHA-256 in hexadecimal, or its start; "" if the file does not say, and then it
    is "music".
    Raises: EventFileError if `model` has another digest, or if no shipped one has it;
    CheckpointError.
    """
    if model is None and digest:
        model = _shipped_model(digest)
        if model is None:
            raise EventFileError(
                f"{path}: its checkpoint {digest[:12]} is not a shipped one; give it with --model"
            )
    checkpoint = load_facts(model or DEFAULT_MODEL)
    if digest and not _names(digest, checkpoint.digest):
        raise EventFileError(
            f"{path}: made with the checkpoint {digest[:12]}, but {checkpoint.model} is"
            f" {checkpoint.digest[:12]}; leave --model out, or give the right one"
        )
    return checkpoint


def _names(digest: str, whole: str) -> bool:
    """Return whether a digest, of which a file may hold the start, is that of a checkpoint."""
    return len(digest) >= DIGITS and whole.startswith(digest)


def _shipped_model(digest: str) -> str | None:
    """Return the file of the shipped checkpoint with a digest, or None."""
    for file in CHECKPOINTS.glob("*.safetensors"):
        if _names(digest, hashlib.sha256(file.read_bytes()).hexdigest()):
            return str(file)
    return None


# ---- reading


def read_set(path: str, model: str | None) -> tuple[Window, SparseCodec]:
    """Return the events in a .events or .json file and their codec.

    Raises: EventFileError, or another ValueError that names the file.
    """
    if Path(path).suffix.lower() == ".events":
        with open_file(path) as file:
            _, checkpoint, windows = open_windows(file, path, model)
            events = join_windows(windows)
    else:
        events, checkpoint = read_json_set(path, model)
    return events, load_codec(checkpoint.model)


def read_json_set(path: str, model: str | None) -> tuple[Window, Checkpoint]:
    """Return the events in a .json file, and the facts of their checkpoint.

    Raises: as `read_set`.
    """
    values = _read_json(path)
    checkpoint = find_model(path, str(values.get("checkpoint", "")), model)
    if all(side in values for side in SIDES):
        left, right = (_from_json(path, values[side], checkpoint) for side in SIDES)
        return (left, right), checkpoint
    return _from_json(path, values, checkpoint), checkpoint


def open_file(path: str) -> BinaryIO:
    """Open a file to read. Raises: EventFileError if that is not possible."""
    try:
        return open(path, "rb")
    except OSError as error:
        reason = f"cannot be read ({error.strerror}); check the name"
        raise EventFileError(f"{path}: {reason}") from error


def open_windows(
    file: BinaryIO, path: str, model: str | None
) -> tuple[Header, Checkpoint, Iterator[Window]]:
    """Return the header, the checkpoint and the windows of a .events file.

    Windows are read lazily.

    Raises: EventFileError, PriorsError, CheckpointError.
    """
    header = read_header(file)
    checkpoint = find_model(path, header.checkpoint, model)
    header.check_codec(checkpoint, path)
    priors = load_priors(checkpoint.model) if header.mode == "quantised" else None
    return header, checkpoint, read_windows(file, header, priors)


def _read_json(path: str) -> dict[str, Any]:
    """Return the JSON object in a file.

    Raises: EventFileError for a file that holds none, or a page's edit.
    """
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
        raise EventFileError(
            f"{path}: an edit that a page exported, of sounds instead of events;"
            f" to hear it run python -m report mix {shlex.quote(str(path))}"
        )
    return values


def _from_json(path: str, values: dict[str, Any], checkpoint: Checkpoint) -> EventSet:
    try:
        events = EventSet.from_json(values)
        events.check_kind(checkpoint.config.kind)
    except ValueError as error:
        raise EventFileError(f"{path}: {error}") from error
    return events


# ---- writing


def write_set(
    path: str, events: Window, codec: SparseCodec, consistent: bool | None = None
) -> SampleCounts | None:
    """Write events in the format that the suffix names, without loss.

    A sound file, or "-", gets their sound, which is made as in `SparseCodec.decode`; then the
    result is that of `write_blocks`.
    Raises: OutputError.
    """
    suffix = Path(path).suffix.lower()
    if suffix in KINDS or path == STREAM:
        n_channels = len(channels_of(events))
        sound = play_windows(codec, windows_of(events, codec), n_channels, consistent)
        return write_blocks(path, sound, codec.samplerate)
    if suffix == ".events":
        write_events(path, events, codec)
    else:
        with open_output(path) as file:
            file.write(to_bytes(path, events, codec))
    return None


def to_bytes(path: str, events: Window, codec: SparseCodec) -> bytes:
    """Return events as the MIDI file or the JSON that a path's suffix names.

    The JSON names the checkpoint. Raises: OutputError for MIDI of left and right.
    """
    if Path(path).suffix.lower() == ".mid":
        if isinstance(events, tuple):
            raise OutputError(f"{path}: MIDI has no left and right; encode without --stereo")
        from sparse_codec.coding.midi import midi_file

        return midi_file(events, codec)
    values: dict[str, Any] = {"checkpoint": codec.digest}
    if isinstance(events, tuple):
        values |= {side: channel.to_json() for side, channel in zip(SIDES, events, strict=True)}
    else:
        values |= events.to_json()
    return (_layout(values) + "\n").encode()


def _layout(values: dict[str, Any]) -> str:
    """Return JSON to be edited by hand: a line for each key, and one for each event's vector."""
    return (
        "{\n"
        + ",\n".join(f"{json.dumps(key)}: {_item(key, values[key])}" for key in values)
        + "\n}"
    )


def _item(key: str, value: Any) -> str:
    if isinstance(value, dict):
        return _layout(value)
    if key == "vectors":
        return "[\n" + ",\n".join(map(json.dumps, value)) + "\n]"
    return json.dumps(value)
