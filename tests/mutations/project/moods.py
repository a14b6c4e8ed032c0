"""An article about what modules do while they are imported."""

import random

import studio.quiet  # noqa: F401
import studio.shapes  # noqa: F401
from studio.registry import MAKERS, STEPS, Organ

from report import Data, conjure

random.seed(4)


@conjure
def made() -> Data:
    return Data([[make(3) for make in MAKERS.values()], STEPS, Organ.pipes, random.random()])


# %%
made()
