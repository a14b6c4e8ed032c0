"""Encode left and right: they share events where that pays, and have separate ones elsewhere."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from sparse_codec.audio.blocks import check_audio, cut_segments
from sparse_codec.codec import SparseCodec
from sparse_codec.config import EncodeOptions
from sparse_codec.events import EventSet
from sparse_codec.model.greedy import GreedyState, gains_within

# Shared events take half of the bits. They pay if the share that they remove of left and right is
# at least this much of the share that they remove of the mid, which is the most they can. This
# needs no separate events of left and right to compare with.
PAYS = 0.9


@dataclass(frozen=True)
class Pair:
    """Events of left and right in one segment, and the residuals of the two channels."""

    windows: tuple[EventSet, EventSet]
    residual: Tensor  # (2, F, T)


def encode_stereo(
    codec: SparseCodec, blocks: Iterable[np.ndarray], options: EncodeOptions | None = None
) -> Iterator[tuple[EventSet, EventSet]]:
    """Yield windows of left and right of blocks (T, 2), as `SparseCodec.stream` does for mono.

    The blocks are at the codec's samplerate. The events of a window are those of the mid, the mean
    of both magnitude spectrograms, with a gain for each channel. If that does not pay, each channel
    is encoded alone. A codec that follows a voice finds it in the mean of both sounds, and its
    events are as strong in each channel as that channel is while they sound.
    Raises: ValueError as `SparseCodec.encode`, and for blocks of another number of channels.
    """
    if codec.follows:
        yield from _follow_both(codec, blocks, options)
        return
    config, half = codec.config, codec.config.half_frames
    tails = torch.zeros(2, config.n_bins, half, device=codec.device)
    both, again = itertools.tee(map(_check_pair, blocks))
    lefts = cut_segments((block[:, 0] for block in both), config.segment_samples)
    rights = cut_segments((block[:, 1] for block in again), config.segment_samples)
    for w, ((left, n_samples), (right, _)) in enumerate(zip(lefts, rights, strict=True)):
        original = codec.magnitudes(torch.from_numpy(np.stack([left, right])))
        original[:, :, :half] -= tails
        pair = _encode_shared(codec, original, n_samples, w * half, options)
        pair = pair or _encode_separate(codec, original, n_samples, w * half, options)
        tails = (original - pair.residual)[..., half:]
        yield pair.windows


def _follow_both(
    codec: SparseCodec, blocks: Iterable[np.ndarray], options: EncodeOptions | None
) -> Iterator[tuple[EventSet, EventSet]]:
    """Yield windows of the voice in the mean of left and right, with the gains of each channel."""
    size, half = codec.config.segment_samples, codec.config.half_frames
    middle, both, again = itertools.tee(map(_check_pair, blocks), 3)
    windows = codec.stream((block.mean(1) for block in middle), options)
    lefts = cut_segments((block[:, 0] for block in both), size)
    rights = cut_segments((block[:, 1] for block in again), size)
    for w, (window, (left, _), (right, _)) in enumerate(zip(windows, lefts, rights, strict=True)):
        sounds = torch.from_numpy(np.stack([left, right, (left + right) / 2]))
        energy = codec.magnitudes(sounds).pow(2).sum(1)  # (3, T)
        length = codec.decoder.event_frames
        frames = window.frames - w * half
        spans = [energy[:, frame : frame + length].sum(1) for frame in frames.tolist()]
        heard = torch.stack([*spans, energy[:, 0]])[: len(window)]  # (N, 3), also of no events
        ratios = (heard[:, :2] / heard[:, 2:].clamp(min=1e-20)).sqrt().T
        gains = window.gains * ratios.cpu().numpy()
        yield replace(window, gains=gains[0]), replace(window, gains=gains[1])


def _check_pair(block: np.ndarray) -> np.ndarray:
    block = check_audio(block)
    if block.ndim != 2 or block.shape[1] != 2:
        raise ValueError(f"a block of shape {block.shape}; stereo has samples (T, 2)")
    return block


@torch.no_grad()
def _encode_shared(
    codec: SparseCodec,
    original: Tensor,
    n_samples: int,
    first_frame: int,
    options: EncodeOptions | None,
) -> Pair | None:
    """Return events of the mid with a gain for each channel; None if they do not pay."""
    mid = codec.decompose(original.mean(0, keepdim=True), options)
    gains = _channel_gains(mid, original, codec.config.horizon_frames)
    both = replace(mid.events[[0, 0]], gains=gains)
    residual = original - codec.decoder.scene(both, codec.config.n_frames)
    half = codec.config.half_frames
    share = _share_removed(residual, original, half)
    if share < PAYS * _share_removed(mid.residual, mid.original, half):
        return None
    used = (gains > 0).any(0)
    used_events = replace(mid.events, gains=used[None].float())
    events = codec.event_set(used_events, n_samples, first_frame)
    left, right = (replace(events, gains=channel[used].cpu().numpy()) for channel in gains)
    return Pair((left, right), residual)


def _encode_separate(
    codec: SparseCodec,
    original: Tensor,
    n_samples: int,
    first_frame: int,
    options: EncodeOptions | None,
) -> Pair:
    """Return events of each channel alone."""
    states = [codec.decompose(channel[None], options) for channel in original]
    left, right = (codec.event_set(state.events, n_samples, first_frame) for state in states)
    return Pair((left, right), torch.cat([state.residual for state in states]))


def _channel_gains(mid: GreedyState, original: Tensor, horizon: int) -> Tensor:
    """Return gains (2, N) of the mid's events that leave least of left and right (2, F, T)."""
    gains = mid.events.gains.new_zeros(2, mid.events.gains.shape[1])
    alive = torch.nonzero(mid.events.gains[0, : mid.n_found] > 0)[:, 0]
    if len(alive):
        spectra, later = mid.spectra[0, alive].flatten(1), mid.later[0, alive].flatten(1)
        products = mid.products[0, alive][:, alive]
        for channel, own in zip(original, gains, strict=True):
            removed = (spectra @ channel[:, :horizon].flatten()).double()
            own[alive] = gains_within(products, removed, later, channel[:, horizon:].flatten())
    return gains


def _share_removed(residual: Tensor, original: Tensor, n_frames: int) -> float:
    """Return the share of the first frames' energy that is gone from all channels; 1 if silent."""
    left, total = (x[..., :n_frames].pow(2).sum().item() for x in (residual, original))
    return 1 - left / total if total else 1.0
