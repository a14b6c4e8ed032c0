"""A bright sound."""


def shine(n):
    return [n**0.5 for _ in range(3)]
