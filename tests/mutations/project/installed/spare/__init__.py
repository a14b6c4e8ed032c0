"""An installed library that the article imports and no artifact uses."""


def tune(pitch):
    return pitch
