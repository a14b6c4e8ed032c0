"""Fixtures of `.events` files: a codec with a checkpoint, windows of random events, priors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from sparse_codec import CodecConfig, EventSet, SparseCodec
from sparse_codec.coding.priors import Priors
from sparse_codec.config import FrameEncoderConfig, ResonanceDecoderConfig
from sparse_codec.training.fit_priors import tabulate

DrawWindows = Callable[..., list[EventSet]]


@pytest.fixture(scope="session")
def saved_codec(small_codec, tmp_path_factory) -> SparseCodec:
    """The small codec from a file, so that it has a digest."""
    path = tmp_path_factory.mktemp("checkpoint") / "small.safetensors"
    small_codec.save(path)
    return SparseCodec.load(path)


@pytest.fixture(scope="module")
def checkpoint(small_codec, tmp_path_factory) -> str:
    """A file of the small codec for the command line, in a folder that only this module uses."""
    path = tmp_path_factory.mktemp("checkpoint") / "small.safetensors"
    small_codec.save(path)
    return str(path)


@pytest.fixture(scope="session")
def draw_windows(small_config) -> DrawWindows:
    """Windows of events with a codec's ranges; the last has `n_last` samples."""
    half, hop = small_config.half_frames, small_config.hop

    def draw(
        n_windows: int = 3, n_events: int = 6, seed: int = 0, n_last: int = 5_000
    ) -> list[EventSet]:
        rng = np.random.default_rng(seed)
        windows = []
        for w in range(n_windows):
            vectors = np.tanh(rng.normal(size=(n_events, small_config.vector_size)))
            n_samples = n_last if w == n_windows - 1 else half * hop
            windows.append(
                EventSet(
                    vectors=vectors.astype(np.float32),
                    frames=rng.integers(0, half, n_events) + w * half,
                    offsets=rng.uniform(-0.5, 0.5, n_events).astype(np.float32),
                    gains=np.exp(rng.normal(size=n_events)).astype(np.float32),
                    n_samples=w * half * hop + n_samples,
                    samplerate=small_config.samplerate,
                    hop=hop,
                )
            )
        return windows

    return draw


@pytest.fixture(scope="session")
def small_priors(saved_codec, draw_windows) -> Priors:
    return tabulate(saved_codec, draw_windows(n_windows=20, seed=1))


@pytest.fixture(scope="session")
def small_paper() -> CodecConfig:
    """The published design with small sizes."""
    return CodecConfig(
        segment_samples=2**14,
        hop=256,
        n_events=3,
        horizon_frames=64,
        gain="switch",
        input="linear",
        encoder=FrameEncoderConfig(channels=16, dilations=(1, 2)),
        decoder=ResonanceDecoderConfig(
            resonances=8,
            atoms=16,
            resonance_frames=4,
            attack_samples=1024,
            attack_knots=8,
            noise_filter_samples=16,
            reverberation=(0.3, 1.0),
            hidden=16,
        ),
    )


@pytest.fixture(scope="session")
def published_codec(small_paper) -> SparseCodec:
    """The published design with small sizes and random weights, which prefer no frame."""
    torch.manual_seed(0)
    return SparseCodec(small_paper).eval()
