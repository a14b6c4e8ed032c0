"""Effects one after the other."""

from . import synth
from .filters import smooth


def phrase(n):
    """A smoothed ramp."""
    return smooth(list(range(n)))


def buzz(n):
    return synth.saw(n, rise=0.5)
