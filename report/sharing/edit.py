"""Read the edit that an event roll exports, and mix the sound that it stands for."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

import numpy as np
import soundfile as sf
from msgspec import Meta

from report.artifacts.fields import Digest, parse_fields
from report.artifacts.media import EXTENSIONS, Sound, channels_of, decode
from report.errors import ReportError
from report.mix import UNITY, mix
from report.site.locate import Site
from report.site.manifest import MEDIA

SCHEMA = 1
MOST_EVENTS = 10_000
MOST_SAMPLES = 2**28  # of an edit: its sum takes eight bytes for each
HIGHEST_RATE = 2**20  # Hz
LOUDEST = 16 * UNITY


@dataclass(frozen=True)
class PlacedEvent:
    """One event: a stored sound, or a stretch of one, scaled and placed."""

    sound: Digest  # SHA-256 of a stored file
    start: Annotated[int, Meta(ge=-MOST_SAMPLES, le=MOST_SAMPLES)]  # sample
    gain: Annotated[int, Meta(ge=0, le=LOUDEST)]  # in units of 1 / UNITY
    muted: bool
    first: Annotated[int, Meta(ge=0, le=MOST_SAMPLES)] = 0  # sample of the file
    length: Annotated[int, Meta(ge=1, le=MOST_SAMPLES)] | None = None  # samples; None: to its end


@dataclass(frozen=True)
class Edit:
    """Events that make a sound of `n_samples` samples at `samplerate` Hz."""

    title: str
    samplerate: Annotated[int, Meta(ge=1, le=HIGHEST_RATE)]
    n_samples: Annotated[int, Meta(ge=1, le=MOST_SAMPLES)]
    events: Annotated[tuple[PlacedEvent, ...], Meta(max_length=MOST_EVENTS)]
    channels: Annotated[int, Meta(ge=1, le=2)] = 1


@dataclass(frozen=True)
class _Schema:
    """The field of an exported edit that says how to read the others."""

    schema: Annotated[int, Meta(ge=SCHEMA, le=SCHEMA)]


def read_edit(data: bytes, where: str = "the edit") -> Edit:
    """Return the edit in these bytes, every field checked. `where` they were is for messages.

    Raises: ReportError.
    """
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{where} is no JSON: {error}; export the edit again") from error
    try:
        parse_fields(fields, _Schema, more=True)
        return parse_fields(fields, Edit, more=True)
    except ValueError as error:
        raise ReportError(f"{where}: {error}; export the edit again") from error


def mix_edit(edit: Edit, site: Site) -> np.ndarray:
    """Return the samples that an edit of sounds in this site stands for.

    Returns: int16 (n_samples,), or (n_samples, 2) for an edit of two channels.
    Raises: ReportError if a sound is not in the site, is not what its hash says, or has another
    rate or number of channels; StoreError.
    """
    audible = [event for event in edit.events if not event.muted]
    digests = dict.fromkeys(event.sound for event in audible)
    sounds = {digest: _samples(digest, edit, site) for digest in digests}
    if not sounds:
        return np.zeros(edit.n_samples if edit.channels == 1 else (edit.n_samples, 2), np.int16)
    return mix(
        [_stretch(sounds[event.sound], event) for event in audible],
        [event.start for event in audible],
        [event.gain for event in audible],
        edit.n_samples,
    )


def _stretch(samples: np.ndarray, event: PlacedEvent) -> np.ndarray:
    """Return the samples of a file that an event adds. Raises: ReportError if these are missing."""
    last = len(samples) if event.length is None else event.first + event.length
    if not event.first < last <= len(samples):
        raise ReportError(
            f"an event adds the samples {event.first} to {last} of {event.sound}, which has "
            f"{len(samples)}; export the edit again"
        )
    return samples[event.first : last]


def _samples(digest: str, edit: Edit, site: Site) -> np.ndarray:
    """Return the int16 samples of a sound in the site."""
    address = site.location.place.address
    for media_type, extension in EXTENSIONS.items():
        name = f"{MEDIA}/{digest}.{extension}"
        if media_type.startswith("audio/") and name in site.manifest.files:
            break
    else:
        raise ReportError(
            f"there is no sound {digest} at {address}; "
            "give the site that the edit was made of with --site"
        )
    where = f"{name} at {address}"
    data = site.read(name)
    if sha256(data).hexdigest() != digest:
        raise ReportError(
            f"{where} is damaged: its bytes have another SHA-256; build or publish the site again"
        )
    try:
        sound = decode(data, media_type)
    except sf.LibsndfileError as error:
        raise ReportError(f"{where} is no sound: {error}") from error
    assert isinstance(sound, Sound)
    if sound.samplerate != edit.samplerate:
        raise ReportError(
            f"{where} has {sound.samplerate} Hz, but the edit {edit.samplerate}; "
            "export the edit again"
        )
    if (channels := channels_of(sound.samples)) != edit.channels:
        raise ReportError(
            f"{where} has {channels} channels, but the edit {edit.channels}; export the edit again"
        )
    return sound.samples
