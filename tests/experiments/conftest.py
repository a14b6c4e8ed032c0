"""The small codec as a checkpoint: with a digest, as the figures of a measurement name it."""

from pathlib import Path

import pytest

from sparse_codec import SparseCodec


@pytest.fixture(scope="session")
def checkpoint(small_codec, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "small.safetensors"
    small_codec.save(path)
    return path


@pytest.fixture(scope="session")
def codec(checkpoint) -> SparseCodec:
    return SparseCodec.load(checkpoint)
