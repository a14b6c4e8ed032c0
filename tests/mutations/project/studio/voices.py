"""Voices."""

from studio.breath import Breath, Warmth


class Voice:
    """Anything that sounds."""

    level = 0.5

    def __init__(self, pitch):
        """pitch: Hz."""
        self.pitch = pitch * 1.0

    @property
    def period(self):
        return 1000 / self.pitch

    @staticmethod
    def fold(x):
        return x % 3

    @classmethod
    def low(cls):
        return cls(110)

    def play(self, n):
        """n samples."""
        return [self.level * self.fold(i / self.period) for i in range(n)]

    def tune(self, cents):
        self.pitch *= 2 ** (cents / 1200)


class Flute(Breath, Warmth, Voice):
    def play(self, n):
        return [self.attack() + x for x in super().play(n)] + [self.colour()]


class Drum:
    def hit(self):
        return "thud"
