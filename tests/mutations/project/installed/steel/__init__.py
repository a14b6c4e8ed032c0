"""What springs needs."""

MODULUS = 210
