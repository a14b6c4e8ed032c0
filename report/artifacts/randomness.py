"""The global random numbers of Python, NumPy and PyTorch, for articles and for calls."""

import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import numpy as np

SEED = 0  # with which every article begins


def begin_alike() -> None:
    """Begin with the random numbers that every article begins with."""
    _seed(SEED)


@contextmanager
def numbers_of(key: str) -> Iterator[None]:
    """Let the generators draw, in this block, numbers that depend on a call's key and nothing else.

    Then they are the same whichever process computes the call, and after whatever other calls.
    """
    torch, seed = sys.modules.get("torch"), _torch_seed
    before = random.getstate(), np.random.get_state(), torch and torch.get_rng_state()
    _seed(int(key[:8], 16))
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        _seed_torch(seed)
        if torch:
            torch.set_rng_state(before[2])


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    _seed_torch(seed)


_torch_seed = SEED  # with which PyTorch begins when it is imported


def _seed_torch(seed: int) -> None:
    global _torch_seed
    _torch_seed = seed
    if torch := sys.modules.get("torch"):
        torch.manual_seed(seed)
    elif not any(isinstance(finder, _TorchSeeder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _TorchSeeder())


class _TorchSeeder(MetaPathFinder):
    """Seeds PyTorch when it is imported, for each process begins with other numbers.

    It stays until then: libraries look for PyTorch without importing it, to see if it is installed.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "torch":
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _SeedingLoader(spec.loader)
                return spec
        return None


class _SeedingLoader(Loader):
    def __init__(self, loader: Loader):
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, _TorchSeeder)]
        module.manual_seed(_torch_seed)
