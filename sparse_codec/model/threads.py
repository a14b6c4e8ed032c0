"""A setting of the processor that each thread has for itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

SMALLEST_NORMAL = sys.float_info.min


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Let this thread take numbers too small for a full mantissa as 0, in a block or a function.

    A float32 below 1e-38 is such a number. Decays end in them, and a processor takes many times as
    long for each. The thread's setting comes back at the end. Threads that PyTorch starts in the
    block take it over and keep it.
    """
    before = flushes_denormals()
    torch.set_flush_denormal(True)  # False is returned, and nothing changes, where this cannot be
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def flushes_denormals() -> bool:
    """Return whether this thread takes half of the smallest normal number as 0.

    PyTorch sets this and cannot be asked. The setting is the same for its numbers and Python's.
    """
    return SMALLEST_NORMAL / 2 == 0.0
