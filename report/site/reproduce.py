"""Compute stored artifacts again, and say whether they came out the same."""

import io
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
from PIL import Image, ImageSequence

from report.article.claims import tolerating
from report.article.script import parse_script, run_cells
from report.artifacts.arrays import from_npy, from_safetensors
from report.artifacts.machine import fingerprint
from report.artifacts.record import Record
from report.artifacts.session import Request, Session, compute, matches, use_session
from report.artifacts.store import Store
from report.errors import ReportError
from report.site.isolation import run_alone, warn_if_shared
from report.site.states import DIFFERENT, NEAR, SAME_BYTES, SAME_VALUES

NEAR_DB = -40.0  # a difference this far below the original is "near"


@dataclass(frozen=True)
class Verdict:
    """The comparison of an artifact with the same, computed again in so many `seconds`."""

    name: str
    sha256: str
    verdict: str
    decibels: float | None  # level of the difference, relative to the original
    seconds: float

    def __str__(self) -> str:
        level = "" if self.decibels is None else f" ({self.decibels:.1f} dB)"
        return f"{self.verdict}{level}"


@dataclass(frozen=True)
class Reproduction:
    """The verdicts, and the machine on which the artifacts were computed again."""

    verdicts: list[Verdict]
    machine: dict[str, str]


def reproduce(
    scripts: Iterable[Path],
    store: Store,
    patterns: tuple[str, ...],
    namespace: dict[str, Any] | None = None,
) -> Reproduction:
    """Compute the artifacts that the patterns mean again, each from its stored inputs.

    Raises: ReportError if an artifact is not in the store, so that nothing can be compared.
    """
    scripts = [Path(script) for script in scripts]
    warn_if_shared(len(scripts))
    whole = Reproduction([], {})
    for script in scripts:
        work = partial(_reproduce_article, script, patterns, namespace or {})
        part = run_alone(str(script), work, store)
        whole.verdicts.extend(part.verdicts)
        whole.machine.update(part.machine)
    if not whole.verdicts:
        raise ReportError(f"no artifact is called {' or '.join(patterns)}; `ls` lists them all")
    return whole


def _reproduce_article(
    script: Path, patterns: tuple[str, ...], namespace: dict[str, Any], store: Store
) -> Reproduction:
    session = Reproducer(store, patterns)
    session.begin(script.stem)
    with use_session(session), tolerating():
        run_cells(parse_script(script), script, dict(namespace))
    return Reproduction(session.verdicts, fingerprint())


class Reproducer(Session):
    """A session that computes artifacts again, and goes on with those in the store."""

    def __init__(self, store: Store, patterns: tuple[str, ...]):
        super().__init__(store)
        self.patterns = patterns
        self.verdicts: list[Verdict] = []

    def resolve(self, name: str, request: Request) -> Record:
        record = self.store.find(request.key)
        if record is None:
            raise ReportError(
                f"{self.article}/{name} is not in the store as this code makes it; "
                "build first, or see `why`"
            )
        records = {name: record} | {
            f"{name}/{member}": self.member(record, member) for member in self.members(record)
        }
        wanted = [called for called in records if self._is_wanted(called, records[called])]
        if wanted:
            made = compute(request, self.store)
            media = {f"{name}/{member}": encoded for member, encoded in made.members.items()}
            media = media or {name: made.encoded}  # the list of several says nothing more
            for called in wanted:
                if called in media:
                    self._compare(called, records[called], media[called].data, made.seconds)
        return record

    def _is_wanted(self, name: str, record: Record) -> bool:
        return any(matches(p, self.article, name, record.sha256) for p in self.patterns)

    def _compare(self, name: str, record: Record, now: bytes, seconds: float) -> None:
        verdict, level = compare(self.store.read(record), now, record.media_type)
        name = f"{self.article}/{name}"
        self.verdicts.append(Verdict(name, record.sha256, verdict, level, seconds))


def compare(before: bytes, now: bytes, media_type: str) -> tuple[str, float | None]:
    """Compare two files of one media type.

    Returns: the verdict, and the level of the difference in dB if one could be computed.
    """
    if before == now:
        return SAME_BYTES, None
    try:
        old_form, old = _contents(before, media_type)
        new_form, new = _contents(now, media_type)
    except (ValueError, OSError, RuntimeError):  # raised by readers of sounds, pictures and JSON
        return DIFFERENT, None
    if old_form != new_form:
        return DIFFERENT, None
    if np.array_equal(old, new):
        return SAME_VALUES, None
    level = difference_level(old, new)
    return (NEAR if level <= NEAR_DB else DIFFERENT), level


def difference_level(old: np.ndarray, new: np.ndarray) -> float:
    """Return the energy of new - old, relative to that of old, in dB.

    It is infinite if old is silent and new is not.
    """
    energy, error = float(np.sum(old**2)), float(np.sum((new - old) ** 2))
    if not error:
        return -math.inf
    if not energy:
        return math.inf
    return 10 * math.log10(error / energy)


def _contents(data: bytes, media_type: str) -> tuple[object, np.ndarray]:
    """Return the form of a media file, and its numbers as floats.

    Numbers can be compared if the forms are equal: the same rate, shape or structure.
    """
    if media_type.startswith("audio/"):
        samples, samplerate = sf.read(io.BytesIO(data), dtype="float64")
        return (samplerate, samples.shape), samples
    if media_type.startswith("image/"):
        with Image.open(io.BytesIO(data)) as image:
            frames = [
                np.asarray(frame.convert("RGBA"), float) for frame in ImageSequence.Iterator(image)
            ]
        return (len(frames), frames[0].shape), np.stack(frames)
    if media_type == "application/x-npy":
        values = np.asarray(from_npy(data))
        return (values.dtype.str, values.shape), _as_floats(values)
    if media_type == "application/x-safetensors":
        tensors = sorted(from_safetensors(data).items())
        forms = [(name, str(tensor.dtype), tuple(tensor.shape)) for name, tensor in tensors]
        flat = [_as_floats(np.asarray(x.float() if hasattr(x, "float") else x)) for _, x in tensors]
        return forms, np.concatenate([np.zeros(0), *flat])
    numbers: list[float] = []
    form = _move_numbers(json.loads(data), numbers)
    return form, np.array(numbers)


def _as_floats(values: np.ndarray) -> np.ndarray:
    """Return numbers (N,), of complex ones both parts. Raises: ValueError if they are none."""
    if values.dtype.kind not in "biufc":
        raise ValueError(f"{values.dtype} holds no numbers")
    kind = complex if values.dtype.kind == "c" else float
    return np.ascontiguousarray(values.ravel(), kind).view(float)


def _move_numbers(value: object, numbers: list[float]) -> object:
    """Return JSON with zeros for its numbers, which are added to `numbers` in order."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        numbers.append(float(value))
        return 0
    if isinstance(value, list):
        return [_move_numbers(item, numbers) for item in value]
    if isinstance(value, dict):
        return {key: _move_numbers(value[key], numbers) for key in sorted(value)}
    return value
