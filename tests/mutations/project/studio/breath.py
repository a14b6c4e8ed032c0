"""What voices are mixed with."""


class Breath:
    air = 0.1

    def attack(self):
        return self.air * 2

    def colour(self):
        return "airy"


class Warmth:
    def colour(self):
        return "warm"
