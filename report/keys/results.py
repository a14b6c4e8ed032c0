"""The code around the results of conjured functions, registered by the package that computes them.

A key depends on how a result becomes bytes and on how those are read, not on how they are stored.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from report.keys.source import Reference


@dataclass(frozen=True)
class Results:
    """The code that keys treat differently from all other."""

    decorator: Reference  # of conjured functions; no part of what they compute
    stored: type  # the class of a stored result, which as an argument stands for its bytes
    decode: Reference  # reads those bytes
    encode: Reference  # turns media of any kind into bytes
    encoders: dict[Reference, Reference]  # a class of media -> the function that encodes it

    def encoder_of(self, annotation: Reference | None) -> Reference:
        """Return the function that encodes a result with this annotation."""
        return self.encoders.get(annotation, self.encode) if annotation else self.encode


_results: Results | None = None


def register_results(
    decorator: Callable[..., object],
    stored: type,
    decode: Callable[..., object],
    encode: Callable[..., object],
    encoders: Mapping[type, Callable[..., object]],
) -> None:
    """Tell keys the code around results, see `Results`. Call it once, when the code is imported."""
    global _results
    by_kind = {_reference(kind): _reference(encoder) for kind, encoder in encoders.items()}
    _results = Results(
        _reference(decorator), stored, _reference(decode), _reference(encode), by_kind
    )


def registered_results() -> Results | None:
    """Return the registered code; None if keys are used without conjured functions."""
    return _results


def _reference(definition: Callable[..., object]) -> Reference:
    return Reference("symbol", definition.__module__, definition.__qualname__)
