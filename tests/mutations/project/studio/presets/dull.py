"""A dull sound."""


def shade(n):
    return [n**0.25 for _ in range(3)]
