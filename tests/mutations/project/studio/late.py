"""Imported only where it is used."""


def echo(n):
    return [n, n / 2, n / 4]
