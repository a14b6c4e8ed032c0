"""Samples to magnitude spectrograms, and measures of these."""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torch.nn import functional as F


@functools.lru_cache
def hann(window: int, device: torch.device | str = "cpu") -> Tensor:
    return torch.hann_window(window, device=device)


def stft(audio: Tensor, window: int, hop: int) -> Tensor:
    """Return the complex STFT (B, F, T // hop) of audio (B, T).

    Frame i is centred on sample i * hop; there are zeros around the audio.
    """
    padded = F.pad(audio, (window // 2, window // 2))
    frames = torch.stft(
        padded, window, hop, window=hann(window, audio.device), center=False, return_complex=True
    )
    return frames[..., : audio.shape[-1] // hop]


def magnitudes(audio: Tensor, window: int, hop: int) -> Tensor:
    """Return the magnitude spectrogram (B, F, T // hop) of audio (B, T), linear scale."""
    return stft(audio, window, hop).abs()


@functools.lru_cache
def mel_bands(n_bands: int, n_bins: int, samplerate: int) -> Tensor:
    """Return triangular filters (n_bands, n_bins), equally wide in mel, each peaking at 1.

    Source: mel = 2595 log10(1 + Hz / 700), O'Shaughnessy 1987, Speech Communication.
    """
    top = 2595 * torch.log10(torch.tensor(1 + samplerate / 2 / 700))
    edges = 700 * (10 ** (torch.linspace(0, top.item(), n_bands + 2) / 2595) - 1)
    edges = edges / (samplerate / 2) * (n_bins - 1)  # in bins
    # at the low end mel bands are narrower than a bin: widen them so that none is empty
    low = torch.minimum(edges[:-2], edges[1:-1] - 1)[:, None]
    high = torch.maximum(edges[2:], edges[1:-1] + 1)[:, None]
    centre = edges[1:-1, None]
    bins = torch.arange(n_bins)[None]
    rise, fall = (bins - low) / (centre - low), (high - bins) / (high - centre)
    return torch.minimum(rise, fall).clamp(min=0)


def place(events: Tensor, frames: Tensor, lead: int, n_frames: int) -> Tensor:
    """Put spectrograms (E, F, L) into segments (E, F, n_frames), with frame `lead` of each at
    frames (E,).
    """
    placed = events.new_empty(*events.shape[:2], n_frames)
    for e, frame in enumerate(frames.tolist()):
        put(placed[e], events[e], frame - lead)
    return placed


def put(segment: Tensor, event: Tensor, start: int) -> None:
    """Fill a segment (F, T) with an event (F, L) from frame `start` on, and with zeros."""
    inside = slice(max(0, start), max(0, start + event.shape[1]))
    missing = inside.start - start  # frames ahead of the segment
    part = segment[:, inside]
    part.copy_(event[:, missing : missing + part.shape[1]])
    segment[:, : inside.start] = 0
    segment[:, inside.stop :] = 0


def share_removed(residual: Tensor, original: Tensor, order: int) -> Tensor:
    """Return the share (B,) of a spectrogram's norm that is gone, (B, F, T): L1 for `order` 1, the
    square of L2 for 2.

    Silence, of which nothing can be removed, counts as 0.
    """
    left = residual.abs().pow(order).sum((-2, -1))
    whole = original.abs().pow(order).sum((-2, -1))
    return torch.where(whole > 0, 1 - left / whole.clamp(min=1e-30), torch.zeros_like(whole))


def shares_removed(residual: Tensor, original: Tensor, n_frames: int) -> tuple[float, float]:
    """Return shares (L2, L1) of spectrograms (B, F, T) that are gone from the first `n_frames`, the
    mean over the batch.
    """
    residual, original = residual[..., :n_frames], original[..., :n_frames]
    l2, l1 = (share_removed(residual, original, order).mean().item() for order in (2, 1))
    return l2, l1


def log_spectral_distance(audio: Tensor, reference: Tensor) -> Tensor:
    """Return the multi-resolution log-spectral distance in dB, (B, T) and (B, T) -> (B,).

    The root mean square over bins, mean over frames and windows, of the difference of the log
    power spectra. Each spectrum is floored 80 dB below the reference's own maximum, so that
    inaudible sound does not count.
    """
    distances = []
    for window in (512, 1024, 2048, 4096):
        a, r = (magnitudes(x, window, window // 4).pow(2) for x in (audio, reference))
        floor = 1e-8 * r.amax((-2, -1), keepdim=True).clamp(min=1e-12)
        log_a, log_r = (torch.log10(torch.maximum(x, floor)) for x in (a, r))
        difference = 10 * (log_a - log_r)
        distances.append(difference.pow(2).mean(-2).sqrt().mean(-1))
    return torch.stack(distances).mean(0)


def log_mel_distance(audio: Tensor, reference: Tensor, samplerate: int) -> Tensor:
    """Return the mean absolute difference of log-mel spectrograms in dB, (B, T) and (B, T) -> (B,).

    80 bands, window 2048, hop 512; floored 80 dB below the reference's loudest band.
    """
    mel = mel_bands(80, 1025, samplerate)
    a, r = (mel @ magnitudes(x, 2048, 512) for x in (audio, reference))
    floor = 1e-4 * r.amax((-2, -1), keepdim=True).clamp(min=1e-9)
    ratio = torch.maximum(a, floor) / torch.maximum(r, floor)
    return (20 * torch.log10(ratio)).abs().mean((-2, -1))
