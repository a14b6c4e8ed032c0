"""Fit the codec of a voice: its only weights are the mean of its envelopes and the axes on which
they vary most, which have a closed form.

Shapes: T frames, B mel bands, K numbers of an envelope.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sparse_codec.audio.files import AudioError, load_audio
from sparse_codec.audio.recordings import Recording
from sparse_codec.codec import SparseCodec
from sparse_codec.config import CodecConfig, ConfigError
from sparse_codec.model.voice_encoder import VoiceEncoder

log = logging.getLogger(__name__)

PIECE = 30.0  # seconds of a recording that are read at a time
HEARD = np.log(10) * 2.5  # 50 dB below the loudest frame: softer ones teach nothing
# share of the training envelopes that numbers from -1 to 1 must reach, and some room beyond
REACH, ROOM = 0.998, 1.1
SHORTEST = 3.0  # axis: along shorter ones nearly all numbers are rounded to 0 in files


def fit_voice(
    config: CodecConfig, recordings: list[Recording], out: Path, say: Callable[[str], None]
) -> Path:
    """Fit a voice codec on the training works among recordings; return its checkpoint.

    Raises: ConfigError without training works, or if they are silent; OutputError.
    """
    started = time.perf_counter()
    training = [recording for recording in recordings if recording.split == "train"]
    if not training:
        raise ConfigError("no training works among the recordings; give other folders")
    codec = SparseCodec(config)
    pieces = list(envelopes(codec, training))
    if not pieces:
        raise ConfigError("the recordings are silent or unreadable; give other folders")
    shapes = np.concatenate(pieces)
    weights = codec.decoder.get_buffer("weights").numpy()
    mean, basis = principal_axes(shapes, weights, len(codec.decoder.get_parameter("basis")))
    codec.decoder.get_parameter("mean").copy_(torch.from_numpy(mean))
    codec.decoder.get_parameter("basis").copy_(torch.from_numpy(basis))
    seconds = time.perf_counter() - started
    card: dict[str, Any] = {
        "fitted": "principal axes of envelopes",
        "frames": len(shapes),
        "hours": round(seconds / 3600, 3),
        "train_recordings": len(training),
        "held_out_recordings": len(recordings) - len(training),
        "torch": torch.__version__,
    }
    codec.save(out / "model.safetensors", card)
    say(f"{len(shapes)} frames of {len(training)} recordings, {seconds:.0f} s")
    return out / "model.safetensors"


def envelopes(codec: SparseCodec, recordings: list[Recording]) -> Iterator[np.ndarray]:
    """Yield the envelopes (T, B) of stretches of recordings where they are heard, each without its
    mean: the level is an event's gain.
    """
    assert isinstance(codec.encoder, VoiceEncoder)
    for recording in recordings:
        try:
            audio = load_audio(recording.path, codec.samplerate)
        except AudioError as error:
            log.warning("skipped %s: %s", recording.path, error)
            continue
        size = round(PIECE * codec.samplerate)
        for start in range(0, len(audio), size):
            piece = audio[start : start + size]
            if not piece.any():
                continue
            envelope = codec.encoder.analyse(piece).envelope
            level = envelope.mean(1, keepdims=True)
            heard = (level >= level.max(initial=-np.inf) - HEARD)[:, 0]
            yield (envelope - level)[heard]


def principal_axes(
    shapes: np.ndarray, weights: np.ndarray, n_axes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean (B,) of shapes (T, B), and the axes (K, B) of most variance, the first first,
    with bands weighted by (B,).

    An axis is as long as the shapes reach: numbers from -1 to 1 describe nearly all of them.
    """
    mean = shapes.mean(0)
    weighted = (shapes - mean) * weights
    level = weights / np.linalg.norm(weights)  # of all bands alike, which is the gain's
    weighted -= (weighted @ level)[:, None] * level
    variances, axes = np.linalg.eigh(np.cov(weighted.T))
    axes = axes.T[np.argsort(-variances)[:n_axes]]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)
    axes *= np.sign(largest)  # of two signs, always the same
    lengths = ROOM * np.quantile(np.abs(weighted @ axes.T), REACH, axis=0)
    basis = axes * np.maximum(lengths, SHORTEST)[:, None] / weights
    return mean.astype(np.float32), basis.astype(np.float32)
