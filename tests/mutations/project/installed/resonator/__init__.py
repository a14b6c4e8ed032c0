"""An installed library that needs another one."""

import contextlib

from springs import stiffness


def ring(pitch):
    return pitch * stiffness()


@contextlib.contextmanager
def stretched(by):
    yield
