"""Fills the registry."""

from studio.registry import MAKERS, Organ, maker

TALLEST = 8


@maker("ramp")
def ramp(n):
    return [i / n for i in range(n)]


def steps(n):
    return [i // 2 for i in range(n)]


class Pulse:
    def __call__(self, n):
        return [n % 2]


MAKERS["steps"] = steps
MAKERS["pulse"] = Pulse()
Organ.pipes = TALLEST
