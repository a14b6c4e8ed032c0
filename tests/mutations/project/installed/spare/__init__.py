"""An installed library that the article imports and no artifact uses."""


def tune(pitch):
    return pitch


def retune(pitch):
    import resonator

    resonator.STRETCH = pitch


def retune_all(pitch):
    retune(pitch)
