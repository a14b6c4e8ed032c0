"""An installed library whose distribution has another name: py-chimes."""


def strike(pitch):
    return pitch + 0.5
