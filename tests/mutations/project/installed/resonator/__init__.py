"""An installed library that needs another one."""

from springs import stiffness


def ring(pitch):
    return pitch * stiffness()
