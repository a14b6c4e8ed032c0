"""A dull sound, behind a curtain."""


def shade(n):
    return [n**0.125 for _ in range(3)]


def shine(n):
    return [n**0.75 for _ in range(3)]
