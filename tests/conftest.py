"""Shared fixtures: real audio, codecs untrained and shipped, and a site that asks listeners."""

from pathlib import Path

import numpy as np
import pytest
import torch

from experiments.clips import SHIPPED, shipped_clips
from report import FolderStore, build
from sparse_codec import CodecConfig, SparseCodec
from sparse_codec.audio.recordings import Recording
from sparse_codec.config import HarmonicDecoderConfig, HarmonicEncoderConfig
from tests.report.listening import asked

SAMPLERATE = 22_050
MARKS = {"browser": pytest.mark.browser, "s3": pytest.mark.server}  # by folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a browser or a server, which `make quick` leaves out."""
    for item in items:
        for folder in item.path.relative_to(Path(__file__).parent).parts:
            if folder in MARKS:
                item.add_marker(MARKS[folder])


@pytest.fixture(scope="session")
def small_config() -> CodecConfig:
    """The default design with few channels and short segments: quick, yet complete."""
    return CodecConfig(
        segment_samples=2**15,
        n_events=4,
        horizon_frames=40,
        encoder=HarmonicEncoderConfig(
            mel_bands=32, channels=8, dilations=(1, 2), pitches=48, hidden=16
        ),
        decoder=HarmonicDecoderConfig(
            harmonics=8,
            noise_bands=8,
            knots=(0, 2, 8, 32),
            event_frames=32,
            reverberation=(0.3,),
            hidden=16,
        ),
    )


@pytest.fixture(scope="session")
def small_codec(small_config) -> SparseCodec:
    torch.manual_seed(0)
    return SparseCodec(small_config).eval()


@pytest.fixture(scope="session")
def music_codec() -> SparseCodec:
    return SparseCodec.load("music")


@pytest.fixture(scope="session")
def music() -> np.ndarray:
    """24 seconds of a held-out string quartet."""
    return shipped_clips()[1].audio(SAMPLERATE)


@pytest.fixture(scope="session")
def recordings() -> list[Recording]:
    """The shipped clips; the first is held out."""
    files = sorted((SHIPPED / "music").glob("*.flac"))
    return [
        Recording(f, f.stem, "test" if i == 0 else "train", "clips") for i, f in enumerate(files)
    ]


@pytest.fixture
def tone() -> np.ndarray:
    """A decaying tone with overtones, 1.5 s: what the small codec's segment holds."""
    time = np.arange(2**15) / SAMPLERATE
    wave = sum(np.sin(2 * np.pi * 220 * h * time) / h for h in range(1, 5))
    return (0.3 * wave * np.exp(-2 * time)).astype(np.float32)


@pytest.fixture(scope="session")
def asking(tmp_path_factory):
    """A folder with an article that asks listeners, its store, and its site."""
    folder = tmp_path_factory.mktemp("asking")
    (folder / "tones.py").write_text(asked.ARTICLE)
    build([folder / "tones.py"], folder / "site", FolderStore(folder / "store"))
    return folder
