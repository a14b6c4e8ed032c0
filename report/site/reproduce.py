"""Compute again what is in the store, and say whether it came out the same."""

import io
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
from PIL import Image, ImageSequence

from report.article.script import parse_script, run_cells
from report.artifacts.record import Record
from report.artifacts.session import Request, Session, compute, matches, use_session
from report.artifacts.store import Store
from report.errors import ReportError

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
            self.verdicts.append(
                Verdict(f"{self.article}/{name}", record.sha256, verdict, level, seconds)
            )
        return record


def compare(before: bytes, now: bytes, media_type: str) -> tuple[str, float | None]:
    """How two files of one media type differ: a verdict, and the level of the difference in dB where they do."""
    if before == now:
        return SAME_BYTES, None
    try:
        (old_form, old), (new_form, new) = (_contents(data, media_type) for data in (before, now))
    except (
        ValueError,
        OSError,
        RuntimeError,
    ):  # what the readers of sounds, pictures and JSON raise
        return DIFFERENT, None
    if old_form != new_form:
        return DIFFERENT, None
    if np.array_equal(old, new):
        return SAME_VALUES, None
    level = difference_level(old, new)
    return (NEAR if level <= NEAR_DB else DIFFERENT), level


def difference_level(old: np.ndarray, new: np.ndarray) -> float:
    """Energy of new - old below that of old in dB; infinite if old is silent and new is not."""
    energy, error = float(np.sum(old**2)), float(np.sum((new - old) ** 2))
    return (
        10 * math.log10(error / energy) if error and energy else (math.inf if error else -math.inf)
    )


def _contents(data: bytes, media_type: str) -> tuple[object, np.ndarray]:
    """The numbers in a media file, as floats, and all that has to be equal for them to be compared."""
    if media_type.startswith("audio/"):
        samples, samplerate = sf.read(io.BytesIO(data), dtype="float64")
        return (samplerate, samples.shape), samples
    if media_type.startswith("image/"):
        with Image.open(io.BytesIO(data)) as image:
            frames = [
                np.asarray(frame.convert("RGBA"), float) for frame in ImageSequence.Iterator(image)
            ]
        return (len(frames), frames[0].shape), np.stack(frames)
    numbers: list[float] = []
    form = _without_numbers(json.loads(data), numbers)
    return form, np.array(numbers)


def _without_numbers(value: object, numbers: list[float]) -> object:
    """JSON with its numbers taken out, which are added to `numbers` in order."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        numbers.append(float(value))
        return 0
    if isinstance(value, list):
        return [_without_numbers(item, numbers) for item in value]
    if isinstance(value, dict):
        return {key: _without_numbers(value[key], numbers) for key in sorted(value)}
    return value
