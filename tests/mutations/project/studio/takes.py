"""Decorated functions and classes."""

import functools

from studio.decorators import labelled, louder, shifted


@shifted
@louder(by=2)
def take(level):
    return level


@functools.singledispatch
def render(sound):
    return str(sound)


@render.register
def _(sound: str):
    return sound.upper()


@labelled
class Bell:
    def ring(self):
        return self.label
