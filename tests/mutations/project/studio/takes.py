"""Decorated functions and classes."""

from studio.decorators import labelled, louder, shifted


@shifted
@louder(by=2)
def take(level):
    return level


@labelled
class Bell:
    def ring(self):
        return self.label
