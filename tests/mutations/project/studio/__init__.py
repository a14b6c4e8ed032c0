"""A small instrument: what the articles beside it play."""

from studio import presets
from studio.strings import pluck

__all__ = ["pluck", "presets"]
