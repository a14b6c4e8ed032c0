"""Plucked strings."""


def pluck(n):
    """A pluck that fades."""
    return [0.9**i for i in range(n)]
