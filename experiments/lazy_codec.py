"""A codec whose weights are loaded when something is computed with it.

Articles know it by its configuration, its card and its digest. So a build that finds everything in
the store needs no PyTorch, which takes seconds to import.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sparse_codec.checkpoint import CheckpointError, describe_checkpoint

if TYPE_CHECKING:
    from sparse_codec import SparseCodec


def open_codec(checkpoint: str | Path) -> SparseCodec:
    """Return the codec of a checkpoint: a file, or the name of one that is shipped.

    Raises: CheckpointError for a file that is missing, damaged or of another format.
    """
    return cast("SparseCodec", LazyCodec(checkpoint))


class LazyCodec:
    """The facts of a checkpoint; for all else, the codec that is loaded from it then."""

    device = "cpu"  # on which it will be loaded; keys depend on it

    def __init__(self, checkpoint: str | Path):
        facts = describe_checkpoint(str(checkpoint))
        self.config, self.card, self.digest = facts.config, facts.card, facts.digest
        self.samplerate = facts.config.samplerate
        self.n_parameters = sum(facts.parameters.values())
        self._checkpoint = checkpoint
        self._codec: SparseCodec | None = None

    def load(self) -> SparseCodec:
        """Return the codec itself, which is loaded once.

        Raises: CheckpointError for weights that do not fit, or if the file is another one by now.
        """
        if self._codec is None:
            from sparse_codec import SparseCodec

            codec = SparseCodec.load(self._checkpoint)
            if codec.digest != self.digest:
                raise CheckpointError(f"{self._checkpoint}: changed while it was in use")
            self._codec = codec
        return self._codec

    def load_before_fork(self) -> None:
        """Load the weights in the process that forks, once, and not in each of its forks."""
        self.load()

    def __getattr__(self: Any, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        self = self.load()  # keys follow its class as well, which `load` names
        return getattr(self, name)

    def __getstate__(self) -> dict[str, Any]:
        """Go to another process with the weights, since the file may be only here."""
        self.load()
        return vars(self)
