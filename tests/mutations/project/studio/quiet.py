"""Imported for what it does: numbers that are too small make no noise."""

import numpy as np

np.seterr(under="ignore")
