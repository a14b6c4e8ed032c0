"""Compute again what is in the store, and say whether it came out the same."""

import io
import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
from PIL import Image, ImageSequence

from report.cells import parse_script, run_cells
from report.conjure import Request, Session, compute, matches, use_session
from report.errors import ReportError
from report.media import FULL_SCALE
from report.store import Record, Store

SAME_BYTES, SAME_VALUES, NEAR, DIFFERENT = "bytes same", "samples same", "near", "different"
NEAR_DB = -40.0  # a difference this far below the original is "near"


@dataclass(frozen=True)
class Verdict:
    """How an artifact came out when computed again. `decibels` is the level of the difference below the original."""

    name: str
    sha256: str
    verdict: str
    decibels: float | None
    seconds: float

    def __str__(self) -> str:
        level = "" if self.decibels is None else f" ({self.decibels:.1f} dB)"
        return f"{self.verdict}{level}"


def reproduce(
    scripts: Iterable[Path], store: Store, patterns: tuple[str, ...], namespace: dict | None = None
) -> list[Verdict]:
    """Compute the artifacts that the patterns mean again, each from the stored ones that it depends on.

    Raises: ReportError if the store lacks something, so that there is nothing to compare with.
    """
    session = Reproducer(store, patterns)
    with use_session(session):
        for script in map(Path, scripts):
            session.begin(script.stem)
            run_cells(parse_script(script), script, dict(namespace or {}))
    if not session.verdicts:
        raise ReportError(f"no artifact is called {' or '.join(patterns)}; `ls` lists them all")
    return session.verdicts


class Reproducer(Session):
    """A session that computes what it finds once more, and goes on with what it found."""

    def __init__(self, store: Store, patterns: tuple[str, ...]):
        super().__init__(store)
        self.patterns = patterns
        self.verdicts: list[Verdict] = []

    def resolve(self, name: str, request: Request) -> Record:
        record = self.store.find(request.key)
        if record is None:
            raise ReportError(
                f"{self.article}/{name} is not in the store as this code makes it; build first, or see `why`"
            )
        if any(matches(pattern, self.article, name, record.sha256) for pattern in self.patterns):
            encoded, seconds = compute(request)
            verdict, level = compare(self.store.read(record), encoded.data, record.media_type)
            self.verdicts.append(Verdict(f"{self.article}/{name}", record.sha256, verdict, level, seconds))
        return record


def compare(before: bytes, now: bytes, media_type: str) -> tuple[str, float | None]:
    """How two files of one media type differ: a verdict, and the level of the difference in dB where they do."""
    if before == now:
        return SAME_BYTES, None
    try:
        old, new = (_values(data, media_type) for data in (before, now))
    except ValueError:
        return DIFFERENT, None
    if old.shape != new.shape:
        return DIFFERENT, None
    if np.array_equal(old, new):
        return SAME_VALUES, None
    level = difference_level(old, new)
    return (NEAR if level <= NEAR_DB else DIFFERENT), level


def difference_level(old: np.ndarray, new: np.ndarray) -> float:
    """Energy of new - old below that of old in dB; infinite if old is silent and new is not."""
    energy, error = float(np.sum(old**2)), float(np.sum((new - old) ** 2))
    return 10 * math.log10(error / energy) if error and energy else (math.inf if error else -math.inf)


def _values(data: bytes, media_type: str) -> np.ndarray:
    """The numbers in a media file, as floats. Raises: ValueError for what can not be compared number by number."""
    if media_type.startswith("audio/"):
        samples, samplerate = sf.read(io.BytesIO(data), dtype="float64")
        return np.concatenate([samples.ravel(), [samplerate / FULL_SCALE**2]])
    if media_type.startswith("image/"):
        with Image.open(io.BytesIO(data)) as image:
            return np.stack([np.asarray(frame.convert("RGBA"), float) for frame in ImageSequence.Iterator(image)])
    numbers: list[float] = []
    _collect(json.loads(data), numbers)
    return np.array(numbers)


def _collect(value: object, numbers: list[float]) -> None:
    """All numbers in JSON, in order. Texts and the shape of the whole enter as numbers that differ if they do."""
    if isinstance(value, bool | str) or value is None:
        numbers.extend([float(len(repr(value))), *map(float, repr(value).encode())])
    elif isinstance(value, int | float):
        numbers.append(float(value))
    elif isinstance(value, list):
        for item in value:
            _collect(item, numbers)
    else:
        for key in sorted(value):
            _collect(key, numbers)
            _collect(value[key], numbers)


def to_json(verdicts: list[Verdict], machine: dict[str, str]) -> dict:
    """What `reproduce` writes: the machine, and a verdict for each artifact."""
    return {"machine": machine, "verdicts": [asdict(verdict) for verdict in verdicts]}
