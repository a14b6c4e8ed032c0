"""Samples to magnitude spectrograms, and what is measured on them."""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torch.nn import functional as F


@functools.lru_cache
def hann(window: int, device: torch.device | str = "cpu") -> Tensor:
    return torch.hann_window(window, device=device)


def stft(audio: Tensor, window: int, hop: int) -> Tensor:
    """Complex STFT (B, F, T // hop) of audio (B, T); frame i is centred on sample i * hop, zeros around it."""
    padded = F.pad(audio, (window // 2, window // 2))
    frames = torch.stft(
        padded, window, hop, window=hann(window, audio.device), center=False, return_complex=True
    )
    return frames[..., : audio.shape[-1] // hop]


def magnitudes(audio: Tensor, window: int, hop: int) -> Tensor:
    """Magnitude spectrogram (B, F, T // hop) of audio (B, T), linear scale."""
    return stft(audio, window, hop).abs()


@functools.lru_cache
def mel_bands(n_bands: int, n_bins: int, samplerate: int) -> Tensor:
    """Triangular filters (n_bands, n_bins), equally wide in mel (O'Shaughnessy's formula), each peaking at 1."""
    top = 2595 * torch.log10(torch.tensor(1 + samplerate / 2 / 700))
    edges = 700 * (10 ** (torch.linspace(0, top.item(), n_bands + 2) / 2595) - 1)
    edges = edges / (samplerate / 2) * (n_bins - 1)  # in bins
    # at the low end mel bands are narrower than a bin: widen them so that none is empty
    low = torch.minimum(edges[:-2], edges[1:-1] - 1)[:, None]
    high = torch.maximum(edges[2:], edges[1:-1] + 1)[:, None]
    centre = edges[1:-1, None]
    bins = torch.arange(n_bins)[None]
    return torch.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)).clamp(
        min=0
    )


def place(events: Tensor, frames: Tensor, lead: int, n_frames: int) -> Tensor:
    """Spectrograms (E, F, L) in segments (E, F, n_frames), so that frame `lead` comes to lie at frames (E,)."""
    length = events.shape[2]
    placed = events.new_zeros(*events.shape[:2], lead + n_frames + length)
    for e, frame in enumerate(frames.tolist()):
        placed[e, :, frame : frame + length] = events[e]
    return placed[:, :, lead : lead + n_frames]


def share_removed(residual: Tensor, original: Tensor, order: int) -> Tensor:
    """Share of a spectrogram's L1 (`order` 1) or L2 (`order` 2, squared) norm that is gone: (B, F, T) -> (B,).

    Silence, of which nothing can be removed, counts as 0.
    """
    left = residual.abs().pow(order).sum((-2, -1))
    had = original.abs().pow(order).sum((-2, -1))
    return torch.where(had > 0, 1 - left / had.clamp(min=1e-30), torch.zeros_like(had))


def shares_removed(residual: Tensor, original: Tensor, n_frames: int) -> tuple[float, float]:
    """Shares (L2, L1) of spectrograms (B, F, T) that are gone from the first `n_frames`, the mean over the batch."""
    residual, original = residual[..., :n_frames], original[..., :n_frames]
    l2, l1 = (share_removed(residual, original, order).mean().item() for order in (2, 1))
    return l2, l1


def log_spectral_distance(
    audio: Tensor, reference: Tensor, windows: tuple[int, ...] = (512, 1024, 2048, 4096)
) -> Tensor:
    """Multi-resolution log-spectral distance in dB, (B, T) and (B, T) -> (B,).

    Root mean square over bins, mean over frames and windows, of the difference of the log power spectra; each
    spectrum is floored 80 dB below the reference's own maximum, so that what nobody hears does not count.
    """
    distances = []
    for window in windows:
        a, r = (magnitudes(x, window, window // 4).pow(2) for x in (audio, reference))
        floor = 1e-8 * r.amax((-2, -1), keepdim=True).clamp(min=1e-12)
        difference = 10 * (
            torch.log10(torch.maximum(a, floor)) - torch.log10(torch.maximum(r, floor))
        )
        distances.append(difference.pow(2).mean(-2).sqrt().mean(-1))
    return torch.stack(distances).mean(0)


def log_mel_distance(
    audio: Tensor, reference: Tensor, samplerate: int, n_bands: int = 80
) -> Tensor:
    """Mean absolute difference of log-mel spectrograms in dB (window 2048, hop 512), (B, T) and (B, T) -> (B,).

    Floored 80 dB below the reference's loudest band.
    """
    mel = mel_bands(n_bands, 1025, samplerate)
    a, r = (mel @ magnitudes(x, 2048, 512) for x in (audio, reference))
    floor = 1e-4 * r.amax((-2, -1), keepdim=True).clamp(min=1e-9)
    return (
        (20 * torch.log10(torch.maximum(a, floor) / torch.maximum(r, floor))).abs().mean((-2, -1))
    )
