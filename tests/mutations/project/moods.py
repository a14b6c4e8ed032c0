"""An article about what modules do while they are imported."""

import studio.quiet  # noqa: F401
import studio.shapes  # noqa: F401
from studio.registry import MAKERS, STEPS, Organ

from report import Data, conjure


@conjure
def made() -> Data:
    return Data([MAKERS["ramp"](3), MAKERS["steps"](3), STEPS, Organ.pipes])


# %%
made()
