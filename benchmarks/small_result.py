"""A conjured function whose result is small, for benchmarks/key_time.py; it has a module to be followed in."""

from report import Data, conjure


@conjure
def small(n: int) -> Data:
    return Data({"n": n})
