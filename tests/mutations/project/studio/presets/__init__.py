"""Settings by name."""

from . import bright, dull

__all__ = ["bright", "dull"]
