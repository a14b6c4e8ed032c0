"""Decorators of the studio."""

import functools

STEP = 1


def louder(by):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args):
            return amplify(function(*args), by)

        return wrapper

    return decorate


def amplify(level, by):
    return level * by


def shifted(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args) + STEP

    return wrapper


def labelled(cls):
    cls.label = cls.__name__.lower() + "!"
    return cls
