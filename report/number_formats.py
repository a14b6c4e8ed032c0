"""Sizes, times and levels as people read them, on pages and on the command line."""

import math


def kilobytes(n_bytes: float) -> str:
    """Return a size such as "12 kB"."""
    return f"{n_bytes / 1e3:.0f} kB"


def megabytes(n_bytes: float) -> str:
    """Return a size such as "2.3 MB"."""
    return f"{n_bytes / 1e6:.1f} MB"


def file_size(n_bytes: float) -> str:
    """Return megabytes, or below one of them kilobytes; at least "1 kB"."""
    return megabytes(n_bytes) if n_bytes >= 1e6 else kilobytes(max(n_bytes, 1e3))


def seconds(duration: float) -> str:
    """Return a duration such as "1.5 s"."""
    return f"{duration:.1f} s"


def decibels(level: float | None) -> str:
    """Return a level such as "−3.5", without its unit; None is silence."""
    return minus("-∞" if level is None else f"{level:.1f}")


def counted(number: int, one: str, several: str = "") -> str:
    """Return such as "1 listener" or "2 listeners"; `several` if that is more than an s."""
    return f"{number} {one if number == 1 else several or f'{one}s'}"


def minus(number: object) -> str:
    """Return a number with minus signs in place of hyphens."""
    return str(number).replace("-", "−")


def span(low: float | None, high: float | None, digits: int, missing: str = "") -> str:
    """Return an interval such as "−0.5 … 1.2", or `missing` if it has no ends."""
    if low is None or high is None:
        return missing
    return minus(f"{low:.{digits}f} … {high:.{digits}f}")


def tick_step(seconds: float) -> float:
    """Return a round distance between ticks, with about six of them on an axis of this length."""
    rough = max(seconds, 0.01) / 6
    power = 10 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough)
