"""What resonator needs."""

from steel import MODULUS


def stiffness():
    return MODULUS / 100
