"""Left and right: events that both channels share where that pays, else each channel's own, window by window."""

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
from sparse_codec.model.greedy import GreedyState, joint_gains

# Shared events take half of the bits. They pay if they remove at least so much of left and right, relative to what they
# remove of the mid, which is the most that they can. To measure this no events of left and right are needed.
PAYS = 0.9


@dataclass(frozen=True)
class Pair:
    """Events of left and right in one segment, and what the two scenes leave of them."""

    windows: tuple[EventSet, EventSet]
    residual: Tensor  # (2, F, T)


def encode_stereo(
    codec: SparseCodec, blocks: Iterable[np.ndarray], options: EncodeOptions | None = None
) -> Iterator[tuple[EventSet, EventSet]]:
    """Windows of left and right of blocks (T, 2) at the codec's samplerate, as `SparseCodec.stream` gives those of one.

    A window's events are looked for in the mid, the mean of both magnitude spectrograms, and get a gain for each
    channel. If that does not pay, each channel gets events of its own. Raises: ValueError as `SparseCodec.encode`,
    and for blocks of another number of channels.
    """
    config, half = codec.config, codec.config.half_frames
    tails = torch.zeros(2, config.n_bins, half, device=codec.device)
    both, again = itertools.tee(map(_check_pair, blocks))
    lefts = cut_segments((block[:, 0] for block in both), config.segment_samples)
    rights = cut_segments((block[:, 1] for block in again), config.segment_samples)
    for w, ((left, n_samples), (right, _)) in enumerate(zip(lefts, rights, strict=True)):
        original = codec.magnitudes(torch.from_numpy(np.stack([left, right])))
        original[:, :, :half] -= tails
        pair = _shared(codec, original, n_samples, w * half, options)
        pair = pair or _separate(codec, original, n_samples, w * half, options)
        tails = (original - pair.residual)[..., half:]
        yield pair.windows


def _check_pair(block: np.ndarray) -> np.ndarray:
    block = check_audio(block)
    if block.ndim != 2 or block.shape[1] != 2:
        raise ValueError(f"a block of shape {block.shape}; stereo has samples (T, 2)")
    return block


@torch.no_grad()
def _shared(
    codec: SparseCodec,
    original: Tensor,
    n_samples: int,
    first_frame: int,
    options: EncodeOptions | None,
) -> Pair | None:
    """Events of the mid with a gain for each channel; None if they do not pay."""
    found = codec.decompose(original.mean(0, keepdim=True), options)
    gains = _channel_gains(found, original, codec.config.horizon_frames)
    both = replace(found.events[[0, 0]], gains=gains)
    residual = original - codec.decoder.scene(both, codec.config.n_frames)
    half = codec.config.half_frames
    of_both = _share_removed(residual, original, half)
    if of_both < PAYS * _share_removed(found.residual, found.original, half):
        return None
    used = (gains > 0).any(0)
    used_events = replace(found.events, gains=used[None].float())
    mid = codec.event_set(used_events, n_samples, first_frame)
    left, right = (replace(mid, gains=channel[used].cpu().numpy()) for channel in gains)
    return Pair((left, right), residual)


def _separate(
    codec: SparseCodec,
    original: Tensor,
    n_samples: int,
    first_frame: int,
    options: EncodeOptions | None,
) -> Pair:
    """Each channel's own events."""
    found = [codec.decompose(channel[None], options) for channel in original]
    left, right = (codec.event_set(each.events, n_samples, first_frame) for each in found)
    return Pair((left, right), torch.cat([each.residual for each in found]))


def _channel_gains(found: GreedyState, original: Tensor, horizon: int) -> Tensor:
    """Gains (2, N) with which the events found in the mid leave least of left and right (2, F, T)."""
    n_found = found.n_found
    gains = found.events.gains.new_zeros(2, found.events.gains.shape[1])
    alive = torch.nonzero(found.events.gains[0, :n_found] > 0)[:, 0]
    if len(alive):
        spectra = found.spectra[0, alive].flatten(1)
        removed = (original[:, :, :horizon].flatten(1) @ spectra.T).double()
        products = found.products[0, alive][:, alive]
        gains[:, alive] = joint_gains(products.expand(2, -1, -1), removed)
    return gains


def _share_removed(residual: Tensor, original: Tensor, n_frames: int) -> float:
    """Of the energy of all channels together, in the first frames; 1 for silence."""
    left, had = (x[..., :n_frames].pow(2).sum().item() for x in (residual, original))
    return 1 - left / had if had else 1.0
