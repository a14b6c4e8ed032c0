"""What a reader made of an event roll, as the page exports it, and the sound that it stands for."""

import json
import wave
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from report.artifacts.media import decode, to_wav
from report.artifacts.record import is_digest
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
    """One event: `sound` is the SHA-256 of a stored WAV file, placed at sample `start` and scaled by `gain` / UNITY."""

    sound: str
    start: int
    gain: int
    muted: bool


@dataclass(frozen=True)
class Edit:
    """Events that make a sound of `n_samples` samples at `samplerate` Hz."""

    title: str
    samplerate: int
    n_samples: int
    events: tuple[PlacedEvent, ...]


def read_edit(data: bytes, where: str = "the edit") -> Edit:
    """The edit in these bytes, every field checked; `where` they were is for messages. Raises: ReportError."""
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{where} is no JSON: {error}; export the edit again") from error
    edit = _Fields(fields, where)
    edit.whole_number("schema", SCHEMA, SCHEMA)
    events = edit.take("events", list, "a list")
    if len(events) > MOST_EVENTS:
        raise ReportError(f"{where} has {len(events)} events; at most {MOST_EVENTS} can be mixed")
    return Edit(
        title=edit.take("title", str, "a text"),
        samplerate=edit.whole_number("samplerate", 1, HIGHEST_RATE),
        n_samples=edit.whole_number("n_samples", 1, MOST_SAMPLES),
        events=tuple(
            _event(_Fields(event, f"{where}, event {i}")) for i, event in enumerate(events, 1)
        ),
    )


def mix_edit(edit: Edit, site: Site) -> bytes:
    """The WAV file that an edit of sounds in this site stands for.

    Raises: ReportError if a sound is not in the site, is not what its hash says, or has another rate; StoreError.
    """
    heard = [event for event in edit.events if not event.muted]
    sounds = {
        digest: _sound(digest, edit.samplerate, site)
        for digest in dict.fromkeys(e.sound for e in heard)
    }
    samples = mix(
        [sounds[event.sound] for event in heard],
        [event.start for event in heard],
        [event.gain for event in heard],
        edit.n_samples,
    )
    return to_wav(samples, edit.samplerate)


def _event(event: "_Fields") -> PlacedEvent:
    sound = event.take("sound", str, "a text")
    if not is_digest(sound):
        raise ReportError(f"{event.where}: sound is {sound[:80]!r}; give the SHA-256 of a sound")
    return PlacedEvent(
        sound=sound,
        start=event.whole_number("start", -MOST_SAMPLES, MOST_SAMPLES),
        gain=event.whole_number("gain", 0, LOUDEST),
        muted=event.take("muted", bool, "true or false"),
    )


def _sound(digest: str, samplerate: int, site: Site) -> np.ndarray:
    name = f"{MEDIA}/{digest}.wav"
    where = f"{name} at {site.location.place.address}"
    if name not in site.manifest.files:
        raise ReportError(
            f"there is no {where}; give the site that the edit was made of with --site"
        )
    data = site.read(name)
    if sha256(data).hexdigest() != digest:
        raise ReportError(
            f"{where} is damaged: its bytes have another SHA-256; build or publish the site again"
        )
    try:
        sound = decode(data, "audio/wav")
    except (wave.Error, EOFError) as error:
        raise ReportError(f"{where} is no WAV file: {error}") from error
    if sound.samplerate != samplerate:
        raise ReportError(
            f"{where} has {sound.samplerate} Hz, but the edit {samplerate}; export the edit again"
        )
    return sound.samples


@dataclass(frozen=True)
class _Fields:
    """A JSON object whose fields are checked as they are taken."""

    fields: object
    where: str

    def take(self, name: str, kind: type, words: str) -> object:
        if not isinstance(self.fields, dict) or name not in self.fields:
            raise ReportError(f"{self.where} has no {name}; give {words}")
        value = self.fields[name]
        if type(value) is not kind:  # for true is an int, too
            raise self._refusal(name, words)
        return value

    def whole_number(self, name: str, least: int, most: int) -> int:
        words = f"a whole number from {least} to {most}" if least < most else str(least)
        if not least <= self.take(name, int, words) <= most:
            raise self._refusal(name, words)
        return self.fields[name]

    def _refusal(self, name: str, words: str) -> ReportError:
        return ReportError(
            f"{self.where}: {name} is {json.dumps(self.fields[name])[:80]}; give {words}"
        )
