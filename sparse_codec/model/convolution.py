"""Convolution of long signals by transforms that are short, and many at once.

A transform of a single row of 2^17 samples takes more time than one of two such rows, and fifty
times as long as one of 2^14 samples. So signals are cut into blocks, and blocks that only matter
after the end of the result are left out. Where a long transform is needed, a single row gets a
second one beside it.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

BLOCK = 8192  # samples


def block_spectra(response: Tensor) -> Tensor:
    """Return the spectra (..., J, BLOCK + 1) of a response (..., K) cut into J blocks.

    Each block has as many zeros after it. A sum of responses has the sum of their spectra.
    """
    missing = -response.shape[-1] % BLOCK
    blocks = F.pad(response, (0, missing)).unflatten(-1, (-1, BLOCK))
    return torch.fft.rfft(blocks, 2 * BLOCK)


# Block n of the result is the sum over j of block n - j of the signal convolved with block j of the
# response. Each of these is two blocks long, and reaches from n - 1 on. With transforms of blocks
# n - 1 and n of the signal together, the second half of the product is block n, since wrapping
# around spoils the first half alone.
# Sources: overlap-save, Oppenheim and Schafer, Discrete-Time Signal Processing, section 8.7; with
# a response in equal blocks, Stockham 1966, doi:10.1145/1464182.1464209.
def convolve(signal: Tensor, response: Tensor) -> Tensor:
    """Return the first T samples of a signal (..., T) convolved with a response.

    response: its `block_spectra` (..., J, BLOCK + 1).
    """
    n_samples = signal.shape[-1]
    padded = F.pad(signal, (BLOCK, -n_samples % BLOCK))
    spectra = torch.fft.rfft(padded.unfold(-1, 2 * BLOCK, BLOCK))  # (..., n, BLOCK + 1)
    total = spectra * response[..., :1, :]
    for j in range(1, min(spectra.shape[-2], response.shape[-2])):
        total[..., j:, :].addcmul_(spectra[..., :-j, :], response[..., j : j + 1, :])
    blocks = torch.fft.irfft(total, 2 * BLOCK)[..., BLOCK:]
    return blocks.flatten(-2)[..., :n_samples]


def long_rfft(signal: Tensor, size: int) -> Tensor:
    """Return the spectrum (..., size / 2 + 1) of a signal (..., T) with zeros up to `size`."""
    rows = signal.reshape(-1, signal.shape[-1])
    rows = F.pad(rows, (0, 0, 0, 1)) if len(rows) == 1 else rows
    spectra = torch.fft.rfft(rows, size)
    return spectra[: signal.shape[:-1].numel()].view(*signal.shape[:-1], -1)


def long_irfft(spectrum: Tensor, size: int) -> Tensor:
    """Return the signal (..., size) of a spectrum (..., size / 2 + 1)."""
    rows = spectrum.reshape(-1, spectrum.shape[-1])
    rows = torch.cat([rows, torch.zeros_like(rows)]) if len(rows) == 1 else rows
    signals = torch.fft.irfft(rows, size)
    return signals[: spectrum.shape[:-1].numel()].view(*spectrum.shape[:-1], -1)
