"""Convolution in blocks is convolution."""

import numpy as np
import pytest
import torch

from sparse_codec.model.convolution import BLOCK, block_spectra, convolve, long_irfft, long_rfft

LENGTHS = [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5]


@pytest.mark.parametrize("n_response", LENGTHS)
@pytest.mark.parametrize("n_signal", LENGTHS)
def test_blocks_convolve_as_the_definition_says(n_signal, n_response):
    rng = np.random.default_rng(n_signal + 7 * n_response)
    signals = rng.normal(size=(2, 3, n_signal)).astype(np.float32)
    responses = rng.normal(size=(2, 1, n_response)).astype(np.float32)
    convolved = convolve(torch.from_numpy(signals), block_spectra(torch.from_numpy(responses)))
    assert convolved.shape == signals.shape
    for i, j in np.ndindex(2, 3):
        expected = np.convolve(signals[i, j].astype(np.float64), responses[i, 0])[:n_signal]
        scale = max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(convolved[i, j], expected, atol=2e-6 * scale)


def test_gradients_reach_signal_and_response():
    signal = torch.randn(1, 2 * BLOCK, dtype=torch.double, requires_grad=True)
    response = torch.randn(1, BLOCK + 9, dtype=torch.double, requires_grad=True)
    weights = torch.randn(1, 2 * BLOCK, dtype=torch.double)
    ours = (convolve(signal, block_spectra(response)) * weights).sum()
    size = 4 * BLOCK
    product = torch.fft.rfft(signal, size) * torch.fft.rfft(response, size)
    whole = (torch.fft.irfft(product, size)[:, : 2 * BLOCK] * weights).sum()
    gradients = (torch.autograd.grad(sum_, (signal, response)) for sum_ in (ours, whole))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("shape", [(100,), (1, 100), (3, 100), (1, 2, 100)])
def test_long_transforms_are_transforms(shape):
    signal = torch.randn(shape, dtype=torch.double)
    spectrum = long_rfft(signal, 256)
    torch.testing.assert_close(spectrum, torch.fft.rfft(signal, 256))
    torch.testing.assert_close(long_irfft(spectrum, 256), torch.fft.irfft(spectrum, 256))
