"""Magnitudes, mel bands, and the measures that are taken on them."""

import pytest
import torch

from sparse_codec.model.spectrogram import (
    log_spectral_distance,
    magnitudes,
    mel_bands,
    share_removed,
)


def test_a_tone_shows_its_amplitude_in_its_bin():
    amplitude, bin_ = 0.25, 100
    time = torch.arange(2**15)
    wave = amplitude * torch.sin(2 * torch.pi * bin_ / 2048 * time)
    spectrum = magnitudes(wave[None], 2048, 512)[0]
    assert spectrum.shape == (1025, 2**15 // 512)
    assert spectrum[:, 30].argmax() == bin_
    assert spectrum[bin_, 30].item() == pytest.approx(amplitude * 2048 / 4, rel=1e-3)


def test_every_mel_band_holds_a_bin_and_neighbours_meet():
    for n_bands, n_bins in ((64, 1025), (192, 1025), (64, 257)):
        bands = mel_bands(n_bands, n_bins, 22_050)
        assert bands.shape == (n_bands, n_bins)
        assert (bands.amax(1) > 0).all() and bands.max() <= 1 and bands.min() >= 0


def test_share_removed_is_one_when_nothing_is_left_and_zero_for_silence():
    original = torch.rand(2, 5, 7)
    assert torch.equal(share_removed(torch.zeros_like(original), original, 2), torch.ones(2))
    assert torch.equal(share_removed(original, original, 1), torch.zeros(2))
    assert torch.equal(share_removed(original * 0, original * 0, 2), torch.zeros(2))
    assert share_removed(original / 2, original, 2) == pytest.approx(0.75)


def test_spectral_distance_of_six_decibels():
    torch.manual_seed(0)
    audio = torch.randn(1, 8192) * 0.1
    assert log_spectral_distance(audio, audio).item() == 0
    # noise, so that no bin is under the floor: a factor of two is 6.02 dB in every bin
    assert log_spectral_distance(2 * audio, audio).item() == pytest.approx(6.02, abs=0.02)
