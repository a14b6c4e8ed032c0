"""Fills the registry."""

from studio.registry import MAKERS, Organ, maker

TALLEST = 8


@maker("ramp")
def ramp(n):
    return [i / n for i in range(n)]


def steps(n):
    return [i // 2 for i in range(n)]


MAKERS["steps"] = steps
Organ.pipes = TALLEST
