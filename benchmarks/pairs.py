"""Two ways to the same result, timed side by side."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock


@dataclass(frozen=True)
class Pair:
    """CPU seconds of this process for one run of each way."""

    plain: float
    fast: float

    @property
    def ratio(self) -> float:
        return self.plain / self.fast


def interleaved(plain: Callable[[], object], fast: Callable[[], object], n: int) -> Iterator[Pair]:
    """Yield times of both ways, one after the other, so that both see the same machine.

    Each runs once before, which fills caches.
    """
    for way in (plain, fast):
        way()
    for _ in range(n):
        yield Pair(_cpu_seconds(plain), _cpu_seconds(fast))


def report(name: str, pairs: list[Pair]) -> str:
    """Return a line of a table: median seconds of both ways, and the median and range of ratios."""
    ratios = sorted(pair.ratio for pair in pairs)
    plain, fast = (
        statistics.median(vars(pair)[way] for pair in pairs) for way in ("plain", "fast")
    )
    middle = f"{statistics.median(ratios):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})"
    return f"{name:<24}{plain:>9.3f}{fast:>9.3f}   {middle}"


HEADER = f"{'CPU seconds':<24}{'plain':>9}{'now':>9}   ratio"


def peak_megabytes() -> float:
    """Return the largest resident size of this process so far. Linux only."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


@contextmanager
def timed_parts(parts: dict[str, list[tuple[Any, str]]]) -> Iterator[dict[str, float]]:
    """Count the CPU seconds of parts in a `with` block, by name.

    parts: the methods of each, as an object or a class and a name; none may call another.
    """
    seconds = dict.fromkeys(parts, 0.0)
    with ExitStack() as stack:
        for part, methods in parts.items():
            for owner, name in methods:
                counted = _counted(getattr(owner, name), seconds, part)
                stack.enter_context(mock.patch.object(owner, name, counted))
        yield seconds


def _counted(
    plain: Callable[..., object], seconds: dict[str, float], part: str
) -> Callable[..., object]:
    def counted(*args: object) -> object:
        started = time.process_time()
        result = plain(*args)
        seconds[part] += time.process_time() - started
        return result

    return counted


def shares(seconds: dict[str, float], total: float) -> str:
    """Return parts as shares of all seconds, for people."""
    return ", ".join(f"{part} {part_of / total:.0%}" for part, part_of in seconds.items())


def _cpu_seconds(run: Callable[[], object]) -> float:
    started = time.process_time()
    run()
    return time.process_time() - started
