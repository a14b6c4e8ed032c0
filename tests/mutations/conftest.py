"""Two processes that fork, so that every comparison is one of two processes."""

from collections.abc import Iterator

import pytest

from .forks import Forks

# `pyloudnorm` is imported for every sound, and takes SciPy along.
IMPORTED = ("pyloudnorm", "runner")


@pytest.fixture(scope="session")
def builder() -> Iterator[Forks]:
    """A process for what is made first."""
    forks = Forks(*IMPORTED, "matplotlib.pyplot")
    yield forks
    forks.close()


@pytest.fixture(scope="session")
def editor() -> Iterator[Forks]:
    """A process for what is made after an edit."""
    forks = Forks(*IMPORTED)
    yield forks
    forks.close()


@pytest.fixture(scope="session")
def editor_with_torch() -> Iterator[Forks]:
    """As `editor`, for articles with tensors: PyTorch takes seconds to import."""
    forks = Forks(*IMPORTED, "torch")
    yield forks
    forks.close()
